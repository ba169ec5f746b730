-- The database and its two roles, on a new server, as its superuser:
--
--	runuser -u postgres -- psql -f roles.sql
--
-- tilsit_owner has the tables and is used by `tilsit migrate` only.  tilsit is
-- what the programs are: it reads and writes rows, and can neither change the
-- schema nor, in the journal, what was once written.

\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I LOGIN', name)
  FROM unnest(ARRAY['tilsit_owner', 'tilsit']) AS name
 WHERE name NOT IN (SELECT rolname FROM pg_roles)
\gexec
CREATE DATABASE tilsit OWNER tilsit_owner TEMPLATE template0
    ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE tilsit FROM PUBLIC;
GRANT CONNECT ON DATABASE tilsit TO tilsit;

-- When did the server start?  (Rule F3; sql/query/primary/look.sql)
GRANT pg_read_all_stats TO tilsit;

\connect tilsit
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tilsit;
ALTER DEFAULT PRIVILEGES FOR ROLE tilsit_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tilsit;
