/* Unit tests of lib/http/multipart and mime. */
#include "tap.h"

#include "base/buf.h"
#include "http/mime.h"
#include "http/multipart.h"
#include "http/request.h"

#define DISTUTILS	"--------------GHSKFJDLGDS7543FJKLFHRE75642756743254"

static const struct multipart_limits roomy = {
	.fields = 100, .field_bytes = 1 << 20, .form_bytes = 1 << 20,
	.header_bytes = 1024, .total_bytes = 1 << 24,
};

/* A body that arrives in pieces of step bytes. */
struct source {
	struct str left;
	size_t step;
};

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

/* Writes a form down: name=value, or name(filename,type)=value, with ";". */
static enum status
on_begin(void *arg, const struct multipart_part *part, struct err *err)
{
	struct buf *out = arg;

	(void)err;
	buf_put(out, part->name);
	if (part->is_file) {
		buf_byte(out, '(');
		buf_put(out, part->filename);
		buf_byte(out, ',');
		buf_put(out, part->type);
		buf_byte(out, ')');
	}
	buf_byte(out, '=');
	return OK;
}

static enum status
on_data(void *arg, struct str bytes, struct err *err)
{
	if (bytes.n == 0)
		return err_set(err, GONE, "an empty piece");
	buf_put(arg, bytes);
	return OK;
}

static enum status
on_end(void *arg, struct err *err)
{
	(void)err;
	buf_byte(arg, ';');
	return OK;
}

static const struct multipart_sink writer = { on_begin, on_data, on_end };

/* The form, or the name of the status. */
static struct str
read_pieces(struct arena *a, const char *type, struct str body, size_t step,
    const struct multipart_limits *limits)
{
	struct source source = { body, step };
	struct request rq = {
		.arena = a, .content_length = -1, .body_source = &source,
		.body_read = read_source,
	};
	struct buf out = buf_new(a);
	struct err err;
	enum status st;

	rq.content_type = str_c(type);
	st = multipart_read(&rq, limits, &writer, &out, &err);
	if (st == OK && source.left.n)
		return STR("the body was not read to its end");
	return st == OK ? buf_view(&out) : str_c(status_name(st));
}

/* The same whatever the pieces: checked for many sizes. */
static struct str
form(struct arena *a, const char *type, struct str body)
{
	struct str whole = read_pieces(a, type, body, SIZE_MAX, &roomy);

	for (size_t step = 1; step < body.n + 1; step += 1 + step / 8)
		if (!str_eq(read_pieces(a, type, body, step, &roomy), whole))
			return STR("depends on the pieces");
	return whole;
}

#define X	"multipart/form-data; boundary=X"
#define FIELD(name)	"Content-Disposition: form-data; name=\"" name "\"\r\n"

static void
test_fields_and_files(struct arena *a)
{
	is_str(form(a, X, STR("--X\r\n" FIELD("a") "\r\n1\r\n"
	    "--X\r\nContent-Disposition: form-data; name=\"content\"; "
	    "filename=\"a-1.whl\"\r\nContent-Type: application/zip\r\n\r\n"
	    "PK\0\r\n\x03\r\n--X\r\n" FIELD("b") "\r\n\r\n--X--\r\n")),
	    STR("a=1;content(a-1.whl,application/zip)=PK\0\r\n\x03;b=;"));
}

static void
test_distutils_upload(struct arena *a)
{
	is_str(form(a, "multipart/form-data; boundary=" DISTUTILS,
	    STR("\r\n--" DISTUTILS "\r\nContent-Disposition: form-data; "
	    "name=\":action\"\r\n\r\nfile_upload\r\n--" DISTUTILS "\r\n"
	    "Content-Disposition: form-data; name=\"content\";"
	    "filename=\"a-1.tar.gz\"\r\n\r\n\x1f\x8b\r\n--" DISTUTILS "\r\n"
	    "Content-Disposition: form-data; name=\"comment\"\r\n\r\n"
	    "UNKNOWN\r\n--" DISTUTILS "--\r\n")),
	    STR(":action=file_upload;content(a-1.tar.gz,)=\x1f\x8b;"
	    "comment=UNKNOWN;"));
}

static void
test_distutils_register_has_lf_only(struct arena *a)
{
	is_str(form(a, "multipart/form-data; boundary=" DISTUTILS
	    "; charset=utf-8", STR("\n--" DISTUTILS "\nContent-Disposition: "
	    "form-data; name=\"name\"\n\nx\n--" DISTUTILS "\n"
	    "Content-Disposition: form-data; name=\"description\"\n\n"
	    "one\r\ntwo\r\n\n--" DISTUTILS "--\n")),
	    STR("name=x;description=one\r\ntwo\r\n;"));
}

