#include "index/pair.h"

#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "io/config.h"
#include "io/db.h"
#include "io/peer.h"
#include "io/secret.h"

#define STATEMENT_MS	20000	/* a checkpoint may take long */
#define EFFECT_US	((int64_t)5000000)	/* for settings to be read */
#define TICK_NS		50000000

static struct db *
one(const char *conninfo, const char *application)
{
	const char *const servers[] = { conninfo, NULL };
	const struct db_times times = {
		.statement_ms = STATEMENT_MS, .lock_ms = 2000,
		.commit_ms = 10000,
	};

	return db_new(servers, DB_ANY, application, &times);
}

enum status
pair_open(const struct config *config, const char *application,
    struct pair *out, struct err *err)
{
	enum status st;

	if (!*config->peer_node || !*config->peer_database)
		return err_set(err, INVALID, "this machine is not one of a "
		    "pair: peer_node and peer_database are not set");
	st = secret_start(err);		/* marks have random ids */
	if (st != OK)
		return st;
	*out = (struct pair){
		.config = config, .node = str_c(config->node),
		.peer_node = str_c(config->peer_node),
		.own = one(config->database, application),
		.other = one(config->peer_database, application),
		.peer = peer_new(config),
	};
	return OK;
}

void
pair_close(struct pair *p)
{
	db_free(p->own);
	db_free(p->other);
	peer_free(p->peer);
}

enum status
server_look(struct db *db, struct arena *a, struct server *out,
    struct err *err)
{
	struct db_rows r;
	enum status st;

	st = db_run(db, a, SQL_PAIR_LOOK, DB_NO_ARGS, &r, err);
	if (st != OK)
		return st;
	*out = (struct server){
		.in_recovery = db_bool_at(&r, 0, PAIR_LOOK_IN_RECOVERY),
		.timeline = db_int64(&r, 0, PAIR_LOOK_TIMELINE),
		.has = db_int64(&r, 0, PAIR_LOOK_HAS),
		.has_text = db_str(&r, 0, PAIR_LOOK_HAS_TEXT),
		.replayed_at = db_str(&r, 0, PAIR_LOOK_REPLAYED_AT),
		.names = db_str(&r, 0, PAIR_LOOK_NAMES),
		.loaded_us = db_int64(&r, 0, PAIR_LOOK_LOADED_US),
		.serial = db_int64(&r, 0, PAIR_LOOK_SERIAL),
		.claimed = db_int64(&r, 0, PAIR_LOOK_CLAIMED),
	};
	return OK;
}

bool
server_is_open(const struct server *s)
{
	return !s->in_recovery && s->claimed == s->timeline;
}

enum status
server_replica(struct db *primary, struct arena *a, struct str name,
    struct replica *out, struct err *err)
{
	struct db_rows r;
	enum status st;

	*out = (struct replica){ .is_streaming = false };
	st = db_run(primary, a, SQL_PAIR_REPLICA, DB_ARGS(db_text(name)),
	    &r, err);
	if (st == NOT_FOUND)
		return OK;
	if (st != OK)
		return st;
	out->is_streaming = db_bool_at(&r, 0, PAIR_REPLICA_IS_STREAMING);
	out->is_sync = db_bool_at(&r, 0, PAIR_REPLICA_IS_SYNC);
	out->replayed = db_int64(&r, 0, PAIR_REPLICA_REPLAYED);
	return OK;
}

/* ---- who commits wait for -------------------------------------------- */

/*
 * Have the settings read, and wait until this session has read them.  The
 * server's processes are told one after the other, and only then is it ready
 * to be told again: so after two of these the first is known to all.
 */
static enum status
reload(struct db *db, struct arena *a, struct server *now, struct err *err)
{
	const struct timespec tick = { .tv_nsec = TICK_NS };
	int64_t end_us = clock_mono_us() + EFFECT_US;
	int64_t before_us;
	struct db_rows rows;
	enum status st;

	st = server_look(db, a, now, err);
	if (st != OK)
		return st;
	before_us = now->loaded_us;
	st = db_run(db, a, SQL_PAIR_RELOAD, DB_NO_ARGS, &rows, err);
	while (st == OK && now->loaded_us == before_us) {
		if (clock_mono_us() > end_us)
			return err_set(err, UNAVAILABLE, "the server does not "
			    "read its settings again");
		nanosleep(&tick, NULL);
		st = server_look(db, a, now, err);
	}
	return st;
}

