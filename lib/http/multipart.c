#include "http/multipart.h"

#include <string.h>

#include "base/arena.h"
#include "base/panic.h"
#include "base/utf8.h"
#include "http/mime.h"
#include "http/request.h"

#define BOUNDARY_MAX	((size_t)70)	/* bytes; RFC 2046 section 5.1.1 */
#define PADDING_MAX	((size_t)256)	/* bytes of space after a boundary */

/*
 * The buffer holds a stretch of the body.  Where a delimiter may follow at
 * once, at the start of the body and of each content, the stretch begins with
 * a newline that belongs to neither, so that every delimiter begins with one.
 */
struct reader {
	struct request *rq;
	const struct multipart_limits *limits;
	const struct multipart_sink *sink;
	void *arg;
	struct err *err;
	struct str delimiter;	/* newline, "--", boundary */
	char *buffer;		/* MULTIPART_BUFFER bytes */
	size_t start, end;	/* of what is still to be read in it */
	bool ended;		/* nothing will follow what is in the buffer */
	int64_t total;		/* bytes of the body so far */
	char *names;		/* texts of the part, header_bytes of room */
	size_t names_used;
	struct multipart_part part;
	size_t parts;
	size_t value_bytes;	/* of this part, if it is no file */
	size_t form_bytes;	/* of all parts that are none */
};

