/*
 * file: one distribution file, from its yank to its sweeping.
 *
 * A removed file's row goes at once, and its name stays used for ever; its
 * bytes are removed from the store a day later, so that whoever read a page
 * just before can still fetch what that page named.  On two machines each
 * removes its own, however long after.
 */
#ifndef INDEX_FILE_H
#define INDEX_FILE_H

#include <stdint.h>

#include "base/str.h"

struct arena;
struct index;

#define FILE_SWEEP_AFTER_S	((int64_t)24 * 3600)

/* Yank one file, with a reason that may be empty (PEP 592). */
MUST_USE enum status file_yank(struct index *ix, struct arena *a,
    struct str filename, struct str reason, int64_t *serial,
    struct err *err);

MUST_USE enum status file_unyank(struct index *ix, struct arena *a,
    struct str filename, int64_t *serial, struct err *err);

MUST_USE enum status file_remove(struct index *ix, struct arena *a,
    struct str filename, int64_t *serial, struct err *err);

/*
 * Remove from this machine's store what was discarded longer than older_than_s ago.
 * *removed counts the files.  Safe to be killed at any point, and to be
 * repeated; in bounded memory.
 */
MUST_USE enum status file_sweep(struct index *ix, int64_t older_than_s,
    int64_t *removed, struct err *err);

#endif
