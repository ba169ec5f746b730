#include "index/upload.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/findings.h"
#include "base/utf8.h"
#include "index/account.h"
#include "index/copy.h"
#include "index/index.h"
#include "index/primary.h"
#include "index/project.h"
#include "index/publish.h"
#include "index/release.h"
#include "io/config.h"
#include "io/db.h"
#include "io/store.h"
#include "pkg/archive.h"
#include "pkg/name.h"

#define SECOND_US	1000000

/* Form fields that are not core metadata: where each goes. */
static struct str *
own_field(struct upload *up, struct str name)
{
	const struct {
		struct str name;
		struct str *place;
	} fields[] = {
		{ STR("protocol_version"), &up->protocol_version },
		{ STR("protcol_version"), &up->protocol_version }, /* twine 1.8 */
		{ STR("filetype"), &up->filetype },
		{ STR("pyversion"), &up->pyversion },
		{ STR("comment"), &up->comment },
		{ STR("md5_digest"), &up->md5_digest },
		{ STR("sha256_digest"), &up->sha256_digest },
		{ STR("blake2_256_digest"), &up->blake2_256_digest },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (str_eq(fields[i].name, name))
			return fields[i].place;
	return NULL;
}

/* distutils writes UNKNOWN for what the author left out. */
static bool
is_left_out(struct str value)
{
	return str_trim(value).n == 0 || str_eq(value, STR("UNKNOWN"));
}

void
upload_field(struct arena *a, struct upload *up, struct str name,
    struct str value, struct findings *found)
{
	struct str *place = own_field(up, name);
	enum metadata_field field;

	if (!utf8_is_valid(value)) {
		findings_add(found, name, "Form data is not correctly encoded "
		    "in UTF-8: field '%.*s'", STR_ARG(name));
		return;
	}
	if (is_left_out(value))
		return;
	if (place) {
		if (str_find(value, '\0', 0) < value.n)
			findings_add(found, name, "'%.*s' has a control "
			    "character (U+0000)", STR_ARG(name));
		if (place->n)
			findings_add(found, name, "Field '%.*s' was sent "
			    "twice; send it once", STR_ARG(name));
		*place = str_dup(a, str_trim(value));
		return;
	}
	if (metadata_field_find_form(name, &field))
		metadata_add(a, &up->form, field, str_dup(a, value));
}

/* Into up->project and up->version; metadata_check() says what is wrong. */
static void
find_name_and_version(struct arena *a, struct upload *up)
{
	struct str name = metadata_get(&up->form, METADATA_NAME);
	struct str version = metadata_get(&up->form, METADATA_VERSION);

	if (name_is_valid(name))
		up->project = name_normalize(a, name);
	if (version_parse(a, version, &up->version) != OK)
		return;		/* stays empty; nobody asks for it then */
}

static struct metadata_policy
policy_of(const struct index *ix)
{
	return (struct metadata_policy){
		.allow_private_classifiers =
		    ix->config->allow_private_classifiers,
		.allow_local_versions = ix->config->allow_local_versions,
	};
}

void
upload_check_form(struct index *ix, struct arena *a, struct upload *up,
    struct findings *found)
{
	struct metadata_policy policy = policy_of(ix);

	if (up->protocol_version.n && !str_eq(up->protocol_version, STR("1")))
		findings_add(found, STR("protocol_version"),
		    "Unknown protocol version. It is '%.*s'; send 1.",
		    STR_ARG(str_sub(up->protocol_version, 0, 60)));
	find_name_and_version(a, up);
	if (up->comment.n > UPLOAD_COMMENT_BYTES)
		findings_add(found, STR("comment"), "'comment' may have at "
		    "most %d bytes", UPLOAD_COMMENT_BYTES);
	metadata_check(a, &up->form, &policy, found);
}

/* A wheel's Python tags, "py2.py3": they go into the journal as they are. */
static bool
is_pyversion(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '_')
			return false;
	return s.n > 0 && s.n <= UPLOAD_PYVERSION_BYTES;
}

