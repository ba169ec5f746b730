#include "io/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <fastcgi.h>
#include <fcgiapp.h>

#include "base/clock.h"
#include "base/panic.h"

#define BACKLOG		1024	/* connections; the kernel may allow fewer */
#define BATCH		16	/* events taken at once */
#define SMALL_BYTES	8192	/* libfcgi's own buffer */
#define RECORD_BYTES	65528	/* FastCGI allows 65,535; a multiple of 8 */
#define DISCARD_BYTES	65536	/* of an unread body, looked at in one go */
#define TICK_MS		50	/* while something has a deadline */
#define NEW_US		((int64_t)1000000)	/* for a first request: nginx
						 * sends it at once */
#define LINGER_US	((int64_t)5000000)	/* for nginx to take an answer
						 * that came before the end of
						 * its request, and to close */

enum state {
	CLOSED,		/* a slot without a connection */
	KEPT,		/* waits for a request, or serves one */
	LINGERING,	/* answered; takes the rest of a body, then goes */
};

/* One connection, and the request that is under way on it. */
struct fcgi_request {
	FCGX_Request lib;
	enum state state;
	bool at_end;		/* the body was read to its end */
	bool in_failed;		/* nginx went away, or sent nonsense */
	bool out_failed;	/* nginx does not take the answer */
	bool broken_off;	/* the answer has no end */
	bool last;		/* no other request may follow this one */
	bool is_new;		/* no request has come yet */
	int64_t until_us;	/* when LINGERING, or the time to be new, ends */
	struct fcgi_request *older, *newer;	/* by last use */
};

struct server {
	const struct fcgi_options *options;
	void (*serve)(void *app, struct fcgi_request *rq);
	void *app;
	int epoll;
	int signals;			/* a signalfd */
	struct fcgi_request *slots;	/* max_connections of them */
	struct fcgi_request ring;	/* between the newest and the oldest */
	int connections;		/* in the ring */
	int lingering;			/* of those */
	bool is_deaf;			/* does not watch the listening socket */
	int64_t requests_left;
	int64_t leave_us;		/* when idle ones go; 0: we stay */
};

static bool
is_leaving(const struct server *s)
{
	return s->leave_us != 0;
}

/* The ring of connections, oldest use first */

static void
ring_remove(struct fcgi_request *rq)
{
	rq->older->newer = rq->newer;
	rq->newer->older = rq->older;
}

static void
ring_add(struct server *s, struct fcgi_request *rq)
{
	rq->older = s->ring.older;
	rq->newer = &s->ring;
	rq->older->newer = rq;
	s->ring.older = rq;
}

static struct fcgi_request *
oldest(struct server *s)
{
	return s->ring.newer == &s->ring ? NULL : s->ring.newer;
}

/*
 * May we part with it?  Not while it is new: only a request that fails on a
 * kept connection is sent again by nginx.
 */
static bool
is_spare(const struct fcgi_request *rq, int64_t now)
{
	return !rq->is_new || now >= rq->until_us;
}

/* The connection to part with for a new one, or NULL. */
static struct fcgi_request *
spare(struct server *s)
{
	int64_t now = clock_mono_us();

	for (struct fcgi_request *rq = s->ring.newer; rq != &s->ring;
	    rq = rq->newer)
		if (is_spare(rq, now))
			return rq;
	return NULL;
}

/* The slot goes back; the descriptor is closed already. */
static void
forget(struct server *s, struct fcgi_request *rq)
{
	if (rq->state == LINGERING)
		s->lingering--;
	ring_remove(rq);
	rq->state = CLOSED;
	s->connections--;
}

static void
hang_up(struct server *s, struct fcgi_request *rq)
{
	close(rq->lib.ipcFd);	/* epoll forgets it by itself */
	forget(s, rq);
}

/* Writing records of our own */

static FCGI_Header
record_header(const struct fcgi_request *rq, int type, size_t n)
{
	return (FCGI_Header){
		.version = FCGI_VERSION_1,
		.type = (unsigned char)type,
		.requestIdB1 = (unsigned char)(rq->lib.requestId >> 8),
		.requestIdB0 = (unsigned char)rq->lib.requestId,
		.contentLengthB1 = (unsigned char)(n >> 8),
		.contentLengthB0 = (unsigned char)n,
	};
}

