#include "index/account.h"

#include "base/arena.h"
#include "http/credential.h"
#include "index/index.h"
#include "index/token.h"
#include "io/db.h"
#include "io/secret.h"

static enum status
identify_password(struct index *ix, struct arena *a,
    const struct credential *credential, struct caller *out,
    struct err *err)
{
	struct str hash = password_nobodys_hash();
	struct db_rows rows;
	bool is_known, is_right;
	enum status st;

	st = db_run(ix->db, a, SQL_ACCOUNT_FIND,
	    DB_ARGS(db_text(str_lower(a, credential->user))), &rows, err);
	if (st != OK && st != NOT_FOUND)
		return st;
	is_known = st == OK && !db_is_null(&rows, 0, ACCOUNT_FIND_PASSWORD_HASH);
	if (is_known)
		hash = db_str(&rows, 0, ACCOUNT_FIND_PASSWORD_HASH);
	is_right = password_verify(hash, credential->secret);
	if (!is_known || !is_right)
		return err_set(err, UNKNOWN_CALLER,
		    "Wrong user name or password");
	if (!db_bool_at(&rows, 0, ACCOUNT_FIND_IS_ACTIVE))
		return err_set(err, UNKNOWN_CALLER, "This account is switched "
		    "off; ask the operator of this index");
	*out = (struct caller){
		.account_id = db_int64(&rows, 0, ACCOUNT_FIND_ID),
		.name = db_str(&rows, 0, ACCOUNT_FIND_NAME),
	};
	return OK;
}

enum status
account_identify(struct index *ix, struct arena *a,
    const struct credential *credential, struct caller *out,
    struct err *err)
{
	switch (credential->kind) {
	case CREDENTIAL_TOKEN:
		return token_identify(ix, a, credential->secret, out, err);
	case CREDENTIAL_PASSWORD:
		return identify_password(ix, a, credential, out, err);
	default:
		return err_set(err, UNKNOWN_CALLER, "You must be identified: "
		    "send a token of this index as the password of user "
		    "__token__, or your user name and password");
	}
}

enum status
caller_check_scope(const struct caller *caller, struct str project,
    struct err *err)
{
	if (!caller->is_limited || str_list_has(&caller->projects, project))
		return OK;
	return err_set(err, DENIED, "The given token isn't allowed to upload "
	    "to project '%.*s': it is limited to other projects; create one "
	    "for this project, or one without a limit", STR_ARG(project));
}

static bool
is_account_name(struct str name)
{
	if (name.n == 0 || name.n > ACCOUNT_NAME_BYTES || !is_alnum(name.p[0]))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!is_alnum(c) && c != '.' && c != '_' && c != '-')
			return false;
		if (c != to_lower(c))
			return false;
	}
	return true;
}

static enum status
password_check(struct str password, struct err *err)
{
	if (password.n < PASSWORD_LEAST_BYTES)
		return err_set(err, INVALID, "a password needs at least %d "
		    "characters", PASSWORD_LEAST_BYTES);
	if (password.n > PASSWORD_MOST_BYTES)
		return err_set(err, INVALID, "a password may have at most %d "
		    "bytes", PASSWORD_MOST_BYTES);
	return OK;
}

/* UNAVAILABLE without the memory that hashing takes. */
static enum status
hash_password(struct arena *a, struct str password, struct str *out,
    struct err *err)
{
	struct str hash = password_hash(a, password,
	    &password_cost_interactive);

	if (hash.n == 0)
		return err_set(err, UNAVAILABLE, "there is not the memory to "
		    "hash a password");
	*out = hash;
	return OK;
}

enum status
account_add(struct index *ix, struct arena *a, struct str name,
    struct str email, struct str password, struct err *err)
{
	struct str hash = STR("");
	struct db_rows rows;
	enum status st;

	if (!is_account_name(name))
		return err_set(err, INVALID, "'%.*s' cannot be a user name: "
		    "use lower-case letters, digits, '.', '_' and '-', at "
		    "most %d, beginning with a letter or digit",
		    STR_ARG(name), ACCOUNT_NAME_BYTES);
	if (password.n) {
		st = password_check(password, err);
		if (st == OK)
			st = hash_password(a, password, &hash, err);
		if (st != OK)
			return st;
	}
	st = db_run(ix->db, a, SQL_ACCOUNT_ADD, DB_ARGS(db_text(name),
	    db_text(email), db_text_or_null(hash)), &rows, err);
	if (st == CONFLICT)
		return err_set(err, CONFLICT, "there is a user '%.*s' already",
		    STR_ARG(name));
	return st;
}

enum status
account_id(struct index *ix, struct arena *a, struct str name, int64_t *id,
    struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_ACCOUNT_FIND, DB_ARGS(db_text(name)),
	    &rows, err);
	if (st == NOT_FOUND)
		return err_set(err, NOT_FOUND, "there is no user '%.*s'",
		    STR_ARG(name));
	if (st == OK)
		*id = db_int64(&rows, 0, ACCOUNT_FIND_ID);
	return st;
}

enum status
account_set_password(struct index *ix, struct arena *a, struct str name,
    struct str password, struct err *err)
{
	struct str hash;
	int64_t id;
	enum status st;

	st = password_check(password, err);
	if (st == OK)
		st = account_id(ix, a, name, &id, err);
	if (st == OK)
		st = hash_password(a, password, &hash, err);
	if (st != OK)
		return st;
	return db_run(ix->db, a, SQL_ACCOUNT_SET_PASSWORD,
	    DB_ARGS(db_int(id), db_text(hash)), NULL, err);
}

enum status
account_set_active(struct index *ix, struct arena *a, struct str name,
    bool is_active, struct err *err)
{
	int64_t id;
	enum status st;

	st = account_id(ix, a, name, &id, err);
	if (st != OK)
		return st;
	return db_run(ix->db, a, SQL_ACCOUNT_SET_ACTIVE,
	    DB_ARGS(db_int(id), db_bool(is_active)), NULL, err);
}

enum status
account_list(struct index *ix, struct arena *a, struct account_list *out,
    struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_ACCOUNT_LIST, NULL, 0, &rows, err);
	if (st != OK)
		return st;
	out->n = (size_t)rows.n;
	out->at = arena_array(a, out->n, sizeof(*out->at));
	for (int i = 0; i < rows.n; i++)
		out->at[i] = (struct account){
			.name = db_str(&rows, i, ACCOUNT_LIST_NAME),
			.email = db_str(&rows, i, ACCOUNT_LIST_EMAIL),
			.is_active = db_bool_at(&rows, i,
			    ACCOUNT_LIST_IS_ACTIVE),
			.has_password = db_bool_at(&rows, i,
			    ACCOUNT_LIST_HAS_PASSWORD),
			.created_at_us = db_int64(&rows, i,
			    ACCOUNT_LIST_CREATED_AT_US),
		};
	return OK;
}
