-- R3, first half: is no writer between its lock and its visible commit?
-- In a transaction of its own, before the statement that reads the rows: a
-- statement that did both would take its snapshot before the lock.
--
-- takes: normalized_name text
-- gives: is_free bool
-- rows:  one
SELECT pg_try_advisory_xact_lock_shared(hashtextextended($1, 0)) AS is_free;
