/* The pair: who is the primary, who lacks what, and changing that. */
#include "index/failover.h"

#include <stdio.h>

#include "base/arena.h"
#include "cli/command.h"
#include "index/index.h"
#include "index/mark.h"
#include "index/mark_place.h"
#include "index/pair.h"
#include "index/rejoin.h"
#include "index/alone.h"
#include "io/config.h"
#include "io/db.h"

#define LOCK_S		60	/* for tilsit-watch to pause */
#define JOIN_TRIES	60	/* seconds to wait for a replica */

/* These commands work while the index cannot be opened. */
static enum status
open_pair(struct invocation *in, struct config *config, struct pair *p,
    struct err *err)
{
	enum status st = config_load(in->arena, config_path(in->config_path),
	    config, err);

	/* What is said must be seen at once: it is said between deeds. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	return st == OK ? pair_open(config, "tilsit", p, err) : st;
}

static void
print_line(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

static struct str
option(const struct invocation *in, const char *name)
{
	const struct str *value = invocation_option(in, name);

	return value ? *value : STR("");
}

/* Are writers in?  The way that every worker goes. */
static enum status
see_writers(const struct config *config, struct err *err)
{
	struct db *db = index_db(config, DB_PRIMARY, "tilsit failover");
	enum status st = db_reach(db, err);

	db_free(db);
	return st;
}

enum status
cli_failover(struct invocation *in, struct err *err)
{
	struct failover f = {
		.is_dry = invocation_option(in, "dry-run") != NULL,
		.is_switch = invocation_option(in, "switch") != NULL,
		.is_promoted = invocation_option(in, "promoted") != NULL,
		.fenced = option(in, "fenced"),
		.say = print_line,
	};
	struct config config;
	struct pair p;
	enum status st = open_pair(in, &config, &p, err);

	if (st != OK)
		return st;
	st = invocation_option(in, "drill") ?
	    failover_drill(&p, in->arena, &f, err) :
	    failover(&p, in->arena, &f, err);
	pair_close(&p);
	if (st != OK || f.is_dry)
		return st;
	st = see_writers(&config, err);
	if (st == OK)
		puts("done: uploads go on");
	return st;
}

enum status
cli_rejoin(struct invocation *in, struct err *err)
{
	struct rejoin r = {
		.is_dry = invocation_option(in, "dry-run") != NULL,
		.is_copy = invocation_option(in, "copy") != NULL,
		.discard = option(in, "discard"),
		.say = print_line,
	};
	struct config config;
	struct pair p;
	enum status st = open_pair(in, &config, &p, err);

	if (st != OK)
		return st;
	st = rejoin(&p, in->arena, &r, err);
	pair_close(&p);
	return st;
}

enum status
cli_may_start(struct invocation *in, struct err *err)
{
	const char *why = "";
	struct config config;
	struct pair p;
	enum status st = config_load(in->arena, config_path(in->config_path),
	    &config, err);

	if (st == OK && !*config.peer_node)
		return OK;
	if (st == OK)
		st = pair_open(&config, "tilsit", &p, err);
	if (st != OK)
		return st;
	st = rejoin_may_start(&p, in->arena, str_z(in->arena, in->arg[0]),
	    &why, err);
	pair_close(&p);
	if (st == OK)
		printf("may start: %s\n", why);
	return st;
}

/* ---- replica --------------------------------------------------------- */

static enum status
see_primary(struct pair *p, struct arena *a, struct server *own,
    struct err *err)
{
	enum status st = server_look(p->own, a, own, err);

