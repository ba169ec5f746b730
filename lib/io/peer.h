/*
 * peer: the other machine of a pair, by HTTP.
 *
 *	struct peer *peer = peer_new(config);
 *
 *	st = peer_put_file(peer, a, &put, &answer, err);
 *	if (st != OK)
 *		... go on without it; answer.end says how it failed ...
 *
 * Who is asked is tilsit-peer on that machine, behind its nginx (peer_url);
 * peer_secret tells it who we are.  A struct peer has at most one connection,
 * which is kept.
 *
 * A peer that is away must not hold up anybody for long: a connection must be
 * there within peer_timeout_ms, and after that bytes must move, in whichever
 * direction, within each peer_timeout_ms; the other side is given longer only
 * for reading a large file or flushing it.  After a failure the peer is not
 * asked for a while (PEER_RESTING), each time longer, so that a dead one
 * costs an upload once and not each of them.
 *
 * NULL is a peer that does not exist: every request to it is UNAVAILABLE and
 * PEER_NONE.  One process, one thread.
 */
#ifndef IO_PEER_H
#define IO_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct config;
struct peer;
struct staged;

/* How a request ended. */
enum peer_end {
	PEER_NONE,	/* there is no peer, or no peer_url */
	PEER_RESTING,	/* not asked: it failed a moment ago */
	PEER_REFUSED,	/* nobody listens there, or the network says so */
	PEER_TIMED_OUT,	/* no connection, or it stood still, or took too
			 * long altogether */
	PEER_BROKEN,	/* the connection was lost, or it was no HTTP */
	PEER_FAILED,	/* our own half: the file could not be read or kept */
	PEER_ANSWERED,	/* with whatever status */
};

struct peer_answer {
	enum peer_end end;
	int code;		/* of HTTP; 0 unless PEER_ANSWERED */
	struct str body;	/* of an error: the words, one line */
};

/* What one request may take. */
struct peer_limits {
	size_t answer_bytes;	/* a longer answer is PEER_BROKEN */
	int64_t think_ms;	/* beyond peer_timeout_ms, before it answers */
	int64_t total_ms;	/* for all of it, however it moves; 0: no limit */
};

/* For a request that is small and quickly answered. */
#define PEER_SMALL (struct peer_limits){ .answer_bytes = 65536,	\
    .total_ms = 10000 }

/*
 * A client for config's peer_url, with its peer_secret and peer_timeout_ms;
 * nothing is contacted yet.  NULL when peer_node or peer_url is empty.  config
 * must outlive it.  End it with peer_free(), which takes NULL.
 */
struct peer *peer_new(const struct config *config);
void peer_free(struct peer *p);

/* "refused", "timed out", ...: for logs. */
const char *peer_end_name(enum peer_end end);

/*
 * One request.  path begins with '/' and is escaped already; body may be
 * empty; method is "GET", "PUT", "DELETE".
 *
 * The status is that of the answer: OK for 2xx, NOT_FOUND for 404, INVALID
 * 400, DENIED 403, CONFLICT 409, GONE 410, TOO_LARGE 413; and UNAVAILABLE
 * for any other, and where there was none.  *out is set in every case.
 */
MUST_USE enum status peer_request(struct peer *p, struct arena *a,
    const char *method, struct str path, struct str body,
    const struct peer_limits *limits, struct peer_answer *out,
    struct err *err);

/* A file to be kept over there. */
struct peer_put {
	const unsigned char *blake2b_256;	/* 32 bytes */
	struct str filename;
	int fd;			/* the kept file: its size and modification
				 * time are sent along */
	struct str metadata;	/* PEP 658; empty for none */
	bool replace;		/* what lies there is damaged */
	int64_t total_ms;	/* for all of it; 0: no limit but moving */
};

/* Have the peer keep a file.  OK says that it is on its disk for good. */
MUST_USE enum status peer_put_file(struct peer *p, struct arena *a,
    const struct peer_put *put, struct peer_answer *out, struct err *err);

/*
 * Fetch a file from the peer's store into a staged one, which the caller then
 * finishes, compares and keeps.  TOO_LARGE when it is over limit_bytes.
 * *mtime_s is its modification time there.
 */
MUST_USE enum status peer_get_file(struct peer *p, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    int64_t limit_bytes, struct staged *into, int64_t *mtime_s,
    struct peer_answer *out, struct err *err);

/* The .metadata beside a file over there, into out->body. */
MUST_USE enum status peer_get_metadata(struct peer *p, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    const struct peer_limits *limits, struct peer_answer *out,
    struct err *err);

/* What the peer's store has of one file. */
struct peer_copy {
	bool is_damaged;	/* its bytes do not hash to its name */
	int64_t size;
	int64_t mtime_s;
	bool has_metadata;
	unsigned char metadata_sha256[32];
};

/*
 * Ask for that; NOT_FOUND when it has none.  is_damaged is found out only if
 * read_it, which takes the peer as long as reading the file.
 */
MUST_USE enum status peer_look(struct peer *p, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename, bool read_it,
    struct peer_copy *out, struct peer_answer *answer, struct err *err);

/*
 * Who are you?  Shows our secret, and gives the peer's `node` and its
 * program's version.  DENIED: it has another secret.
 */
MUST_USE enum status peer_ping(struct peer *p, struct arena *a,
    struct str *node, struct str *version, struct peer_answer *answer,
    struct err *err);

#endif
