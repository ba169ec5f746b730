#include "index/failover.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "index/mark.h"
#include "index/mark_place.h"
#include "index/pair.h"
#include "index/alone.h"
#include "io/config.h"
#include "io/db.h"
#include "io/run.h"

#define SECOND_US	((int64_t)1000000)
#define PROMOTE_US	(60 * SECOND_US)	/* what was received is read
						 * again first */
#define LOCK_S		60		/* for tilsit-watch to pause */
#define FENCE_MS	120000		/* for fence_command off, stop */
#define REJOIN_MS	3600000		/* for a copy of the whole database */
#define LINE_BYTES	1024
#define FILES_SHOWN	20

/* What the old primary may have that this machine has not. */
enum loss {
	NOTHING,	/* no mark: all that was answered is here */
	SOMETHING,	/* a mark says so */
	UNKNOWN,	/* a place that may have a mark cannot be asked */
};

struct plan {
	struct pair *p;
	struct arena *a;
	struct failover *f;
	struct server own;
	struct server other;
	bool other_answers;
	bool is_off;		/* fence_command says: no power */
	bool is_stopped;	/* it was stopped cleanly */
	bool is_quiet;
	enum loss loss;
	int64_t lost_after;	/* serial, if loss is not NOTHING */
};

static void say(struct plan *w, const char *fmt, ...) PRINTF(2, 3);

static void
say(struct plan *w, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (!w->is_quiet)
		w->f->say(w->f->arg, line);
}

/* ---- looking --------------------------------------------------------- */

static enum status
look_at_servers(struct plan *w, struct err *err)
{
	struct err why = { .text = "" };
	struct str peer = w->p->peer_node;
	enum status st = server_look(w->p->own, w->a, &w->own, &why);

	if (st != OK)
		return err_set(err, st, "the server of this machine does not "
		    "answer: %s", why.text);
	say(w, "%.*s: %s on timeline %lld, has all up to serial %lld (%.*s)"
	    "%s%.*s", STR_ARG(w->p->node), w->own.in_recovery ? "a standby" :
	    "a primary", (long long)w->own.timeline,
	    (long long)w->own.serial, STR_ARG(w->own.has_text),
	    w->own.replayed_at.n ? ", last change " : "",
	    STR_ARG(w->own.replayed_at));
	w->other_answers = server_look(w->p->other, w->a, &w->other, &why) ==
	    OK;
	if (w->other_answers)
		say(w, "%.*s: %s on timeline %lld, has all up to serial %lld "
		    "(%.*s)", STR_ARG(peer), w->other.in_recovery ?
		    "a standby" : "a primary", (long long)w->other.timeline,
		    (long long)w->other.serial, STR_ARG(w->other.has_text));
	else
		say(w, "%.*s: its PostgreSQL does not answer: %s",
		    STR_ARG(peer), why.text);
	return OK;
}

static void
say_mark(struct plan *w, enum mark_place place, const struct mark *m)
{
	struct str name = mark_place_name(w->p, place);

	if (!m->is_set)
		say(w, "mark, %.*s: none", STR_ARG(name));
	else if (m->is_damaged)
		say(w, "mark, %.*s: is there, and cannot be read",
		    STR_ARG(name));
	else
		say(w, "mark, %.*s: %.*s lacks what %.*s took after serial "
		    "%lld, since %.*s (%.*s)", STR_ARG(name),
		    STR_ARG(m->lacks), STR_ARG(m->by), (long long)m->serial,
		    STR_ARG(m->since), STR_ARG(m->why));
}

