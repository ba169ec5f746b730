/*
 * watch: what a pair does by itself when its replica goes and comes (F2).
 *
 * On either machine a process calls watch_step() every second.  It acts where
 * this machine's server is the primary, and nowhere else:
 *
 *	a replica that for replica_timeout_s has not confirmed what the
 *	primary had written before: leave it (index/alone)
 *	one that streams and has caught up again: join it
 *
 * What it must not do by itself, and why, it says once.
 */
#ifndef INDEX_WATCH_H
#define INDEX_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct arena;
struct pair;

struct watch {
	struct pair *pair;
	int64_t want;		/* position that the replica is to confirm */
	int64_t with_us;	/* when it last had, of clock_mono_us(); 0:
				 * the primary is not here */
	int64_t again_us;	/* no other attempt to leave before */
	int64_t tidy_us;	/* no look for marks that are left over before */
	bool elsewhere[3];	/* while alone: who was told, by mark_place */
};

/* A watch that has seen nothing yet. */
struct watch watch_new(struct pair *p);

/*
 * Look, and do what is to be done.  OK: *did says what it did, or is empty.
 * Otherwise err says what is wrong, or must be decided by a person; the next
 * step will try again.
 */
MUST_USE enum status watch_step(struct watch *w, struct arena *a,
    const char **did, struct err *err);

#endif
