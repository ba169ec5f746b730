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
#define RETRY_S		((int64_t)5)	/* after a failure, at the least */

/*
 * The signals that end it arrive here, between two chores: those of whoever
 * runs us, and, in the process of the quick chores, another's end.
 */
static bool
told_to_stop(const sigset_t *signals)
{
	const struct timespec tick = { .tv_sec = 1 };

	return sigtimedwait(signals, NULL, &tick) > 0;
}

/* Seconds until it is due again. */
static int64_t
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
	return st != OK && chore->every_s < RETRY_S ? RETRY_S : chore->every_s;
}

static void
run_chores(struct program *p, const struct log *log, struct arena *a,
    const sigset_t *signals, int process)
{
	int64_t due_us[CHORES] = { 0 };	/* all at the start */
	int64_t pause_s;

	do {
		for (size_t i = 0; i < CHORES; i++) {
			if ((int)chores[i].process != process ||
			    clock_mono_us() < due_us[i])
				continue;
			pause_s = run_chore(p, log, a, &chores[i]);
			due_us[i] = clock_mono_us() + pause_s * SECOND_US;
		}
	} while (!told_to_stop(signals));
}

/*
 * Nothing is connected yet, so that each process makes its own.  They end
 * together: whoever runs us starts all of them again.  Gives which of them
 * this is, and in the first the others; -1 when one could not be made.
 */
static int
split(pid_t children[CHORE_PROCESSES])
{
	pid_t parent = getpid();

	for (int i = 1; i < CHORE_PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == -1)
			return -1;
		if (children[i] > 0)
			continue;
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 ||
		    getppid() != parent)
			_exit(EXIT_SERVICE);
		return i;
	}
	return 0;
}

/* Is over when the children are; they end what they are doing first. */
static int
join(const pid_t children[CHORE_PROCESSES])
{
	int done = EXIT_OK, status;

	for (int i = 1; i < CHORE_PROCESSES; i++)
		kill(children[i], SIGTERM);
	for (int i = 1; i < CHORE_PROCESSES; i++)
		if (waitpid(children[i], &status, 0) == -1 ||
		    !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_OK)
			done = EXIT_SERVICE;
	return done;
}

int
main(int argc, char **argv)
{
	const struct about about = {
		"tilsit-runner",
		"fetches files, writes snapshots, sweeps up, ends cache holds",
	};
	struct program p;
	struct arena *arena;
	struct log log;
	sigset_t signals;
	pid_t children[CHORE_PROCESSES];
	int process, done;

	done = program_open(&p, argc, argv, &about);
	if (done >= 0)
		return done;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	process = split(children);
	arena = arena_new((size_t)p.config.request_memory_bytes);
	log = log_new(STR("tilsit-runner"), p.config.log_level);
	if (process == -1)
		log_say(&log, LEVEL_ERROR, "cannot make another process");
	else
		run_chores(&p, &log, arena, &signals, process);
	done = process == -1 ? EXIT_SERVICE :
	    process > 0 ? EXIT_OK : join(children);
	arena_free(arena);
	program_close(&p);
	return done;
}
