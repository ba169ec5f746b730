-- Has `tilsit migrate` ever run here?
--
-- gives: is_there bool
-- rows:  one
SELECT to_regclass('schema_migration') IS NOT NULL AS is_there;
