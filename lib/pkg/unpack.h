/*
 * unpack: a compressed stream, piece by piece and within limits.
 *
 * gzip goes through zlib, which checks length and checksum of each gzip
 * member (libarchive's own reader does not); bzip2 and xz go through
 * libarchive.  Whatever the stream claims, no more comes out than limits
 * allow: unpacked_bytes, and ratio past 64 MiB.
 *
 * An xz stream may ask for a dictionary of up to 1 GB, libarchive's limit; it
 * is touched only as far as data come out.
 */
#ifndef PKG_UNPACK_H
#define PKG_UNPACK_H

#include <stdint.h>

#include "base/str.h"

struct arena;
struct archive_limits;
struct unpack;

#define UNPACK_PIECE_BYTES	((size_t)64 << 10)	/* the largest */
#define UNPACK_FREE_BYTES	((int64_t)64 << 20)	/* any ratio up to here */

enum packing {
	PACKING_GZIP,		/* RFC 1952 */
	PACKING_BZIP2,
	PACKING_XZ,
};

/*
 * Begin to unpack fd from its start.  INVALID when it does not begin as such
 * a stream does.  What it holds is released with the arena.
 */
MUST_USE enum status unpack_open(struct arena *a, int fd,
    enum packing packing, const struct archive_limits *limits,
    struct unpack **out, struct err *err);

/*
 * The next piece, good until the next call; empty at the end.  INVALID when
 * the stream is damaged, cut short, followed by other data (zero bytes are
 * padding), or over a limit.
 */
MUST_USE enum status unpack_next(struct unpack *u, struct str *piece,
    struct err *err);

/* How many bytes came out, up to the last one that is not zero. */
int64_t unpack_used_bytes(const struct unpack *u);

#endif
