/*
 * rejoin: an old primary becomes the replica of the new one.
 *
 * What it does to this machine's PostgreSQL it has server_command do, with one
 * of these words, which all may be repeated:
 *
 *	state	print what there is, a line each: running=yes or no,
 *		standby=yes or no, timeline=N
 *	forget	restart memcached: its pages are from before
 *	stop	stop the server in order; done when no process is left
 *	rewind	make it what the other machine's is by undoing what that never
 *		saw, and have it start as its standby
 *	copy	the same, by setting its data aside and copying all of them
 *	start	start it; done when it runs
 */
#ifndef INDEX_REJOIN_H
#define INDEX_REJOIN_H

#include <stdbool.h>

#include "base/str.h"

struct arena;
struct pair;

struct rejoin {
	bool is_dry;		/* look and say, change nothing */
	bool is_copy;		/* do not try to rewind */
	struct str discard;	/* the operator's word for what is lost */

	/* Each line of what is found and done, without its end. */
	void (*say)(void *arg, const char *line);
	void *arg;
};

/*
 * OK when this machine's server streams from the other's and has caught up.
 * CONFLICT when it is this one that is the primary, or nobody is; DENIED when
 * this one has changes that would be lost, and the words for it are not said.
 */
MUST_USE enum status rejoin(struct pair *p, struct arena *a,
    struct rejoin *r, struct err *err);

/*
 * Before this machine's server starts on the folder data: may it?  As a
 * standby, always.  As a primary it may not if the other machine is one, or if
 * any mark says that this one lacks changes; nor, if nobody can be asked,
 * unless it is known here that the other one lacks changes, or commits will
 * wait for it: then a server that should not be serves nobody (F3).
 * DENIED, and err says why; else *why does.
 */
MUST_USE enum status rejoin_may_start(struct pair *p, struct arena *a,
    const char *data, const char **why, struct err *err);

#endif
