/*
 * command: the verbs of `tilsit`, one row each.
 *
 * `tilsit NOUN VERB [ARGUMENT]... [--OPTION [VALUE]]...`; a command gets what
 * was given and prints what it did on standard output.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>

#include "base/str.h"

struct arena;
struct index;

#define COMMAND_ARGS	4
#define COMMAND_OPTIONS	6

#define OFFLINE		1u	/* a command is run without the index */
#define AS_ROOT		2u	/* root stays root for it: see become.h */

/* What one command line says. */
struct invocation {
	struct index *ix;		/* NULL for an offline command */
	struct arena *arena;
	const char *config_path;	/* --config's argument, or NULL */
	const struct command *command;
	struct str arg[COMMAND_ARGS];
	size_t n_args;
	struct {
		const char *name;	/* without the dashes */
		size_t name_n;
		struct str value;	/* empty for a flag */
	} option[COMMAND_OPTIONS];
	size_t n_options;
};

struct command {
	const char *words;	/* "release yank" */
	const char *args;	/* "PROJECT [VERSION]": words of the usage */
	const char *options;	/* "reason=TEXT force", or "" */
	const char *help;	/* one line */
	enum status (*run)(struct invocation *in, struct err *err);
	unsigned how;		/* OFFLINE, AS_ROOT, both or 0 */
};

extern const struct command commands[];
extern const size_t n_commands;

/* An option's value, or NULL when it was not given. */
const struct str *invocation_option(const struct invocation *in,
    const char *name);

/* What the rows of command.c run, by the file that has them. */

/* account.c */
enum status cli_user_add(struct invocation *in, struct err *err);
enum status cli_user_list(struct invocation *in, struct err *err);
enum status cli_user_password(struct invocation *in, struct err *err);
enum status cli_user_disable(struct invocation *in, struct err *err);
enum status cli_user_enable(struct invocation *in, struct err *err);
enum status cli_token_create(struct invocation *in, struct err *err);
enum status cli_token_list(struct invocation *in, struct err *err);
enum status cli_token_revoke(struct invocation *in, struct err *err);

/* content.c */
enum status cli_project_list(struct invocation *in, struct err *err);
enum status cli_project_create(struct invocation *in, struct err *err);
enum status cli_project_status(struct invocation *in, struct err *err);
enum status cli_project_delete(struct invocation *in, struct err *err);
enum status cli_release_yank(struct invocation *in, struct err *err);
enum status cli_release_unyank(struct invocation *in, struct err *err);
enum status cli_release_delete(struct invocation *in, struct err *err);
enum status cli_file_yank(struct invocation *in, struct err *err);
enum status cli_file_unyank(struct invocation *in, struct err *err);
enum status cli_file_delete(struct invocation *in, struct err *err);
enum status cli_role_list(struct invocation *in, struct err *err);
enum status cli_role_set(struct invocation *in, struct err *err);
enum status cli_role_remove(struct invocation *in, struct err *err);

/* check.c */
enum status cli_check_config(struct invocation *in, struct err *err);

/* failover.c */
enum status cli_failover(struct invocation *in, struct err *err);
enum status cli_rejoin(struct invocation *in, struct err *err);
enum status cli_may_start(struct invocation *in, struct err *err);
enum status cli_replica_status(struct invocation *in, struct err *err);
enum status cli_replica_leave(struct invocation *in, struct err *err);
enum status cli_replica_join(struct invocation *in, struct err *err);

/* operate.c */
enum status cli_migrate(struct invocation *in, struct err *err);
enum status cli_example_config(struct invocation *in, struct err *err);
enum status cli_fsck(struct invocation *in, struct err *err);

#endif
