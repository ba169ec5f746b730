-- What a release says of itself, as its first file has it.
--
-- takes: normalized_name text, canonical text
-- gives: name text, version text, metadata text, is_hidden bool
-- rows:  maybe
SELECT p.name, r.version, r.metadata::text AS metadata,
       r.yanked_reason IS NOT NULL AS is_hidden
  FROM release r
  JOIN project p ON p.id = r.project_id
 WHERE p.normalized_name = $1
   AND r.canonical = $2;
