-- Forget a transaction's changes and give its locks back.
--
-- rows:  none
ROLLBACK;
