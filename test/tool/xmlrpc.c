/*
 * xmlrpc: "CALL" -> the status, and an answer that holds the method's name
 * and then the parameters, written with our writer, in hex.
 *
 * So one round takes a call from Python through our reader, our writer and
 * back.  What our writer cannot say (double, base64) goes out as a string.
 */
#include "tool/cases.h"

#include "base/buf.h"
#include "http/xmlrpc.h"

static void
put_value(struct buf *out, const struct xmlrpc_value *v)
{
	switch (v->type) {
	case XMLRPC_NIL:
		xmlrpc_nil(out);
		return;
	case XMLRPC_INT:
		xmlrpc_int(out, v->integer);
		return;
	case XMLRPC_BOOL:
		xmlrpc_bool(out, v->integer != 0);
		return;
	case XMLRPC_DOUBLE:
		xmlrpc_str(out, str_fmt(out->arena, "%.17g", v->number));
		return;
	case XMLRPC_STRING:
	case XMLRPC_DATETIME:
	case XMLRPC_BASE64:
		xmlrpc_str(out, v->text);
		return;
	case XMLRPC_ARRAY:
		xmlrpc_array(out);
		for (size_t i = 0; i < v->n; i++)
			put_value(out, &v->items[i]);
		xmlrpc_array_end(out);
		return;
	case XMLRPC_STRUCT:
		xmlrpc_struct(out);
		for (size_t i = 0; i < v->n; i++) {
			xmlrpc_member(out, v->items[i].name);
			put_value(out, &v->items[i]);
			xmlrpc_member_end(out);
		}
		xmlrpc_struct_end(out);
		return;
	}
}

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	struct buf out = buf_new(a), hex = buf_new(a);
	struct xmlrpc_call call;
	enum status st = xmlrpc_parse(a, fields[0], &call, NULL);

	(void)count;
	put_str(str_c(status_name(st)));
	if (st != OK)
		return;
	xmlrpc_begin_response(&out);
	xmlrpc_array(&out);
	xmlrpc_str(&out, call.method);
	for (size_t i = 0; i < call.n; i++)
		put_value(&out, &call.params[i]);
	xmlrpc_array_end(&out);
	xmlrpc_end_response(&out);
	buf_hex(&hex, out.bytes, out.len);
	putchar(' ');
	put_str(buf_view(&hex));
}

int
main(void)
{
	return answer_cases(answer);
}
