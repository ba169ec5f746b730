-- Was there ever a file of this name?
--
-- takes: filename text
-- gives: is_used bool
-- rows:  one
SELECT EXISTS (SELECT FROM used_filename WHERE filename = $1) AS is_used;
