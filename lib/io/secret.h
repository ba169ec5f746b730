/*
 * secret: passwords, API tokens and random bytes, by libsodium.
 *
 * A token looks like this, all in one word of 58 characters:
 *
 *	tilsit-  43 characters of base64url  8 hexadecimal digits
 *
 * The middle is 32 random bytes, the end the CRC-32 (that of zlib) of all
 * that stands before it.  Secret scanners find tokens in leaked text by
 *
 *	\btilsit-[A-Za-z0-9_-]{43}[0-9a-f]{8}\b
 *
 * and know by the checksum, without asking anybody, that a find is no chance
 * likeness.  We store the SHA-256 of a token only: 256 random bits need no
 * slow hash, and `printf %s TOKEN | sha256sum` finds the row of a leaked one.
 */
#ifndef IO_SECRET_H
#define IO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;

#define TOKEN_PREFIX	"tilsit-"
#define TOKEN_BYTES	((size_t)58)		/* the whole text */
#define PASSWORD_BYTES	((size_t)1024)		/* longest that we hash */

/* What hashing a password costs, and so what guessing one does. */
struct password_cost {
	unsigned long long ops;	/* passes over the memory; 1 at least */
	size_t memory_bytes;	/* 8192 at least */
};

/*
 * libsodium's "interactive" limits: 2 passes over 64 MB, some 50 ms.  The
 * memory is taken beside the request's arena and given back at once.
 */
extern const struct password_cost password_cost_interactive;

/* Make libsodium ready.  Once, before all else here.  May be repeated. */
MUST_USE enum status secret_start(struct err *err);

/*
 * Hash a password by Argon2id (RFC 9106).  The answer is text that begins
 * with "$argon2id$" and holds salt and cost.  cost may be NULL, which means
 * password_cost_interactive.
 *
 * Empty when there is no hash: the password is over PASSWORD_BYTES, or the
 * system has not the memory.  An empty hash verifies nothing.
 */
struct str password_hash(struct arena *a, struct str password,
    const struct password_cost *cost);

/*
 * Is this the password of that hash?  The comparison takes the same time
 * whatever differs.  False as well when the hash is empty or damaged, or the
 * system has not the memory that it names.
 */
bool password_verify(struct str hash, struct str password);

/*
 * A hash at password_cost_interactive that is nobody's: verify against it
 * where there is no account, so that a wrong name takes as long as a wrong
 * password and names cannot be found out.
 */
struct str password_nobodys_hash(void);

/* Bytes that nobody can guess.  The kernel's generator never fails. */
void random_bytes(void *out, size_t n);

/* A new token, and what to store of it. */
struct str token_new(struct arena *a, unsigned char hash_out[32]);

/*
 * What we stored of this token if it is one of ours.  False when it does not
 * look like one (prefix, length, alphabet, checksum): nothing need be asked.
 */
bool token_hash(struct str token, unsigned char out[32]);

/* Are n bytes equal?  Takes the same time wherever they differ. */
bool secret_eq(const void *a, const void *b, size_t n);

#endif
