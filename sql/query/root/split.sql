-- Cut a chunk every so many projects.  The new ones have its serial: what
-- they hold has not changed.  ('~': see root/projects.sql.)
--
-- takes: first_name text, next_name text, every int8
-- rows:  none
INSERT INTO root_chunk (first_name, serial)
SELECT p.normalized_name, c.serial
  FROM root_chunk c, (
    SELECT normalized_name,
           row_number() OVER (ORDER BY normalized_name) AS n
      FROM project
     WHERE normalized_name >= $1
       AND normalized_name < coalesce(nullif($2, ''), '~')
  ) AS p
 WHERE c.first_name = $1
   AND p.n > 1
   AND p.n % $3 = 1
    ON CONFLICT (first_name) DO NOTHING;
