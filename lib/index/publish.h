/*
 * publish: the one way in which the index changes.
 *
 * Steps W1 to W4 of the consistency protocol stand here and nowhere else; a
 * caller says what changes, in a function that runs between W1 and W2:
 *
 *	static enum status
 *	yank(struct change *ch, void *arg, struct err *err)
 *	{
 *		... db_run(ch->ix->db, ...) ...
 *		change_note(ch, version, STR("yank release"));
 *		return OK;
 *	}
 *
 *	static const struct publication yanking = { .apply = yank };
 *	st = publish(ix, a, project, account, &yanking, &args, &serial, err);
 *
 * The order is what keeps caches, pages and journal from contradicting each
 * other; test/model has the proof, and what breaks without each step:
 *
 *	W0  all slow work is done before publish() is called
 *	W1  BEGIN; project lock; apply(): checks, and the rows
 *	W2  delete the project's fence in memcached
 *	W2h if that is not known to have happened, and no hold is waited out:
 *	    ROLLBACK, write a hold, 503
 *	W3  take the serials, write the journal, COMMIT
 *	W4  answer
 */
#ifndef INDEX_PUBLISH_H
#define INDEX_PUBLISH_H

#include <stdint.h>

#include "base/str.h"

struct arena;
struct index;

/* A change on its way, for apply() to read and to note in. */
struct change {
	struct index *ix;
	struct arena *arena;
	struct str project;		/* PEP 503 name; its lock is held */
	struct str display_name;	/* what the journal shows; apply() may
					   set it, else it is .project */
	struct str account;		/* who; empty for the operator */
	struct str_list versions;	/* of the journal rows; use change_note() */
	struct str_list actions;
};

struct publication {
	/*
	 * Check and change rows, inside the transaction and under the
	 * project lock.  Anything but OK rolls back and is publish()'s
	 * answer.  OK without a note means that there was nothing to change.
	 */
	enum status (*apply)(struct change *ch, void *arg, struct err *err);

	/*
	 * Is this change in the index?  Asked, under the project lock, when
	 * the connection was lost while COMMIT was under way.  OK and its
	 * serial, NOT_FOUND, or UNAVAILABLE.  NULL: the caller is told
	 * that the outcome is unknown.
	 */
	enum status (*landed)(struct change *ch, void *arg, int64_t *serial,
	    struct err *err);
};

/* Add a journal row; version is empty for the project as such. */
void change_note(struct change *ch, struct str version, struct str action);

/*
 * Change one project.  On OK, *serial is the last serial of the change, or 0
 * when there was nothing to change; the change, or what was there instead, is
 * durable and confirmed by the replica, and no page older
 * than it will be served by any process.  Else nothing has changed, with one
 * exception: UNAVAILABLE also says that the outcome is not known, and err
 * then says so.
 */
MUST_USE enum status publish(struct index *ix, struct arena *a,
    struct str project, struct str account, const struct publication *what,
    void *arg, int64_t *serial, struct err *err);

/*
 * The runner's half of W2h: end every hold of this machine whose node of
 * memcached can be reached now, and say of the others that they are still
 * needed; end also those of a machine of which that was not said for long.
 * *ended counts them.
 */
MUST_USE enum status publish_end_holds(struct index *ix, struct arena *a,
    int64_t *ended, struct err *err);

#endif
