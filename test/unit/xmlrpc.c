/* Unit tests of lib/http/xmlrpc. */
#include "tap.h"

#include "base/buf.h"
#include "http/xmlrpc.h"

static void
put_value(struct buf *b, const struct xmlrpc_value *v)
{
	static const char *const open[] = {
		[XMLRPC_NIL] = "nil", [XMLRPC_INT] = "i", [XMLRPC_BOOL] = "b",
		[XMLRPC_STRING] = "'", [XMLRPC_DOUBLE] = "d",
		[XMLRPC_DATETIME] = "@", [XMLRPC_BASE64] = "#",
		[XMLRPC_ARRAY] = "[", [XMLRPC_STRUCT] = "{",
	};

	if (v->name.n) {
		buf_put(b, v->name);
		buf_byte(b, '=');
	}
	buf_put(b, str_c(open[v->type]));
	if (v->type == XMLRPC_INT || v->type == XMLRPC_BOOL)
		buf_int(b, v->integer);
	if (v->type == XMLRPC_DOUBLE)
		buf_put(b, str_fmt(b->arena, "%.17g", v->number));
	buf_put(b, v->text);
	for (size_t i = 0; i < v->n; i++)
		put_value(b, &v->items[i]);
	if (v->type == XMLRPC_ARRAY || v->type == XMLRPC_STRUCT)
		buf_byte(b, v->type == XMLRPC_ARRAY ? ']' : '}');
	buf_byte(b, ' ');
}

/* A call written down, or the name of the status. */
static struct str
read(struct arena *a, struct str body)
{
	struct buf b = buf_new(a);
	struct xmlrpc_call call;
	struct err err;
	enum status st = xmlrpc_parse(a, body, &call, &err);

	if (st != OK)
		return str_c(status_name(st));
	buf_put(&b, call.method);
	buf_byte(&b, ' ');
	for (size_t i = 0; i < call.n; i++)
		put_value(&b, &call.params[i]);
	return buf_view(&b);
}

#define CALL(params)	"<methodCall><methodName>m</methodName><params>" \
	params "</params></methodCall>"
#define ONE(value)	CALL("<param><value>" value "</value></param>")

static void
test_each_type_is_read(struct arena *a)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "<int>7</int>", "i7" }, { "<i4> -7\n</i4>", "i-7" },
		{ "<int>+007</int>", "i7" },
		{ "<i8>9223372036854775807</i8>", "i9223372036854775807" },
		{ "<i8>-9223372036854775808</i8>", "i-9223372036854775808" },
		{ "<boolean>1</boolean>", "b1" },
		{ "<boolean>0</boolean>", "b0" },
		{ "<string>a &lt;&amp;&#233;</string>", "'a <&\xc3\xa9" },
		{ "<string/>", "'" }, { "<string> </string>", "' " },
		{ "bare", "'bare" }, { "", "'" }, { "  ", "'  " },
		{ "<![CDATA[<x>]]>", "'<x>" }, { "a<!-- c -->b", "'ab" },
		{ "<double>-1.5e3</double>", "d-1500" },
		{ "<double>.5</double>", "d0.5" },
		{ "<double> 5. </double>", "d5" },
		{ "<dateTime.iso8601>20261121T12:00:05</dateTime.iso8601>",
		    "@20261121T12:00:05" },
		{ "<base64>Zm9v\nYmFy\n</base64>", "#foobar" },
		{ "<base64/>", "#" },
		{ "<nil/>", "nil" }, { "\n<nil> </nil>\n", "nil" },
		{ "<array><data/></array>", "[]" },
		{ "<array><data><value><int>1</int></value> <value>x</value>"
		    "</data></array>", "[i1 'x ]" },
		{ "<struct/>", "{}" },
		{ "<struct><member><name>n</name><value><nil/></value>"
		    "</member></struct>", "{n=nil }" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_str(read(a, str_fmt(a, ONE("%s"), rows[i].value)),
		    str_fmt(a, "m %s ", rows[i].want));
}

static void
test_calls_without_parameters(struct arena *a)
{
	is_str(read(a, STR("<?xml version='1.0'?>\n<methodCall>\n"
	    "<methodName>system.listMethods</methodName>\n</methodCall>\n")),
	    STR("system.listMethods "));
	is_str(read(a, STR(CALL(""))), STR("m "));
}

static void
test_other_encodings_become_utf8(struct arena *a)
{
	is_str(read(a, STR("<?xml version='1.0' encoding='iso-8859-1'?>"
	    ONE("\xe9"))), STR("m '\xc3\xa9 "));
	is_str(read(a, STR(ONE("\xe9"))), STR("INVALID"));
	is_str(read(a, STR("<?xml version='1.0' encoding='ASCII'?>"
	    ONE("x"))), STR("m 'x "));
	is_str(read(a, STR("<?xml version='1.0' encoding='ASCII'?>"
	    ONE("\xe9"))), STR("INVALID"));
	is_str(read(a, STR("<?xml version='1.0' encoding='koi8-r'?>"
	    ONE("x"))), STR("INVALID"));
}

