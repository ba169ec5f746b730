/*
 * run: a program of the operator's, run to its end.
 *
 *	struct run_result result;
 *
 *	st = run_program(a, "/etc/tilsit/mark-ssh w", words, STR(""), 10000,
 *	    &result, err);
 *	if (st == OK && result.exit_status == 0)
 *		... result.output is what it said ...
 *
 * For the few hooks that settings name: there is no shell in between, so
 * nothing in an argument can become a command.  Its standard error is ours.
 */
#ifndef IO_RUN_H
#define IO_RUN_H

#include <stdint.h>

#include "base/str.h"

struct arena;

#define RUN_OUTPUT_BYTES	16384	/* of output; the rest is left out */
#define RUN_INPUT_BYTES		4096	/* of input: what a pipe always takes */
#define RUN_WORDS		16	/* of a command with its arguments */

struct run_result {
	int exit_status;	/* 128 + number, if a signal ended it */
	struct str output;	/* its standard output, in the arena */
};

/*
 * Run command, words with spaces between, followed by args as they are; input
 * is what it reads.  OK when it ended by itself within limit_ms, whatever its
 * exit status; UNAVAILABLE when it could not be started or took longer, and
 * then it and what it started were killed; INVALID for too many words or too
 * long an input.
 */
MUST_USE enum status run_program(struct arena *a, const char *command,
    const struct str_list *args, struct str input, int64_t limit_ms,
    struct run_result *out, struct err *err);

#endif
