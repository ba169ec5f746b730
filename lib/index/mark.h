/*
 * mark: who lacks changes (rule F2).
 *
 * Before a primary goes on without its replica, a mark says so where failover
 * will look: in a file on either machine (mark_path), and in a third place if
 * there is one (mark_command).  Its text is the same everywhere:
 *
 *	tilsit-mark
 *	lacks=vm-b
 *	id=9f86d081884c7d65
 *	since=2026-11-21T16:20:05Z
 *	serial=4711
 *	lsn=0/3000060
 *	by=vm-a
 *	why=the replica is away
 *	end
 *
 * A machine that a mark names must not become the primary.  So must none while
 * a mark is half, or cannot be read: nobody knows whom that one named.
 *
 * In each place **the first mark stays**: one that names another machine is
 * refused while it stands.  Two machines that each want to go on without the
 * other can therefore never both do so, where they share a place.
 */
#ifndef INDEX_MARK_H
#define INDEX_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;

#define MARK_BYTES	2048	/* a longer text is no mark of ours */

struct mark {
	bool is_set;
	bool is_damaged;	/* set, and nobody knows against whom */
	bool is_held;		/* by `tilsit replica leave`: the watch must
				 * not end it */
	struct str lacks;	/* the machine that lacks changes */
	struct str id;		/* no two have the same */
	struct str since;	/* time, as clock_iso() writes it */
	int64_t serial;		/* the newest that it has for sure */
	struct str lsn;		/* of the primary, when that was so */
	struct str by;		/* the machine that wrote it */
	struct str why;
};

/* Does it say that node must not become the primary? */
bool mark_is_against(const struct mark *m, struct str node);

/* Give a mark an id of its own. */
void mark_renew(struct arena *a, struct mark *m);

/* A new one, from now: by says that lacks has changes only up to a serial. */
struct mark mark_new(struct arena *a, struct str lacks, struct str by,
    const char *why);

/* Append a mark's text; control characters in its words become spaces. */
void mark_put(struct buf *b, const struct mark *m);

/* Read a text; empty is no mark, and what is no whole mark is damaged. */
void mark_parse(struct arena *a, struct str text, struct mark *out);

/*
 * Read the mark in a file.  What cannot be read is damaged, and err says why;
 * otherwise err stays as it is.
 */
void mark_read(struct arena *a, const char *path, struct mark *out,
    struct err *err);

/*
 * Write a mark, durably, in place of one that names the same machine; with
 * replace, in place of any.  CONFLICT when another stands there, which stays;
 * UNAVAILABLE when it may not be on the disk.
 */
MUST_USE enum status mark_write(struct arena *a, const char *path,
    const struct mark *m, bool replace, struct err *err);

/*
 * Remove this very mark, durably: the one with its id, or, if that was damaged,
 * one that is.  OK also if there is none; CONFLICT if there is another.  So who
 * asks for it too late does not remove the next one.
 */
MUST_USE enum status mark_clear(struct arena *a, const char *path,
    const struct mark *m, struct err *err);

#endif
