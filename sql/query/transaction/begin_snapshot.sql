-- A transaction whose statements all see the same moment, and change nothing.
--
-- rows:  none
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