static void
test_filenames_of_uv(struct arena *a)
{
	is_str(form(a, X, STR("--X\r\nContent-Disposition: form-data; "
	    "name=\"content\"; filename*=utf-8''a%C3%A9%20b.whl\r\n\r\nx\r\n"
	    "--X--")), STR("content(a\xc3\xa9 b.whl,)=x;"));
	is_str(form(a, X, STR("--X\r\nContent-Disposition: form-data; "
	    "filename=\"old\"; filename*=UTF-8'en'new; name*=utf-8''n\r\n"
	    "\r\nx\r\n--X--")), STR("n(new,)=x;"));
}

static void
test_names_may_be_quoted_or_not(struct arena *a)
{
	is_str(form(a, X, STR("--X\r\ncontent-disposition:Form-Data ;NAME = a"
	    "; x=y;\r\n\r\n1\r\n--X--")), STR("a=1;"));
	is_str(form(a, X, STR("--X\r\nContent-Disposition: form-data; "
	    "name=\"q\\\"\\\\;\"; filename=\"C:\\dir\\f\"\r\n\r\n1\r\n"
	    "--X--")), STR("q\"\\;(C:\\dir\\f,)=1;"));
	is_str(form(a, X, STR("--X\r\nContent-Disposition: form-data; "
	    "name=f; filename=\"\"\r\n\r\n\r\n--X--")), STR("f(,)=;"));
}

static void
test_boundary_may_be_quoted(struct arena *a)
{
	is_str(form(a, "Multipart/Form-Data ; charset=x; Boundary=\"a b:\\\""
	    "\"", STR("")), STR("INVALID"));
	is_str(form(a, "multipart/form-data; boundary=\"a b:?\"",
	    STR("--a b:?\r\n" FIELD("n") "\r\n1\r\n--a b:?--")),
	    STR("n=1;"));
}

static void
test_what_surrounds_the_form_is_passed_over(struct arena *a)
{
	is_str(form(a, X, STR("preamble\r\n-X\r\n--Xx\r\n--X \t\r\n"
	    FIELD("n") "\r\n1\r\n--X-- \r\n--X\r\nepilogue")), STR("n=1;"));
	is_str(form(a, X, STR("--X--")), STR(""));
	is_str(form(a, X, STR("--X\r\n" FIELD("n") "\r\n1\r\n--X--\r")),
	    STR("n=1;"));
}

static void
test_what_only_begins_like_a_delimiter_is_content(struct arena *a)
{
	is_str(form(a, X, STR("--X\r\n" FIELD("n") "\r\n--Xx\r\n--X-\r\n"
	    "--X--x\r\n--X \r \r\n-\r\n-X\r\r\n--Y\r\n--X--x--X--\r\n"
	    "--X--")), STR("n=--Xx\r\n--X-\r\n--X--x\r\n--X \r \r\n-\r\n-X"
	    "\r\r\n--Y\r\n--X--x--X--;"));
	is_str(form(a, X, STR("--X\r\n" FIELD("n") "\r\na--X\r\n--X--")),
	    STR("n=a--X;"));
}

static void
test_only_one_newline_belongs_to_the_delimiter(struct arena *a)
{
	is_str(form(a, X, STR("--X\r\n" FIELD("n") "\r\n\r\n\r\n\r\r\n"
	    "--X--")), STR("n=\r\n\r\n\r;"));
	is_str(form(a, X, STR("--X\n" FIELD("n") "\n\n--X\n" FIELD("m")
	    "\n--X--")), STR("n=;m=;"));
}

static void
test_truncated_forms_are_refused(struct arena *a)
{
	struct str whole = STR("\r\n--X\r\n" FIELD("n") "\r\n1\r\n--X\r\n"
	    FIELD("m") "\r\n2\r\n--X--");

	is_str(form(a, X, whole), STR("n=1;m=2;"));
	for (size_t n = 0; n < whole.n; n++)
		is_str(read_pieces(a, X, str_sub(whole, 0, n), 5, &roomy),
		    STR("INVALID"));
}

static void
test_a_body_shorter_than_its_content_length_is_refused(struct arena *a)
{
	struct source source = { STR("--X\r\n" FIELD("n") "\r\n1\r\n--X--"),
	    10 };
	struct request rq = {
		.arena = a, .content_type = STR(X), .body_source = &source,
		.content_length = (int64_t)source.left.n + 1,
		.body_read = read_source,
	};
	struct buf out = buf_new(a);
	struct err err;

	ok(multipart_read(&rq, &roomy, &writer, &out, &err) == INVALID);
	ok(strstr(err.text, "cut off") != NULL);
}

