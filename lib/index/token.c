#include "index/token.h"

#include "base/arena.h"
#include "index/account.h"
#include "index/index.h"
#include "io/db.h"
#include "io/secret.h"
#include "pkg/name.h"

/* Why a token that exists may not be used, or NULL if it may. */
static const char *
why_not(const struct db_rows *rows)
{
	if (db_bool_at(rows, 0, TOKEN_FIND_IS_REVOKED))
		return "This token was revoked; create a new one";
	if (db_bool_at(rows, 0, TOKEN_FIND_IS_EXPIRED))
		return "This token has expired; create a new one";
	if (!db_bool_at(rows, 0, TOKEN_FIND_IS_ACTIVE))
		return "This token's account is switched off; ask the "
		    "operator of this index";
	return NULL;
}

static enum status
read_scope(struct index *ix, struct arena *a, int64_t token_id,
    struct caller *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_TOKEN_PROJECTS,
	    DB_ARGS(db_int(token_id)), &rows, err);
	for (int i = 0; st == OK && i < rows.n; i++)
		str_list_add(a, &out->projects,
		    db_str(&rows, i, TOKEN_PROJECTS_PROJECT));
	return st;
}

/* A secret that cannot be a token of ours. */
static enum status
no_token(struct str secret, struct err *err)
{
	if (str_starts(secret, STR(TOKEN_PREFIX)))
		return err_set(err, UNKNOWN_CALLER, "The token is cut short or "
		    "mistyped: copy it once more, or create a new one");
	return err_set(err, UNKNOWN_CALLER, "The password is not a token of "
	    "this index: those begin with '" TOKEN_PREFIX "'");
}

enum status
token_identify(struct index *ix, struct arena *a, struct str secret,
    struct caller *out, struct err *err)
{
	unsigned char hash[32];
	struct db_rows rows;
	int64_t id;
	enum status st;

	if (!token_hash(secret, hash))
		return no_token(secret, err);
	st = db_run(ix->db, a, SQL_TOKEN_FIND,
	    DB_ARGS(db_bytes(hash, sizeof(hash))), &rows, err);
	if (st == NOT_FOUND)
		return err_set(err, UNKNOWN_CALLER,
		    "This index knows no such token");
	if (st != OK)
		return st;
	if (why_not(&rows))
		return err_set(err, UNKNOWN_CALLER, "%s", why_not(&rows));
	id = db_int64(&rows, 0, TOKEN_FIND_ID);
	*out = (struct caller){
		.account_id = db_int64(&rows, 0, TOKEN_FIND_ACCOUNT_ID),
		.name = db_str(&rows, 0, TOKEN_FIND_ACCOUNT),
		.is_limited = db_bool_at(&rows, 0, TOKEN_FIND_IS_LIMITED),
	};
	if (out->is_limited)
		st = read_scope(ix, a, id, out, err);
	if (st == OK && db_bool_at(&rows, 0, TOKEN_FIND_IS_USE_OLD))
		st = db_run(ix->db, a, SQL_TOKEN_SET_USED,
		    DB_ARGS(db_int(id)), NULL, err);
	return st;
}

enum status
token_create(struct index *ix, struct arena *a, struct str account,
    struct str label, const struct str_list *projects, int64_t ttl_s,
    struct str *secret, int64_t *id, struct err *err)
{
	unsigned char hash[32];
	struct db_rows rows;
	int64_t owner;
	enum status st;

	if (label.n == 0 || label.n > TOKEN_LABEL_BYTES)
		return err_set(err, INVALID, "a token needs a label of 1 to "
		    "%d bytes, to know it by", TOKEN_LABEL_BYTES);
	for (size_t i = 0; i < projects->n; i++)
		if (!name_is_valid(projects->at[i]) ||
		    !name_is_normal(projects->at[i]))
			return err_set(err, INVALID, "'%.*s' is not a "
			    "normalized project name",
			    STR_ARG(projects->at[i]));
	st = account_id(ix, a, account, &owner, err);
	if (st != OK)
		return st;
	*secret = token_new(a, hash);
	st = db_run(ix->db, a, SQL_TOKEN_ADD, DB_ARGS(db_int(owner),
	    db_bytes(hash, sizeof(hash)), db_text(label),
	    db_text_array(projects), ttl_s ? db_int(ttl_s) : db_null()),
	    &rows, err);
	if (st == OK)
		*id = db_int64(&rows, 0, TOKEN_ADD_ID);
	return st;
}

enum status
token_revoke(struct index *ix, struct arena *a, int64_t id, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_TOKEN_REVOKE, DB_ARGS(db_int(id)), &rows,
	    err);
	if (st == NOT_FOUND)
		return err_set(err, NOT_FOUND, "there is no token %lld",
		    (long long)id);
	return st;
}

static int64_t
time_or_never(const struct db_rows *rows, int row, int column)
{
	return db_is_null(rows, row, column) ? 0 :
	    db_int64(rows, row, column);
}

enum status
token_list(struct index *ix, struct arena *a, struct str account,
    struct token_list *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_TOKEN_LIST, DB_ARGS(db_text(account)),
	    &rows, err);
	if (st != OK)
		return st;
	out->n = (size_t)rows.n;
	out->at = arena_array(a, out->n, sizeof(*out->at));
	for (int i = 0; i < rows.n; i++)
		out->at[i] = (struct token){
			.id = db_int64(&rows, i, TOKEN_LIST_ID),
			.account = db_str(&rows, i, TOKEN_LIST_ACCOUNT),
			.label = db_str(&rows, i, TOKEN_LIST_LABEL),
			.projects = db_str(&rows, i, TOKEN_LIST_PROJECTS),
			.created_at_us = db_int64(&rows, i,
			    TOKEN_LIST_CREATED_AT_US),
			.expires_at_us = time_or_never(&rows, i,
			    TOKEN_LIST_EXPIRES_AT_US),
			.last_used_at_us = time_or_never(&rows, i,
			    TOKEN_LIST_LAST_USED_AT_US),
			.is_revoked = db_bool_at(&rows, i,
			    TOKEN_LIST_IS_REVOKED),
		};
	return OK;
}
