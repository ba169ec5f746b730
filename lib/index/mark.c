#include "index/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "io/secret.h"

#define FIRST_LINE	"tilsit-mark"
#define LAST_LINE	"end"
#define ID_BYTES	8
#define SECOND_US	((int64_t)1000000)

bool
mark_is_against(const struct mark *m, struct str node)
{
	return m->is_set && (m->is_damaged || str_eq(m->lacks, node));
}

void
mark_renew(struct arena *a, struct mark *m)
{
	unsigned char bytes[ID_BYTES];
	struct buf id = buf_new(a);

	random_bytes(bytes, sizeof(bytes));
	buf_hex(&id, bytes, sizeof(bytes));
	m->id = buf_view(&id);
}

struct mark
mark_new(struct arena *a, struct str lacks, struct str by, const char *why)
{
	struct mark m = { .is_set = true, .lacks = lacks, .by = by,
		.lsn = STR("0/0"), .why = str_c(why) };
	struct buf since = buf_new(a);

	clock_iso(&since, clock_wall_us() / SECOND_US * SECOND_US);
	m.since = buf_view(&since);
	mark_renew(a, &m);
	return m;
}

/* ---- text ------------------------------------------------------------ */

static void
put_line(struct buf *b, const char *key, struct str value)
{
	buf_put(b, str_c(key));
	buf_byte(b, '=');
	for (size_t i = 0; i < value.n && i < MARK_BYTES / 8; i++)
		buf_byte(b, (unsigned char)value.p[i] < ' ' ? ' ' :
		    value.p[i]);
	buf_byte(b, '\n');
}

void
mark_put(struct buf *b, const struct mark *m)
{
	buf_put(b, STR(FIRST_LINE "\n"));
	put_line(b, "lacks", m->lacks);
	put_line(b, "id", m->id);
	put_line(b, "since", m->since);
	put_line(b, "serial", str_fmt(b->arena, "%lld",
	    (long long)m->serial));
	put_line(b, "lsn", m->lsn);
	put_line(b, "by", m->by);
	put_line(b, "why", m->why);
	if (m->is_held)
		put_line(b, "held", STR("yes"));
	buf_put(b, STR(LAST_LINE "\n"));
}

/* One line; false when it is none of ours. */
static bool
read_line(struct str line, struct mark *m)
{
	struct str key, value;

	if (!str_cut(line, '=', &key, &value))
		return false;
	if (str_eq(key, STR("lacks")))
		m->lacks = value;
	else if (str_eq(key, STR("id")))
		m->id = value;
	else if (str_eq(key, STR("since")))
		m->since = value;
	else if (str_eq(key, STR("serial")))
		return str_int64(value, 0, INT64_MAX, &m->serial) == OK;
	else if (str_eq(key, STR("lsn")))
		m->lsn = value;
	else if (str_eq(key, STR("by")))
		m->by = value;
	else if (str_eq(key, STR("why")))
		m->why = value;
	else if (str_eq(key, STR("held")))
		m->is_held = str_eq(value, STR("yes"));
	return true;	/* a later version may say more */
}

static bool
read_lines(struct str text, struct mark *m)
{
	struct str line, rest;

	if (text.n > MARK_BYTES || !str_cut(text, '\n', &line, &rest) ||
	    !str_eq(line, STR(FIRST_LINE)))
		return false;
	while (str_cut(rest, '\n', &line, &rest)) {
		if (str_eq(line, STR(LAST_LINE)))
			return rest.n == 0 && m->lacks.n > 0;
		if (!read_line(line, m))
			return false;
	}
	return false;
}

void
mark_parse(struct arena *a, struct str text, struct mark *out)
{
	struct mark m = { .is_set = true };

	*out = (struct mark){ .is_set = false };
	if (text.n == 0)
		return;
	if (!read_lines(str_dup(a, text), &m))
		m = (struct mark){ .is_set = true, .is_damaged = true };
	*out = m;
}

/* ---- file ------------------------------------------------------------ */

static enum status
read_file(struct arena *a, const char *path, struct str *out,
    struct err *err)
{
	struct buf text = buf_new(a);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum status st = OK;
	ssize_t n = 1;

