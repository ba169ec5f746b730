#include "pkg/archive.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/findings.h"
#include "pkg/member.h"
#include "pkg/name.h"
#include "pkg/tar.h"
#include "pkg/version.h"
#include "pkg/zip.h"

#define TAR_BLOCK_BYTES	512
#define TAR_SUM_AT	148	/* of the header's checksum, 8 octal digits */

const struct archive_limits archive_limits_default = {
	.members = 200000,
	.unpacked_bytes = (int64_t)8 << 30,
	.metadata_bytes = 4 << 20,
	.ratio = 50,
};

/* One archive being read. */
struct look {
	struct arena *arena;
	int fd;
	struct str filename;
	const struct archive_limits *limits;
	struct archive_facts *facts;
	struct findings *found;
	size_t names_cap;
	bool has_metadata;
	bool has_wheel;
	bool has_record;
	bool has_other_top;	/* a member outside of facts->top */
};

/* Say that this is no archive; what there is to say stands in err. */
static void
refuse(struct look *l, const struct err *err)
{
	findings_add(l->found, STR("content"), "Invalid distribution file. %s",
	    err->text);
}

/*
 * The verdict on an archive that was read until st.  INVALID becomes a
 * finding; NOT_FOUND, no more members, is how it ends well.
 */
static enum status
verdict(struct look *l, enum status st, const struct err *err)
{
	if (st == INVALID)
		refuse(l, err);
	return st == INVALID || st == NOT_FOUND ? OK : st;
}

static void
note_name(struct look *l, struct str name)
{
	struct archive_facts *f = l->facts;

	if (f->n_names == l->names_cap) {
		size_t cap = l->names_cap ? 2 * l->names_cap : 64;

		f->names = arena_grow(l->arena, f->names,
		    l->names_cap * sizeof(*f->names), cap * sizeof(*f->names));
		l->names_cap = cap;
	}
	f->names[f->n_names++] = member_hash(MEMBER_HASH_NONE, name);
}

