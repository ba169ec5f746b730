/*
 * failover: this machine becomes the primary (rules F4 and F5).
 *
 * In this order, each step seen to be done before the next one begins, and all
 * of it to be repeated by whoever comes after one that was killed:
 *
 *	1 fence		the old primary can answer nobody any more
 *	2 look		at the marks; one against this machine ends it
 *	3 mark		that the other machine lacks changes: from here on it
 *			cannot go on alone, and cannot start as a primary
 *	4 alone		commits here wait for nobody
 *	5 promote
 *	6 let in	the serials jump, and writers may come
 */
#ifndef INDEX_FAILOVER_H
#define INDEX_FAILOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct pair;

struct failover {
	bool is_dry;		/* look and say, change nothing */
	bool is_switch;		/* stop the other cleanly, and have it rejoin */
	bool is_promoted;	/* somebody else (Patroni) has fenced the old
				 * primary and promoted this one */
	struct str fenced;	/* the operator's word for it, or empty */

	/* Each line of what is found and done, without its end. */
	void (*say)(void *arg, const char *line);
	void *arg;

	int64_t serial;		/* set: the one that writers go on after */
};

/*
 * OK when writers may come in (or, if it is dry, could).  Anything else says
 * what is in the way; nothing was promoted unless a line said so, and it may
 * be run again.
 */
MUST_USE enum status failover(struct pair *p, struct arena *a,
    struct failover *f, struct err *err);

/*
 * Here and back again: switch to this machine, and have the other one switch
 * back, each waiting for the replica.  Needs fence_command.
 */
MUST_USE enum status failover_drill(struct pair *p, struct arena *a,
    struct failover *f, struct err *err);

#endif
