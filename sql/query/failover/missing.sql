-- The files that a machine has not got yet.
--
-- takes: node text
-- gives: filename text
-- rows:  any
SELECT filename FROM missing_copy WHERE node = $1 ORDER BY filename;
