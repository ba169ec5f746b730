/* Marks: what is written is read again, and what is half stands for the worst. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "index/mark.h"
#include "io/secret.h"
#include "tap.h"

static const struct mark sample = {
	.is_set = true, .lacks = STR_INIT("vm-b"), .id = STR_INIT("1"),
	.by = STR_INIT("vm-a"),
	.since = STR_INIT("2026-11-21T16:20:05Z"), .serial = 4711,
	.lsn = STR_INIT("0/3000060"), .why = STR_INIT("it is\naway"),
};

static const char *
folder(struct arena *a)
{
	const char *temp = getenv("TMPDIR");
	char *path = str_z(a, str_fmt(a, "%s/tilsit-mark-XXXXXX",
	    temp ? temp : "/tmp"));

	if (!mkdtemp(path))
		ok(!"a folder");
	return path;
}

static struct str
text_of(struct arena *a, const struct mark *m)
{
	struct buf text = buf_new(a);

	mark_put(&text, m);
	return buf_view(&text);
}

static void
put_file(const char *path, struct str text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ok(fd != -1 && write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
}

static void
test_what_is_written_is_read(struct arena *a)
{
	struct mark m;

	mark_parse(a, text_of(a, &sample), &m);
	ok(m.is_set && !m.is_damaged && !m.is_held);
	is_str(m.lacks, STR("vm-b"));
	is_str(m.by, STR("vm-a"));
	is_str(m.lsn, STR("0/3000060"));
	is_str(m.why, STR("it is away"));
	is_int(m.serial, 4711);
	ok(mark_is_against(&m, STR("vm-b")));
	ok(!mark_is_against(&m, STR("vm-a")));
}

static void
test_every_part_of_a_text_is_against_everybody(struct arena *a)
{
	struct str whole = text_of(a, &sample);

	for (size_t n = 1; n < whole.n; n++) {
		struct mark m;

		mark_parse(a, str_sub(whole, 0, n), &m);
		if (!mark_is_against(&m, STR("vm-a")) ||
		    !mark_is_against(&m, STR("vm-b")))
			is_int((long long)n, -1);
	}
	ok(true);
}

static void
test_no_text_is_no_mark(struct arena *a)
{
	struct mark m;

	mark_parse(a, STR(""), &m);
	ok(!m.is_set);
	ok(!mark_is_against(&m, STR("vm-b")));
}

static void
test_other_texts_are_damaged(struct arena *a)
{
	static const char *const texts[] = {
		"\n", "tilsit-mark\nend\n", "tilsit-mark\nlacks=\nend\n",
		"tilsit-mark\nlacks=vm-b\nend\nx", "lacks=vm-b\nend\n",
		"tilsit-mark\nlacks=vm-b\nserial=x\nend\n",
		"tilsit-mark\nlacks=vm-b\nword\nend\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mark m;

		mark_parse(a, str_c(texts[i]), &m);
		ok(m.is_damaged);
	}
}

static void
test_the_first_mark_stays(struct arena *a)
{
	const char *path = str_fmt(a, "%s/mark", folder(a)).p;
	struct mark other = sample, m;
	struct err err;

	other.lacks = STR("vm-a");
	ok(mark_write(a, path, &sample, false, &err) == OK);
	ok(mark_write(a, path, &sample, false, &err) == OK);
	ok(mark_write(a, path, &other, false, &err) == CONFLICT);
	ok(mark_clear(a, path, &other, &err) == CONFLICT);
	mark_read(a, path, &m, &err);
	is_str(m.lacks, STR("vm-b"));
	ok(mark_write(a, path, &other, true, &err) == OK);
	ok(mark_clear(a, path, &other, &err) == OK);
	ok(mark_clear(a, path, &other, &err) == OK);
	mark_read(a, path, &m, &err);
	ok(!m.is_set);
}

static void
test_a_late_request_does_not_clear_the_next_mark(struct arena *a)
{
	const char *path = str_fmt(a, "%s/mark", folder(a)).p;
	struct mark first = mark_new(a, STR("vm-b"), STR("vm-a"), ""), next;
	struct err err;

	next = first;
	mark_renew(a, &next);
	ok(!str_eq(first.id, next.id));
	ok(mark_write(a, path, &first, false, &err) == OK);
	ok(mark_write(a, path, &next, false, &err) == OK);
	ok(mark_clear(a, path, &first, &err) == CONFLICT);
	ok(mark_clear(a, path, &next, &err) == OK);
}

static void
test_a_file_that_is_no_mark_is_one(struct arena *a)
{
	const char *path = str_fmt(a, "%s/mark", folder(a)).p;
	struct mark m;
	struct err err;

	put_file(path, STR(""));
	mark_read(a, path, &m, &err);
	ok(m.is_damaged);
	ok(mark_write(a, path, &sample, false, &err) == CONFLICT);
	ok(mark_clear(a, path, &sample, &err) == CONFLICT);
	ok(mark_clear(a, path, &m, &err) == OK);
	ok(mark_write(a, path, &sample, false, &err) == OK);
	ok(mkdir(str_fmt(a, "%s.folder", path).p, 0700) == 0);
	mark_read(a, str_fmt(a, "%s.folder", path).p, &m, &err);
	ok(m.is_damaged);
}

int
main(void)
{
	if (secret_start(NULL) != OK)
		return 1;
	RUN(test_what_is_written_is_read);
	RUN(test_every_part_of_a_text_is_against_everybody);
	RUN(test_no_text_is_no_mark);
	RUN(test_other_texts_are_damaged);
	RUN(test_the_first_mark_stays);
	RUN(test_a_late_request_does_not_clear_the_next_mark);
	RUN(test_a_file_that_is_no_mark_is_one);
	return tap_done();
}
