/* Unit tests of io/digest. */
#include "tap.h"

#include "io/digest.h"

static struct digests
digests_of(struct arena *a, struct str bytes, size_t piece)
{
	struct digester *d = digester_new(a);
	struct digests out;

	for (size_t i = 0; i < bytes.n; i += piece) {
		struct str s = str_sub(bytes, i, i + piece);

		digester_update(d, s.p, s.n);
	}
	digester_final(d, &out);
	return out;
}

static void
test_the_digests_of_abc_are_those_of_the_standards(struct arena *a)
{
	struct digests d = digests_of(a, STR("abc"), 1);

	is_str(digest_hex(a, d.sha256, 32), STR("ba7816bf8f01cfea414140de5dae"
	    "2223b00361a396177a9cb410ff61f20015ad"));
	is_str(digest_hex(a, d.md5, 16),
	    STR("900150983cd24fb0d6963f7d28e17f72"));
	is_str(digest_hex(a, d.blake2b_256, 32), STR("bddd813c634239723171ef3f"
	    "ee98579b94964e3bb1cb3e427262c8c068d52319"));
	is_int(d.size, 3);
}

static void
test_no_bytes_have_digests_too(struct arena *a)
{
	struct digests d = digests_of(a, STR(""), 1);

	is_str(digest_hex(a, d.md5, 16),
	    STR("d41d8cd98f00b204e9800998ecf8427e"));
	is_int(d.size, 0);
}

static void
test_the_size_of_the_pieces_does_not_matter(struct arena *a)
{
	size_t n = 3 * DIGEST_PIECE_BYTES + 17;
	char *bytes = arena_alloc(a, n);
	struct digests one, other;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i * 7);
	one = digests_of(a, (struct str){ bytes, n }, n);
	other = digests_of(a, (struct str){ bytes, n }, 1000);
	ok(memcmp(one.sha256, other.sha256, 32) == 0);
	ok(memcmp(one.md5, other.md5, 16) == 0);
	ok(memcmp(one.blake2b_256, other.blake2b_256, 32) == 0);
	is_int(one.size, n);
	is_int(other.size, n);
}

static void
test_hex_compares_in_any_case_and_in_full(struct arena *a)
{
	static const unsigned char digest[2] = { 0x0a, 0xbf };

	(void)a;
	ok(digest_hex_eq(STR("0abf"), digest, 2));
	ok(digest_hex_eq(STR("0AbF"), digest, 2));
	ok(!digest_hex_eq(STR("0abe"), digest, 2));
	ok(!digest_hex_eq(STR("0ab"), digest, 2));
	ok(!digest_hex_eq(STR("0abf0"), digest, 2));
	ok(!digest_hex_eq(STR("0abg"), digest, 2));
	ok(!digest_hex_eq(STR(""), digest, 2));
}

static void
test_sha256_in_one_call_equals_the_streamed_one(struct arena *a)
{
	struct digests d = digests_of(a, STR("tilsit"), 2);
	unsigned char once[32];

	digest_sha256(STR("tilsit"), once);
	ok(memcmp(once, d.sha256, 32) == 0);
	digest_sha256((struct str){ NULL, 0 }, once);
	is_int(once[0], 0xe3);
}

int
main(void)
{
	RUN(test_the_digests_of_abc_are_those_of_the_standards);
	RUN(test_no_bytes_have_digests_too);
	RUN(test_the_size_of_the_pieces_does_not_matter);
	RUN(test_hex_compares_in_any_case_and_in_full);
	RUN(test_sha256_in_one_call_equals_the_streamed_one);
	return tap_done();
}
