#include "io/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/panic.h"
#include "io/secret.h"

#define FOLDERS		3	/* ab, cd, and 60 more digits */
#define FOLDER_CHARS	60	/* of the longest of them */
#define NAME_TRIES	5	/* against store_remove() in the same folder */
#define LISTING_BYTES	((size_t)256 << 20)	/* some million names */

#define METADATA_SUFFIX	".metadata"
#define OPEN_FOLDER	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
/* O_NONBLOCK: a FIFO in a file's place must not hold us up. */
#define OPEN_FILE	(O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)

struct store {
	int root;
	int staging;
	int packages;
};

struct staged {
	struct store *store;
	struct arena *arena;
	struct digester *digester;
	struct digests digests;
	bool finished;
	bool has_name;		/* in staging/ */
	bool replaces;		/* what has its permanent name */
	int fd;
	char name[33];		/* below staging/ */
};

/* The folders of one kept file, packages/ not included. */
struct leaf {
	char name[FOLDERS][FOLDER_CHARS + 1];
	int fd[FOLDERS];	/* -1: not open */
};

/* UNAVAILABLE by errno; says in plain words that the disk is full. */
static enum status
disk_error(struct err *err, const char *what)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return err_set(err, UNAVAILABLE,
		    "the disk of the file store is full");
	return err_errno(err, "file store: %s", what);
}

/* Make a folder unless it is there, and open it. */
static enum status
make_folder(int at, const char *name, mode_t mode, int *out, struct err *err)
{
	if (mkdirat(at, name, mode) == -1 && errno != EEXIST)
		return disk_error(err, "cannot make a folder");
	*out = openat(at, name, OPEN_FOLDER);
	if (*out == -1 && errno == ENOENT)
		return NOT_FOUND;	/* removed between the two */
	if (*out == -1)
		return disk_error(err, "cannot open a folder");
	return OK;
}

static void
store_close(void *thing)
{
	struct store *s = thing;

	if (s->root != -1)
		close(s->root);
	if (s->staging != -1)
		close(s->staging);
	if (s->packages != -1)
		close(s->packages);
}

enum status
store_open(struct arena *a, const char *root, struct store **out,
    struct err *err)
{
	struct store *s = arena_alloc(a, sizeof(*s));
	enum status st;

	s->root = s->staging = s->packages = -1;
	arena_defer(a, store_close, s);
	if (mkdir(root, 0755) == -1 && errno != EEXIST)
		return err_errno(err, "cannot make the file store %s", root);
	/* The operator may have put a link here, so follow it. */
	s->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root == -1)
		return err_errno(err, "cannot open the file store %s", root);
	st = make_folder(s->root, "staging", 0700, &s->staging, err);
	if (st == OK)
		st = make_folder(s->root, "packages", 0755, &s->packages, err);
	if (st == NOT_FOUND)
		return err_set(err, UNAVAILABLE,
		    "the folders of the file store %s vanish", root);
	if (st != OK)
		return st;
	if (fsync(s->root) == -1)
		return disk_error(err, "cannot flush its folder");
	*out = s;
	return OK;
}

static void
staged_release(void *thing)
{
	struct staged *f = thing;

	if (f->fd != -1)
		close(f->fd);
	if (f->has_name)
		unlinkat(f->store->staging, f->name, 0);
}

enum status
store_stage(struct store *s, struct arena *a, struct staged **out,
    struct err *err)
{
	struct staged *f = arena_alloc(a, sizeof(*f));
	unsigned char random[16];
	struct str name;

	random_bytes(random, sizeof(random));
	name = digest_hex(a, random, sizeof(random));
	f->store = s;
	f->arena = a;
	memcpy(f->name, name.p, name.n);
	f->fd = openat(s->staging, f->name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd == -1)
		return disk_error(err, "cannot begin a file");
	f->has_name = true;
	arena_defer(a, staged_release, f);
	f->digester = digester_new(a);
	*out = f;
	return OK;
}

enum status
staged_write(struct staged *f, const void *bytes, size_t n, struct err *err)
{
	const char *p = bytes;

	if (f->finished)
		panic("staged_write after staged_finish");
	while (n > 0) {
		size_t piece = n < DIGEST_PIECE_BYTES ? n : DIGEST_PIECE_BYTES;
		ssize_t wrote = write(f->fd, p, piece);

		if (wrote == -1 && errno == EINTR)
			continue;
		if (wrote == -1)
			return disk_error(err, "cannot write");
		digester_update(f->digester, p, (size_t)wrote);
		p += wrote;
		n -= (size_t)wrote;
	}
	return OK;
}

