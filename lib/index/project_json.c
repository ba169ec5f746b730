#include "index/project_json.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "index/index.h"
#include "index/link.h"
#include "index/role.h"
#include "io/config.h"
#include "io/db.h"
#include "io/page_cache.h"

/* All that the page shows, as read from one snapshot. */
struct sheet {
	struct str base;		/* of absolute URLs */
	struct str name;		/* as displayed */
	struct str normalized_name;
	int64_t last_serial;
	struct db_rows releases;
	struct db_rows files;
	struct db_rows info;		/* one row: the shown release */
	int shown;			/* row of releases, -1 if there is none */
	struct role_list roles;
};

/* The info keys that release_info.sql gives, by its columns. */
static const struct {
	int column;
	struct str key;
} info_keys[] = {
	{ PAGE_RELEASE_INFO_AUTHOR, STR_INIT("author") },
	{ PAGE_RELEASE_INFO_AUTHOR_EMAIL, STR_INIT("author_email") },
	{ PAGE_RELEASE_INFO_CLASSIFIERS, STR_INIT("classifiers") },
	{ PAGE_RELEASE_INFO_DESCRIPTION, STR_INIT("description") },
	{ PAGE_RELEASE_INFO_DESCRIPTION_CONTENT_TYPE,
	    STR_INIT("description_content_type") },
	{ PAGE_RELEASE_INFO_DOWNLOAD_URL, STR_INIT("download_url") },
	{ PAGE_RELEASE_INFO_DYNAMIC, STR_INIT("dynamic") },
	{ PAGE_RELEASE_INFO_HOME_PAGE, STR_INIT("home_page") },
	{ PAGE_RELEASE_INFO_KEYWORDS, STR_INIT("keywords") },
	{ PAGE_RELEASE_INFO_LICENSE, STR_INIT("license") },
	{ PAGE_RELEASE_INFO_LICENSE_EXPRESSION,
	    STR_INIT("license_expression") },
	{ PAGE_RELEASE_INFO_LICENSE_FILES, STR_INIT("license_files") },
	{ PAGE_RELEASE_INFO_MAINTAINER, STR_INIT("maintainer") },
	{ PAGE_RELEASE_INFO_MAINTAINER_EMAIL, STR_INIT("maintainer_email") },
	{ PAGE_RELEASE_INFO_PLATFORM, STR_INIT("platform") },
	{ PAGE_RELEASE_INFO_PROJECT_URLS, STR_INIT("project_urls") },
	{ PAGE_RELEASE_INFO_PROVIDES_EXTRA, STR_INIT("provides_extra") },
	{ PAGE_RELEASE_INFO_REQUIRES_DIST, STR_INIT("requires_dist") },
	{ PAGE_RELEASE_INFO_REQUIRES_PYTHON, STR_INIT("requires_python") },
	{ PAGE_RELEASE_INFO_SUMMARY, STR_INIT("summary") },
};

/*
 * How much a release is to be preferred as the one that the page is about:
 * newest final, else newest pre-release, else newest yanked one; and one
 * without files only when there is no other.
 */
static int
rank(const struct db_rows *releases, int row)
{
	if (!db_bool_at(releases, row, PAGE_RELEASES_HAS_FILES))
		return 0;
	if (!db_is_null(releases, row, PAGE_RELEASES_YANKED_REASON))
		return 1;
	return db_bool_at(releases, row, PAGE_RELEASES_IS_PRERELEASE) ? 2 : 3;
}

/* Rows come oldest version first, so the last of the best rank is it. */
static int
find_newest(const struct db_rows *releases)
{
	int best = -1;

	for (int row = 0; row < releases->n; row++)
		if (best < 0 || rank(releases, row) >= rank(releases, best))
			best = row;
	return best;
}

static int
find_release(const struct db_rows *releases, struct str canonical)
{
	for (int row = 0; row < releases->n; row++)
		if (str_eq(db_str(releases, row, PAGE_RELEASES_CANONICAL),
		    canonical))
			return row;
	return -1;
}

/* Within a snapshot: read everything. */
static enum status
read_sheet(struct index *ix, struct arena *a, struct str canonical,
    struct sheet *s, bool *is_held, struct err *err)
{
	struct db_rows project;
	enum status st;