enum status
server_go_alone(struct db *db, struct arena *a, struct err *err)
{
	struct server now;
	enum status st;

	st = db_run(db, a, SQL_PAIR_GO_ALONE, DB_NO_ARGS, NULL, err);
	FAULT_POINT("M-names");
	if (st == OK)
		st = reload(db, a, &now, err);
	if (st == OK && now.names.n)
		st = err_set(err, UNAVAILABLE, "synchronous_standby_names is "
		    "'%.*s' still: is it set on the server's command line?",
		    STR_ARG(now.names));
	return st;
}

enum status
server_unfollow(struct db *db, struct arena *a, struct err *err)
{
	const struct timespec tick = { .tv_nsec = TICK_NS };
	int64_t end_us = clock_mono_us() + EFFECT_US;
	struct server now;
	struct db_rows rows;
	enum status st;

	st = db_run(db, a, SQL_PAIR_UNFOLLOW, DB_NO_ARGS, NULL, err);
	if (st == OK)
		st = reload(db, a, &now, err);
	for (;;) {
		if (st == OK)
			st = db_run(db, a, SQL_FAILOVER_FED, DB_NO_ARGS,
			    &rows, err);
		if (st != OK || !db_bool_at(&rows, 0, FAILOVER_FED_IS_FED))
			return st;
		if (clock_mono_us() > end_us)
			return err_set(err, UNAVAILABLE, "the standby goes on "
			    "to receive from its old primary");
		nanosleep(&tick, NULL);
	}
}

/* Is the standby one that commits wait for, as the server sees it? */
static enum status
await_sync(struct db *db, struct arena *a, struct str name, struct err *err)
{
	const struct timespec tick = { .tv_nsec = TICK_NS };
	int64_t end_us = clock_mono_us() + EFFECT_US;
	struct replica r;
	enum status st;

	for (;;) {
		st = server_replica(db, a, name, &r, err);
		if (st != OK || r.is_sync)
			return st;
		if (clock_mono_us() > end_us)
			return err_set(err, UNAVAILABLE, "%.*s is no "
			    "synchronous standby: does synchronous_standby_"
			    "names in postgresql.conf name it?",
			    STR_ARG(name));
		nanosleep(&tick, NULL);
	}
}

/* One commit of ours, which every standby that commits wait for confirms. */
static enum status
confirm(struct db *db, struct arena *a, struct err *err)
{
	struct db_rows rows;
	bool unknown;
	enum status st;

	st = db_begin(db, err);
	if (st != OK)
		return st;
	st = db_run(db, a, SQL_TRANSACTION_CONFIRM, DB_NO_ARGS, &rows, err);
	if (st == OK)
		return db_commit(db, &unknown, err);
	db_rollback(db);
	return st;
}

/*
 * Whether commits wait is decided by what the checkpointer, and no other, has
 * read.  It was told when two reloads are over, and it has read when a
 * checkpoint that was asked for after that is done.
 */
enum status
server_go_together(struct db *db, struct arena *a, struct str name,
    struct err *err)
{
	struct server now;
	enum status st;

	st = db_run(db, a, SQL_PAIR_GO_TOGETHER, DB_NO_ARGS, NULL, err);
	FAULT_POINT("M-reset");
	if (st == OK)
		st = reload(db, a, &now, err);
	if (st == OK && now.names.n == 0)
		return err_set(err, UNAVAILABLE, "synchronous_standby_names "
		    "in postgresql.conf must name %.*s", STR_ARG(name));
	if (st == OK)
		st = reload(db, a, &now, err);
	if (st == OK)
		st = db_run(db, a, SQL_PAIR_CHECKPOINT, DB_NO_ARGS, NULL,
		    err);
	if (st == OK)
		st = await_sync(db, a, name, err);
	FAULT_POINT("M-sync");
	if (st == OK)
		st = confirm(db, a, err);
	FAULT_POINT("M-confirmed");
	return st;
}
