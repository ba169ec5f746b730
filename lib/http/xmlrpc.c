#include "http/xmlrpc.h"

#include <expat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "http/base64.h"

/* Each value within another adds three elements at most. */
#define ELEMENTS_MAX	(3 * XMLRPC_DEPTH_MAX + 8)

enum element {
	E_DOCUMENT,	/* not an element: what the outermost one is in */
	E_CALL, E_METHOD, E_PARAMS, E_PARAM, E_VALUE,
	E_INT, E_BOOL, E_STRING, E_DOUBLE, E_DATETIME, E_BASE64, E_NIL,
	E_ARRAY, E_DATA, E_STRUCT, E_MEMBER, E_NAME,
	E_UNKNOWN,
};

#define BIT(e)		(1u << (e))
#define TYPED		(BIT(E_INT) | BIT(E_BOOL) | BIT(E_STRING) | \
			    BIT(E_DOUBLE) | BIT(E_DATETIME) | BIT(E_BASE64) | \
			    BIT(E_NIL) | BIT(E_ARRAY) | BIT(E_STRUCT))

static const struct {
	const char *name;
	enum element element;
} element_names[] = {
	{ "methodCall", E_CALL }, { "methodName", E_METHOD },
	{ "params", E_PARAMS }, { "param", E_PARAM }, { "value", E_VALUE },
	{ "int", E_INT }, { "i4", E_INT }, { "i8", E_INT },
	{ "boolean", E_BOOL }, { "string", E_STRING }, { "double", E_DOUBLE },
	{ "dateTime.iso8601", E_DATETIME }, { "base64", E_BASE64 },
	{ "nil", E_NIL }, { "array", E_ARRAY }, { "data", E_DATA },
	{ "struct", E_STRUCT }, { "member", E_MEMBER }, { "name", E_NAME },
};

/*
 * What each element holds.  A child that is not repeated comes once at most,
 * one that is needed at least once, and no other comes before the first.
 */
static const struct {
	unsigned children;
	unsigned repeated;
	unsigned needed;
	unsigned first;
	bool text;		/* else white space only */
} grammar[] = {
	[E_DOCUMENT] = { .children = BIT(E_CALL) },
	[E_CALL] = { .children = BIT(E_METHOD) | BIT(E_PARAMS),
	    .needed = BIT(E_METHOD), .first = BIT(E_METHOD) },
	[E_METHOD] = { .text = true },
	[E_PARAMS] = { .children = BIT(E_PARAM), .repeated = BIT(E_PARAM) },
	[E_PARAM] = { .children = BIT(E_VALUE), .needed = BIT(E_VALUE) },
	[E_VALUE] = { .children = TYPED, .text = true },
	[E_INT] = { .text = true },
	[E_BOOL] = { .text = true },
	[E_STRING] = { .text = true },
	[E_DOUBLE] = { .text = true },
	[E_DATETIME] = { .text = true },
	[E_BASE64] = { .text = true },
	[E_NIL] = { .text = false },
	[E_ARRAY] = { .children = BIT(E_DATA), .needed = BIT(E_DATA) },
	[E_DATA] = { .children = BIT(E_VALUE), .repeated = BIT(E_VALUE) },
	[E_STRUCT] = { .children = BIT(E_MEMBER), .repeated = BIT(E_MEMBER) },
	[E_MEMBER] = { .children = BIT(E_NAME) | BIT(E_VALUE),
	    .needed = BIT(E_NAME) | BIT(E_VALUE), .first = BIT(E_NAME) },
	[E_NAME] = { .text = true },
};

/* An element that is open. */
struct frame {
	enum element element;
	unsigned seen;			/* children so far, as bits */
	struct str name;		/* of E_MEMBER and E_CALL */
	struct xmlrpc_value value;	/* of E_VALUE, E_PARAM and E_MEMBER */
	struct xmlrpc_value *items;	/* of those that hold several */
	size_t n, cap;
};

struct parser {
	XML_Parser xml;
	struct arena *arena;
	struct err *err;
	enum status st;
	struct frame frame[ELEMENTS_MAX];
	size_t depth;		/* of frame[], E_DOCUMENT being 0 */
	size_t values;		/* in the whole call */
	size_t open_values;
	struct buf text;	/* since the last tag */
};

static void
stop(struct parser *p, enum status st, const char *what)
{
	if (p->st != OK)
		return;
	p->st = err_set(p->err, st, "%s (line %lu)", what,
	    (unsigned long)XML_GetCurrentLineNumber(p->xml));
	XML_StopParser(p->xml, XML_FALSE);
}

