-- package_roles: who may do what with a project.
--
-- takes: normalized_name text
-- gives: role text, account text
-- rows:  any
SELECT r.role, a.name AS account
  FROM role r
  JOIN project p ON p.id = r.project_id
  JOIN account a ON a.id = r.account_id
 WHERE p.normalized_name = $1
 ORDER BY r.role DESC, a.name;
