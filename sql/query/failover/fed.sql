-- Does this standby receive from a primary?
--
-- gives: is_fed bool
-- rows:  one
SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
           AS is_fed;