static enum element
element_of(const char *name)
{
	for (size_t i = 0; i < sizeof(element_names) / sizeof(element_names[0]);
	    i++)
		if (strcmp(name, element_names[i].name) == 0)
			return element_names[i].element;
	return E_UNKNOWN;
}

/* May this element begin within that one, now? */
static bool
fits(const struct frame *in, enum element e)
{
	unsigned bit = BIT(e);

	if (e == E_UNKNOWN || !(grammar[in->element].children & bit))
		return false;
	if ((in->seen & bit) && !(grammar[in->element].repeated & bit))
		return false;
	if (in->element == E_VALUE && in->seen)
		return false;
	return bit == grammar[in->element].first ||
	    (in->seen & grammar[in->element].first) ==
	    grammar[in->element].first;
}

static bool
is_blank(const struct buf *text)
{
	return str_trim(buf_view(text)).n == 0;
}

static void XMLCALL
on_start(void *arg, const char *name, const char **attributes)
{
	struct parser *p = arg;
	struct frame *in = &p->frame[p->depth];
	enum element e = element_of(name);

	if (p->st != OK)
		return;
	if (!fits(in, e) || attributes[0] || !is_blank(&p->text)) {
		stop(p, INVALID, "not the XML of an XML-RPC call");
		return;
	}
	if (e == E_VALUE && (++p->values > XMLRPC_VALUES_MAX ||
	    ++p->open_values > XMLRPC_DEPTH_MAX)) {
		stop(p, TOO_LARGE, "too many values, or too deeply nested");
		return;
	}
	in->seen |= BIT(e);
	p->frame[++p->depth] = (struct frame){ .element = e };
	p->text.len = 0;
}

static bool
read_int(struct str s, int64_t *out)
{
	s = str_trim(s);
	if (str_starts(s, STR("+")))
		return str_int64(str_sub(s, 1, s.n), 0, INT64_MAX, out) == OK;
	return str_int64(s, INT64_MIN, INT64_MAX, out) == OK;
}

static struct str
skip_digits(struct str s)
{
	size_t i = 0;

	while (i < s.n && is_digit(s.p[i]))
		i++;
	return str_sub(s, i, s.n);
}

static struct str
skip_sign(struct str s)
{
	return s.n && (s.p[0] == '+' || s.p[0] == '-') ?
	    str_sub(s, 1, s.n) : s;
}

/* Sign, digits with a point among them, exponent: no names, no hexadecimal. */
static bool
is_decimal(struct str s)
{
	struct str rest = skip_sign(s);
	size_t digits;

	digits = rest.n;
	rest = skip_digits(rest);
	digits -= rest.n;
	if (rest.n && rest.p[0] == '.') {
		rest = str_sub(rest, 1, rest.n);
		digits += rest.n;
		rest = skip_digits(rest);
		digits -= rest.n;
	}
	if (digits == 0)
		return false;
	if (rest.n && to_lower(rest.p[0]) == 'e') {
		rest = skip_sign(str_sub(rest, 1, rest.n));
		return rest.n && skip_digits(rest).n == 0;
	}
	return rest.n == 0;
}

static bool
read_double(struct arena *a, struct str s, double *out)
{
	s = str_trim(s);
	if (!is_decimal(s))
		return false;
	*out = strtod(str_z(a, s), NULL);
	return isfinite(*out);
}

