-- How the standby of a name follows this primary.
--
-- takes: name text
-- gives: is_streaming bool, is_sync bool, replayed int8
-- rows:  maybe
SELECT state = 'streaming' AS is_streaming,
       sync_state IN ('sync', 'quorum') AS is_sync,
       (coalesce(replay_lsn, '0/0') - '0/0'::pg_lsn)::int8 AS replayed
  FROM pg_stat_replication
 WHERE application_name = $1
 ORDER BY state = 'streaming' DESC, replayed DESC
 LIMIT 1;
