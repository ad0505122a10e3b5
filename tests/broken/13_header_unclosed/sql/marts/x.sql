/*---
kind: view
*/
SELECT shop FROM staging.events
