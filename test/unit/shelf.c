/* Unit tests of io/shelf.  test/fail/26-snapshot-kill.t kills its user. */
#include "tap.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/shelf.h"

#define ITEM	SHELF_FOLDER "/demo"

static char root[64];

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb, (void)type, (void)ftw;
	return remove(path);
}

static void
remove_shelf(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct shelf *
open_shelf(struct arena *a)
{
	struct shelf *s = NULL;
	struct err err = { .text = "" };

	if (!root[0]) {
		snprintf(root, sizeof(root), "%s/tilsit-shelf-XXXXXX",
		    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
		if (!mkdtemp(root)) {
			printf("Bail out! no folder %s\n", root);
			exit(1);
		}
		atexit(remove_shelf);
	}
	is_int(shelf_open(a, root, &s, &err), OK);
	is_str(str_c(err.text), STR(""));
	return s;
}

static const char *
path_of(struct arena *a, const char *name)
{
	return str_fmt(a, "%s/%s", root, name).p;
}

static bool
exists(struct arena *a, const char *name)
{
	struct stat sb;

	return lstat(path_of(a, name), &sb) == 0;
}

static struct str
contents(struct arena *a, const char *name)
{
	char bytes[256];
	FILE *f = fopen(path_of(a, name), "r");
	size_t n;

	if (!f)
		return STR("(none)");
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return str_dup(a, (struct str){ bytes, n });
}

static void
stage(struct shelf *s, const char *outer, struct str text)
{
	struct err err = { .text = "" };

	is_int(shelf_begin(s, ITEM, &err), OK);
	is_int(shelf_put(s, "html", text, &err), OK);
	is_int(shelf_end(s, ITEM, outer, "in-1", &err), OK);
	is_str(str_c(err.text), STR(""));
}

static void
show(struct shelf *s, struct arena *a, const char *outer)
{
	struct err err = { .text = "" };

	is_int(shelf_flush(s, &err), OK);
	is_int(shelf_show(s, a, ITEM, outer, "in-1", &err), OK);
	is_str(str_c(err.text), STR(""));
}

static void
test_an_edition_is_not_shown_before_it_is_told_to(struct arena *a)
{
	struct shelf *s = open_shelf(a);
	struct str shown = STR("?");

	stage(s, "1", STR("one"));
	is_int(shelf_shown(s, a, ITEM, &shown, NULL), NOT_FOUND);
	ok(!exists(a, ITEM "/now"));
	show(s, a, "1");
	is_int(shelf_shown(s, a, ITEM, &shown, NULL), OK);
	is_str(shown, STR("1/in-1"));
	is_str(contents(a, ITEM "/now/html"), STR("one"));
}

static void
test_the_old_edition_lives_until_tidied(struct arena *a)
{
	struct shelf *s = open_shelf(a);

	stage(s, "2", STR("two"));
	show(s, a, "2");
	is_str(contents(a, ITEM "/now/html"), STR("two"));
	is_str(contents(a, ITEM "/1/in-1/html"), STR("one"));
	is_int(shelf_tidy(s, a, ITEM, NULL), OK);
	ok(!exists(a, ITEM "/1"));
	is_str(contents(a, ITEM "/now/html"), STR("two"));
}

static void
test_what_a_killed_process_left_goes(struct arena *a)
{
	struct shelf *s = open_shelf(a);

	is_int(shelf_begin(s, ITEM, NULL), OK);
	is_int(shelf_put(s, "html", STR("half"), NULL), OK);
	is_int(symlink("nowhere", path_of(a, ITEM "/now.new")), 0);
	is_int(shelf_begin(s, ITEM, NULL), OK);
	ok(!exists(a, ITEM "/new/in/html"));
	is_int(shelf_put(s, "html", STR("whole"), NULL), OK);
	is_int(shelf_end(s, ITEM, "3", "in-1", NULL), OK);
	/* Killed before it was shown; and once more, by the same names. */
	stage(s, "3", STR("three"));
	show(s, a, "3");
	is_int(shelf_tidy(s, a, ITEM, NULL), OK);
	is_str(contents(a, ITEM "/now/html"), STR("three"));
	ok(!exists(a, ITEM "/2") && !exists(a, ITEM "/new"));
}

static void
test_documents_grow_by_pieces(struct arena *a)
{
	struct shelf *s = open_shelf(a);

	is_int(shelf_begin(s, ITEM, NULL), OK);
	is_int(shelf_append(s, "json", STR("[1"), NULL), OK);
	is_int(shelf_append(s, "json", STR(",2]"), NULL), OK);
	is_str(contents(a, ITEM "/new/in/json"), STR("[1,2]"));
	is_int(shelf_tidy(s, a, ITEM, NULL), OK);
	ok(!exists(a, ITEM "/new"));
	is_str(contents(a, ITEM "/now/html"), STR("three"));
}

static enum status
count(void *arg, const char *item, struct err *err)
{
	(void)err;
	is_str(str_c(item), STR(ITEM));
	*(int *)arg += 1;
	return OK;
}

static void
test_a_hidden_item_goes_as_a_whole(struct arena *a)
{
	struct shelf *s = open_shelf(a);
	int n = 0;

	is_int(shelf_each(s, a, count, &n, NULL), OK);
	is_int(n, 1);
	is_int(shelf_hide(s, ITEM, NULL), OK);
	is_str(contents(a, ITEM "/3/in-1/html"), STR("three"));
	is_int(shelf_tidy(s, a, ITEM, NULL), OK);
	ok(!exists(a, ITEM));
	/* Again, as after a kill. */
	is_int(shelf_hide(s, ITEM, NULL), OK);
	is_int(shelf_tidy(s, a, ITEM, NULL), OK);
	is_int(shelf_each(s, a, count, &n, NULL), OK);
	is_int(n, 1);
}

static void
test_the_note_and_its_time_are_kept(struct arena *a)
{
	struct shelf *s = open_shelf(a);
	struct str note;
	int64_t as_of_us;

	is_int(shelf_note(s, a, &note, &as_of_us, NULL), OK);
	is_str(note, STR(""));
	is_int(shelf_set_as_of(s, 5000000, NULL), OK);
	is_int(shelf_write_note(s, STR("12 x\n"), 7000000, NULL), OK);
	is_int(shelf_note(s, a, &note, &as_of_us, NULL), OK);
	is_str(note, STR(""));
	is_int(shelf_keep_note(s, NULL), OK);
	is_int(shelf_note(s, a, &note, &as_of_us, NULL), OK);
	is_str(note, STR("12 x"));
	is_int(as_of_us, 7000000);
	is_int(shelf_set_as_of(s, 8000001, NULL), OK);
	is_int(shelf_note(s, a, &note, &as_of_us, NULL), OK);
	is_int(as_of_us, 8000001);
}

static void
test_there_is_one_writer_at_a_time(struct arena *a)
{
	struct arena *other = arena_new(1 << 20);
	struct shelf *s = open_shelf(a), *second;

	ok(s != NULL);
	is_int(shelf_open(other, root, &second, NULL), CONFLICT);
	arena_reset(a);
	is_int(shelf_open(other, root, &second, NULL), OK);
	arena_free(other);
}

static void
test_a_folder_that_cannot_be_is_said_so(struct arena *a)
{
	struct shelf *s;
	struct err err = { .text = "" };

	is_int(shelf_open(a, "/nowhere/at/all", &s, &err), UNAVAILABLE);
	ok(str_find_str(str_c(err.text), STR("/nowhere/at/all"), 0) <
	    str_c(err.text).n);
}

int
main(void)
{
	RUN(test_an_edition_is_not_shown_before_it_is_told_to);
	RUN(test_the_old_edition_lives_until_tidied);
	RUN(test_what_a_killed_process_left_goes);
	RUN(test_documents_grow_by_pieces);
	RUN(test_a_hidden_item_goes_as_a_whole);
	RUN(test_the_note_and_its_time_are_kept);
	RUN(test_there_is_one_writer_at_a_time);
	RUN(test_a_folder_that_cannot_be_is_said_so);
	return tap_done();
}