/* Write all of two pieces; false when the connection does not take them. */
static bool
write_both(struct fcgi_request *rq, struct str head, struct str body)
{
	while (head.n + body.n > 0) {
		struct iovec part[2] = {
			{ (char *)(uintptr_t)head.p, head.n },
			{ (char *)(uintptr_t)body.p, body.n },
		};
		ssize_t wrote = writev(rq->lib.ipcFd, part, 2);
		size_t n = wrote > 0 ? (size_t)wrote : 0;
		size_t of_head = n < head.n ? n : head.n;

		if (wrote <= 0) {
			rq->out_failed = true;
			return false;
		}
		head = str_sub(head, of_head, head.n);
		body = str_sub(body, n - of_head, body.n);
	}
	return true;
}

/*
 * End the answer so that nginx gives the connection up.  The record behind
 * FCGI_END_REQUEST must be in the same read of nginx, hence one write.
 */
static void
end_and_part(struct fcgi_request *rq)
{
	struct {
		FCGI_Header end_of_stdout;
		FCGI_EndRequestRecord end;
		FCGI_UnknownTypeRecord part;
	} bytes = {
		.end_of_stdout = record_header(rq, FCGI_STDOUT, 0),
		.end.header = record_header(rq, FCGI_END_REQUEST,
		    sizeof(FCGI_EndRequestBody)),
		.end.body.protocolStatus = FCGI_REQUEST_COMPLETE,
		.part.header.version = FCGI_VERSION_1,
		.part.header.type = FCGI_UNKNOWN_TYPE,
		.part.header.contentLengthB0 = sizeof(FCGI_UnknownTypeBody),
	};

	if (FCGX_FFlush(rq->lib.out) == 0)
		(void)write_both(rq, STR(""),
		    (struct str){ (const char *)&bytes, sizeof(bytes) });
}

/* The request as a handler sees it */

const char *const *
fcgi_env(const struct fcgi_request *rq)
{
	return (const char *const *)rq->lib.envp;
}

long
fcgi_read(struct fcgi_request *rq, void *bytes, size_t n)
{
	int want = n > INT_MAX ? INT_MAX : (int)n;
	int got = 0;

	if (!rq->at_end)
		got = FCGX_GetStr(bytes, want, rq->lib.in);
	if (FCGX_GetError(rq->lib.in) != 0) {
		rq->in_failed = true;
		return -1;
	}
	if (got < want)
		rq->at_end = true;
	return got;
}

static enum status
write_records(struct fcgi_request *rq, struct str bytes)
{
	if (FCGX_FFlush(rq->lib.out) != 0)
		return UNAVAILABLE;
	while (bytes.n > 0) {
		struct str body = str_sub(bytes, 0, RECORD_BYTES);
		FCGI_Header head = record_header(rq, FCGI_STDOUT, body.n);

		if (!write_both(rq, (struct str){ (const char *)&head,
		    sizeof(head) }, body))
			return UNAVAILABLE;
		bytes = str_sub(bytes, body.n, bytes.n);
	}
	return OK;
}

enum status
fcgi_write(struct fcgi_request *rq, struct str bytes)
{
	enum status st = OK;

	if (rq->out_failed)
		return UNAVAILABLE;
	/* FCGX_CreateWriter() with a larger buffer leaks and copies. */
	if (bytes.n > SMALL_BYTES)
		st = write_records(rq, bytes);
	else if (bytes.n > 0 &&
	    FCGX_PutStr(bytes.p, (int)bytes.n, rq->lib.out) == -1)
		st = UNAVAILABLE;
	if (st != OK)
		rq->out_failed = true;
	return st;
}

void
fcgi_break_off(struct fcgi_request *rq)
{
	rq->broken_off = true;
}

/* One request from beginning to end */

/*
 * May more of the request be on its way than what nginx sends in one go?
 * A length need not be given: a body may be chunked.
 */
