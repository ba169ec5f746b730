-- The files behind one, in the order of the store's folders, for fsck: it
-- takes as long for a file as reading it does, so it asks for some at a time.
--
-- takes: blake2b_256 bytea, filename text, at_most int8
-- gives: filename text, size int8, sha256 bytea, blake2b_256 bytea, metadata_sha256 bytea null
-- rows:  any
SELECT filename, size, sha256, blake2b_256, metadata_sha256
  FROM file
 WHERE (blake2b_256, filename) > ($1, $2)
 ORDER BY blake2b_256, filename
 LIMIT $3;
