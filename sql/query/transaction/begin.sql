-- A transaction in which each statement sees what was committed before it.
--
-- rows:  none
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
