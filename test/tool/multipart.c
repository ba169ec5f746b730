/*
 * multipart: "CONTENT-TYPE" "BODY" "STEP" -> the status, and for each part its
 * name, its file name or "-", its type and its content, all in quoted hex.
 * The body arrives in pieces of 1 to STEP bytes.
 */
#include "tool/cases.h"

#include <string.h>

#include "base/buf.h"
#include "http/multipart.h"
#include "http/request.h"

struct source {
	struct str left;
	size_t step;
	size_t next;	/* size of the next piece */
};

static ssize_t
read_source(void *arg, void *into, size_t n)
{
	struct source *source = arg;

	source->next = source->next % source->step + 1;
	if (n > source->next)
		n = source->next;
	if (n > source->left.n)
		n = source->left.n;
	if (n)
		memcpy(into, source->left.p, n);
	source->left = str_sub(source->left, n, source->left.n);
	return (ssize_t)n;
}

static void
put_hex(struct buf *out, struct str s)
{
	buf_put(out, STR(" '"));
	buf_hex(out, s.p, s.n);
	buf_byte(out, '\'');
}

static enum status
on_begin(void *arg, const struct multipart_part *part, struct err *err)
{
	struct buf *out = arg;

	(void)err;
	put_hex(out, part->name);
	if (part->is_file)
		put_hex(out, part->filename);
	else
		buf_put(out, STR(" -"));
	put_hex(out, part->type);
	buf_put(out, STR(" '"));
	return OK;
}

static enum status
on_data(void *arg, struct str bytes, struct err *err)
{
	(void)err;
	buf_hex(arg, bytes.p, bytes.n);
	return OK;
}

static enum status
on_end(void *arg, struct err *err)
{
	(void)err;
	buf_byte(arg, '\'');
	return OK;
}

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	static const struct multipart_limits limits = {
		.fields = 1000, .field_bytes = 1 << 20, .form_bytes = 1 << 22,
		.header_bytes = MULTIPART_HEADER_MAX,
		.total_bytes = 1 << 24,
	};
	static const struct multipart_sink sink = {
		on_begin, on_data, on_end,
	};
	struct source source = { .left = fields[1] };
	struct request rq = {
		.arena = a, .content_type = fields[0], .body_source = &source,
		.content_length = (int64_t)fields[1].n,
		.body_read = read_source,
	};
	struct buf out = buf_new(a);
	int64_t step = 0;
	enum status st;

	if (count != 3 || str_int64(fields[2], 1, INT32_MAX, &step) != OK)
		panic("a case is type, body and step");
	source.step = (size_t)step;
	st = multipart_read(&rq, &limits, &sink, &out, NULL);
	put_str(str_c(status_name(st)));
	if (st == OK)
		put_str(buf_view(&out));
}

int
main(void)
{
	return answer_cases(answer);
}
