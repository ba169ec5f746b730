/*
 * fsck: are the package files what the database says they are?
 *
 * Looks both ways: every file row must have its bytes in the store, and every
 * file in the store must have its row; on two machines, the other one must
 * have each file, too.  Runs beside a serving index.
 */
#ifndef INDEX_FSCK_H
#define INDEX_FSCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct index;

struct fsck_options {
	bool repair;	/* mend what can be mended */
	bool quick;	/* trust sizes; do not read every byte again */
	bool peer;	/* compare with the other machine, which then mends
			 * what is wrong here, and this one what is there */

	/* Told of each trouble, and, with what empty, of progress. */
	void (*say)(void *arg, const char *what, struct str name,
	    bool repaired);
	void *arg;
};

struct fsck_result {
	int64_t files;		/* rows of the database looked at */
	int64_t bytes;		/* read and hashed */
	int64_t troubles;	/* found, repaired ones included */
	int64_t repaired;
};

/*
 * The troubles, and what repair does about them:
 *	"missing"	a row without its bytes: nothing, restore a backup; with
 *			peer, fetch them from there
 *	"damaged"	bytes that do not hash to their name: the same
 *	"no metadata"	a wheel without its .metadata, or with another one than
 *			the row says: read it from the wheel again
 *	"unknown"	bytes without a row, over a day old: remove them
 *	"stranger"	something that is not ours: nothing
 * and with peer:
 *	"missing there", "damaged there", "no metadata there"
 *			the same on the other machine: send it ours
 * OK says that it looked at everything; the result says what it found.
 * INVALID: peer is asked for, and there is none.
 */
MUST_USE enum status fsck(struct index *ix, struct arena *a,
    const struct fsck_options *options, struct fsck_result *out,
    struct err *err);

#endif
