-- Another project whose name people would mistake for this one.
--
-- takes: ultra_name text, normalized_name text
-- gives: name text
-- rows:  any
SELECT name
  FROM project
 WHERE ultra_name = $1 AND normalized_name <> $2
 LIMIT 1;
