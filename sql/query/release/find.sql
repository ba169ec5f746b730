-- One release; 1.0 finds 1.0.0.
--
-- takes: project_id int8, canonical text
-- gives: id int8, version text, yanked_reason text null
-- rows:  maybe
SELECT id, version, yanked_reason
  FROM release
 WHERE project_id = $1
   AND canonical = $2;
