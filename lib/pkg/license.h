/*
 * license: SPDX licence expressions, "MIT OR (Apache-2.0 AND BSD-2-Clause)".
 *
 * Source: PEP 639, read as packaging.licenses.canonicalize_license_expression
 * reads it.  The identifiers are those of pkg/data/spdx.c.
 */
#ifndef PKG_LICENSE_H
#define PKG_LICENSE_H

#include "base/status.h"
#include "base/str.h"

struct arena;

#define LICENSE_MAX_BYTES	4096
#define LICENSE_MAX_DEPTH	100	/* of parentheses */

/*
 * The expression with each identifier in its registered case, operators in
 * capitals, and one space between words.  LicenseRef-... keeps the case of
 * its own part.  INVALID, with err naming the unknown licence or exception,
 * when it is no expression.
 */
MUST_USE enum status license_canonical(struct arena *a,
    struct str expression, struct str *out, struct err *err);

#endif
