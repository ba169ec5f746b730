-- One project by its PEP 503 name.
--
-- takes: normalized_name text
-- gives: id int8, name text, status text, status_reason text, last_serial int8
-- rows:  maybe
SELECT id, name, status, status_reason, last_serial
  FROM project
 WHERE normalized_name = $1;
