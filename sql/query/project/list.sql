-- Every project, for the operator.
--
-- gives: name text, normalized_name text, status text, last_serial int8, n_files int8
-- rows:  any
SELECT p.name, p.normalized_name, p.status, p.last_serial,
       (SELECT count(*) FROM file f WHERE f.project_id = p.id) AS n_files
  FROM project p
 ORDER BY p.normalized_name;
