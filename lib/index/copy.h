/*
 * copy: each package file on both machines of a pair.
 *
 * An upload has its file kept here and on the other machine before it is
 * published (W0).  Where the other one cannot take it, the upload goes on, and
 * the change that publishes it writes a row of missing_copy; the runner of the
 * machine that lacks the file fetches it from the one that has it, for as long
 * as it takes.  Files never change and are named by their digest, so copying
 * one twice, or half of it, does no harm.
 *
 * Without another machine (peer_url is empty) nothing here does anything.
 */
#ifndef INDEX_COPY_H
#define INDEX_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct index;
struct peer_answer;

/* Which file, and what the index knows of its bytes. */
struct copy {
	unsigned char blake2b_256[32];
	struct str filename;
	int64_t size;
	struct str metadata_sha256;	/* 32 bytes, or empty: has none */
};

/* What became of the other machine's copy. */
struct copy_sent {
	bool is_missing;	/* it has none, as far as we know */
	struct str words;	/* for the log: "ok", or "missing: " and why;
				 * empty without another machine */
};

/* The names of the machines that keep package files: one or two. */
struct str_list copy_nodes(const struct index *ix, struct arena *a);

/*
 * Have the other machine keep a file that is kept here, for as long as it
 * takes.  replace: what lies there is damaged.
 */
MUST_USE enum status copy_push(struct index *ix, struct arena *a,
    const struct copy *copy, bool replace, struct err *err);

/*
 * The same for an upload, which does not fail by it.  Takes two minutes
 * at the most, and peer_timeout_ms when it is away.
 */
void copy_send(struct index *ix, struct arena *a, const struct copy *copy,
    struct copy_sent *out);

/* copy_send(), unless the other machine says that it has it. */
void copy_ensure_sent(struct index *ix, struct arena *a,
    const struct copy *copy, struct copy_sent *out);

/* Is the file kept here, to the byte, and are its metadata beside it? */
MUST_USE enum status copy_is_here(struct index *ix, struct arena *a,
    const struct copy *copy, bool *out, struct err *err);

/*
 * Note that the other machine lacks a file, for its runner; in the caller's
 * transaction, if there is one.  Without a row of that file, nothing.
 */
MUST_USE enum status copy_note_missing(struct index *ix, struct arena *a,
    const struct copy *copy, struct str why, struct err *err);

/* How many files a machine lacks; *why is what the newest try said. */
MUST_USE enum status copy_count_missing(struct index *ix, struct arena *a,
    struct str node, int64_t *n, struct str *why, struct err *err);

/*
 * Fetch a file from the other machine, compare it with its digest and keep
 * it.  replace: what lies here is damaged.  NOT_FOUND: there is none over
 * there either; INVALID: that one is damaged, too.
 */
MUST_USE enum status copy_fetch(struct index *ix, struct arena *a,
    const struct copy *copy, bool replace, struct peer_answer *answer,
    struct err *err);

/*
 * The runner's chore: fetch what this machine lacks, one file after the
 * other, for some seconds.  *done counts.  What fails is put off, and its row
 * says why; UNAVAILABLE says so too, unless the other machine is only away.
 */
MUST_USE enum status copy_fetch_due(struct index *ix, struct arena *a,
    int64_t *done, struct err *err);

#endif
