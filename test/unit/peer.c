/* Unit tests of lib/io/peer, against a peer that does as it is told. */
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/config.h"
#include "io/peer.h"
#include "io/secret.h"
#include "io/store.h"

#define OK_TEXT "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nnode\n"

#define PATIENT_MS	20000	/* of a peer that will answer */
#define SHORT_MS	200	/* of one that will not */
#define SLOW_MS		1000	/* of one that takes its time */

static struct config config = {
	.node = "a", .peer_node = "b", .peer_secret = "s3cret",
	.peer_timeout_ms = PATIENT_MS, .upload_limit_bytes = 1 << 20,
};
static struct err err;
static struct peer_answer answer;
static pid_t child;

static int
listening(struct arena *a)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&at, n) == -1 ||
	    listen(fd, 8) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &n) == -1)
		exit(1);
	config.peer_url = str_fmt(a, "http://127.0.0.1:%d",
	    ntohs(at.sin_port)).p;
	return fd;
}

/* Read a request's head, and n bytes behind it; what came of both. */
static struct str
read_request(struct arena *a, int fd, size_t n)
{
	struct buf b = buf_new(a);

	for (;;) {
		size_t end = str_find_str(buf_view(&b), STR("\r\n\r\n"), 0);
		ssize_t got;

		if (end < b.len && b.len >= end + 4 + n)
			return buf_view(&b);
		got = read(fd, buf_room(&b, 65536), 65536);
		if (got <= 0)
			return STR("");
		buf_wrote(&b, (size_t)got);
	}
}

static void
say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) == -1)
		_exit(1);
}

/* A peer that serves connections by each(), one after the other. */
static struct peer *
peer_that(struct arena *a, void (*each)(struct arena *a, int fd))
{
	int fd = listening(a);

	fflush(stdout);
	child = fork();
	if (child == 0) {
		for (;;)
			each(a, accept(fd, NULL, NULL));
	}
	close(fd);
	return peer_new(&config);
}

