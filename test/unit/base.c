/* Unit tests of lib/base. */
#include "tap.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/findings.h"
#include "base/json.h"
#include "base/utf8.h"

static void
test_url_keeps_unreserved_and_encodes_the_rest(struct arena *a)
{
	struct buf b = buf_new(a);

	buf_url(&b, STR("a-._~/ \xff\t"));
	is_str(buf_view(&b), STR("a-._~%2F%20%FF%09"));
}

static void
test_html_escapes_five_characters(struct arena *a)
{
	struct buf b = buf_new(a);

	buf_html(&b, STR("<a href=\"x\">'&'</a>"));
	is_str(buf_view(&b), STR("&lt;a href=&quot;x&quot;&gt;&#39;&amp;"
	    "&#39;&lt;/a&gt;"));
}

static void
test_xml_leaves_out_what_xml_cannot_hold(struct arena *a)
{
	struct buf b = buf_new(a);

	buf_xml(&b, STR("a\x01<\r\n\xff\xef\xbf\xbf\xc3\xa9 z"));
	is_str(buf_view(&b), STR("a&lt;&#13;\n\xc3\xa9 z"));
}

static void
test_int_writes_its_whole_range(struct arena *a)
{
	struct buf b = buf_new(a);

	buf_int(&b, INT64_MIN);
	buf_byte(&b, ' ');
	buf_int(&b, INT64_MAX);
	buf_byte(&b, ' ');
	buf_int(&b, 0);
	is_str(buf_view(&b),
	    STR("-9223372036854775808 9223372036854775807 0"));
}

static void
test_buf_grows_past_many_blocks(struct arena *a)
{
	struct buf b = buf_new(a);

	for (int i = 0; i < 100000; i++)
		buf_put(&b, STR("0123456789"));
	is_int(b.len, 1000000);
	is_str(str_sub(buf_view(&b), 999990, 1000000), STR("0123456789"));
}

static void
test_int64_reads_whole_numbers_only(struct arena *a)
{
	int64_t v = 7;

	(void)a;
	is_int(str_int64(STR("9223372036854775807"), 0, INT64_MAX, &v), OK);
	is_int(v, INT64_MAX);
	is_int(str_int64(STR("9223372036854775808"), 0, INT64_MAX, &v),
	    INVALID);
	is_int(str_int64(STR("-9223372036854775808"), INT64_MIN, 0, &v), OK);
	is_int(v, INT64_MIN);
	is_int(str_int64(STR(""), 0, 9, &v), INVALID);
	is_int(str_int64(STR("-"), -9, 9, &v), INVALID);
	is_int(str_int64(STR("-1"), 0, 9, &v), INVALID);
	is_int(str_int64(STR("+1"), 0, 9, &v), INVALID);
	is_int(str_int64(STR("1 "), 0, 9, &v), INVALID);
	is_int(str_int64(STR("10"), 0, 9, &v), INVALID);
	is_int(str_int64(STR("007"), 0, 9, &v), OK);
	is_int(v, 7);
}

static void
test_cut_and_trim(struct arena *a)
{
	struct str head, rest;

	(void)a;
	ok(str_cut(STR("a=b=c"), '=', &head, &rest));
	is_str(head, STR("a"));
	is_str(rest, STR("b=c"));
	ok(!str_cut(STR("abc"), '=', &head, &rest));
	is_str(head, STR("abc"));
	is_str(rest, STR(""));
	is_str(str_trim(STR("\t a b\r\n")), STR("a b"));
	is_int(str_find_str(STR("abcabd"), STR("abd"), 0), 3);
	is_int(str_rfind(STR("a.b.c"), '.'), 3);
	is_int(str_rfind(STR("abc"), '.'), 3);
}

