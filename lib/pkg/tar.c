#include "pkg/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "pkg/archive.h"
#include "pkg/member.h"

#define BAD(err, ...)	\
	err_set((err), INVALID, "tar not accepted: " __VA_ARGS__)

/* Hashes of names, as member_hash() makes them. */
struct hashes {
	uint64_t *at;	/* NULL while cap is 0 */
	size_t n;
	size_t cap;
};

struct tar {
	struct arena *arena;
	const struct archive_limits *limits;
	struct unpack *unpack;
	struct archive *archive;
	enum status failed;	/* of unpack, with why; else OK */
	struct err why;
	int64_t members;
	int64_t size;		/* of the last member */
	struct hashes files;	/* all but folders: none may come twice */
	struct hashes links;	/* symbolic links */
	struct hashes solid;	/* names that must not be symbolic links */
	struct str parent;	/* of the last member; a copy */
	char parent_bytes[MEMBER_NAME_BYTES];
};

static void
hashes_add(struct arena *a, struct hashes *h, uint64_t hash)
{
	size_t cap = h->cap ? 2 * h->cap : 64;

	if (h->n == h->cap) {
		h->at = arena_grow(a, h->at, h->cap * sizeof(*h->at),
		    cap * sizeof(*h->at));
		h->cap = cap;
	}
	h->at[h->n++] = hash;
}

static int
by_value(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

static void
hashes_sort(struct hashes *h)
{
	if (h->n > 1)
		qsort(h->at, h->n, sizeof(*h->at), by_value);
}

static bool
hashes_repeat(struct hashes *h)
{
	hashes_sort(h);
	for (size_t i = 1; i < h->n; i++)
		if (h->at[i - 1] == h->at[i])
			return true;
	return false;
}

static bool
hashes_meet(struct hashes *a, struct hashes *b)
{
	hashes_sort(a);
	hashes_sort(b);
	for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
		if (a->at[i] == b->at[j])
			return true;
		if (a->at[i] < b->at[j])
			i++;
		else
			j++;
	}
	return false;
}

/* libarchive's way to ask for more. */
static la_ssize_t
feed(struct archive *archive, void *thing, const void **piece)
{
	struct tar *t = thing;
	struct str s = { NULL, 0 };

	t->failed = unpack_next(t->unpack, &s, &t->why);
	if (t->failed != OK) {
		archive_set_error(archive, EIO, "%s", t->why.text);
		return -1;
	}
	*piece = s.p;
	return (la_ssize_t)s.n;
}

/* libarchive gave up: because of what we fed, of memory, or of the tar. */
static enum status
tar_failed(const struct tar *t, struct err *err)
{
	const char *text = archive_error_string(t->archive);

	if (t->failed == INVALID)
		return BAD(err, "%s", t->why.text);
	if (t->failed != OK)
		return err_set(err, t->failed, "%s", t->why.text);
	if (archive_errno(t->archive) == ENOMEM)
		return err_set(err, UNAVAILABLE, "no memory to read a tar");
	if (t->members == 0)
		return err_set(err, INVALID, "File is not a tarfile");
	return BAD(err, "%s", text ? text : "damaged");
}

static void
close_archive(void *thing)
{
	archive_read_free(thing);
}

enum status
tar_open(struct arena *a, int fd, enum packing packing,
    const struct archive_limits *limits, struct tar **out, struct err *err)
{
	struct tar *t = arena_alloc(a, sizeof(*t));
	enum status st;

	t->arena = a;
	t->limits = limits;
	st = unpack_open(a, fd, packing, limits, &t->unpack, err);
	if (st != OK)
		return st;
	t->archive = archive_read_new();
	if (!t->archive)
		return err_set(err, UNAVAILABLE, "no memory to read a tar");
	arena_defer(a, close_archive, t->archive);
	archive_read_support_format_tar(t->archive);
	if (archive_read_open(t->archive, t, NULL, feed, NULL) != ARCHIVE_OK)
		return tar_failed(t, err);
	*out = t;
	return OK;
}

static size_t
depth_of(struct str name)
{
	struct str part;
	size_t n = 0;

	while (member_component(&name, &part))
		n++;
	return n;
}

/* The name without its last component. */
static struct str
parent_of(struct str name)
{
	struct str part, rest = name;
	size_t end = 0;

	while (member_component(&rest, &part))
		end = (size_t)(part.p - name.p);
	return str_sub(name, 0, end);
}

/*
 * Does a symbolic link stay within its top folder?  Only ".." in front are
 * followed by name: behind the name of another link they would lead anywhere.
 */
static bool
stays_inside(struct str name, struct str target)
{
	size_t depth = depth_of(parent_of(name));
	bool is_down = false;
	struct str part;

	if (target.n == 0 || target.p[0] == '/' || depth == 0)
		return false;
	while (member_component(&target, &part)) {
		if (!str_eq(part, STR(".."))) {
			is_down = true;
			continue;
		}
		if (is_down || depth <= 1)
			return false;
		depth--;
	}
	return true;
}

static enum status
check_symlink(struct tar *t, struct str name, struct str target,
    struct err *err)
{
	struct err why;

