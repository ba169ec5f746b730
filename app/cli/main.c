/* tilsit: the operator's command line. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "base/version.h"
#include "cli/become.h"
#include "cli/command.h"
#include "index/program.h"

#define NAME_COLUMNS	30	/* "release unyank PROJECT VERSION" */

static struct str
words_of(const struct command *c)
{
	return str_c(c->words);
}

/* How many words of argv name this command; 0 when they do not. */
static int
matches(const struct command *c, int argc, char **argv)
{
	struct str rest = words_of(c), word;
	int n = 0;

	while (rest.n) {
		str_cut(rest, ' ', &word, &rest);
		if (n >= argc || !str_eq(str_c(argv[n]), word))
			return 0;
		n++;
	}
	return n;
}

static const struct command *
find(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < n_commands; i++) {
		*words = matches(&commands[i], argc, argv);
		if (*words)
			return &commands[i];
	}
	return NULL;
}

static int
usage(const struct command *c, FILE *to)
{
	fprintf(to, "usage: tilsit %s%s%s", c->words, *c->args ? " " : "",
	    c->args);
	if (*c->options) {
		struct str rest = str_c(c->options), word;

		while (rest.n) {
			str_cut(rest, ' ', &word, &rest);
			fprintf(to, " [--%.*s]", STR_ARG(word));
		}
	}
	fprintf(to, "\n%s\n", c->help);
	return to == stdout ? EXIT_OK : EXIT_USAGE;
}

/* The first of two words: what a command is about.  Empty for one word. */
static struct str
noun_of(const struct command *c)
{
	struct str noun, verb;

	return str_cut(words_of(c), ' ', &noun, &verb) ? noun : STR("");
}

/* The commands about a noun, or all when it is empty; how many. */
static int
put_commands(struct str about, FILE *to)
{
	struct str noun = STR(""), last = STR("");
	int n = 0;

	for (size_t i = 0; i < n_commands; i++, last = noun) {
		const struct command *c = &commands[i];

		noun = noun_of(c);
		if (about.n && !str_eq(noun, about))
			continue;
		fprintf(to, "%s  %s %-*s  %s\n",
		    n == 0 || str_eq(noun, last) ? "" : "\n", c->words,
		    (int)(NAME_COLUMNS - strlen(c->words)), c->args, c->help);
		n++;
	}
	return n;
}

static int
help(FILE *to)
{
	fprintf(to, "tilsit: runs a Python package index.\n\n"
	    "usage: tilsit [--config FILE] COMMAND [ARGUMENT]... "
	    "[--OPTION]...\n\n");
	put_commands(STR(""), to);
	fprintf(to, "\n`tilsit COMMAND --help` shows a command's options; "
	    "see also tilsit(8).\nSettings: --config FILE, else $%s, else "
	    "%s.\n", CONFIG_VARIABLE, CONFIG_PATH);
	return to == stdout ? EXIT_OK : EXIT_USAGE;
}

/* The words name no command: show those that begin so, if any do. */
static int
no_command(int argc, char **argv)
{
	bool asks = argc > 1 && strcmp(argv[1], "--help") == 0;

	if (put_commands(str_c(argv[0]), asks ? stdout : stderr) > 0)
		return asks ? EXIT_OK : EXIT_USAGE;
	fprintf(stderr, "tilsit: there is no %s '%s'; try --help\n",
	    strncmp(argv[0], "--", 2) == 0 ? "option" : "command", argv[0]);
	return EXIT_USAGE;
}

/* Does the command know --name, and does that take a value? */
static bool
knows(const struct command *c, struct str name, bool *takes_value)
{
	struct str rest = str_c(c->options), word, known, value;

	while (rest.n) {
		str_cut(rest, ' ', &word, &rest);
		*takes_value = str_cut(word, '=', &known, &value);
		if (str_eq(known, name))
			return true;
	}
	return false;
}

/* Say what is wrong with a word of the command line; false. */
static bool
misfit(const struct invocation *in, const char *what, const char *word)
{
	fprintf(stderr, "tilsit %s: %s%s\n", in->command->words, what, word);
	return false;
}

