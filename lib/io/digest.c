#include "io/digest.h"

#include <openssl/evp.h>
#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"

struct digester {
	EVP_MD_CTX *sha256;
	EVP_MD_CTX *md5;
	crypto_generichash_state blake2b;	/* wants 64-byte alignment */
	int64_t size;
};

static void
free_context(void *ctx)
{
	EVP_MD_CTX_free(ctx);
}

/*
 * OpenSSL refuses a digest only where it was built or configured without it;
 * such a machine cannot run an index, and no request can bring it about.
 */
static EVP_MD_CTX *
begin(struct arena *a, const EVP_MD *type)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || EVP_DigestInit_ex(ctx, type, NULL) != 1)
		panic("OpenSSL cannot compute %s", EVP_MD_get0_name(type));
	arena_defer(a, free_context, ctx);
	return ctx;
}

/* The arena aligns for any ordinary type, which is not enough here. */
static void *
alloc_aligned(struct arena *a, size_t n, size_t align)
{
	uintptr_t p = (uintptr_t)arena_alloc(a, n + align);

	return (void *)((p + align - 1) & ~(uintptr_t)(align - 1));
}

struct digester *
digester_new(struct arena *a)
{
	struct digester *d = alloc_aligned(a, sizeof(*d),
	    _Alignof(struct digester));

	d->sha256 = begin(a, EVP_sha256());
	d->md5 = begin(a, EVP_md5());
	crypto_generichash_init(&d->blake2b, NULL, 0, 32);
	d->size = 0;
	return d;
}

void
digester_update(struct digester *d, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	/* In pieces that stay in the cache while three digests read them. */
	while (n > 0) {
		size_t piece = n < DIGEST_PIECE_BYTES ? n : DIGEST_PIECE_BYTES;

		if (EVP_DigestUpdate(d->sha256, p, piece) != 1 ||
		    EVP_DigestUpdate(d->md5, p, piece) != 1)
			panic("digester_update after digester_final");
		crypto_generichash_update(&d->blake2b, p, piece);
		d->size += (int64_t)piece;
		p += piece;
		n -= piece;
	}
}

void
digester_final(struct digester *d, struct digests *out)
{
	if (EVP_DigestFinal_ex(d->sha256, out->sha256, NULL) != 1 ||
	    EVP_DigestFinal_ex(d->md5, out->md5, NULL) != 1)
		panic("digester_final twice");
	crypto_generichash_final(&d->blake2b, out->blake2b_256, 32);
	out->size = d->size;
}

struct str
digest_hex(struct arena *a, const void *digest, size_t n)
{
	struct buf b = buf_new(a);

	buf_hex(&b, digest, n);
	return buf_view(&b);
}

/* The value of one hexadecimal digit, or -1. */
static int
hex_value(char c)
{
	c = to_lower(c);
	if (is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
digest_hex_eq(struct str hex, const void *digest, size_t n)
{
	const unsigned char *want = digest;

	if (hex.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(hex.p[2 * i]);
		int low = hex_value(hex.p[2 * i + 1]);

		if (high < 0 || low < 0 || high * 16 + low != want[i])
			return false;
	}
	return true;
}

bool
digest_read_hex(struct str hex, void *digest, size_t n)
{
	unsigned char *out = digest;

	if (hex.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(hex.p[2 * i]);
		int low = hex_value(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high * 16 + low);
	}
	return true;
}

void
digest_sha256(struct str bytes, unsigned char out[32])
{
	if (EVP_Digest(bytes.n ? bytes.p : "", bytes.n, out, NULL,
	    EVP_sha256(), NULL) != 1)
		panic("OpenSSL cannot compute SHA-256");
}
