-- The chunks of the root list, with the newest serial in one snapshot.
--
-- gives: newest_serial int8, first_name text, serial int8
-- rows:  any
SELECT s.value AS newest_serial, c.first_name, c.serial
  FROM serial_counter s, root_chunk c
 ORDER BY c.first_name;
