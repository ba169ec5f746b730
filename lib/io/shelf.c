#include "io/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

#define OPEN_FOLDER	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define TREE_DEPTH	4	/* of an item: its folder, outer, inner, document */
#define TARGET_BYTES	((size_t)512)	/* two names of at most 255 */
#define NOTE_BYTES	((size_t)256)
#define SECOND_US	((int64_t)1000000)

/* Names within an item. */
#define NOW		"now"		/* the link to what is shown */
#define NOW_NEW		"now.new"	/* the one that is to replace it */
#define NEW		"new"		/* the edition under way */
#define INNER		"in"		/* within it */

#define NOTE		"position"
#define NOTE_NEW	"position.new"

struct shelf {
	int root;
	int item;		/* folder of the item under way, or -1 */
	int inner;		/* of the edition under way, or -1 */
};

/* UNAVAILABLE by errno; says in plain words that the disk is full. */
static enum status
disk_error(struct err *err, const char *what)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return err_set(err, UNAVAILABLE,
		    "the disk of the snapshots is full");
	return err_errno(err, "snapshots: %s", what);
}

static void
let_go(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
shelf_close(void *thing)
{
	struct shelf *s = thing;

	let_go(&s->inner);
	let_go(&s->item);
	let_go(&s->root);	/* and the lock */
}

enum status
shelf_open(struct arena *a, const char *path, struct shelf **out,
    struct err *err)
{
	struct shelf *s = arena_alloc(a, sizeof(*s));

	s->root = s->item = s->inner = -1;
	arena_defer(a, shelf_close, s);
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		return err_errno(err, "cannot make the snapshots' folder %s",
		    path);
	/* The operator may have put a link here, so follow it. */
	s->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root == -1)
		return err_errno(err, "cannot open the snapshots' folder %s",
		    path);
	if (flock(s->root, LOCK_EX | LOCK_NB) == -1)
		return err_set(err, CONFLICT, "another process writes the "
		    "snapshots in %s", path);
	if (mkdirat(s->root, SHELF_FOLDER, 0755) == -1 && errno != EEXIST)
		return disk_error(err, "cannot make a folder");
	*out = s;
	return OK;
}

/* Remove a file, or a folder with all that is in it, depth levels down. */
static bool
remove_tree(int at, const char *name, int depth)
{
	const struct dirent *entry;
	DIR *dir;
	int fd;

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR || depth == 0)
		return false;
	fd = openat(at, name, OPEN_FOLDER);
	if (fd == -1)
		return false;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return false;
	}
	while ((entry = readdir(dir)) != NULL)
		if (!str_eq(str_c(entry->d_name), STR(".")) &&
		    !str_eq(str_c(entry->d_name), STR("..")) &&
		    !remove_tree(fd, entry->d_name, depth - 1))
			break;
	closedir(dir);
	return unlinkat(at, name, AT_REMOVEDIR) == 0;
}

/* The folder of an item becomes s->item; NOT_FOUND when there is none. */
static enum status
enter(struct shelf *s, const char *item, struct err *err)
{
	let_go(&s->item);
	s->item = openat(s->root, item, OPEN_FOLDER);
	if (s->item != -1)
		return OK;
	return errno == ENOENT ? NOT_FOUND :
	    disk_error(err, "cannot open an item's folder");
}

enum status
shelf_begin(struct shelf *s, const char *item, struct err *err)
{
	enum status st;

	let_go(&s->inner);
	if (mkdirat(s->root, item, 0755) == -1 && errno != EEXIST)
		return disk_error(err, "cannot make an item's folder");
	st = enter(s, item, err);
	if (st != OK)
		return st == NOT_FOUND ? disk_error(err, item) : st;
	if (!remove_tree(s->item, NEW, TREE_DEPTH))
		return disk_error(err, "cannot remove a half edition");
	if (mkdirat(s->item, NEW, 0755) == -1 ||
	    mkdirat(s->item, NEW "/" INNER, 0755) == -1)
		return disk_error(err, "cannot make an edition");
	s->inner = openat(s->item, NEW "/" INNER, OPEN_FOLDER);
	return s->inner == -1 ? disk_error(err, "cannot open an edition") : OK;
}

