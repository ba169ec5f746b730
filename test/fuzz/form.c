/*
 * Fuzz the form of an upload: http/multipart, then index/upload's fields and
 * checks, as tilsit-upload puts them together.  The input is a policy in one
 * byte, a boundary up to a newline, and the body.
 *
 * Laws: whatever arrives, a form without findings has a normal name, a version
 * and text in all of its fields; findings are counted and are text.
 */
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/findings.h"
#include "base/panic.h"
#include "base/utf8.h"
#include "http/multipart.h"
#include "http/request.h"
#include "index/index.h"
#include "index/upload.h"
#include "io/config.h"
#include "pkg/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct multipart_limits limits = {
	.fields = 100, .field_bytes = 4000, .form_bytes = 20000,
	.header_bytes = 500, .total_bytes = 1 << 20,
};

/* The form under way; as app/upload/form.c, but a file goes nowhere. */
struct reading {
	struct arena *arena;
	struct upload up;
	struct findings found;
	struct str name;
	struct buf value;
	bool is_file;
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
	struct str *left = arg;

	if (n > left->n)
		n = left->n;
	if (n)
		memcpy(into, left->p, n);
	*left = str_sub(*left, n, left->n);
	return (ssize_t)n;
}

static enum status
on_begin(void *arg, const struct multipart_part *part, struct err *err)
{
	struct reading *r = arg;

	(void)err;
	r->name = str_dup(r->arena, part->name);
	r->is_file = part->is_file;
	r->value.len = 0;
	return OK;
}

static enum status
on_data(void *arg, struct str bytes, struct err *err)
{
	struct reading *r = arg;

	(void)err;
	if (!r->is_file)
		buf_put(&r->value, bytes);
	return OK;
}

static enum status
on_end(void *arg, struct err *err)
{
	struct reading *r = arg;

	(void)err;
	if (!r->is_file)
		upload_field(r->arena, &r->up, r->name, buf_view(&r->value),
		    &r->found);
	return OK;
}

static void
check_good(const struct upload *up)
{
	must(name_is_normal(up->project), "a good form has a project");
	must(up->version.release.n > 0, "a good form has a version");
	must(up->comment.n <= UPLOAD_COMMENT_BYTES, "comments are short");
	must(str_find(up->comment, '\0', 0) == up->comment.n,
	    "comments are text");
	for (size_t i = 0; i < METADATA_FIELDS; i++) {
		const struct str_list *values = &up->form.values[i];

		must(values->n <= limits.fields, "no field comes of nothing");
		must(values->n <= 1 ||
		    metadata_rule((enum metadata_field)i)->is_list,
		    "a good form has one value for a scalar");
		for (size_t k = 0; k < values->n; k++)
			must(utf8_is_valid(values->at[k]) &&
			    str_find(values->at[k], '\0', 0) ==
			    values->at[k].n, "a good form is text");
	}
}

static void
check_form(struct reading *r, bool lenient)
{
	const struct config config = {
		.allow_private_classifiers = lenient,
		.allow_local_versions = lenient,
	};
	struct index ix = { .config = &config };

	upload_check_form(&ix, r->arena, &r->up, &r->found);
	must(r->found.n <= r->found.total, "findings are counted");
	for (size_t i = 0; i < r->found.n; i++)
		must(r->found.at[i].text.n > 0, "a finding says something");
	if (r->found.total == 0)
		check_good(&r->up);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct multipart_sink sink = {
		on_begin, on_data, on_end,
	};
	struct arena *a = arena_new((size_t)64 << 20);
	struct str boundary, left = { (const char *)data, size };
	struct reading r = { .arena = a, .found = findings_new(a),
	    .value = buf_new(a) };
	struct request rq = { .arena = a, .content_length = -1,
	    .body_source = &left, .body_read = read_source };
	struct err err;

	if (size > 0) {
		str_cut(str_sub(left, 1, size), '\n', &boundary, &left);
		rq.content_type = str_fmt(a, "multipart/form-data; "
		    "boundary=%.*s", STR_ARG(boundary));
		if (multipart_read(&rq, &limits, &sink, &r, &err) == OK)
			check_form(&r, data[0] & 1);
	}
	arena_free(a);
	return 0;
}
