-- user_packages: the projects in which an account has a role.
--
-- takes: account text
-- gives: role text, project text
-- rows:  any
SELECT r.role, p.name AS project
  FROM role r
  JOIN project p ON p.id = r.project_id
  JOIN account a ON a.id = r.account_id
 WHERE a.name = $1
 ORDER BY r.role DESC, p.normalized_name;
