-- Projects for the benchmark, as copies of one that was really uploaded, with
-- names and digests of their own.  They have no files in the store: what is
-- measured here are pages.
--
-- :seed    the project to copy; its name has letters and digits only
-- :prefix  stands before the copies' numbers
-- :n       how many copies
--
-- The caller starts memcached afresh afterwards: this is no way to change an
-- index that somebody is reading.
BEGIN;

CREATE TEMP TABLE seed AS
SELECT * FROM project WHERE normalized_name = :'seed';

CREATE TEMP TABLE copy AS
SELECT :'prefix' || to_char(i, 'FM0000') AS name,
       (SELECT value FROM serial_counter) + i AS serial
  FROM generate_series(1, :n) AS i;

INSERT INTO project (name, normalized_name, ultra_name, last_serial)
SELECT name, name, name, serial FROM copy;

INSERT INTO role (project_id, account_id, role)
SELECT p.id, r.account_id, r.role
  FROM copy
  JOIN project p ON p.normalized_name = copy.name
  JOIN seed ON true
  JOIN role r ON r.project_id = seed.id;

INSERT INTO release (project_id, version, canonical, sort_key, is_prerelease,
                     metadata)
SELECT p.id, r.version, r.canonical, r.sort_key, r.is_prerelease, r.metadata
  FROM copy
  JOIN project p ON p.normalized_name = copy.name
  JOIN seed ON true
  JOIN release r ON r.project_id = seed.id;

INSERT INTO file (project_id, release_id, filename, packagetype,
                  python_version, requires_python, comment_text, size, sha256,
                  md5, blake2b_256, metadata_sha256, uploaded_at, uploaded_by)
SELECT p.id, r.id, named.filename, f.packagetype, f.python_version,
       f.requires_python, f.comment_text, f.size,
       sha256(named.filename::bytea), decode(md5(named.filename), 'hex'),
       sha256(sha256(named.filename::bytea)), f.metadata_sha256,
       f.uploaded_at, f.uploaded_by
  FROM copy
  JOIN project p ON p.normalized_name = copy.name
  JOIN seed ON true
  JOIN release o ON o.project_id = seed.id
  JOIN release r ON r.project_id = p.id AND r.canonical = o.canonical
  JOIN file f ON f.release_id = o.id
 CROSS JOIN LATERAL (
    SELECT replace(f.filename, :'seed', copy.name) AS filename
 ) AS named;

INSERT INTO used_filename (filename)
SELECT f.filename
  FROM file f
  JOIN project p ON p.id = f.project_id
  JOIN copy ON copy.name = p.normalized_name;

INSERT INTO journal (serial, project, normalized_name, action, account, at)
SELECT serial, name, name, 'create', '', clock_timestamp() FROM copy;

UPDATE serial_counter SET value = value + :n;

COMMIT;
ANALYZE;
