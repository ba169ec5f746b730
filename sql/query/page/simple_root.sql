-- The root list and the newest serial, in one snapshot.  The counter's row
-- comes even when there is no project.
--
-- gives: newest_serial int8, name text null, normalized_name text null, last_serial int8 null
-- rows:  any
SELECT s.value AS newest_serial, p.name, p.normalized_name, p.last_serial
  FROM serial_counter s
  LEFT JOIN project p ON p.status <> 'quarantined'
 ORDER BY p.normalized_name;