static void
test_utf8_knows_well_formed_text(struct arena *a)
{
	(void)a;
	ok(utf8_is_valid(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d")));
	ok(!utf8_is_valid(STR("\xc0\xaf")));		/* overlong */
	ok(!utf8_is_valid(STR("\xe0\x80\xaf")));	/* overlong */
	ok(!utf8_is_valid(STR("\xed\xa0\x80")));	/* surrogate */
	ok(!utf8_is_valid(STR("\xf4\x90\x80\x80")));	/* past U+10FFFF */
	ok(!utf8_is_valid(STR("\xe2\x82")));		/* cut */
	is_int(utf8_length(STR("\xc3\xa9\xe2\x82\xac")), 2);
}

static void
test_json_escapes_and_separates(struct arena *a)
{
	struct buf b = buf_new(a);
	struct json j = json_new(&b);

	json_object(&j);
	json_key(&j, STR("a\"b"));
	json_array(&j);
	json_int(&j, -1);
	json_str(&j, STR("<\x01\xff\n"));
	json_null(&j);
	json_object(&j);
	json_end(&j);
	json_end(&j);
	json_key(&j, STR("t"));
	json_bool(&j, true);
	json_end(&j);
	is_str(buf_view(&b), STR("{\"a\\\"b\":[-1,\"\\u003c\\u0001"
	    "\xef\xbf\xbd\\n\",null,{}],\"t\":true}"));
}

static void
test_clock_writes_each_protocols_form(struct arena *a)
{
	struct buf b = buf_new(a);

	clock_iso(&b, 1763726405123456);
	buf_byte(&b, ' ');
	clock_iso(&b, -1000000);
	buf_byte(&b, ' ');
	clock_http(&b, 1763726405123456);
	buf_byte(&b, ' ');
	clock_xmlrpc(&b, 1763726405123456);
	is_str(buf_view(&b), STR("2025-11-21T12:00:05.123456Z "
	    "1969-12-31T23:59:59Z Fri, 21 Nov 2025 12:00:05 GMT "
	    "20251121T12:00:05"));
}

static void
test_err_is_one_printable_line(struct arena *a)
{
	struct err err;
	char longer[2 * ERR_TEXT_BYTES + 1];

	(void)a;
	is_int(err_set(&err, DENIED, "a\r\nb\x7f"), DENIED);
	is_str(str_c(err.text), STR("a  b "));
	for (size_t i = 0; i < sizeof(longer) - 1; i += 2)
		memcpy(longer + i, "\xc3\xa9", 2);
	longer[sizeof(longer) - 1] = '\0';
	(void)err_set(&err, INVALID, "%s", longer);
	ok(utf8_is_valid(str_c(err.text)));
}

static void
test_findings_keep_the_first_and_count_all(struct arena *a)
{
	struct findings f = findings_new(a);
	struct err err;

	is_int(findings_status(&f, &err), OK);
	for (int i = 0; i < FINDINGS_MAX + 5; i++)
		findings_add(&f, STR("name"), "trouble\n%d", i);
	is_int(f.n, FINDINGS_MAX);
	is_int(findings_status(&f, &err), INVALID);
	is_str(str_c(err.text), STR("trouble 0 (and 54 more)"));
}

static int released[2], n_released;

static void
note_release(void *thing)
{
	released[n_released++] = *(int *)thing;
}

static void
test_arena_releases_in_reverse(struct arena *a)
{
	static int one = 1, two = 2;

	(void)a;
	n_released = 0;
	arena_defer(a, note_release, &one);
	arena_defer(a, note_release, &two);
	arena_reset(a);
	is_int(n_released, 2);
	is_int(released[0], 2);
	is_int(arena_used(a), 0);
}

static void
test_utf8_trim_knows_the_space_of_unicode(struct arena *a)
{
	(void)a;
	is_str(utf8_trim(STR("\x1c\t \xc2\xa0x\xe3\x80\x80y\xe2\x80\x83\n")),
	    STR("x\xe3\x80\x80y"));
	is_str(utf8_trim(STR(" \xc2\x85 ")), STR(""));
	is_str(utf8_trim(STR("\xe2\x80\x8bx\x80\xa0")),
	    STR("\xe2\x80\x8bx\x80\xa0"));	/* no space; no UTF-8 */
	is_str(utf8_trim(STR("")), STR(""));
}

int
main(void)
{
	RUN(test_url_keeps_unreserved_and_encodes_the_rest);
	RUN(test_html_escapes_five_characters);
	RUN(test_xml_leaves_out_what_xml_cannot_hold);
	RUN(test_int_writes_its_whole_range);
	RUN(test_buf_grows_past_many_blocks);
	RUN(test_int64_reads_whole_numbers_only);
	RUN(test_cut_and_trim);
	RUN(test_utf8_knows_well_formed_text);
	RUN(test_json_escapes_and_separates);
	RUN(test_clock_writes_each_protocols_form);
	RUN(test_err_is_one_printable_line);
	RUN(test_findings_keep_the_first_and_count_all);
	RUN(test_arena_releases_in_reverse);
	RUN(test_utf8_trim_knows_the_space_of_unicode);
	return tap_done();
}