static void
test_bad_part_headers_are_refused(struct arena *a)
{
	static const char *const bad[] = {
		"",
		"Content-Type: text/plain\r\n",
		"Content-Disposition: form-data\r\n",
		"Content-Disposition: form-data; name=\"\"\r\n",
		"Content-Disposition: form-data; name\r\n",
		"Content-Disposition: form-data; name=\"a\r\n",
		"Content-Disposition: form-data; name=\"a\"b\r\n",
		"Content-Disposition: form-data; name=a\"b\"\r\n",
		"Content-Disposition: form-data; name=a; name=b\r\n",
		"Content-Disposition: form-data; name=a; NAME=a\r\n",
		"Content-Disposition: form-data; name=a; filename=b; "
		    "filename=b\r\n",
		"Content-Disposition: form-data; name*=latin-1''a\r\n",
		"Content-Disposition: form-data; name*=utf-8''%\r\n",
		"Content-Disposition: form-data; name*=utf-8''%ff\r\n",
		"Content-Disposition: form-data; name*=utf-8''%00\r\n",
		"Content-Disposition: form-data; name*=utf-8''a%0Db\r\n",
		"Content-Disposition: form-data; name*=a\r\n",
		"Content-Disposition: form-data; name=\"\xff\"\r\n",
		"Content-Disposition: form-data; name=\"a\tb\"\r\n",
		"Content-Disposition: form-data; name=\"a\x01\"\r\n",
		"Content-Disposition: form-data; name=\"a\rb\"\r\n",
		"Content-Disposition: attachment; name=a\r\n",
		"Content-Disposition: form-data; name=a\r\n"
		    "Content-Disposition: form-data; name=a\r\n",
		"Content-Disposition: form-data;\r\n name=a\r\n",
		"Content-Disposition : form-data; name=a\r\n",
		"no colon\r\n" FIELD("a"),
		": x\r\n" FIELD("a"),
		FIELD("a") "Content-Type: multipart/mixed; boundary=Y\r\n",
		FIELD("a") "Content-Type: MULTIPART/form-data\r\n",
		FIELD("a") "Content-Type: a/b\r\nContent-Type: a/b\r\n",
		FIELD("a") "Content-Transfer-Encoding: base64\r\n",
		FIELD("a") "Content-Transfer-Encoding: quoted-printable\r\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct str body = str_fmt(a, "--X\r\n%s\r\nx\r\n--X--",
		    bad[i]);

		is_str(form(a, X, body), STR("INVALID"));
		if (!str_eq(form(a, X, body), STR("INVALID")))
			printf("# %s\n", bad[i]);
	}
	is_str(form(a, X, STR("--X\r\n" FIELD("a") "Content-Length: 7\r\n"
	    "Content-Transfer-Encoding: Binary\r\n\r\nx\r\n--X--")),
	    STR("a=x;"));
}

static void
test_bad_content_types_are_refused(struct arena *a)
{
	static const char *const bad[] = {
		"", "text/plain", "multipart/mixed; boundary=X",
		"multipart/form-data", "multipart/form-data; boundary=",
		"multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=X; boundary=X",
		"multipart/form-data; boundary=\"X",
		"multipart/form-data; boundary=\"X \"",
		"multipart/form-data; boundary=X\xc3\xa9",
		"multipart/form-data; boundary=X\x01",
		"multipart/form-data; boundary=X*",
		"multipart/form-data; boundary*=utf-8''X",
		"multipart/form-data; x; boundary=X",
		"multipart/form-data, boundary=X",
		"multipart/form-data; boundary="
		    "0123456789012345678901234567890123456789"
		    "0123456789012345678901234567890",
	};
	struct str boundary;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!ok(multipart_boundary(a, str_c(bad[i]), &boundary,
		    NULL) == INVALID))
			printf("# %s\n", bad[i]);
	ok(multipart_boundary(a, STR("multipart/form-data; boundary="
	    "0123456789012345678901234567890123456789"
	    "012345678901234567890123456789;"), &boundary, NULL) == OK);
	is_int(boundary.n, 70);
}