/* One place's mark, into what would be lost. */
static void
weigh_mark(struct plan *w, enum mark_place place)
{
	struct err why = { .text = "" };
	struct mark m;

	if (mark_place_get(w->p, w->a, place, &m, &why) != OK) {
		say(w, "mark, %.*s: cannot be asked: %s",
		    STR_ARG(mark_place_name(w->p, place)), why.text);
		/* The other machine's own mark is always in a second place. */
		if (place == MARK_PEER || w->loss != NOTHING)
			return;
		w->loss = UNKNOWN;
		w->lost_after = w->own.serial;
		return;
	}
	say_mark(w, place, &m);
	if (!mark_is_against(&m, w->p->node))
		return;
	if (w->loss != SOMETHING || m.serial < w->lost_after)
		w->lost_after = m.is_damaged ? w->own.serial : m.serial;
	w->loss = SOMETHING;
}

static void
look_at_marks(struct plan *w)
{
	w->loss = NOTHING;
	for (enum mark_place i = MARK_OWN; i < MARK_PLACES; i++)
		if (mark_place_exists(w->p, i))
			weigh_mark(w, i);
	if (w->loss == NOTHING)
		say(w, "lost: nothing, for all that was answered with success "
		    "is here");
	else
		say(w, "lost: what %.*s %s after serial %lld",
		    STR_ARG(w->p->peer_node), w->loss == SOMETHING ? "took" :
		    "may have taken", (long long)w->lost_after);
}

/* Files whose database row is here, and whose bytes are not. */
static enum status
look_at_files(struct plan *w, struct err *err)
{
	struct db_rows rows;
	enum status st = db_run(w->p->own, w->a, SQL_FAILOVER_MISSING,
	    DB_ARGS(db_text(w->p->node)), &rows, err);

	if (st != OK)
		return st;
	if (rows.n)
		say(w, "files: only %.*s has %d, which cannot be installed "
		    "before it is back:", STR_ARG(w->p->peer_node), rows.n);
	for (int i = 0; i < rows.n && i < FILES_SHOWN; i++)
		say(w, "    %.*s", STR_ARG(db_str(&rows, i,
		    FAILOVER_MISSING_FILENAME)));
	if (rows.n > FILES_SHOWN)
		say(w, "    and %d more", rows.n - FILES_SHOWN);
	return OK;
}

/* ---- step 1: fence --------------------------------------------------- */

/* What the operator must say, so that it is what they mean. */
static struct str
words(const struct plan *w)
{
	if (w->loss == NOTHING)
		return str_fmt(w->a, "%.*s is off", STR_ARG(w->p->peer_node));
	return str_fmt(w->a, "%.*s is off, and what it %s after serial %lld "
	    "is lost", STR_ARG(w->p->peer_node), w->loss == SOMETHING ?
	    "took" : "may have taken", (long long)w->lost_after);
}

/* fence_command NODE VERB; its lines are told on. */
static enum status
hook(struct plan *w, const char *verb, int64_t limit_ms, struct err *err)
{
	struct str_list args = { .at = NULL };
	struct run_result result;
	struct str line, rest;
	enum status st;

	str_list_add(w->a, &args, w->p->peer_node);
	str_list_add(w->a, &args, str_c(verb));
	st = run_program(w->a, w->p->config->fence_command, &args, STR(""),
	    limit_ms, &result, err);
	if (st != OK)
		return st;
	for (rest = result.output; rest.n; ) {
		str_cut(rest, '\n', &line, &rest);
		say(w, "    %.*s", STR_ARG(line));
	}
	if (result.exit_status == 0)
		return OK;
	return err_set(err, UNAVAILABLE, "fence_command %.*s %s ends with "
	    "status %d", STR_ARG(w->p->peer_node), verb, result.exit_status);
}

static bool
has_hook(const struct plan *w)
{
	return *w->p->config->fence_command != '\0';
}

static enum status
still_answers(struct plan *w, struct err *err)
{
	return err_set(err, CONFLICT, "%.*s still answers as %s. Stop it "
	    "first, on %.*s: systemctl stop postgresql@15-main; then run this "
	    "again with --fenced \"%.*s\"", STR_ARG(w->p->peer_node),
	    w->other.in_recovery ? "a standby" : "the primary",
	    STR_ARG(w->p->peer_node), STR_ARG(words(w)));
}

