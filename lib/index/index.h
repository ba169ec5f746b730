/*
 * index: what every domain call needs to reach the outside world.
 *
 * One per process, made at its start.  Functions of this floor take it first,
 * then the arena of the request that they work for.
 */
#ifndef INDEX_INDEX_H
#define INDEX_INDEX_H

#include <stdint.h>

#include "base/status.h"
#include "io/db.h"

struct arena;
struct config;
struct page_cache;
struct peer;
struct store;

struct index {
	const struct config *config;
	struct db *db;			/* the primary, wherever it is */
	struct db *replica;		/* a replica; NULL without peer_node */
	struct page_cache *cache;
	struct store *store;		/* package files */
	struct peer *peer;		/* the other machine, or NULL */
	int64_t patient_until_us;	/* see index/primary.h */
};

/*
 * Make the connections' handles and open the store; PostgreSQL and memcached
 * are reached on first use, so that a worker starts while they are down.
 * UNAVAILABLE when the store's folder cannot be used, INVALID when a setting
 * makes no sense.  config stays the caller's and must outlive the index, as
 * must the arena.  application is what PostgreSQL shows of us.
 */
MUST_USE enum status index_open(struct arena *a, const char *application,
    const struct config *config, struct index *out, struct err *err);

/*
 * A connection to be, to a server of this role on this machine or the other,
 * as the settings name them.  End it with db_free().
 */
struct db *index_db(const struct config *config, enum db_role role,
    const char *application);

/* Close what index_open() opened. */
void index_close(struct index *ix);

#endif
