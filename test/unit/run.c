/* Programs of the operator's: what they get, say and how they end. */
#include "base/clock.h"
#include "io/run.h"
#include "tap.h"

static enum status
run(struct arena *a, const char *command, const char *arg, struct str input,
    int64_t limit_ms, struct run_result *out)
{
	struct str_list args = { .at = NULL };
	struct err err;

	str_list_add(a, &args, str_c(arg));
	return run_program(a, command, &args, input, limit_ms, out, &err);
}

static void
test_it_gets_words_and_input_and_is_heard(struct arena *a)
{
	struct run_result r;

	ok(run(a, "printf  %s/%s\\n one", "two words; $(id)", STR(""), 5000,
	    &r) == OK);
	is_int(r.exit_status, 0);
	is_str(r.output, STR("one/two words; $(id)\n"));
	ok(run(a, "cat", "-", STR("a text"), 5000, &r) == OK);
	is_str(r.output, STR("a text"));
}

static void
test_its_end_is_told(struct arena *a)
{
	struct run_result r;

	ok(run(a, "sh -c", "exit 3", STR("unread"), 5000, &r) == OK);
	is_int(r.exit_status, 3);
	ok(run(a, "sh -c", "kill -9 $$", STR(""), 5000, &r) == OK);
	is_int(r.exit_status, 128 + 9);
}

static void
test_it_is_not_waited_for_for_ever(struct arena *a)
{
	struct run_result r;
	int64_t start_us = clock_mono_us();

	ok(run(a, "sleep", "60", STR(""), 200, &r) == UNAVAILABLE);
	ok(run(a, "sh -c", "sleep 60 & exec >&-; wait", STR(""), 200, &r) ==
	    UNAVAILABLE);
	ok(clock_mono_us() - start_us < 30000000);
}

static void
test_much_output_is_cut(struct arena *a)
{
	struct run_result r;

	ok(run(a, "sh -c", "yes | head -c 1000000", STR(""), 20000, &r) ==
	    OK);
	is_int(r.exit_status, 0);
	ok(r.output.n <= RUN_OUTPUT_BYTES);
}

static void
test_what_is_not_there_is_said(struct arena *a)
{
	struct run_result r;

	ok(run(a, "/nonexistent/program", "x", STR(""), 1000, &r) ==
	    UNAVAILABLE);
	ok(run(a, " ", "x", STR(""), 1000, &r) == UNAVAILABLE);
	ok(run(a, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "x", STR(""),
	    1000, &r) == INVALID);
}

int
main(void)
{
	RUN(test_it_gets_words_and_input_and_is_heard);
	RUN(test_its_end_is_told);
	RUN(test_it_is_not_waited_for_for_ever);
	RUN(test_much_output_is_cut);
	RUN(test_what_is_not_there_is_said);
	return tap_done();
}
