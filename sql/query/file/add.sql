-- A new file; its name is used from now on.
--
-- takes: project_id int8, release_id int8, filename text, packagetype text, python_version text, requires_python text, comment_text text, size int8, sha256 bytea, md5 bytea, blake2b_256 bytea, metadata_sha256 bytea null, uploaded_by int8 null, uploaded_at_us int8
-- rows:  none
WITH named AS (
    INSERT INTO used_filename (filename) VALUES ($3)
)
INSERT INTO file (project_id, release_id, filename, packagetype,
                  python_version, requires_python, comment_text, size, sha256,
                  md5, blake2b_256, metadata_sha256, uploaded_by, uploaded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
        to_timestamp(0) + $14 * interval '1 microsecond');
