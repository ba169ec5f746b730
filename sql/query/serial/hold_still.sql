-- Keep serials from being taken until this transaction ends.
--
-- gives: serial int8
-- rows:  one
SELECT value AS serial FROM serial_counter FOR UPDATE;
