-- The newest serial: what a page over many projects must carry to be valid.
--
-- gives: serial int8
-- rows:  one
SELECT value AS serial FROM serial_counter;
