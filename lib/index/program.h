/*
 * program: how every program of app/ begins.
 *
 *	struct program p;
 *	int done = program_open(&p, argc, argv, &about);
 *
 *	if (done >= 0)
 *		return done;
 *	... p.index is ready ...
 *	program_close(&p);
 */
#ifndef INDEX_PROGRAM_H
#define INDEX_PROGRAM_H

#include "base/status.h"
#include "index/index.h"
#include "io/config.h"

struct arena;

struct about {
	const char *name;		/* "tilsit-simple" */
	const char *purpose;		/* one line, for --help */
};

struct program {
	struct arena *arena;		/* lives as long as the program */
	struct config config;
	struct index index;
};

/* Exit statuses, as in sysexits but fewer. */
#define EXIT_OK		0
#define EXIT_SERVICE	1	/* something that we need is not there */
#define EXIT_USAGE	2	/* command line or configuration is wrong */

/*
 * Read --config FILE (and --help, --version, --show-config), load the
 * settings, open the index.  -1 to go on; else main()'s exit status, and
 * what is to be said has been said.
 */
int program_open(struct program *p, int argc, char **argv,
    const struct about *about);

/*
 * The part of it behind the command line, for programs with one of their own:
 * path is --config's argument or NULL.  INVALID: the settings are wrong.
 */
MUST_USE enum status program_start(struct program *p, const char *name,
    const char *path, struct err *err);

void program_close(struct program *p);

#endif
