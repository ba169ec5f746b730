-- What an account may do with a project.
--
-- takes: project_id int8, account_id int8
-- gives: role text
-- rows:  maybe
SELECT role
  FROM role
 WHERE project_id = $1
   AND account_id = $2;
