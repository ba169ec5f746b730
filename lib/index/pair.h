/*
 * pair: the two machines as failover sees them: which server is what.
 *
 * Unlike struct index, which looks for a primary that may be written to, this
 * asks each server by itself, whatever it is.
 */
#ifndef INDEX_PAIR_H
#define INDEX_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct config;
struct db;
struct peer;

struct pair {
	const struct config *config;
	struct str node;	/* this machine */
	struct str peer_node;	/* the other */
	struct db *own;		/* this machine's server */
	struct db *other;	/* the other's */
	struct peer *peer;	/* the other's tilsit-peer, by HTTP */
};

/*
 * INVALID when the settings know of no other machine.  Nothing is contacted
 * yet.  config must outlive the pair; end it with pair_close().
 */
MUST_USE enum status pair_open(const struct config *config,
    const char *application, struct pair *out, struct err *err);
void pair_close(struct pair *p);

/* What a server says of itself. */
struct server {
	bool in_recovery;	/* a standby */
	int64_t timeline;
	int64_t has;		/* position of its log, bytes: written, or
				 * received */
	struct str has_text;	/* the same as PostgreSQL writes it */
	struct str replayed_at;	/* when the last change that it has was made;
				 * empty: it knows of none */
	struct str names;	/* synchronous_standby_names */
	int64_t loaded_us;	/* when the settings were read */
	int64_t serial;		/* the newest */
	int64_t claimed;	/* timeline that writers were let in on; 0:
				 * none */
};

/* Ask one; UNAVAILABLE when it does not answer. */
MUST_USE enum status server_look(struct db *db, struct arena *a,
    struct server *out, struct err *err);

/* Is it a primary that writers were let in on? */
bool server_is_open(const struct server *s);

/* How a standby follows a primary. */
struct replica {
	bool is_streaming;
	bool is_sync;		/* commits wait for it */
	int64_t replayed;	/* position, bytes */
};

/* Ask a primary about the standby called name; none is not streaming. */
MUST_USE enum status server_replica(struct db *primary, struct arena *a,
    struct str name, struct replica *out, struct err *err);

/*
 * Have commits wait for nobody.  OK when that is seen in effect.  The caller
 * has written the marks (F2).
 */
MUST_USE enum status server_go_alone(struct db *db, struct arena *a,
    struct err *err);

/*
 * Have a standby follow nobody: OK when it is seen to receive nothing.  What
 * its old primary waits for from here on is never confirmed.
 */
MUST_USE enum status server_unfollow(struct db *db, struct arena *a,
    struct err *err);

/*
 * Have commits wait for the standby again, which is called name, and see that
 * they do: OK when every commit that begins from now on waits, and one was
 * confirmed.  UNAVAILABLE when that cannot be seen within some seconds; then
 * ask again.
 */
MUST_USE enum status server_go_together(struct db *db, struct arena *a,
    struct str name, struct err *err);

#endif
