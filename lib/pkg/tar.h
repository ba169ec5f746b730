/*
 * tar: reads a compressed tar archive that is harmless to unpack.
 *
 *	st = tar_open(a, fd, PACKING_GZIP, limits, &tar, err);
 *	while (st == OK && (st = tar_next(tar, &member, err)) == OK)
 *		...
 *	st == NOT_FOUND: all of it is well
 *
 * libarchive reads the members (ustar, pax, GNU and V7 forms, long names).
 * What we refuse besides damage, as INVALID, with err saying what:
 *
 *	- names that member_check() refuses, and two files of one name
 *	- devices, FIFOs, sockets, sparse files
 *	- symbolic links that are absolute, that leave their top folder, or
 *	  that go up after having gone down; members that lie below a link
 *	- hard links to a link, or to what is outside of their top folder
 *	- data behind the end of the archive or of the compressed stream
 *	- whatever is over the limits
 *
 * UNAVAILABLE means that the file could not be read or memory was short.
 *
 * Source: POSIX.1-2017 pax, "ustar Interchange Format"; PEP 706 and 721.
 */
#ifndef PKG_TAR_H
#define PKG_TAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "pkg/unpack.h"

struct arena;
struct archive_limits;
struct tar;

struct tar_member {
	struct str name;	/* good until the next call for this tar */
	bool is_dir;
	bool is_file;		/* neither folder nor link of any kind */
	int64_t size;
};

/* What it holds besides memory is released with the arena. */
MUST_USE enum status tar_open(struct arena *a, int fd, enum packing packing,
    const struct archive_limits *limits, struct tar **out, struct err *err);

/*
 * The next member.  NOT_FOUND at the end, and only after everything that can
 * be judged no earlier was found to be well.
 */
MUST_USE enum status tar_next(struct tar *t, struct tar_member *out,
    struct err *err);

/*
 * The bytes of the member that tar_next() gave last, once, in the arena.
 * INVALID when they are over limit_bytes.
 */
MUST_USE enum status tar_read(struct tar *t, int64_t limit_bytes,
    struct str *out, struct err *err);

#endif
