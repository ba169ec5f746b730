/*
 * Fuzz http/multipart.  The input is the size of the pieces in two bytes, a
 * boundary up to a newline, and the body.
 *
 * Laws: the pieces make no difference; begin, data and end come in order; no
 * more content comes out than went in; a form that is OK was read to its end;
 * names are text; limits hold.
 */
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"
#include "base/utf8.h"
#include "http/multipart.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct multipart_limits limits = {
	.fields = 8, .field_bytes = 300, .form_bytes = 500,
	.header_bytes = 200, .total_bytes = 100000,
};

struct source {
	struct str left;
	size_t step;
};

/* What the sink saw, written down, and what it must see next. */
struct seen {
	struct buf all;
	size_t content;
	size_t parts;
	bool open;
};

static void
must(bool law, const char *what)
{
	if (!law)
		panic("broken law: %s", what);
}

static ssize_t
read_source(void *arg, void *into, size_t n)
{
	struct source *source = arg;

	if (n > source->step)
		n = source->step;
	if (n > source->left.n)
		n = source->left.n;
	if (n)
		memcpy(into, source->left.p, n);
	source->left = str_sub(source->left, n, source->left.n);
	return (ssize_t)n;
}

static enum status
on_begin(void *arg, const struct multipart_part *part, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	must(!seen->open, "a part begins when none is open");
	must(part->name.n > 0 && utf8_is_valid(part->name), "name is text");
	must(utf8_is_valid(part->filename), "file name is text");
	must(part->is_file || part->filename.n == 0, "is_file tells");
	must(part->name.n + part->filename.n + part->type.n <=
	    limits.header_bytes, "header limit");
	must(++seen->parts <= limits.fields, "field limit");
	seen->open = true;
	buf_put(&seen->all, part->name);
	buf_byte(&seen->all, part->is_file ? '(' : '=');
	buf_put(&seen->all, part->filename);
	buf_put(&seen->all, part->type);
	buf_byte(&seen->all, ')');
	return OK;
}

static enum status
on_data(void *arg, struct str bytes, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	must(seen->open && bytes.n > 0, "content belongs to a part");
	seen->content += bytes.n;
	buf_put(&seen->all, bytes);
	return OK;
}

static enum status
on_end(void *arg, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	must(seen->open, "a part ends that is open");
	seen->open = false;
	buf_byte(&seen->all, '\n');
	return OK;
}

static enum status
read_form(struct arena *a, struct str type, struct str body, size_t step,
    struct seen *seen)
{
	static const struct multipart_sink sink = {
		on_begin, on_data, on_end,
	};
	struct source source = { body, step };
	struct request rq = {
		.arena = a, .content_type = type, .content_length = -1,
		.body_source = &source, .body_read = read_source,
	};
	struct err err = { .code = OK };
	enum status st;

	*seen = (struct seen){ .all = buf_new(a) };
	st = multipart_read(&rq, &limits, &sink, seen, &err);
	must(st != OK || (!seen->open && source.left.n == 0),
	    "all is read and closed");
	must(st == OK || (err.code == st && err.text[0]), "err explains");
	must(seen->content <= body.n, "content comes from the body");
	return st;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)16 << 20);
	struct str boundary, type, body = { (const char *)data, size };
	struct seen whole, pieces;
	size_t step;

	if (size >= 2) {
		step = 1 + (data[0] | (size_t)data[1] << 8) % 300;
		str_cut(str_sub(body, 2, size), '\n', &boundary, &body);
		type = str_fmt(a, "multipart/form-data; boundary=%.*s",
		    STR_ARG(boundary));
		must(read_form(a, type, body, SIZE_MAX, &whole) ==
		    read_form(a, type, body, step, &pieces),
		    "pieces do not change the status");
		must(whole.open || str_eq(buf_view(&whole.all),
		    buf_view(&pieces.all)), "nor the form");
	}
	arena_free(a);
	return 0;
}
