#include "index/program.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/version.h"
#include "io/secret.h"

#define PROGRAM_ARENA_BYTES	((size_t)4 << 20)

enum status
program_start(struct program *p, const char *name, const char *path,
    struct err *err)
{
	enum status st;

	p->arena = arena_new(PROGRAM_ARENA_BYTES);
	st = secret_start(err);
	if (st == OK)
		st = config_load(p->arena, config_path(path), &p->config, err);
	if (st == OK)
		st = index_open(p->arena, name, &p->config, &p->index, err);
	if (st != OK) {
		arena_free(p->arena);
		p->arena = NULL;
	}
	return st;
}

void
program_close(struct program *p)
{
	index_close(&p->index);
	arena_free(p->arena);
}

static int
show_help(const struct about *about)
{
	printf("%s: %s.\n\n"
	    "usage: %s [--config FILE]\n\n"
	    "  --config FILE    settings (else $%s, else %s)\n"
	    "  --show-config    print the settings in force and end\n"
	    "  --version        print the version and end\n"
	    "  --help           print this and end\n\n"
	    "See %s(8) and tilsit.conf(5).\n", about->name, about->purpose,
	    about->name, CONFIG_VARIABLE, CONFIG_PATH, about->name);
	return EXIT_OK;
}

static int
show_config(const struct config *config, struct arena *a)
{
	struct buf text = buf_new(a);

	config_put_shown(&text, config);
	fputs(buf_view(&text).p, stdout);
	return EXIT_OK;
}

/* What one word of the command line asks for, if that ends the program. */
static int
option(const char *word, const struct about *about)
{
	if (strcmp(word, "--help") == 0)
		return show_help(about);
	if (strcmp(word, "--version") == 0)
		return printf("%s %s\n", about->name, TILSIT_VERSION) < 0;
	if (strcmp(word, "--config") == 0)
		fprintf(stderr, "%s: --config needs a file\n", about->name);
	else
		fprintf(stderr, "%s: unknown option '%s'; try --help\n",
		    about->name, word);
	return EXIT_USAGE;
}

int
program_open(struct program *p, int argc, char **argv,
    const struct about *about)
{
	const char *path = NULL;
	bool show = false;
	struct err err;
	enum status st;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
			path = argv[++i];
		else if (strcmp(argv[i], "--show-config") == 0)
			show = true;
		else
			return option(argv[i], about);
	}
	st = program_start(p, about->name, path, &err);
	if (st != OK) {
		fprintf(stderr, "%s: %s\n", about->name, err.text);
		return st == INVALID ? EXIT_USAGE : EXIT_SERVICE;
	}
	if (!show)
		return -1;
	show_config(&p->config, p->arena);
	program_close(p);
	return EXIT_OK;
}
