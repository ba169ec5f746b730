/* base64: the standard alphabet, read strictly (RFC 4648 section 4). */
#ifndef HTTP_BASE64_H
#define HTTP_BASE64_H

#include "base/str.h"

struct arena;

/*
 * Decode s into the arena.  INVALID, and *out untouched, for any byte outside
 * the alphabet (white space too), missing padding, or bits left over that are
 * not zero: one text, one spelling.
 */
MUST_USE enum status base64_decode(struct arena *a, struct str s,
    struct str *out);

#endif