static void
test_values_that_are_not_of_their_type(struct arena *a)
{
	static const char *const bad[] = {
		"<int/>", "<int>1 2</int>", "<int>1.0</int>", "<int>x</int>",
		"<int>+-1</int>", "<int>0x1</int>",
		"<i8>9223372036854775808</i8>", "<boolean>2</boolean>",
		"<boolean>true</boolean>", "<boolean/>", "<double/>",
		"<double>inf</double>", "<double>nan</double>",
		"<double>0x1p3</double>", "<double>1e999</double>",
		"<double>1e</double>", "<double>.</double>",
		"<double>1,5</double>", "<base64>Zg=</base64>",
		"<dateTime.iso8601>2026-11-21T12:00:05</dateTime.iso8601>",
		"<dateTime.iso8601>20261121T12:00:0x</dateTime.iso8601>",
		"<nil>x</nil>",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_str(read(a, str_fmt(a, ONE("%s"), bad[i])),
		    STR("INVALID"));
}

static void
test_what_is_no_call_is_refused(struct arena *a)
{
	static const char *const bad[] = {
		"", " ", "x", "<methodCall/>", "<methodCall>",
		"<methodResponse/>", "<methodCall><params/></methodCall>",
		"<methodCall><params/><methodName>m</methodName>"
		    "</methodCall>",
		"<methodCall><methodName/></methodCall>",
		"<methodCall><methodName>a b</methodName></methodCall>",
		"<methodCall><methodName>m</methodName><methodName>m"
		    "</methodName></methodCall>",
		"<methodCall><methodName>m</methodName><params/><params/>"
		    "</methodCall>",
		"<methodCall><methodName>m</methodName>x</methodCall>",
		CALL("<value>x</value>"), CALL("<param/>"), CALL("x"),
		CALL("<param><value/><value/></param>"),
		ONE("<int>1</int><int>1</int>"), ONE("x<int>1</int>"),
		ONE("<int>1</int>x"), ONE("<value/>"), ONE("<float>1</float>"),
		ONE("<int x='y'>1</int>"), ONE("<int>1<nil/></int>"),
		ONE("<array/>"), ONE("<array><data/><data/></array>"),
		ONE("<array><value/></array>"),
		ONE("<array><data>x</data></array>"),
		ONE("<struct><member/></struct>"),
		ONE("<struct><member><name>n</name></member></struct>"),
		ONE("<struct><member><value/><name>n</name></member>"
		    "</struct>"),
		ONE("<struct><value/></struct>"), ONE("&nbsp;"), ONE("\x01"),
		ONE("&#0;"), ONE("</value>"), ONE("") ONE(""), ONE("") "x",
		"<m:methodCall xmlns:m='x'><methodName>m</methodName>"
		    "</m:methodCall>",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		is_str(read(a, str_c(bad[i])), STR("INVALID"));
		if (!str_eq(read(a, str_c(bad[i])), STR("INVALID")))
			printf("# %s\n", bad[i]);
	}
}

static void
test_document_types_and_so_bombs_are_refused(struct arena *a)
{
	is_str(read(a, STR("<!DOCTYPE methodCall>" ONE("x"))),
	    STR("INVALID"));
	is_str(read(a, STR("<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b "
	    "'&a;&a;&a;'>]>" ONE("&b;"))), STR("INVALID"));
	is_str(read(a, STR("<!DOCTYPE x SYSTEM 'file:///etc/passwd'>"
	    ONE("x"))), STR("INVALID"));
}

/* A call with one array within another, so many times. */
static struct str
nested(struct arena *a, int depth)
{
	struct buf b = buf_new(a);

	buf_put(&b, STR("<methodCall><methodName>m</methodName><params>"
	    "<param>"));
	for (int i = 1; i < depth; i++)
		buf_put(&b, STR("<value><struct><member><name>n</name>"));
	buf_put(&b, STR("<value><array><data/></array></value>"));
	for (int i = 1; i < depth; i++)
		buf_put(&b, STR("</member></struct></value>"));
	buf_put(&b, STR("</param></params></methodCall>"));
	return buf_view(&b);
}

static void
test_depth_count_and_size_are_bounded(struct arena *a)
{
	struct buf b = buf_new(a);

	ok(!str_eq(read(a, nested(a, XMLRPC_DEPTH_MAX)), STR("TOO_LARGE")));
	is_str(read(a, nested(a, XMLRPC_DEPTH_MAX + 1)), STR("TOO_LARGE"));
	is_str(read(a, nested(a, 5000)), STR("TOO_LARGE"));
	buf_put(&b, STR("<methodCall><methodName>m</methodName><params>"
	    "<param><value><array><data>"));
	for (int i = 0; i < XMLRPC_VALUES_MAX; i++)
		buf_put(&b, STR("<value/>"));
	buf_put(&b, STR("</data></array></value></param></params>"
	    "</methodCall>"));
	is_str(read(a, buf_view(&b)), STR("TOO_LARGE"));
	b.len = 0;
	for (size_t i = 0; i <= XMLRPC_BODY_MAX; i++)
		buf_byte(&b, ' ');
	is_str(read(a, buf_view(&b)), STR("TOO_LARGE"));
}

static void
test_members_are_found_by_name(struct arena *a)
{
	struct xmlrpc_call call;
	struct err err;

	ok(xmlrpc_parse(a, STR(ONE("<struct><member><name>a</name><value>1"
	    "</value></member><member><name>a</name><value>2</value>"
	    "</member></struct>")), &call, &err) == OK);
	is_str(xmlrpc_find(&call.params[0], STR("a"))->text, STR("2"));
	ok(xmlrpc_find(&call.params[0], STR("b")) == NULL);
	ok(xmlrpc_find(&call.params[0].items[0], STR("a")) == NULL);
}

static void
test_an_error_names_the_line(struct arena *a)
{
	struct xmlrpc_call call;
	struct err err;

	ok(xmlrpc_parse(a, STR("<methodCall>\n\n<x/>"), &call, &err) ==
	    INVALID);
	ok(strstr(err.text, "(line 3)") != NULL);
}

static void
test_an_answer_holds_each_type(struct arena *a)
{
	struct buf b = buf_new(a);

	xmlrpc_begin_response(&b);
	xmlrpc_array(&b);
	xmlrpc_int(&b, -2147483648LL);
	xmlrpc_int(&b, 2147483648LL);
	xmlrpc_bool(&b, true);
	xmlrpc_str(&b, STR("<&\x01\r>"));
	xmlrpc_datetime(&b, 1000000);
	xmlrpc_nil(&b);
	xmlrpc_struct(&b);
	xmlrpc_member(&b, STR("a&b"));
	xmlrpc_str(&b, STR(""));
	xmlrpc_member_end(&b);
	xmlrpc_struct_end(&b);
	xmlrpc_array_end(&b);
	xmlrpc_end_response(&b);
	is_str(buf_view(&b), STR("<?xml version='1.0' encoding='UTF-8'?>\n"
	    "<methodResponse>\n<params>\n<param>\n<value><array><data>\n"
	    "<value><int>-2147483648</int></value>\n"
	    "<value><i8>2147483648</i8></value>\n"
	    "<value><boolean>1</boolean></value>\n"
	    "<value><string>&lt;&amp;&#13;&gt;</string></value>\n"
	    "<value><dateTime.iso8601>19700101T00:00:01"
	    "</dateTime.iso8601></value>\n<value><nil/></value>\n"
	    "<value><struct>\n<member>\n<name>a&amp;b</name>\n"
	    "<value><string></string></value>\n</member>\n"
	    "</struct></value>\n</data></array></value>\n"
	    "</param>\n</params>\n</methodResponse>\n"));
}

static void
test_a_fault_is_an_answer(struct arena *a)
{
	struct buf b = buf_new(a);

	xmlrpc_fault(&b, -32601, STR("no <x>"));
	is_str(buf_view(&b), STR("<?xml version='1.0' encoding='UTF-8'?>\n"
	    "<methodResponse>\n<fault>\n<value><struct>\n<member>\n"
	    "<name>faultCode</name>\n<value><int>-32601</int></value>\n"
	    "</member>\n<member>\n<name>faultString</name>\n"
	    "<value><string>no &lt;x&gt;</string></value>\n</member>\n"
	    "</struct></value>\n</fault>\n</methodResponse>\n"));
}

int
main(void)
{
	RUN(test_each_type_is_read);
	RUN(test_calls_without_parameters);
	RUN(test_other_encodings_become_utf8);
	RUN(test_values_that_are_not_of_their_type);
	RUN(test_what_is_no_call_is_refused);
	RUN(test_document_types_and_so_bombs_are_refused);
	RUN(test_depth_count_and_size_are_bounded);
	RUN(test_members_are_found_by_name);
	RUN(test_an_error_names_the_line);
	RUN(test_an_answer_holds_each_type);
	RUN(test_a_fault_is_an_answer);
	return tap_done();
}
