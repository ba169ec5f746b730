/*
 * replica: what may be shown while there is no primary (D3).
 *
 * A replica may lack changes that were acknowledged, and may hold some that
 * were not; so what comes from it is marked, and no cache may keep it.
 */
#ifndef INDEX_REPLICA_H
#define INDEX_REPLICA_H

#include <stdbool.h>

#include "base/status.h"

struct arena;
struct index;

/*
 * May the replica answer in the primary's place?  Only if the settings allow
 * it, the primary cannot be reached (a question to it has just failed), and
 * there is no mark on this machine that says that a replica lacks changes; a
 * mark that cannot be looked for counts as one.  Nothing is contacted.
 */
bool replica_may_answer(const struct index *ix);

/* Does it answer, too? */
bool replica_answers(struct index *ix, struct arena *a);

#endif
