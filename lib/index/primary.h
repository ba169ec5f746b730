/*
 * primary: what a change does while the primary is away.
 *
 * twine asks again at once, and five times only: an upload that waited for the
 * primary outlives a restart or a failover that its own patience would not.
 *
 *	primary_be_patient(ix);
 *	do
 *		st = question(ix, ...);
 *	while (primary_try_again(ix, st));
 */
#ifndef INDEX_PRIMARY_H
#define INDEX_PRIMARY_H

#include <stdbool.h>

#include "base/status.h"

struct arena;
struct index;

/*
 * From now on this request may wait for the primary, upload_patience_s in all.
 * A process that has never said so does not wait.
 */
void primary_be_patient(struct index *ix);

/*
 * A question that changed nothing ended in st.  If that was because there was
 * no primary, wait until there is one, and say whether it can be put again.
 *
 * False, at once, for any other answer; false when patience is over or this
 * process is to end.  Never ask when the outcome of something is unknown.
 */
bool primary_try_again(struct index *ix, enum status st);

/*
 * Have one commit confirmed by the replica, and with it whatever was visible
 * before.  UNAVAILABLE: it is not known to be.
 */
MUST_USE enum status primary_confirm(struct index *ix, struct arena *a,
    struct err *err);

#endif