static bool
has_body(const struct fcgi_request *rq)
{
	struct str length = str_c(FCGX_GetParam("CONTENT_LENGTH",
	    rq->lib.envp));
	struct str method = str_c(FCGX_GetParam("REQUEST_METHOD",
	    rq->lib.envp));

	if (length.n > 0)
		return !str_eq(length, STR("0"));
	return !str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD"));
}

/*
 * Take what is left of the request, as far as it has arrived; true if that
 * was all.  The connection can be kept only then: libfcgi would drop what it
 * holds in its buffer and leave the rest for the next request to stumble on.
 */
static bool
discard_rest(struct fcgi_request *rq)
{
	bool wait = !has_body(rq);
	char bytes[4096];
	size_t left = DISCARD_BYTES;
	int fd = rq->lib.ipcFd;
	int n;

	if (rq->at_end)
		return true;
	if (!wait && fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		return false;
	do {
		n = FCGX_GetStr(bytes, sizeof(bytes), rq->lib.in);
		left -= (size_t)n;
	} while (n == sizeof(bytes) && left > 0);
	if (!wait && fcntl(fd, F_SETFL, 0) == -1)
		return false;
	return FCGX_HasSeenEOF(rq->lib.in) && !FCGX_GetError(rq->lib.in);
}

/* Close once nginx has: it may still be writing, and would take our closing
 * for a failure before it reads the answer. */
static void
linger(struct server *s, struct fcgi_request *rq)
{
	rq->state = LINGERING;
	rq->until_us = clock_mono_us() + LINGER_US;
	s->lingering++;
}

static void
finish(struct server *s, struct fcgi_request *rq, bool keep)
{
	bool failed = rq->in_failed || rq->out_failed;
	bool whole;

	if (rq->broken_off) {
		FCGX_Free(&rq->lib, 0);
		hang_up(s, rq);
		return;
	}
	whole = !failed && discard_rest(rq);

	/* nginx may have sent a whole body that we have not read: it too must
	 * be told to give the connection up. */
	if (keep && whole) {
		FCGX_FClose(rq->lib.err);
		FCGX_FClose(rq->lib.out);
	} else {
		end_and_part(rq);
	}
	if (rq->out_failed || FCGX_GetError(rq->lib.out) != 0)
		failed = true;
	FCGX_Free(&rq->lib, 0);
	if (failed || (whole && !keep))
		hang_up(s, rq);
	else if (!whole)
		linger(s, rq);
}

static enum status
listen_on(struct server *s, struct err *err)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE,
	    .data.ptr = s };

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->options->listen_fd,
	    &ev) == -1)
		return err_errno(err, "cannot watch descriptor %d",
		    s->options->listen_fd);
	s->is_deaf = false;
	return OK;
}

/* Look away from the listening socket, for other workers to see to it. */
static void
listen_off(struct server *s)
{
	if (!s->is_deaf)
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->options->listen_fd, NULL);
	s->is_deaf = true;
}

static void
leave(struct server *s, int64_t wait_ms)
{
	int64_t when = clock_mono_us() + wait_ms * 1000;

	listen_off(s);
	if (!is_leaving(s) || when < s->leave_us)
		s->leave_us = when;
}

static void
serve_one(struct server *s, struct fcgi_request *rq)
{
	bool keep;

	/* On its own errors libfcgi must neither close the connection with a
	 * blocking farewell (detached) nor accept another (listen_sock -1). */
	rq->lib.keepConnection = 1;
	rq->lib.detached = 1;
	rq->at_end = rq->in_failed = rq->out_failed = rq->broken_off = false;
	if (FCGX_Accept_r(&rq->lib) != 0) {
		forget(s, rq);
		return;
	}
	/* It takes parameters that ended in an error for complete ones. */
	if (FCGX_GetError(rq->lib.in) != 0) {
		FCGX_Free(&rq->lib, 0);
		hang_up(s, rq);
		return;
	}
	rq->is_new = false;
	keep = rq->lib.keepConnection;
	ring_remove(rq);
	ring_add(s, rq);
	s->serve(s->app, rq);
	if (--s->requests_left <= 0)
		leave(s, s->options->drain_ms);
	finish(s, rq, keep && !rq->last && !is_leaving(s));
}

