/* Unit tests of lib/io/log. */
#include "tap.h"

#include <unistd.h>

#include "io/log.h"

static int ends[2];	/* of a pipe */

static struct log
piped(enum config_log_level level)
{
	struct log log = log_new(STR("test"), level);

	log.fd = ends[1];
	return log;
}

/* What the log wrote since the last look; empty if nothing. */
static struct str
written(struct arena *a)
{
	char *bytes = arena_alloc(a, LOG_LINE_BYTES * 2);
	ssize_t n;

	if (write(ends[1], "", 1) != 1)
		return STR("(pipe)");
	n = read(ends[0], bytes, LOG_LINE_BYTES * 2);
	return (struct str){ bytes, n > 0 ? (size_t)n - 1 : 0 };
}

/* How one value looks in a line. */
static struct str
value_of(struct arena *a, struct str value)
{
	struct log log = piped(LEVEL_INFO);
	struct log_line line = log_line(&log, LEVEL_INFO);
	struct str prefix = STR("program=test level=info v="), got;

	log_str(&line, "v", value);
	log_end(&log, &line);
	got = written(a);
	ok(str_starts(got, prefix));
	ok(str_find(got, '\n', 0) == got.n - 1);
	return str_sub(got, prefix.n, got.n - 1);
}

static void
test_plain_values_stand_bare(struct arena *a)
{
	is_str(value_of(a, STR("/simple/a-b_c.d/")), STR("/simple/a-b_c.d/"));
	is_str(value_of(a, STR("")), STR("-"));
	is_str(value_of(a, STR("-")), STR("\"-\""));
}

static void
test_no_value_can_forge_a_field_or_a_line(struct arena *a)
{
	is_str(value_of(a, STR("x status=200")), STR("\"x status=200\""));
	is_str(value_of(a, STR("x\" y=\"")), STR("\"x\\\" y=\\\"\""));
	is_str(value_of(a, STR("\\\"")), STR("\"\\\\\\\"\""));
	is_str(value_of(a, STR("a\nprogram=b\r\x1b[2J\x7f")),
	    STR("\"a\\x0aprogram=b\\x0d\\x1b[2J\\x7f\""));
	is_str(value_of(a, STR("\0")), STR("\"\\x00\""));
}

static void
test_text_is_kept_and_what_is_not_text_is_escaped(struct arena *a)
{
	is_str(value_of(a, STR("caf\xc3\xa9")), STR("\"caf\xc3\xa9\""));
	is_str(value_of(a, STR("\xff\xc3")), STR("\"\\xff\\xc3\""));
	is_str(value_of(a, STR("\xc2\x85")), STR("\"\\xc2\\x85\""));
	is_str(value_of(a, STR("\xe2\x80\xa8")), STR("\"\\xe2\\x80\\xa8\""));
	is_str(value_of(a, STR("\xe2\x80\xae")), STR("\"\\xe2\\x80\\xae\""));
}

static void
test_long_values_are_cut(struct arena *a)
{
	char *x = arena_alloc(a, 10000);
	struct str got;

	memset(x, 'x', 10000);
	got = value_of(a, (struct str){ x, 10000 });
	is_int(got.n, LOG_VALUE_BYTES + 5);
	ok(str_ends(got, STR("xxx...\"")));
}

static void
test_a_line_never_grows_over_its_bound(struct arena *a)
{
	struct log log = piped(LEVEL_INFO);
	struct log_line line = log_line(&log, LEVEL_INFO);
	char *bad = arena_alloc(a, 1000);
	struct str got;

	memset(bad, '\xff', 1000);
	for (int i = 0; i < 100; i++)
		log_str(&line, "bad", (struct str){ bad, (size_t)i * 10 });
	for (int i = 0; i < 1000; i++)
		log_int(&line, "n", INT64_MIN);
	log_end(&log, &line);
	got = written(a);
	ok(got.n <= LOG_LINE_BYTES);
	ok(got.n > LOG_LINE_BYTES - 100);
	ok(str_find(got, '\n', 0) == got.n - 1);
}

static void
test_a_request_is_one_line(struct arena *a)
{
	struct log log = piped(LEVEL_INFO);

	log_request(&log, &(struct log_request){ .id = STR("5f"),
	    .method = STR("GET"), .route = STR("simple_project"),
	    .path = STR("/simple/a b/"), .status = 200, .us = 12034,
	    .rows = -1, .cache = STR("hit"), .serial = 77, .bytes = 5 });
	is_str(written(a), STR("program=test level=info id=5f method=GET "
	    "route=simple_project path=\"/simple/a b/\" status=200 ms=12.034 "
	    "rows=- cache=hit user=- project=- serial=77 bytes=5 err=-\n"));
	log_request(&log, &(struct log_request){ .status = 500,
	    .err = STR("no disk") });
	is_str(written(a), STR("program=test level=error id=- method=- "
	    "route=- path=- status=500 ms=0.000 rows=0 cache=- user=- "
	    "project=- serial=- bytes=0 err=\"no disk\"\n"));
}

static void
test_lines_below_the_level_are_left_out(struct arena *a)
{
	struct log log = piped(LEVEL_WARNING);

	log_request(&log, &(struct log_request){ .status = 404 });
	log_say(&log, LEVEL_INFO, "started");
	is_str(written(a), STR(""));
	log_say(&log, LEVEL_WARNING, "%d left", 3);
	is_str(written(a), STR("program=test level=warning "
	    "msg=\"3 left\"\n"));
	log_request(&log, &(struct log_request){ .status = 503 });
	ok(str_starts(written(a), STR("program=test level=warning id=-")));
}

int
main(void)
{
	if (pipe(ends) == -1)
		return 1;
	RUN(test_plain_values_stand_bare);
	RUN(test_no_value_can_forge_a_field_or_a_line);
	RUN(test_text_is_kept_and_what_is_not_text_is_escaped);
	RUN(test_long_values_are_cut);
	RUN(test_a_line_never_grows_over_its_bound);
	RUN(test_a_request_is_one_line);
	RUN(test_lines_below_the_level_are_left_out);
	return tap_done();
}
