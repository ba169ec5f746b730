/*
 * load: send ready-made HTTP requests over kept connections, and say how fast
 * they were answered.
 *
 *	load PORT CONNECTIONS FILE
 *
 * FILE holds the requests one after the other, each behind its length as eight
 * decimal digits.  Whichever connection is free takes the next.  Prints one
 * line: answers, seconds, answers a second, then the median, the 99th of a
 * hundred and the slowest in milliseconds, and how many were no 2xx or 304.
 * One process and one epoll, so that it takes little of the machine that it
 * measures.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define LENGTH_DIGITS	8
#define HEAD_BYTES	((size_t)16384)	/* the longest head we understand */
#define CONNECTIONS_MAX	1024
#define EVENTS		64

struct connection {
	int fd;
	struct str request;	/* what is left of it to send */
	struct str whole;	/* all of it, to send again; empty: idle */
	size_t answered;	/* requests that this connection was used for */
	int64_t began_us;
	char head[HEAD_BYTES];
	size_t head_n;
	int64_t body_left;	/* -1: in the head */
	int code;
};

struct load {
	struct sockaddr_in address;
	int epoll;
	struct str rest;	/* requests not yet taken */
	size_t under_way;
	int64_t *took_us;
	size_t n;
	size_t bad;
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static struct str
map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat sb;
	char *bytes;

	if (fd == -1 || fstat(fd, &sb) == -1)
		die(path);
	bytes = mmap(NULL, (size_t)sb.st_size, PROT_READ,
	    MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (bytes == MAP_FAILED)
		die(path);
	close(fd);
	return (struct str){ bytes, (size_t)sb.st_size };
}

/* The request at the front of *rest; false at the end. */
static bool
take_request(struct str *rest, struct str *out)
{
	int64_t n;

	if (rest->n == 0)
		return false;
	if (str_int64(str_sub(*rest, 0, LENGTH_DIGITS), 1,
	    (int64_t)rest->n - LENGTH_DIGITS, &n) != OK) {
		fprintf(stderr, "load: no length where one should be\n");
		exit(1);
	}
	*out = str_sub(*rest, LENGTH_DIGITS, LENGTH_DIGITS + (size_t)n);
	*rest = str_sub(*rest, LENGTH_DIGITS + (size_t)n, rest->n);
	return true;
}

static size_t
count_requests(struct str all)
{
	struct str one;
	size_t n = 0;

	while (take_request(&all, &one))
		n++;
	return n;
}

static void
open_connection(struct load *l, struct connection *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int yes = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1 || connect(c->fd, (struct sockaddr *)&l->address,
	    sizeof(l->address)) == -1)
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1 ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		die("epoll");
	c->answered = 0;
}

static void
watch_for(struct load *l, struct connection *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &ev) == -1)
		die("epoll");
}