enum status
staged_finish(struct staged *f, struct digests *out, struct err *err)
{
	struct stat sb;

	if (f->finished)
		panic("staged_finish twice");
	digester_final(f->digester, &f->digests);
	f->finished = true;
	if (fstat(f->fd, &sb) == -1)
		return disk_error(err, "cannot look at a staged file");
	if (sb.st_size != f->digests.size)
		return err_set(err, UNAVAILABLE,
		    "file store: staged file has %lld bytes instead of %lld",
		    (long long)sb.st_size, (long long)f->digests.size);
	*out = f->digests;
	return OK;
}

int
staged_fd(const struct staged *f)
{
	return f->fd;
}

static bool
is_file_name(struct str name)
{
	if (name.n == 0 || name.n > STORE_NAME_BYTES || name.p[0] == '.' ||
	    str_ends(name, STR(METADATA_SUFFIX)))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == '/' ||
		    name.p[i] == 0x7f)
			return false;
	return true;
}

static enum status
check_file_name(struct str name, struct err *err)
{
	if (is_file_name(name))
		return OK;
	return err_set(err, INVALID, "'%.*s' cannot be the name of a file",
	    STR_ARG(name));
}

struct str
store_path(struct arena *a, const unsigned char blake2b_256[32],
    struct str filename)
{
	struct buf b = buf_new(a);

	buf_hex(&b, blake2b_256, 1);
	buf_byte(&b, '/');
	buf_hex(&b, blake2b_256 + 1, 1);
	buf_byte(&b, '/');
	buf_hex(&b, blake2b_256 + 2, 30);
	buf_byte(&b, '/');
	buf_put(&b, filename);
	return buf_view(&b);
}

static struct leaf
leaf_of(const unsigned char digest[32])
{
	struct leaf leaf = { .fd = { -1, -1, -1 } };
	static const char digits[] = "0123456789abcdef";
	static const size_t first[FOLDERS + 1] = { 0, 1, 2, 32 };

	for (size_t f = 0; f < FOLDERS; f++) {
		char *out = leaf.name[f];

		for (size_t i = first[f]; i < first[f + 1]; i++) {
			*out++ = digits[digest[i] >> 4];
			*out++ = digits[digest[i] & 15];
		}
	}
	return leaf;
}

static void
leaf_close(struct leaf *leaf)
{
	for (int i = 0; i < FOLDERS; i++) {
		if (leaf->fd[i] != -1)
			close(leaf->fd[i]);
		leaf->fd[i] = -1;
	}
}

/* Open the folders, making them first.  NOT_FOUND: one was removed again. */
static enum status
leaf_make(struct store *s, struct leaf *leaf, struct err *err)
{
	int at = s->packages;
	enum status st;

	for (int i = 0; i < FOLDERS; i++) {
		st = make_folder(at, leaf->name[i], 0755, &leaf->fd[i], err);
		if (st != OK)
			return st;
		at = leaf->fd[i];
	}
	return OK;
}

/* Open the folders that are there.  NOT_FOUND when not all of them are. */
static enum status
leaf_open(struct store *s, struct leaf *leaf, struct err *err)
{
	int at = s->packages;

	for (int i = 0; i < FOLDERS; i++) {
		leaf->fd[i] = openat(at, leaf->name[i], OPEN_FOLDER);
		if (leaf->fd[i] == -1 && errno == ENOENT)
			return err_set(err, NOT_FOUND,
			    "the file store has no such file");
		if (leaf->fd[i] == -1)
			return disk_error(err, "cannot open a folder");
		at = leaf->fd[i];
	}
	return OK;
}

/*
 * Make names durable, from the file's folder upwards.  All of them each time:
 * a process that was killed may have made a folder and not flushed it.
 */
static enum status
leaf_flush(struct store *s, const struct leaf *leaf, struct err *err)
{
	for (int i = FOLDERS - 1; i >= 0; i--)
		if (leaf->fd[i] != -1 && fsync(leaf->fd[i]) == -1)
			return disk_error(err, "cannot flush a folder");
	if (fsync(s->packages) == -1)
		return disk_error(err, "cannot flush a folder");
	return OK;
}

/* Give an open file the mode and time it will be served with; flush it. */
static enum status
settle(int fd, int64_t mtime_s, struct err *err)
{
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = mtime_s },
	};

	if (fchmod(fd, 0644) == -1 || futimens(fd, times) == -1)
		return disk_error(err, "cannot set mode and time");
	if (fsync(fd) == -1)
		return disk_error(err, "cannot flush a file");
	return OK;
}

