/* Accounts and tokens. */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "cli/command.h"
#include "index/account.h"
#include "index/token.h"
#include "pkg/name.h"

#define DAY_S		((int64_t)24 * 3600)
#define DAYS_MOST	((int64_t)3650)

/* A line of standard input, without its end.  Empty at the end of input. */
static struct str
read_line(struct arena *a)
{
	char line[PASSWORD_MOST_BYTES + 2];
	struct str text = STR("");

	if (fgets(line, sizeof(line), stdin))
		text = str_dup(a, (struct str){ line, strcspn(line, "\r\n") });
	explicit_bzero(line, sizeof(line));
	return text;
}

/* Ask without showing what is typed. */
static struct str
ask(struct arena *a, const char *question)
{
	struct termios shown, hidden;
	struct str answer;

	fputs(question, stderr);
	if (tcgetattr(STDIN_FILENO, &shown) == -1)
		return STR("");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	answer = read_line(a);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	return answer;
}

/* From standard input with --password-stdin, else from the terminal. */
static enum status
read_password(struct invocation *in, const char *question, struct str *out,
    struct err *err)
{
	if (invocation_option(in, "password-stdin")) {
		*out = read_line(in->arena);
		return OK;
	}
	*out = STR("");
	if (!isatty(STDIN_FILENO))
		return OK;
	*out = ask(in->arena, question);
	if (out->n && !str_eq(*out, ask(in->arena, "Once more: ")))
		return err_set(err, INVALID, "the two are not the same");
	return OK;
}

enum status
cli_user_add(struct invocation *in, struct err *err)
{
	const struct str *email = invocation_option(in, "email");
	struct str password;
	enum status st;

	st = read_password(in, "Password (empty for none): ", &password, err);
	if (st == OK)
		st = account_add(in->ix, in->arena, in->arg[0],
		    email ? *email : STR(""), password, err);
	if (st == OK)
		printf("added user %.*s%s\n", STR_ARG(in->arg[0]),
		    password.n ? "" : ", without a password: make a token "
		    "with `tilsit token create`");
	return st;
}

static const char *
date_of(struct arena *a, int64_t at_us)
{
	struct buf text = buf_new(a);

	if (at_us == 0)
		return "never";
	clock_iso_local(&text, at_us);
	return buf_view(&text).p;
}

enum status
cli_user_list(struct invocation *in, struct err *err)
{
	struct account_list list;
	enum status st;

	st = account_list(in->ix, in->arena, &list, err);
	if (st != OK)
		return st;
	printf("%-20s %-30s %-9s %-9s %s\n", "USER", "E-MAIL", "STATE",
	    "PASSWORD", "SINCE");
	for (size_t i = 0; i < list.n; i++)
		printf("%-20.*s %-30.*s %-9s %-9s %s\n",
		    STR_ARG(list.at[i].name), STR_ARG(list.at[i].email),
		    list.at[i].is_active ? "active" : "disabled",
		    list.at[i].has_password ? "yes" : "no",
		    date_of(in->arena, list.at[i].created_at_us));
	return OK;
}

enum status
cli_user_password(struct invocation *in, struct err *err)
{
	struct str password;
	enum status st;

	st = read_password(in, "New password: ", &password, err);
	if (st == OK)
		st = account_set_password(in->ix, in->arena, in->arg[0],
		    password, err);
	if (st == OK)
		printf("changed the password of %.*s\n",
		    STR_ARG(in->arg[0]));
	return st;
}

static enum status
set_active(struct invocation *in, bool is_active, struct err *err)
{
	enum status st = account_set_active(in->ix, in->arena, in->arg[0],
	    is_active, err);

	if (st == OK)
		printf("user %.*s is %s\n", STR_ARG(in->arg[0]),
		    is_active ? "active" : "disabled");
	return st;
}

enum status
cli_user_disable(struct invocation *in, struct err *err)
{
	return set_active(in, false, err);
}

enum status
cli_user_enable(struct invocation *in, struct err *err)
{
	return set_active(in, true, err);
}

/* "--project a,b": names of any spelling, separated by commas. */
static enum status
read_projects(struct invocation *in, struct str_list *out, struct err *err)
{
	const struct str *given = invocation_option(in, "project");
	struct str rest = given ? *given : STR(""), name;

	while (rest.n) {
		str_cut(rest, ',', &name, &rest);
		name = str_trim(name);
		if (!name_is_valid(name))
			return err_set(err, INVALID, "'%.*s' is no project "
			    "name", STR_ARG(name));
		str_list_add(in->arena, out, name_normalize(in->arena, name));
	}
	return OK;
}

enum status
cli_token_create(struct invocation *in, struct err *err)
{
	const struct str *label = invocation_option(in, "label");
	const struct str *days = invocation_option(in, "days");
	struct str_list projects = { .at = NULL };
	int64_t n_days = 0, id;
	struct str secret;
	enum status st;

	if (days && str_int64(*days, 1, DAYS_MOST, &n_days) != OK)
		return err_set(err, INVALID, "--days takes a number from 1 to "
		    "%lld", (long long)DAYS_MOST);
	st = read_projects(in, &projects, err);
	if (st == OK)
		st = token_create(in->ix, in->arena, in->arg[0],
		    label ? *label : STR("made by the operator"), &projects,
		    n_days * DAY_S, &secret, &id, err);
	if (st != OK)
		return st;
	fprintf(stderr, "Token %lld, shown this once. Use it as the password "
	    "of user __token__:\n", (long long)id);
	printf("%.*s\n", STR_ARG(secret));
	return OK;
}

enum status
cli_token_list(struct invocation *in, struct err *err)
{
	struct token_list list;
	enum status st;

	st = token_list(in->ix, in->arena, in->n_args ? in->arg[0] : STR(""),
	    &list, err);
	if (st != OK)
		return st;
	printf("%-6s %-16s %-24s %-19s %-19s %-8s %s\n", "ID", "USER",
	    "LABEL", "EXPIRES", "LAST USED", "STATE", "PROJECTS");
	for (size_t i = 0; i < list.n; i++) {
		const struct token *t = &list.at[i];

		printf("%-6lld %-16.*s %-24.*s %-19s %-19s %-8s %.*s\n",
		    (long long)t->id, STR_ARG(t->account), STR_ARG(t->label),
		    date_of(in->arena, t->expires_at_us),
		    date_of(in->arena, t->last_used_at_us),
		    t->is_revoked ? "revoked" : "valid",
		    STR_ARG(t->projects.n ? t->projects : STR("all")));
	}
	return OK;
}

enum status
cli_token_revoke(struct invocation *in, struct err *err)
{
	int64_t id;
	enum status st;

	if (str_int64(in->arg[0], 1, INT64_MAX, &id) != OK)
		return err_set(err, INVALID, "'%.*s' is no token's number; "
		    "see `tilsit token list`", STR_ARG(in->arg[0]));
	st = token_revoke(in->ix, in->arena, id, err);
	if (st == OK)
		printf("revoked token %lld\n", (long long)id);
	return st;
}
