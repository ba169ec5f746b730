-- What a server is and has: primary or standby, on which timeline, how far.
--
-- has is the position, in bytes, up to which its log is on its disk: written
-- there by itself, or received.  claimed is the timeline on which `tilsit
-- failover` (or the first migration) let writers in.
--
-- gives: in_recovery bool, timeline int8, has int8, has_text text,
--        replayed_at text null, names text, loaded_us int8, serial int8,
--        claimed int8 null
-- rows:  one
SELECT s.in_recovery,
       CASE WHEN s.in_recovery
            THEN greatest((SELECT timeline_id FROM pg_control_checkpoint()),
                          (SELECT received_tli FROM pg_stat_wal_receiver))
            ELSE ('x' || left(pg_walfile_name(s.has), 8))::bit(32)::int8
        END::int8 AS timeline,
       (s.has - '0/0'::pg_lsn)::int8 AS has,
       s.has::text AS has_text,
       to_char(pg_last_xact_replay_timestamp(),
               'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS replayed_at,
       current_setting('synchronous_standby_names') AS names,
       (extract(epoch FROM pg_conf_load_time()) * 1000000)::int8 AS loaded_us,
       (SELECT value FROM serial_counter) AS serial,
       (SELECT timeline FROM primary_state) AS claimed
  FROM (SELECT r.in_recovery,
               CASE WHEN r.in_recovery
                    THEN greatest(coalesce(pg_last_wal_receive_lsn(), '0/0'),
                                  coalesce(pg_last_wal_replay_lsn(), '0/0'))
                    ELSE pg_current_wal_flush_lsn()
                END AS has
          FROM (SELECT pg_is_in_recovery() AS in_recovery) AS r) AS s;
