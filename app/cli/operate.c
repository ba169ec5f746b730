/* What an operator does to an index: migrate, look for mistakes, mend. */
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/command.h"
#include "index/fsck.h"
#include "index/index.h"
#include "index/migrate.h"
#include "io/config.h"

static void
print_migration(void *arg, const char *name)
{
	const bool *dry_run = arg;

	printf("%s %s\n", *dry_run ? "would apply" : "applied", name);
}

enum status
cli_migrate(struct invocation *in, struct err *err)
{
	bool dry_run = invocation_option(in, "dry-run") != NULL;
	struct index ix = *in->ix;	/* but of any schema, or none */
	enum status st;

	ix.db = index_db(ix.config, DB_OWNER, "tilsit migrate");
	st = migrate(&ix, in->arena, dry_run, print_migration, &dry_run, err);
	db_free(ix.db);
	return st;
}

enum status
cli_example_config(struct invocation *in, struct err *err)
{
	struct buf text = buf_new(in->arena);

	(void)err;
	if (invocation_option(in, "man"))
		config_put_man(&text);
	else
		config_put_example(&text);
	fputs(buf_view(&text).p, stdout);
	return OK;
}

/* Troubles on standard output, one a line; progress on a terminal. */
static void
print_trouble(void *arg, const char *what, struct str name, bool repaired)
{
	const bool *shows_progress = arg;

	if (*what)
		printf("%s\t%.*s%s\n", what, STR_ARG(name),
		    repaired ? "\trepaired" : "");
	else if (*shows_progress)
		fprintf(stderr, "\rat %.*s\033[K", STR_ARG(name));
}

enum status
cli_fsck(struct invocation *in, struct err *err)
{
	bool shows_progress = isatty(STDERR_FILENO);
	struct fsck_options options = {
		.repair = invocation_option(in, "repair") != NULL,
		.quick = invocation_option(in, "quick") != NULL,
		.peer = invocation_option(in, "peer") != NULL,
		.say = print_trouble, .arg = &shows_progress,
	};
	struct fsck_result result;
	enum status st;

	st = fsck(in->ix, in->arena, &options, &result, err);
	if (shows_progress)
		fputs("\r\033[K", stderr);
	if (st != OK)
		return st;
	printf("%lld files, %lld bytes read, %lld troubles, %lld repaired\n",
	    (long long)result.files, (long long)result.bytes,
	    (long long)result.troubles, (long long)result.repaired);
	if (result.troubles > result.repaired)
		return err_set(err, CONFLICT, "files and database differ");
	return OK;
}
