#include "base/json.h"

#include "base/buf.h"
#include "base/panic.h"
#include "base/utf8.h"

struct json
json_new(struct buf *out)
{
	return (struct json){ .out = out };
}

/* The comma before a value or key, if one is due. */
static void
separate(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->depth > 0 && j->close[j->depth] == '}')
		panic("JSON value without a key");
	if (j->used[j->depth])
		buf_byte(j->out, ',');
	j->used[j->depth] = true;
}

static void
begin(struct json *j, char open, char close)
{
	separate(j);
	if (j->depth == JSON_DEPTH)
		panic("JSON deeper than %d", JSON_DEPTH);
	buf_byte(j->out, open);
	j->depth++;
	j->used[j->depth] = false;
	j->close[j->depth] = close;
}

void
json_object(struct json *j)
{
	begin(j, '{', '}');
}

void
json_array(struct json *j)
{
	begin(j, '[', ']');
}

void
json_end(struct json *j)
{
	if (j->depth == 0 || j->after_key)
		panic("JSON ends where it should not");
	buf_byte(j->out, j->close[j->depth]);
	j->depth--;
}

static void
escape_code(struct buf *out, unsigned c)
{
	static const char hex[] = "0123456789abcdef";
	char code[6] = { '\\', 'u', '0', '0', hex[c >> 4 & 15], hex[c & 15] };

	buf_put(out, (struct str){ code, sizeof(code) });
}

static void
escape_ascii(struct buf *out, unsigned c)
{
	switch (c) {
	case '"':  buf_put(out, STR("\\\"")); break;
	case '\\': buf_put(out, STR("\\\\")); break;
	case '\n': buf_put(out, STR("\\n")); break;
	case '\r': buf_put(out, STR("\\r")); break;
	case '\t': buf_put(out, STR("\\t")); break;
	default:   escape_code(out, c); break;
	}
}

static bool
needs_escape(uint32_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' ||
	    c == '&' || c == 0x7f;
}

static void
put_string(struct buf *out, struct str s)
{
	size_t start = 0;	/* of the stretch that needs no escaping */
	size_t i = 0;

	buf_byte(out, '"');
	while (i < s.n) {
		uint32_t c;
		size_t n = utf8_next(str_sub(s, i, s.n), &c);

		if (n == 0 || needs_escape(c)) {
			buf_put(out, str_sub(s, start, i));
			if (n == 0)
				buf_put(out, STR("\xef\xbf\xbd"));
			else
				escape_ascii(out, c);
			start = i + 1;
		}
		i += n ? n : 1;
	}
	buf_put(out, str_sub(s, start, s.n));
	buf_byte(out, '"');
}

void
json_key(struct json *j, struct str key)
{
	if (j->depth == 0 || j->close[j->depth] != '}' || j->after_key)
		panic("JSON key outside of an object");
	if (j->used[j->depth])
		buf_byte(j->out, ',');
	j->used[j->depth] = true;
	put_string(j->out, key);
	buf_byte(j->out, ':');
	j->after_key = true;
}

void
json_str(struct json *j, struct str value)
{
	separate(j);
	put_string(j->out, value);
}

void
json_str_or_null(struct json *j, struct str value)
{
	if (value.n)
		json_str(j, value);
	else
		json_null(j);
}

void
json_int(struct json *j, int64_t value)
{
	separate(j);
	buf_int(j->out, value);
}

void
json_bool(struct json *j, bool value)
{
	separate(j);
	buf_put(j->out, value ? STR("true") : STR("false"));
}

void
json_null(struct json *j)
{
	separate(j);
	buf_put(j->out, STR("null"));
}

void
json_raw(struct json *j, struct str value)
{
	separate(j);
	buf_put(j->out, value);
}
