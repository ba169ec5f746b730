/* gzip: pages as they lie in the cache, ready for clients that take gzip. */
#ifndef IO_GZIP_H
#define IO_GZIP_H

#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;

#define GZIP_LEVEL	6	/* 1 fastest .. 12 smallest; see gzip_pack() */

/*
 * The bytes as one gzip member (RFC 1952), made by libdeflate.  The same
 * bytes and level give the same answer on every machine with the same
 * libdeflate: no name, no time, no operating system within.
 *
 * level is 1 to 12.  The arena holds the result's upper bound, a little more
 * than bytes.n; the compressor's own memory (below 1 MB up to level 9) comes
 * from outside and is given back at once.
 */
struct str gzip_pack(struct arena *a, struct str bytes, int level);

/*
 * One gzip member made of pieces that were packed apart from each other, so
 * that a long document whose parts change need not be packed anew:
 *
 *	gzip_join_begin(&join, &out);
 *	gzip_join_add(&join, &out, gzip_piece(a, first, GZIP_LEVEL));
 *	gzip_join_add(&join, &out, kept_piece);
 *	gzip_join_end(&join, &out);
 *
 * A piece is opaque bytes that may be kept anywhere; out may be sent and
 * emptied between any two calls.  Each piece costs a few bytes for its end
 * (zlib's Z_FULL_FLUSH).
 */
struct gzip_join {
	uint32_t crc;		/* of all that was added */
	uint32_t raw_bytes;	/* modulo 2^32, as the trailer has it */
};

/* Pack bytes as a piece.  level is 1 to 9. */
struct str gzip_piece(struct arena *a, struct str bytes, int level);

void gzip_join_begin(struct gzip_join *join, struct buf *out);

/* Append a piece.  What is none of ours is a bug of ours: panic(). */
void gzip_join_add(struct gzip_join *join, struct buf *out,
    struct str piece);

void gzip_join_end(struct gzip_join *join, struct buf *out);

#endif
