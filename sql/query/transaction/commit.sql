-- Make a transaction's changes visible, durable here and on the replica.
--
-- rows:  none
COMMIT;
