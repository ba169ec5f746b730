-- Yank a release ('' without a reason), or take it back (null).
--
-- takes: id int8, yanked_reason text null
-- rows:  none
UPDATE release SET yanked_reason = $2 WHERE id = $1;
