/* Unit tests of io/store.  test/fail/10-store-kill.t kills it half-way. */
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/secret.h"
#include "io/store.h"

#define MTIME_S		1700000000
#define NAME		STR("tilsit-1.0.tar.gz")

static char root[64];

static struct store *
open_store(struct arena *a)
{
	struct store *s = NULL;
	struct err err = { .text = "" };

	snprintf(root, sizeof(root), "%s/tilsit-store-XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(root) || store_open(a, root, &s, &err) != OK) {
		printf("Bail out! no store in %s: %s\n", root, err.text);
		exit(1);
	}
	return s;
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb, (void)type, (void)ftw;
	return remove(path);
}

static void
remove_store(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A staged and finished file of these bytes. */
static struct staged *
stage(struct store *s, struct arena *a, struct str bytes, struct digests *d)
{
	struct staged *f = NULL;
	struct err err = { .text = "" };

	is_int(store_stage(s, a, &f, &err), OK);
	is_int(staged_write(f, bytes.p, bytes.n, &err), OK);
	is_int(staged_finish(f, d, &err), OK);
	is_str(str_c(err.text), STR(""));
	return f;
}

static struct digests
keep(struct store *s, struct arena *a, struct str bytes, struct str filename,
    struct str metadata)
{
	struct digests d;
	struct staged *f = stage(s, a, bytes, &d);
	struct err err = { .text = "" };

	is_int(store_keep(s, f, filename, metadata, MTIME_S, &err), OK);
	is_str(str_c(err.text), STR(""));
	return d;
}

static const char *
kept_path(struct arena *a, const struct digests *d, struct str filename)
{
	return str_fmt(a, "%s/packages/%s", root,
	    store_path(a, d->blake2b_256, filename).p).p;
}


/* How many names lie in a folder below the root, . and .. not counted. */
static int
n_names(struct arena *a, const char *folder)
{
	DIR *dir = opendir(str_fmt(a, "%s/%s", root, folder).p);
	int n = -2;

	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void
test_a_kept_file_lies_under_its_digest_as_nginx_serves_it(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d = keep(s, a, STR("abc"), NAME, STR("Name: x\n"));
	struct stat sb, meta;
	struct str out;
	struct err err;

	is_str(store_path(a, d.blake2b_256, NAME), STR("bd/dd/813c634239723171"
	    "ef3fee98579b94964e3bb1cb3e427262c8c068d52319/tilsit-1.0.tar.gz"));
	is_int(stat(kept_path(a, &d, NAME), &sb), 0);
	is_int(sb.st_mode & 07777, 0644);
	is_int(sb.st_mtime, MTIME_S);
	is_int(sb.st_size, 3);
	is_int(stat(kept_path(a, &d, STR("tilsit-1.0.tar.gz.metadata")),
	    &meta), 0);
	is_int(meta.st_mode & 07777, 0644);
	is_int(meta.st_mtime, MTIME_S);
	is_int(store_metadata(s, a, d.blake2b_256, NAME, 100, &out, &err), OK);
	is_str(out, STR("Name: x\n"));
	is_int(store_metadata(s, a, d.blake2b_256, NAME, 7, &out, &err),
	    INVALID);
	remove_store();
}

static void
test_without_metadata_there_is_no_metadata_file(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d = keep(s, a, STR("abc"), NAME, STR(""));
	struct str out;
	struct err err;

	is_int(store_metadata(s, a, d.blake2b_256, NAME, 9, &out, &err),
	    NOT_FOUND);
	remove_store();
}

static void
test_what_was_not_kept_goes_with_the_request(struct arena *a)
{
	struct arena *request = arena_new(1 << 20);
	struct store *s = open_store(a);
	struct digests d;

	(void)stage(s, request, STR("abc"), &d);
	is_int(n_names(a, "staging"), 1);
	arena_reset(request);
	is_int(n_names(a, "staging"), 0);
	(void)keep(s, request, STR("abc"), NAME, STR("m"));
	arena_reset(request);
	is_int(n_names(a, "staging"), 0);
	is_int(n_names(a, "packages"), 1);
	arena_free(request);
	remove_store();
}

static void
test_a_staged_file_can_be_read_before_it_is_kept(struct arena *a)
{
	struct store *s = open_store(a);
	char got[3] = "";
	struct digests d;
	struct staged *f = stage(s, a, STR("abc"), &d);

	is_int(pread(staged_fd(f), got, 3, 0), 3);
	is_str(((struct str){ got, 3 }), STR("abc"));
	remove_store();
}

static void
test_a_kept_file_opens_for_reading(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d = keep(s, a, STR("abc"), NAME, STR(""));
	char got[4] = "";
	struct err err;
	int fd = -1;

	is_int(store_read(s, a, d.blake2b_256, NAME, &fd, &err), OK);
	is_int(read(fd, got, 4), 3);
	is_str(((struct str){ got, 3 }), STR("abc"));
	is_int(store_read(s, a, d.blake2b_256, STR("other"), &fd, &err),
	    NOT_FOUND);
	remove_store();
}

static void
test_lost_metadata_are_put_back_with_the_files_time(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d = keep(s, a, STR("abc"), NAME, STR(""));
	struct str out = STR("");
	struct stat sb = { .st_mtime = 0 };
	struct err err;

	is_int(store_put_metadata(s, a, d.blake2b_256, NAME, STR("m"), &err),
	    OK);
	is_int(store_metadata(s, a, d.blake2b_256, NAME, 1, &out, &err), OK);
	is_str(out, STR("m"));
	is_int(stat(kept_path(a, &d, STR("tilsit-1.0.tar.gz.metadata")), &sb),
	    0);
	is_int(sb.st_mtime, MTIME_S);
	is_int(store_put_metadata(s, a, d.blake2b_256, STR("other"), STR("m"),
	    &err), NOT_FOUND);
	remove_store();
}

static void
test_keeping_the_same_bytes_again_changes_nothing_but_time(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d = keep(s, a, STR("abc"), NAME, STR("m"));
	struct stat before, after;
	struct staged *f;
	struct err err;

	is_int(stat(kept_path(a, &d, NAME), &before), 0);
	f = stage(s, a, STR("abc"), &d);
	is_int(store_keep(s, f, NAME, STR("m"), MTIME_S + 5, &err), OK);
	is_int(stat(kept_path(a, &d, NAME), &after), 0);
	is_int(after.st_ino, before.st_ino);
	is_int(after.st_mtime, MTIME_S + 5);
	remove_store();
}

static void
test_a_truncated_copy_is_replaced(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d = keep(s, a, STR("abc"), NAME, STR(""));
	struct digests got;
	struct err err;

	is_int(truncate(kept_path(a, &d, NAME), 1), 0);
	is_int(store_verify(s, a, d.blake2b_256, NAME, &got, &err), INVALID);
	is_int(got.size, 1);
	(void)keep(s, a, STR("abc"), NAME, STR(""));
	is_int(store_verify(s, a, d.blake2b_256, NAME, &got, &err), OK);
	is_int(got.size, 3);
	remove_store();
}

static void
test_a_changed_byte_is_found(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d = keep(s, a, STR("abc"), NAME, STR(""));
	struct digests got;
	struct err err;
	int fd = open(kept_path(a, &d, NAME), O_WRONLY);

	is_int(write(fd, "x", 1), 1);
	close(fd);
	is_int(store_verify(s, a, d.blake2b_256, NAME, &got, &err), INVALID);
	is_int(store_verify(s, a, d.blake2b_256, STR("other"), &got, &err),
	    NOT_FOUND);
	d.blake2b_256[0] ^= 1;
	is_int(store_verify(s, a, d.blake2b_256, NAME, &got, &err), NOT_FOUND);
	remove_store();
}

static void
test_names_that_could_lead_elsewhere_are_refused(struct arena *a)
{
	static const struct str bad[] = {
		STR_INIT(""), STR_INIT("."), STR_INIT(".."),
		STR_INIT("../x"), STR_INIT("a/b"), STR_INIT(".hidden"),
		STR_INIT("a\0b"), STR_INIT("a\nb"), STR_INIT("a.metadata"),
	};
	struct store *s = open_store(a);
	struct digests d;
	struct staged *f = stage(s, a, STR("abc"), &d);
	struct str longest = { arena_alloc(a, 300), STORE_NAME_BYTES };
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_int(store_keep(s, f, bad[i], STR(""), 0, &err), INVALID);
	memset((char *)(uintptr_t)longest.p, 'a', 300);
	longest.n++;
	is_int(store_keep(s, f, longest, STR(""), 0, &err), INVALID);
	longest.n--;
	is_int(store_keep(s, f, longest, STR("m"), 0, &err), OK);
	remove_store();
}

static void
test_a_link_in_a_files_place_is_not_followed(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d = keep(s, a, STR("abc"), NAME, STR(""));
	const char *path = kept_path(a, &d, NAME);
	struct digests got;
	struct staged *f;
	struct err err;

	is_int(unlink(path), 0);
	is_int(symlink("/etc/passwd", path), 0);
	is_int(store_verify(s, a, d.blake2b_256, NAME, &got, &err),
	    UNAVAILABLE);
	f = stage(s, a, STR("abc"), &d);
	is_int(store_keep(s, f, NAME, STR(""), 0, &err), UNAVAILABLE);
	remove_store();
}

static void
test_remove_takes_the_empty_folders_along(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d = keep(s, a, STR("abc"), NAME, STR("m"));
	struct err err;

	(void)keep(s, a, STR("abc"), STR("twin.zip"), STR(""));
	is_int(store_remove(s, a, d.blake2b_256, NAME, &err), OK);
	is_int(n_names(a, "packages/bd/dd"), 1);
	is_int(store_remove(s, a, d.blake2b_256, STR("twin.zip"), &err), OK);
	is_int(n_names(a, "packages"), 0);
	is_int(store_remove(s, a, d.blake2b_256, NAME, &err), OK);
	(void)keep(s, a, STR("abc"), NAME, STR(""));
	remove_store();
}

static void
test_sweep_leaves_the_young_alone(struct arena *a)
{
	struct store *s = open_store(a);
	struct digests d;
	int64_t removed = -1;
	struct err err;

	(void)stage(s, a, STR("abc"), &d);
	(void)stage(s, a, STR("def"), &d);
	is_int(store_sweep(s, 3600, &removed, &err), OK);
	is_int(removed, 0);
	is_int(store_sweep(s, 0, &removed, &err), OK);
	is_int(removed, 2);
	is_int(n_names(a, "staging"), 0);
	remove_store();
}

struct seen {
	struct arena *arena;
	struct str_list paths;
	int ours, metadata, strangers;
	struct store_item last_ours;
};

static enum status
note(void *arg, const struct store_item *item, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	str_list_add(seen->arena, &seen->paths,
	    str_dup(seen->arena, item->path));
	seen->ours += item->is_ours;
	seen->metadata += item->is_metadata;
	seen->strangers += !item->is_ours;
	if (item->is_ours && !item->is_metadata)
		seen->last_ours = *item;
	return OK;
}

static void
test_each_walks_in_order_and_reports_strangers(struct arena *a)
{
	struct store *s = open_store(a);
	struct seen seen = { .arena = a };
	struct digests last = { .size = 0 };
	struct err err = { .text = "" };
	bool sorted = true;

	for (int i = 0; i < 50; i++)
		(void)keep(s, a, str_fmt(a, "%d", i), NAME, STR("m"));
	is_int(mkdir(str_fmt(a, "%s/packages/zz", root).p, 0755), 0);
	is_int(symlink("/", str_fmt(a, "%s/packages/00", root).p) == 0 ||
	    errno == EEXIST, 1);
	is_int(store_each(s, note, &seen, &err), OK);
	is_int(seen.ours, 100);
	is_int(seen.metadata, 50);
	ok(seen.strangers >= 1);
	for (size_t i = 1; i < seen.paths.n; i++)
		sorted = sorted &&
		    str_cmp(seen.paths.at[i - 1], seen.paths.at[i]) < 0;
	ok(sorted);
	memcpy(last.blake2b_256, seen.last_ours.blake2b_256, 32);
	is_int(access(kept_path(a, &last, NAME), F_OK), 0);
	is_int(seen.last_ours.mtime_s, MTIME_S);
	remove_store();
}

static enum status
refuse(void *arg, const struct store_item *item, struct err *err)
{
	(void)item;
	++*(int *)arg;
	return err_set(err, CONFLICT, "enough");
}

static void
test_each_ends_when_it_is_told_to(struct arena *a)
{
	struct store *s = open_store(a);
	struct err err;
	int calls = 0;

	(void)keep(s, a, STR("abc"), NAME, STR("m"));
	is_int(store_each(s, refuse, &calls, &err), CONFLICT);
	is_int(calls, 1);
	is_str(str_c(err.text), STR("enough"));
	remove_store();
}

static void
test_free_space_is_a_number_of_bytes(struct arena *a)
{
	struct store *s = open_store(a);
	int64_t bytes = -1;
	struct err err;

	is_int(store_free_bytes(s, &bytes, &err), OK);
	ok(bytes >= 0);
	remove_store();
}

static void
test_a_store_cannot_be_where_no_folder_can(struct arena *a)
{
	struct store *s = NULL;
	struct err err;

	is_int(store_open(a, "/dev/null/store", &s, &err), UNAVAILABLE);
	ok(s == NULL);
}

int
main(void)
{
	struct err err;

	if (secret_start(&err) != OK)
		return 1;
	RUN(test_a_kept_file_lies_under_its_digest_as_nginx_serves_it);
	RUN(test_without_metadata_there_is_no_metadata_file);
	RUN(test_what_was_not_kept_goes_with_the_request);
	RUN(test_a_staged_file_can_be_read_before_it_is_kept);
	RUN(test_a_kept_file_opens_for_reading);
	RUN(test_lost_metadata_are_put_back_with_the_files_time);
	RUN(test_keeping_the_same_bytes_again_changes_nothing_but_time);
	RUN(test_a_truncated_copy_is_replaced);
	RUN(test_a_changed_byte_is_found);
	RUN(test_names_that_could_lead_elsewhere_are_refused);
	RUN(test_a_link_in_a_files_place_is_not_followed);
	RUN(test_remove_takes_the_empty_folders_along);
	RUN(test_sweep_leaves_the_young_alone);
	RUN(test_each_walks_in_order_and_reports_strangers);
	RUN(test_each_ends_when_it_is_told_to);
	RUN(test_free_space_is_a_number_of_bytes);
	RUN(test_a_store_cannot_be_where_no_folder_can);
	return tap_done();
}
