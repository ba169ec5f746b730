#include "changelog/handlers.h"

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "changelog/methods.h"
#include "http/request.h"
#include "http/respond.h"
#include "http/response.h"
#include "http/xmlrpc.h"

/* Warehouse's codes, from the XML-RPC "specification for fault codes". */
#define FAULT_PARSE		(-32700)
#define FAULT_NO_METHOD		(-32601)
#define FAULT_PARAMETERS	(-32602)
#define FAULT_APPLICATION	(-32500)

#define READ_PIECE	((size_t)16 << 10)	/* bytes */

static enum status
fault(struct response *rs, int code, struct str text)
{
	rs->body.len = 0;
	xmlrpc_fault(&rs->body, code, text);
	return OK;
}

static enum status
read_body(struct request *rq, struct str *out, struct err *err)
{
	struct buf body = buf_new(rq->arena);
	long got;

	if (rq->content_length > (int64_t)XMLRPC_BODY_MAX)
		return err_set(err, TOO_LARGE, "An XML-RPC call may have at "
		    "most %zu bytes", XMLRPC_BODY_MAX);
	do {
		got = request_body_read(rq, buf_room(&body, READ_PIECE),
		    READ_PIECE);
		if (got < 0)
			return err_set(err, INVALID, "The request ended "
			    "before its body did");
		buf_wrote(&body, (size_t)got);
	} while (got > 0 && body.len <= XMLRPC_BODY_MAX);
	if (body.len > XMLRPC_BODY_MAX)
		return err_set(err, TOO_LARGE, "An XML-RPC call may have at "
		    "most %zu bytes", XMLRPC_BODY_MAX);
	*out = buf_view(&body);
	return OK;
}

static bool
fits(char letter, const struct xmlrpc_value *value)
{
	switch (letter) {
	case 's': return value->type == XMLRPC_STRING;
	case 'i': return value->type == XMLRPC_INT;
	case 'b': return value->type == XMLRPC_BOOL ||
		      value->type == XMLRPC_INT;
	case 'l': return value->type == XMLRPC_ARRAY;
	default:  return true;
	}
}

static const char *
letter_name(char letter)
{
	switch (letter) {
	case 's': return "string";
	case 'i': return "integer";
	case 'b': return "boolean";
	default:  return "array";
	}
}

/* Do the arguments fit?  OK, or INVALID and a text as pypi.org words it. */
static enum status
check_arguments(const struct rpc_method *method, const struct xmlrpc_call *call,
    struct err *err)
{
	bool optional = false;
	size_t i = 0;

	for (const char *p = method->takes; *p; p++) {
		if (*p == '|') {
			optional = true;
			continue;
		}
		if (i == call->n && !optional)
			return err_set(err, INVALID, "client error; argument "
			    "%zu: Missing required argument", i + 1);
		if (i < call->n && !fits(*p, &call->params[i]))
			return err_set(err, INVALID, "client error; argument "
			    "%zu: Input should be a valid %s", i + 1,
			    letter_name(*p));
		if (i < call->n)
			i++;
	}
	if (i < call->n)
		return err_set(err, INVALID, "client error; %zu: Unexpected "
		    "positional argument", i);
	return OK;
}

/* A method failed before its answer went out: a fault, or 503 for a service. */
static enum status
failed(struct response *rs, enum status st, struct err *err)
{
	if (st == UNAVAILABLE || rs->head_sent)
		return st;
	return fault(rs, FAULT_APPLICATION, str_c(err->text));
}

enum status
rpc_post(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	struct rpc rpc = {
		.ix = app, .arena = rq->arena, .rs = rs, .err = err,
	};
	const struct rpc_method *method;
	struct xmlrpc_call call;
	struct str body;
	enum status st;

	st = read_body(rq, &body, err);
	if (st != OK)
		return st;
	rs->type = STR("text/xml");
	header_put(rs, STR("Cache-Control"), STR("no-store"));
	if (xmlrpc_parse(rq->arena, body, &call, err) != OK)
		return fault(rs, FAULT_PARSE, STR("parse error; not well "
		    "formed"));
	method = rpc_method_find(call.method);
	if (!method)
		return fault(rs, FAULT_NO_METHOD, STR("server error; "
		    "requested method not found"));
	rs->note.method = method->name;
	if (check_arguments(method, &call, err) != OK)
		return fault(rs, FAULT_PARAMETERS, str_c(err->text));
	rpc.arg = call.params;
	rpc.n_args = call.n;
	xmlrpc_begin_response(&rs->body);
	st = method->run(&rpc, err);
	if (st != OK)
		return failed(rs, st, err);
	xmlrpc_end_response(&rs->body);
	return OK;
}
