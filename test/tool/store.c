/*
 * store: one step of the file store, for test/fail/10-store-*.t.
 *
 *	store ROOT keep NAME METADATA MTIME <contents	prints the path
 *	store ROOT verify HEX NAME
 *	store ROOT remove HEX NAME
 *	store ROOT sweep SECONDS			prints how many
 *	store ROOT list				one line a file: path, size, time
 *
 * HEX is the BLAKE2b-256.  Exits with the status; its text on standard error.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/panic.h"
#include "io/secret.h"
#include "io/store.h"

static int64_t
number(const char *text)
{
	int64_t n = 0;

	if (str_int64(str_c(text), 0, INT64_MAX, &n) != OK)
		panic("'%s' is no number", text);
	return n;
}

static void
from_hex(const char *hex, unsigned char out[32])
{
	unsigned byte = 0;

	for (int i = 0; i < 32; i++) {
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			panic("'%s' is no digest", hex);
		out[i] = (unsigned char)byte;
	}
}

static enum status
write_all(struct staged *f, struct err *err)
{
	char piece[65536];
	enum status st = OK;
	ssize_t n;

	while (st == OK && (n = read(0, piece, sizeof(piece))) > 0)
		st = staged_write(f, piece, (size_t)n, err);
	return st;
}

static enum status
keep(struct store *s, struct arena *a, char **arg, struct err *err)
{
	struct str name = str_c(arg[0]);
	struct digests d;
	struct staged *f;
	enum status st = store_stage(s, a, &f, err);

	if (st == OK)
		st = write_all(f, err);
	if (st == OK)
		st = staged_finish(f, &d, err);
	if (st == OK)
		st = store_keep(s, f, name, str_c(arg[1]), number(arg[2]), err);
	if (st == OK)
		printf("%s\n", store_path(a, d.blake2b_256, name).p);
	return st;
}

static enum status
print_item(void *arg, const struct store_item *item, struct err *err)
{
	(void)arg, (void)err;
	printf("%s%.*s %lld %lld\n", item->is_ours ? "" : "stranger ",
	    STR_ARG(item->path), (long long)item->size,
	    (long long)item->mtime_s);
	return OK;
}

static enum status
run(struct store *s, struct arena *a, int argc, char **argv, struct err *err)
{
	const char *verb = argc > 2 ? argv[2] : "";
	unsigned char digest[32];
	struct digests got;
	int64_t n = 0;
	enum status st;

	if (argc == 6 && strcmp(verb, "keep") == 0)
		return keep(s, a, argv + 3, err);
	if (argc == 3 && strcmp(verb, "list") == 0)
		return store_each(s, print_item, NULL, err);
	if (argc == 4 && strcmp(verb, "sweep") == 0) {
		st = store_sweep(s, number(argv[3]), &n, err);
		printf("%lld\n", (long long)n);
		return st;
	}
	if (argc != 5)
		panic("no such verb: %s", verb);
	from_hex(argv[3], digest);
	if (strcmp(verb, "remove") == 0)
		return store_remove(s, a, digest, str_c(argv[4]), err);
	return store_verify(s, a, digest, str_c(argv[4]), &got, err);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new((size_t)16 << 20);
	struct err err = { .text = "" };
	struct store *s;
	enum status st = secret_start(&err);

	if (st == OK)
		st = store_open(a, argc > 1 ? argv[1] : ".", &s, &err);
	if (st == OK)
		st = run(s, a, argc, argv, &err);
	if (st != OK)
		fprintf(stderr, "%s: %s\n", status_name(st), err.text);
	arena_free(a);
	return (int)st;
}