static int
by_value(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

static void
sort_names(struct archive_facts *f)
{
	if (f->n_names > 1)
		qsort(f->names, f->n_names, sizeof(*f->names), by_value);
}

/* Is it the file of this name in the top folder itself? */
static bool
is_in_top(const struct look *l, struct str name, struct str file)
{
	struct str part, rest = name;

	return member_component(&rest, &part) &&
	    str_eq(part, l->facts->top) && member_component(&rest, &part) &&
	    str_eq(part, file) && !member_component(&rest, &part);
}

/*
 * Does the file begin as a tar does?  Then whoever goes by that, and not by
 * its name, reads other members than we do.
 */
static bool
is_tar_header(const unsigned char block[TAR_BLOCK_BYTES])
{
	unsigned long sum = 0, want = 0;
	bool any = false;

	for (int i = 0; i < TAR_BLOCK_BYTES; i++)
		sum += i >= TAR_SUM_AT && i < TAR_SUM_AT + 8 ? ' ' : block[i];
	for (int i = TAR_SUM_AT; i < TAR_SUM_AT + 8; i++) {
		if (block[i] == ' ' && !any)
			continue;
		if (block[i] < '0' || block[i] > '7')
			break;
		want = want * 8 + (unsigned long)(block[i] - '0');
		any = true;
	}
	return any && sum == want;
}

static enum status
check_no_tar(const struct look *l, struct err *err)
{
	unsigned char block[TAR_BLOCK_BYTES];
	ssize_t n;

	do
		n = pread(l->fd, block, sizeof(block), 0);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return err_errno(err, "cannot read the archive");
	if (n == TAR_BLOCK_BYTES && is_tar_header(block))
		return err_set(err, INVALID, "File is both a zip and a tar");
	return OK;
}

static enum status
check_no_zip(const struct look *l, struct err *err)
{
	bool is_zip = false;
	enum status st = zip_is_likely(l->arena, l->fd, &is_zip, err);

	if (st == OK && is_zip)
		return err_set(err, INVALID, "File is a zip, or both a zip "
		    "and a tar, but it is called .tar.gz");
	return st;
}

static enum status
open_zip(const struct look *l, struct zip **out, struct err *err)
{
	enum status st = zip_open(l->arena, l->fd, l->limits, out, err);

	return st == OK ? check_no_tar(l, err) : st;
}

/* Read a member that we keep; says which one it is if it is too large. */
static enum status
keep_zip(struct look *l, struct zip *z, const struct zip_member *m,
    struct str *out, struct err *err)
{
	if (m->size > l->limits->metadata_bytes)
		return err_set(err, INVALID, "'%.*s' is over %lld bytes",
		    STR_ARG(m->name), (long long)l->limits->metadata_bytes);
	return zip_read(z, l->limits->metadata_bytes, out, err);
}

static struct str
dist_info_of(struct str name)
{
	struct str top, rest = name;

	if (!member_component(&rest, &top) || rest.n == 0 ||
	    !str_ends(top, STR(".dist-info")))
		return STR("");
	return top;
}

/* Take what a wheel's member tells; its bytes are read in any case. */
static enum status
look_at_wheel(struct look *l, struct zip *z, const struct zip_member *m,
    struct err *err)
{
	struct archive_facts *f = l->facts;
	struct str top = dist_info_of(m->name);

	note_name(l, m->name);
	if (top.n > 0 && f->top.n == 0)
		f->top = str_dup(l->arena, top);
	if (top.n == 0 || m->is_dir)
		return zip_read(z, 0, NULL, err);
	if (!str_eq(top, f->top)) {
		l->has_other_top = true;
	} else if (is_in_top(l, m->name, STR("METADATA"))) {
		l->has_metadata = true;
		return keep_zip(l, z, m, &f->metadata, err);
	} else if (is_in_top(l, m->name, STR("WHEEL"))) {
		l->has_wheel = true;
		return keep_zip(l, z, m, &f->wheel, err);
	} else if (is_in_top(l, m->name, STR("RECORD"))) {
		l->has_record = true;
	}
	return zip_read(z, 0, NULL, err);
}

static bool
same_version(struct arena *a, struct str one, struct str other)
{
	struct version v, w;

	if (version_parse(a, one, &v) != OK ||
	    version_parse(a, other, &w) != OK)
		return str_eq(one, other);
	return version_cmp(&v, &w) == 0;
}

/* Is the .dist-info folder that of this project and version? */
static bool
is_dist_info_of(struct look *l, struct str name, struct str version)
{
	struct str stem = str_sub(l->facts->top, 0,
	    l->facts->top.n - strlen(".dist-info"));
	size_t dash = str_rfind(stem, '-');

	return dash < stem.n &&
	    str_eq(name_normalize(l->arena, str_sub(stem, 0, dash)), name) &&
	    same_version(l->arena, str_sub(stem, dash + 1, stem.n), version);
}

static void
miss(struct look *l, bool is_there, const char *file)
{
	if (is_there)
		return;
	findings_add(l->found, STR("content"), "Wheel '%.*s' does not contain "
	    "the required %s file: %.*s/%s", STR_ARG(l->filename), file,
	    STR_ARG(l->facts->top), file);
}

/* What a wheel must have, once all its members are known to be sound. */
static void
check_wheel(struct look *l, struct str name, struct str version)
{
	if (l->facts->top.n == 0) {
		findings_add(l->found, STR("content"), "Wheel '%.*s' has no "
		    ".dist-info folder", STR_ARG(l->filename));
		return;
	}
	if (l->has_other_top)
		findings_add(l->found, STR("content"), "Wheel '%.*s' has more "
		    "than one .dist-info folder", STR_ARG(l->filename));
	if (!is_dist_info_of(l, name, version))
		findings_add(l->found, STR("content"), "Wheel '%.*s' has the "
		    "folder '%.*s', which is not that of its name and version",
		    STR_ARG(l->filename), STR_ARG(l->facts->top));
	miss(l, l->has_metadata, "METADATA");
	miss(l, l->has_wheel, "WHEEL");
	miss(l, l->has_record, "RECORD");
}

enum status
archive_read_wheel(struct arena *a, int fd, struct str filename,
    struct str name, struct str version, const struct archive_limits *limits,
    struct archive_facts *out, struct findings *found, struct err *err)
{
	struct archive_facts facts = { .is_wheel = true };
	struct look l = {
		.arena = a, .fd = fd, .filename = filename, .limits = limits,
		.facts = &facts, .found = found,
	};
	struct zip_member m;
	struct err why = { .text = "" };
	struct zip *z = NULL;
	enum status st = open_zip(&l, &z, &why);

	while (st == OK && (st = zip_next(z, &m, &why)) == OK)
		st = look_at_wheel(&l, z, &m, &why);
	if (st == NOT_FOUND)
		check_wheel(&l, name, version);
	st = verdict(&l, st, &why);
	if (st != OK)
		return err_set(err, st, "%s", why.text);
	sort_names(&facts);
	*out = facts;
	return OK;
}

/* Note a member of an sdist.  True: it is the PKG-INFO that counts. */
static bool
look_at_sdist(struct look *l, struct str name, bool is_dir, bool is_file)
{
	struct str top = member_top(name, is_dir);

	note_name(l, name);
	if (is_dir && top.n == 0)
		return false;	/* "./", the folder that all is in */
	if (top.n > 0 && l->facts->top.n == 0)
		l->facts->top = str_dup(l->arena, top);
	if (top.n == 0 || !str_eq(top, l->facts->top))
		l->has_other_top = true;
	if (!is_file || !is_in_top(l, name, STR("PKG-INFO")))
		return false;
	l->has_metadata = true;
	return true;
}

static enum status
read_zip_sdist(struct look *l, struct err *err)
{
	struct zip *z = NULL;
	struct zip_member m;
	enum status st = open_zip(l, &z, err);

	while (st == OK && (st = zip_next(z, &m, err)) == OK) {
		if (look_at_sdist(l, m.name, m.is_dir, !m.is_dir))
			st = keep_zip(l, z, &m, &l->facts->metadata, err);
		else
			st = zip_read(z, 0, NULL, err);
	}
	return st;
}

static enum status
keep_tar(struct look *l, struct tar *t, const struct tar_member *m,
    struct err *err)
{
	if (m->size > l->limits->metadata_bytes)
		return err_set(err, INVALID, "'%.*s' is over %lld bytes",
		    STR_ARG(m->name), (long long)l->limits->metadata_bytes);
	return tar_read(t, l->limits->metadata_bytes, &l->facts->metadata,
	    err);
}

static enum status
read_tar_sdist(struct look *l, enum packing packing, struct err *err)
{
	struct tar *t = NULL;
	struct tar_member m;
	enum status st = check_no_zip(l, err);

	if (st == OK)
		st = tar_open(l->arena, l->fd, packing, l->limits, &t, err);
	while (st == OK && (st = tar_next(t, &m, err)) == OK)
		if (look_at_sdist(l, m.name, m.is_dir, m.is_file))
			st = keep_tar(l, t, &m, err);
	return st;
}

static bool
ends_in(struct str filename, struct str suffix)
{
	return filename.n > suffix.n && str_eq_nocase(suffix,
	    str_sub(filename, filename.n - suffix.n, filename.n));
}

static enum status
read_sdist(struct look *l, struct err *err)
{
	if (ends_in(l->filename, STR(".zip")))
		return read_zip_sdist(l, err);
	if (ends_in(l->filename, STR(".tar.gz")) ||
	    ends_in(l->filename, STR(".tgz")))
		return read_tar_sdist(l, PACKING_GZIP, err);
	if (ends_in(l->filename, STR(".tar.bz2")))
		return read_tar_sdist(l, PACKING_BZIP2, err);
	if (ends_in(l->filename, STR(".tar.xz")))
		return read_tar_sdist(l, PACKING_XZ, err);
	return err_set(err, INVALID, "An sdist ends in .tar.gz, .tgz, "
	    ".tar.bz2, .tar.xz or .zip");
}

static void
check_sdist(struct look *l)
{
	if (l->has_other_top || l->facts->top.n == 0)
		findings_add(l->found, STR("content"), "Invalid distribution "
		    "file. Incorrect number of top-level directories in sdist");
	else if (!l->has_metadata)
		findings_add(l->found, STR("content"), "Invalid distribution "
		    "file. PKG-INFO not found at %.*s/PKG-INFO",
		    STR_ARG(l->facts->top));
}

enum status
archive_read_sdist(struct arena *a, int fd, struct str filename,
    const struct archive_limits *limits, struct archive_facts *out,
    struct findings *found, struct err *err)
{
	struct archive_facts facts = { .is_wheel = false };
	struct look l = {
		.arena = a, .fd = fd, .filename = filename, .limits = limits,
		.facts = &facts, .found = found,
	};
	struct err why = { .text = "" };
	enum status st = read_sdist(&l, &why);

	if (st == NOT_FOUND)
		check_sdist(&l);
	st = verdict(&l, st, &why);
	if (st != OK)
		return err_set(err, st, "%s", why.text);
	sort_names(&facts);
	*out = facts;
	return OK;
}

static bool
has_hash(const struct archive_facts *f, uint64_t hash)
{
	return f->n_names > 0 && bsearch(&hash, f->names, f->n_names,
	    sizeof(*f->names), by_value);
}

bool
archive_has(const struct archive_facts *facts, struct str member)
{
	return has_hash(facts, member_hash(MEMBER_HASH_NONE, member));
}

bool
archive_has_license(const struct archive_facts *facts,
    struct str license_file)
{
	uint64_t hash = member_hash(MEMBER_HASH_NONE, facts->top);

	if (facts->is_wheel)
		hash = member_hash(hash, STR("licenses"));
	return has_hash(facts, member_hash(hash, license_file));
}

struct str
archive_license_path(struct arena *a, const struct archive_facts *facts,
    struct str license_file)
{
	return str_fmt(a, "%.*s/%s%.*s", STR_ARG(facts->top),
	    facts->is_wheel ? "licenses/" : "", STR_ARG(license_file));
}
