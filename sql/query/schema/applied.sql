-- Which migrations this database has.
--
-- gives: name text
-- rows:  any
SELECT name FROM schema_migration ORDER BY name;
