#include "index/publish.h"

#include <stdbool.h>

#include "base/arena.h"
#include "base/fault.h"
#include "index/index.h"
#include "index/primary.h"
#include "io/config.h"
#include "io/db.h"
#include "io/page_cache.h"

#define SECOND_US	((int64_t)1000000)

/* A fence lives for fence_ttl; as much again for clocks and margin. */
#define HOLD_AGE_FENCES	2

/*
 * By when whoever was told to try again has.  The runner must not end a hold
 * by its age before: the next try would find none, and begin to wait anew.
 */
#define HOLD_LOST_FENCES	20

/* This project's hold, if it has one. */
struct hold {
	bool exists;
	bool is_waited_out;	/* no fence from before it can be left */
	bool is_lost;		/* nobody comes back for it */
};

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

static bool
is_older(const struct index *ix, int64_t age_us, int64_t fences)
{
	return age_us >= fences * ix->config->fence_ttl_s * SECOND_US;
}

/* W1's lock, and then whether there is a hold, in one round trip. */
static enum status
lock_and_find_hold(struct change *ch, struct hold *out, struct err *err)
{
	const struct db_arg project = db_text(ch->project);
	struct db_call calls[] = {
		{ .sql = SQL_PROJECT_LOCK, .args = &project, .n_args = 1 },
		{ .sql = SQL_HOLD_AGE, .args = &project, .n_args = 1 },
	};
	int64_t age_us;
	enum status st;

	*out = (struct hold){ .exists = false };
	st = db_run_each(ch->ix->db, ch->arena, calls, 2, err);
	if (st != OK || calls[1].st == NOT_FOUND)
		return st;
	out->exists = true;
	age_us = db_int64(&calls[1].rows, 0, HOLD_AGE_AGE_US);
	out->is_waited_out = is_older(ch->ix, age_us, HOLD_AGE_FENCES);
	out->is_lost = is_older(ch->ix, age_us, HOLD_LOST_FENCES);
	return OK;
}

/* W2h: this change cannot be made yet; have readers store no page. */
static enum status
hold_write(struct change *ch, struct err *err)
{
	bool unknown;
	enum status st;

	FAULT_POINT("W2h");
	st = db_begin(ch->ix->db, err);
	if (st == OK)
		st = project_lock(ch, err);
	if (st == OK)
		st = db_run(ch->ix->db, ch->arena, SQL_HOLD_ADD,
		    DB_ARGS(db_text(ch->project)), NULL, err);
	if (st == OK)
		st = db_commit(ch->ix->db, &unknown, err);
	else
		db_rollback(ch->ix->db);
	if (st != OK)
		return st;
	return err_set(err, UNAVAILABLE, "the page cache does not confirm that "
	    "it forgot the old page of '%.*s'; please try again",
	    STR_ARG(ch->project));
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

/* W1: the lock, the hold, and what the caller checks and changes. */
static enum status
begin(struct change *ch, const struct publication *what, void *arg,
    struct hold *hold, struct err *err)
{
	enum status st;

	FAULT_POINT("W1");
	st = db_begin(ch->ix->db, err);
	if (st != OK)
		return st;
	st = lock_and_find_hold(ch, hold, err);
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
	struct hold hold;
	bool unknown = false;
	enum status st;

	*serial = 0;
	do {
		ch = fresh;
		st = begin(&ch, what, arg, &hold, err);
		if (st != OK || ch.actions.n == 0)
			db_rollback(ix->db);
	} while (primary_try_again(ix, st));
	if (st != OK)
		return st;
	if (ch.actions.n == 0)	/* told as done, so it has to be confirmed */
		return primary_confirm(ix, a, err);
	FAULT_POINT("W2");
	if (page_cache_drop_fence(ix->cache, project) != FENCE_DROPPED &&
	    !(hold.exists && hold.is_waited_out)) {
		db_rollback(ix->db);
		return hold_write(&ch, err);
	}
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

/* End one hold, under the project lock, if that is safe by now. */
static enum status
end_hold(struct change *ch, int64_t *ended, struct err *err)
{
	struct hold hold;
	bool unknown;
	enum status st;

	st = db_begin(ch->ix->db, err);
	if (st != OK)
		return st;
	st = lock_and_find_hold(ch, &hold, err);
	if (st != OK || !hold.exists || (!hold.is_lost &&
	    page_cache_drop_fence(ch->ix->cache, ch->project) !=
	    FENCE_DROPPED)) {
		db_rollback(ch->ix->db);
		return st;
	}
	st = db_run(ch->ix->db, ch->arena, SQL_HOLD_REMOVE,
	    DB_ARGS(db_text(ch->project)), NULL, err);
	if (st != OK) {
		db_rollback(ch->ix->db);
		return st;
	}
	st = db_commit(ch->ix->db, &unknown, err);
	*ended += st == OK;
	return st;
}

enum status
publish_end_holds(struct index *ix, struct arena *a, int64_t *ended,
    struct err *err)
{
	struct db_rows holds;
	enum status st;

	*ended = 0;
	st = db_run(ix->db, a, SQL_HOLD_LIST, NULL, 0, &holds, err);
	for (int i = 0; st == OK && i < holds.n; i++) {
		struct change ch = {
			.ix = ix, .arena = a,
			.project = db_str(&holds, i, HOLD_LIST_PROJECT),
		};

		st = end_hold(&ch, ended, err);
	}
	return st;
}