static void
test_limits_are_kept_to_the_byte(struct arena *a)
{
	struct str body = STR("--X\r\n" FIELD("a") "\r\n12345\r\n--X\r\n"
	    FIELD("b") "\r\n678\r\n--X\r\nContent-Disposition: form-data; "
	    "name=c; filename=f\r\n\r\nlonger than any field\r\n--X--");
	struct multipart_limits limits = {
		.fields = 3, .field_bytes = 5, .form_bytes = 8,
		.header_bytes = 52, .total_bytes = (int64_t)body.n,
	};
	struct multipart_limits less;

	is_str(read_pieces(a, X, body, 7, &limits),
	    STR("a=12345;b=678;c(f,)=longer than any field;"));
	less = limits, less.fields--;
	is_str(read_pieces(a, X, body, 7, &less), STR("TOO_LARGE"));
	less = limits, less.field_bytes--;
	is_str(read_pieces(a, X, body, 7, &less), STR("TOO_LARGE"));
	less = limits, less.form_bytes--;
	is_str(read_pieces(a, X, body, 7, &less), STR("TOO_LARGE"));
	less = limits, less.header_bytes--;
	is_str(read_pieces(a, X, body, 7, &less), STR("TOO_LARGE"));
	less = limits, less.total_bytes--;
	is_str(read_pieces(a, X, body, 7, &less), STR("TOO_LARGE"));
}

static void
test_content_length_over_the_limit_is_refused_unread(struct arena *a)
{
	struct request rq = {
		.arena = a, .content_type = STR(X),
		.content_length = roomy.total_bytes + 1,
	};
	struct err err;

	ok(multipart_read(&rq, &roomy, &writer, NULL, &err) == TOO_LARGE);
	is_int(rq.body_got, 0);
}

static void
test_endless_headers_and_padding_end(struct arena *a)
{
	struct buf body = buf_new(a);

	buf_put(&body, STR("--X\r\n" FIELD("a")));
	for (int i = 0; i < 200000; i++)
		buf_put(&body, STR("x"));
	is_str(read_pieces(a, X, buf_view(&body), 4096, &roomy),
	    STR("TOO_LARGE"));
	body.len = 0;
	buf_put(&body, STR("--X\r\n" FIELD("a") "\r\n\r\n--X"));
	for (int i = 0; i < 200000; i++)
		buf_put(&body, STR(" "));
	buf_put(&body, STR("\r\n--X--"));
	is_int(read_pieces(a, X, buf_view(&body), 4096, &roomy).n, 200008);
}

static void
test_long_content_comes_out_whole(struct arena *a)
{
	struct buf body = buf_new(a), want = buf_new(a);

	buf_put(&body, STR("--X\r\nContent-Disposition: form-data; name=c; "
	    "filename=f\r\n\r\n"));
	buf_put(&want, STR("c(f,)="));
	for (int i = 0; i < 40000; i++) {
		struct str line = str_fmt(a, "%d\r\n--X%d\r\r\n\r\n-", i, i);

		buf_put(&body, line);
		buf_put(&want, line);
	}
	buf_put(&body, STR("\r\n--X--"));
	buf_put(&want, STR(";"));
	for (size_t step = 1000; step < 200000; step = step * 3 + 1)
		ok(str_eq(read_pieces(a, X, buf_view(&body), step, &roomy),
		    buf_view(&want)));
}

static enum status
on_data_refuse(void *arg, struct str bytes, struct err *err)
{
	(void)arg;
	(void)bytes;
	return err_set(err, CONFLICT, "no more");
}

static void
test_a_sink_can_stop_it(struct arena *a)
{
	struct multipart_sink sink = { on_begin, on_data_refuse, on_end };
	struct source source = { STR("--X\r\n" FIELD("n") "\r\n1\r\n--X--"),
	    SIZE_MAX };
	struct request rq = {
		.arena = a, .content_type = STR(X), .body_source = &source,
		.content_length = -1, .body_read = read_source,
	};
	struct buf out = buf_new(a);
	struct err err;

	ok(multipart_read(&rq, &roomy, &sink, &out, &err) == CONFLICT);
	is_str(str_c(err.text), STR("no more"));
	is_str(buf_view(&out), STR("n="));
}

int
main(void)
{
	RUN(test_fields_and_files);
	RUN(test_distutils_upload);
	RUN(test_distutils_register_has_lf_only);
	RUN(test_filenames_of_uv);
	RUN(test_names_may_be_quoted_or_not);
	RUN(test_boundary_may_be_quoted);
	RUN(test_what_surrounds_the_form_is_passed_over);
	RUN(test_what_only_begins_like_a_delimiter_is_content);
	RUN(test_only_one_newline_belongs_to_the_delimiter);
	RUN(test_truncated_forms_are_refused);
	RUN(test_a_body_shorter_than_its_content_length_is_refused);
	RUN(test_bad_part_headers_are_refused);
	RUN(test_bad_content_types_are_refused);
	RUN(test_limits_are_kept_to_the_byte);
	RUN(test_content_length_over_the_limit_is_refused_unread);
	RUN(test_endless_headers_and_padding_end);
	RUN(test_long_content_comes_out_whole);
	RUN(test_a_sink_can_stop_it);
	return tap_done();
}
