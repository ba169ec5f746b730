/* gzip: pages as they lie in the cache, ready for clients that take gzip. */
#ifndef IO_GZIP_H
#define IO_GZIP_H

#include "base/str.h"

struct arena;

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

#endif