/* YYYYMMDDTHH:MM:SS, the one form that the specification shows. */
static bool
is_datetime(struct str s)
{
	static const char form[] = "ddddddddTdd:dd:dd";

	if (s.n != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (form[i] == 'd' ? !is_digit(s.p[i]) : s.p[i] != form[i])
			return false;
	return true;
}

/* Python's client and others break it into lines. */
static bool
read_base64(struct arena *a, struct str s, struct str *out)
{
	struct buf digits = buf_new(a);

	for (size_t i = 0; i < s.n; i++)
		if (!is_space(s.p[i]))
			buf_byte(&digits, s.p[i]);
	return base64_decode(a, buf_view(&digits), out) == OK;
}

/* Make a value of an element that holds text. */
static bool
read_scalar(struct parser *p, enum element e, struct xmlrpc_value *v)
{
	struct str text = buf_view(&p->text);

	switch (e) {
	case E_INT:
		v->type = XMLRPC_INT;
		return read_int(text, &v->integer);
	case E_BOOL:
		v->type = XMLRPC_BOOL;
		v->integer = str_eq(text, STR("1"));
		return v->integer || str_eq(text, STR("0"));
	case E_DOUBLE:
		v->type = XMLRPC_DOUBLE;
		return read_double(p->arena, text, &v->number);
	case E_DATETIME:
		v->type = XMLRPC_DATETIME;
		v->text = str_dup(p->arena, str_trim(text));
		return is_datetime(v->text);
	case E_BASE64:
		v->type = XMLRPC_BASE64;
		return read_base64(p->arena, text, &v->text);
	default:
		v->type = XMLRPC_STRING;
		v->text = str_dup(p->arena, text);
		return true;
	}
}

static void
add_item(struct parser *p, struct frame *to, const struct xmlrpc_value *v)
{
	if (to->n == to->cap) {
		size_t cap = to->cap ? to->cap * 2 : 4;

		to->items = arena_grow(p->arena, to->items,
		    to->cap * sizeof(*v), cap * sizeof(*v));
		to->cap = cap;
	}
	to->items[to->n++] = *v;
}

/* The identifier characters of the specification. */
static bool
is_method_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && !memchr("_.:/", s.p[i], 4))
			return false;
	return s.n > 0;
}

/* What an element was, told to the one around it. */
static bool
close_element(struct parser *p, struct frame *f, struct frame *in)
{
	switch (f->element) {
	case E_METHOD:
		in->name = str_dup(p->arena, buf_view(&p->text));
		return is_method_name(in->name);
	case E_NAME:
		in->name = str_dup(p->arena, buf_view(&p->text));
		return true;
	case E_VALUE:
		p->open_values--;
		if (!f->seen)
			(void)read_scalar(p, E_STRING, &f->value);
		if (in->element == E_DATA)
			add_item(p, in, &f->value);
		in->value = f->value;
		return true;
	case E_MEMBER:
		f->value.name = f->name;
		add_item(p, in, &f->value);
		return true;
	case E_PARAM:
		add_item(p, in, &f->value);
		return true;
	case E_PARAMS:
	case E_DATA:
	case E_CALL:
		in->name = f->element == E_CALL ? f->name : in->name;
		in->items = f->items;
		in->n = f->n;
		return true;
	case E_ARRAY:
	case E_STRUCT:
		in->value = (struct xmlrpc_value){
			.type = f->element == E_ARRAY ? XMLRPC_ARRAY :
			    XMLRPC_STRUCT,
			.items = f->items, .n = f->n,
		};
		return true;
	case E_NIL:
		in->value.type = XMLRPC_NIL;
		return true;
	default:
		return read_scalar(p, f->element, &in->value);
	}
}

static void XMLCALL
on_end(void *arg, const char *name)
{
	struct parser *p = arg;
	struct frame *f = &p->frame[p->depth];
	unsigned needed = grammar[f->element].needed;
	bool may_hold_text = grammar[f->element].text && !f->seen;

	(void)name;	/* expat saw to it that it is the open one's */
	if (p->st != OK)
		return;
	if ((f->seen & needed) != needed ||
	    (!may_hold_text && !is_blank(&p->text)))
		stop(p, INVALID, "not the XML of an XML-RPC call");
	else if (!close_element(p, f, f - 1))
		stop(p, INVALID, "a value that is not of its type");
	p->depth--;
	p->text.len = 0;
}

static void XMLCALL
on_text(void *arg, const char *text, int n)
{
	struct parser *p = arg;

	if (p->st == OK)
		buf_put(&p->text, (struct str){ text, (size_t)n });
}

static void XMLCALL
on_doctype(void *arg, const char *name, const char *system_id,
    const char *public_id, int has_internal)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_internal;
	stop(arg, INVALID, "a document type is not allowed");
}

/*
 * lxml says encoding='ASCII', and so do aiohttp_xmlrpc and bandersnatch up to
 * 7; expat knows it as US-ASCII only.
 */
static int XMLCALL
on_unknown_encoding(void *arg, const char *name, XML_Encoding *info)
{
	(void)arg;
	if (!str_eq_nocase(str_c(name), STR("ASCII")))
		return XML_STATUS_ERROR;
	for (int i = 0; i < 256; i++)
		info->map[i] = i < 0x80 ? i : -1;
	info->data = NULL;
	info->convert = NULL;
	info->release = NULL;
	return XML_STATUS_OK;
}