static enum status
write_all(int fd, struct str bytes, struct err *err)
{
	while (bytes.n > 0) {
		ssize_t wrote = write(fd, bytes.p, bytes.n);

		if (wrote == -1 && errno == EINTR)
			continue;
		if (wrote == -1)
			return disk_error(err, "cannot write");
		bytes = str_sub(bytes, (size_t)wrote, bytes.n);
	}
	return OK;
}

static enum status
write_to(int at, const char *name, int flags, struct str bytes,
    struct err *err)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
	    flags, 0644);
	enum status st;

	if (fd == -1)
		return disk_error(err, "cannot make a document");
	st = write_all(fd, bytes, err);
	if (close(fd) == -1 && st == OK)
		st = disk_error(err, "cannot write");
	return st;
}

enum status
shelf_put(struct shelf *s, const char *name, struct str bytes,
    struct err *err)
{
	return write_to(s->inner, name, O_TRUNC, bytes, err);
}

enum status
shelf_append(struct shelf *s, const char *name, struct str bytes,
    struct err *err)
{
	return write_to(s->inner, name, O_APPEND, bytes, err);
}

enum status
shelf_end(struct shelf *s, const char *item, const char *outer,
    const char *inner, struct err *err)
{
	enum status st = enter(s, item, err);
	int edition;

	let_go(&s->inner);
	if (st != OK)
		return st == NOT_FOUND ? disk_error(err, item) : st;
	edition = openat(s->item, NEW, OPEN_FOLDER);
	if (edition == -1)
		return disk_error(err, "cannot open an edition");
	if (renameat(edition, INNER, edition, inner) == -1)
		st = disk_error(err, "cannot name an edition");
	/* A killed process may have left one of the same name. */
	else if (!remove_tree(s->item, outer, TREE_DEPTH) ||
	    renameat(s->item, NEW, s->item, outer) == -1)
		st = disk_error(err, "cannot name an edition");
	close(edition);
	return st;
}

enum status
shelf_flush(struct shelf *s, struct err *err)
{
	return syncfs(s->root) == -1 ? disk_error(err, "cannot flush") : OK;
}

enum status
shelf_show(struct shelf *s, struct arena *a, const char *item,
    const char *outer, const char *inner, struct err *err)
{
	struct str target = str_fmt(a, "%s/%s", outer, inner);
	enum status st = enter(s, item, err);

	if (st != OK)
		return st == NOT_FOUND ? disk_error(err, item) : st;
	if (!remove_tree(s->item, NOW_NEW, 0) ||
	    symlinkat(target.p, s->item, NOW_NEW) == -1 ||
	    renameat(s->item, NOW_NEW, s->item, NOW) == -1)
		return disk_error(err, "cannot show an edition");
	return OK;
}

enum status
shelf_hide(struct shelf *s, const char *item, struct err *err)
{
	enum status st = enter(s, item, err);

	if (st != OK)
		return st == NOT_FOUND ? OK : st;
	if (unlinkat(s->item, NOW, 0) == -1 && errno != ENOENT)
		return disk_error(err, "cannot hide an item");
	return OK;
}

enum status
shelf_shown(struct shelf *s, struct arena *a, const char *item,
    struct str *out, struct err *err)
{
	char target[TARGET_BYTES];
	enum status st = enter(s, item, err);
	ssize_t n;

	if (st != OK)
		return st;
	n = readlinkat(s->item, NOW, target, sizeof(target));
	if (n == -1)
		return errno == ENOENT ? NOT_FOUND :
		    disk_error(err, "cannot read a link");
	*out = str_dup(a, (struct str){ target, (size_t)n });
	return OK;
}

/* The names in a folder, without . and .. */
static enum status
list(int at, const char *name, struct arena *a, struct str_list *out,
    struct err *err)
{
	const struct dirent *entry;
	int fd = openat(at, name, OPEN_FOLDER);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (!dir) {
		let_go(&fd);
		return disk_error(err, "cannot list a folder");
	}
	while ((entry = readdir(dir)) != NULL)
		if (!str_eq(str_c(entry->d_name), STR(".")) &&
		    !str_eq(str_c(entry->d_name), STR("..")))
			str_list_add(a, out, str_dup(a,
			    str_c(entry->d_name)));
	closedir(dir);
	return OK;
}

