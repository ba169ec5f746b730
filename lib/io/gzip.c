#include "io/gzip.h"

#include <libdeflate.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"

/* What stands before a piece's bytes: CRC and length of what was packed. */
#define PIECE_HEAD	((size_t)8)

#define RAW_DEFLATE	(-MAX_WBITS)	/* zlib: no header, no trailer */
#define PIECE_MEMORY	8		/* zlib's usual memLevel */

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

static void
write_le32(char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(value >> (8 * i));
}

static uint32_t
read_le32(const char *at)
{
	uint32_t value = 0;

	for (int i = 3; i >= 0; i--)
		value = value << 8 | (unsigned char)at[i];
	return value;
}

static uint32_t
crc_of(struct str bytes)
{
	return (uint32_t)crc32_z(0, (const Bytef *)bytes.p, bytes.n);
}

struct str
gzip_piece(struct arena *a, struct str bytes, int level)
{
	z_stream z = { .next_in = (z_const Bytef *)bytes.p };
	char *out;
	size_t room;

	if (deflateInit2(&z, level, Z_DEFLATED, RAW_DEFLATE, PIECE_MEMORY,
	    Z_DEFAULT_STRATEGY) != Z_OK)
		panic("no deflate of level %d", level);
	room = deflateBound(&z, bytes.n) + 16;	/* and the flush's marker */
	out = arena_alloc(a, PIECE_HEAD + room);
	write_le32(out, crc_of(bytes));
	write_le32(out + 4, (uint32_t)bytes.n);
	z.avail_in = (uInt)bytes.n;
	z.next_out = (Bytef *)out + PIECE_HEAD;
	z.avail_out = (uInt)room;
	if (deflate(&z, Z_FULL_FLUSH) != Z_OK || z.avail_in || !z.avail_out)
		panic("deflate of %zu bytes is over its bound", bytes.n);
	room -= z.avail_out;
	deflateEnd(&z);
	return (struct str){ out, PIECE_HEAD + room };
}

/* RFC 1952: magic, deflate, no flags, no time, no hints, unknown system. */
void
gzip_join_begin(struct gzip_join *join, struct buf *out)
{
	*join = (struct gzip_join){ .crc = 0 };
	buf_put(out, STR("\x1f\x8b\x08\0\0\0\0\0\0\xff"));
}

void
gzip_join_add(struct gzip_join *join, struct buf *out, struct str piece)
{
	uint32_t n;

	if (piece.n < PIECE_HEAD)
		panic("a gzip piece of %zu bytes", piece.n);
	n = read_le32(piece.p + 4);
	join->crc = (uint32_t)crc32_combine(join->crc, read_le32(piece.p),
	    (z_off_t)n);
	join->raw_bytes += n;
	buf_put(out, str_sub(piece, PIECE_HEAD, piece.n));
}

/* An empty last block (RFC 1951 3.2.6), then CRC and length. */
void
gzip_join_end(struct gzip_join *join, struct buf *out)
{
	char trailer[8];

	write_le32(trailer, join->crc);
	write_le32(trailer + 4, join->raw_bytes);
	buf_put(out, STR("\x03\0"));
	buf_put(out, (struct str){ trailer, sizeof(trailer) });
}
