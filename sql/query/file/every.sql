-- Every file of the index, in the order of the store's folders, for fsck.
--
-- gives: filename text, size int8, sha256 bytea, blake2b_256 bytea, metadata_sha256 bytea null, project text
-- rows:  any
SELECT f.filename, f.size, f.sha256, f.blake2b_256, f.metadata_sha256,
       p.normalized_name AS project
  FROM file f
  JOIN project p ON p.id = f.project_id
 ORDER BY f.blake2b_256, f.filename;
