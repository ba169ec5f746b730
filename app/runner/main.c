/* tilsit-runner: does what need not be done while somebody waits. */
#include <signal.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "index/program.h"
#include "io/log.h"
#include "runner/chores.h"

#define SECOND_US	((int64_t)1000000)

/* The signals that end it arrive here, between two chores. */
static bool
told_to_stop(const sigset_t *signals)
{
	const struct timespec tick = { .tv_sec = 1 };

	return sigtimedwait(signals, NULL, &tick) > 0;
}

static void
run_chore(struct program *p, const struct log *log, struct arena *a,
    const struct chore *chore)
{
	struct err err = { .text = "" };
	struct log_line line;
	int64_t done = 0;
	enum status st = chore->run(&p->index, a, &done, &err);

	if (st != OK) {
		log_say(log, LEVEL_WARNING, "%s: %s", chore->name, err.text);
	} else if (done) {
		line = log_line(log, LEVEL_INFO);
		log_str(&line, "chore", str_c(chore->name));
		log_int(&line, "done", done);
		log_end(log, &line);
	}
	arena_reset(a);
}

static void
run_chores(struct program *p, const struct log *log, struct arena *a,
    const sigset_t *signals)
{
	int64_t due_us[CHORES] = { 0 };	/* all at the start */

	do {
		for (size_t i = 0; i < CHORES; i++) {
			if (clock_mono_us() < due_us[i])
				continue;
			run_chore(p, log, a, &chores[i]);
			due_us[i] = clock_mono_us() +
			    chores[i].every_s * SECOND_US;
		}
	} while (!told_to_stop(signals));
}

int
main(int argc, char **argv)
{
	const struct about about = {
		"tilsit-runner",
		"sweeps up after uploads and changes, and ends cache holds",
	};
	struct program p;
	struct arena *arena;
	struct log log;
	sigset_t signals;
	int done;

	done = program_open(&p, argc, argv, &about);
	if (done >= 0)
		return done;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	arena = arena_new((size_t)p.config.request_memory_bytes);
	log = log_new(STR("tilsit-runner"), p.config.log_level);
	run_chores(&p, &log, arena, &signals);
	arena_free(arena);
	program_close(&p);
	return EXIT_OK;
}
