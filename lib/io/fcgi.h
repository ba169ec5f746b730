/*
 * fcgi: takes requests from nginx over FastCGI, one at a time.
 *
 *	static void
 *	serve(void *app, struct fcgi_request *rq)
 *	{
 *		const char *const *env = fcgi_env(rq);
 *		...
 *		if (fcgi_write(rq, head) != OK || fcgi_write(rq, body) != OK)
 *			...	(nginx is gone; nothing is left to say)
 *	}
 *
 *	struct fcgi_options options = FCGI_OPTIONS;
 *	st = fcgi_serve(&options, serve, app, &err);
 *
 * A worker is one process and one thread.  It waits with epoll over the
 * listening socket and all connections that nginx keeps open, and hands a
 * readable one to libfcgi: an idle connection holds up nobody, which a plain
 * FCGX_Accept_r() loop cannot say.  Several workers share one listening socket
 * (EPOLLEXCLUSIVE); it belongs to whoever starts them (systemd, spawn-fcgi
 * with multiwatch, the local supervisor), so that no connection is lost while
 * a worker is replaced.
 *
 * Leaving.  SIGTERM, SIGINT, SIGHUP and SIGUSR1 end fcgi_serve() in good
 * order, and so does max_requests; the supervisor starts another.  No request
 * may fail by it:
 *  1. No further connection is accepted; the next worker will.
 *  2. A request that arrives on a kept connection is answered, and the answer
 *     ends in a record that makes nginx give the connection up: nginx keeps
 *     one only if FCGI_END_REQUEST is the last that it has read
 *     (ngx_http_fastcgi_input_filter), so one harmless FCGI_UNKNOWN_TYPE
 *     record goes out behind it in the same write.
 *  3. Idle connections are waited for until drain_ms is over (not at all
 *     after a signal).  Then each is shut for reading, looked at, and closed
 *     only if nothing had arrived: on a Unix socket a request of nginx is
 *     either seen by that look, and answered, or it was refused with EPIPE
 *     before a byte of it went out.  nginx sends a refused one again on a new
 *     connection, except POST (unless fastcgi_next_upstream has
 *     non_idempotent): pools that take POST should not keep connections.
 *
 * What nginx must be told:
 *  - Unix sockets; `keepalive 64` in the upstream and `fastcgi_keep_conn on`
 *    where requests are short and are GET or HEAD; no fastcgi_keep_conn for
 *    uploads: a kept connection is bound to one worker, also while that is
 *    busy with another's long request, and see 3.
 *  - fastcgi_buffer_size 64k, fastcgi_buffers 4 64k,
 *    fastcgi_busy_buffers_size 128k.
 *  - fastcgi_request_buffering on (the default): libfcgi blocks while
 *    parameters or body arrive, here for io_timeout_ms at most.
 *  - Nothing for 304: nginx keeps the connection after "Status: 304 Not
 *    Modified", with or without Content-Length (1 connection for 500 requests
 *    with nginx 1.22; with a status line from the worker nginx does not take
 *    the answer for one without a body).  After HEAD it gives the connection
 *    up (500 for 500): it stops reading at the end of the header, unless the
 *    answer goes to fastcgi_store or fastcgi_cache.  Both cost more than a
 *    new connection for a method that is rare here.
 */
#ifndef IO_FCGI_H
#define IO_FCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct fcgi_request;

struct fcgi_options {
	int listen_fd;		/* a listening stream socket */
	int64_t max_requests;	/* then leave; 0: never.  The real number is
				 * up to a quarter higher, by chance, so that
				 * workers do not leave together */
	int max_connections;	/* the longest idle one goes for a new one */
	int64_t io_timeout_ms;	/* for nginx to send or take the next bytes */
	int64_t drain_ms;	/* for idle connections, after max_requests */
};

/* Descriptor 0 is where spawn-fcgi, multiwatch and systemd's
 * StandardInput=socket put the socket (FCGI_LISTENSOCK_FILENO). */
#define FCGI_OPTIONS (struct fcgi_options){	\
	.listen_fd = 0,				\
	.max_requests = 1000000,		\
	.max_connections = 512,			\
	.io_timeout_ms = 30000,			\
	.drain_ms = 1000,			\
}

/*
 * A listening Unix socket at path, for supervisors and tests, with rights
 * 0666 less umask.  A socket that was left behind there, and that nobody
 * listens on, is replaced.  UNAVAILABLE with err set when that fails; the
 * caller closes *fd.
 */
MUST_USE enum status fcgi_listen(const char *path, int *fd, struct err *err);

/*
 * Within serve(): has somebody asked this process to end?  For a request that
 * only waits, and had better be waited for by another worker.
 */
bool fcgi_is_ending(void);

/*
 * Call serve(app, request) for every request until told to stop (see above);
 * then OK.  UNAVAILABLE when the socket or epoll fails.  Blocks the four
 * signals while it runs and restores the mask; SIGPIPE stays ignored.
 */
MUST_USE enum status fcgi_serve(const struct fcgi_options *options,
    void (*serve)(void *app, struct fcgi_request *rq), void *app,
    struct err *err);

/*
 * The parameters, "NAME=value" each, NULL at the end.  They live until
 * serve() returns.  Any byte but NUL may be in them.
 */
const char *const *fcgi_env(const struct fcgi_request *rq);

/*
 * Read up to n bytes (INT_MAX at most) of the request body: fewer than n only
 * at its end.  -1 when nginx went away, sent nonsense, or kept us waiting over
 * io_timeout_ms; the body is then not whole and must not be used.  What a
 * handler leaves unread is thrown away afterwards.
 */
long fcgi_read(struct fcgi_request *rq, void *bytes, size_t n);

/*
 * Write a part of the answer: CGI header fields, an empty line, the body.
 * Small parts are collected, parts over 8 KB go out in records of 64 KB
 * without a copy.  UNAVAILABLE when nginx is gone: stop writing.
 */
MUST_USE enum status fcgi_write(struct fcgi_request *rq, struct str bytes);

/*
 * Break the answer off: it was begun and cannot be completed.  The connection
 * closes without FCGI_END_REQUEST when serve() returns, so that nginx breaks
 * off too, and no client takes what it has for the whole.
 */
void fcgi_break_off(struct fcgi_request *rq);

#endif
