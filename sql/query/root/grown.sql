-- Chunks that changed after a serial, with how many projects they have now.
-- ('~': see root/projects.sql.)
--
-- takes: serial int8
-- gives: first_name text, next_name text, serial int8, n int8
-- rows:  any
SELECT c.first_name, c.next_name, c.serial, (
    SELECT count(*)
      FROM project p
     WHERE p.normalized_name >= c.first_name
       AND p.normalized_name < coalesce(nullif(c.next_name, ''), '~')
       ) AS n
  FROM (
    SELECT first_name, serial,
           coalesce(lead(first_name) OVER (ORDER BY first_name), '')
               AS next_name
      FROM root_chunk
  ) AS c
 WHERE c.serial > $1
 ORDER BY c.serial;