/* Its own confirmed stop: every answer that it gave is on this machine. */
static enum status
stop_other(struct plan *w, struct err *err)
{
	struct err why;
	enum status st;

	if (!has_hook(w))
		return still_answers(w, err);
	say(w, "1 fence: stopping the server of %.*s",
	    STR_ARG(w->p->peer_node));
	st = hook(w, "stop", FENCE_MS, err);
	if (st != OK)
		return st;
	if (server_look(w->p->other, w->a, &w->other, &why) == OK)
		return err_set(err, CONFLICT, "fence_command says that it "
		    "stopped the server of %.*s, but that answers",
		    STR_ARG(w->p->peer_node));
	w->is_stopped = true;
	return OK;
}

/*
 * With the operator's word alone, look for what speaks against it: a primary
 * that is off sends nothing.
 */
static enum status
check_word(struct plan *w, struct err *err)
{
	struct str least = str_fmt(w->a, "%.*s is off",
	    STR_ARG(w->p->peer_node));
	struct db_rows rows;
	enum status st;

	if (!str_starts(w->f->fenced, least))
		return err_set(err, DENIED, "nobody knows that %.*s is off. "
		    "Switch it off, or pull its network, and see that it is; "
		    "then run this again with --fenced \"%.*s\"",
		    STR_ARG(w->p->peer_node), STR_ARG(words(w)));
	st = db_run(w->p->own, w->a, SQL_FAILOVER_FED, DB_NO_ARGS, &rows,
	    err);
	if (st == OK && db_bool_at(&rows, 0, FAILOVER_FED_IS_FED))
		return err_set(err, CONFLICT, "%.*s is not off: %.*s still "
		    "receives changes from it, or did some seconds ago",
		    STR_ARG(w->p->peer_node), STR_ARG(w->p->node));
	return st;
}

static enum status
fence(struct plan *w, struct err *err)
{
	enum status st;

	if (w->other_answers || w->f->is_switch)
		return stop_other(w, err);
	if (has_hook(w)) {
		say(w, "1 fence: switching %.*s off",
		    STR_ARG(w->p->peer_node));
		st = hook(w, "off", FENCE_MS, err);
		w->is_off = st == OK;
		if (st == OK || w->f->fenced.n == 0)
			return st;
		say(w, "1 fence: that failed; going by your word");
	}
	st = check_word(w, err);
	if (st == OK)
		say(w, "1 fence: by your word, %.*s is off",
		    STR_ARG(w->p->peer_node));
	return st;
}

/* ---- step 2: look ---------------------------------------------------- */

static enum status
check_loss(struct plan *w, struct err *err)
{
	if (w->loss == NOTHING || str_eq(w->f->fenced, words(w)))
		return OK;
	return err_set(err, DENIED, "%.*s lacks changes. Start %.*s instead, "
	    "if there is any way to: then nothing is lost. To lose them, say "
	    "--fenced \"%.*s\"", STR_ARG(w->p->node),
	    STR_ARG(w->p->peer_node), STR_ARG(words(w)));
}

static enum status
accept_loss(struct plan *w, struct err *err)
{
	bool is_fenced = w->is_off || w->is_stopped;

	if (w->loss != NOTHING)
		return check_loss(w, err);
	if (is_fenced || str_eq(w->f->fenced, words(w)))
		return OK;
	return err_set(err, DENIED, "the words are: --fenced \"%.*s\"",
	    STR_ARG(words(w)));
}

/*
 * Nobody is switched off for a failover that will be refused: a primary that
 * went on alone may well serve.  What counts is the look after the fence.
 */
static enum status
look_ahead(struct plan *w, struct err *err)
{
	enum status st;

	w->is_quiet = true;
	look_at_marks(w);
	w->is_quiet = false;
	st = check_loss(w, err);
	if (st != OK)
		look_at_marks(w);
	return st;
}

/* ---- step 3: mark ---------------------------------------------------- */

