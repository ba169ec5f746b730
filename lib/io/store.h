/*
 * store: the package files, kept under the digest of their contents.
 *
 *	struct staged *file;
 *	st = store_stage(store, rq->arena, &file, err);
 *	... staged_write(file, piece, n, err) as the body arrives ...
 *	st = staged_finish(file, &digests, err);
 *	... look into it by staged_fd(file) ...
 *	st = store_keep(store, file, filename, metadata, mtime_s, err);
 *
 * Below the root:
 *
 *	staging/<random>			uploads under way
 *	packages/ab/cd/<60 more>/<filename>	kept files; the folders are the
 *						hexadecimal BLAKE2b-256
 *	packages/ab/cd/<60 more>/<filename>.metadata	PEP 658
 *
 * nginx serves packages/ as it lies there; the layout and with it the URLs
 * are pypi.org's.  A file is never changed once it has its name.  What a
 * killed process leaves is either in staging/, where store_sweep() finds it,
 * or a kept file that nothing refers to, which the next try takes over.
 *
 * Failures of the system are UNAVAILABLE; a full disk says that it is one.
 * Nothing here follows a symbolic link below the root.
 */
#ifndef IO_STORE_H
#define IO_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "io/digest.h"

struct arena;
struct store;
struct staged;

#define STORE_NAME_BYTES	((size_t)240)	/* longest file name */

/*
 * Open the store at root, making its folders (mode 0755; staging 0700) where
 * they are missing; root's own parent must exist.  The descriptors are closed
 * with the arena.
 */
MUST_USE enum status store_open(struct arena *a, const char *root,
    struct store **out, struct err *err);

/*
 * Begin an upload.  Unless store_keep() gives it a name, the file goes with
 * the arena, or after a kill by store_sweep().
 */
MUST_USE enum status store_stage(struct store *s, struct arena *a,
    struct staged **out, struct err *err);

/* Append, digesting on the way. */
MUST_USE enum status staged_write(struct staged *f, const void *bytes,
    size_t n, struct err *err);

/* The upload is complete: no more writes.  Gives its digests and size. */
MUST_USE enum status staged_finish(struct staged *f, struct digests *out,
    struct err *err);

/* For reading a finished file.  Belongs to f; never to be closed. */
int staged_fd(const struct staged *f);

/*
 * Give a finished upload its permanent name, with metadata (unless empty) in
 * a file beside it.  When this returns OK, both are on the disk for good.
 *
 * mtime_s (seconds since 1970) becomes the modification time of both, so that
 * two machines that hold the file serve the same Last-Modified and ETag.
 *
 * The same bytes under the same name may be there already, from a try that
 * was cut short or a twin of this request: they stay, and get this metadata
 * and the later of both times, so that twins at two machines agree.  INVALID
 * when filename cannot name a file: empty, longer than
 * STORE_NAME_BYTES, begins with '.', ends with .metadata, or holds a '/' or
 * control character.
 */
MUST_USE enum status store_keep(struct store *s, struct staged *f,
    struct str filename, struct str metadata, int64_t mtime_s,
    struct err *err);

/*
 * The same in place of what lies there, which is known to be damaged: its
 * size is not to be trusted as store_keep() does.
 */
MUST_USE enum status store_replace(struct store *s, struct staged *f,
    struct str filename, struct str metadata, int64_t mtime_s,
    struct err *err);

/* "ab/cd/<60 more>/<filename>": below packages/, and in URLs once escaped. */
struct str store_path(struct arena *a, const unsigned char blake2b_256[32],
    struct str filename);

/*
 * Read a kept file again.  OK when its bytes hash to its name; INVALID when
 * they do not (got is set all the same), NOT_FOUND when it is not there.
 */
MUST_USE enum status store_verify(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    struct digests *got, struct err *err);

/*
 * Read the .metadata beside a kept file: NOT_FOUND when there is none,
 * INVALID when it is over limit_bytes.
 */
MUST_USE enum status store_metadata(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    size_t limit_bytes, struct str *out, struct err *err);

/*
 * Open a kept file for reading; closed with the arena.  NOT_FOUND when it is
 * not there.
 */
MUST_USE enum status store_read(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename, int *fd,
    struct err *err);

/*
 * Put metadata beside a file that is kept already, in place of what lies
 * there; durable when it returns OK.  The file lends its modification time.
 */
MUST_USE enum status store_put_metadata(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    struct str metadata, struct err *err);

/*
 * Remove a kept file, its .metadata, and the folders that are empty then.
 * What is gone already is no failure, so that this can be repeated.
 */
MUST_USE enum status store_remove(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    struct err *err);

/*
 * Remove what lies in staging/ and has not changed for older_than_s seconds;
 * removed counts.  Let it be longer than any upload lasts.
 */
MUST_USE enum status store_sweep(struct store *s, int64_t older_than_s,
    int64_t *removed, struct err *err);

/* One thing found below packages/. */
struct store_item {
	struct str path;	/* below packages/ */
	bool is_ours;		/* a regular file where one of ours may be */
	bool is_metadata;	/* the .metadata beside filename */
	unsigned char blake2b_256[32];	/* by its folders; zero if not ours */
	struct str filename;	/* without .metadata; empty if not ours */
	int64_t size;
	int64_t mtime_s;
};

/*
 * Call each() for everything below packages/ but the folders, sorted by path
 * (bytewise, one folder after the other).  Strangers are reported with
 * is_ours false, a folder that is none of ours once and not entered.  Ends
 * with the first status of each() that is not OK.  The item lives for the
 * call only.
 */
MUST_USE enum status store_each(struct store *s,
    enum status (*each)(void *arg, const struct store_item *item,
    struct err *err), void *arg, struct err *err);

/* Bytes that the store's disk has left for us. */
MUST_USE enum status store_free_bytes(struct store *s, int64_t *out,
    struct err *err);

#endif
