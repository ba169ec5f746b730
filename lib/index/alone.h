/*
 * alone: when the primary goes on without its replica, and how it comes
 * back to waiting for it (rule F2).
 *
 * The order is everything, and each step may be repeated: whoever is killed
 * between two of them, the next one to run this goes on where that stood.
 *
 *	leaving		marks elsewhere, mark here, names emptied
 *	joining		names set, seen in effect, one commit confirmed,
 *			marks elsewhere cleared, mark here cleared
 *
 * Whenever commits wait for nobody, a mark is here and in one place more.  The
 * one here goes last, because it is what remembers that there are others.
 */
#ifndef INDEX_ALONE_H
#define INDEX_ALONE_H

#include <stdbool.h>

#include "base/str.h"

struct arena;
struct mark;
struct pair;
struct server;

/*
 * Only one process on a machine may be at it at a time: the watch, or a
 * command.  UNAVAILABLE while another one is, for wait_s.  *lock is given back with
 * alone_unlock(), or by the end of the process.
 */
MUST_USE enum status alone_lock(struct pair *p, struct arena *a, int wait_s,
    int *lock, struct err *err);
void alone_unlock(int lock);

struct alone {
	struct str why;
	bool is_held;		/* until `tilsit replica join` */
	bool accept_unmarked;	/* if nobody else could be told */
	bool elsewhere[3];	/* by enum mark_place: it has the mark.  Set
				 * by alone_begin() */
};

/*
 * Go on alone: own is how this machine's server, the primary, was seen.
 * CONFLICT when a place says that it is this machine that lacks changes;
 * UNAVAILABLE when the mark could be left nowhere else (unless that is
 * accepted), or the settings cannot be changed.  Then commits still wait.
 */
MUST_USE enum status alone_begin(struct pair *p, struct arena *a,
    const struct server *own, struct alone *how, struct err *err);

/*
 * Wait for the replica again, which the caller has seen streaming and caught
 * up, and take all marks away.  UNAVAILABLE when that cannot be done, or not
 * seen to be done: then marks stand.
 */
MUST_USE enum status alone_end(struct pair *p, struct arena *a,
    struct err *err);

/*
 * Commits wait, and there is no mark here: take away marks elsewhere, which
 * an attempt to go on alone left that went no further.  OK when there are
 * none for sure.
 */
MUST_USE enum status alone_tidy(struct pair *p, struct arena *a,
    struct err *err);

#endif
