-- W3: the chunk that a changed project is in.  A statement of its own behind
-- the one that takes the serial: only a snapshot from under the counter's
-- lock shows the chunks as they are.
--
-- takes: normalized_name text, serial int8
-- rows:  none
UPDATE root_chunk
   SET serial = $2
 WHERE first_name = (
    SELECT max(first_name) FROM root_chunk WHERE first_name <= $1
 );
