-- F4: writers may come in on the timeline on which this server is now, as long
-- as it is not restarted.
--
-- gives: timeline int8
-- rows:  one
UPDATE primary_state
   SET timeline = ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))
                      ::bit(32)::int8,
       started_at = (SELECT backend_start
                       FROM pg_stat_activity
                      WHERE backend_type = 'checkpointer')
RETURNING timeline;
