/* check-config: would a worker that starts now find all that it needs? */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/command.h"
#include "index/index.h"
#include "index/migrate.h"
#include "io/config.h"
#include "io/page_cache.h"
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
	check_database(&c);
	check_memcached(&c);
	if (c.troubles == 0)
		return OK;
	return err_set(err, UNAVAILABLE, "a worker would not find all that it "
	    "needs");
}
