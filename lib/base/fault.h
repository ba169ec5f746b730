/*
 * fault: named places where a test may kill or stop this process.
 *
 * Compiled in only with -DFAULTS (make FAULTS=1, used by test/fail); in every
 * other build FAULT_POINT() is nothing at all.  The environment says what
 * happens where:
 *
 *	TILSIT_FAULT=W2:kill		SIGKILL to itself on reaching W2
 *	TILSIT_FAULT=W2:stop		SIGSTOP, until a test sends SIGCONT
 *	TILSIT_FAULT=@/tmp/x		the same words are read from the file
 *					/tmp/x each time a point is reached, so
 *					that a running worker can be armed; the
 *					file is removed as the fault happens
 *
 * Names are those of the protocol's steps (R1 to R5, W0 to W4, W2h), and for
 * the file store's own steps F-staged, F-synced, F-kept; for the snapshot's
 * S-page, S-written, S-flushed, S-shown, S-noted, S-tidied.  Between two
 * machines W0 has W0-here and W0-both, tilsit-peer P-received and P-kept, and
 * fetching a missing file C-claimed, C-fetched and C-kept.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef FAULTS
void fault_point(const char *name);
#define FAULT_POINT(name)	fault_point(name)
#else
#define FAULT_POINT(name)	((void)0)
#endif

#endif
