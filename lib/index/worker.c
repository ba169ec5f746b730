#include "index/worker.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "http/request.h"
#include "http/respond.h"
#include "http/response.h"
#include "http/route.h"
#include "index/program.h"
#include "io/db.h"
#include "io/fcgi.h"
#include "io/log.h"

#define REST_BYTES	((size_t)64 << 10)	/* read at a time */

/* What one worker process has. */
struct loop {
	const struct worker *worker;
	struct program program;
	struct arena *arena;		/* emptied after each request */
	struct log log;
};

static ssize_t
read_body(void *source, void *into, size_t n)
{
	return fcgi_read(source, into, n);
}

static enum status
send_part(void *to, struct str bytes)
{
	return fcgi_write(to, bytes);
}

static void
read_rest(struct request *rq)
{
	char *piece = arena_alloc(rq->arena, REST_BYTES);

	while (request_body_read(rq, piece, REST_BYTES) > 0)
		continue;
}

/* What is left to send: all of it, unless some was spilled before. */
static void
send_rest(const struct request *rq, struct response *rs,
    struct fcgi_request *to)
{
	enum status st = OK;

	if (!rs->head_sent)
		st = fcgi_write(to, response_head(rs, rs->arena));
	if (st == OK && rq->method != METHOD_HEAD)
		st = fcgi_write(to, buf_view(&rs->body));
	if (st == OK)
		rs->sent_bytes += (int64_t)rs->body.len;
}

static struct str
method_name(const struct request *rq)
{
	switch (rq->method) {
	case METHOD_GET:	return STR("GET");
	case METHOD_HEAD:	return STR("HEAD");
	case METHOD_POST:	return STR("POST");
	case METHOD_PUT:	return STR("PUT");
	case METHOD_DELETE:	return STR("DELETE");
	case METHOD_OPTIONS:	return STR("OPTIONS");
	default:		return STR("OTHER");
	}
}

static void
log_one(const struct loop *l, const struct request *rq,
    const struct response *rs, const char *failure, int64_t began_us,
    int64_t rows)
{
	struct log_request line = {
		.id = rq->id, .method = method_name(rq),
		.route = rs->note.method.n ? rs->note.method :
		    str_c(rq->route),
		.path = rq->raw_path, .status = response_code(rs),
		.us = clock_mono_us() - began_us, .rows = rows,
		.cache = str_c(rs->note.cache), .user = rs->note.user,
		.project = rs->note.project.n ? rs->note.project :
		    rq->arg[0],
		.serial = rs->note.serial, .bytes = rs->sent_bytes,
		.err = str_c(failure), .peer = rs->note.peer,
	};

	log_request(&l->log, &line);
}

static void
serve(void *app, struct fcgi_request *from)
{
	struct loop *l = app;
	struct index *ix = &l->program.index;
	int64_t began_us = clock_mono_us();
	int64_t rows = db_stats(ix->db).rows;
	struct err err = { .text = "" };
	struct response rs;
	struct request rq;
	enum status st;

	response_init(&rs, l->arena);
	rs.send = send_part;
	rs.send_to = from;
	st = request_init(&rq, l->arena, fcgi_env(from), &err);
	rq.body_source = from;
	rq.body_read = read_body;
	if (st == OK && l->worker->admit)
		st = l->worker->admit(ix, &rq, &rs, &err);
	if (st == OK)
		st = route_serve(l->worker->routes, l->worker->n_routes, ix,
		    &rq, &rs, &err);
	else
		respond_error(&rq, &rs, st, &err, NULL);
	if (l->worker->is_unbuffered)
		read_rest(&rq);
	if (st == OK || !rs.head_sent)
		send_rest(&rq, &rs, from);
	else
		fcgi_break_off(from);
	log_one(l, &rq, &rs, st == OK ? NULL : err.text, began_us,
	    db_stats(ix->db).rows - rows);
	arena_reset(l->arena);
}

int
worker_main(int argc, char **argv, const struct worker *worker)
{
	const struct about about = { worker->name, worker->purpose };
	struct fcgi_options options = FCGI_OPTIONS;
	struct loop l = { .worker = worker };
	struct err err;
	enum status st;
	int done;

	done = program_open(&l.program, argc, argv, &about);
	if (done >= 0)
		return done;
	options.max_requests = l.program.config.max_requests;
	options.max_connections = (int)l.program.config.max_connections;
	l.arena = arena_new((size_t)l.program.config.request_memory_bytes);
	l.log = log_new(str_c(worker->name), l.program.config.log_level);
	st = fcgi_serve(&options, serve, &l, &err);
	if (st != OK)
		log_say(&l.log, LEVEL_ERROR, "%s", err.text);
	arena_free(l.arena);
	program_close(&l.program);
	return st == OK ? EXIT_OK : EXIT_SERVICE;
}