static void
check_filetype(struct upload *up, struct findings *found)
{
	if (up->filetype.n == 0) {
		findings_add(found, STR("filetype"),
		    "'filetype' is a required field");
		return;
	}
	if (!packagetype_find(up->filetype, &up->packagetype)) {
		findings_add(found, STR("filetype"), "Invalid value for "
		    "filetype. Error: Use a known file type: sdist or "
		    "bdist_wheel, not '%.*s'.",
		    STR_ARG(str_sub(up->filetype, 0, 60)));
		return;
	}
	if (up->packagetype == PACKAGE_SDIST) {
		if (up->pyversion.n && !str_eq(up->pyversion, STR("source")))
			findings_add(found, STR("pyversion"), "Invalid value "
			    "for pyversion. Error: Use 'source' as Python "
			    "version for an sdist.");
		up->pyversion = STR("source");
	} else if (up->pyversion.n == 0) {
		findings_add(found, STR("pyversion"), "Invalid value for "
		    "pyversion. Error: Python version is required for binary "
		    "distribution uploads.");
	} else if (!is_pyversion(up->pyversion)) {
		findings_add(found, STR("pyversion"), "Invalid value for "
		    "pyversion. Error: Use the wheel's Python tag, like py3, "
		    "not '%.*s'.", STR_ARG(str_sub(up->pyversion, 0, 60)));
	}
}

static void
check_digest(struct arena *a, struct str field, struct str hex,
    const unsigned char *digest, size_t n, struct findings *found)
{
	struct str got = digest_hex(a, digest, n);

	if (hex.n == 0 || digest_hex_eq(hex, digest, n))
		return;
	findings_add(found, field, "The digest supplied does not match a "
	    "digest calculated from the uploaded file. '%.*s' is '%.*s', the "
	    "file that arrived has '%.*s'.", STR_ARG(field),
	    STR_ARG(str_sub(hex, 0, 2 * n)), STR_ARG(got));
}

/*
 * Whichever digests came must be right.  distutils 3.8 to 3.11 sends a
 * blake2b-512 as blake2_256_digest: 128 digits are passed over, for its other
 * two digests are good.
 */
static void
check_digests(struct arena *a, const struct upload *up,
    struct findings *found)
{
	const struct digests *d = &up->digests;
	bool is_blake2_512 = up->blake2_256_digest.n == 128;

	if (up->md5_digest.n == 0 && up->sha256_digest.n == 0 &&
	    (up->blake2_256_digest.n == 0 || is_blake2_512))
		findings_add(found, STR("sha256_digest"),
		    "Error: Include at least one message digest.");
	check_digest(a, STR("md5_digest"), up->md5_digest, d->md5,
	    sizeof(d->md5), found);
	check_digest(a, STR("sha256_digest"), up->sha256_digest, d->sha256,
	    sizeof(d->sha256), found);
	if (!is_blake2_512)
		check_digest(a, STR("blake2_256_digest"), up->blake2_256_digest,
		    d->blake2b_256, sizeof(d->blake2b_256), found);
}

static struct archive_limits
limits_of(const struct index *ix)
{
	struct archive_limits limits = archive_limits_default;

	limits.metadata_bytes = ix->config->metadata_limit_bytes;
	return limits;
}

/* The file itself is right; is its name, and does it hold what it says? */
static enum status
check_wheel(struct index *ix, struct arena *a, struct upload *up,
    struct archive_facts *facts, struct findings *found, struct err *err)
{
	const struct archive_limits limits = limits_of(ix);
	struct wheel_filename parts;
	struct err why;

	if (filename_parse_wheel(a, up->filename, &parts, &why) != OK ||
	    filename_check_platform(&parts, &why) != OK) {
		findings_add(found, STR("content"), "%s", why.text);
		return OK;
	}
	if (!str_eq(parts.name, up->project))
		findings_add(found, STR("content"), "Filename '%.*s' should "
		    "contain the normalized project name '%.*s', not '%.*s'.",
		    STR_ARG(up->filename), STR_ARG(up->project),
		    STR_ARG(parts.raw_name));
	if (version_cmp(&parts.version, &up->version) != 0)
		findings_add(found, STR("content"), "Version in filename "
		    "should be '%.*s' not '%.*s'.",
		    STR_ARG(version_normal(a, &up->version)),
		    STR_ARG(parts.raw_version));
	return archive_read_wheel(a, staged_fd(up->staged), up->filename,
	    parts.name, parts.raw_version, &limits, facts, found, err);
}

static enum status
check_sdist(struct index *ix, struct arena *a, struct upload *up,
    struct archive_facts *facts, struct findings *found, struct err *err)
{
	const struct archive_limits limits = limits_of(ix);
	struct sdist_filename parts;
	struct err why;