enum status
shelf_tidy(struct shelf *s, struct arena *a, const char *item,
    struct err *err)
{
	struct str shown = STR(""), inner;
	struct str_list names = { .n = 0 };
	enum status st = shelf_shown(s, a, item, &shown, err);

	if (st == NOT_FOUND && s->item == -1)
		return OK;
	if (st == OK || st == NOT_FOUND)
		st = list(s->item, ".", a, &names, err);
	str_cut(shown, '/', &shown, &inner);
	for (size_t i = 0; st == OK && i < names.n; i++)
		if (!str_eq(names.at[i], shown) &&
		    !str_eq(names.at[i], STR(NOW)) &&
		    !remove_tree(s->item, names.at[i].p, TREE_DEPTH))
			st = disk_error(err, "cannot remove an old edition");
	if (st == OK && shown.n == 0 &&
	    unlinkat(s->root, item, AT_REMOVEDIR) == -1)
		st = disk_error(err, "cannot remove an item's folder");
	return st;
}

enum status
shelf_each(struct shelf *s, struct arena *a,
    enum status (*each)(void *arg, const char *item, struct err *err),
    void *arg, struct err *err)
{
	struct str_list names = { .n = 0 };
	enum status st = list(s->root, SHELF_FOLDER, a, &names, err);

	for (size_t i = 0; st == OK && i < names.n; i++)
		st = each(arg, str_fmt(a, SHELF_FOLDER "/%s",
		    names.at[i].p).p, err);
	return st;
}

enum status
shelf_note(struct shelf *s, struct arena *a, struct str *out,
    int64_t *as_of_us, struct err *err)
{
	char text[NOTE_BYTES];
	struct stat sb;
	ssize_t n = -1;
	int fd = openat(s->root, NOTE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*out = STR("");
	*as_of_us = 0;
	if (fd == -1 && errno == ENOENT)
		return OK;
	if (fd != -1 && fstat(fd, &sb) == 0)
		n = read(fd, text, sizeof(text));
	if (n == -1)
		disk_error(err, "cannot read the position");
	let_go(&fd);
	if (n == -1)
		return UNAVAILABLE;
	*as_of_us = sb.st_mtim.tv_sec * SECOND_US +
	    sb.st_mtim.tv_nsec / 1000;
	*out = str_dup(a, str_trim((struct str){ text, (size_t)n }));
	return OK;
}

static struct timespec
timespec_of(int64_t us)
{
	return (struct timespec){
		.tv_sec = us / SECOND_US, .tv_nsec = us % SECOND_US * 1000,
	};
}

static bool
set_time(const struct shelf *s, const char *name, int64_t at_us)
{
	const struct timespec times[] = {
		timespec_of(at_us), timespec_of(at_us),
	};

	return utimensat(s->root, name, times, AT_SYMLINK_NOFOLLOW) == 0;
}

enum status
shelf_write_note(struct shelf *s, struct str note, int64_t as_of_us,
    struct err *err)
{
	enum status st = write_to(s->root, NOTE_NEW, O_TRUNC, note, err);

	if (st == OK && !set_time(s, NOTE_NEW, as_of_us))
		st = disk_error(err, "cannot set a time");
	return st == OK ? shelf_flush(s, err) : st;
}

enum status
shelf_keep_note(struct shelf *s, struct err *err)
{
	/* Not flushed itself: after a power cut the older note will do. */
	if (renameat(s->root, NOTE_NEW, s->root, NOTE) == -1)
		return disk_error(err, "cannot keep the position");
	return OK;
}

enum status
shelf_set_as_of(struct shelf *s, int64_t as_of_us, struct err *err)
{
	if (!set_time(s, NOTE, as_of_us) && errno != ENOENT)
		return disk_error(err, "cannot set a time");
	return OK;
}