static void
end(struct peer *p)
{
	peer_free(p);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static enum status
get(struct peer *p, struct arena *a, const char *path)
{
	const struct peer_limits limits = PEER_SMALL;

	return peer_request(p, a, "GET", str_c(path), STR(""), &limits,
	    &answer, &err);
}

static void
answers_twice(struct arena *a, int fd)
{
	struct str head = read_request(a, fd, 0);

	if (!str_starts(head, STR("GET /-/peer/ HTTP/1.1\r\n")) ||
	    str_find_str(head, STR("\r\nAuthorization: Bearer s3cret\r\n"),
	    0) == head.n)
		say(fd, "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
	say(fd, OK_TEXT);
	read_request(a, fd, 0);
	say(fd, "HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\nno such\n.");
	close(fd);
}

static void
test_a_request_shows_the_secret_and_keeps_the_connection(struct arena *a)
{
	struct peer *p = peer_that(a, answers_twice);

	is_int(get(p, a, "/-/peer/"), OK);
	is_int(answer.end, PEER_ANSWERED);
	is_int(answer.code, 200);
	is_str(answer.body, STR("node\n"));
	is_int(get(p, a, "/-/peer/x"), NOT_FOUND);
	is_int(answer.end, PEER_ANSWERED);
	is_str(answer.body, STR("no such"));
	is_str(str_c(err.text), STR("the other machine: no such"));
	is_int(get(p, a, "/-/peer/"), OK);	/* it had been closed */
	end(p);
}

static void
test_no_peer_is_no_error_of_ours(struct arena *a)
{
	struct config alone = config;

	alone.peer_url = "";
	ok(peer_new(&alone) == NULL);
	alone.peer_url = "http://127.0.0.1:1";
	alone.peer_node = "";
	ok(peer_new(&alone) == NULL);
	is_int(get(NULL, a, "/"), UNAVAILABLE);
	is_int(answer.end, PEER_NONE);
	peer_free(NULL);
}

static void
test_one_that_is_away_refuses_and_rests(struct arena *a)
{
	struct peer *p;

	config.peer_timeout_ms = SLOW_MS;
	close(listening(a));
	p = peer_new(&config);
	is_int(get(p, a, "/"), UNAVAILABLE);
	is_int(answer.end, PEER_REFUSED);
	is_int(answer.code, 0);
	is_int(get(p, a, "/"), UNAVAILABLE);
	is_int(answer.end, PEER_RESTING);
	do
		is_int(get(p, a, "/"), UNAVAILABLE);
	while (answer.end == PEER_RESTING && usleep(20000) == 0);
	is_int(answer.end, PEER_REFUSED);
	peer_free(p);
	config.peer_timeout_ms = PATIENT_MS;
}

static void
stands_still(struct arena *a, int fd)
{
	(void)a;
	(void)fd;
	pause();
}

static void
test_one_that_stands_still_is_timed_out(struct arena *a)
{
	struct peer *p = peer_that(a, stands_still);

	config.peer_timeout_ms = SLOW_MS;
	is_int(get(p, a, "/"), UNAVAILABLE);
	is_int(answer.end, PEER_TIMED_OUT);
	config.peer_timeout_ms = PATIENT_MS;
	is_int(get(p, a, "/"), UNAVAILABLE);
	is_int(answer.end, PEER_RESTING);
	end(p);
}

static void
breaks_off(struct arena *a, int fd)
{
	read_request(a, fd, 0);
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	close(fd);
}

static void
test_half_an_answer_is_none(struct arena *a)
{
	struct peer *p = peer_that(a, breaks_off);

	is_int(get(p, a, "/"), UNAVAILABLE);
	is_int(answer.end, PEER_BROKEN);
	end(p);
}

static void
speaks_on(struct arena *a, int fd)
{
	char line[1024];

	read_request(a, fd, 0);
	memset(line, 'x', sizeof(line));
	say(fd, "HTTP/1.1 200 OK\r\n\r\n");
	while (write(fd, line, sizeof(line)) > 0)
		continue;
	close(fd);
}

static void
test_an_answer_that_does_not_end_is_given_up(struct arena *a)
{
	struct peer *p = peer_that(a, speaks_on);

	signal(SIGPIPE, SIG_IGN);
	is_int(get(p, a, "/"), UNAVAILABLE);
	is_int(answer.end, PEER_BROKEN);
	end(p);
}

static void
fails(struct arena *a, int fd)
{
	read_request(a, fd, 0);
	say(fd, "HTTP/1.1 503 No\r\nContent-Length: 13\r\n\r\nno disk left\n");
	read_request(a, fd, 0);
	say(fd, "HTTP/1.1 302 No\r\nLocation: http://127.0.0.1:1/\r\n"
	    "Content-Length: 0\r\n\r\n");
	close(fd);
}

static void
test_one_that_fails_says_why_and_is_asked_again(struct arena *a)
{
	struct peer *p = peer_that(a, fails);

	is_int(get(p, a, "/"), UNAVAILABLE);
	is_int(answer.end, PEER_ANSWERED);
	is_str(str_c(err.text), STR("the other machine answers 503: "
	    "no disk left"));
	is_int(get(p, a, "/"), UNAVAILABLE);	/* and leads nowhere else */
	is_int(answer.code, 302);
	end(p);
}

static int
file_of(size_t bytes)
{
	char name[] = "/tmp/tilsit-peer-XXXXXX";
	int fd = mkstemp(name);

	if (fd == -1 || unlink(name) == -1 ||
	    ftruncate(fd, (off_t)bytes) == -1)
		exit(1);
	return fd;
}

static enum status
put(struct peer *p, struct arena *a, int fd, int64_t total_ms)
{
	static const unsigned char digest[32] = { 0xab, 0xcd, 0xef };
	const struct peer_put what = {
		.blake2b_256 = digest, .filename = STR("a b+1.whl"),
		.fd = fd, .metadata = STR("Name: x\n"), .total_ms = total_ms,
	};

	return peer_put_file(p, a, &what, &answer, &err);
}

static void
takes_a_file(struct arena *a, int fd)
{
	struct str all = read_request(a, fd, 100000 + 8);

	if (str_starts(all, STR("PUT /-/peer/packages/ab/cd/ef00000000000000"
	    "00000000000000000000000000000000000000000000/a%20b%2B1.whl"
	    "?size=100000&mtime=")) && str_ends(all, STR("Name: x\n")) &&
	    str_find_str(all, STR("\r\nContent-Length: 100008\r\n"), 0) <
	    all.n)
		say(fd, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
	close(fd);
}

static void
test_a_file_goes_with_its_metadata_behind_it(struct arena *a)
{
	struct peer *p = peer_that(a, takes_a_file);
	int fd = file_of(100000);

	is_int(put(p, a, fd, 0), OK);
	is_int(answer.code, 201);
	close(fd);
	end(p);
}

/* All of it takes longer than SLOW_MS, no piece of it by far. */
static void
takes_its_time(struct arena *a, int fd)
{
	char piece[65536];
	size_t left = 2000008;

	read_request(a, fd, 0);
	while (left > 65536) {
		ssize_t got = read(fd, piece, sizeof(piece));

		if (got <= 0)
			break;
		left -= (size_t)got < left ? (size_t)got : left;
		usleep(50000);
	}
	say(fd, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
	pause();
}

static void
test_slow_is_not_away_but_may_be_too_slow(struct arena *a)
{
	struct peer *p = peer_that(a, takes_its_time);
	int fd = file_of(2000000);

	config.peer_timeout_ms = SLOW_MS;
	is_int(put(p, a, fd, 0), OK);
	end(p);
	p = peer_that(a, takes_its_time);
	is_int(put(p, a, fd, 50), UNAVAILABLE);
	is_int(answer.end, PEER_TIMED_OUT);
	is_int(get(p, a, "/"), UNAVAILABLE);
	ok(answer.end != PEER_RESTING);
	config.peer_timeout_ms = PATIENT_MS;
	end(p);
	close(fd);
}

static void
test_a_file_that_cannot_be_read_is_our_fault(struct arena *a)
{
	struct peer *p = peer_that(a, takes_its_time);
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY);

	is_int(put(p, a, fd, 0), UNAVAILABLE);
	is_int(answer.end, PEER_FAILED);
	close(fd);
	end(p);
}

static void
gives_a_file(struct arena *a, int fd)
{
	struct str head = read_request(a, fd, 0);

	if (str_starts(head, STR("GET /packages/ab/cd/")))
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
		    "Last-Modified: Thu, 01 Jan 1970 00:01:40 GMT\r\n\r\n"
		    "0123456789");
	pause();
}

static enum status
fetch(struct arena *a, int64_t limit_bytes, int64_t *size, int64_t *mtime_s)
{
	static const unsigned char digest[32] = { 0xab, 0xcd, 0xef };
	char root[] = "/tmp/tilsit-peer-XXXXXX";
	struct peer *p = peer_that(a, gives_a_file);
	struct digests digests;
	struct staged *file;
	struct store *store;
	enum status st;

	if (!mkdtemp(root) || store_open(a, root, &store, &err) != OK ||
	    store_stage(store, a, &file, &err) != OK)
		exit(1);
	st = peer_get_file(p, a, digest, STR("x"), limit_bytes, file, mtime_s,
	    &answer, &err);
	if (st == OK && staged_finish(file, &digests, &err) == OK)
		*size = digests.size;
	end(p);
	return st;
}

static void
test_a_file_comes_with_its_time_and_within_its_size(struct arena *a)
{
	int64_t size = 0, mtime_s = 0;

	is_int(fetch(a, 10, &size, &mtime_s), OK);
	is_int(size, 10);
	is_int(mtime_s, 100);
	is_int(fetch(a, 9, &size, &mtime_s), TOO_LARGE);
	is_int(answer.end, PEER_FAILED);
}

/* The lowest descriptor that is free. */
static int
next_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void
test_no_descriptor_is_left_behind(struct arena *a)
{
	void (*const peers[])(struct arena *, int) = {
		answers_twice, stands_still, breaks_off, speaks_on, fails,
	};
	int before;

	config.peer_timeout_ms = SHORT_MS;
	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		struct peer *p = peer_that(a, peers[i]);

		before = next_fd();
		for (int n = 0; n < 3; n++)
			ok(get(p, a, "/-/peer/") != INVALID);
		end(p);
		/* One that curl keeps for itself goes with the peer, too. */
		ok(next_fd() <= before);
	}
	config.peer_timeout_ms = PATIENT_MS;
}

static const char *look_text;

static void
tells(struct arena *a, int fd)
{
	read_request(a, fd, 0);
	say(fd, str_fmt(a, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(look_text), look_text).p);
	pause();
}

static enum status
look(struct arena *a, const char *text, struct peer_copy *out)
{
	static const unsigned char digest[32] = { 0 };
	struct peer *p;
	enum status st;

	look_text = text;
	p = peer_that(a, tells);
	st = peer_look(p, a, digest, STR("x"), true, out, &answer, &err);
	end(p);
	return st;
}

static void
test_what_the_peer_has_is_read_or_refused(struct arena *a)
{
	struct peer_copy copy;

	is_int(look(a, "size 7\nmtime -1\n", &copy), OK);
	is_int(copy.size, 7);
	is_int(copy.mtime_s, -1);
	ok(!copy.has_metadata && !copy.is_damaged);
	is_int(look(a, "size 7\nmtime 1\nis damaged\nmetadata 00112233445566778"
	    "899aabbccddeeff00112233445566778899aabbccddeeff\n", &copy), OK);
	ok(copy.has_metadata && copy.is_damaged);
	is_int(copy.metadata_sha256[31], 0xff);
	is_int(look(a, "size 7\nmtime 1\nmetadata 0011\n", &copy),
	    UNAVAILABLE);
	is_int(look(a, "size -7\nmtime 1\n", &copy), UNAVAILABLE);
	is_int(look(a, "<html>", &copy), UNAVAILABLE);
	is_int(look(a, "", &copy), UNAVAILABLE);
}

static void
test_each_end_has_a_name(struct arena *a)
{
	(void)a;
	for (int i = PEER_NONE; i <= PEER_ANSWERED; i++)
		ok(*peer_end_name((enum peer_end)i));
}

int
main(void)
{
	if (secret_start(&err) != OK)
		return 1;
	RUN(test_a_request_shows_the_secret_and_keeps_the_connection);
	RUN(test_no_peer_is_no_error_of_ours);
	RUN(test_one_that_is_away_refuses_and_rests);
	RUN(test_one_that_stands_still_is_timed_out);
	RUN(test_half_an_answer_is_none);
	RUN(test_an_answer_that_does_not_end_is_given_up);
	RUN(test_one_that_fails_says_why_and_is_asked_again);
	RUN(test_a_file_goes_with_its_metadata_behind_it);
	RUN(test_slow_is_not_away_but_may_be_too_slow);
	RUN(test_a_file_that_cannot_be_read_is_our_fault);
	RUN(test_a_file_comes_with_its_time_and_within_its_size);
	RUN(test_no_descriptor_is_left_behind);
	RUN(test_what_the_peer_has_is_read_or_refused);
	RUN(test_each_end_has_a_name);
	return tap_done();
}
