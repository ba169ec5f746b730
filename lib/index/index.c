#include "index/index.h"

#include "io/config.h"
#include "io/page_cache.h"
#include "io/peer.h"
#include "io/store.h"

struct db *
index_db(const struct config *config, enum db_role role,
    const char *application)
{
	bool has_peer = *config->peer_node && *config->peer_database;
	const char *const servers[] = { config->database,
	    has_peer ? config->peer_database : NULL, NULL };
	const struct db_times times = {
		.silent_ms = (int)config->peer_timeout_ms,
		.lock_ms = (int)config->lock_timeout_ms,
		.statement_ms = (int)config->statement_timeout_ms,
		.in_background = true,
	};

	return db_new(servers, role, application, &times);
}

enum status
index_open(struct arena *a, const char *application,
    const struct config *config, struct index *out, struct err *err)
{
	const struct page_cache_times cache_times = {
		.fence_ttl_s = (int)config->fence_ttl_s,
		.page_ttl_s = (int)config->page_ttl_s,
		.timeout_ms = (int)config->memcached_timeout_ms,
	};
	enum status st;

	*out = (struct index){ .config = config };
	st = store_open(a, config->store_path, &out->store, err);
	if (st != OK)
		return st;
	out->cache = page_cache_new(config->memcached, &cache_times);
	if (!out->cache)
		return err_set(err, INVALID, "memcached = \"%s\" names no "
		    "memcached: write unix:/path/to/socket or "
		    "127.0.0.1:11211", config->memcached);
	out->peer = peer_new(config);
	out->db = index_db(config, DB_PRIMARY, application);
	if (*config->peer_node)
		out->replica = index_db(config, DB_STANDBY, application);
	return OK;
}

void
index_close(struct index *ix)
{
	db_free(ix->db);
	db_free(ix->replica);
	page_cache_free(ix->cache);
	peer_free(ix->peer);
}