/* RFC 2046 section 5.1.1, bchars. */
static bool
is_boundary(struct str s)
{
	if (s.n == 0 || s.n > BOUNDARY_MAX || s.p[s.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && (s.p[i] == '\0' ||
		    !strchr("'()+_,-./:=? ", s.p[i])))
			return false;
	return true;
}

enum status
multipart_boundary(struct arena *arena, struct str content_type,
    struct str *boundary, struct err *err)
{
	struct str found = STR("");
	struct mime_param param;
	enum status st;

	if (!str_eq_nocase(mime_main(&content_type),
	    STR("multipart/form-data")))
		return err_set(err, INVALID, "the form must be sent as "
		    "multipart/form-data");
	while ((st = mime_next(&content_type, &param)) == OK) {
		if (!str_eq_nocase(param.name, STR("boundary")))
			continue;
		if (found.n)
			return err_set(err, INVALID, "two boundaries in the "
			    "Content-Type");
		if (param.value.n > 2 * BOUNDARY_MAX)
			return err_set(err, INVALID, "boundary is over %zu "
			    "bytes", BOUNDARY_MAX);
		found = mime_text(&param, arena_alloc(arena, param.value.n));
	}
	if (st != NOT_FOUND)
		return err_set(err, INVALID, "malformed Content-Type");
	if (!is_boundary(found))
		return err_set(err, INVALID, "no boundary in the "
		    "Content-Type, or one that RFC 2046 does not allow");
	*boundary = found;
	return OK;
}

static struct str
unread(const struct reader *r)
{
	return (struct str){ r->buffer + r->start, r->end - r->start };
}

/*
 * Read more behind what is there.  Whoever calls this cannot do without:
 * a body that has ended is INVALID.
 */
static enum status
fill(struct reader *r)
{
	long got;

	if (r->ended)
		return err_set(r->err, INVALID, "the form ends before its "
		    "last delimiter");
	if (r->start > 0) {
		r->end -= r->start;
		memmove(r->buffer, r->buffer + r->start, r->end);
		r->start = 0;
	}
	if (r->end == MULTIPART_BUFFER)
		panic("no room to look ahead");
	got = request_body_read(r->rq, r->buffer + r->end,
	    MULTIPART_BUFFER - r->end);
	if (got < 0)
		return err_set(r->err, INVALID, "the form was cut off after "
		    "%lld bytes", (long long)r->total);
	r->ended = got == 0;
	r->end += (size_t)got;
	r->total += got;
	if (r->total > r->limits->total_bytes)
		return err_set(r->err, TOO_LARGE, "the form is over %lld "
		    "bytes", (long long)r->limits->total_bytes);
	return OK;
}

/* What stands behind newline, dashes and boundary. */
enum line {
	LINE_CONTENT,	/* no delimiter, though it began like one */
	LINE_UNKNOWN,	/* cannot be told before more is read */
	LINE_NEXT,	/* a delimiter, another part follows */
	LINE_LAST,	/* the last delimiter */
};

/*
 * Tell what a line is by its rest; *n gets the length of that.  Only white
 * space may follow (RFC 2046: transport-padding), and so a boundary that is
 * the beginning of a longer line is content.  The last delimiter needs no
 * newline at the end of the body.
 */
static enum line
line_kind(struct str rest, bool ended, size_t *n)
{
	enum line kind = str_starts(rest, STR("--")) ? LINE_LAST : LINE_NEXT;
	size_t i = kind == LINE_LAST ? 2 : 0;

	if (str_eq(rest, STR("-")))
		return ended ? LINE_CONTENT : LINE_UNKNOWN;
	while (i < rest.n && (rest.p[i] == ' ' || rest.p[i] == '\t'))
		i++;
	if (i > PADDING_MAX)
		return LINE_CONTENT;
	if (i < rest.n && rest.p[i] == '\r')
		i++;
	*n = i;
	if (i == rest.n)
		return ended && kind == LINE_LAST ? LINE_LAST : LINE_UNKNOWN;
	*n = i + 1;
	return rest.p[i] == '\n' ? kind : LINE_CONTENT;
}

/*
 * Look for a delimiter in what is unread.  *at gets its position, and *behind
 * that of what follows it; of LINE_UNKNOWN, *at is where one may begin that is
 * not all there yet.
 */
static enum line
find_delimiter(const struct reader *r, size_t *at, size_t *behind)
{
	struct str seen = unread(r), mark = r->delimiter;
	size_t i = str_find_str(seen, mark, 0);

	for (; i < seen.n; i = str_find_str(seen, mark, i + 1)) {
		size_t n = 0;
		enum line kind = line_kind(str_sub(seen, i + mark.n, seen.n),
		    r->ended, &n);

		if (kind == LINE_CONTENT)
			continue;
		*at = i;
		*behind = i + mark.n + n;
		return kind;
	}
	*at = seen.n < mark.n ? 0 : seen.n - (mark.n - 1);
	return LINE_UNKNOWN;
}

static enum status
pass_on(struct reader *r, struct str bytes)
{
	const struct multipart_limits *limits = r->limits;

	if (!r->part.is_file) {
		r->value_bytes += bytes.n;
		r->form_bytes += bytes.n;
	}
	if (r->value_bytes > limits->field_bytes)
		return err_set(r->err, TOO_LARGE, "field \"%.*s\" is over "
		    "%zu bytes", STR_ARG(r->part.name), limits->field_bytes);
	if (r->form_bytes > limits->form_bytes)
		return err_set(r->err, TOO_LARGE, "all fields together are "
		    "over %zu bytes", limits->form_bytes);
	return r->sink->data(r->arg, bytes, r->err);
}

/*
 * Read up to the next delimiter and step over it; the sink gets what stands
 * before it, unless that is the preamble.  The newline before a delimiter is
 * part of it, whether CRLF or LF.
 */
static enum status
read_content(struct reader *r, bool preamble, bool *last)
{
	size_t from = 1;	/* behind the newline that is not content */
	enum status st = OK;

	for (;;) {
		size_t at, behind;
		enum line kind = find_delimiter(r, &at, &behind);
		struct str seen = unread(r);
		size_t to = at;

		if (to > from && seen.p[to - 1] == '\r')
			to--;
		if (to > from && !preamble)
			st = pass_on(r, str_sub(seen, from, to));
		if (st != OK)
			return st;
		if (kind != LINE_UNKNOWN) {
			r->start += behind;
			*last = kind == LINE_LAST;
			return OK;
		}
		if (to >= from) {
			r->start += to;
			from = 0;
		}
		st = fill(r);
		if (st != OK)
			return st;
	}
}

/*
 * Find the empty line that ends a part's header.  *head gets the lines before
 * it; what is unread begins with the newline of the empty line.
 */
static enum status
read_head(struct reader *r, struct str *head)
{
	size_t max = r->limits->header_bytes;
	size_t line = 0;	/* where the line begins that is looked at */

	for (;;) {
		struct str seen = unread(r);
		size_t end = str_find(seen, '\n', line);
		bool empty = end == line ||
		    (end == line + 1 && seen.p[line] == '\r');
		enum status st;

		/* The empty line's CR is not of the header. */
		if (line > max || (end == seen.n && seen.n > max + 1))
			return err_set(r->err, TOO_LARGE, "a part's header is "
			    "over %zu bytes", max);
		if (end < seen.n && empty) {
			*head = str_sub(seen, 0, line);
			r->start += end;
			return OK;
		}
		if (end < seen.n) {
			line = end + 1;
			continue;
		}
		st = fill(r);
		if (st != OK)
			return st;
	}
}

static enum status
malformed(const struct reader *r, const char *what)
{
	return err_set(r->err, INVALID, "part %zu of the form: %s", r->parts,
	    what);
}

/* Room for a text of the part that is n bytes long, or shorter. */
static char *
name_room(struct reader *r, size_t n)
{
	char *room = r->names + r->names_used;

	if (n > r->limits->header_bytes - r->names_used)
		panic("texts of a part longer than its header");
	r->names_used += n;
	return room;
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

/* A text that may come as "name" and as "name*", each once at most. */
struct named {
	struct str plain, extended;
	bool has_plain, has_extended;
};

static enum status
take_param(struct reader *r, const struct mime_param *param, struct named *out)
{
	bool extended = str_ends(param->name, STR("*"));
	bool *has = extended ? &out->has_extended : &out->has_plain;
	struct str *text = extended ? &out->extended : &out->plain;
	char *room = name_room(r, param->value.n);

	if (*has)
		return malformed(r, "a parameter is given twice");
	*has = true;
	if (!extended)
		*text = mime_text(param, room);
	else if (mime_extended(param, room, text) != OK)
		return malformed(r, "a name is not written as RFC 8187 says");
	if (has_control(*text) || !utf8_is_valid(*text))
		return malformed(r, "a name is not printable UTF-8");
	return OK;
}

static enum status
read_disposition(struct reader *r, struct str field)
{
	struct named name = { 0 }, filename = { 0 };
	struct mime_param param;
	enum status st;

	if (r->part.name.n)
		return malformed(r, "two Content-Disposition lines");
	if (!str_eq_nocase(mime_main(&field), STR("form-data")))
		return malformed(r, "Content-Disposition is not form-data");
	while ((st = mime_next(&field, &param)) == OK) {
		struct str key = param.name;

		if (str_ends(key, STR("*")))
			key.n--;
		if (str_eq_nocase(key, STR("name")))
			st = take_param(r, &param, &name);
		else if (str_eq_nocase(key, STR("filename")))
			st = take_param(r, &param, &filename);
		if (st != OK)
			return st;
	}
	if (st != NOT_FOUND)
		return malformed(r, "malformed Content-Disposition");
	r->part.name = name.has_extended ? name.extended : name.plain;
	r->part.is_file = filename.has_extended || filename.has_plain;
	r->part.filename = filename.has_extended ? filename.extended :
	    filename.plain;
	return r->part.name.n ? OK : malformed(r, "it has no name");
}

static enum status
read_type(struct reader *r, struct str value)
{
	if (r->part.type.n)
		return malformed(r, "two Content-Type lines");
	if (str_eq_nocase(str_sub(value, 0, 10), STR("multipart/")))
		return malformed(r, "a form within the form");
	r->part.type = (struct str){ name_room(r, value.n), value.n };
	if (value.n)
		memcpy(r->names + r->names_used - value.n, value.p, value.n);
	return OK;
}

/* RFC 7578 section 4.7 deprecates the field; who sends it encodes nothing. */
static bool
is_identity(struct str encoding)
{
	return str_eq_nocase(encoding, STR("binary")) ||
	    str_eq_nocase(encoding, STR("8bit")) ||
	    str_eq_nocase(encoding, STR("7bit"));
}

/* RFC 5322 section 2.2: printable ASCII without colon or space. */
static bool
is_field_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return s.n > 0;
}

static enum status
read_field(struct reader *r, struct str line)
{
	struct str name, value;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return malformed(r, "a header line is folded");
	if (!str_cut(line, ':', &name, &value) || !is_field_name(name))
		return malformed(r, "a header line without a name");
	value = str_trim(value);
	if (str_eq_nocase(name, STR("Content-Disposition")))
		return read_disposition(r, value);
	if (str_eq_nocase(name, STR("Content-Type")))
		return read_type(r, value);
	if (str_eq_nocase(name, STR("Content-Transfer-Encoding")) &&
	    !is_identity(value))
		return malformed(r, "it has a transfer encoding");
	return OK;
}

static bool
is_header_text(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if (((unsigned char)line.p[i] < ' ' && line.p[i] != '\t') ||
		    line.p[i] == 0x7f)
			return false;
	return utf8_is_valid(line);
}

static enum status
read_fields(struct reader *r, struct str head)
{
	enum status st;

	r->part = (struct multipart_part){ .is_file = false };
	r->names_used = 0;
	while (head.n) {
		struct str line;

		str_cut(head, '\n', &line, &head);
		if (str_ends(line, STR("\r")))
			line.n--;
		if (!is_header_text(line))
			return malformed(r, "its header is not UTF-8, or has "
			    "a control character in it");
		st = read_field(r, line);
		if (st != OK)
			return st;
	}
	return r->part.name.n ? OK : malformed(r, "it has no name");
}

static enum status
read_part(struct reader *r, bool *last)
{
	struct str head;
	enum status st;

	r->parts++;
	r->value_bytes = 0;
	if (r->parts > r->limits->fields)
		return err_set(r->err, TOO_LARGE, "the form has over %zu "
		    "fields", r->limits->fields);
	st = read_head(r, &head);
	if (st == OK)
		st = read_fields(r, head);
	if (st == OK)
		st = r->sink->begin(r->arg, &r->part, r->err);
	if (st == OK)
		st = read_content(r, false, last);
	if (st == OK)
		st = r->sink->end(r->arg, r->err);
	return st;
}

/* What follows the last delimiter; a kept connection needs it read. */
static enum status
skip_epilogue(struct reader *r)
{
	enum status st = OK;

	while (st == OK && !r->ended) {
		r->start = r->end;
		st = fill(r);
	}
	return st;
}

enum status
multipart_read(struct request *rq, const struct multipart_limits *limits,
    const struct multipart_sink *sink, void *arg, struct err *err)
{
	struct reader r = {
		.rq = rq, .limits = limits, .sink = sink, .arg = arg,
		.err = err,
	};
	struct str boundary;
	bool last = false;
	enum status st;

	if (limits->header_bytes > MULTIPART_HEADER_MAX)
		panic("part headers of %zu bytes", limits->header_bytes);
	if (rq->content_length > limits->total_bytes)
		return err_set(err, TOO_LARGE, "the form is over %lld bytes",
		    (long long)limits->total_bytes);
	st = multipart_boundary(rq->arena, rq->content_type, &boundary, err);
	if (st != OK)
		return st;
	r.delimiter = str_fmt(rq->arena, "\n--%.*s", STR_ARG(boundary));
	r.names = arena_alloc(rq->arena, limits->header_bytes);
	r.buffer = arena_alloc(rq->arena, MULTIPART_BUFFER);
	r.buffer[r.end++] = '\n';
	st = read_content(&r, true, &last);
	while (st == OK && !last)
		st = read_part(&r, &last);
	return st == OK ? skip_epilogue(&r) : st;
}
