/*
 * account: who somebody is, and which projects a token lets them change.
 *
 * Passwords are Argon2id hashes, API tokens are kept as digests only.  A
 * refusal says exactly why: a token that expired says so.
 */
#ifndef INDEX_ACCOUNT_H
#define INDEX_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct credential;
struct index;

#define ACCOUNT_NAME_BYTES	50
#define PASSWORD_LEAST_BYTES	8
#define PASSWORD_MOST_BYTES	512

/* Somebody who proved who they are. */
struct caller {
	int64_t account_id;
	struct str name;
	bool is_limited;		/* a token for these projects only */
	struct str_list projects;	/* normalized names */
};

/*
 * Find out who sends these credentials.
 * UNKNOWN_CALLER when there are none, or they are wrong, revoked, expired or
 * of an account that is switched off; err says which.
 */
MUST_USE enum status account_identify(struct index *ix, struct arena *a,
    const struct credential *credential, struct caller *out,
    struct err *err);

/* DENIED when the caller's token is for other projects than this one. */
MUST_USE enum status caller_check_scope(const struct caller *caller,
    struct str project, struct err *err);

/* A new account; CONFLICT when the name is taken.  Empty password: none. */
MUST_USE enum status account_add(struct index *ix, struct arena *a,
    struct str name, struct str email, struct str password,
    struct err *err);

/* NOT_FOUND, or its id. */
MUST_USE enum status account_id(struct index *ix, struct arena *a,
    struct str name, int64_t *id, struct err *err);

MUST_USE enum status account_set_password(struct index *ix, struct arena *a,
    struct str name, struct str password, struct err *err);

/* Let an account in again, or keep it out. */
MUST_USE enum status account_set_active(struct index *ix, struct arena *a,
    struct str name, bool is_active, struct err *err);

struct account {
	struct str name;
	struct str email;
	bool is_active;
	bool has_password;
	int64_t created_at_us;
};

struct account_list {
	struct account *at;
	size_t n;
};

MUST_USE enum status account_list(struct index *ix, struct arena *a,
    struct account_list *out, struct err *err);

#endif
