-- The project's own part of its JSON page; first in that page's snapshot.
--
-- takes: normalized_name text, home text
-- gives: id int8, name text, status text, last_serial int8, is_held bool
-- rows:  maybe
SELECT p.id, p.name, p.status, p.last_serial,
       EXISTS (SELECT FROM cache_hold h WHERE h.home = $2) AS is_held
  FROM project p
 WHERE p.normalized_name = $1;
