/*
 * findings: everything that is wrong with one upload, told at once.
 *
 * Checks go on after the first trouble and add what they find:
 *
 *	if (!name_is_valid(name))
 *		findings_add(found, STR("name"), "'%.*s' is not a valid name",
 *		    STR_ARG(name));
 *
 * http/respond makes one answer of them: the first as the reason phrase that
 * old clients print, all of them in the body.
 *
 * Ownership: texts are copied into the arena that findings_new() was given.
 */
#ifndef BASE_FINDINGS_H
#define BASE_FINDINGS_H

#include <stddef.h>

#include "base/str.h"

struct arena;

#define FINDINGS_MAX	50	/* more are counted, not kept */

struct finding {
	struct str field;	/* "requires_dist", "content", ... */
	struct str text;	/* one printable line, says how to mend it */
};

struct findings {
	struct arena *arena;
	struct finding *at;	/* NULL while n is 0 */
	size_t n;		/* kept, FINDINGS_MAX at most */
	size_t total;		/* found */
};

struct findings findings_new(struct arena *a);

/* Add one.  Control bytes become spaces, the text is cut as err_set() does. */
void findings_add(struct findings *f, struct str field, const char *fmt, ...)
    PRINTF(3, 4);

/*
 * OK when there are none; else INVALID, with the first one's text in err and
 * how many others there are.
 */
MUST_USE enum status findings_status(const struct findings *f,
    struct err *err);

#endif
