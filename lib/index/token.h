/*
 * token: API tokens, for all of an account's projects or for named ones.
 *
 * The secret is shown once, when the token is made; the index keeps its digest.
 */
#ifndef INDEX_TOKEN_H
#define INDEX_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct caller;
struct index;

#define TOKEN_LABEL_BYTES	100

/*
 * Whose token this is; records its use.  UNKNOWN_CALLER with the reason when
 * there is no such token, or it may no longer be used.
 */
MUST_USE enum status token_identify(struct index *ix, struct arena *a,
    struct str secret, struct caller *out, struct err *err);

/*
 * Make a token for an account.  projects: the PEP 503 names that it is for,
 * which need not exist yet; none means all.  ttl_s: seconds until it expires,
 * 0 for never.  *secret is in the arena, and nowhere else.
 */
MUST_USE enum status token_create(struct index *ix, struct arena *a,
    struct str account, struct str label, const struct str_list *projects,
    int64_t ttl_s, struct str *secret, int64_t *id, struct err *err);

/* Revoke a token for ever.  Doing it twice is no error. */
MUST_USE enum status token_revoke(struct index *ix, struct arena *a,
    int64_t id, struct err *err);

struct token {
	int64_t id;
	struct str account;
	struct str label;
	struct str projects;		/* names with spaces between, or empty */
	int64_t created_at_us;
	int64_t expires_at_us;		/* 0: never */
	int64_t last_used_at_us;	/* 0: never */
	bool is_revoked;
};

struct token_list {
	struct token *at;
	size_t n;
};

/* The tokens of one account, or of all when account is empty. */
MUST_USE enum status token_list(struct index *ix, struct arena *a,
    struct str account, struct token_list *out, struct err *err);

#endif