	if (st != OK || server_is_open(own))
		return st;
	return err_set(err, CONFLICT, "this machine is not the primary: run "
	    "this on %.*s", STR_ARG(p->peer_node));
}

static void
print_server(struct arena *a, struct db *db, struct str name)
{
	struct err err = { .text = "" };
	struct server s;

	if (server_look(db, a, &s, &err) != OK)
		printf("%.*s: PostgreSQL does not answer: %s\n",
		    STR_ARG(name), err.text);
	else if (s.in_recovery)
		printf("%.*s: standby, timeline %lld, serial %lld\n",
		    STR_ARG(name), (long long)s.timeline,
		    (long long)s.serial);
	else
		printf("%.*s: primary, timeline %lld, serial %lld, %s%s\n",
		    STR_ARG(name), (long long)s.timeline, (long long)s.serial,
		    s.names.n ? "commits wait for the replica" :
		    "commits wait for nobody", server_is_open(&s) ? "" :
		    "; promoted, but writers were not let in");
}

/* The replica of the one of them that is a primary. */
static void
print_replica(struct arena *a, struct db *db, struct str name)
{
	struct replica r;
	struct server s;
	struct err err;

	if (server_look(db, a, &s, &err) != OK || s.in_recovery ||
	    server_replica(db, a, name, &r, &err) != OK)
		return;
	if (!r.is_streaming)
		printf("replica %.*s: away\n", STR_ARG(name));
	else
		printf("replica %.*s: streaming, %lld bytes behind, %s\n",
		    STR_ARG(name), (long long)(r.replayed < s.has ?
		    s.has - r.replayed : 0), r.is_sync ? "synchronous" :
		    "not waited for");
}

static void
print_mark(struct pair *p, struct arena *a, enum mark_place place)
{
	struct str name = mark_place_name(p, place);
	struct err err = { .text = "" };
	struct mark m;

	if (!mark_place_exists(p, place))
		return;
	if (mark_place_get(p, a, place, &m, &err) != OK)
		printf("mark, %.*s: cannot be asked: %s\n", STR_ARG(name),
		    err.text);
	else if (!m.is_set)
		printf("mark, %.*s: none\n", STR_ARG(name));
	else if (m.is_damaged)
		printf("mark, %.*s: is there, and cannot be read\n",
		    STR_ARG(name));
	else
		printf("mark, %.*s: %.*s lacks what %.*s took after serial "
		    "%lld, since %.*s (%.*s)%s\n", STR_ARG(name),
		    STR_ARG(m.lacks), STR_ARG(m.by), (long long)m.serial,
		    STR_ARG(m.since), STR_ARG(m.why), m.is_held ?
		    ", until `tilsit replica join`" : "");
}

enum status
cli_replica_status(struct invocation *in, struct err *err)
{
	struct config config;
	struct pair p;
	enum status st = open_pair(in, &config, &p, err);

	if (st != OK)
		return st;
	print_server(in->arena, p.own, p.node);
	print_server(in->arena, p.other, p.peer_node);
	print_replica(in->arena, p.own, p.peer_node);
	print_replica(in->arena, p.other, p.node);
	for (enum mark_place i = MARK_OWN; i < MARK_PLACES; i++)
		print_mark(&p, in->arena, i);
	pair_close(&p);
	return OK;
}

static enum status
leave(struct invocation *in, struct pair *p, struct err *err)
{
	struct alone how = {
		.why = STR("the operator's decision"), .is_held = true,
	};
	struct str words = str_fmt(in->arena, "%.*s must not be promoted",
	    STR_ARG(p->peer_node));
	struct err why = { .text = "" };
	struct server own;
	enum status st = see_primary(p, in->arena, &own, err);

	if (st != OK)
		return st;
	how.accept_unmarked = str_eq(option(in, "unmarked"), words);
	st = alone_begin(p, in->arena, &own, &how, &why);
	if (st == UNAVAILABLE && own.names.n && !how.accept_unmarked)
		return err_set(err, DENIED, "%s. Nobody will stop a failover "
		    "then, which would lose what comes now. To go on all the "
		    "same, say --unmarked \"%.*s\"", why.text, STR_ARG(words));
	if (st != OK)
		return err_set(err, st, "%s", why.text);
	printf("commits wait for nobody; %.*s lacks what comes after serial "
	    "%lld, and must not be promoted\n", STR_ARG(p->peer_node),
	    (long long)own.serial);
	return OK;
}

enum status
cli_replica_leave(struct invocation *in, struct err *err)
{
	struct config config;
	struct pair p;
	enum status st = open_pair(in, &config, &p, err);
	int lock;

	if (st != OK)
		return st;
	st = alone_lock(&p, in->arena, LOCK_S, &lock, err);
	if (st == OK) {
		st = leave(in, &p, err);
		alone_unlock(lock);
	}
	pair_close(&p);
	return st;
}

/* From here on tilsit-watch may end it as well. */
static enum status
unhold(struct pair *p, struct arena *a, struct err *err)
{
	struct mark m;
	struct err why;

	mark_read(a, p->config->mark_path, &m, &why);
	if (!m.is_held)
		return OK;
	m.is_held = false;
	return mark_place_set(p, a, MARK_OWN, &m, err);
}

/* Wait for it to have what the primary has now. */
static enum status
await_replica(struct pair *p, struct arena *a, struct err *err)
{
	struct replica r = { .is_streaming = false };
	struct server own;
	enum status st = see_primary(p, a, &own, err);

	for (int i = 0; st == OK && i < JOIN_TRIES; i++) {
		st = server_replica(p->own, a, p->peer_node, &r, err);
		if (st == OK && r.is_streaming && r.replayed >= own.has)
			return OK;
		sleep(1);
	}
	return st != OK ? st : err_set(err, UNAVAILABLE, "%.*s does not "
	    "stream yet; tilsit-watch joins it when it does",
	    STR_ARG(p->peer_node));
}

static enum status
join(struct pair *p, struct arena *a, struct err *err)
{
	struct server own;
	enum status st = see_primary(p, a, &own, err);
	int lock;

	if (st == OK)
		st = unhold(p, a, err);
	if (st == OK)
		st = await_replica(p, a, err);
	if (st == OK)
		st = alone_lock(p, a, LOCK_S, &lock, err);
	if (st != OK)
		return st;
	st = alone_end(p, a, err);
	alone_unlock(lock);
	if (st == OK)
		printf("commits wait for %.*s, and the marks are gone\n",
		    STR_ARG(p->peer_node));
	return st;
}

enum status
cli_replica_join(struct invocation *in, struct err *err)
{
	struct config config;
	struct pair p;
	enum status st = open_pair(in, &config, &p, err);

	if (st != OK)
		return st;
	st = join(&p, in->arena, err);
	pair_close(&p);
	return st;
}
