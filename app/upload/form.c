#include "upload/form.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/findings.h"
#include "http/multipart.h"
#include "http/request.h"
#include "index/index.h"
#include "io/config.h"
#include "io/store.h"

/* A description may have a megabyte or two; all else is short. */
static const struct multipart_limits form_limits = {
	.fields = 5000,
	.field_bytes = METADATA_MAX_BYTES,
	.form_bytes = 2 * METADATA_MAX_BYTES,
	.header_bytes = 4096,
};

/* What a form may have beside its file; nginx leaves as much room. */
#define FORM_ROOM	((int64_t)16 << 20)

/* pypi.org dropped signatures in 2023; attestations it verifies itself. */
static bool
is_ignored_file(struct str name)
{
	return str_eq(name, STR("gpg_signature")) ||
	    str_eq(name, STR("attestations"));
}

/* The content's bytes go to the store; a second content is one too many. */
static enum status
begin_content(struct form *form, const struct multipart_part *part,
    struct err *err)
{
	struct arena *a = form->rq->arena;

	if (form->upload.staged) {
		findings_add(form->found, STR("content"),
		    "The form has two files; send one");
		form->part = PART_IGNORED;
		return OK;
	}
	if (str_starts(part->type, STR("image/")))
		findings_add(form->found, STR("content"), "Invalid "
		    "distribution file. It was sent as '%.*s'; send it as "
		    "application/octet-stream", STR_ARG(part->type));
	form->part = PART_CONTENT;
	form->upload.filename = str_dup(a, part->filename);
	return store_stage(form->ix->store, a, &form->upload.staged, err);
}

static enum status
form_begin(void *arg, const struct multipart_part *part, struct err *err)
{
	struct form *form = arg;

	form->name = str_dup(form->rq->arena, part->name);
	if (str_eq(part->name, STR("content")) && part->is_file)
		return begin_content(form, part, err);
	form->part = part->is_file ? PART_IGNORED : PART_FIELD;
	if (part->is_file && !is_ignored_file(part->name))
		findings_add(form->found, part->name, "'%.*s' must be a text, "
		    "not a file", STR_ARG(part->name));
	form->value.len = 0;
	return OK;
}

static enum status
file_too_large(const struct form *form, struct err *err)
{
	int64_t limit = form->ix->config->upload_limit_bytes;

	return err_set(err, TOO_LARGE, "File too large. This index takes files "
	    "of up to %lld MB (%lld bytes).", (long long)(limit >> 20),
	    (long long)limit);
}

static enum status
form_data(void *arg, struct str bytes, struct err *err)
{
	struct form *form = arg;

	switch (form->part) {
	case PART_CONTENT:
		form->content_bytes += (int64_t)bytes.n;
		if (form->content_bytes > form->ix->config->upload_limit_bytes)
			return file_too_large(form, err);
		return staged_write(form->upload.staged, bytes.p, bytes.n,
		    err);
	case PART_FIELD:
		buf_put(&form->value, bytes);
		return OK;
	default:
		return OK;
	}
}

static enum status
form_end(void *arg, struct err *err)
{
	struct form *form = arg;
	struct str value = buf_view(&form->value);
	struct arena *a = form->rq->arena;

	if (form->part == PART_CONTENT)
		return staged_finish(form->upload.staged,
		    &form->upload.digests, err);
	if (form->part == PART_IGNORED)
		return OK;
	if (!str_eq(form->name, STR(":action"))) {
		upload_field(a, &form->upload, form->name, value,
		    form->found);
		return OK;
	}
	if (form->action.n)
		findings_add(form->found, STR(":action"),
		    "':action' was sent twice; send it once");
	form->action = str_dup(a, str_trim(value));
	return OK;
}

enum status
form_read(struct index *ix, struct request *rq, struct form *out,
    struct findings *found, struct err *err)
{
	static const struct multipart_sink sink = {
		.begin = form_begin, .data = form_data, .end = form_end,
	};
	struct multipart_limits limits = form_limits;

	*out = (struct form){
		.found = found, .ix = ix, .rq = rq, .value = buf_new(rq->arena),
		.action = request_query(rq, STR(":action")),
	};
	limits.total_bytes = ix->config->upload_limit_bytes + FORM_ROOM;
	return multipart_read(rq, &limits, &sink, out, err);
}