static enum status
mark_third(struct plan *w, const struct mark *m, struct err *err)
{
	struct err why = { .text = "" };
	enum status st;

	if (!mark_place_exists(w->p, MARK_THIRD))
		return OK;
	st = mark_place_set(w->p, w->a, MARK_THIRD, m, &why);
	if (st == CONFLICT && w->loss != NOTHING) {	/* it is accepted */
		struct mark theirs = { .is_set = true, .lacks = w->p->node };

		st = mark_place_clear(w->p, w->a, MARK_THIRD, &theirs, &why);
		if (st == OK)
			st = mark_place_set(w->p, w->a, MARK_THIRD, m, &why);
	}
	if (st == UNAVAILABLE && w->loss == UNKNOWN) {
		say(w, "3 mark: the third place could not be told: %s",
		    why.text);
		return OK;
	}
	return st == OK ? OK : err_set(err, st, "the third place: %s",
	    why.text);
}

static enum status
mark_other(struct plan *w, struct err *err)
{
	struct mark m = mark_new(w->a, w->p->peer_node, w->p->node,
	    "failover");
	enum status st;

	m.serial = w->own.serial;
	m.lsn = w->own.has_text;
	st = mark_third(w, &m, err);
	if (st == OK)
		st = mark_write(w->a, w->p->config->mark_path, &m,
		    w->loss != NOTHING, err);
	if (st == CONFLICT && mark_place_exists(w->p, MARK_THIRD) &&
	    mark_place_clear(w->p, w->a, MARK_THIRD, &m, NULL) != OK)
		say(w, "3 mark: the third place kept ours: %.*s cannot go on "
		    "alone", STR_ARG(m.lacks));
	if (st == OK)
		say(w, "3 mark: %.*s lacks what comes after serial %lld",
		    STR_ARG(w->p->peer_node), (long long)w->own.serial);
	return st;
}

/* ---- steps 4 to 6: promote, let in ----------------------------------- */

static enum status
promote(struct plan *w, struct err *err)
{
	const struct timespec tick = { .tv_nsec = 100000000 };
	int64_t end_us = clock_mono_us() + PROMOTE_US;
	struct db_rows rows;
	enum status st;

	if (!w->own.in_recovery)
		return OK;
	st = db_run(w->p->own, w->a, SQL_PAIR_PROMOTE, DB_NO_ARGS, &rows,
	    err);
	while (st == OK && w->own.in_recovery) {
		if (clock_mono_us() > end_us)
			return err_set(err, UNAVAILABLE, "the server is not "
			    "promoted yet; run this again");
		nanosleep(&tick, NULL);
		st = server_look(w->p->own, w->a, &w->own, err);
	}
	if (st == OK)
		say(w, "5 promote: %.*s is a primary, on timeline %lld",
		    STR_ARG(w->p->node), (long long)w->own.timeline);
	return st;
}

static enum status
claim(struct plan *w, struct err *err)
{
	struct db *db = w->p->own;
	struct db_rows rows;
	bool unknown;
	enum status st;

	st = db_begin(db, err);
	if (st != OK)
		return st;
	st = db_run(db, w->a, SQL_FAILOVER_CLAIM, DB_NO_ARGS, &rows, err);
	if (st == OK)
		st = db_run(db, w->a, SQL_FAILOVER_JUMP,
		    DB_ARGS(db_int(w->p->config->serial_jump)), &rows, err);
	if (st == OK && w->is_off && *w->p->config->peer_memcached)
		st = db_run(db, w->a, SQL_FAILOVER_HOLD, DB_ARGS(
		    db_text(str_c(w->p->config->peer_memcached)),
		    db_text(w->p->node)), NULL, err);
	if (st != OK) {
		db_rollback(db);
		return st;
	}
	w->f->serial = db_int64(&rows, 0, FAILOVER_JUMP_SERIAL);
	FAULT_POINT("F-claiming");
	st = db_commit(db, &unknown, err);
	if (st == OK)
		say(w, "6 let in: writers go on after serial %lld",
		    (long long)w->f->serial);
	return st;
}