/* One --NAME, --NAME=VALUE or --NAME VALUE: how many words that took. */
static bool
read_option(struct invocation *in, int argc, char **argv, int *used)
{
	struct str name, value;
	bool has_value, takes_value;

	*used = 1;
	has_value = str_cut(str_sub(str_c(argv[0]), 2, SIZE_MAX), '=', &name,
	    &value);
	if (!knows(in->command, name, &takes_value))
		return misfit(in, "there is no option ", argv[0]);
	if (has_value && !takes_value)
		return misfit(in, "no value belongs to ", argv[0]);
	if (in->n_options == COMMAND_OPTIONS)
		return misfit(in, "too many options at ", argv[0]);
	if (takes_value && !has_value) {
		if (argc < 2)
			return misfit(in, "a value is missing for ", argv[0]);
		value = str_c(argv[1]);
		*used = 2;
	}
	in->option[in->n_options].name = name.p;
	in->option[in->n_options].name_n = name.n;
	in->option[in->n_options++].value = value;
	return true;
}

/* How many arguments a command needs and may have, by its help text. */
static void
count_args(const struct command *c, size_t *least, size_t *most)
{
	struct str rest = str_c(c->args), word;

	*least = *most = 0;
	while (rest.n) {
		str_cut(rest, ' ', &word, &rest);
		*most += 1;
		*least += word.p[0] != '[';
	}
}

/* Names and reasons go into pages and the journal: one line of text each. */
static bool
is_line(struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if ((unsigned char)word.p[i] < ' ' || word.p[i] == 0x7f)
			return false;
	return utf8_is_valid(word);
}

static bool
read_words(struct invocation *in, int argc, char **argv)
{
	size_t least, most;

	for (int i = 0; i < argc; i++)
		if (!is_line(str_c(argv[i])))
			return misfit(in, "an argument has a line end or "
			    "control character, or is not UTF-8", "");
	count_args(in->command, &least, &most);
	while (argc > 0) {
		int used = 1;

		if (strncmp(argv[0], "--", 2) == 0) {
			if (!read_option(in, argc, argv, &used))
				return false;
		} else if (in->n_args == most) {
			return misfit(in, "one argument too many: ", argv[0]);
		} else {
			in->arg[in->n_args++] = str_c(argv[0]);
		}
		argc -= used;
		argv += used;
	}
	return in->n_args >= least ||
	    misfit(in, "an argument is missing", "");
}

const struct str *
invocation_option(const struct invocation *in, const char *name)
{
	for (size_t i = 0; i < in->n_options; i++)
		if (str_eq(str_c(name), (struct str){ in->option[i].name,
		    in->option[i].name_n }))
			return &in->option[i].value;
	return NULL;
}

static int
exit_status(enum status st)
{
	switch (st) {
	case OK:	  return EXIT_OK;
	case INVALID:	  return EXIT_USAGE;
	default:	  return EXIT_SERVICE;
	}
}

/* Run it with the index open, or without if it is to look at the settings. */
static int
run(struct invocation *in, const char *config)
{
	struct program p;
	struct err err = { .text = "" };
	enum status st = OK;

	in->config_path = config;
	if (!(in->command->how & AS_ROOT))
		st = become_owner(config, &err);
	if (st != OK) {
		/* Said below. */
	} else if (in->command->how & OFFLINE) {
		in->arena = arena_new((size_t)64 << 20);
		st = in->command->run(in, &err);
		arena_free(in->arena);
	} else {
		st = program_start(&p, "tilsit", config, &err);
		if (st == OK) {
			in->ix = &p.index;
			in->arena = arena_new(
			    (size_t)p.config.request_memory_bytes);
			st = in->command->run(in, &err);
			arena_free(in->arena);
			program_close(&p);
		}
	}
	if (st != OK)
		fprintf(stderr, "tilsit %s: %s\n", in->command->words,
		    err.text);
	return exit_status(st);
}

static bool
wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

int
main(int argc, char **argv)
{
	struct invocation in = { .ix = NULL };
	const char *config = NULL;
	int words;

	argc--;
	argv++;
	if (argc > 0 && strcmp(argv[0], "--config") == 0) {
		if (argc == 1) {
			fputs("tilsit: --config needs a file\n", stderr);
			return EXIT_USAGE;
		}
		config = argv[1];
		argc -= 2;
		argv += 2;
	}
	if (argc > 0 && strcmp(argv[0], "--version") == 0)
		return printf("tilsit %s\n", TILSIT_VERSION) < 0;
	if (argc == 0 || strcmp(argv[0], "--help") == 0)
		return help(argc == 0 ? stderr : stdout);
	in.command = find(argc, argv, &words);
	if (!in.command)
		return no_command(argc, argv);
	if (wants_help(argc - words, argv + words))
		return usage(in.command, stdout);
	if (!read_words(&in, argc - words, argv + words))
		return usage(in.command, stderr);
	return run(&in, config);
}
