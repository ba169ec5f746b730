/*
 * root: the list of all projects, /simple/.
 *
 * The list of a large index is tens of megabytes, and every change of any
 * project changes it.  So it is made of chunks, a few hundred projects each by
 * name; each is rendered when it changed, kept in the page cache under the
 * serial of its newest change, and the list is sent chunk by chunk.  A change
 * costs one chunk, and memory is that of one chunk, at any size.
 *
 *	st = root_open(ix, a, ROOT_V1_JSON, gzip, &root, err);
 *	... root.etag is known: the client may have it already ...
 *	st = root_send(ix, &root, put, arg, err);
 *	root_close(ix);
 *
 * What the chunks show belongs to one snapshot of the primary, that of
 * root.serial (C4): a chunk is taken from the cache only if it was made at the
 * serial that the snapshot has for it.
 */
#ifndef INDEX_ROOT_H
#define INDEX_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct index;

enum root_form {
	ROOT_HTML,
	ROOT_V1_HTML,		/* the same bytes under PEP 691's type */
	ROOT_V1_JSON,
};

struct root_chunk {
	struct str first_name;	/* normalized; empty for the first chunk */
	int64_t serial;		/* of the newest change in it */
};

struct root {
	enum root_form form;
	bool gzip;
	int64_t serial;		/* the newest of the index */
	struct str etag;	/* strong, without quotes */
	struct root_chunk *at;
	size_t n;
};

/*
 * Begin: a snapshot is open until root_close(), which must come whatever
 * this and root_send() answer.
 */
MUST_USE enum status root_open(struct index *ix, struct arena *a,
    enum root_form form, bool gzip, struct root *out, struct err *err);

/* The list that was opened, of the same snapshot, in another form. */
struct root root_as(struct arena *a, const struct root *root,
    enum root_form form, bool gzip);

/*
 * Give put() the list, piece by piece.  Ends with the first status of put()
 * that is not OK.
 */
MUST_USE enum status root_send(struct index *ix, const struct root *root,
    enum status (*put)(void *arg, struct str bytes, struct err *err),
    void *arg, struct err *err);

void root_close(struct index *ix);

/* Projects in a chunk; one of twice as many is cut. */
#define ROOT_CHUNK_PROJECTS	256

/*
 * For the runner: cut chunks that have grown too large, of those that
 * changed after *since; *since becomes the serial looked at, *cut counts.
 * Nothing breaks if it is not done; changes only cost more.
 */
MUST_USE enum status root_cut_chunks(struct index *ix, struct arena *a,
    int64_t *since, int64_t *cut, struct err *err);

#endif
