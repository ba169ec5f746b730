-- A new release, with the metadata of its first file.
--
-- takes: project_id int8, version text, canonical text, sort_key bytea, is_prerelease bool, metadata jsonb
-- gives: id int8
-- rows:  one
INSERT INTO release (project_id, version, canonical, sort_key, is_prerelease,
                     metadata)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id;