/*
 * The name is taken.  OK when by a whole copy of the same bytes, which now
 * has this time or a later one; NOT_FOUND when by a damaged one, which may be replaced.
 */
static enum status
take_over(const struct staged *f, int leaf, const char *name, int64_t mtime_s,
    struct err *err)
{
	int fd = openat(leaf, name, OPEN_FILE);
	struct stat sb;
	enum status st;

	if (fd == -1)
		return disk_error(err, "cannot open a kept file");
	if (fstat(fd, &sb) == -1)
		st = disk_error(err, "cannot look at a kept file");
	else if (!S_ISREG(sb.st_mode))
		st = err_set(err, UNAVAILABLE,
		    "file store: something is in the way of %s", name);
	else if (sb.st_size != f->digests.size)
		st = NOT_FOUND;
	else
		st = settle(fd, mtime_s > sb.st_mtim.tv_sec ? mtime_s :
		    sb.st_mtim.tv_sec, err);
	close(fd);
	return st;
}

/* Link the staged file to its name.  NOT_FOUND: the folder was removed. */
static enum status
name_file(struct staged *f, int leaf, const char *name, int64_t mtime_s,
    struct err *err)
{
	int staging = f->store->staging;
	enum status st;

	if (linkat(staging, f->name, leaf, name, 0) == 0)
		return OK;
	if (errno == ENOENT)
		return NOT_FOUND;
	if (errno != EEXIST)
		return disk_error(err, "cannot name a file");
	st = f->replaces ? NOT_FOUND : take_over(f, leaf, name, mtime_s, err);
	if (st != NOT_FOUND)
		return st;
	if (renameat(staging, f->name, leaf, name) == -1)
		return disk_error(err, "cannot replace a damaged file");
	f->has_name = false;
	return OK;
}

/* Put the metadata, if any, beside its file. */
static enum status
name_metadata(struct staged *meta, int leaf, const char *name,
    struct err *err)
{
	if (!meta)
		return OK;
	if (!meta->has_name)
		panic("metadata named twice");
	if (renameat(meta->store->staging, meta->name, leaf, name) == 0) {
		meta->has_name = false;
		return OK;
	}
	if (errno == ENOENT)
		return NOT_FOUND;
	return disk_error(err, "cannot name a metadata file");
}

/* One try.  NOT_FOUND: a folder was removed meanwhile; try again. */
static enum status
name_both(struct staged *f, struct staged *meta, struct str filename,
    int64_t mtime_s, struct err *err)
{
	struct leaf leaf = leaf_of(f->digests.blake2b_256);
	const char *name = str_z(f->arena, filename);
	const char *meta_name = str_fmt(f->arena, "%s" METADATA_SUFFIX, name).p;
	enum status st;

	st = leaf_make(f->store, &leaf, err);
	if (st == OK)
		st = name_file(f, leaf.fd[FOLDERS - 1], name, mtime_s, err);
	if (st == OK)
		st = name_metadata(meta, leaf.fd[FOLDERS - 1], meta_name, err);
	if (st == OK)
		st = leaf_flush(f->store, &leaf, err);
	leaf_close(&leaf);
	return st;
}

/* The metadata as a flushed file in staging/; NULL for none. */
static enum status
stage_metadata(struct staged *f, struct str metadata, int64_t mtime_s,
    struct staged **out, struct err *err)
{
	struct staged *meta;
	enum status st;

	*out = NULL;
	if (metadata.n == 0)
		return OK;
	st = store_stage(f->store, f->arena, &meta, err);
	if (st == OK)
		st = staged_write(meta, metadata.p, metadata.n, err);
	if (st == OK)
		st = settle(meta->fd, mtime_s, err);
	if (st == OK)
		*out = meta;
	return st;
}

enum status
store_keep(struct store *s, struct staged *f, struct str filename,
    struct str metadata, int64_t mtime_s, struct err *err)
{
	struct staged *meta;
	enum status st;
	int tries = 0;

	if (f->store != s || !f->finished || !f->has_name)
		panic("store_keep of a file that is not ready");
	st = check_file_name(filename, err);
	if (st != OK)
		return st;
	FAULT_POINT("F-staged");
	st = settle(f->fd, mtime_s, err);
	if (st == OK)
		st = stage_metadata(f, metadata, mtime_s, &meta, err);
	if (st != OK)
		return st;
	FAULT_POINT("F-synced");
	do
		st = name_both(f, meta, filename, mtime_s, err);
	while (st == NOT_FOUND && ++tries < NAME_TRIES);
	if (st == NOT_FOUND)
		return err_set(err, UNAVAILABLE,
		    "file store: the folder of %.*s vanishes",
		    STR_ARG(filename));
	if (st == OK)
		FAULT_POINT("F-kept");
	return st;
}

