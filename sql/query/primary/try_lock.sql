-- F3: one process at a time waits for the replica's confirmation, whose server
-- process keeps this lock however long that takes.  (0, 20260001) is that of
-- migrations.
--
-- gives: is_mine bool
-- rows:  one
SELECT pg_try_advisory_lock(0, 20260002) AS is_mine;