	st = db_run(ix->db, a, SQL_PAGE_PROJECT,
	    DB_ARGS(db_text(s->normalized_name), db_text(page_cache_home(
	    ix->cache, s->normalized_name))), &project, err);
	if (st != OK)
		return st;
	s->name = db_str(&project, 0, PAGE_PROJECT_NAME);
	s->last_serial = db_int64(&project, 0, PAGE_PROJECT_LAST_SERIAL);
	*is_held = db_bool_at(&project, 0, PAGE_PROJECT_IS_HELD);
	st = db_run(ix->db, a, SQL_PAGE_RELEASES,
	    DB_ARGS(db_text(s->normalized_name)), &s->releases, err);
	if (st == OK)
		st = db_run(ix->db, a, SQL_PAGE_FILES,
		    DB_ARGS(db_text(s->normalized_name)), &s->files, err);
	if (st == OK)
		st = role_of_project(ix, a, s->normalized_name, &s->roles,
		    err);
	if (st != OK)
		return st;
	s->shown = canonical.n ? find_release(&s->releases, canonical) :
	    find_newest(&s->releases);
	if (s->shown < 0)
		return NOT_FOUND;
	return db_run(ix->db, a, SQL_PAGE_RELEASE_INFO, DB_ARGS(
	    db_text(s->normalized_name), db_text(db_str(&s->releases,
	    s->shown, PAGE_RELEASES_CANONICAL))), &s->info, err);
}

static void
key_str(struct json *j, struct str key, struct str value)
{
	json_key(j, key);
	json_str(j, value);
}

static void
key_null(struct json *j, struct str key)
{
	json_key(j, key);
	json_null(j);
}

static void
put_yanked(struct json *j, const struct db_rows *rows, int row, int column)
{
	json_key(j, STR("yanked"));
	json_bool(j, !db_is_null(rows, row, column));
	json_key(j, STR("yanked_reason"));
	json_str_or_null(j, db_str(rows, row, column));
}

static void
put_info(struct arena *a, struct json *j, const struct sheet *s)
{
	struct str version = db_str(&s->releases, s->shown,
	    PAGE_RELEASES_VERSION);
	struct str url = link_project(a, s->base, s->normalized_name);

	json_key(j, STR("info"));
	json_object(j);
	for (size_t i = 0; i < sizeof(info_keys) / sizeof(info_keys[0]); i++) {
		json_key(j, info_keys[i].key);
		json_raw(j, db_str(&s->info, 0, info_keys[i].column));
	}
	key_null(j, STR("bugtrack_url"));
	key_null(j, STR("docs_url"));
	json_key(j, STR("downloads"));
	json_raw(j, STR("{\"last_day\":-1,\"last_month\":-1,"
	    "\"last_week\":-1}"));
	key_str(j, STR("name"), s->name);
	key_str(j, STR("package_url"), url);
	key_str(j, STR("project_url"), url);
	key_str(j, STR("release_url"), url);
	key_str(j, STR("version"), version);
	put_yanked(j, &s->releases, s->shown, PAGE_RELEASES_YANKED_REASON);
	json_end(j);
}

static void
put_digests(struct json *j, const struct db_rows *files, int row)
{
	json_key(j, STR("digests"));
	json_object(j);
	key_str(j, STR("blake2b_256"), db_str(files, row,
	    PAGE_FILES_BLAKE2B_256));
	key_str(j, STR("md5"), db_str(files, row, PAGE_FILES_MD5));
	key_str(j, STR("sha256"), db_str(files, row, PAGE_FILES_SHA256));
	json_end(j);
}

static void
put_times(struct arena *a, struct json *j, int64_t uploaded_at_us)
{
	struct buf local = buf_new(a), iso = buf_new(a);

	clock_iso_local(&local, uploaded_at_us);
	clock_iso(&iso, uploaded_at_us);
	key_str(j, STR("upload_time"), buf_view(&local));
	key_str(j, STR("upload_time_iso_8601"), buf_view(&iso));
}

static void
put_core_metadata(struct json *j, struct str sha256)
{
	json_key(j, STR("core-metadata"));
	if (sha256.n == 0) {
		json_bool(j, false);
		return;
	}
	json_object(j);
	key_str(j, STR("sha256"), sha256);
	json_end(j);
}

