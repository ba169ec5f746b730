/*
 * migrate: brings a database's schema up to what this program was built with.
 *
 * The migrations of sql/schema/ are linked into the program, so that code and
 * schema cannot be deployed apart.  Each is applied in a transaction of its
 * own, under a lock that lets one `tilsit migrate` run at a time; what is
 * applied already is passed over, so this can be repeated, and killed, at any
 * point.
 */
#ifndef INDEX_MIGRATE_H
#define INDEX_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct arena;
struct index;

/* One file of sql/schema/, oldest first; the last one's name is NULL. */
struct migration {
	const char *name;		/* "0001-index" */
	const char *const *lines;	/* NULL after the last */
};

extern const struct migration migrations[];

/*
 * Apply what is missing; each(arg, name) is called after each one.  With
 * dry_run nothing is changed, and each() is told what would be applied.
 */
MUST_USE enum status migrate(struct index *ix, struct arena *a, bool dry_run,
    void (*each)(void *arg, const char *name), void *arg, struct err *err);

#endif