/* Connections come and go */

/*
 * Close a connection that seems idle.  nginx may be about to use it: what
 * arrived before we shut our side is a request, and is answered.
 */
static void
part_with(struct server *s, struct fcgi_request *rq)
{
	char c;

	shutdown(rq->lib.ipcFd, SHUT_RD);
	if (recv(rq->lib.ipcFd, &c, 1, MSG_PEEK | MSG_DONTWAIT) != 1) {
		hang_up(s, rq);
		return;
	}
	rq->last = true;
	serve_one(s, rq);
	if (rq->state != CLOSED)
		hang_up(s, rq);
}

static void
take_leftover(struct server *s, struct fcgi_request *rq)
{
	char bytes[DISCARD_BYTES];
	ssize_t n = recv(rq->lib.ipcFd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n == 0 || (n == -1 && errno != EAGAIN))
		hang_up(s, rq);
}

static void
on_connection(struct server *s, struct fcgi_request *rq, uint32_t events)
{
	if (rq->state == LINGERING)
		take_leftover(s, rq);
	else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		hang_up(s, rq);
	else
		serve_one(s, rq);
}

static bool
set_timeouts(int fd, int64_t ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) == 0;
}

static void
add_connection(struct server *s, int fd)
{
	struct fcgi_request *rq = s->slots;
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP };

	while (rq->state != CLOSED)
		rq++;
	ev.data.ptr = rq;
	if (!set_timeouts(fd, s->options->io_timeout_ms) ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) == -1) {
		close(fd);
		return;
	}
	FCGX_InitRequest(&rq->lib, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	rq->lib.ipcFd = fd;
	rq->state = KEPT;
	rq->last = false;
	rq->is_new = true;
	rq->until_us = clock_mono_us() + NEW_US;
	ring_add(s, rq);
	s->connections++;
}

static bool
has_room(struct server *s)
{
	return s->connections < s->options->max_connections || spare(s);
}

static void
make_room(struct server *s)
{
	struct fcgi_request *rq = spare(s);

	if (rq)
		part_with(s, rq);
	else
		listen_off(s);
}

/* Take one connection, and leave the next to a worker that has less to do. */
static enum status
accept_one(struct server *s, struct err *err)
{
	int fd;

	if (s->connections == s->options->max_connections) {
		make_room(s);
		return OK;
	}
	fd = accept4(s->options->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd != -1) {
		add_connection(s, fd);
		return OK;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		make_room(s);
		return OK;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return err_errno(err, "cannot accept on descriptor %d",
		    s->options->listen_fd);
	default:	/* another worker was faster, or the peer gave up */
		return OK;
	}
}

/* Close what has lingered long enough and, when we leave, what is idle. */
static void
sweep(struct server *s)
{
	struct fcgi_request *rq, *newer;
	int64_t now;

	if (!s->lingering && !is_leaving(s))
		return;
	now = clock_mono_us();
	/* What a request served by part_with() moves or removes is only rq. */
	for (rq = s->ring.newer; rq != &s->ring; rq = newer) {
		newer = rq->newer;
		if (rq->state == LINGERING && now >= rq->until_us)
			hang_up(s, rq);
		else if (rq->state == KEPT && is_leaving(s) &&
		    now >= s->leave_us && is_spare(rq, now))
			part_with(s, rq);
	}
}

/* Read it, or it would strike when the mask is restored. */
static void
take_signal(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) > 0)
		leave(s, 0);
}

static enum status
take_events(struct server *s, const struct epoll_event *ev, int n,
    struct err *err)
{
	bool knock = false;

	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr == &s->signals)
			take_signal(s);
		else if (ev[i].data.ptr == s)
			knock = true;
		else
			on_connection(s, ev[i].data.ptr, ev[i].events);
	}
	/* Last, so that no slot changes hands while its event waits. */
	if (knock && !is_leaving(s))
		return accept_one(s, err);
	return OK;
}

