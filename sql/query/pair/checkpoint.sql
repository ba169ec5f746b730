-- A checkpoint, which begins after the checkpointer has read the settings that
-- it was told to read before.
--
-- rows:  none
CHECKPOINT;
