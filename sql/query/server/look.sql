-- What a server is, whatever schema it has: a replica, or a primary, whose
-- timeline is one more after each promotion.
--
-- gives: is_standby bool, timeline int8
-- rows:  one
SELECT is_standby,
       CASE WHEN is_standby THEN 0
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))
                ::bit(32)::int8
       END AS timeline
  FROM pg_is_in_recovery() AS is_standby;
