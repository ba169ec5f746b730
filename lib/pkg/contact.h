/*
 * contact: e-mail addresses and web addresses, as metadata gives them.
 *
 * Only the form is checked, nobody is asked.
 */
#ifndef PKG_CONTACT_H
#define PKG_CONTACT_H

#include <stdbool.h>

#include "base/str.h"

/*
 * The first address of a header's list: of "Ann <ann@example.org>, bob@x.org"
 * it is "ann@example.org".  A view of list; not checked; empty when there is
 * none.  Source: RFC 5322 section 3.4, without groups.
 */
struct str contact_first_email(struct str list);

/*
 * Is it local@domain?  The local part is a dot-atom of at most 64 bytes, the
 * domain at least two labels of letters, digits and inner hyphens, at most 63
 * bytes each and 253 in all; characters beyond ASCII are allowed in both
 * (RFC 6531).  No quoted local parts, comments or address literals.
 */
bool contact_email_is_valid(struct str address);

/*
 * Is it an absolute http or https URL with a host, and without white space,
 * control characters, double quotes, backslashes and angle brackets?  At most
 * CONTACT_URL_MAX_BYTES.  Source: RFC 3986, characters beyond ASCII allowed.
 */
bool contact_url_is_web(struct str url);

#define CONTACT_URL_MAX_BYTES	2048

#endif
