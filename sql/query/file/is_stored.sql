-- Does a row of the index need these bytes?
--
-- takes: blake2b_256 bytea, filename text
-- gives: is_needed bool
-- rows:  one
SELECT EXISTS (
    SELECT FROM file WHERE blake2b_256 = $1 AND filename = $2
) AS is_needed;
