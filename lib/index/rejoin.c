#include "index/rejoin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "index/mark.h"
#include "index/mark_place.h"
#include "index/pair.h"
#include "io/config.h"
#include "io/db.h"
#include "io/run.h"

#define SECOND_US	((int64_t)1000000)
#define SHORT_MS	300000		/* for server_command's other verbs */
#define COPY_MS		86400000	/* for a copy of the whole database */
#define STREAM_US	(60 * SECOND_US)	/* to begin to stream */
#define CATCH_UP_US	(3600 * SECOND_US)
#define SAY_US		(5 * SECOND_US)	/* between two lines of progress */
#define ASK_TIMES	5		/* the other machine may be starting */
#define LINE_BYTES	1024
#define AUTO_BYTES	65536		/* of postgresql.auto.conf */

struct work {
	struct pair *p;
	struct arena *a;
	struct rejoin *r;
	struct server other;
	bool is_running;
	bool is_standby;
	int64_t timeline;
};

static void say(struct work *w, const char *fmt, ...) PRINTF(2, 3);

static void
say(struct work *w, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	w->r->say(w->r->arg, line);
}

static void
pause_ms(int64_t ms)
{
	const struct timespec t = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* ---- server_command -------------------------------------------------- */

static enum status
command(struct work *w, const char *verb, int64_t limit_ms,
    struct str *output, struct err *err)
{
	struct str_list args = { .at = NULL };
	struct run_result result;
	enum status st;

	str_list_add(w->a, &args, str_c(verb));
	st = run_program(w->a, w->p->config->server_command, &args, STR(""),
	    limit_ms, &result, err);
	if (st != OK)
		return st;
	*output = result.output;
	if (result.exit_status == 0)
		return OK;
	return err_set(err, UNAVAILABLE, "server_command %s ends with status "
	    "%d", verb, result.exit_status);
}

static enum status
do_it(struct work *w, const char *verb, int64_t limit_ms, struct err *err)
{
	struct str output;

	return command(w, verb, limit_ms, &output, err);
}

static enum status
look_here(struct work *w, struct err *err)
{
	struct str line, rest, key, value;
	struct server own;
	struct err why;
	enum status st = command(w, "state", SHORT_MS, &rest, err);

	if (st != OK)
		return st;
	while (rest.n) {
		str_cut(rest, '\n', &line, &rest);
		str_cut(line, '=', &key, &value);
		if (str_eq(key, STR("running")))
			w->is_running = str_eq(value, STR("yes"));
		else if (str_eq(key, STR("standby")))
			w->is_standby = str_eq(value, STR("yes"));
		else if (str_eq(key, STR("timeline")) &&
		    str_int64(value, 0, UINT32_MAX, &w->timeline) != OK)
			return err_set(err, UNAVAILABLE, "server_command "
			    "state says '%.*s'", STR_ARG(line));
	}
	/* Its own word is newer than its files, if we may ask it. */
	if (w->is_running && server_look(w->p->own, w->a, &own, &why) == OK) {
		w->is_standby = own.in_recovery;
		w->timeline = own.timeline;
	}
	say(w, "%.*s: %s, as %s on timeline %lld", STR_ARG(w->p->node),
	    w->is_running ? "runs" : "is stopped", w->is_standby ?
	    "a standby" : "a primary", (long long)w->timeline);
	return OK;
}

static enum status
look_there(struct work *w, struct err *err)
{
	struct err why = { .text = "" };

	if (server_look(w->p->other, w->a, &w->other, &why) != OK)
		return err_set(err, UNAVAILABLE, "%.*s does not answer, and "
		    "must be the primary: %s", STR_ARG(w->p->peer_node),
		    why.text);
	say(w, "%.*s: %s on timeline %lld, serial %lld",
	    STR_ARG(w->p->peer_node), w->other.in_recovery ? "a standby" :
	    "a primary", (long long)w->other.timeline,
	    (long long)w->other.serial);
	if (w->other.in_recovery)
		return err_set(err, CONFLICT, "%.*s is a standby: this "
		    "machine has nobody to follow. If it is to be the "
		    "primary: systemctl start postgresql@15-main",
		    STR_ARG(w->p->peer_node));
	if (!server_is_open(&w->other))
		return err_set(err, CONFLICT, "%.*s was promoted, and no "
		    "more: run `tilsit failover` there first",
		    STR_ARG(w->p->peer_node));
	return OK;
}

/* ---- may it ---------------------------------------------------------- */

/* Changes that only this machine has are not thrown away unsaid. */
static enum status
check_discard(struct work *w, struct err *err)
{
	struct str needed;
	struct mark m;
	struct err why;

	mark_read(w->a, w->p->config->mark_path, &m, &why);
	if (!m.is_set || m.is_damaged || !str_eq(m.lacks, w->p->peer_node))
		return OK;
	needed = str_fmt(w->a, "what %.*s took after serial %lld is lost",
	    STR_ARG(w->p->node), (long long)m.serial);
	if (str_eq(w->r->discard, needed))
		return OK;
	return err_set(err, DENIED, "this machine took changes alone, and "
	    "%.*s went on without them. To throw them away, say --discard "
	    "\"%.*s\"", STR_ARG(w->p->peer_node), STR_ARG(needed));
}

static enum status
check(struct work *w, struct err *err)
{
	if (!w->is_standby && w->timeline >= w->other.timeline)
		return err_set(err, CONFLICT, "this machine's server is a "
		    "primary on timeline %lld, %.*s's on %lld: it is not "
		    "this one that must rejoin", (long long)w->timeline,
		    STR_ARG(w->p->peer_node), (long long)w->other.timeline);
	return check_discard(w, err);
}

/* ---- doing it -------------------------------------------------------- */

/* Until it is in step, this machine is the one that lacks changes. */
static enum status
mark_here(struct work *w, struct err *err)
{
	struct mark m = mark_new(w->a, w->p->node, w->p->node, "rejoin");

	return mark_write(w->a, w->p->config->mark_path, &m, true, err);
}

/*
 * pg_rewind goes by the other server's control file, which tells of a
 * promotion only after the first checkpoint.
 */
static enum status
write_there(struct work *w, struct err *err)
{
	const char *const servers[] = { w->p->config->peer_database, NULL };
	const struct db_times times = { .statement_ms = SHORT_MS };
	struct db *db = db_new(servers, DB_ANY, "tilsit rejoin", &times);
	enum status st = db_run(db, w->a, SQL_PAIR_CHECKPOINT, DB_NO_ARGS,
	    NULL, err);

	db_free(db);
	return st;
}

static enum status
rebuild(struct work *w, struct err *err)
{
	struct err why = { .text = "" };
	enum status st = write_there(w, err);

	if (st != OK)
		return st;
	if (!w->r->is_copy) {
		say(w, "4 rewind: undoing what %.*s never had",
		    STR_ARG(w->p->peer_node));
		if (do_it(w, "rewind", COPY_MS, &why) == OK)
			return OK;
		say(w, "4 rewind: that cannot be done: %s", why.text);
	}
	say(w, "4 copy: setting the old data aside, and copying all of %.*s's",
	    STR_ARG(w->p->peer_node));
	return do_it(w, "copy", COPY_MS, err);
}

static enum status
await_replay(struct work *w, struct err *err)
{
	int64_t start_us = clock_mono_us(), said_us = start_us;
	struct replica r = { .is_streaming = false };
	enum status st;

	for (;;) {
		int64_t now_us = clock_mono_us();

		st = server_replica(w->p->other, w->a, w->p->node, &r, err);
		if (st != OK)
			return st;
		if (r.is_streaming && r.replayed >= w->other.has)
			break;
		if (now_us - start_us > (r.is_streaming ? CATCH_UP_US :
		    STREAM_US))
			return err_set(err, UNAVAILABLE, r.is_streaming ?
			    "it does not catch up" : "it does not stream: "
			    "its log says why. If changes that it needs are "
			    "gone: tilsit rejoin --copy");
		if (now_us - said_us > SAY_US) {
			say(w, "6 wait: %lld MB to go", (long long)
			    ((w->other.has - r.replayed) >> 20));
			said_us = now_us;
		}
		pause_ms(200);
	}
	say(w, "6 wait: streaming, and caught up. tilsit-watch on %.*s makes "
	    "it synchronous", STR_ARG(w->p->peer_node));
	return OK;
}

static enum status
do_all(struct work *w, struct err *err)
{
	enum status st;

	say(w, "1 forget: restarting memcached");
	st = do_it(w, "forget", SHORT_MS, err);
	FAULT_POINT("J-forgotten");
	if (st == OK) {
		say(w, "2 stop: stopping this machine's server");
		st = do_it(w, "stop", SHORT_MS, err);
	}
	FAULT_POINT("J-stopped");
	if (st == OK) {
		say(w, "3 mark: this machine lacks changes");
		st = mark_here(w, err);
	}
	FAULT_POINT("J-marked");
	if (st == OK)
		st = rebuild(w, err);
	FAULT_POINT("J-rebuilt");
	if (st == OK) {
		say(w, "5 start: as a standby of %.*s",
		    STR_ARG(w->p->peer_node));
		st = do_it(w, "start", SHORT_MS, err);
	}
	FAULT_POINT("J-started");
	return st == OK ? await_replay(w, err) : st;
}

enum status
rejoin(struct pair *p, struct arena *a, struct rejoin *r, struct err *err)
{
	struct work w = { .p = p, .a = a, .r = r };
	struct replica now;
	enum status st = look_there(&w, err);

	if (st == OK)
		st = look_here(&w, err);
	if (st == OK)
		st = server_replica(p->other, a, p->node, &now, err);
	if (st != OK)
		return st;
	if (w.is_standby && now.is_streaming && !r->is_copy) {
		say(&w, "nothing to do but to wait: it streams already");
		return r->is_dry ? OK : await_replay(&w, err);
	}
	st = check(&w, err);
	if (st != OK)
		return st;
	if (!r->is_dry)
		return do_all(&w, err);
	say(&w, "would restart memcached, stop the server, %s, and start it "
	    "as a standby", r->is_copy ? "copy all data anew" :
	    "rewind its data (or copy all of them, if that cannot be done)");
	return OK;
}

/* ---- before a start -------------------------------------------------- */

static bool
is_there(struct arena *a, const char *data, const char *name)
{
	return access(str_fmt(a, "%s/%s", data, name).p, F_OK) == 0;
}

/*
 * Will commits wait?  Only `tilsit` empties the names, and it does so with
 * ALTER SYSTEM: a line in this file.  What cannot be read is taken for one.
 */
static bool
has_names(struct arena *a, const char *data)
{
	const char *path = str_fmt(a, "%s/postgresql.auto.conf", data).p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf text = buf_new(a);
	struct str line, rest;
	bool found = true;
	ssize_t n;

	if (fd == -1)
		return errno == ENOENT;
	n = read(fd, buf_room(&text, AUTO_BYTES), AUTO_BYTES);
	close(fd);
	if (n < 0 || n == AUTO_BYTES)
		return false;
	buf_wrote(&text, (size_t)n);
	for (rest = buf_view(&text); rest.n; ) {
		str_cut(rest, '\n', &line, &rest);
		if (str_starts(str_trim(line),
		    STR("synchronous_standby_names")))
			found = !str_ends(str_trim(line), STR("''"));
	}
	return found;
}

/* What the other machine says; NOT_FOUND when it says nothing. */
static enum status
ask_other(struct pair *p, struct arena *a, const char **why, struct err *err)
{
	struct server other;
	struct mark m;
	struct err unheard;

	if (server_look(p->other, a, &other, &unheard) == OK) {
		*why = "the other machine's server is a standby";
		return other.in_recovery ? OK : err_set(err, DENIED,
		    "%.*s is the primary, on timeline %lld: run `tilsit "
		    "rejoin`", STR_ARG(p->peer_node),
		    (long long)other.timeline);
	}
	if (!mark_place_exists(p, MARK_PEER) ||
	    mark_place_get(p, a, MARK_PEER, &m, &unheard) != OK)
		return NOT_FOUND;
	*why = "the other machine has no mark against this one";
	return !mark_is_against(&m, p->node) ? OK : err_set(err, DENIED,
	    "%.*s went on without this machine: run `tilsit rejoin`",
	    STR_ARG(p->peer_node));
}

/* Nobody can be asked: what do we know ourselves? */
static enum status
ask_ourselves(struct pair *p, struct arena *a, const char *data,
    const struct mark *own, const char **why, struct err *err)
{
	struct mark third;
	struct err unheard;

	if (mark_place_exists(p, MARK_THIRD) && mark_place_get(p, a,
	    MARK_THIRD, &third, &unheard) == OK &&
	    mark_is_against(&third, p->node))
		return err_set(err, DENIED, "the third place says that %.*s "
		    "lacks changes: run `tilsit rejoin`", STR_ARG(p->node));
	*why = "this machine's mark says that the other one lacks changes";
	if (own->is_set && str_eq(own->lacks, p->peer_node))
		return OK;
	*why = "commits will wait for the other machine";
	if (has_names(a, data))
		return OK;
	return err_set(err, DENIED, "%.*s cannot be asked whether it went on "
	    "without this machine, and commits here would wait for nobody",
	    STR_ARG(p->peer_node));
}

enum status
rejoin_may_start(struct pair *p, struct arena *a, const char *data,
    const char **why, struct err *err)
{
	struct err unread;
	struct mark own;
	enum status st;

	*why = "it starts as a standby";
	if (is_there(a, data, "standby.signal") ||
	    is_there(a, data, "recovery.signal"))
		return OK;
	mark_read(a, p->config->mark_path, &own, &unread);
	if (mark_is_against(&own, p->node))
		return err_set(err, DENIED, "the mark here says that %.*s "
		    "lacks changes, or cannot be read: run `tilsit rejoin`",
		    STR_ARG(p->node));
	for (int i = 0; i < ASK_TIMES; i++) {
		st = ask_other(p, a, why, err);
		if (st != NOT_FOUND)
			return st;
		pause_ms(1000);
	}
	return ask_ourselves(p, a, data, &own, why, err);
}
