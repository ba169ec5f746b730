#include "index/alone.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
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

enum status
alone_lock(struct pair *p, struct arena *a, int wait_s, int *lock,
    struct err *err)
{
	const struct timespec tick = { .tv_nsec = 100000000 };
	const char *path = str_fmt(a, "%s.lock", p->config->mark_path).p;
	int64_t end_us = clock_mono_us() + wait_s * (int64_t)1000000;
	int failed;

	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	/* Root may have made it: whoever may read it may lock it. */
	if (*lock == -1 && errno == EACCES)
		*lock = open(path, O_RDONLY | O_CLOEXEC);
	if (*lock == -1)
		return err_errno(err, "cannot open %s", path);
	while (flock(*lock, LOCK_EX | LOCK_NB) == -1) {
		failed = errno;
		if (failed == EWOULDBLOCK && clock_mono_us() < end_us) {
			nanosleep(&tick, NULL);
			continue;
		}
		close(*lock);
		errno = failed;
		return failed == EWOULDBLOCK ? err_set(err, UNAVAILABLE,
		    "tilsit-watch or another command is at it; try again in a "
		    "moment") : err_errno(err, "cannot lock %s", path);
	}
	return OK;
}

void
alone_unlock(int lock)
{
	close(lock);
}

/* What the replica has for sure: what it had when the first mark was set. */
static struct mark
new_mark(struct pair *p, struct arena *a, const struct server *own,
    const struct alone *how)
{
	struct mark there, m = mark_new(a, p->peer_node, p->node, "");
	struct err why;

	m.serial = own->serial;
	m.lsn = own->has_text;
	mark_read(a, p->config->mark_path, &there, &why);
	if (there.is_set && !there.is_damaged &&
	    str_eq(there.lacks, p->peer_node)) {
		m = there;
		/* A request to clear the old one may yet be under way. */
		if (own->names.n)
			mark_renew(a, &m);
	}
	m.is_held = m.is_held || how->is_held;
	m.why = m.why.n ? m.why : how->why;
	return m;
}

/* Leave the mark wherever it can be left but here; how many have it. */
static enum status
mark_elsewhere(struct pair *p, struct arena *a, const struct mark *m,
    struct alone *how, struct err *err)
{
	struct buf reasons = buf_new(a);
	int n = 0;

	for (enum mark_place i = MARK_PEER; i < MARK_PLACES; i++) {
		struct err why = { .text = "" };
		enum status st;

		how->elsewhere[i] = false;
		if (!mark_place_exists(p, i))
			continue;
		st = mark_place_set(p, a, i, m, &why);
		if (st == CONFLICT)
			return err_set(err, CONFLICT, "this machine must not "
			    "go on alone: %.*s says: %s",
			    STR_ARG(mark_place_name(p, i)), why.text);
		how->elsewhere[i] = st == OK;
		n += st == OK;
		if (st != OK)
			buf_put(&reasons, str_fmt(a, "; %.*s: %s",
			    STR_ARG(mark_place_name(p, i)), why.text));
		FAULT_POINT(i == MARK_PEER ? "M-peer" : "M-third");
	}
	if (n == 0 && !how->accept_unmarked)
		return err_set(err, UNAVAILABLE, "the mark that %.*s lacks "
		    "changes could be left nowhere else%s",
		    STR_ARG(p->peer_node), buf_view(&reasons).p);
	return OK;
}

enum status
alone_begin(struct pair *p, struct arena *a, const struct server *own,
    struct alone *how, struct err *err)
{
	struct mark m = new_mark(p, a, own, how);
	enum status st;

	FAULT_POINT("M-away");
	st = mark_elsewhere(p, a, &m, how, err);
	if (st == OK)
		st = mark_place_set(p, a, MARK_OWN, &m, err);
	FAULT_POINT("M-own");
	if (st == OK && own->names.n)
		st = server_go_alone(p->own, a, err);
	FAULT_POINT("M-alone");
	return st;
}

/* Outwards in, so that the mark here is the last. */
static enum status
clear_marks(struct pair *p, struct arena *a, int last, struct err *err)
{
	enum status st = OK;

	for (int i = MARK_PLACES - 1; st == OK && i >= last; i--) {
		enum mark_place place = (enum mark_place)i;
		struct err why = { .text = "" };
		struct mark m;

		if (!mark_place_exists(p, place))
			continue;
		st = mark_place_get(p, a, place, &m, &why);
		if (st == OK && m.is_set && !mark_is_against(&m,
		    p->peer_node))
			st = err_set(&why, CONFLICT, "its mark says that %.*s "
			    "lacks changes", STR_ARG(m.lacks));
		else if (st == OK && m.is_set)
			st = mark_place_clear(p, a, place, &m, &why);
		if (st != OK)
			err_set(err, st, "the mark stays: %.*s: %s",
			    STR_ARG(mark_place_name(p, place)), why.text);
		FAULT_POINT(place == MARK_OWN ? "M-cleared" : "M-clearing");
	}
	return st;
}

enum status
alone_end(struct pair *p, struct arena *a, struct err *err)
{
	struct mark m;
	struct err why;
	enum status st;

	mark_read(a, p->config->mark_path, &m, &why);
	st = server_go_together(p->own, a, p->peer_node, err);
	if (st != OK || m.is_set)
		return st == OK ? clear_marks(p, a, MARK_OWN, err) : st;
	/* Nothing is here that a later look would have to go by. */
	return clear_marks(p, a, MARK_PEER, &why) == CONFLICT ?
	    err_set(err, CONFLICT, "%s", why.text) : OK;
}

enum status
alone_tidy(struct pair *p, struct arena *a, struct err *err)
{
	return clear_marks(p, a, MARK_PEER, err);
}
