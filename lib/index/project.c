#include "index/project.h"

#include "base/arena.h"
#include "index/account.h"
#include "index/copy.h"
#include "index/index.h"
#include "index/publish.h"
#include "io/config.h"
#include "io/db.h"
#include "pkg/name.h"

/* Names that `pip install` would mistake for a file of its own. */
static const struct str reserved_names[] = {
	STR_INIT("requirements-txt"), STR_INIT("rrequirements-txt"),
	STR_INIT("requirements"), STR_INIT("pip-requirements"),
};

enum status
project_find(struct index *ix, struct arena *a, struct str normalized_name,
    struct project *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_PROJECT_FIND,
	    DB_ARGS(db_text(normalized_name)), &rows, err);
	if (st != OK)
		return st;
	*out = (struct project){
		.id = db_int64(&rows, 0, PROJECT_FIND_ID),
		.name = db_str(&rows, 0, PROJECT_FIND_NAME),
		.status = db_str(&rows, 0, PROJECT_FIND_STATUS),
		.status_reason = db_str(&rows, 0, PROJECT_FIND_STATUS_REASON),
		.last_serial = db_int64(&rows, 0, PROJECT_FIND_LAST_SERIAL),
	};
	return OK;
}

enum status
project_get(struct index *ix, struct arena *a, struct str name,
    struct project *out, struct err *err)
{
	enum status st = NOT_FOUND;

	if (name_is_valid(name))
		st = project_find(ix, a, name_normalize(a, name), out, err);
	if (st == NOT_FOUND)
		return err_set(err, NOT_FOUND, "there is no project '%.*s'",
		    STR_ARG(name));
	return st;
}

/*
 * Is the name free, and unlike any that people would take it for?  Within a
 * change it stays so until that is committed.
 */
static enum status
check_name(struct index *ix, struct arena *a, struct str normalized_name,
    struct err *err)
{
	struct str ultra = name_ultra(a, normalized_name);
	struct db_rows rows;
	enum status st;

	for (size_t i = 0; i < sizeof(reserved_names) /
	    sizeof(reserved_names[0]); i++)
		if (str_eq(reserved_names[i], normalized_name))
			return err_set(err, CONFLICT, "The name '%.*s' isn't "
			    "allowed: people who mistype a pip command would "
			    "install it", STR_ARG(normalized_name));
	if (db_in_transaction(ix->db)) {
		st = db_run(ix->db, a, SQL_PROJECT_LOCK_SIMILAR,
		    DB_ARGS(db_text(ultra)), &rows, err);
		if (st != OK)
			return st;
	}
	st = db_run(ix->db, a, SQL_PROJECT_FIND_SIMILAR,
	    DB_ARGS(db_text(ultra), db_text(normalized_name)), &rows, err);
	if (st == OK && rows.n > 0)
		return err_set(err, CONFLICT, "The name '%.*s' is too similar "
		    "to the existing project '%.*s'", STR_ARG(normalized_name),
		    STR_ARG(db_str(&rows, 0, PROJECT_FIND_SIMILAR_NAME)));
	return st;
}

enum status
project_check_new(struct index *ix, struct arena *a,
    const struct caller *caller, struct str normalized_name,
    struct err *err)
{
	if (ix->config->registration != REGISTRATION_ANY ||
	    str_list_has(&ix->config->reserved_names, normalized_name))
		return err_set(err, DENIED, "User '%.*s' may not create "
		    "project '%.*s': on this index the operator does that "
		    "(tilsit project create)", STR_ARG(caller->name),
		    STR_ARG(normalized_name));
	return check_name(ix, a, normalized_name, err);
}