	if (!stays_inside(name, target))
		return BAD(err, "the link '%.200s' leads outside: '%.200s'",
		    str_z(t->arena, name), str_z(t->arena, target));
	/* What '\' and drive letters do elsewhere; ".." was judged above. */
	while (str_starts(target, STR("../")))
		target = str_sub(target, 3, target.n);
	if (!str_eq(target, STR("..")) && member_check(target, &why) != OK)
		return BAD(err, "the link '%.200s': %.200s",
		    str_z(t->arena, name), why.text);
	hashes_add(t->arena, &t->links, member_hash(MEMBER_HASH_NONE, name));
	return OK;
}

static enum status
check_hardlink(struct tar *t, struct str name, struct str target,
    struct err *err)
{
	struct str top = member_top(name, false);
	struct err why;

	if (member_check(target, &why) != OK)
		return BAD(err, "the hard link '%.200s': %.200s",
		    str_z(t->arena, name), why.text);
	if (top.n == 0 || !str_eq(top, member_top(target, false)))
		return BAD(err, "the hard link '%.200s' leads outside: "
		    "'%.200s'", str_z(t->arena, name),
		    str_z(t->arena, target));
	hashes_add(t->arena, &t->solid, member_hash(MEMBER_HASH_NONE, target));
	return OK;
}

/*
 * All folders on the way to a member must be folders: through a link that
 * itself stays inside, a second one might not.
 */
static enum status
note_parents(struct tar *t, struct str name, struct err *err)
{
	struct str part, parent = parent_of(name);
	uint64_t hash = MEMBER_HASH_NONE;

	if (str_eq(parent, t->parent))
		return OK;
	memcpy(t->parent_bytes, parent.p, parent.n);
	t->parent = (struct str){ t->parent_bytes, parent.n };
	while (member_component(&parent, &part)) {
		hash = member_hash(hash, part);
		hashes_add(t->arena, &t->solid, hash);
	}
	if (t->solid.n > (size_t)t->limits->members)
		return BAD(err, "over %lld folders on the way to its members",
		    (long long)t->limits->members);
	return OK;
}

static enum status
check_kind(struct tar *t, struct archive_entry *entry, struct str name,
    struct err *err)
{
	struct str hard = str_c(archive_entry_hardlink(entry));
	struct str soft = str_c(archive_entry_symlink(entry));

	if (archive_entry_sparse_count(entry) > 0)
		return BAD(err, "'%.*s' is a sparse file", STR_ARG(name));
	if (hard.n > 0)
		return check_hardlink(t, name, hard, err);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
	case AE_IFDIR:
		return OK;
	case AE_IFLNK:
		return check_symlink(t, name, soft, err);
	default:
		return BAD(err, "'%.*s' is a device, FIFO or socket",
		    STR_ARG(name));
	}
}

static enum status
check_member(struct tar *t, struct archive_entry *entry, struct str name,
    struct err *err)
{
	struct err why;
	enum status st;

	if (++t->members > t->limits->members)
		return BAD(err, "over %lld members",
		    (long long)t->limits->members);
	if (member_check(name, &why) != OK)
		return BAD(err, "%s", why.text);
	st = check_kind(t, entry, name, err);
	if (st == OK)
		st = note_parents(t, name, err);
	if (st == OK && archive_entry_filetype(entry) != AE_IFDIR)
		hashes_add(t->arena, &t->files,
		    member_hash(MEMBER_HASH_NONE, name));
	return st;
}

/* What can be judged only when all members are known. */
static enum status
check_end(struct tar *t, struct err *err)
{
	int64_t end = archive_read_header_position(t->archive);
	struct str piece;

	do
		t->failed = unpack_next(t->unpack, &piece, &t->why);
	while (t->failed == OK && piece.n > 0);
	if (t->failed != OK)
		return tar_failed(t, err);
	if (unpack_used_bytes(t->unpack) > end)
		return BAD(err, "data behind its end");
	if (hashes_repeat(&t->files))
		return BAD(err, "two files of the same name");
	if (hashes_meet(&t->links, &t->solid))
		return BAD(err, "a member lies below a symbolic link, or a "
		    "hard link leads to one");
	return NOT_FOUND;
}

enum status
tar_next(struct tar *t, struct tar_member *out, struct err *err)
{
	struct archive_entry *entry;
	struct str name;
	enum status st;
	int rc = archive_read_next_header(t->archive, &entry);

	if (rc == ARCHIVE_EOF && t->members > 0)
		return check_end(t, err);
	/* ARCHIVE_WARN: a name that our locale has no letters for. */
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
		return tar_failed(t, err);
	name = str_c(archive_entry_pathname(entry));
	st = check_member(t, entry, name, err);
	if (st != OK)
		return st;
	t->size = archive_entry_size(entry);
	out->name = name;
	out->is_dir = archive_entry_filetype(entry) == AE_IFDIR;
	out->is_file = archive_entry_filetype(entry) == AE_IFREG &&
	    !archive_entry_hardlink(entry);
	out->size = t->size;
	return OK;
}

enum status
tar_read(struct tar *t, int64_t limit_bytes, struct str *out, struct err *err)
{
	la_ssize_t n;
	char *bytes;

	if (t->size < 0 || t->size > limit_bytes)
		return err_set(err, INVALID, "over %lld bytes",
		    (long long)limit_bytes);
	bytes = arena_alloc(t->arena, (size_t)t->size);
	n = archive_read_data(t->archive, bytes, (size_t)t->size);
	if (n != t->size)
		return tar_failed(t, err);
	*out = (struct str){ bytes, (size_t)n };
	return OK;
}
