#include "io/secret.h"

#include <libdeflate.h>
#include <sodium.h>
#include <string.h>

#include "base/arena.h"

#define RANDOM_BYTES	((size_t)32)
#define RANDOM_CHARS	((size_t)43)	/* in base64url, without padding */
#define CHECK_CHARS	((size_t)8)	/* CRC-32 in hexadecimal */
#define CHECKED_CHARS	(TOKEN_BYTES - CHECK_CHARS)

const struct password_cost password_cost_interactive = {
	.ops = crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
	.memory_bytes = crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE,
};

enum status
secret_start(struct err *err)
{
	if (sodium_init() == -1)
		return err_set(err, UNAVAILABLE, "libsodium does not start");
	return OK;
}

struct str
password_hash(struct arena *a, struct str password,
    const struct password_cost *cost)
{
	char *hash = arena_alloc(a, crypto_pwhash_STRBYTES);

	if (!cost)
		cost = &password_cost_interactive;
	if (password.n > PASSWORD_BYTES ||
	    crypto_pwhash_str_alg(hash, password.n ? password.p : "",
	    password.n, cost->ops, cost->memory_bytes,
	    crypto_pwhash_ALG_ARGON2ID13) == -1)
		return STR("");
	return str_c(hash);
}

bool
password_verify(struct str hash, struct str password)
{
	char z[crypto_pwhash_STRBYTES] = "";

	if (hash.n == 0 || hash.n >= sizeof(z) ||
	    password.n > PASSWORD_BYTES)
		return false;
	memcpy(z, hash.p, hash.n);
	return crypto_pwhash_str_verify(z, password.n ? password.p : "",
	    password.n) == 0;
}

struct str
password_nobodys_hash(void)
{
	return STR("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
	    "Zx5Hjb5zNpSRBAHpxTZnzdtxr0Hpoa3OlSKnyYAhNwc");
}

void
random_bytes(void *out, size_t n)
{
	randombytes_buf(out, n);
}

/* The checksum of the first CHECKED_CHARS as eight digits. */
static void
check_digits(const char *token, char out[CHECK_CHARS + 1])
{
	uint32_t crc = libdeflate_crc32(0, token, CHECKED_CHARS);

	snprintf(out, CHECK_CHARS + 1, "%08x", (unsigned)crc);
}

static void
hash_text(struct str token, unsigned char out[32])
{
	crypto_hash_sha256(out, (const unsigned char *)token.p, token.n);
}

struct str
token_new(struct arena *a, unsigned char hash_out[32])
{
	unsigned char secret[RANDOM_BYTES];
	char *text = arena_alloc(a, TOKEN_BYTES + 1);
	struct str token = { text, TOKEN_BYTES };
	size_t n = strlen(TOKEN_PREFIX);

	random_bytes(secret, sizeof(secret));
	memcpy(text, TOKEN_PREFIX, n);
	sodium_bin2base64(text + n, RANDOM_CHARS + 1, secret, sizeof(secret),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	check_digits(text, text + CHECKED_CHARS);
	sodium_memzero(secret, sizeof(secret));
	hash_text(token, hash_out);
	return token;
}

static bool
is_base64url(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

bool
token_hash(struct str token, unsigned char out[32])
{
	char check[CHECK_CHARS + 1];

	if (token.n != TOKEN_BYTES || !str_starts(token, STR(TOKEN_PREFIX)) ||
	    !is_base64url(str_sub(token, 0, CHECKED_CHARS)))
		return false;
	check_digits(token.p, check);
	if (!str_eq(str_sub(token, CHECKED_CHARS, TOKEN_BYTES), str_c(check)))
		return false;
	hash_text(token, out);
	return true;
}

bool
secret_eq(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}