enum status
project_check_upload(struct index *ix, struct arena *a,
    const struct caller *caller, const struct project *project,
    struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_ROLE_FIND, DB_ARGS(db_int(project->id),
	    db_int(caller->account_id)), &rows, err);
	if (st == NOT_FOUND)
		return err_set(err, DENIED, "The user '%.*s' isn't allowed to "
		    "upload to project '%.*s': ask one of its owners for a "
		    "role", STR_ARG(caller->name), STR_ARG(project->name));
	if (st != OK)
		return st;
	if (str_eq(project->status, STR("archived")) ||
	    str_eq(project->status, STR("quarantined")))
		return err_set(err, DENIED, "Project '%.*s' is %.*s and takes "
		    "no uploads", STR_ARG(project->name),
		    STR_ARG(project->status));
	return OK;
}

enum status
project_add(struct change *ch, struct str name, const struct caller *caller,
    int64_t *id, struct err *err)
{
	struct db *db = ch->ix->db;
	struct db_rows rows;
	enum status st;

	st = db_run(db, ch->arena, SQL_PROJECT_ADD, DB_ARGS(db_text(name),
	    db_text(ch->project), db_text(name_ultra(ch->arena, ch->project))),
	    &rows, err);
	if (st != OK)
		return st;
	*id = db_int64(&rows, 0, PROJECT_ADD_ID);
	st = db_run(db, ch->arena, SQL_ROLE_SET, DB_ARGS(db_int(*id),
	    db_int(caller->account_id), db_text(STR("Owner"))), NULL, err);
	if (st != OK)
		return st;
	change_note(ch, STR(""), STR("create"));
	change_note(ch, STR(""), str_fmt(ch->arena, "add Owner %.*s",
	    STR_ARG(caller->name)));
	return OK;
}

struct creation {
	struct str name;		/* as it is to be displayed */
	struct caller owner;
};

static enum status
apply_create(struct change *ch, void *arg, struct err *err)
{
	const struct creation *creation = arg;
	struct project project;
	int64_t id;
	enum status st;

	st = project_find(ch->ix, ch->arena, ch->project, &project, err);
	if (st == OK)
		return err_set(err, CONFLICT, "there is a project '%.*s' "
		    "already", STR_ARG(project.name));
	if (st == NOT_FOUND)
		st = check_name(ch->ix, ch->arena, ch->project, err);
	ch->display_name = creation->name;
	return st == OK ? project_add(ch, creation->name, &creation->owner,
	    &id, err) : st;
}

enum status
project_create(struct index *ix, struct arena *a, struct str name,
    struct str owner, int64_t *serial, struct err *err)
{
	static const struct publication publication = {
		.apply = apply_create,
	};
	struct creation creation = { name, { .name = owner } };
	enum status st;

	if (!name_is_valid(name))
		return err_set(err, INVALID, "'%.*s' is no project name",
		    STR_ARG(name));
	st = account_id(ix, a, owner, &creation.owner.account_id, err);
	if (st != OK)
		return st;
	return publish(ix, a, name_normalize(a, name), STR(""), &publication,
	    &creation, serial, err);
}

static enum status
apply_remove(struct change *ch, void *arg, struct err *err)
{
	struct str_list nodes = copy_nodes(ch->ix, ch->arena);
	struct db *db = ch->ix->db;
	struct project project;
	enum status st;

	(void)arg;
	st = project_get(ch->ix, ch->arena, ch->project, &project, err);
	if (st != OK)
		return st;
	ch->display_name = project.name;
	st = db_run(db, ch->arena, SQL_FILE_DISCARD_PROJECT,
	    DB_ARGS(db_int(project.id), db_text_array(&nodes)), NULL, err);
	if (st == OK)
		st = db_run(db, ch->arena, SQL_PROJECT_REMOVE,
		    DB_ARGS(db_int(project.id)), NULL, err);
	if (st == OK)
		change_note(ch, STR(""), STR("remove project"));
	return st;
}

enum status
project_remove(struct index *ix, struct arena *a, struct str name,
    int64_t *serial, struct err *err)
{
	static const struct publication removal = { .apply = apply_remove };

	return publish(ix, a, name_normalize(a, name), STR(""), &removal,
	    NULL, serial, err);
}

