-- Files that were deleted while somebody noted that a machine lacks them.
--
-- takes: node text
-- rows:  none
DELETE FROM missing_copy m
 WHERE m.node = $1
   AND NOT EXISTS (SELECT FROM file f
                    WHERE f.blake2b_256 = m.blake2b_256
                      AND f.filename = m.filename);