	if (filename_parse_sdist(a, up->filename, up->project, &parts,
	    &why) != OK) {
		findings_add(found, STR("content"), "%s", why.text);
		return OK;
	}
	if (!str_eq(parts.extension, STR(".tar.gz")) &&
	    !str_eq(parts.extension, STR(".zip"))) {
		findings_add(found, STR("content"), "Invalid file extension: "
		    "Use .tar.gz, .whl or .zip extension.");
		return OK;	/* the others' formats ask for much memory */
	}
	if (version_cmp(&parts.version, &up->version) != 0)
		findings_add(found, STR("content"), "Version in filename "
		    "should be '%.*s' not '%.*s'.",
		    STR_ARG(version_normal(a, &up->version)),
		    STR_ARG(parts.raw_version));
	if (ix->config->require_modern_sdist_names && !parts.is_modern)
		findings_add(found, STR("content"), "Invalid source "
		    "distribution filename: %.*s: PEP 625 has it as "
		    "NAME-VERSION.tar.gz, with '_' for '-' in the name",
		    STR_ARG(up->filename));
	return archive_read_sdist(a, staged_fd(up->staged), up->filename,
	    &limits, facts, found, err);
}

/* Each License-File that the metadata names must be in the archive. */
static void
check_license_files(struct arena *a, const struct upload *up,
    const struct archive_facts *facts, struct findings *found)
{
	const struct str_list *named =
	    &up->metadata.values[METADATA_LICENSE_FILE];

	if (str_cmp(metadata_get(&up->metadata, METADATA_METADATA_VERSION),
	    STR("2.4")) < 0)
		return;		/* setuptools wrote the field long before */
	for (size_t i = 0; i < named->n; i++)
		if (!archive_has_license(facts, named->at[i]))
			findings_add(found, STR("license_file"),
			    "License-File %.*s does not exist in distribution "
			    "file %.*s at %.*s", STR_ARG(named->at[i]),
			    STR_ARG(up->filename), STR_ARG(
			    archive_license_path(a, facts, named->at[i])));
}

static void
check_metadata(struct index *ix, struct arena *a, struct upload *up,
    const struct archive_facts *facts, struct findings *found)
{
	struct metadata_policy policy = policy_of(ix);
	size_t before = found->total;

	if (str_trim(facts->metadata).n == 0) {
		findings_add(found, STR("content"), "The metadata of '%.*s' is "
		    "empty; build it again", STR_ARG(up->filename));
		return;
	}
	if (metadata_parse(a, facts->metadata, &up->metadata, found) != OK)
		return;
	metadata_compare(a, &up->metadata, &up->form, found);
	if (found->total == before)
		metadata_check(a, &up->metadata, &policy, found);
	check_license_files(a, up, facts, found);
	if (up->packagetype == PACKAGE_WHEEL)
		up->metadata_bytes = facts->metadata;
}

enum status
upload_check(struct index *ix, struct arena *a, struct upload *up,
    struct findings *found, struct err *err)
{
	struct archive_facts facts = { .metadata = STR("") };
	struct err why;
	enum status st;

	upload_check_form(ix, a, up, found);
	check_filetype(up, found);
	if (!up->staged) {
		findings_add(found, STR("content"),
		    "Upload payload does not have a file. Send it as the "
		    "field 'content', with a file name.");
		return OK;
	}
	check_digests(a, up, found);
	if (filename_check(up->filename, &why) != OK) {
		findings_add(found, STR("content"), "%s", why.text);
		return OK;
	}
	if (found->total)
		return OK;	/* what follows needs a name and a type */
	if (up->packagetype == PACKAGE_WHEEL)
		st = check_wheel(ix, a, up, &facts, found, err);
	else
		st = check_sdist(ix, a, up, &facts, found, err);
	/* Sound, but with empty metadata: that, too, is to be judged. */
	if (st == OK && (facts.metadata.n || found->total == 0))
		check_metadata(ix, a, up, &facts, found);
	return st;
}

/* What a change knows of its upload. */
struct publishing {
	const struct caller *caller;
	struct upload *up;
	bool is_there;		/* the index has this very file */
	struct copy copy;
	struct copy_sent sent;	/* to the other machine */
	unsigned char metadata_sha256[32];
};

static enum status
file_exists(const struct upload *up, struct str hash, struct err *err)
{
	return err_set(err, CONFLICT, "File already exists ('%.*s', with "
	    "blake2_256 hash '%.*s'). Its bytes cannot be replaced; upload "
	    "them under a new version.", STR_ARG(up->filename),
	    STR_ARG(hash));
}

/* Has the index a file of this name?  The same bytes are no conflict. */
static enum status
check_filename(struct index *ix, struct arena *a, struct publishing *p,
    struct err *err)
{
	const struct upload *up = p->up;
	const struct db_arg name = db_text(up->filename);
	struct db_call calls[] = {
		{ .sql = SQL_FILE_FIND, .args = &name, .n_args = 1 },
		{ .sql = SQL_FILE_IS_NAME_USED, .args = &name, .n_args = 1 },
	};
	enum status st;

