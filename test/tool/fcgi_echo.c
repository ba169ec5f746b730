/*
 * fcgi_echo: a FastCGI worker that says what it was asked.
 *
 *	fcgi_echo MAX_REQUESTS MAX_CONNECTIONS TIMEOUT_MS <&SOCKET
 *
 *	/read	reads the body and answers its length and the worker's pid
 *	/skip	answers the same without reading the body
 *	/big	answers 300,000 bytes
 *	/304	answers 304
 *
 * Says "broken" on standard output for each body that did not arrive whole.
 * Exit status 0 when fcgi_serve() returned OK.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "io/fcgi.h"

static struct str
env_get(const struct fcgi_request *rq, struct str name)
{
	for (const char *const *e = fcgi_env(rq); *e; e++) {
		struct str key, value;

		str_cut(str_c(*e), '=', &key, &value);
		if (str_eq(key, name))
			return value;
	}
	return STR("");
}

static long
read_body(struct fcgi_request *rq)
{
	static char bytes[65536];
	long total = 0, n;

	do {
		n = fcgi_read(rq, bytes, sizeof(bytes));
		if (n == -1)
			return -1;
		total += n;
	} while (n == sizeof(bytes));
	return total;
}

static void
answer(struct fcgi_request *rq, struct str path, long length)
{
	static char big[300000];
	char body[80], head[200];
	struct str text = { body, 0 };

	text.n = (size_t)snprintf(body, sizeof(body), "%ld %d\n", length,
	    (int)getpid());
	if (str_eq(path, STR("/big"))) {
		memset(big, 'x', sizeof(big));
		text = (struct str){ big, sizeof(big) };
	}
	if (str_eq(path, STR("/304")))
		snprintf(head, sizeof(head), "Status: 304 Not Modified\r\n\r\n");
	else
		snprintf(head, sizeof(head), "Content-Type: text/plain\r\n"
		    "Content-Length: %zu\r\n\r\n", text.n);
	if (fcgi_write(rq, str_c(head)) != OK)
		return;	/* nginx went away: nobody is left to tell */
	if (!str_eq(path, STR("/304")) && fcgi_write(rq, text) != OK)
		return;
}

static void
serve(void *app, struct fcgi_request *rq)
{
	struct str path = env_get(rq, STR("SCRIPT_NAME"));
	long length = -2;

	(void)app;
	if (str_eq(path, STR("/read")))
		length = read_body(rq);
	if (length == -1) {
		printf("broken\n");
		fflush(stdout);
	}
	answer(rq, path, length);
}

int
main(int argc, char **argv)
{
	struct fcgi_options options = FCGI_OPTIONS;
	int64_t n[3];
	struct err err;

	if (argc != 4)
		return 2;
	for (int i = 0; i < 3; i++)
		if (str_int64(str_c(argv[i + 1]), 0, 1000000, &n[i]) != OK)
			return 2;
	options.max_requests = n[0];
	options.max_connections = (int)n[1];
	options.io_timeout_ms = n[2];
	if (fcgi_serve(&options, serve, NULL, &err) == OK)
		return 0;
	fprintf(stderr, "fcgi_echo: %s\n", err.text);
	return 1;
}
