/*
 * snapshot: every page of /simple/ and /pypi/<project>/json as files, for nginx
 * to serve while workers, PostgreSQL and memcached are down.
 *
 * The runner of each machine follows the journal of the primary, in order of
 * serials, and renders what changed: bytes, ETags and serials are those that a
 * worker would answer with, for they come from the same functions.  Below
 * snapshot_path there is (io/shelf says how it changes):
 *
 *	project/<p>/now		/simple/<p>/, /pypi/<p>/json
 *	root/now		/simple/
 *	position		"<serial> <round> <recipe> <whole>"
 *
 * now is a link to <serial>.<written>.<round>.H.Hz.V.Vz/J.Jz.P.Pz: when it was
 * written, in seconds since 1970, and the ETags of text/html, v1+html, v1+json
 * and the project's JSON, each plain and gzipped.  Documents are html,
 * json (PEP 691) and pypi, with .gz where gzipped.  Without the last two of
 * them, where a worker would answer 404, the ETags are "-".
 *
 * Every change up to the position is shown, and a page may be newer than it.
 * The root list is shown when every page that it speaks of is as new.
 *
 * A round is one making of everything from scratch, named by when it began: at
 * the first time; when the journal no longer has the position (a failover lost
 * it); when another version or external_url would give other bytes.  What an
 * older round left is then as good as wrong, and is replaced in the journal's
 * order; what no project in the journal has any more goes at the end.
 */
#ifndef INDEX_SNAPSHOT_H
#define INDEX_SNAPSHOT_H

#include <stdint.h>

#include "base/str.h"

struct arena;
struct index;

/* What the caller keeps for the next call; zero at first. */
struct snapshot_pace {
	int64_t root_due_us;	/* by clock_mono_us() */
};

/*
 * Follow the primary, for a second or a little longer; done counts the
 * projects that were written.  Does nothing without snapshot_path, or while
 * another process does it.  What was done is kept, whatever the status.
 */
MUST_USE enum status snapshot_follow(struct index *ix, struct arena *a,
    struct snapshot_pace *pace, int64_t *done, struct err *err);

#endif
