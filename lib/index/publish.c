#include "index/publish.h"

#include <stdbool.h>

#include "base/arena.h"
#include "base/fault.h"
#include "index/index.h"
#include "index/primary.h"
#include "io/config.h"
#include "io/db.h"
#include "io/page_cache.h"

/* A fence lives for fence_ttl; as much again for clocks and margin. */
#define HOLD_AGE_FENCES		2

/*
 * A hold that its own machine's runner has not looked after for so long is
 * that of a machine that is gone, and any runner may end it.  (Earlier, and a
 * machine that cannot reach a node would have to wait anew.)
 */
#define HOLD_LOST_FENCES	20

void
change_note(struct change *ch, struct str version, struct str action)
{
	str_list_add(ch->arena, &ch->versions, version);
	str_list_add(ch->arena, &ch->actions, action);
}

static enum status
project_lock(struct change *ch, struct err *err)
{
	struct db_rows rows;

	return db_run(ch->ix->db, ch->arena, SQL_PROJECT_LOCK,
	    DB_ARGS(db_text(ch->project)), &rows, err);
}

/* What a hold stands for: the node on which this project's fence is. */
static struct str
home(const struct change *ch)
{
	return page_cache_home(ch->ix->cache, ch->project);
}

/*
 * W2 is unknown: may the change go on nevertheless?  Then the hold that says
 * so stays until it has ended.
 */
static enum status
rely_on_hold(struct change *ch, bool *may_go_on, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ch->ix->db, ch->arena, SQL_HOLD_RELY,
	    DB_ARGS(db_text(home(ch)), db_int(HOLD_AGE_FENCES *
	    ch->ix->config->fence_ttl_s)), &rows, err);
	*may_go_on = st == OK;
	return st == NOT_FOUND ? OK : st;
}

/*
 * W2h: this change cannot be made yet; have readers store no page.  The time
 * is read in a second transaction, when every snapshot has the hold: whoever
 * stores a page does it under a fence from before that time.
 */
static enum status
hold_write(struct change *ch, struct err *err)
{
	const struct db_arg args[] = {
		db_text(home(ch)),
		db_text(str_c(ch->ix->config->node)),
	};
	enum status st;

	FAULT_POINT("W2h");
	st = db_run(ch->ix->db, ch->arena, SQL_HOLD_ADD, args, 2, NULL, err);
	FAULT_POINT("W2h-time");
	if (st == OK)
		st = db_run(ch->ix->db, ch->arena, SQL_HOLD_BEGIN, args, 2,
		    NULL, err);
	FAULT_POINT("W2h-done");
	if (st != OK)
		return st;
	return err_set(err, UNAVAILABLE, "the page cache does not confirm that "
	    "it forgot the old page of '%.*s'; please try again",
	    STR_ARG(ch->project));
}

/* W2, and what follows when its outcome is not known. */
static enum status
drop_fence(struct change *ch, bool *may_go_on, struct err *err)
{
	*may_go_on = page_cache_drop_fence(ch->ix->cache, ch->project) ==
	    FENCE_DROPPED;
	return *may_go_on ? OK : rely_on_hold(ch, may_go_on, err);
}

/* W3, up to the COMMIT: nothing comes between the serials and that. */
static enum status
take_serials(struct change *ch, int64_t *serial, struct err *err)
{
	struct db_rows rows;
	enum status st;

	FAULT_POINT("W3");
	st = db_run(ch->ix->db, ch->arena, SQL_JOURNAL_ADD,
	    DB_ARGS(db_text(ch->display_name), db_text(ch->project),
	    db_text_array(&ch->versions), db_text_array(&ch->actions),
	    db_text(ch->account)), &rows, err);
	if (st != OK)
		return st;
	*serial = db_int64(&rows, 0, JOURNAL_ADD_SERIAL);
	return db_run(ch->ix->db, ch->arena, SQL_ROOT_TOUCH,
	    DB_ARGS(db_text(ch->project), db_int(*serial)), NULL, err);
}

/*
 * Under the lock: is it there, and for good?  After a wait for the replica
 * that was cut short it may be visible here though the replica lacks it, so
 * a commit behind it must be confirmed before anybody is told (F1).
 */
static enum status
confirm(struct change *ch, const struct publication *what, void *arg,
    int64_t *serial, struct err *err)
{
	struct db_rows rows;
	bool unknown;
	enum status st;

	st = what->landed(ch, arg, serial, err);
	if (st == OK)
		st = db_run(ch->ix->db, ch->arena, SQL_TRANSACTION_CONFIRM,
		    DB_NO_ARGS, &rows, err);
	if (st == OK)
		st = db_commit(ch->ix->db, &unknown, err);
	return st;
}

