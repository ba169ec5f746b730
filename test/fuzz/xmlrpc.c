/*
 * Fuzz http/xmlrpc.
 *
 * Laws: a call stays within its bounds, its texts are UTF-8 and its method an
 * identifier; written by our writer and read again it is the same (but for
 * types that the writer has not: those go out as strings).
 */
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"
#include "base/utf8.h"
#include "http/xmlrpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool law, const char *what)
{
	if (!law)
		panic("broken law: %s", what);
}

static void
put_scalar(struct buf *out, const struct xmlrpc_value *v)
{
	if (v->type == XMLRPC_NIL)
		xmlrpc_nil(out);
	else if (v->type == XMLRPC_INT)
		xmlrpc_int(out, v->integer);
	else if (v->type == XMLRPC_BOOL)
		xmlrpc_bool(out, v->integer != 0);
	else
		xmlrpc_str(out, v->text);
}

/* Write a value; the answer is how many values it has. */
static size_t
put_value(struct buf *out, const struct xmlrpc_value *v, unsigned depth)
{
	size_t count = 1;

	must(depth <= XMLRPC_DEPTH_MAX, "depth");
	must(v->type == XMLRPC_BASE64 || utf8_is_valid(v->text), "UTF-8");
	if (v->type == XMLRPC_ARRAY) {
		xmlrpc_array(out);
		for (size_t i = 0; i < v->n; i++)
			count += put_value(out, &v->items[i], depth + 1);
		xmlrpc_array_end(out);
	} else if (v->type == XMLRPC_STRUCT) {
		xmlrpc_struct(out);
		for (size_t i = 0; i < v->n; i++) {
			xmlrpc_member(out, v->items[i].name);
			count += put_value(out, &v->items[i], depth + 1);
			xmlrpc_member_end(out);
		}
		xmlrpc_struct_end(out);
	} else {
		put_scalar(out, v);
	}
	return count;
}

static struct str
write_call(struct arena *a, const struct xmlrpc_call *call)
{
	struct buf out = buf_new(a);
	size_t count = 0;

	buf_put(&out, STR("<methodCall><methodName>"));
	buf_put(&out, call->method);
	buf_put(&out, STR("</methodName><params>"));
	for (size_t i = 0; i < call->n; i++) {
		buf_put(&out, STR("<param>"));
		count += put_value(&out, &call->params[i], 1);
		buf_put(&out, STR("</param>"));
	}
	buf_put(&out, STR("</params></methodCall>"));
	must(count <= XMLRPC_VALUES_MAX, "count");
	return buf_view(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)64 << 20);
	struct str body = { (const char *)data, size };
	struct xmlrpc_call call, again;
	struct err err = { .code = OK };
	enum status st = xmlrpc_parse(a, body, &call, &err);

	must(st == OK || (err.code == st && err.text[0]), "err explains");
	if (st == OK) {
		struct str text = write_call(a, &call);

		must(call.method.n > 0, "a method");
		if (text.n <= XMLRPC_BODY_MAX) {
			must(xmlrpc_parse(a, text, &again, NULL) == OK,
			    "what we write, we read");
			must(str_eq(write_call(a, &again), text),
			    "and it is the same");
		}
	}
	arena_free(a);
	return 0;
}
