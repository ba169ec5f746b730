/* Unit tests of io/secret. */
#include "tap.h"

#include <sodium.h>

#include "io/digest.h"
#include "io/secret.h"

/* As cheap as libsodium lets it be. */
static const struct password_cost cheap = { .ops = 1, .memory_bytes = 8192 };

static void
test_a_password_verifies_against_its_hash_only(struct arena *a)
{
	struct str hash = password_hash(a, STR("caraway"), &cheap);

	ok(str_starts(hash, STR("$argon2id$v=19$m=8,t=1,p=1$")));
	ok(password_verify(hash, STR("caraway")));
	ok(!password_verify(hash, STR("Caraway")));
	ok(!password_verify(hash, STR("caraway ")));
	ok(!password_verify(hash, STR("")));
}

static void
test_the_same_password_never_hashes_alike(struct arena *a)
{
	ok(!str_eq(password_hash(a, STR("x"), &cheap),
	    password_hash(a, STR("x"), &cheap)));
}

static void
test_the_usual_cost_is_two_passes_over_64_mb(struct arena *a)
{
	struct str hash = password_hash(a, STR("x"), NULL);

	ok(str_starts(hash, STR("$argon2id$v=19$m=65536,t=2,p=1$")));
	ok(password_verify(hash, STR("x")));
}

/* libsodium parses it whole, and finds nothing to bring up to date. */
static void
test_nobodys_hash_costs_what_others_do(struct arena *a)
{
	struct str hash = password_nobodys_hash();

	is_int(crypto_pwhash_str_needs_rehash(str_z(a, hash),
	    password_cost_interactive.ops,
	    password_cost_interactive.memory_bytes), 0);
	is_int((int64_t)hash.n, (int64_t)password_hash(a, STR("x"), NULL).n);
	ok(!password_verify(hash, STR("")));
}

static void
test_damaged_hashes_verify_nothing(struct arena *a)
{
	struct str hash = password_hash(a, STR("x"), &cheap);

	ok(!password_verify(STR(""), STR("x")));
	ok(!password_verify(STR("$argon2id$"), STR("x")));
	ok(!password_verify(str_sub(hash, 0, hash.n - 1), STR("x")));
	ok(!password_verify((struct str){ arena_alloc(a, 4096), 4096 },
	    STR("x")));
}

static void
test_a_password_over_the_limit_has_no_hash(struct arena *a)
{
	struct str longest = { arena_alloc(a, PASSWORD_BYTES + 1),
	    PASSWORD_BYTES };
	struct str longer = { longest.p, PASSWORD_BYTES + 1 };
	struct str hash = password_hash(a, longest, &cheap);

	ok(password_verify(hash, longest));
	ok(!password_verify(hash, longer));
	is_int(password_hash(a, longer, &cheap).n, 0);
}

static void
test_a_new_token_is_one_and_hashes_to_what_we_store(struct arena *a)
{
	unsigned char stored[32], got[32], sha256[32];
	struct str token = token_new(a, stored);

	is_int(token.n, TOKEN_BYTES);
	ok(str_starts(token, STR("tilsit-")));
	ok(token_hash(token, got));
	ok(secret_eq(stored, got, 32));
	digest_sha256(token, sha256);
	ok(secret_eq(stored, sha256, 32));
	ok(!str_eq(token, token_new(a, got)));
}

/* By Python: base64.urlsafe_b64encode(bytes(range(32))), zlib.crc32(). */
static void
test_the_form_of_a_token_is_fixed(struct arena *a)
{
	unsigned char got[32];

	(void)a;
	ok(token_hash(STR("tilsit-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	    "bad4991d"), got));
}

static void
test_any_changed_byte_makes_it_no_token(struct arena *a)
{
	unsigned char hash[32];
	struct str token = token_new(a, hash);
	char *text = str_z(a, token);
	int taken = 0;

	for (size_t i = 0; i < token.n; i++) {
		text[i] = (char)(text[i] ^ 1);
		taken += token_hash((struct str){ text, token.n }, hash);
		text[i] = (char)(text[i] ^ 1);
	}
	is_int(taken, 0);
	ok(token_hash((struct str){ text, token.n }, hash));
}

static void
test_other_text_is_no_token(struct arena *a)
{
	unsigned char hash[32];
	struct str token = token_new(a, hash);

	ok(!token_hash(STR(""), hash));
	ok(!token_hash(STR("pypi-AgEIcHlwaS5vcmc"), hash));
	ok(!token_hash(str_sub(token, 0, token.n - 1), hash));
	ok(!token_hash(str_fmt(a, "%.*s ", STR_ARG(token)), hash));
	ok(!token_hash(str_fmt(a, " %.*s", STR_ARG(token)), hash));
}

static void
test_random_bytes_fill_what_they_are_given(struct arena *a)
{
	unsigned char bytes[64] = { 0 };
	unsigned char zero[64] = { 0 };

	(void)a;
	random_bytes(bytes, sizeof(bytes));
	ok(!secret_eq(bytes, zero, 64));
	ok(!secret_eq(bytes + 32, zero, 32));
}

int
main(void)
{
	struct err err;

	if (secret_start(&err) != OK)
		return 1;
	RUN(test_a_password_verifies_against_its_hash_only);
	RUN(test_the_same_password_never_hashes_alike);
	RUN(test_the_usual_cost_is_two_passes_over_64_mb);
	RUN(test_nobodys_hash_costs_what_others_do);
	RUN(test_damaged_hashes_verify_nothing);
	RUN(test_a_password_over_the_limit_has_no_hash);
	RUN(test_a_new_token_is_one_and_hashes_to_what_we_store);
	RUN(test_the_form_of_a_token_is_fixed);
	RUN(test_any_changed_byte_makes_it_no_token);
	RUN(test_other_text_is_no_token);
	RUN(test_random_bytes_fill_what_they_are_given);
	return tap_done();
}
