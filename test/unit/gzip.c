/* Unit tests of io/gzip. */
#include "tap.h"

#include <zlib.h>

#include "base/buf.h"
#include "io/gzip.h"

/* zlib is another's work, so it is the judge of ours. */
static struct str
unpack(struct arena *a, struct str packed, size_t room)
{
	char *out = arena_alloc(a, room + 1);
	z_stream z = { 0 };
	struct str got = { out, 0 };

	z.next_in = (unsigned char *)(uintptr_t)packed.p;
	z.avail_in = (unsigned)packed.n;
	z.next_out = (unsigned char *)out;
	z.avail_out = (unsigned)room + 1;
	ok(inflateInit2(&z, 15 + 16) == Z_OK);
	ok(inflate(&z, Z_FINISH) == Z_STREAM_END);
	is_int(z.avail_in, 0);
	got.n = z.total_out;
	inflateEnd(&z);
	return got;
}

static void
test_what_was_packed_unpacks_at_every_level(struct arena *a)
{
	size_t n = 100000;
	char *bytes = arena_alloc(a, n);
	struct str text = { bytes, n };

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i % 251);
	for (int level = 1; level <= 12; level++) {
		struct str packed = gzip_pack(a, text, level);

		ok(packed.n < n / 10);
		ok(str_eq(unpack(a, packed, n), text));
	}
}

static void
test_no_bytes_pack_too(struct arena *a)
{
	is_int(unpack(a, gzip_pack(a, STR(""), GZIP_LEVEL), 0).n, 0);
}

static void
test_the_header_holds_no_time_and_no_name(struct arena *a)
{
	struct str packed = gzip_pack(a, STR("abc"), GZIP_LEVEL);

	ok(memcmp(packed.p, "\x1f\x8b\x08\0\0\0\0\0", 8) == 0);
	ok(str_eq(packed, gzip_pack(a, STR("abc"), GZIP_LEVEL)));
}

static void
test_pieces_join_to_one_member(struct arena *a)
{
	struct str first = gzip_piece(a, STR("{\"projects\":["), GZIP_LEVEL);
	struct str second = gzip_piece(a, STR("1,2,3"), 1);
	struct str third = gzip_piece(a, STR("]}\n"), 9);
	struct buf out = buf_new(a);
	struct gzip_join join;

	gzip_join_begin(&join, &out);
	gzip_join_add(&join, &out, first);
	gzip_join_add(&join, &out, second);
	gzip_join_add(&join, &out, second);
	gzip_join_add(&join, &out, third);
	gzip_join_end(&join, &out);
	is_str(unpack(a, buf_view(&out), 100),
	    STR("{\"projects\":[1,2,31,2,3]}\n"));
}

static void
test_no_pieces_join_to_nothing(struct arena *a)
{
	struct buf out = buf_new(a);
	struct gzip_join join;

	gzip_join_begin(&join, &out);
	gzip_join_end(&join, &out);
	is_int(unpack(a, buf_view(&out), 0).n, 0);
}

static void
test_a_piece_that_does_not_pack_still_fits(struct arena *a)
{
	size_t n = 70000;
	char *bytes = arena_alloc(a, n);
	struct buf out = buf_new(a);
	struct str noise = { bytes, n };
	struct gzip_join join;
	unsigned x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u;
		bytes[i] = (char)(x >> 24);
	}
	gzip_join_begin(&join, &out);
	gzip_join_add(&join, &out, gzip_piece(a, noise, GZIP_LEVEL));
	gzip_join_end(&join, &out);
	ok(str_eq(unpack(a, buf_view(&out), n), noise));
}

int
main(void)
{
	RUN(test_what_was_packed_unpacks_at_every_level);
	RUN(test_no_bytes_pack_too);
	RUN(test_the_header_holds_no_time_and_no_name);
	RUN(test_pieces_join_to_one_member);
	RUN(test_no_pieces_join_to_nothing);
	RUN(test_a_piece_that_does_not_pack_still_fits);
	return tap_done();
}