enum status
store_replace(struct store *s, struct staged *f, struct str filename,
    struct str metadata, int64_t mtime_s, struct err *err)
{
	f->replaces = true;
	return store_keep(s, f, filename, metadata, mtime_s, err);
}

/* Open a kept file, or its metadata. */
static enum status
open_kept(struct store *s, const unsigned char digest[32], const char *name,
    int *out, struct err *err)
{
	struct leaf leaf = leaf_of(digest);
	enum status st = leaf_open(s, &leaf, err);
	int fd = -1;

	if (st == OK) {
		fd = openat(leaf.fd[FOLDERS - 1], name, OPEN_FILE);
		if (fd == -1 && errno == ENOENT)
			st = err_set(err, NOT_FOUND,
			    "the file store has no such file");
		else if (fd == -1)
			st = disk_error(err, "cannot open a kept file");
	}
	leaf_close(&leaf);
	*out = fd;
	return st;
}

/* read() that goes on after a signal. */
static ssize_t
read_piece(int fd, void *to, size_t n)
{
	ssize_t got;

	do
		got = read(fd, to, n);
	while (got == -1 && errno == EINTR);
	return got;
}

static enum status
digest_file(struct arena *a, int fd, struct digests *got, struct err *err)
{
	struct digester *d = digester_new(a);
	char *piece = arena_alloc(a, DIGEST_PIECE_BYTES);
	ssize_t n;

	while ((n = read_piece(fd, piece, DIGEST_PIECE_BYTES)) > 0)
		digester_update(d, piece, (size_t)n);
	if (n == -1)
		return disk_error(err, "cannot read a kept file");
	digester_final(d, got);
	return OK;
}

enum status
store_verify(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    struct digests *got, struct err *err)
{
	enum status st = check_file_name(filename, err);
	int fd;

	if (st == OK)
		st = open_kept(s, blake2b_256, str_z(a, filename), &fd, err);
	if (st != OK)
		return st;
	st = digest_file(a, fd, got, err);
	close(fd);
	if (st == OK && memcmp(got->blake2b_256, blake2b_256, 32) != 0)
		return err_set(err, INVALID,
		    "the bytes of %.*s are not those of its digest",
		    STR_ARG(filename));
	return st;
}

/* All of a file that must not be over limit_bytes. */
static enum status
read_whole(struct arena *a, int fd, size_t limit_bytes, struct str *out,
    struct err *err)
{
	struct buf b = buf_new(a);
	ssize_t n;

	do {
		n = read_piece(fd, buf_room(&b, DIGEST_PIECE_BYTES),
		    DIGEST_PIECE_BYTES);
		if (n == -1)
			return disk_error(err, "cannot read metadata");
		buf_wrote(&b, (size_t)n);
		if (b.len > limit_bytes)
			return err_set(err, INVALID,
			    "kept metadata is over %zu bytes", limit_bytes);
	} while (n > 0);
	*out = buf_view(&b);
	return OK;
}

enum status
store_metadata(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    size_t limit_bytes, struct str *out, struct err *err)
{
	enum status st = check_file_name(filename, err);
	int fd;

	if (st == OK)
		st = open_kept(s, blake2b_256, str_fmt(a, "%.*s"
		    METADATA_SUFFIX, STR_ARG(filename)).p, &fd, err);
	if (st != OK)
		return st;
	st = read_whole(a, fd, limit_bytes, out, err);
	close(fd);
	return st;
}

static void
close_deferred(void *fd)
{
	close(*(int *)fd);
}

enum status
store_read(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename, int *fd,
    struct err *err)
{
	enum status st = check_file_name(filename, err);
	int *held;

	if (st == OK)
		st = open_kept(s, blake2b_256, str_z(a, filename), fd, err);
	if (st != OK)
		return st;
	held = arena_alloc(a, sizeof(*held));
	*held = *fd;
	arena_defer(a, close_deferred, held);
	return OK;
}

