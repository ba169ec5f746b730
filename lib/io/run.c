#include "io/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define TICK_NS		5000000		/* between two looks at a child */
#define READ_BYTES	4096

extern char **environ;

struct child {
	pid_t pid;
	int in, out;		/* our ends of its pipes; -1: closed */
	int64_t deadline_us;
};

/* The words of command, then args, as execve() wants them. */
static enum status
put_words(struct arena *a, const char *command, const struct str_list *args,
    char **argv, struct err *err)
{
	struct str rest = str_trim(str_c(command)), word;
	size_t n = 0;

	while (rest.n && n < RUN_WORDS) {
		str_cut(rest, ' ', &word, &rest);
		if (word.n)
			argv[n++] = str_z(a, word);
	}
	for (size_t i = 0; i < args->n && n < RUN_WORDS; i++)
		argv[n++] = str_z(a, args->at[i]);
	if (n == 0 || n == RUN_WORDS)
		return err_set(err, INVALID, "'%s' is no command, or has too "
		    "many words", command);
	argv[n] = NULL;
	return OK;
}

/*
 * In a group of its own, so that all of it can be ended; and with no signal
 * blocked, whatever we block.
 */
static int
spawn(char **argv, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none;
	int failed;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawnattr_init(&how);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setpgroup(&how, 0);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETPGROUP);
	failed = posix_spawnp(pid, argv[0], &files, &how, argv, environ);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	return failed;
}

static enum status
start(char **argv, struct child *child, struct err *err)
{
	int in[2], out[2], failed;

	if (pipe2(in, O_CLOEXEC) == -1)
		return err_errno(err, "cannot make a pipe");
	if (pipe2(out, O_CLOEXEC) == -1) {
		close(in[0]);
		close(in[1]);
		return err_errno(err, "cannot make a pipe");
	}
	failed = spawn(argv, in[0], out[1], &child->pid);
	close(in[0]);
	close(out[1]);
	child->in = in[1];
	child->out = out[0];
	if (!failed)
		return OK;
	close(in[1]);
	close(out[0]);
	errno = failed;
	return err_errno(err, "cannot run %s", argv[0]);
}

/* What fits a pipe is written at once; a child that reads none of it may. */
static void
give_input(struct child *child, struct str input)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;

	sigaction(SIGPIPE, &ignore, &before);
	if (input.n && write(child->in, input.p, input.n) == -1)
		errno = 0;	/* it ended first: its exit status tells */
	sigaction(SIGPIPE, &before, NULL);
	close(child->in);
}

/* Read until it closes its output; false when that takes too long. */
static bool
take_output(struct child *child, struct buf *output)
{
	struct pollfd fd = { .fd = child->out, .events = POLLIN };
	char bytes[READ_BYTES];

	for (;;) {
		int64_t left_us = child->deadline_us - clock_mono_us();
		ssize_t n;

		if (left_us <= 0)
			return false;
		if (poll(&fd, 1, (int)(left_us / 1000 + 1)) <= 0)
			continue;
		n = read(child->out, bytes, sizeof(bytes));
		if (n <= 0)
			return true;
		if (output->len + (size_t)n <= RUN_OUTPUT_BYTES)
			buf_put(output, (struct str){ bytes, (size_t)n });
	}
}

/* Wait for its end; false when that takes too long. */
static bool
await_end(struct child *child, int *ended)
{
	const struct timespec tick = { .tv_nsec = TICK_NS };

	for (;;) {
		pid_t done = waitpid(child->pid, ended, WNOHANG);

		if (done == child->pid)
			return true;
		if (done == -1 && errno != EINTR)
			return false;
		if (clock_mono_us() > child->deadline_us)
			return false;
		nanosleep(&tick, NULL);
	}
}

enum status
run_program(struct arena *a, const char *command,
    const struct str_list *args, struct str input, int64_t limit_ms,
    struct run_result *out, struct err *err)
{
	char *argv[RUN_WORDS + 1];
	struct buf output = buf_new(a);
	struct child child;
	bool in_time;
	int ended = 0;
	enum status st;

	if (input.n > RUN_INPUT_BYTES)
		return err_set(err, INVALID, "too long an input");
	st = put_words(a, command, args, argv, err);
	if (st == OK)
		st = start(argv, &child, err);
	if (st != OK)
		return st;
	child.deadline_us = clock_mono_us() + limit_ms * 1000;
	give_input(&child, input);
	in_time = take_output(&child, &output) && await_end(&child, &ended);
	close(child.out);
	if (!in_time) {
		kill(-child.pid, SIGKILL);
		waitpid(child.pid, &ended, 0);
		return err_set(err, UNAVAILABLE, "%s did not end within %lld "
		    "s", argv[0], (long long)(limit_ms / 1000));
	}
	out->exit_status = WIFEXITED(ended) ? WEXITSTATUS(ended) :
	    128 + WTERMSIG(ended);
	out->output = buf_view(&output);
	return OK;
}
