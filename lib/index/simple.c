#include "index/simple.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "index/link.h"
#include "index/view.h"
#include "io/db.h"

#define API_VERSION	"1.4"

static struct simple_file
file_from_row(struct arena *a, const struct db_rows *rows, int i)
{
	struct str filename = db_str(rows, i, PAGE_SIMPLE_PROJECT_FILENAME);
	struct str digest = db_str(rows, i, PAGE_SIMPLE_PROJECT_BLAKE2B_256);

	return (struct simple_file){
		.filename = filename,
		.url = link_file(a, STR(""), digest, filename),
		.version = db_str(rows, i, PAGE_SIMPLE_PROJECT_VERSION),
		.sha256 = db_str(rows, i, PAGE_SIMPLE_PROJECT_SHA256),
		.requires_python = db_str(rows, i,
		    PAGE_SIMPLE_PROJECT_REQUIRES_PYTHON),
		.metadata_sha256 = db_str(rows, i,
		    PAGE_SIMPLE_PROJECT_METADATA_SHA256),
		.yanked_reason = db_str(rows, i,
		    PAGE_SIMPLE_PROJECT_YANKED_REASON),
		.is_yanked = !db_is_null(rows, i,
		    PAGE_SIMPLE_PROJECT_YANKED_REASON),
		.size = db_int64(rows, i, PAGE_SIMPLE_PROJECT_SIZE),
		.upload_time_us = db_int64(rows, i,
		    PAGE_SIMPLE_PROJECT_UPLOADED_AT_US),
	};
}

void
simple_project_from_rows(struct arena *a, struct str normalized_name,
    const struct db_rows *rows, struct simple_project *out)
{
	struct simple_files *files = &out->files;

	*out = (struct simple_project){
		.name = normalized_name,
		.display_name = db_str(rows, 0, PAGE_SIMPLE_PROJECT_NAME),
		.status = db_str(rows, 0, PAGE_SIMPLE_PROJECT_STATUS),
		.status_reason = db_str(rows, 0,
		    PAGE_SIMPLE_PROJECT_STATUS_REASON),
		.last_serial = db_int64(rows, 0,
		    PAGE_SIMPLE_PROJECT_LAST_SERIAL),
	};
	if (db_is_null(rows, 0, PAGE_SIMPLE_PROJECT_FILENAME))
		return;		/* a project without files: one row */
	files->n = (size_t)rows->n;
	files->at = arena_array(a, files->n, sizeof(*files->at));
	for (int i = 0; i < rows->n; i++) {
		const struct str_list *versions = &out->versions;

		files->at[i] = file_from_row(a, rows, i);
		if (versions->n == 0 || !str_eq(files->at[i].version,
		    versions->at[versions->n - 1]))
			str_list_add(a, &out->versions, files->at[i].version);
	}
}

void
simple_root_from_rows(struct arena *a, const struct db_rows *rows,
    struct simple_root *out)
{
	out->n = (size_t)rows->n;
	out->at = arena_array(a, out->n, sizeof(*out->at));
	for (int i = 0; i < rows->n; i++)
		out->at[i] = (struct simple_root_entry){
			.name = db_str(rows, i, ROOT_PROJECTS_NAME),
			.normalized_name = db_str(rows, i,
			    ROOT_PROJECTS_NORMALIZED_NAME),
			.last_serial = db_int64(rows, i,
			    ROOT_PROJECTS_LAST_SERIAL),
		};
}

static void
put_meta(struct json *j, int64_t serial)
{
	json_key(j, STR("meta"));
	json_object(j);
	json_key(j, STR("_last-serial"));
	json_int(j, serial);
	json_key(j, STR("api-version"));
	json_str(j, STR(API_VERSION));
	json_end(j);
}

static void
put_sha256(struct json *j, struct str key, struct str sha256)
{
	json_key(j, key);
	json_object(j);
	json_key(j, STR("sha256"));
	json_str(j, sha256);
	json_end(j);
}

/* PEP 592 in JSON: false, true, or the reason if there is one. */
static void
put_yanked(struct json *j, const struct simple_file *file)
{
	json_key(j, STR("yanked"));
	if (file->is_yanked && file->yanked_reason.n)
		json_str(j, file->yanked_reason);
	else
		json_bool(j, file->is_yanked);
}

/*
 * No key may be null but requires-python: uv refuses a page with a null in
 * size, upload-time, yanked or hashes.  There is no dist-info-metadata: as an
 * object, pip 22.3 to 23.1 crash on it.
 */
static void
put_file(struct buf *out, struct json *j, const struct simple_file *file)
{
	struct buf time = buf_new(out->arena);

	json_object(j);
	if (file->metadata_sha256.n) {
		put_sha256(j, STR("core-metadata"), file->metadata_sha256);
	} else {
		json_key(j, STR("core-metadata"));
		json_bool(j, false);
	}
	json_key(j, STR("filename"));
	json_str(j, file->filename);
	put_sha256(j, STR("hashes"), file->sha256);
	json_key(j, STR("requires-python"));
	json_str_or_null(j, file->requires_python);
	json_key(j, STR("size"));
	json_int(j, file->size);
	json_key(j, STR("upload-time"));
	clock_iso(&time, file->upload_time_us);
	json_str(j, buf_view(&time));
	json_key(j, STR("url"));
	json_str(j, file->url);
	put_yanked(j, file);
	json_end(j);
}

static void
put_status(struct json *j, const struct simple_project *p)
{
	json_key(j, STR("project-status"));
	json_object(j);
	if (p->status_reason.n) {
		json_key(j, STR("reason"));
		json_str(j, p->status_reason);
	}
	json_key(j, STR("status"));
	json_str(j, p->status);
	json_end(j);
}

/* Keys in order, compact, one newline at the end: as pypi.org writes it. */
void
simple_project_json(struct buf *out, const struct simple_project *p)
{
	struct json j = json_new(out);

	json_object(&j);
	json_key(&j, STR("files"));
	json_array(&j);
	for (size_t i = 0; i < p->files.n; i++)
		put_file(out, &j, &p->files.at[i]);
	json_end(&j);
	put_meta(&j, p->last_serial);
	json_key(&j, STR("name"));
	json_str(&j, p->name);
	put_status(&j, p);
	json_key(&j, STR("versions"));
	json_array(&j);
	for (size_t i = 0; i < p->versions.n; i++)
		json_str(&j, p->versions.at[i]);
	json_end(&j);
	json_end(&j);
	buf_byte(out, '\n');
}

/* Left open within the array: what follows are its elements. */
void
simple_root_json_begin(struct buf *out, int64_t serial)
{
	struct json j = json_new(out);

	json_object(&j);
	put_meta(&j, serial);
	json_key(&j, STR("projects"));
	json_array(&j);
}

void
simple_root_json(struct buf *out, const struct simple_root *root,
    bool follows)
{
	for (size_t i = 0; i < root->n; i++) {
		struct json j = json_new(out);

		if (follows || i > 0)
			buf_byte(out, ',');
		json_object(&j);
		json_key(&j, STR("_last-serial"));
		json_int(&j, root->at[i].last_serial);
		json_key(&j, STR("name"));
		json_str(&j, root->at[i].name);
		json_end(&j);
	}
}

void
simple_root_json_end(struct buf *out)
{
	buf_put(out, STR("]}\n"));
}
