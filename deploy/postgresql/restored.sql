-- After a restore, before the index starts, as the superuser:
--
--	runuser -u postgres -- psql -d tilsit -f restored.sql
--
-- What happened after the dump is lost, and mirrors have seen serials of it:
-- they must not meet the same numbers again with other contents.  And this
-- server is the one that writers go to, on whatever timeline it now is.

\set ON_ERROR_STOP on

BEGIN;
UPDATE serial_counter SET value = value + 1000000;
UPDATE primary_state
   SET started_at = '-infinity',
       timeline = ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))
                      ::bit(32)::int8;
DELETE FROM cache_hold;
COMMIT;
