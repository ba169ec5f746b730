-- A new project; its last_serial is set when its change takes its serials.
--
-- takes: name text, normalized_name text, ultra_name text
-- gives: id int8
-- rows:  one
INSERT INTO project (name, normalized_name, ultra_name, last_serial)
VALUES ($1, $2, $3, 0)
RETURNING id;
