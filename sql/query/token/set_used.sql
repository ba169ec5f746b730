-- Record that a token was used, once a minute at most.
--
-- takes: id int8
-- rows:  none
UPDATE token SET last_used_at = now() WHERE id = $1;