	st = db_run_each(ix->db, a, calls, 2, err);
	if (st != OK)
		return st;
	if (calls[0].st == OK) {
		struct str kept = db_bytes_at(&calls[0].rows, 0,
		    FILE_FIND_BLAKE2B_256);

		p->is_there = kept.n == sizeof(up->digests.blake2b_256) &&
		    memcmp(kept.p, up->digests.blake2b_256, kept.n) == 0;
		return p->is_there ? OK :
		    file_exists(up, digest_hex(a, kept.p, kept.n), err);
	}
	if (db_bool_at(&calls[1].rows, 0, FILE_IS_NAME_USED_IS_USED))
		return err_set(err, CONFLICT, "This filename was previously "
		    "used by a file that has since been deleted. Use a "
		    "different version. (File already exists: '%.*s')",
		    STR_ARG(up->filename));
	return OK;
}

/* May this caller upload this file?  Asked before the lock, and under it. */
static enum status
check_rights(struct index *ix, struct arena *a, struct publishing *p,
    struct project *project, struct err *err)
{
	enum status st;

	st = caller_check_scope(p->caller, p->up->project, err);
	if (st != OK)
		return st;
	st = project_find(ix, a, p->up->project, project, err);
	if (st == NOT_FOUND)
		return project_check_new(ix, a, p->caller, p->up->project, err);
	if (st == OK)
		st = project_check_upload(ix, a, p->caller, project, err);
	return st;
}

static enum status
add_release(struct change *ch, const struct upload *up, int64_t project_id,
    int64_t *release_id, struct err *err)
{
	struct arena *a = ch->arena;
	struct release release;
	enum status st;

	st = release_find(ch->ix, a, project_id, &up->version, &release, err);
	if (st == OK)
		*release_id = release.id;
	if (st != NOT_FOUND)
		return st;
	st = release_add(ch->ix, a, project_id, &up->version, &up->metadata,
	    release_id, err);
	if (st == OK)
		change_note(ch, version_normal(a, &up->version),
		    STR("new release"));
	return st;
}

static enum status
add_file(struct change *ch, struct publishing *p, int64_t project_id,
    int64_t release_id, struct err *err)
{
	const struct upload *up = p->up;
	const struct digests *d = &up->digests;
	struct db_arg metadata_sha256 = db_null();
	enum status st;

	if (up->metadata_bytes.n)
		metadata_sha256 = db_bytes(p->metadata_sha256,
		    sizeof(p->metadata_sha256));
	st = db_run(ch->ix->db, ch->arena, SQL_FILE_ADD, DB_ARGS(
	    db_int(project_id), db_int(release_id), db_text(up->filename),
	    db_text(packagetype_name(up->packagetype)),
	    db_text(up->pyversion), db_text(metadata_get(&up->metadata,
	    METADATA_REQUIRES_PYTHON)), db_text(up->comment),
	    db_int(d->size), db_bytes(d->sha256, sizeof(d->sha256)),
	    db_bytes(d->md5, sizeof(d->md5)),
	    db_bytes(d->blake2b_256, sizeof(d->blake2b_256)),
	    metadata_sha256, db_int(p->caller->account_id),
	    db_int(clock_wall_us())), NULL, err);
	if (st == CONFLICT)
		return err_set(err, CONFLICT, "File already exists ('%.*s').",
		    STR_ARG(up->filename));
	if (st == OK)
		change_note(ch, version_normal(ch->arena, &up->version),
		    str_fmt(ch->arena, "add %.*s file %.*s",
		    STR_ARG(up->pyversion), STR_ARG(up->filename)));
	return st;
}

/* The project under the lock: found, or made with its uploader as owner. */
static enum status
find_or_add_project(struct change *ch, struct publishing *p,
    struct project *project, struct err *err)
{
	struct str name = metadata_get(&p->up->form, METADATA_NAME);
	enum status st;

	ch->display_name = name;
	st = check_rights(ch->ix, ch->arena, p, project, err);
	if (st != OK)
		return st;
	if (project->id == 0)
		return project_add(ch, name, p->caller, &project->id, err);
	return OK;
}

