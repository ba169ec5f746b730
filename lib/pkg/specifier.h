/*
 * specifier: PEP 440 version specifiers, one or a set of them.
 *
 *	specifier_set_check(a, STR(">=3.8, !=3.9.*"), &err)	OK
 *	specifier_check(STR("~=1"))				INVALID
 *
 * Checks only: an index never chooses a version.
 *
 * Agrees with Python's `packaging`, newest, on what is a specifier, the
 * arbitrary equality of PEP 440 (=== and any text) included.  Two exceptions:
 * behind an operator other than === only ASCII is a version (packaging's
 * ~= takes U+017F for an s, release 23.0 does everywhere), and what stands
 * behind the operator has at most VERSION_MAX_BYTES.
 */
#ifndef PKG_SPECIFIER_H
#define PKG_SPECIFIER_H

#include "base/status.h"
#include "base/str.h"

struct arena;

/*
 * Check one specifier, an operator and its version, with white space around
 * both or not.  PEP 508's requirements are made of these.
 */
MUST_USE enum status specifier_check(struct str one);

/*
 * Check specifiers with commas between, as Requires-Python has them.  Nothing
 * but white space is a set, and so is ",": what stands between two commas may
 * be empty.  INVALID quotes the specifier at fault and says what to write.
 * The arena holds what is needed for that text only.
 */
MUST_USE enum status specifier_set_check(struct arena *a, struct str text,
    struct err *err);

#endif
