-- Does the journal have this serial?  Not if a failover lost it.
--
-- takes: serial int8
-- gives: is_known bool
-- rows:  one
SELECT $1 = 0 OR EXISTS (
    SELECT FROM journal WHERE serial = $1
) AS is_known;
