#include "index/role.h"

#include "base/arena.h"
#include "index/account.h"
#include "index/index.h"
#include "index/project.h"
#include "index/publish.h"
#include "io/db.h"
#include "pkg/name.h"

/* An account's role becomes another one, or, if empty, none. */
struct role_change {
	struct str account;
	struct str role;
};

static enum status
check_owner_stays(struct change *ch, int64_t project_id, int64_t account_id,
    struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ch->ix->db, ch->arena, SQL_ROLE_COUNT_OTHER_OWNERS,
	    DB_ARGS(db_int(project_id), db_int(account_id)), &rows, err);
	if (st == OK && db_int64(&rows, 0, ROLE_COUNT_OTHER_OWNERS_N) == 0)
		return err_set(err, CONFLICT, "project '%.*s' would be left "
		    "without an owner; make somebody else one first",
		    STR_ARG(ch->project));
	return st;
}

static void
note(struct change *ch, struct str was, const struct role_change *to)
{
	struct arena *a = ch->arena;

	if (to->role.n == 0)
		change_note(ch, STR(""), str_fmt(a, "remove %.*s %.*s",
		    STR_ARG(was), STR_ARG(to->account)));
	else if (was.n == 0)
		change_note(ch, STR(""), str_fmt(a, "add %.*s %.*s",
		    STR_ARG(to->role), STR_ARG(to->account)));
	else
		change_note(ch, STR(""), str_fmt(a, "change %.*s %.*s to %.*s",
		    STR_ARG(was), STR_ARG(to->account), STR_ARG(to->role)));
}

/* The account's role in the project as it is, "" for none. */
static enum status
find_role(struct change *ch, int64_t project_id, int64_t account_id,
    struct str *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	*out = STR("");
	st = db_run(ch->ix->db, ch->arena, SQL_ROLE_FIND,
	    DB_ARGS(db_int(project_id), db_int(account_id)), &rows, err);
	if (st == OK)
		*out = db_str(&rows, 0, ROLE_FIND_ROLE);
	return st == NOT_FOUND ? OK : st;
}

static enum status
apply(struct change *ch, void *arg, struct err *err)
{
	const struct role_change *to = arg;
	struct db *db = ch->ix->db;
	struct project project;
	struct str was;
	int64_t account;
	enum status st;

	st = project_get(ch->ix, ch->arena, ch->project, &project, err);
	if (st == OK)
		st = account_id(ch->ix, ch->arena, to->account, &account, err);
	if (st == OK)
		st = find_role(ch, project.id, account, &was, err);
	if (st != OK || str_eq(was, to->role))
		return st;
	if (str_eq(was, STR("Owner")))
		st = check_owner_stays(ch, project.id, account, err);
	if (st == OK && to->role.n == 0)
		st = db_run(db, ch->arena, SQL_ROLE_REMOVE, DB_ARGS(
		    db_int(project.id), db_int(account)), NULL, err);
	else if (st == OK)
		st = db_run(db, ch->arena, SQL_ROLE_SET, DB_ARGS(
		    db_int(project.id), db_int(account), db_text(to->role)),
		    NULL, err);
	ch->display_name = project.name;
	if (st == OK)
		note(ch, was, to);
	return st;
}

static const struct publication change_of_role = { .apply = apply };

enum status
role_set(struct index *ix, struct arena *a, struct str project,
    struct str account, struct str role, int64_t *serial, struct err *err)
{
	struct role_change to = { account, role };

	if (!str_eq(role, STR("Owner")) && !str_eq(role, STR("Maintainer")))
		return err_set(err, INVALID, "'%.*s' is no role: use Owner or "
		    "Maintainer", STR_ARG(role));
	return publish(ix, a, name_normalize(a, project), STR(""),
	    &change_of_role, &to, serial, err);
}

enum status
role_remove(struct index *ix, struct arena *a, struct str project,
    struct str account, int64_t *serial, struct err *err)
{
	struct role_change to = { account, STR("") };

	return publish(ix, a, name_normalize(a, project), STR(""),
	    &change_of_role, &to, serial, err);
}

enum status
role_of_project(struct index *ix, struct arena *a,
    struct str normalized_name, struct role_list *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_ROLE_OF_PROJECT,
	    DB_ARGS(db_text(normalized_name)), &rows, err);
	if (st != OK)
		return st;
	out->n = (size_t)rows.n;
	out->at = arena_array(a, out->n, sizeof(*out->at));
	for (int i = 0; i < rows.n; i++)
		out->at[i] = (struct role){
			.role = db_str(&rows, i, ROLE_OF_PROJECT_ROLE),
			.account = db_str(&rows, i, ROLE_OF_PROJECT_ACCOUNT),
			.project = normalized_name,
		};
	return OK;
}

enum status
role_of_account(struct index *ix, struct arena *a, struct str account,
    struct role_list *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_ROLE_OF_ACCOUNT,
	    DB_ARGS(db_text(account)), &rows, err);
	if (st != OK)
		return st;
	out->n = (size_t)rows.n;
	out->at = arena_array(a, out->n, sizeof(*out->at));
	for (int i = 0; i < rows.n; i++)
		out->at[i] = (struct role){
			.role = db_str(&rows, i, ROLE_OF_ACCOUNT_ROLE),
			.account = account,
			.project = db_str(&rows, i, ROLE_OF_ACCOUNT_PROJECT),
		};
	return OK;
}
