/*
 * credential: what an Authorization field says about the caller.
 *
 * Reads it only; whether user and secret are right is index/users' business.
 *
 *	Basic user:password	CREDENTIAL_PASSWORD
 *	Basic __token__:X	CREDENTIAL_TOKEN (twine, uv, flit, ...)
 *	Bearer X, token X	CREDENTIAL_TOKEN
 *	no field		CREDENTIAL_NONE
 */
#ifndef HTTP_CREDENTIAL_H
#define HTTP_CREDENTIAL_H

#include "base/str.h"

struct arena;

#define CREDENTIAL_USER_MAX	256	/* bytes */
#define CREDENTIAL_SECRET_MAX	4096	/* bytes; a macaroon has some 200 */

enum credential_kind {
	CREDENTIAL_NONE,
	CREDENTIAL_PASSWORD,
	CREDENTIAL_TOKEN,
};

struct credential {
	enum credential_kind kind;
	struct str user;	/* of a password only; never empty then */
	struct str secret;	/* a token is never empty */
};

/*
 * Read an Authorization field (RFC 7617, RFC 6750).  UNKNOWN_CALLER when it
 * cannot be read: the right answer to that is the challenge.  err never
 * quotes any of it, for it will be logged.
 *
 * A password may hold colons.  Both parts are UTF-8 afterwards: bytes that are
 * not are taken for ISO-8859-1, for so does Python's requests (twine, flit,
 * poetry) send all that fits into it.  Control characters are refused; a token
 * is first trimmed of white space.  Results lie in the arena or in
 * authorization.
 */
MUST_USE enum status credential_parse(struct arena *arena,
    struct str authorization, struct credential *out, struct err *err);

#endif