enum status
store_put_metadata(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    struct str metadata, struct err *err)
{
	struct leaf leaf = leaf_of(blake2b_256);
	struct staged *meta;
	struct stat sb;
	enum status st;
	int fd;

	st = store_read(s, a, blake2b_256, filename, &fd, err);
	if (st == OK && fstat(fd, &sb) == -1)
		st = disk_error(err, "cannot look at a kept file");
	if (st == OK)
		st = store_stage(s, a, &meta, err);
	if (st == OK)
		st = staged_write(meta, metadata.p, metadata.n, err);
	if (st == OK)
		st = settle(meta->fd, sb.st_mtim.tv_sec, err);
	if (st != OK)
		return st;
	st = leaf_open(s, &leaf, err);
	if (st == OK)
		st = name_metadata(meta, leaf.fd[FOLDERS - 1], str_fmt(a,
		    "%.*s" METADATA_SUFFIX, STR_ARG(filename)).p, err);
	if (st == OK)
		st = leaf_flush(s, &leaf, err);
	leaf_close(&leaf);
	return st;
}

/* Unlink; what is gone already is no failure. */
static enum status
unlink_kept(int leaf, const char *name, struct err *err)
{
	if (unlinkat(leaf, name, 0) == -1 && errno != ENOENT)
		return disk_error(err, "cannot remove a kept file");
	return OK;
}

/* Remove the folders that are empty, from the innermost outwards. */
static enum status
remove_folders(struct store *s, const struct leaf *leaf, struct err *err)
{
	for (int i = FOLDERS - 1; i >= 0; i--) {
		int parent = i > 0 ? leaf->fd[i - 1] : s->packages;

		if (parent == -1)
			continue;	/* this deep there is nothing */
		if (unlinkat(parent, leaf->name[i], AT_REMOVEDIR) == 0 ||
		    errno == ENOENT)
			continue;
		if (errno == ENOTEMPTY || errno == EEXIST)
			return OK;
		return disk_error(err, "cannot remove a folder");
	}
	return OK;
}

enum status
store_remove(struct store *s, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    struct err *err)
{
	struct leaf leaf = leaf_of(blake2b_256);
	enum status st = check_file_name(filename, err);
	const char *name;
	const char *meta;

	if (st != OK)
		return st;
	name = str_z(a, filename);
	meta = str_fmt(a, "%s" METADATA_SUFFIX, name).p;
	st = leaf_open(s, &leaf, err);
	if (st == OK)
		st = unlink_kept(leaf.fd[FOLDERS - 1], name, err);
	if (st == OK)
		st = unlink_kept(leaf.fd[FOLDERS - 1], meta, err);
	if (st == OK || st == NOT_FOUND)
		st = remove_folders(s, &leaf, err);
	if (st == OK)
		st = leaf_flush(s, &leaf, err);
	leaf_close(&leaf);
	return st;
}

/* Open a folder for listing, beside the descriptor that we keep. */
static DIR *
list_open(int fd)
{
	int copy = openat(fd, ".", OPEN_FOLDER);
	DIR *dir;

	if (copy == -1)
		return NULL;
	dir = fdopendir(copy);
	if (!dir)
		close(copy);
	return dir;
}

/* The next name but . and ..; NULL at the end, or with errno set. */
static const char *
list_next(DIR *dir)
{
	const struct dirent *d;

	do {
		errno = 0;
		d = readdir(dir);
	} while (d && (strcmp(d->d_name, ".") == 0 ||
	    strcmp(d->d_name, "..") == 0));
	return d ? d->d_name : NULL;
}

/*
 * Remove one staged file unless it is too young; true if it was.  Age is
 * counted from st_ctime, for store_keep() sets st_mtime to anything.
 */
