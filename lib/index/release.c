#include "index/release.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "index/copy.h"
#include "index/index.h"
#include "index/project.h"
#include "index/publish.h"
#include "io/db.h"
#include "io/json_in.h"
#include "pkg/metadata.h"
#include "pkg/name.h"
#include "pkg/version.h"

enum status
release_find(struct index *ix, struct arena *a, int64_t project_id,
    const struct version *version, struct release *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_RELEASE_FIND, DB_ARGS(db_int(project_id),
	    db_text(version_canonical(a, version))), &rows, err);
	if (st != OK)
		return st;
	*out = (struct release){
		.id = db_int64(&rows, 0, RELEASE_FIND_ID),
		.version = db_str(&rows, 0, RELEASE_FIND_VERSION),
		.is_yanked = !db_is_null(&rows, 0, RELEASE_FIND_YANKED_REASON),
		.yanked_reason = db_str(&rows, 0, RELEASE_FIND_YANKED_REASON),
	};
	return OK;
}

/*
 * Core metadata as the JSON object that PEP 566 describes: keys as the upload
 * form has them, lists for what may come more than once.  NUL, which jsonb
 * cannot hold, is in no field that metadata_check() let pass.
 */
static struct str
metadata_json(struct arena *a, const struct metadata *metadata)
{
	struct buf out = buf_new(a);
	struct json j = json_new(&out);

	json_object(&j);
	for (int field = 0; field < METADATA_FIELDS; field++) {
		const struct metadata_rule *rule =
		    metadata_rule((enum metadata_field)field);
		const struct str_list *values = &metadata->values[field];

		if (values->n == 0)
			continue;
		json_key(&j, rule->form);
		if (!rule->is_list) {
			json_str(&j, values->at[0]);
			continue;
		}
		json_array(&j);
		for (size_t i = 0; i < values->n; i++)
			json_str(&j, values->at[i]);
		json_end(&j);
	}
	json_end(&j);
	return buf_view(&out);
}

enum status
release_add(struct index *ix, struct arena *a, int64_t project_id,
    const struct version *version, const struct metadata *metadata,
    int64_t *id, struct err *err)
{
	struct str key = version_sort_key(a, version);
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_RELEASE_ADD, DB_ARGS(db_int(project_id),
	    db_text(version_normal(a, version)),
	    db_text(version_canonical(a, version)),
	    db_bytes(key.p, key.n), db_bool(version_is_prerelease(version)),
	    db_text(metadata_json(a, metadata))), &rows, err);
	if (st == OK)
		*id = db_int64(&rows, 0, RELEASE_ADD_ID);
	return st;
}

/* One change of one release, for the three below. */
struct release_change {
	struct version version;
	enum { YANK, UNYANK, REMOVE } what;
	struct str reason;
};

static enum status
apply_yank(struct change *ch, const struct release *release,
    const struct release_change *to, struct err *err)
{
	bool yank = to->what == YANK;
	enum status st;

	if (release->is_yanked == yank &&
	    str_eq(release->yanked_reason, to->reason))
		return OK;
	st = db_run(ch->ix->db, ch->arena, SQL_RELEASE_SET_YANKED, DB_ARGS(
	    db_int(release->id), yank ? db_text(to->reason) : db_null()),
	    NULL, err);
	if (st == OK)
		change_note(ch, release->version,
		    yank ? STR("yank release") : STR("unyank release"));
	return st;
}

static enum status
apply_remove(struct change *ch, const struct release *release,
    struct err *err)
{
	struct str_list nodes = copy_nodes(ch->ix, ch->arena);
	enum status st;

	st = db_run(ch->ix->db, ch->arena, SQL_FILE_DISCARD_RELEASE,
	    DB_ARGS(db_int(release->id), db_text_array(&nodes)), NULL, err);
	if (st == OK)
		st = db_run(ch->ix->db, ch->arena, SQL_RELEASE_REMOVE,
		    DB_ARGS(db_int(release->id)), NULL, err);
	if (st == OK)
		change_note(ch, release->version, STR("remove release"));
	return st;
}

static enum status
apply(struct change *ch, void *arg, struct err *err)
{
	const struct release_change *to = arg;
	struct release release;
	struct project project;
	enum status st;

	st = project_get(ch->ix, ch->arena, ch->project, &project, err);
	if (st != OK)
		return st;
	ch->display_name = project.name;
	st = release_find(ch->ix, ch->arena, project.id, &to->version,
	    &release, err);
	if (st == NOT_FOUND)
		return err_set(err, NOT_FOUND, "project '%.*s' has no release "
		    "%.*s", STR_ARG(project.name),
		    STR_ARG(version_normal(ch->arena, &to->version)));
	if (st != OK)
		return st;
	return to->what == REMOVE ? apply_remove(ch, &release, err) :
	    apply_yank(ch, &release, to, err);
}

static enum status
change_release(struct index *ix, struct arena *a, struct str project,
    struct str version, struct release_change *to, int64_t *serial,
    struct err *err)
{
	static const struct publication change = { .apply = apply };

	if (version_parse(a, version, &to->version) != OK)
		return err_set(err, INVALID, "'%.*s' is no version (PEP 440)",
		    STR_ARG(version));
	return publish(ix, a, name_normalize(a, project), STR(""), &change,
	    to, serial, err);
}

