#include "peer/mark.h"

#include "base/arena.h"
#include "base/buf.h"
#include "http/request.h"
#include "http/response.h"
#include "index/index.h"
#include "index/mark.h"
#include "index/mark_place.h"
#include "index/pair.h"
#include "io/config.h"

static void
close_pair(void *pair)
{
	pair_close(pair);
}

enum status
peer_mark_get(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	const struct index *ix = app;
	struct mark m;
	struct err why;

	(void)err;
	mark_read(rq->arena, ix->config->mark_path, &m, &why);
	rs->type = STR("text/plain; charset=utf-8");
	if (m.is_damaged)	/* so will this be for who reads it */
		buf_put(&rs->body, STR("damaged\n"));
	else if (m.is_set)
		mark_put(&rs->body, &m);
	return OK;
}

static enum status
read_body(struct request *rq, struct str *out, struct err *err)
{
	struct buf text = buf_new(rq->arena);
	long n = 1;

	if (rq->content_length > MARK_BYTES)
		return err_set(err, TOO_LARGE, "a mark has %d bytes at most",
		    MARK_BYTES);
	while (n > 0 && text.len <= MARK_BYTES) {
		n = request_body_read(rq, buf_room(&text, MARK_BYTES),
		    MARK_BYTES);
		if (n > 0)
			buf_wrote(&text, (size_t)n);
	}
	*out = buf_view(&text);
	return OK;
}

enum status
peer_mark_put(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	const struct index *ix = app;
	struct pair *pair = arena_alloc(rq->arena, sizeof(*pair));
	struct str text;
	enum status st = read_body(rq, &text, err);

	if (st == OK)
		st = pair_open(ix->config, "tilsit-peer", pair, err);
	if (st != OK)
		return st;
	arena_defer(rq->arena, close_pair, pair);
	st = mark_place_take(pair, rq->arena, text, err);
	rs->type = STR("text/plain; charset=utf-8");
	if (st == OK)
		buf_put(&rs->body, STR("kept\n"));
	return st;
}

enum status
peer_mark_delete(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	const struct index *ix = app;
	struct mark m = {
		.is_set = true, .lacks = str_c(ix->config->node),
		.id = request_query(rq, STR("id")),
	};
	enum status st;

	m.is_damaged = m.id.n == 0;
	st = mark_clear(rq->arena, ix->config->mark_path, &m, err);
	rs->type = STR("text/plain; charset=utf-8");
	if (st == OK)
		buf_put(&rs->body, STR("cleared\n"));
	return st;
}
