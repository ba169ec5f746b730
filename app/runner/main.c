/* tilsit-runner: does what need not be done while somebody waits. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "index/program.h"
#include "io/log.h"
#include "runner/chores.h"

#define SECOND_US	((int64_t)1000000)

/*
 * The signals that end it arrive here, between two chores: those of whoever
 * runs us, and, in the process of the quick chores, the other's end.
 */
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
    const sigset_t *signals, bool slow)
{
	int64_t due_us[CHORES] = { 0 };	/* all at the start */

	do {
		for (size_t i = 0; i < CHORES; i++) {
			if (chores[i].is_slow != slow ||
			    clock_mono_us() < due_us[i])
				continue;
			run_chore(p, log, a, &chores[i]);
			due_us[i] = clock_mono_us() +
			    chores[i].every_s * SECOND_US;
		}
	} while (!told_to_stop(signals));
}

/*
 * Nothing is connected yet, so that each of the two makes its own.  They end
 * together: whoever runs us starts both again.
 */
static pid_t
split(void)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (child == 0 && (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 ||
	    getppid() != parent))
		_exit(EXIT_SERVICE);
	return child;
}

/* Is over when the child is; it ends what it is doing first. */
static int
join(pid_t child)
{
	int status;

	kill(child, SIGTERM);
	if (waitpid(child, &status, 0) == -1)
		return EXIT_SERVICE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SERVICE;
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
	pid_t child;
	int done;

	done = program_open(&p, argc, argv, &about);
	if (done >= 0)
		return done;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	child = split();
	arena = arena_new((size_t)p.config.request_memory_bytes);
	log = log_new(STR("tilsit-runner"), p.config.log_level);
	if (child == -1)
		log_say(&log, LEVEL_ERROR, "cannot make a second process");
	else
		run_chores(&p, &log, arena, &signals, child == 0);
	if (child == -1)
		done = EXIT_SERVICE;
	else
		done = child > 0 ? join(child) : EXIT_OK;
	arena_free(arena);
	program_close(&p);
	return done;
}
