/*
 * version: PEP 440 versions; reads, compares and writes them.
 *
 *	struct version v;
 *
 *	if (version_parse(a, STR("1.0-Beta.2"), &v) != OK)
 *		return err_set(err, INVALID, ...);
 *	version_normal(a, &v);		"1.0b2"
 *	version_sort_key(a, &v);	bytes for an ORDER BY
 *
 * Numbers may be of any length within VERSION_MAX_BYTES: they stay digit
 * strings and are never computed with.
 *
 * Agrees with Python's `packaging`, newest.  Release 23.0 differs where it
 * ignores case as Unicode does: it takes U+017F (long s) in "post" and in a
 * local version, U+212A (the Kelvin sign) and U+0131, U+0130 (Turkish i) in a
 * local version.  PEP 440 and newer releases have ASCII only, as we have.
 */
#ifndef PKG_VERSION_H
#define PKG_VERSION_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"

struct arena;

/* Of the text, white space included, and of its normal form. */
#define VERSION_MAX_BYTES	256

/*
 * A version in its pieces.  Every number is a view of decimal digits as they
 * were written: never empty where the piece is there, perhaps with leading
 * zeros.  A number that may be left out ("1.0a", "1.0.dev") reads "0".
 */
struct version {
	struct str epoch;	/* a number; "0" when none was written */
	struct str release;	/* numbers with a '.' between: "1.02.0" */
	struct str pre_kind;	/* "a", "b", "rc"; empty: no pre-release */
	struct str pre;		/* its number; empty when pre_kind is */
	struct str post;	/* a number; empty: no post-release */
	struct str dev;		/* a number; empty: no dev release */
	struct str local;	/* parts with . - or _ between; empty: none */
};

/*
 * Read a version, with white space (Unicode's) around it or not.  INVALID if
 * it is none, or if it or its normal form is longer than VERSION_MAX_BYTES.
 * *out lives in the arena, its local part in lower case.
 * Source: PEP 440, appendix B.
 */
MUST_USE enum status version_parse(struct arena *a, struct str text,
    struct version *out);

/*
 * The same without an arena, for those who only ask whether and what it is:
 * no white space around it, *out views text, the local part is as written,
 * and only the text is bounded.
 */
MUST_USE enum status version_scan(struct str text, struct version *out);

/* PEP 440 order: <0, 0, >0.  1.0 and 1.0.0 are equal. */
int version_cmp(const struct version *a, const struct version *b);

/* The normal form: "v1.00-Beta.2" gives "1.0b2".  packaging's str(Version). */
struct str version_normal(struct arena *a, const struct version *v);

/*
 * The normal form less trailing zeros of the release, so that equal versions
 * give equal text: "1.0.0" gives "1".  packaging's canonicalize_version().
 */
struct str version_canonical(struct arena *a, const struct version *v);

/* Has it a pre-release or a dev part? */
bool version_is_prerelease(const struct version *v);

/* Has it a local part? */
bool version_has_local(const struct version *v);

/*
 * Bytes whose order (memcmp, shorter first) is version_cmp()'s, and that are
 * equal if and only if the versions are.  At most VERSION_MAX_BYTES * 2 of
 * them.  They are stored: a change of their form needs a migration.
 */
struct str version_sort_key(struct arena *a, const struct version *v);

#endif
