/*
 * digest: SHA-256, MD5 and BLAKE2b-256 of a file, in one pass.
 *
 *	struct digester *d = digester_new(rq->arena);
 *	while (there is more)
 *		digester_update(d, piece, n);
 *	digester_final(d, &digests);
 *
 * SHA-256 is what installers check (PEP 503), MD5 what old clients send and
 * legacy JSON shows, BLAKE2b-256 what the file store and its URLs are made of.
 * The work is OpenSSL's and libsodium's; call secret_start() at the start of
 * a program, so that libsodium picks the fast code for this processor.
 */
#ifndef IO_DIGEST_H
#define IO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct digester;

#define DIGEST_PIECE_BYTES	((size_t)64 << 10)	/* read this much at once */

struct digests {
	unsigned char sha256[32];
	unsigned char md5[16];
	unsigned char blake2b_256[32];
	int64_t size;			/* bytes digested */
};

/* Begin.  What it holds is released with the arena. */
struct digester *digester_new(struct arena *a);

void digester_update(struct digester *d, const void *bytes, size_t n);

/* The digests of all that was given.  Ends d: no update or final after it. */
void digester_final(struct digester *d, struct digests *out);

/* Lower-case hexadecimal. */
struct str digest_hex(struct arena *a, const void *digest, size_t n);

/*
 * Is hex, in any case, the n bytes of this digest?  False as well when it is
 * not 2 * n hexadecimal digits.
 */
bool digest_hex_eq(struct str hex, const void *digest, size_t n);

/* Read a digest of n bytes from 2 * n digits; false when it is none. */
bool digest_read_hex(struct str hex, void *digest, size_t n);

/* SHA-256 of bytes that are in memory. */
void digest_sha256(struct str bytes, unsigned char out[32]);

#endif
