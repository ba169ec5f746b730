-- After `tilsit migrate`, as the superuser: what the programs write once stays
-- written.  May be repeated.
--
--	runuser -u postgres -- psql -d tilsit -f grants.sql

\set ON_ERROR_STOP on

REVOKE UPDATE, DELETE ON journal, used_filename FROM tilsit;
REVOKE INSERT, UPDATE, DELETE ON schema_migration FROM tilsit;
REVOKE INSERT, DELETE ON primary_state, serial_counter FROM tilsit;