static void
put_file(struct arena *a, struct json *j, const struct sheet *s, int row)
{
	const struct db_rows *f = &s->files;
	struct str filename = db_str(f, row, PAGE_FILES_FILENAME);

	json_object(j);
	key_str(j, STR("comment_text"), db_str(f, row,
	    PAGE_FILES_COMMENT_TEXT));
	put_core_metadata(j, db_str(f, row, PAGE_FILES_METADATA_SHA256));
	put_digests(j, f, row);
	json_key(j, STR("downloads"));
	json_int(j, -1);
	key_str(j, STR("filename"), filename);
	json_key(j, STR("has_sig"));
	json_bool(j, false);
	key_str(j, STR("md5_digest"), db_str(f, row, PAGE_FILES_MD5));
	key_str(j, STR("packagetype"), db_str(f, row,
	    PAGE_FILES_PACKAGETYPE));
	key_str(j, STR("python_version"), db_str(f, row,
	    PAGE_FILES_PYTHON_VERSION));
	json_key(j, STR("requires_python"));
	json_str_or_null(j, db_str(f, row, PAGE_FILES_REQUIRES_PYTHON));
	json_key(j, STR("size"));
	json_int(j, db_int64(f, row, PAGE_FILES_SIZE));
	put_times(a, j, db_int64(f, row, PAGE_FILES_UPLOADED_AT_US));
	key_str(j, STR("url"), link_file(a, s->base,
	    db_str(f, row, PAGE_FILES_BLAKE2B_256), filename));
	put_yanked(j, f, row, PAGE_FILES_YANKED_REASON);
	json_end(j);
}

static void
put_files_of(struct arena *a, struct json *j, const struct sheet *s,
    struct str version)
{
	json_array(j);
	for (int row = 0; row < s->files.n; row++)
		if (str_eq(db_str(&s->files, row, PAGE_FILES_VERSION),
		    version))
			put_file(a, j, s, row);
	json_end(j);
}

/* Files and releases come in one order, so one pass over each is enough. */
static void
put_releases(struct arena *a, struct json *j, const struct sheet *s)
{
	int row = 0;

	json_key(j, STR("releases"));
	json_object(j);
	for (int r = 0; r < s->releases.n; r++) {
		struct str version = db_str(&s->releases, r,
		    PAGE_RELEASES_VERSION);

		json_key(j, version);
		json_array(j);
		while (row < s->files.n && str_eq(version,
		    db_str(&s->files, row, PAGE_FILES_VERSION)))
			put_file(a, j, s, row++);
		json_end(j);
	}
	json_end(j);
}

static void
put_ownership(struct json *j, const struct role_list *roles)
{
	json_key(j, STR("ownership"));
	json_object(j);
	key_null(j, STR("organization"));
	json_key(j, STR("roles"));
	json_array(j);
	for (size_t i = 0; i < roles->n; i++) {
		json_object(j);
		key_str(j, STR("role"), roles->at[i].role);
		key_str(j, STR("user"), roles->at[i].account);
		json_end(j);
	}
	json_end(j);
	json_end(j);
}

static void
put_sheet(struct arena *a, struct buf *out, const struct sheet *s,
    bool with_releases)
{
	struct json j = json_new(out);

	json_object(&j);
	put_info(a, &j, s);
	json_key(&j, STR("last_serial"));
	json_int(&j, s->last_serial);
	put_ownership(&j, &s->roles);
	if (with_releases)
		put_releases(a, &j, s);
	json_key(&j, STR("urls"));
	put_files_of(a, &j, s, db_str(&s->releases, s->shown,
	    PAGE_RELEASES_VERSION));
	json_key(&j, STR("vulnerabilities"));
	json_array(&j);
	json_end(&j);
	json_end(&j);
	buf_byte(out, '\n');
}

enum status
project_json(struct index *ix, struct arena *a, struct str project,
    struct str canonical, struct buf *out, int64_t *serial, bool *is_held,
    struct err *err)
{
	struct sheet s = {
		.base = str_c(ix->config->external_url),
		.normalized_name = project,
	};
	enum status st;

	st = db_begin_snapshot(ix->db, err);
	if (st != OK)
		return st;
	st = read_sheet(ix, a, canonical, &s, is_held, err);
	db_rollback(ix->db);
	if (st != OK)
		return st;
	*serial = s.last_serial;
	put_sheet(a, out, &s, canonical.n == 0);
	return OK;
}