static enum status
run(struct server *s, struct err *err)
{
	struct epoll_event ev[BATCH];
	enum status st = OK;

	while (st == OK && (!is_leaving(s) || s->connections > 0)) {
		int wait_ms = s->lingering || s->is_deaf ? TICK_MS : -1;
		int n = epoll_wait(s->epoll, ev, BATCH, wait_ms);

		if (n == -1 && errno != EINTR)
			return err_errno(err, "cannot wait for requests");
		if (s->is_deaf && !is_leaving(s) && has_room(s))
			st = listen_on(s, err);
		if (st == OK)
			st = take_events(s, ev, n, err);
		sweep(s);
	}
	return st;
}

/* Beginning and end */

static int64_t
with_jitter(int64_t max_requests)
{
	uint32_t chance = 0;

	if (max_requests <= 0)
		return INT64_MAX;
	if (getrandom(&chance, sizeof(chance), 0) == -1)
		chance = (uint32_t)getpid();
	return max_requests + chance % (max_requests / 4 + 1);
}

static enum status
set_up(struct server *s, const sigset_t *signals, struct err *err)
{
	int fd = s->options->listen_fd;
	int flags = fcntl(fd, F_GETFL);
	struct epoll_event ev = { .events = EPOLLIN,
	    .data.ptr = &s->signals };

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return err_errno(err, "cannot use descriptor %d", fd);
	s->slots = calloc((size_t)s->options->max_connections,
	    sizeof(*s->slots));
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!s->slots || s->epoll == -1)
		return err_errno(err, "cannot begin");
	s->signals = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals == -1 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->signals, &ev) == -1)
		return err_errno(err, "cannot watch for signals");
	return listen_on(s, err);
}

static void
tear_down(struct server *s)
{
	while (oldest(s))
		hang_up(s, oldest(s));
	if (s->signals != -1)
		close(s->signals);
	if (s->epoll != -1)
		close(s->epoll);
	free(s->slots);
}

enum status
fcgi_serve(const struct fcgi_options *options,
    void (*serve)(void *app, struct fcgi_request *rq), void *app,
    struct err *err)
{
	struct server s = {
		.options = options, .serve = serve, .app = app,
		.epoll = -1, .signals = -1,
		.requests_left = with_jitter(options->max_requests),
	};
	sigset_t ours, before;
	enum status st;

	if (options->max_connections < 1)
		panic("max_connections is %d", options->max_connections);
	s.ring.older = s.ring.newer = &s.ring;
	if (FCGX_Init() != 0)
		return err_set(err, UNAVAILABLE, "cannot start libfcgi");
	/* FCGX_Init() has handlers of its own for these; blocked, they never
	 * run, nothing is interrupted, and the signals wait in s.signals. */
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGUSR1);
	sigprocmask(SIG_BLOCK, &ours, &before);
	signal(SIGPIPE, SIG_IGN);
	st = set_up(&s, &ours, err);
	if (st == OK)
		st = run(&s, err);
	tear_down(&s);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return st;
}

bool
fcgi_is_ending(void)
{
	sigset_t waiting;

	return sigpending(&waiting) == 0 &&
	    (sigismember(&waiting, SIGTERM) == 1 ||
	    sigismember(&waiting, SIGINT) == 1 ||
	    sigismember(&waiting, SIGHUP) == 1 ||
	    sigismember(&waiting, SIGUSR1) == 1);
}

/* Sockets for supervisors */

/* Remove a socket that nobody listens on any more. */
static void
remove_stale(const char *path, const struct sockaddr_un *address)
{
	struct stat sb;
	int fd;

	if (lstat(path, &sb) == -1 || !S_ISSOCK(sb.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return;
	if (connect(fd, (const struct sockaddr *)address,
	    sizeof(*address)) == -1 && errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

enum status
fcgi_listen(const char *path, int *fd, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	enum status st;
	int made;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, UNAVAILABLE, "%s: longer than the %zu "
		    "bytes a socket may have", path,
		    sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	remove_stale(path, &address);
	made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (made == -1)
		return err_errno(err, "cannot make a socket");
	if (bind(made, (const struct sockaddr *)&address,
	    sizeof(address)) == -1 || listen(made, BACKLOG) == -1) {
		st = err_errno(err, "cannot listen on %s", path);
		close(made);
		return st;
	}
	*fd = made;
	return OK;
}
