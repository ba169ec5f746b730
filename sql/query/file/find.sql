-- One file by its name, with what an upload of the same name compares.
--
-- takes: filename text
-- gives: id int8, project_id int8, release_id int8, version text, sha256 bytea, blake2b_256 bytea, yanked_reason text null, normalized_name text
-- rows:  maybe
SELECT f.id, f.project_id, f.release_id, r.version, f.sha256, f.blake2b_256,
       f.yanked_reason, p.normalized_name
  FROM file f
  JOIN release r ON r.id = f.release_id
  JOIN project p ON p.id = f.project_id
 WHERE f.filename = $1;
