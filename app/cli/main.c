/* tilsit: the operator's command line. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/version.h"
#include "cli/command.h"
#include "index/program.h"

#define WORDS	2	/* in the longest command's name */

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

static int
help(FILE *to)
{
	fprintf(to, "tilsit: runs a Python package index.\n\n"
	    "usage: tilsit [--config FILE] COMMAND [ARGUMENT]... "
	    "[--OPTION]...\n\n");
	for (size_t i = 0; i < n_commands; i++)
		fprintf(to, "  %-18s %-32s %s\n", commands[i].words,
		    commands[i].args, commands[i].help);
	fprintf(to, "\n`tilsit COMMAND --help` shows a command's options; "
	    "see also tilsit(8).\nSettings: --config FILE, else $%s, else "
	    "%s.\n", CONFIG_VARIABLE, CONFIG_PATH);
	return to == stdout ? EXIT_OK : EXIT_USAGE;
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

/* One --NAME, --NAME=VALUE or --NAME VALUE; 0 when it is wrong. */
static int
read_option(struct invocation *in, int argc, char **argv)
{
	struct str name, value;
	bool has_value, takes_value;
	int used = 1;

	has_value = str_cut(str_sub(str_c(argv[0]), 2, SIZE_MAX), '=', &name,
	    &value);
	if (in->n_options == COMMAND_OPTIONS ||
	    !knows(in->command, name, &takes_value) ||
	    (has_value && !takes_value))
		return 0;
	if (takes_value && !has_value) {
		if (argc < 2)
			return 0;
		value = str_c(argv[1]);
		used = 2;
	}
	in->option[in->n_options].name = name.p;
	in->option[in->n_options].name_n = name.n;
	in->option[in->n_options++].value = value;
	return used;
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

static bool
read_words(struct invocation *in, int argc, char **argv)
{
	size_t least, most;

	count_args(in->command, &least, &most);
	while (argc > 0) {
		int used = 1;

		if (strncmp(argv[0], "--", 2) == 0)
			used = read_option(in, argc, argv);
		else if (in->n_args == most)
			return false;
		else
			in->arg[in->n_args++] = str_c(argv[0]);
		if (used == 0)
			return false;
		argc -= used;
		argv += used;
	}
	return in->n_args >= least;
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
	enum status st;

	in->config_path = config;
	if (in->command->is_offline) {
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
	if (argc > 1 && strcmp(argv[0], "--config") == 0) {
		config = argv[1];
		argc -= 2;
		argv += 2;
	}
	if (argc > 0 && strcmp(argv[0], "--version") == 0)
		return printf("tilsit %s\n", TILSIT_VERSION) < 0;
	if (argc == 0 || strcmp(argv[0], "--help") == 0)
		return help(argc == 0 ? stderr : stdout);
	in.command = find(argc, argv, &words);
	if (!in.command) {
		fprintf(stderr, "tilsit: no command '%s'\n\n", argv[0]);
		return help(stderr);
	}
	if (wants_help(argc - words, argv + words))
		return usage(in.command, stdout);
	if (!read_words(&in, argc - words, argv + words))
		return usage(in.command, stderr);
	return run(&in, config);
}
