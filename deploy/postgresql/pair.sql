-- Two machines: after roles.sql, on the primary, as the superuser.  May be
-- repeated.
--
--	runuser -u postgres -- psql -f roles.sql
--
-- tilsit_replica streams to the replica and lets pg_rewind read this server.
-- tilsit gets a password, for the other machine's programs, and may do what a
-- failover needs.

\set ON_ERROR_STOP on

SELECT 'CREATE ROLE tilsit_replica LOGIN REPLICATION'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tilsit_replica')
\gexec
ALTER ROLE tilsit_replica PASSWORD '{{replica_password}}';
ALTER ROLE tilsit PASSWORD '{{database_password}}';

-- Go on without a replica, and with it again; become the primary.
GRANT ALTER SYSTEM ON PARAMETER synchronous_standby_names, primary_conninfo
    TO tilsit;
GRANT pg_checkpoint TO tilsit;
\connect tilsit
GRANT EXECUTE ON FUNCTION pg_reload_conf() TO tilsit;
GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO tilsit;

-- pg_rewind (its manual, "Notes").
\connect postgres
GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean)
    TO tilsit_replica;
GRANT EXECUTE ON FUNCTION pg_stat_file(text, boolean) TO tilsit_replica;
GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO tilsit_replica;
GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean)
    TO tilsit_replica;
