-- F3, F4: may this server serve as the primary?  is_entered: writers were let
-- in on this timeline.  is_confirmed: the replica confirmed a commit since the
-- server's start; null, when that start may not be seen.  A server's start is
-- that of its checkpointer: it ends with every crash of any process, too.
--
-- gives: is_standby bool, timeline int8, is_entered bool, is_confirmed bool null
-- rows:  one
SELECT now.is_standby, now.timeline,
       coalesce(s.timeline = now.timeline, false) AS is_entered,
       s.started_at = (SELECT backend_start
                         FROM pg_stat_activity
                        WHERE backend_type = 'checkpointer') AS is_confirmed
  FROM (
    SELECT is_standby,
           CASE WHEN is_standby THEN 0
                ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))
                    ::bit(32)::int8
           END AS timeline
      FROM pg_is_in_recovery() AS is_standby
  ) AS now
  LEFT JOIN primary_state s ON true;
