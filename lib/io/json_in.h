/* json_in: reads JSON that came from outside of this process (jansson). */
#ifndef IO_JSON_IN_H
#define IO_JSON_IN_H

#include "base/str.h"

struct arena;

/*
 * Call each() for every text in an object whose values are texts or arrays of
 * texts, in the object's order; values of other types are passed over.
 * INVALID when text is not a JSON object.  Key and value live in the arena.
 */
MUST_USE enum status json_in_strings(struct arena *a, struct str text,
    void (*each)(void *arg, struct str key, struct str value), void *arg,
    struct err *err);

#endif