static bool
sweep_one(int staging, const char *name, int64_t before_s)
{
	struct stat sb;

	return fstatat(staging, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISDIR(sb.st_mode) && sb.st_ctim.tv_sec <= before_s &&
	    unlinkat(staging, name, 0) == 0;
}

enum status
store_sweep(struct store *s, int64_t older_than_s, int64_t *removed,
    struct err *err)
{
	int64_t before_s = clock_wall_us() / 1000000 - older_than_s;
	enum status st = OK;
	int64_t count = 0;
	const char *name;
	DIR *dir;

	dir = list_open(s->staging);
	if (!dir)
		return disk_error(err, "cannot list staging");
	while ((name = list_next(dir)))
		count += sweep_one(s->staging, name, before_s);
	if (errno)
		st = disk_error(err, "cannot list staging");
	closedir(dir);
	if (st == OK)
		*removed = count;
	return st;
}

/* A walk through packages/. */
struct walk {
	enum status (*each)(void *arg, const struct store_item *item,
	    struct err *err);
	void *arg;
	struct arena *names[FOLDERS + 1];	/* one listing a level */
	struct str path[FOLDERS + 1];		/* the folders we are in */
	struct err *err;
};

static enum status
list_sorted(struct arena *a, int fd, struct str_list *out, struct err *err)
{
	DIR *dir = list_open(fd);
	enum status st = OK;
	const char *name;

	if (!dir)
		return disk_error(err, "cannot list a folder");
	while ((name = list_next(dir)))
		str_list_add(a, out, str_dup(a, str_c(name)));
	if (errno)
		st = disk_error(err, "cannot list a folder");
	closedir(dir);
	str_list_sort(out);
	return st;
}

static bool
is_hex_folder(struct str name, int level)
{
	static const size_t chars[FOLDERS] = { 2, 2, FOLDER_CHARS };

	if (name.n != chars[level])
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_digit(name.p[i]) &&
		    !(name.p[i] >= 'a' && name.p[i] <= 'f'))
			return false;
	return true;
}

/* The digest that the three folders spell. */
static void
digest_of_path(const struct str path[FOLDERS + 1], unsigned char out[32])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (int level = 0; level < FOLDERS; level++)
		for (size_t i = 0; i < path[level].n; i += 2) {
			const char *p = path[level].p + i;

			out[at++] = (unsigned char)
			    ((strchr(digits, p[0]) - digits) * 16 +
			    (strchr(digits, p[1]) - digits));
		}
}

/* Say what lies at w->path[0..level]. */
static enum status
report(struct walk *w, int level, const struct stat *sb)
{
	struct store_item item = {
		.size = sb->st_size, .mtime_s = sb->st_mtim.tv_sec,
	};
	struct str name = w->path[level];
	struct buf path = buf_new(w->names[level]);

	for (int i = 0; i <= level; i++) {
		if (i > 0)
			buf_byte(&path, '/');
		buf_put(&path, w->path[i]);
	}
	item.path = buf_view(&path);
	if (str_ends(name, STR(METADATA_SUFFIX))) {
		item.is_metadata = true;
		name.n -= strlen(METADATA_SUFFIX);
	}
	item.is_ours = level == FOLDERS && S_ISREG(sb->st_mode) &&
	    is_file_name(name);
	if (item.is_ours) {
		item.filename = name;
		digest_of_path(w->path, item.blake2b_256);
	} else {
		item.is_metadata = false;
	}
	return w->each(w->arg, &item, w->err);
}

static enum status walk_folder(struct walk *w, int fd, int level);

static enum status
walk_one(struct walk *w, int fd, int level)
{
	const char *name = w->path[level].p;
	enum status st;
	struct stat sb;
	int inner;

	if (fstatat(fd, name, &sb, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? OK :	/* removed meanwhile */
		    disk_error(w->err, "cannot look into a folder");
	if (level == FOLDERS || !S_ISDIR(sb.st_mode) ||
	    !is_hex_folder(w->path[level], level))
		return report(w, level, &sb);
	inner = openat(fd, name, OPEN_FOLDER);
	if (inner == -1)
		return errno == ENOENT ? OK :
		    disk_error(w->err, "cannot open a folder");
	st = walk_folder(w, inner, level + 1);
	close(inner);
	return st;
}

static enum status
walk_folder(struct walk *w, int fd, int level)
{
	struct str_list names = { 0 };
	enum status st;

	arena_reset(w->names[level]);
	st = list_sorted(w->names[level], fd, &names, w->err);
	for (size_t i = 0; st == OK && i < names.n; i++) {
		w->path[level] = names.at[i];
		st = walk_one(w, fd, level);
	}
	return st;
}

enum status
store_each(struct store *s,
    enum status (*each)(void *arg, const struct store_item *item,
    struct err *err), void *arg, struct err *err)
{
	struct walk w = { .each = each, .arg = arg, .err = err };
	enum status st;

	for (int i = 0; i <= FOLDERS; i++)
		w.names[i] = arena_new(LISTING_BYTES);
	st = walk_folder(&w, s->packages, 0);
	for (int i = 0; i <= FOLDERS; i++)
		arena_free(w.names[i]);
	return st;
}

enum status
store_free_bytes(struct store *s, int64_t *out, struct err *err)
{
	struct statvfs v;

	if (fstatvfs(s->root, &v) == -1)
		return disk_error(err, "cannot ask for free space");
	*out = (int64_t)(v.f_bavail * v.f_frsize);
	return OK;
}
