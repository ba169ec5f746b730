-- The projects that mirrors are told of, by name.
--
-- gives: name text, normalized_name text, status text, last_serial int8
-- rows:  any
SELECT name, normalized_name, status, last_serial
  FROM project
 WHERE status <> 'quarantined'
 ORDER BY normalized_name;
