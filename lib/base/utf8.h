/* utf8: is this text, and what are its characters?  (RFC 3629) */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * Read the first character of s into *c; the answer is its length in bytes,
 * 1 to 4.  0 when s is empty or does not begin with a well-formed sequence
 * (overlong forms, surrogates and values past U+10FFFF are not); *c is then 0.
 */
size_t utf8_next(struct str s, uint32_t *c);

/* Is all of s well-formed UTF-8? */
bool utf8_is_valid(struct str s);

/*
 * Is this character white space?  The set of Python's str.strip() and of \s:
 * Unicode's White_Space and the separators U+001C to U+001F.
 */
bool utf8_is_space(uint32_t c);

/* Without such white space at both ends. */
struct str utf8_trim(struct str s);

/* Number of characters of well-formed UTF-8. */
size_t utf8_length(struct str s);

#endif
