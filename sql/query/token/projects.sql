-- The projects that a limited token is for.
--
-- takes: token_id int8
-- gives: project text
-- rows:  any
SELECT project
  FROM token_project
 WHERE token_id = $1
 ORDER BY project;
