-- W3: take the serials, last of all in a change, one for each journal row;
-- write the rows and the project's last serial.
--
-- takes: project text, normalized_name text, versions text[], actions text[], account text
-- gives: serial int8
-- rows:  one
WITH taken AS (
    UPDATE serial_counter
       SET value = value + cardinality($4::text[])
    RETURNING value
), noted AS (
    INSERT INTO journal (serial, project, normalized_name, version, action,
                         account, at)
    SELECT taken.value - cardinality($4::text[]) + entry.n, $1, $2,
           nullif(entry.version, ''), entry.action, $5, clock_timestamp()
      FROM taken, unnest($3::text[], $4::text[])
               WITH ORDINALITY AS entry (version, action, n)
), marked AS (
    UPDATE project
       SET last_serial = taken.value
      FROM taken
     WHERE project.normalized_name = $2
)
SELECT value AS serial FROM taken;
