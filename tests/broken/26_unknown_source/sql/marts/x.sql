SELECT name
FROM crm.customer
