/* Projects, releases, files and roles. */
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/command.h"
#include "index/account.h"
#include "index/file.h"
#include "index/project.h"
#include "index/release.h"
#include "index/role.h"
#include "pkg/name.h"

/* What a change did: its serial, or that there was nothing to do. */
static enum status
done(enum status st, int64_t serial)
{
	if (st != OK)
		return st;
	if (serial)
		printf("done, serial %lld\n", (long long)serial);
	else
		printf("nothing to do: it is so already\n");
	return OK;
}

static struct str
reason_of(const struct invocation *in)
{
	const struct str *reason = invocation_option(in, "reason");

	return reason ? *reason : STR("");
}

/* Deleting cannot be undone: it takes a --yes. */
static enum status
confirm(const struct invocation *in, struct err *err)
{
	if (invocation_option(in, "yes"))
		return OK;
	return err_set(err, INVALID, "this cannot be undone, and file names "
	    "stay used for ever: consider `yank` instead, or say --yes");
}

static enum status
print_project(void *arg, const struct project_summary *p)
{
	(void)arg;
	printf("%-40.*s %-12.*s %8lld %10lld\n", STR_ARG(p->name),
	    STR_ARG(p->status), (long long)p->n_files,
	    (long long)p->last_serial);
	return OK;
}

enum status
cli_project_list(struct invocation *in, struct err *err)
{
	printf("%-40s %-12s %8s %10s\n", "PROJECT", "STATUS", "FILES",
	    "SERIAL");
	return project_each(in->ix, in->arena, print_project, NULL, err);
}

enum status
cli_project_create(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st;

	st = project_create(in->ix, in->arena, in->arg[0], in->arg[1],
	    &serial, err);
	return done(st, serial);
}

enum status
cli_project_status(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st;

	st = project_set_status(in->ix, in->arena, in->arg[0], in->arg[1],
	    reason_of(in), &serial, err);
	return done(st, serial);
}

enum status
cli_project_delete(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st = confirm(in, err);

	if (st == OK)
		st = project_remove(in->ix, in->arena, in->arg[0], &serial,
		    err);
	return st == OK ? done(st, serial) : st;
}

enum status
cli_release_yank(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st;

	st = release_yank(in->ix, in->arena, in->arg[0], in->arg[1],
	    reason_of(in), &serial, err);
	return done(st, serial);
}

enum status
cli_release_unyank(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st;

	st = release_unyank(in->ix, in->arena, in->arg[0], in->arg[1],
	    &serial, err);
	return done(st, serial);
}

enum status
cli_release_delete(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st = confirm(in, err);

	if (st == OK)
		st = release_remove(in->ix, in->arena, in->arg[0], in->arg[1],
		    &serial, err);
	return st == OK ? done(st, serial) : st;
}

enum status
cli_file_yank(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st;

	st = file_yank(in->ix, in->arena, in->arg[0], reason_of(in), &serial,
	    err);
	return done(st, serial);
}

enum status
cli_file_unyank(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st;

	st = file_unyank(in->ix, in->arena, in->arg[0], &serial, err);
	return done(st, serial);
}

enum status
cli_file_delete(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st = confirm(in, err);

	if (st == OK)
		st = file_remove(in->ix, in->arena, in->arg[0], &serial, err);
	return st == OK ? done(st, serial) : st;
}

enum status
cli_role_list(struct invocation *in, struct err *err)
{
	struct project project;
	struct role_list roles;
	enum status st;

	st = project_get(in->ix, in->arena, in->arg[0], &project, err);
	if (st == OK)
		st = role_of_project(in->ix, in->arena,
		    name_normalize(in->arena, in->arg[0]), &roles, err);
	for (size_t i = 0; st == OK && i < roles.n; i++)
		printf("%-12.*s %.*s\n", STR_ARG(roles.at[i].role),
		    STR_ARG(roles.at[i].account));
	return st;
}

enum status
cli_role_set(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st;

	st = role_set(in->ix, in->arena, in->arg[0], in->arg[1], in->arg[2],
	    &serial, err);
	return done(st, serial);
}

enum status
cli_role_remove(struct invocation *in, struct err *err)
{
	int64_t serial;
	enum status st;

	st = role_remove(in->ix, in->arena, in->arg[0], in->arg[1], &serial,
	    err);
	return done(st, serial);
}
