/* check-config: would a worker that starts now find all that it needs? */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/version.h"
#include "cli/command.h"
#include "index/copy.h"
#include "index/index.h"
#include "index/migrate.h"
#include "io/config.h"
#include "io/page_cache.h"
#include "io/peer.h"
#include "io/shelf.h"
#include "io/store.h"

/* Names are spread over the nodes by a hash: so many meet every one. */
#define PROBES		(8 * PAGE_CACHE_NODES)

struct check {
	struct arena *arena;
	struct config config;
	int troubles;
};

static void
good(const char *setting, const char *what)
{
	printf("%s: %s\n", setting, what);
}

static void
trouble(struct check *c, const char *setting, const char *what)
{
	printf("%s: FAILED: %s\n", setting, what);
	c->troubles++;
}

/* Write a file as an upload does; it goes with the arena. */
static enum status
try_to_stage(struct check *c, struct err *err)
{
	struct digests digests;
	struct staged *file;
	struct store *store;
	enum status st;

	st = store_open(c->arena, c->config.store_path, &store, err);
	if (st == OK)
		st = store_stage(store, c->arena, &file, err);
	if (st == OK)
		st = staged_write(file, "x", 1, err);
	if (st == OK)
		st = staged_finish(file, &digests, err);
	return st;
}

/*
 * The first worker makes the store's folders.  Root must not do so in its
 * place, for then no worker could write to them, and can tell nothing about
 * rights, for it has them all.
 */
static void
check_store(struct check *c)
{
	const char *path = c->config.store_path;
	bool is_root = geteuid() == 0;
	enum status st = OK;
	struct err err;
	struct stat sb;

	if (stat(path, &sb) == -1)
		st = err_errno(&err, "%s", path);
	else if (!S_ISDIR(sb.st_mode))
		st = err_set(&err, INVALID, "%s is not a folder", path);
	else if (!is_root)
		st = try_to_stage(c, &err);
	if (st != OK)
		trouble(c, "store_path", err.text);
	else
		good("store_path", is_root ? "is there (ask as the workers' "
		    "user whether it can be written)" : "can be written");
}

/* The runner makes the folder, and may be at work in it. */
static enum status
try_snapshot(struct check *c, const char *path, struct err *err)
{
	struct shelf *shelf;
	enum status st = shelf_open(c->arena, path, &shelf, err);

	if (st != OK && st != CONFLICT)
		return st;
	return access(path, R_OK | W_OK | X_OK) == -1 ?
	    err_errno(err, "%s", path) : OK;
}

static void
check_snapshot(struct check *c)
{
	const char *path = c->config.snapshot_path;
	bool is_root = geteuid() == 0;
	enum status st = OK;
	struct err err;
	struct stat sb;

	if (path[0] == '\0') {
		good("snapshot_path", "none: without workers, no pages");
		return;
	}
	if (!is_root)
		st = try_snapshot(c, path, &err);
	else if (stat(path, &sb) == -1)
		st = err_errno(&err, "%s", path);
	else if (!S_ISDIR(sb.st_mode))
		st = err_set(&err, INVALID, "%s is not a folder", path);
	if (st != OK)
		trouble(c, "snapshot_path", err.text);
	else
		good("snapshot_path", is_root ? "is there (ask as the workers' "
		    "user whether it can be written)" : "can be written");
}

static void
missing_migration(void *arg, const char *name)
{
	struct check *c = arg;

	printf("database: FAILED: the schema lacks %s: run `tilsit migrate`\n",
	    name);
	c->troubles++;
}

/* Would the primary serve a worker?  Its schema is current. */
static void
check_primary(struct check *c)
{
	struct db *db = index_db(&c->config, DB_PRIMARY,
	    "tilsit check-config");
	struct err err;

	if (db_reach(db, &err) == OK)
		good("database", "answers, and its schema is current");
	else
		trouble(c, "database", err.text);
	db_free(db);
}

static void
check_database(struct check *c)
{
	struct index ix = {
		.config = &c->config,
		.db = index_db(&c->config, DB_OWNER, "tilsit check-config"),
	};
	int before = c->troubles;
	struct err err;

	if (migrate(&ix, c->arena, true, missing_migration, c, &err) != OK)
		trouble(c, "database", err.text);
	else if (c->troubles == before)
		check_primary(c);
	db_free(ix.db);
}