static enum status
apply_upload(struct change *ch, void *arg, struct err *err)
{
	struct publishing *p = arg;
	struct project project = { .id = 0 };
	int64_t release_id;
	enum status st;

	st = find_or_add_project(ch, p, &project, err);
	if (st == OK)
		st = check_filename(ch->ix, ch->arena, p, err);
	if (st != OK || p->is_there)
		return st;
	if (project.name.n && !str_eq(project.name, ch->display_name)) {
		st = db_run(ch->ix->db, ch->arena, SQL_PROJECT_SET_NAME,
		    DB_ARGS(db_int(project.id), db_text(ch->display_name)),
		    NULL, err);
		if (st != OK)
			return st;
	}
	st = add_release(ch, p->up, project.id, &release_id, err);
	if (st == OK)
		st = add_file(ch, p, project.id, release_id, err);
	if (st == OK && p->sent.is_missing)
		st = copy_note_missing(ch->ix, ch->arena, &p->copy,
		    p->sent.words, err);
	return st;
}

/* The file's own name and digest tell whether it is in the index. */
static enum status
landed_upload(struct change *ch, void *arg, int64_t *serial,
    struct err *err)
{
	struct publishing *p = arg;
	struct project project;
	enum status st;

	p->is_there = false;
	st = check_filename(ch->ix, ch->arena, p, err);
	if (st != OK)
		return st == CONFLICT ? NOT_FOUND : st;
	if (!p->is_there)
		return NOT_FOUND;
	st = project_find(ch->ix, ch->arena, ch->project, &project, err);
	if (st == OK)
		*serial = project.last_serial;
	return st;
}

static struct copy
copy_of(struct publishing *p)
{
	const struct upload *up = p->up;
	struct copy copy = {
		.filename = up->filename, .size = up->digests.size,
		.metadata_sha256 = STR(""),
	};

	memcpy(copy.blake2b_256, up->digests.blake2b_256,
	    sizeof(copy.blake2b_256));
	if (up->metadata_bytes.n) {
		digest_sha256(up->metadata_bytes, p->metadata_sha256);
		copy.metadata_sha256 = (struct str){
			(const char *)p->metadata_sha256,
			sizeof(p->metadata_sha256),
		};
	}
	return copy;
}

/*
 * The index has this very file already.  Should its bytes be gone from a
 * store or damaged, this one's or the other machine's, here they are again.
 */
static enum status
heal(struct index *ix, struct arena *a, struct publishing *p,
    struct err *err)
{
	const struct upload *up = p->up;
	bool is_here;
	enum status st;

	st = copy_is_here(ix, a, &p->copy, &is_here, err);
	if (st == OK && !is_here)
		st = store_replace(ix->store, up->staged, up->filename,
		    up->metadata_bytes, clock_wall_us() / SECOND_US, err);
	if (st != OK)
		return st;
	copy_ensure_sent(ix, a, &p->copy, &p->sent);
	if (p->sent.is_missing)
		st = copy_note_missing(ix, a, &p->copy, p->sent.words, err);
	return st;
}

enum status
upload_publish(struct index *ix, struct arena *a,
    const struct caller *caller, struct upload *up, int64_t *serial,
    struct err *err)
{
	static const struct publication publication = {
		.apply = apply_upload, .landed = landed_upload,
	};
	struct publishing p = { .caller = caller, .up = up };
	struct project project = { .id = 0 };
	enum status st;

	*serial = 0;
	do {
		st = check_rights(ix, a, &p, &project, err);
		if (st == OK)
			st = check_filename(ix, a, &p, err);
	} while (primary_try_again(ix, st));
	if (st != OK)
		return st;
	p.copy = copy_of(&p);
	if (p.is_there) {
		st = heal(ix, a, &p, err);
		up->peer = p.sent.words;
		return st == OK ? primary_confirm(ix, a, err) : st;
	}
	/* W0: durable, here and there, before anything refers to it. */
	st = store_keep(ix->store, up->staged, up->filename,
	    up->metadata_bytes, clock_wall_us() / SECOND_US, err);
	if (st != OK)
		return st;
	copy_send(ix, a, &p.copy, &p.sent);
	up->peer = p.sent.words;
	return publish(ix, a, up->project, caller->name, &publication, &p,
	    serial, err);
}

static enum status
apply_register(struct change *ch, void *arg, struct err *err)
{
	struct project project = { .id = 0 };

	return find_or_add_project(ch, arg, &project, err);
}

enum status
upload_register(struct index *ix, struct arena *a,
    const struct caller *caller, struct upload *up, int64_t *serial,
    struct err *err)
{
	static const struct publication publication = {
		.apply = apply_register,
	};
	struct publishing p = { .caller = caller, .up = up };

	return publish(ix, a, up->project, caller->name, &publication, &p,
	    serial, err);
}