/*
 * The connection was lost during COMMIT.  The old backend holds the project
 * lock until its commit is visible or rolled back, so behind that lock the
 * answer is final.
 */
static enum status
look_up(struct change *ch, const struct publication *what, void *arg,
    int64_t *serial, struct err *err)
{
	struct err lost = *err, why = { .text = "nobody can look" };
	enum status st = UNAVAILABLE;

	if (what->landed && db_begin(ch->ix->db, &why) == OK) {
		st = project_lock(ch, &why);
		if (st == OK)
			st = confirm(ch, what, arg, serial, &why);
		db_rollback(ch->ix->db);
	}
	if (st == OK)
		return OK;
	if (st == NOT_FOUND) {
		*err = lost;
		return UNAVAILABLE;
	}
	return err_set(err, UNAVAILABLE, "the database was lost while it "
	    "committed: whether the change was made is not known; please "
	    "look, or try again (%s)", why.text);
}

/* W1: the lock, and what the caller checks and changes. */
static enum status
begin(struct change *ch, const struct publication *what, void *arg,
    struct err *err)
{
	enum status st;

	FAULT_POINT("W1");
	st = db_begin(ch->ix->db, err);
	if (st != OK)
		return st;
	st = project_lock(ch, err);
	if (st == OK)
		st = what->apply(ch, arg, err);
	return st;
}

enum status
publish(struct index *ix, struct arena *a, struct str project,
    struct str account, const struct publication *what, void *arg,
    int64_t *serial, struct err *err)
{
	const struct change fresh = {
		.ix = ix, .arena = a, .project = project,
		.display_name = project, .account = account,
	};
	struct change ch;
	bool may_go_on, unknown = false;
	enum status st;

	*serial = 0;
	do {
		ch = fresh;
		st = begin(&ch, what, arg, err);
		if (st != OK || ch.actions.n == 0)
			db_rollback(ix->db);
	} while (primary_try_again(ix, st));
	if (st != OK)
		return st;
	if (ch.actions.n == 0)	/* told as done, so it has to be confirmed */
		return primary_confirm(ix, a, err);
	FAULT_POINT("W2");
	st = drop_fence(&ch, &may_go_on, err);
	if (st == OK && !may_go_on) {
		db_rollback(ix->db);
		return hold_write(&ch, err);
	}
	if (st == OK)
		st = take_serials(&ch, serial, err);
	if (st != OK) {
		db_rollback(ix->db);
		return st;
	}
	FAULT_POINT("W3-commit");
	st = db_commit(ix->db, &unknown, err);
	if (st != OK && unknown)
		st = look_up(&ch, what, arg, serial, err);
	FAULT_POINT("W4");
	return st;
}

/*
 * One hold, by its row of the list.  The runner of the machine that wrote it
 * ends it once that reaches the node again, at whatever age, or else says that
 * it is still needed; another machine's runner ends it only if that machine's
 * is not heard of any more.
 */
static enum status
tend_hold(struct index *ix, struct arena *a, const struct db_rows *holds,
    int i, int64_t *ended, struct err *err)
{
	const struct db_arg args[] = {
		db_text(db_str(holds, i, HOLD_LIST_HOME)),
		db_text(db_str(holds, i, HOLD_LIST_SEEN_FROM)),
	};
	bool is_own = db_bool_at(holds, i, HOLD_LIST_IS_OWN);
	struct db_rows rows;
	enum status st;

	if (!is_own && !db_bool_at(holds, i, HOLD_LIST_IS_LOST))
		return OK;
	if (page_cache_can_drop(ix->cache, db_str(holds, i, HOLD_LIST_HOME))) {
		st = db_run(ix->db, a, SQL_HOLD_END, args, 2, NULL, err);
		*ended += st == OK;
		return st;
	}
	if (!is_own)
		return OK;
	st = db_run(ix->db, a, SQL_HOLD_RENEW, args, 2, &rows, err);
	return st == NOT_FOUND ? OK : st;
}

enum status
publish_end_holds(struct index *ix, struct arena *a, int64_t *ended,
    struct err *err)
{
	struct db_rows holds;
	enum status st;

	*ended = 0;
	st = db_run(ix->db, a, SQL_HOLD_LIST, DB_ARGS(
	    db_text(str_c(ix->config->node)),
	    db_int(HOLD_LOST_FENCES * ix->config->fence_ttl_s)), &holds, err);
	for (int i = 0; st == OK && i < holds.n; i++)
		st = tend_hold(ix, a, &holds, i, ended, err);
	return st;
}
