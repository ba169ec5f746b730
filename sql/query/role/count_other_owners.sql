-- Owners of a project besides this account: the last one stays.
--
-- takes: project_id int8, account_id int8
-- gives: n int8
-- rows:  one
SELECT count(*) AS n
  FROM role
 WHERE project_id = $1
   AND account_id <> $2
   AND role = 'Owner';
