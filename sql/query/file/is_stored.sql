-- Does a row of the index need these bytes, or know that they are to go?
--
-- takes: blake2b_256 bytea, filename text
-- gives: is_needed bool
-- rows:  one
SELECT EXISTS (
    SELECT FROM file WHERE blake2b_256 = $1 AND filename = $2
) OR EXISTS (
    SELECT FROM discarded_file WHERE blake2b_256 = $1 AND filename = $2
) AS is_needed;