/*
 * What was fenced may have been started again since, by a person or by its
 * own machine, and this standby may have confirmed that start (F3): then it
 * would show old pages from now on.  So follow it no more, and then see that
 * it is as it was fenced; what starts later is confirmed by nobody.
 */
static enum status
leave_primary(struct plan *w, struct err *err)
{
	struct err why;
	enum status st;

	if (!w->own.in_recovery)
		return OK;
	st = server_unfollow(w->p->own, w->a, err);
	FAULT_POINT("F-unfollowed");
	if (st == OK && (w->is_off || w->is_stopped))
		st = hook(w, w->is_off ? "off" : "stop", FENCE_MS, err);
	if (st == OK && server_look(w->p->other, w->a, &w->other, &why) == OK)
		return err_set(err, CONFLICT, "%.*s was started again: stop it, "
		    "then run this again", STR_ARG(w->p->peer_node));
	return st;
}

static enum status
take_over(struct plan *w, struct err *err)
{
	/* Also if names look empty: their file may say more than was read. */
	enum status st = server_go_alone(w->p->own, w->a, err);

	FAULT_POINT("F-alone");
	if (st == OK)
		st = leave_primary(w, err);
	if (st == OK)
		say(w, "4 alone: commits here wait for nobody, and %.*s is "
		    "followed no more", STR_ARG(w->p->peer_node));
	if (st == OK)
		st = promote(w, err);
	FAULT_POINT("F-promoted");
	if (st == OK)
		st = claim(w, err);
	FAULT_POINT("F-claimed");
	return st;
}

/* ---- all of it ------------------------------------------------------- */

static void
say_plan(struct plan *w)
{
	struct str node = w->p->node, peer = w->p->peer_node;

	say(w, "would do, in this order:");
	if (w->other_answers || w->f->is_switch)
		say(w, "1 fence: stop the server of %.*s%s", STR_ARG(peer),
		    has_hook(w) ? " (fence_command)" : ": by your hand");
	else
		say(w, "1 fence: %s", has_hook(w) ? "switch it off "
		    "(fence_command)" : "go by your word");
	say(w, "2 look at the marks again");
	say(w, "3 mark: %.*s lacks changes", STR_ARG(peer));
	say(w, "4 alone: commits here wait for nobody, and %.*s is followed "
	    "no more", STR_ARG(peer));
	say(w, "5 promote %.*s", STR_ARG(node));
	say(w, "6 let in: serials go on after %lld", (long long)(w->own.serial +
	    w->p->config->serial_jump));
	if (!has_hook(w) || w->loss != NOTHING)
		say(w, "the words for it: --fenced \"%.*s\"",
		    STR_ARG(words(w)));
}

static enum status
become_primary(struct plan *w, struct err *err)
{
	enum status st = look_ahead(w, err);

	FAULT_POINT("F-begun");
	if (st == OK)
		st = fence(w, err);
	FAULT_POINT("F-fenced");
	if (st != OK)
		return st;
	look_at_marks(w);
	st = accept_loss(w, err);
	if (st == OK)
		st = look_at_files(w, err);
	if (st == OK)
		st = mark_other(w, err);
	FAULT_POINT("F-marked");
	return st == OK ? take_over(w, err) : st;
}

/*
 * This server is a primary already.  That our mark stands shows that a run of
 * ours came as far as step 3, so fencing and looking are behind us.
 */
static enum status
go_on(struct plan *w, struct err *err)
{
	struct mark m;
	struct err why;

	if (server_is_open(&w->own)) {
		w->f->serial = w->own.serial;
		say(w, "nothing to do: %.*s is the primary, at serial %lld",
		    STR_ARG(w->p->node), (long long)w->own.serial);
		return OK;
	}
	if (w->f->is_dry) {
		say(w, "would let writers in: it was promoted, and no more");
		return OK;
	}
	/* Patroni knows who lacks what, and whom commits wait for. */
	if (w->f->is_promoted)
		return claim(w, err);
	mark_read(w->a, w->p->config->mark_path, &m, &why);
	if (m.is_set && !m.is_damaged && str_eq(m.lacks, w->p->peer_node)) {
		say(w, "goes on where an earlier run ended");
		return take_over(w, err);
	}
	return become_primary(w, err);
}