struct status_change {
	struct str status;
	struct str reason;
};

/* As pypi.org words it, which has a journal row for quarantine only. */
static void
note_status(struct change *ch, struct str was, struct str is)
{
	struct str active = STR("active"), quarantined = STR("quarantined");

	change_note(ch, STR(""), str_eq(is, active) &&
	    str_eq(was, quarantined) ? STR("project quarantine cleared") :
	    str_fmt(ch->arena, "project %.*s", STR_ARG(is)));
}

static enum status
apply_status(struct change *ch, void *arg, struct err *err)
{
	const struct status_change *to = arg;
	struct project project;
	enum status st;

	st = project_get(ch->ix, ch->arena, ch->project, &project, err);
	if (st != OK)
		return st;
	if (str_eq(project.status, to->status) &&
	    str_eq(project.status_reason, to->reason))
		return OK;
	ch->display_name = project.name;
	st = db_run(ch->ix->db, ch->arena, SQL_PROJECT_SET_STATUS,
	    DB_ARGS(db_int(project.id), db_text(to->status),
	    db_text(to->reason)), NULL, err);
	if (st == OK)
		note_status(ch, project.status, to->status);
	return st;
}

enum status
project_set_status(struct index *ix, struct arena *a, struct str name,
    struct str status, struct str reason, int64_t *serial, struct err *err)
{
	static const struct publication change = { .apply = apply_status };
	static const struct str known[] = {
		STR_INIT("active"), STR_INIT("archived"),
		STR_INIT("quarantined"), STR_INIT("deprecated"),
	};
	struct status_change to = { status, reason };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq(known[i], status))
			return publish(ix, a, name_normalize(a, name),
			    STR(""), &change, &to, serial, err);
	return err_set(err, INVALID, "'%.*s' is no project status: use active, "
	    "archived, quarantined or deprecated", STR_ARG(status));
}

struct each_project {
	enum status (*each)(void *arg, const struct project_summary *project);
	void *arg;
};

static enum status
each_row(void *arg, const struct db_rows *row)
{
	struct each_project *to = arg;
	struct project_summary project = {
		.name = db_str(row, 0, PROJECT_LIST_NAME),
		.normalized_name = db_str(row, 0,
		    PROJECT_LIST_NORMALIZED_NAME),
		.status = db_str(row, 0, PROJECT_LIST_STATUS),
		.last_serial = db_int64(row, 0, PROJECT_LIST_LAST_SERIAL),
		.n_files = db_int64(row, 0, PROJECT_LIST_N_FILES),
	};

	return to->each(to->arg, &project);
}

enum status
project_each(struct index *ix, struct arena *a,
    enum status (*each)(void *arg, const struct project_summary *project),
    void *arg, struct err *err)
{
	struct each_project to = { each, arg };

	return db_stream(ix->db, a, SQL_PROJECT_LIST, NULL, 0, each_row, &to,
	    err);
}

static enum status
each_shown_row(void *arg, const struct db_rows *row)
{
	struct each_project *to = arg;
	struct project_summary project = {
		.name = db_str(row, 0, PROJECT_SHOWN_NAME),
		.normalized_name = db_str(row, 0,
		    PROJECT_SHOWN_NORMALIZED_NAME),
		.status = db_str(row, 0, PROJECT_SHOWN_STATUS),
		.last_serial = db_int64(row, 0, PROJECT_SHOWN_LAST_SERIAL),
	};

	return to->each(to->arg, &project);
}

enum status
project_each_shown(struct index *ix, struct arena *a,
    enum status (*each)(void *arg, const struct project_summary *project),
    void *arg, struct err *err)
{
	struct each_project to = { each, arg };

	return db_stream(ix->db, a, SQL_PROJECT_SHOWN, NULL, 0,
	    each_shown_row, &to, err);
}
