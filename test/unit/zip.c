/* Unit tests of pkg/zip.  Forged archives: test/prop/40-archive-hostile.t. */
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "pkg/archive.h"
#include "pkg/zip.h"

#define WHEEL	"/usr/share/python-wheels/wheel-0.38.4-py3-none-any.whl"

static struct zip *
open_wheel(struct arena *a, int *fd)
{
	struct zip *z = NULL;
	struct err err = { .text = "" };

	*fd = open(WHEEL, O_RDONLY);
	is_int(zip_open(a, *fd, &archive_limits_default, &z, &err), OK);
	is_str(str_c(err.text), STR(""));
	return z;
}

static void
test_every_member_comes_once_and_is_sound(struct arena *a)
{
	int fd;
	struct zip *z = open_wheel(a, &fd);
	struct zip_member m;
	struct err err;
	size_t n = 0;

	while (zip_next(z, &m, &err) == OK && m.name.n > 0) {
		n++;
		if (zip_read(z, 0, NULL, &err) != OK)
			break;
	}
	ok(n > 20);
	is_int(n, zip_count(z));
	is_int(zip_next(z, &m, &err), NOT_FOUND);
	close(fd);
}

static void
test_bytes_are_kept_if_they_fit_the_limit(struct arena *a)
{
	int fd;
	struct zip *z = open_wheel(a, &fd);
	struct zip_member m = { .size = 0 };
	struct str bytes = STR("");
	struct err err;

	while (zip_next(z, &m, &err) == OK && m.size == 0)
		;
	ok(m.size > 0);
	is_int(zip_read(z, m.size - 1, &bytes, &err), INVALID);
	is_int(bytes.n, 0);
	is_int(zip_read(z, m.size, &bytes, &err), OK);
	is_int(bytes.n, m.size);
	close(fd);
}

static void
test_a_lenient_reader_is_foreseen(struct arena *a)
{
	char path[] = "/tmp/tilsit-zip-XXXXXX";
	int fd = open(WHEEL, O_RDONLY);
	bool likely = false;

	is_int(zip_is_likely(a, fd, &likely, NULL), OK);
	ok(likely);
	close(fd);
	fd = mkstemp(path);
	unlink(path);
	is_int(zip_is_likely(a, fd, &likely, NULL), OK);
	ok(!likely);
	/* The signature alone, by chance, within compressed data. */
	is_int(write(fd, "PK\5\6 and whatever may follow it", 31), 31);
	is_int(zip_is_likely(a, fd, &likely, NULL), OK);
	ok(!likely);
	close(fd);
}

int
main(void)
{
	RUN(test_every_member_comes_once_and_is_sound);
	RUN(test_bytes_are_kept_if_they_fit_the_limit);
	RUN(test_a_lenient_reader_is_foreseen);
	return tap_done();
}
