/* metadata: read METADATA and PKG-INFO files. */
#include "pkg/metadata.h"

#include <string.h>

#include "base/arena.h"
#include "base/findings.h"
#include "base/utf8.h"

struct parser {
	struct arena *arena;
	struct metadata *out;
	struct findings *found;
	struct str rest;	/* what was not read yet */
	size_t headers;		/* read so far */
};

/* Take a line with its end (LF, CRLF or CR) off the rest. */
static struct str
next_line(struct str *rest)
{
	size_t end = 0;
	struct str line;

	while (end < rest->n && rest->p[end] != '\n' && rest->p[end] != '\r')
		end++;
	if (end + 1 < rest->n && rest->p[end] == '\r' &&
	    rest->p[end + 1] == '\n')
		end++;
	line = str_sub(*rest, 0, end + 1);
	*rest = str_sub(*rest, end + 1, rest->n);
	return line;
}

static bool
is_continuation(struct str rest)
{
	return rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t');
}

static bool
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static struct str
without_line_end(struct str line)
{
	while (line.n && is_line_end(line.p[line.n - 1]))
		line.n--;
	return line;
}

/*
 * Length of a header's name: printable ASCII up to a colon (RFC 5322 section
 * 2.2).  line.n when this is no header, and so the begin of the body.
 */
static size_t
name_length(struct str line)
{
	size_t i = 0;

	while (i < line.n && line.p[i] > ' ' && line.p[i] < 0x7f &&
	    line.p[i] != ':')
		i++;
	return i < line.n && line.p[i] == ':' ? i : line.n;
}

/*
 * The continuation lines of Description were indented by 8 spaces (distutils,
 * setuptools), or by 7 and a '|' (core metadata 1.2).
 */
static struct str
unindent(struct str line)
{
	if (str_starts(line, STR("        ")) ||
	    str_starts(line, STR("       |")))
		return str_sub(line, 8, line.n);
	return line;
}

/* Length of the lines that continue the last header. */
static size_t
continuation_length(struct str rest)
{
	size_t all = rest.n;

	while (is_continuation(rest))
		next_line(&rest);
	return all - rest.n;
}

/*
 * A folded header's value in one piece; first is what follows the colon.
 * The value never is longer than the lines were, so it fits into their room.
 */
static struct str
unfold(struct parser *p, enum metadata_field field, struct str first)
{
	bool is_description = field == METADATA_DESCRIPTION;
	size_t room = continuation_length(p->rest);
	struct str value = str_trim(first);
	char *text;

	if (room == 0)
		return value;
	text = arena_alloc(p->arena, value.n + room + 1);
	if (value.n)
		memcpy(text, value.p, value.n);
	value.p = text;
	while (is_continuation(p->rest)) {
		struct str line = without_line_end(next_line(&p->rest));

		line = is_description ? unindent(line) : str_trim(line);
		if (value.n && (is_description || line.n))
			text[value.n++] = is_description ? '\n' : ' ';
		if (line.n)
			memcpy(text + value.n, line.p, line.n);
		value.n += line.n;
	}
	return is_description ? without_line_end(value) : value;
}

static void
skip_continuation(struct parser *p)
{
	while (is_continuation(p->rest))
		next_line(&p->rest);
}

/*
 * Was the file written before metadata was UTF-8?  Python 2's distutils wrote
 * what setup.py had, mostly Latin-1; what is 2.1 or later knows better.
 */
static bool
may_be_latin1(const struct parser *p)
{
	struct str version = metadata_get(p->out, METADATA_METADATA_VERSION);

	return str_starts(version, STR("1.")) || str_eq(version, STR("2.0"));
}

/* Bytes that Latin-1 has for control characters become U+FFFD. */
static struct str
latin1_to_utf8(struct arena *a, struct str value)
{
	char *text = arena_alloc(a, 3 * value.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c < 0x80) {
			text[n++] = value.p[i];
		} else if (c < 0xa0) {
			memcpy(text + n, "\xef\xbf\xbd", 3);
			n += 3;
		} else {
			text[n++] = (char)(0xc0 | c >> 6);
			text[n++] = (char)(0x80 | (c & 0x3f));
		}
	}
	return (struct str){ text, n };
}

static void
keep(struct parser *p, enum metadata_field field, struct str value)
{
	const struct metadata_rule *rule = metadata_rule(field);

	if (!utf8_is_valid(value) && may_be_latin1(p))
		value = latin1_to_utf8(p->arena, value);
	if (!utf8_is_valid(value))
		findings_add(p->found, rule->form,
		    "%s in the file is not UTF-8", rule->header.p);
	else if (!rule->is_list && p->out->values[field].n)
		findings_add(p->found, rule->form,
		    "%s is in the file more than once", rule->header.p);
	else
		metadata_add(p->arena, p->out, field, value);
}

/* Read one header.  False at the end of them; the rest is then the body. */
static bool
read_header(struct parser *p)
{
	struct str rest = p->rest, line = next_line(&rest);
	size_t n = name_length(line);
	enum metadata_field field;

	if (line.n == 0)
		return false;
	if (is_line_end(line.p[0])) {
		p->rest = rest;
		return false;
	}
	if (n == line.n && !is_continuation(line) &&
	    !str_starts(line, STR("From ")))
		return false;
	p->rest = rest;
	p->headers++;
	if (metadata_field_find_header(str_sub(line, 0, n), &field))
		keep(p, field, unfold(p, field, str_sub(line, n + 1, line.n)));
	else
		skip_continuation(p);
	return true;
}

static void
read_body(struct parser *p)
{
	bool has_header = p->out->values[METADATA_DESCRIPTION].n > 0;

	if (has_header && str_trim(p->rest).n == 0)
		return;
	if (has_header)
		findings_add(p->found, STR("description"),
		    "The file has a Description both in a header and in its "
		    "body");
	else if (str_trim(p->rest).n)
		keep(p, METADATA_DESCRIPTION, p->rest);
}

enum status
metadata_parse(struct arena *a, struct str bytes, struct metadata *out,
    struct findings *found)
{
	struct parser p = { a, out, found, bytes, 0 };
	size_t before = found->total;

	memset(out, 0, sizeof(*out));
	if (bytes.n > METADATA_MAX_BYTES) {
		findings_add(found, STR("content"),
		    "The metadata file is over %zu bytes", METADATA_MAX_BYTES);
		return TOO_LARGE;
	}
	while (p.headers < METADATA_MAX_HEADERS && read_header(&p))
		;
	if (p.headers == METADATA_MAX_HEADERS)
		findings_add(found, STR("content"),
		    "The metadata file has over %d headers",
		    METADATA_MAX_HEADERS - 1);
	else
		read_body(&p);
	return found->total == before ? OK : INVALID;
}
