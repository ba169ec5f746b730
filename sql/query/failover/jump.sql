-- F5: take no serial that the old primary may have given out.
--
-- takes: jump int8
-- gives: serial int8
-- rows:  one
UPDATE serial_counter SET value = value + $1 RETURNING value AS serial;
