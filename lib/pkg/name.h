/*
 * name: what a project may be called, and when two names are the same.
 *
 *	if (!name_is_valid(rq->name))
 *		return err_set(err, INVALID, ...);
 *	project = name_normalize(rq->arena, rq->name);
 *
 * Projects are told apart by their normal form; the spelling that an uploader
 * chose is kept for display only.
 *
 * Ownership: results live in the arena.
 */
#ifndef PKG_NAME_H
#define PKG_NAME_H

#include <stdbool.h>

#include "base/str.h"

struct arena;

#define NAME_MAX_BYTES	128	/* ours; the standards set no limit */

/*
 * May a project be called so?  ASCII letters, digits and . _ - with a letter
 * or digit at both ends, and at most NAME_MAX_BYTES of them.
 * Source: core metadata specification, "Name" (PEP 508's identifier rule).
 */
bool name_is_valid(struct str name);

/*
 * The normal form: ASCII lower case, each run of - _ . as one -.  (PEP 503)
 * Takes any text; what is not a valid name gives no valid name.
 */
struct str name_normalize(struct arena *a, struct str name);

/* Is this a valid name and equal to its own normal form? */
bool name_is_normal(struct str name);

/*
 * A form in which names that people take for one another are equal: without
 * . _ and -, with l L i I as 1 and o O as 0, and in ASCII lower case.  A new
 * project whose form another one has already is "too similar".
 * Source: the ultranormalize_name() function of the public index's database.
 */
struct str name_ultra(struct arena *a, struct str name);

#endif
