/* tilsit-watch: leaves a replica that is away, and joins one that is back. */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "index/pair.h"
#include "index/program.h"
#include "index/watch.h"
#include "io/log.h"

/* The signals that end it arrive here, between two steps. */
static bool
told_to_stop(const sigset_t *signals, int64_t s)
{
	const struct timespec tick = { .tv_sec = (time_t)s };

	return sigtimedwait(signals, NULL, &tick) > 0;
}

/* What is wrong stays so for many steps: say it when it changes. */
static void
step(struct watch *w, const struct log *log, struct arena *a, struct err *said)
{
	struct err err = { .text = "" };
	const char *did;

	if (watch_step(w, a, &did, &err) == OK)
		err.text[0] = '\0';
	else if (strcmp(err.text, said->text) != 0)
		log_say(log, LEVEL_WARNING, "%s", err.text);
	if (*did)
		log_say(log, LEVEL_WARNING, "%s", did);
	*said = err;
	arena_reset(a);
}

static void
watch(struct pair *pair, const struct log *log, struct arena *a,
    const sigset_t *signals)
{
	struct watch w = watch_new(pair);
	struct err said = { .text = "" };

	do
		step(&w, log, a, &said);
	while (!told_to_stop(signals, 1));
}

int
main(int argc, char **argv)
{
	const struct about about = {
		"tilsit-watch",
		"leaves a replica that is away, and joins one that is back",
	};
	struct err err = { .text = "" };
	struct program p;
	struct pair pair;
	struct arena *a;
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
	a = arena_new((size_t)p.config.request_memory_bytes);
	log = log_new(STR("tilsit-watch"), p.config.log_level);
	if (pair_open(&p.config, "tilsit-watch", &pair, &err) == OK) {
		watch(&pair, &log, a, &signals);
		pair_close(&pair);
	} else {
		/* One machine alone: the unit may run, and has nothing to do. */
		log_say(&log, LEVEL_INFO, "%s", err.text);
		while (!told_to_stop(&signals, 3600))
			;
	}
	arena_free(a);
	program_close(&p);
	return EXIT_OK;
}
