#include "index/watch.h"

#include "base/arena.h"
#include "base/clock.h"
#include "index/mark.h"
#include "index/mark_place.h"
#include "index/pair.h"
#include "index/alone.h"
#include "io/config.h"

#define SECOND_US	((int64_t)1000000)
#define TIDY_US		(30 * SECOND_US)
#define AGAIN_US	(5 * SECOND_US)	/* between two attempts */

/* What one step has seen. */
struct sight {
	struct server own;
	struct replica replica;
	struct mark mark;	/* here */
	bool is_with_us;
	bool is_alone;		/* commits wait for nobody */
};

struct watch
watch_new(struct pair *p)
{
	return (struct watch){ .pair = p };
}

/*
 * Streaming is not enough: a replica may receive and never apply, and commits
 * wait for that too.  It is with us when it has what we had a step ago.
 */
static void
judge_replica(struct watch *w, struct sight *s)
{
	int64_t now_us = clock_mono_us();

	if (w->with_us == 0)
		w->want = s->own.has;
	s->is_with_us = s->replica.is_streaming &&
	    s->replica.replayed >= w->want;
	if (!s->is_with_us)
		w->tidy_us = 0;
	if (s->is_with_us || w->with_us == 0) {
		w->want = s->own.has;
		w->with_us = now_us;
	}
}

/* Once alone: is there a place that was not told yet? */
static bool
knows_everybody(const struct watch *w)
{
	for (enum mark_place i = MARK_PEER; i < MARK_PLACES; i++)
		if (mark_place_exists(w->pair, i) && !w->elsewhere[i])
			return false;
	return true;
}

static enum status
leave(struct watch *w, struct arena *a, const struct sight *s,
    const char **did, struct err *err)
{
	struct alone how = { .why = STR("the replica is away") };
	int64_t now_us = clock_mono_us();
	enum status st;

	if (now_us < w->again_us)
		return OK;
	w->again_us = now_us + AGAIN_US;
	w->tidy_us = 0;
	/* Told before: it is alone already, and better told than not. */
	how.accept_unmarked = s->is_alone && s->mark.is_set;
	st = alone_begin(w->pair, a, &s->own, &how, err);
	for (enum mark_place i = MARK_PEER; i < MARK_PLACES; i++)
		w->elsewhere[i] = (s->is_alone && w->elsewhere[i]) ||
		    how.elsewhere[i];
	if (st == OK && !s->is_alone)
		*did = "the replica is away: marked, and going on alone";
	return st;
}

static enum status
join(struct watch *w, struct arena *a, const char **did, struct err *err)
{
	enum status st = alone_end(w->pair, a, err);

	for (int i = 0; i < MARK_PLACES; i++)
		w->elsewhere[i] = false;
	w->again_us = 0;
	w->tidy_us = 0;
	if (st == OK)
		*did = "the replica is back: commits wait for it again, and "
		    "the marks are gone";
	return st;
}

/*
 * All is well here; but one of us that was killed, or refused, may have left a
 * mark elsewhere, and the replica itself when it was built anew.  It would end
 * a failover.
 */
static enum status
tidy(struct watch *w, struct arena *a, struct err *err)
{
	int64_t now_us = clock_mono_us();
	enum status st;

	if (now_us < w->tidy_us)
		return OK;
	st = alone_tidy(w->pair, a, err);
	w->tidy_us = now_us + (st == OK ? TIDY_US : AGAIN_US);
	return st;
}

static enum status
act(struct watch *w, struct arena *a, const struct sight *s,
    const char **did, struct err *err)
{
	int64_t limit_us = w->pair->config->replica_timeout_s * SECOND_US;
	bool is_away = clock_mono_us() - w->with_us > limit_us;

	if (s->mark.is_set && s->mark.is_held)
		return s->is_alone && knows_everybody(w) ? OK :
		    leave(w, a, s, did, err);
	if (s->is_with_us && (s->mark.is_set || s->is_alone))
		return join(w, a, did, err);
	if (s->is_with_us)
		return s->replica.is_sync ? tidy(w, a, err) : OK;
	if (limit_us == 0 && !s->is_alone)
		return OK;
	if (s->is_alone && s->mark.is_set && knows_everybody(w))
		return OK;
	return is_away || s->is_alone ? leave(w, a, s, did, err) : OK;
}

static enum status
look(struct watch *w, struct arena *a, struct sight *s, struct err *err)
{
	struct err why;
	enum status st = server_look(w->pair->own, a, &s->own, err);

	if (st == OK && !s->own.in_recovery)
		st = server_replica(w->pair->own, a, w->pair->peer_node,
		    &s->replica, err);
	if (st != OK)
		return st;
	mark_read(a, w->pair->config->mark_path, &s->mark, &why);
	s->is_alone = s->own.names.n == 0;
	return OK;
}

enum status
watch_step(struct watch *w, struct arena *a, const char **did,
    struct err *err)
{
	struct sight s = { .is_alone = false };
	enum status st;
	int lock;

	*did = "";
	st = look(w, a, &s, err);
	if (st != OK || !server_is_open(&s.own))
		w->with_us = 0;		/* its time begins anew */
	if (st != OK || s.own.in_recovery)
		return st;
	if (!server_is_open(&s.own))
		return err_set(err, CONFLICT, "this server was promoted, but "
		    "writers were not let in: run `tilsit failover` here");
	if (s.mark.is_set && str_eq(s.mark.lacks, w->pair->node))
		return err_set(err, CONFLICT, "this machine is the primary, "
		    "and a mark here says that it lacks changes");
	judge_replica(w, &s);
	st = alone_lock(w->pair, a, 0, &lock, err);
	if (st != OK)
		return OK;	/* a command is at it */
	st = act(w, a, &s, did, err);
	alone_unlock(lock);
	return st;
}