	*out = STR("");
	if (fd == -1 && errno == ENOENT)
		return OK;
	if (fd == -1)
		return err_errno(err, "cannot read %s", path);
	while (n > 0 && text.len <= MARK_BYTES) {
		n = read(fd, buf_room(&text, MARK_BYTES), MARK_BYTES);
		if (n > 0)
			buf_wrote(&text, (size_t)n);
	}
	if (n == -1)
		st = err_errno(err, "cannot read %s", path);
	else if (text.len == 0)		/* a file is a mark, also an empty one */
		st = err_set(err, UNAVAILABLE, "%s is empty", path);
	close(fd);
	*out = buf_view(&text);
	return st;
}

void
mark_read(struct arena *a, const char *path, struct mark *out,
    struct err *err)
{
	struct str text;

	if (read_file(a, path, &text, err) != OK) {
		*out = (struct mark){ .is_set = true, .is_damaged = true };
		return;
	}
	mark_parse(a, text, out);
	if (out->is_damaged)
		err_set(err, UNAVAILABLE, "%s is no whole mark", path);
}

/*
 * The folder of a mark, locked, so that of two who look and then write one
 * comes after the other.  Closing it gives the lock back.
 */
static enum status
lock_folder(struct arena *a, const char *path, int *fd, struct err *err)
{
	struct str whole = str_c(path);
	size_t slash = str_rfind(whole, '/');
	const char *folder = slash == 0 || slash == whole.n ? "/" :
	    str_z(a, str_sub(whole, 0, slash));

	*fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd == -1)
		return err_errno(err, "cannot open %s", folder);
	if (flock(*fd, LOCK_EX) == 0)
		return OK;
	close(*fd);
	return err_errno(err, "cannot lock %s", folder);
}

static enum status
write_beside(const char *path, struct str text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	enum status st = OK;

	if (fd == -1)
		return err_errno(err, "cannot write %s", path);
	/* The operator's umask must not hide it from the workers. */
	if (write(fd, text.p, text.n) != (ssize_t)text.n ||
	    fchmod(fd, 0644) == -1 || fsync(fd) == -1)
		st = err_errno(err, "cannot write %s", path);
	close(fd);
	return st;
}

enum status
mark_write(struct arena *a, const char *path, const struct mark *m,
    bool replace, struct err *err)
{
	const char *beside = str_fmt(a, "%s.new", path).p;
	struct buf text = buf_new(a);
	struct mark there;
	struct err why;
	enum status st;
	int folder;

	mark_put(&text, m);
	st = lock_folder(a, path, &folder, err);
	if (st != OK)
		return st;
	mark_read(a, path, &there, &why);
	if (there.is_set && !replace && (there.is_damaged ||
	    !str_eq(there.lacks, m->lacks)))
		st = err_set(err, CONFLICT, there.is_damaged ? "a mark is "
		    "there that cannot be read (%.*s)" : "a mark is there "
		    "that says that %.*s lacks changes", STR_ARG(
		    there.is_damaged ? str_c(why.text) : there.lacks));
	else
		st = write_beside(beside, buf_view(&text), err);
	FAULT_POINT("M-written");
	if (st == OK && (rename(beside, path) == -1 || fsync(folder) == -1))
		st = err_errno(err, "cannot name %s", path);
	close(folder);
	return st;
}

static bool
is_same(const struct mark *a, const struct mark *b)
{
	if (a->is_damaged || b->is_damaged)
		return a->is_damaged && b->is_damaged;
	return str_eq(a->lacks, b->lacks) && str_eq(a->id, b->id);
}

enum status
mark_clear(struct arena *a, const char *path, const struct mark *m,
    struct err *err)
{
	struct mark there;
	struct err why;
	enum status st;
	int folder;

	st = lock_folder(a, path, &folder, err);
	if (st != OK)
		return st;
	mark_read(a, path, &there, &why);
	if (there.is_set && !is_same(&there, m))
		st = err_set(err, CONFLICT, "there is another mark by now");
	else if (there.is_set && unlink(path) == -1 && errno != ENOENT)
		st = err_errno(err, "cannot remove %s", path);
	else if (fsync(folder) == -1)	/* also if another removed it */
		st = err_errno(err, "cannot flush the folder of %s", path);
	close(folder);
	return st;
}
