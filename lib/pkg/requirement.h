/*
 * requirement: one dependency, "name[extra] >=1,<2 ; python_version < '3.8'".
 *
 *	struct requirement r;
 *
 *	st = requirement_parse(a, STR("Foo [b,a] (>=1)"), &r, &err);
 *	requirement_canonical(a, &r);	gives "foo[a,b]>=1"
 *
 * Source: PEP 508, read as packaging.requirements.Requirement reads it, with
 * two differences: a quoted string in a marker holds no backslash (PEP 508
 * has none; Python would see an escape), and sizes are bounded.
 */
#ifndef PKG_REQUIREMENT_H
#define PKG_REQUIREMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/str.h"

struct arena;

#define REQUIREMENT_MAX_BYTES	8192
#define REQUIREMENT_MAX_DEPTH	50	/* of parentheses in a marker */

struct requirement {
	struct str name;		/* as written */
	struct str_list extras;		/* as written; mostly empty */
	struct str_list specifiers;	/* each as written: ">= 1.0" */
	struct str url;			/* empty unless "name @ url" */
	struct str marker;		/* in one form: variables by their
					   PEP 508 names, one space between
					   words, double quotes, no needless
					   parentheses; or empty */
};

/*
 * Read a requirement.  INVALID, with err saying what was expected, when it is
 * none.  The results are views of text, or live in the arena.
 */
MUST_USE enum status requirement_parse(struct arena *a, struct str text,
    struct requirement *out, struct err *err);

/* As above, when only the validity matters.  has_url may be NULL. */
MUST_USE enum status requirement_check(struct arena *a, struct str text,
    bool *has_url, struct err *err);

/*
 * The one spelling of all requirements that mean the same: name and extras
 * normalised, extras and specifiers sorted and without doubles, no spaces but
 * in the marker.  Version numbers stay as they were written.
 */
struct str requirement_canonical(struct arena *a,
    const struct requirement *r);

#endif