static void
send_more(struct load *l, struct connection *c)
{
	bool waited = c->request.n < c->whole.n;

	while (c->request.n > 0) {
		ssize_t n = send(c->fd, c->request.p, c->request.n,
		    MSG_NOSIGNAL);

		if (n == -1 && errno == EAGAIN) {
			watch_for(l, c, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n == -1)
			return;		/* the answer, or its lack, tells */
		c->request = str_sub(c->request, (size_t)n, c->request.n);
	}
	if (waited)
		watch_for(l, c, EPOLLIN);
}

static void
start(struct load *l, struct connection *c)
{
	c->request = c->whole;
	c->head_n = 0;
	c->body_left = -1;
	send_more(l, c);
}

static void
next_request(struct load *l, struct connection *c)
{
	if (!take_request(&l->rest, &c->whole)) {
		c->whole = STR("");
		return;
	}
	l->under_way++;
	c->began_us = clock_mono_us();
	start(l, c);
}

/* The server closed: it may, between two answers; then we ask again. */
static void
reconnect(struct load *l, struct connection *c)
{
	close(c->fd);
	if (c->whole.n == 0)
		return;		/* it had nothing left to do */
	if (c->answered == 0) {
		fprintf(stderr, "load: closed without an answer\n");
		exit(1);
	}
	open_connection(l, c);
	start(l, c);
}

static void
finish(struct load *l, struct connection *c)
{
	l->took_us[l->n++] = clock_mono_us() - c->began_us;
	l->bad += !(c->code / 100 == 2 || c->code == 304);
	l->under_way--;
	c->answered++;
	next_request(l, c);
}

/* Length of the body as the head has it; none is none (304). */
static int64_t
body_length(struct str head)
{
	struct str line;
	int64_t n = 0;

	while (str_cut(head, '\n', &line, &head))
		if (str_starts(line, STR("Content-Length: ")) &&
		    str_int64(str_trim(str_sub(line, 16, line.n)), 0,
		    INT64_MAX, &n) != OK)
			return 0;
	return n;
}

/* Where the head ends, or 0. */
static size_t
head_end(const struct connection *c)
{
	const char *end = memmem(c->head, c->head_n, "\r\n\r\n", 4);

	return end ? (size_t)(end - c->head) + 4 : 0;
}

static void
receive(struct load *l, struct connection *c)
{
	static char bytes[1 << 16];
	bool in_head = c->body_left == -1;
	ssize_t n = recv(c->fd, in_head ? c->head + c->head_n : bytes,
	    in_head ? HEAD_BYTES - c->head_n : sizeof(bytes), 0);
	size_t end;

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		reconnect(l, c);
		return;
	}
	if (in_head) {
		c->head_n += (size_t)n;
		end = head_end(c);
		if (end == 0)
			return;
		c->code = (int)strtol(c->head + sizeof("HTTP/1.1"), NULL, 10);
		c->body_left = body_length((struct str){ c->head, end }) -
		    (int64_t)(c->head_n - end);
	} else {
		c->body_left -= n;
	}
	if (c->body_left <= 0)
		finish(l, c);
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
report(struct load *l, int64_t us)
{
	double s = (double)us / 1e6;

	qsort(l->took_us, l->n, sizeof(*l->took_us), by_time);
	printf("%zu %.3f %.0f %.3f %.3f %.3f %zu\n", l->n, s,
	    (double)l->n / s, (double)l->took_us[l->n / 2] / 1e3,
	    (double)l->took_us[l->n * 99 / 100] / 1e3,
	    (double)l->took_us[l->n - 1] / 1e3, l->bad);
}

static void
run(struct load *l, struct connection *connections, long n)
{
	struct epoll_event events[EVENTS];

	for (long i = 0; i < n; i++)
		next_request(l, &connections[i]);
	while (l->under_way > 0) {
		int ready = epoll_wait(l->epoll, events, EVENTS, -1);

		for (int i = 0; i < ready; i++) {
			struct connection *c = events[i].data.ptr;

			if (events[i].events & EPOLLOUT)
				send_more(l, c);
			if (events[i].events & ~(uint32_t)EPOLLOUT)
				receive(l, c);
		}
	}
}

int
main(int argc, char **argv)
{
	struct load l = { .address.sin_family = AF_INET };
	struct connection *connections;
	int64_t began_us;
	long n;

	if (argc != 4) {
		fprintf(stderr, "usage: load PORT CONNECTIONS FILE\n");
		return 2;
	}
	l.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l.address.sin_port = htons((uint16_t)strtol(argv[1], NULL, 10));
	n = strtol(argv[2], NULL, 10);
	l.rest = map_file(argv[3]);
	l.took_us = calloc(count_requests(l.rest), sizeof(*l.took_us));
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (n < 1 || n > CONNECTIONS_MAX || !l.took_us || l.epoll == -1)
		die("load");
	connections = calloc((size_t)n, sizeof(*connections));
	if (!connections)
		die("load");
	for (long i = 0; i < n; i++)
		open_connection(&l, &connections[i]);
	began_us = clock_mono_us();
	run(&l, connections, n);
	report(&l, clock_mono_us() - began_us);
	free(connections);
	free(l.took_us);
	return 0;
}