static enum status
run(struct plan *w, struct err *err)
{
	enum status st = look_at_servers(w, err);

	if (st != OK)
		return st;
	if (!w->own.in_recovery)
		return go_on(w, err);
	if (w->f->is_promoted)
		return err_set(err, CONFLICT, "this server is not promoted");
	if (!w->f->is_dry)
		return become_primary(w, err);
	look_at_marks(w);
	st = look_at_files(w, err);
	if (st == OK)
		say_plan(w);
	return st;
}

/* ---- and back -------------------------------------------------------- */

static enum status
await_sync(struct plan *w, struct err *err)
{
	const struct timespec tick = { .tv_nsec = 500000000 };
	int64_t end_us = clock_mono_us() + 600 * SECOND_US;

	for (;;) {
		struct replica r = { .is_sync = false };
		struct mark m;
		struct err why;

		if (server_replica(w->p->own, w->a, w->p->peer_node, &r,
		    &why) == OK && r.is_sync) {
			mark_read(w->a, w->p->config->mark_path, &m, &why);
			if (!m.is_set)
				break;
		}
		if (clock_mono_us() > end_us)
			return err_set(err, UNAVAILABLE, "%.*s is not "
			    "synchronous after ten minutes: is tilsit-watch "
			    "running here?", STR_ARG(w->p->peer_node));
		nanosleep(&tick, NULL);
	}
	say(w, "8 join: commits wait for %.*s, and the marks are gone",
	    STR_ARG(w->p->peer_node));
	return OK;
}

/* The rest of a switch: the other machine becomes the replica. */
static enum status
bring_back(struct plan *w, struct err *err)
{
	enum status st;

	say(w, "7 rejoin: %.*s becomes the replica",
	    STR_ARG(w->p->peer_node));
	st = hook(w, "rejoin", REJOIN_MS, err);
	return st == OK ? await_sync(w, err) : st;
}

enum status
failover(struct pair *p, struct arena *a, struct failover *f,
    struct err *err)
{
	struct plan w = { .p = p, .a = a, .f = f };
	enum status st;
	int lock;

	if (f->is_dry || f->is_promoted)	/* no marks: nothing to lock */
		return run(&w, err);
	if (f->is_switch && !has_hook(&w))
		return err_set(err, INVALID, "fence_command is not set: it "
		    "stops the other machine's server, and has it rejoin");
	st = alone_lock(p, a, LOCK_S, &lock, err);
	if (st != OK)
		return st;
	st = run(&w, err);
	alone_unlock(lock);	/* tilsit-watch has the rest to do */
	return st == OK && f->is_switch ? bring_back(&w, err) : st;
}

enum status
failover_drill(struct pair *p, struct arena *a, struct failover *f,
    struct err *err)
{
	struct plan w = { .p = p, .a = a, .f = f };
	enum status st;

	f->is_switch = true;
	st = failover(p, a, f, err);
	if (st != OK || f->is_dry)
		return st;
	say(&w, "9 back: %.*s becomes the primary again",
	    STR_ARG(p->peer_node));
	st = hook(&w, "switch", REJOIN_MS, err);
	if (st == OK)
		st = server_look(p->other, a, &w.other, err);
	if (st == OK && !server_is_open(&w.other))
		return err_set(err, CONFLICT, "%.*s is not the primary",
		    STR_ARG(p->peer_node));
	if (st == OK)
		st = server_look(p->own, a, &w.own, err);
	if (st == OK && !w.own.in_recovery)
		return err_set(err, CONFLICT, "%.*s is not the replica",
		    STR_ARG(p->node));
	f->serial = w.other.serial;
	return st;
}
