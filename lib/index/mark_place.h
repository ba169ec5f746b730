/*
 * mark_place: where a mark is kept: this machine, the other, a third place.
 *
 * CONFLICT is a place's own word that it has a mark that says otherwise;
 * UNAVAILABLE, that it could not be asked, or that nobody knows whether it has
 * done what it was asked to.
 */
#ifndef INDEX_MARK_PLACE_H
#define INDEX_MARK_PLACE_H

#include <stdbool.h>

#include "base/str.h"

struct arena;
struct mark;
struct pair;

enum mark_place {
	MARK_OWN,	/* mark_path here */
	MARK_PEER,	/* the other machine's, by tilsit-peer */
	MARK_THIRD,	/* mark_command */
	MARK_PLACES,
};

#define MARK_PATH	"/-/peer/mark"	/* of tilsit-peer */

/* Is there such a place, by the settings? */
bool mark_place_exists(const struct pair *p, enum mark_place place);

/* "vm-a", "vm-b", "the third place": what to call it. */
struct str mark_place_name(const struct pair *p, enum mark_place place);

/* What mark is there?  What is half or unreadable comes as damaged, and OK. */
MUST_USE enum status mark_place_get(struct pair *p, struct arena *a,
    enum mark_place place, struct mark *out, struct err *err);

/* Keep a mark there, if there is none that names another machine. */
MUST_USE enum status mark_place_set(struct pair *p, struct arena *a,
    enum mark_place place, const struct mark *m, struct err *err);

/* Remove this very mark, as mark_place_get() gave it. */
MUST_USE enum status mark_place_clear(struct pair *p, struct arena *a,
    enum mark_place place, const struct mark *m, struct err *err);

/*
 * The other end of MARK_PEER: keep, on this machine, a mark that the other
 * sends.  Only this machine can lack changes that the other goes on to make:
 * INVALID for a mark that names anyone else.  CONFLICT when this machine is
 * the primary itself, or its mark says that the other lacks changes: then the
 * other must not go on.
 */
MUST_USE enum status mark_place_take(struct pair *p, struct arena *a,
    struct str text, struct err *err);

#endif