static enum status
run_expat(struct parser *p, struct str body)
{
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, on_start, on_end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	XML_SetUnknownEncodingHandler(p->xml, on_unknown_encoding, NULL);
	if (XML_Parse(p->xml, body.p, (int)body.n, XML_TRUE) ==
	    XML_STATUS_ERROR && p->st == OK)
		stop(p, INVALID, XML_ErrorString(XML_GetErrorCode(p->xml)));
	return p->st;
}

enum status
xmlrpc_parse(struct arena *arena, struct str body, struct xmlrpc_call *out,
    struct err *err)
{
	struct parser *p = arena_alloc(arena, sizeof(*p));
	enum status st;

	if (body.n > XMLRPC_BODY_MAX)
		return err_set(err, TOO_LARGE, "the call is over %zu bytes",
		    XMLRPC_BODY_MAX);
	p->arena = arena;
	p->err = err;
	p->text = buf_new(arena);
	p->xml = XML_ParserCreate(NULL);
	if (!p->xml)
		return err_set(err, UNAVAILABLE, "no memory for expat");
	st = run_expat(p, body);
	XML_ParserFree(p->xml);
	if (st != OK)
		return st;
	*out = (struct xmlrpc_call){
		.method = p->frame[0].name,
		.params = p->frame[0].items, .n = p->frame[0].n,
	};
	return OK;
}

const struct xmlrpc_value *
xmlrpc_find(const struct xmlrpc_value *of, struct str name)
{
	for (size_t i = of->type == XMLRPC_STRUCT ? of->n : 0; i > 0; i--)
		if (str_eq(of->items[i - 1].name, name))
			return &of->items[i - 1];
	return NULL;
}

void
xmlrpc_begin_response(struct buf *b)
{
	buf_put(b, STR("<?xml version='1.0' encoding='UTF-8'?>\n"
	    "<methodResponse>\n<params>\n<param>\n"));
}

void
xmlrpc_end_response(struct buf *b)
{
	buf_put(b, STR("</param>\n</params>\n</methodResponse>\n"));
}

void
xmlrpc_int(struct buf *b, int64_t value)
{
	bool small = value >= INT32_MIN && value <= INT32_MAX;

	buf_put(b, small ? STR("<value><int>") : STR("<value><i8>"));
	buf_int(b, value);
	buf_put(b, small ? STR("</int></value>\n") : STR("</i8></value>\n"));
}

void
xmlrpc_bool(struct buf *b, bool value)
{
	buf_put(b, STR("<value><boolean>"));
	buf_byte(b, value ? '1' : '0');
	buf_put(b, STR("</boolean></value>\n"));
}

void
xmlrpc_str(struct buf *b, struct str value)
{
	buf_put(b, STR("<value><string>"));
	buf_xml(b, value);
	buf_put(b, STR("</string></value>\n"));
}

void
xmlrpc_datetime(struct buf *b, int64_t wall_us)
{
	buf_put(b, STR("<value><dateTime.iso8601>"));
	clock_xmlrpc(b, wall_us);
	buf_put(b, STR("</dateTime.iso8601></value>\n"));
}

void
xmlrpc_nil(struct buf *b)
{
	buf_put(b, STR("<value><nil/></value>\n"));
}

void
xmlrpc_array(struct buf *b)
{
	buf_put(b, STR("<value><array><data>\n"));
}

void
xmlrpc_array_end(struct buf *b)
{
	buf_put(b, STR("</data></array></value>\n"));
}

void
xmlrpc_struct(struct buf *b)
{
	buf_put(b, STR("<value><struct>\n"));
}

void
xmlrpc_member(struct buf *b, struct str name)
{
	buf_put(b, STR("<member>\n<name>"));
	buf_xml(b, name);
	buf_put(b, STR("</name>\n"));
}

void
xmlrpc_member_end(struct buf *b)
{
	buf_put(b, STR("</member>\n"));
}

void
xmlrpc_struct_end(struct buf *b)
{
	buf_put(b, STR("</struct></value>\n"));
}

void
xmlrpc_fault(struct buf *b, int code, struct str text)
{
	buf_put(b, STR("<?xml version='1.0' encoding='UTF-8'?>\n"
	    "<methodResponse>\n<fault>\n"));
	xmlrpc_struct(b);
	xmlrpc_member(b, STR("faultCode"));
	xmlrpc_int(b, code);
	xmlrpc_member_end(b);
	xmlrpc_member(b, STR("faultString"));
	xmlrpc_str(b, text);
	xmlrpc_member_end(b);
	xmlrpc_struct_end(b);
	buf_put(b, STR("</fault>\n</methodResponse>\n"));
}
