/* serial: where the index stands. */
#ifndef INDEX_SERIAL_H
#define INDEX_SERIAL_H

#include <stdint.h>

#include "base/status.h"

struct arena;
struct index;

/* The newest serial on the primary; 0 when nothing has happened yet. */
MUST_USE enum status serial_newest(struct index *ix, struct arena *a,
    int64_t *out, struct err *err);

#endif
