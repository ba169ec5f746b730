-- This project's fence is gone, by deletion or by age.
--
-- takes: project text
-- rows:  none
DELETE FROM cache_hold WHERE project = $1;
