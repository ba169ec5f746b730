-- A project whose name people would mistake for this one.
--
-- takes: ultra_name text
-- gives: name text
-- rows:  any
SELECT name
  FROM project
 WHERE ultra_name = $1
 LIMIT 1;