/* Does every node keep a fence?  One of no project that there can be. */
static bool
all_nodes_answer(struct page_cache *cache, struct arena *a)
{
	struct page_look look;

	for (int i = 0; i < PROBES; i++) {
		page_cache_get(cache, a, str_fmt(a, "-check-%d", i),
		    STR("check"), &look);
		if (!look.has_generation)
			return false;
	}
	return true;
}

static void
check_memcached(struct check *c)
{
	const struct page_cache_times times = {
		.fence_ttl_s = (int)c->config.fence_ttl_s,
		.page_ttl_s = (int)c->config.page_ttl_s,
		.timeout_ms = (int)c->config.memcached_timeout_ms,
	};
	struct page_cache *cache = page_cache_new(c->config.memcached, &times);

	if (!cache)
		trouble(c, "memcached", "names no memcached: write "
		    "unix:/path/to/socket or 127.0.0.1:11211");
	else if (str_c(c->config.memcached).n == 0)
		good("memcached", "none: pages are not kept");
	else if (all_nodes_answer(cache, c->arena))
		good("memcached", "answers");
	else
		trouble(c, "memcached", "does not answer, or not every one "
		    "of several");
	page_cache_free(cache);
}

/* How many files wait to be copied, here and there. */
static void
count_missing(struct check *c, const char *node)
{
	struct index ix = {
		.config = &c->config,
		.db = index_db(&c->config, DB_PRIMARY, "tilsit check-config"),
	};
	struct str why;
	struct err err;
	int64_t n;

	if (copy_count_missing(&ix, c->arena, str_c(node), &n, &why,
	    &err) != OK)
		trouble(c, "peer_node", err.text);
	else if (n > 0)
		trouble(c, "peer_node", str_fmt(c->arena, "%s lacks %lld "
		    "files, which its runner will fetch (%.*s)", node,
		    (long long)n, STR_ARG(why)).p);
	db_free(ix.db);
}

/* Is the other machine the right one, and does it know us? */
static void
check_answer(struct check *c, struct str node, struct str version)
{
	if (!str_eq(node, str_c(c->config.peer_node)))
		trouble(c, "peer_node", str_fmt(c->arena, "the other machine "
		    "calls itself '%.*s', not '%s'", STR_ARG(node),
		    c->config.peer_node).p);
	else if (!str_eq(version, STR(TILSIT_VERSION)))
		trouble(c, "peer_url", str_fmt(c->arena, "the other machine "
		    "runs version %.*s, this is %s", STR_ARG(version),
		    TILSIT_VERSION).p);
	else
		good("peer_url", "answers, and has the same secret and "
		    "version");
}

static void
check_peer(struct check *c)
{
	struct peer *peer = peer_new(&c->config);
	struct peer_answer answer;
	struct str node, version;
	enum status st;
	struct err err;

	if (!*c->config.peer_node)
		return;
	if (!peer) {
		good("peer_url", "none: both machines have one file store");
		return;
	}
	st = peer_ping(peer, c->arena, &node, &version, &answer, &err);
	if (st == OK)
		check_answer(c, node, version);
	else if (st == DENIED)
		trouble(c, "peer_secret", "the other machine has another one, "
		    "or its nginx does not know our address");
	else
		trouble(c, "peer_url", err.text);
	count_missing(c, c->config.node);
	count_missing(c, c->config.peer_node);
	peer_free(peer);
}

enum status
cli_check_config(struct invocation *in, struct err *err)
{
	const char *path = config_path(in->config_path);
	struct check c = { .arena = in->arena };
	enum status st = config_load(in->arena, path, &c.config, err);

	if (st != OK)
		return st;
	good(path, "all settings are good");
	if (invocation_option(in, "offline"))
		return OK;
	check_store(&c);
	check_snapshot(&c);
	check_database(&c);
	check_memcached(&c);
	check_peer(&c);
	if (c.troubles == 0)
		return OK;
	return err_set(err, UNAVAILABLE, "a worker would not find all that it "
	    "needs");
}
