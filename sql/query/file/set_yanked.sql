-- Yank a file ('' without a reason), or take it back (null).
--
-- takes: id int8, yanked_reason text null
-- rows:  none
UPDATE file SET yanked_reason = $2 WHERE id = $1;
