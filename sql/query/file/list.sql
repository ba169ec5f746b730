-- Every file of one project, for a change that removes them.
--
-- takes: project_id int8
-- gives: id int8, release_id int8, filename text, version text, blake2b_256 bytea
-- rows:  any
SELECT f.id, f.release_id, f.filename, r.version, f.blake2b_256
  FROM file f
  JOIN release r ON r.id = f.release_id
 WHERE f.project_id = $1
 ORDER BY r.sort_key, f.filename;
