-- Revoke a token, once and for all.
--
-- takes: id int8
-- gives: label text
-- rows:  maybe
UPDATE token SET revoked_at = coalesce(revoked_at, now())
 WHERE id = $1
RETURNING label;
