#include "io/gzip.h"

#include <libdeflate.h>

#include "base/arena.h"
#include "base/panic.h"

struct str
gzip_pack(struct arena *a, struct str bytes, int level)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
	size_t bound;
	char *out;
	size_t n;

	if (!c)
		panic("no gzip compressor of level %d", level);
	bound = libdeflate_gzip_compress_bound(c, bytes.n);
	out = arena_alloc(a, bound);
	n = libdeflate_gzip_compress(c, bytes.n ? bytes.p : "", bytes.n, out,
	    bound);
	libdeflate_free_compressor(c);
	if (n == 0)
		panic("gzip of %zu bytes is over its bound", bytes.n);
	return (struct str){ out, n };
}
