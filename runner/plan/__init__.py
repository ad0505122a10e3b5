"""What a backfill would do, purely: which partitions are missing or stale, in which windows.

In: facts of the tables, what the records say of them (`Ledger`), sizes of their inputs.  Out: a
`BackfillPlan`, which is shown to people, stored as JSON and executed by others.
"""
