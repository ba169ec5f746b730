-- Give back the lock of primary/try_lock.
--
-- gives: was_mine bool
-- rows:  one
SELECT pg_advisory_unlock(0, 20260002) AS was_mine;