enum status
release_yank(struct index *ix, struct arena *a, struct str project,
    struct str version, struct str reason, int64_t *serial, struct err *err)
{
	struct release_change to = { .what = YANK, .reason = reason };

	return change_release(ix, a, project, version, &to, serial, err);
}

enum status
release_unyank(struct index *ix, struct arena *a, struct str project,
    struct str version, int64_t *serial, struct err *err)
{
	struct release_change to = { .what = UNYANK };

	return change_release(ix, a, project, version, &to, serial, err);
}

enum status
release_remove(struct index *ix, struct arena *a, struct str project,
    struct str version, int64_t *serial, struct err *err)
{
	struct release_change to = { .what = REMOVE };

	return change_release(ix, a, project, version, &to, serial, err);
}

enum status
release_list(struct index *ix, struct arena *a, struct str project,
    struct release_list *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_PAGE_RELEASES, DB_ARGS(db_text(project)),
	    &rows, err);
	if (st != OK)
		return st;
	out->n = (size_t)rows.n;
	out->at = arena_array(a, out->n, sizeof(*out->at));
	for (int i = 0; i < rows.n; i++)
		out->at[i] = (struct release){
			.version = db_str(&rows, i, PAGE_RELEASES_VERSION),
			.is_yanked = !db_is_null(&rows, i,
			    PAGE_RELEASES_YANKED_REASON),
			.yanked_reason = db_str(&rows, i,
			    PAGE_RELEASES_YANKED_REASON),
		};
	return OK;
}

struct metadata_reader {
	struct arena *arena;
	struct metadata *metadata;
};

static void
read_field(void *arg, struct str key, struct str value)
{
	struct metadata_reader *r = arg;
	enum metadata_field field;

	if (metadata_field_find_form(key, &field))
		metadata_add(r->arena, r->metadata, field, value);
}

enum status
release_facts(struct index *ix, struct arena *a, struct str project,
    struct str version, struct release_facts *out, struct err *err)
{
	struct metadata_reader reader = { a, &out->metadata };
	struct version parsed;
	struct db_rows rows;
	enum status st;

	if (version_parse(a, version, &parsed) != OK)
		return NOT_FOUND;
	st = db_run(ix->db, a, SQL_RELEASE_METADATA, DB_ARGS(
	    db_text(project), db_text(version_canonical(a, &parsed))), &rows,
	    err);
	if (st != OK)
		return st;
	*out = (struct release_facts){
		.name = db_str(&rows, 0, RELEASE_METADATA_NAME),
		.version = db_str(&rows, 0, RELEASE_METADATA_VERSION),
		.is_yanked = db_bool_at(&rows, 0, RELEASE_METADATA_IS_HIDDEN),
	};
	return json_in_strings(a, db_str(&rows, 0, RELEASE_METADATA_METADATA),
	    read_field, &reader, err);
}

/* The files whose version is equal to this one, in their order by name. */
enum status
release_files(struct index *ix, struct arena *a, struct str project,
    struct str version, struct release_file_list *out, struct err *err)
{
	struct version parsed;
	struct db_rows rows;
	enum status st;

	*out = (struct release_file_list){ .n = 0 };
	if (version_parse(a, version, &parsed) != OK)
		return OK;
	st = db_run(ix->db, a, SQL_RELEASE_FILES, DB_ARGS(db_text(project),
	    db_text(version_canonical(a, &parsed))), &rows, err);
	if (st != OK)
		return st;
	out->n = (size_t)rows.n;
	out->at = arena_array(a, out->n, sizeof(*out->at));
	for (int i = 0; i < rows.n; i++)
		out->at[i] = (struct release_file){
			.filename = db_str(&rows, i, RELEASE_FILES_FILENAME),
			.packagetype = db_str(&rows, i,
			    RELEASE_FILES_PACKAGETYPE),
			.python_version = db_str(&rows, i,
			    RELEASE_FILES_PYTHON_VERSION),
			.comment_text = db_str(&rows, i,
			    RELEASE_FILES_COMMENT_TEXT),
			.sha256 = db_str(&rows, i, RELEASE_FILES_SHA256),
			.md5 = db_str(&rows, i, RELEASE_FILES_MD5),
			.blake2b_256 = db_str(&rows, i,
			    RELEASE_FILES_BLAKE2B_256),
			.size = db_int64(&rows, i, RELEASE_FILES_SIZE),
			.uploaded_at_us = db_int64(&rows, i,
			    RELEASE_FILES_UPLOADED_AT_US),
		};
	return OK;
}

enum status
release_browse(struct index *ix, struct arena *a,
    const struct str_list *classifiers, int64_t at_most,
    struct release_name_list *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_PAGE_BROWSE, DB_ARGS(
	    db_text_array(classifiers), db_int(at_most)), &rows, err);
	if (st != OK)
		return st;
	out->n = (size_t)rows.n;
	out->at = arena_array(a, out->n, sizeof(*out->at));
	for (int i = 0; i < rows.n; i++)
		out->at[i] = (struct release_name){
			.project = db_str(&rows, i, PAGE_BROWSE_PROJECT),
			.version = db_str(&rows, i, PAGE_BROWSE_VERSION),
		};
	return OK;
}
