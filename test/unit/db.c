/* Unit tests of lib/io/db that need no server: values, and being without. */
#include "tap.h"

#include "base/buf.h"
#include "io/db.h"
#include "io/db_wire.h"

static const struct sql_item all_types[] = {
	{ "a", DB_BOOL, false }, { "b", DB_BYTEA, false },
	{ "c", DB_INT2, false }, { "d", DB_INT4, false },
	{ "e", DB_INT8, true }, { "f", DB_JSONB, false },
	{ "g", DB_TEXT, true }, { "h", DB_TEXT_ARRAY, false },
	{ "i", DB_INT8_ARRAY, false },
};

static const struct sql_statement statement = {
	.name = "test/all", .n_takes = 9, .takes = all_types,
};

static struct str
hex(struct arena *a, const struct db_wire *wire, size_t i)
{
	struct buf b = buf_new(a);

	buf_hex(&b, wire->values[i], (size_t)wire->lengths[i]);
	return buf_view(&b);
}

static void
test_arguments_are_encoded_as_the_server_reads_them(struct arena *a)
{
	struct str_list texts = { 0 };
	const int64_t numbers[] = { -1, 258 };
	struct db_wire wire;

	str_list_add(a, &texts, STR("x"));
	str_list_add(a, &texts, STR(""));
	is_int(db_wire_args(a, &statement, DB_ARGS(db_bool(true),
	    db_bytes("\0\xff", 2), db_int(-2), db_int(65536), db_int(-1),
	    db_text(STR("{}")), db_text(STR("a")), db_text_array(&texts),
	    db_int_array(numbers, 2)), &wire, NULL), OK);
	is_str(hex(a, &wire, 0), STR("01"));
	is_str(hex(a, &wire, 1), STR("00ff"));
	is_str(hex(a, &wire, 2), STR("fffe"));
	is_str(hex(a, &wire, 3), STR("00010000"));
	is_str(hex(a, &wire, 4), STR("ffffffffffffffff"));
	is_str(hex(a, &wire, 5), STR("017b7d"));
	is_str(hex(a, &wire, 6), STR("61"));
	is_str(hex(a, &wire, 7), STR("00000001" "00000000" "00000019"
	    "00000002" "00000001" "00000001" "78" "00000000"));
	is_str(hex(a, &wire, 8), STR("00000001" "00000000" "00000014"
	    "00000002" "00000001" "00000008" "ffffffffffffffff"
	    "00000008" "0000000000000102"));
	for (size_t i = 0; i < 9; i++)
		is_int(wire.formats[i], 1);
}

static enum status
encode(struct arena *a, const struct sql_item *item, struct db_arg arg,
    struct db_wire *wire)
{
	const struct sql_statement one = { .name = "test/one", .n_takes = 1,
	    .takes = item };

	return db_wire_args(a, &one, &arg, 1, wire, NULL);
}

static void
test_empty_is_not_null_unless_asked_for(struct arena *a)
{
	const struct sql_item item = { "t", DB_TEXT, true };
	struct db_wire wire;

	is_int(encode(a, &item, db_text((struct str){ NULL, 0 }), &wire), OK);
	ok(wire.values[0] != NULL);
	is_int(wire.lengths[0], 0);
	is_int(encode(a, &item, db_text_or_null(STR("")), &wire), OK);
	ok(wire.values[0] == NULL);
	is_int(encode(a, &item, db_text_or_null(STR("x")), &wire), OK);
	ok(wire.values[0] != NULL);
}

static void
test_numbers_out_of_range_and_null_are_invalid(struct arena *a)
{
	const struct sql_item two = { "n", DB_INT2, false };
	const struct sql_item four = { "n", DB_INT4, false };
	struct db_wire wire;

	is_int(encode(a, &two, db_int(32767), &wire), OK);
	is_int(encode(a, &two, db_int(32768), &wire), INVALID);
	is_int(encode(a, &two, db_int(-32768), &wire), OK);
	is_int(encode(a, &two, db_int(-32769), &wire), INVALID);
	is_int(encode(a, &four, db_int(INT32_MAX), &wire), OK);
	is_int(encode(a, &four, db_int(INT64_MAX), &wire), INVALID);
	is_int(encode(a, &four, db_int(INT64_MIN), &wire), INVALID);
	is_int(encode(a, &four, db_null(), &wire), INVALID);
}

static void
test_what_is_too_large_is_refused_before_it_is_copied(struct arena *a)
{
	const struct sql_item text = { "t", DB_TEXT, false };
	const struct sql_item texts = { "t", DB_TEXT_ARRAY, false };
	/* Nobody may look at these bytes: there are far fewer. */
	struct str huge = { "x", DB_WIRE_ARG_MAX + 1 };
	struct str_list list = { 0 };
	struct db_wire wire;

	is_int(encode(a, &text, db_text(huge), &wire), TOO_LARGE);
	str_list_add(a, &list, (struct str){ "x", DB_WIRE_ARG_MAX / 2 });
	str_list_add(a, &list, (struct str){ "x", DB_WIRE_ARG_MAX / 2 });
	is_int(encode(a, &texts, db_text_array(&list), &wire), TOO_LARGE);
}

static void
test_integers_are_read_at_any_width(struct arena *a)
{
	(void)a;
	is_int(db_wire_int(STR("")), 0);
	is_int(db_wire_int(STR("\1")), 1);
	is_int(db_wire_int(STR("\377\376")), -2);
	is_int(db_wire_int(STR("\0\1\0\0")), 65536);
	is_int(db_wire_int(STR("\177\377\377\377\377\377\377\377")),
	    INT64_MAX);
	is_int(db_wire_int(STR("\200\0\0\0\0\0\0\0")), INT64_MIN);
	is_int(db_wire_int(STR("123456789")), 0);
}

static void
test_text_arrays_that_are_none_give_fewer(struct arena *a)
{
	struct str_list texts = { 0 };
	const struct sql_item item = { "t", DB_TEXT_ARRAY, false };
	struct db_wire wire;
	struct str whole;

	str_list_add(a, &texts, STR("ab"));
	str_list_add(a, &texts, STR("c"));
	is_int(encode(a, &item, db_text_array(&texts), &wire), OK);
	whole = (struct str){ wire.values[0], (size_t)wire.lengths[0] };
	is_int(db_wire_texts(a, whole).n, 2);
	is_str(db_wire_texts(a, whole).at[1], STR("c"));
	is_int(db_wire_texts(a, str_sub(whole, 0, whole.n - 1)).n, 1);
	for (size_t n = 0; n < whole.n; n++)
		ok(db_wire_texts(a, str_sub(whole, 0, n)).n < 2);
}

static void
test_without_a_server_everything_is_unavailable(struct arena *a)
{
	const char *const servers[] = { "host=/nonexistent", NULL };
	struct db *db = db_new(servers, DB_PRIMARY, "test", NULL);
	struct db_call calls[2] = { { .sql = SQL_TRANSACTION_BEGIN },
	    { .sql = SQL_TRANSACTION_COMMIT } };
	struct err err;

	is_int(db_begin(db, &err), UNAVAILABLE);
	ok(str_starts(str_c(err.text), STR("database is not reachable")));
	ok(!db_in_transaction(db));
	is_int(db_begin_snapshot(db, NULL), UNAVAILABLE);
	is_int(db_run_each(db, a, calls, 2, &err), UNAVAILABLE);
	is_int(calls[1].st, UNAVAILABLE);
	ok(!calls[1].unknown);
	ok(!db_in_transaction(db));
	db_rollback(db);
	ok(!db_is_connected(db));
	is_int(db_stats(db).connects, 0);
	db_free(db);
	db_free(NULL);
}

static void
test_bad_conninfo_is_unavailable_too(struct arena *a)
{
	const char *const servers[] = { "no such = setting", NULL };
	struct db *db = db_new(servers, DB_PRIMARY, "test", NULL);
	struct err err;

	(void)a;
	is_int(db_begin(db, &err), UNAVAILABLE);
	db_free(db);
}

int
main(void)
{
	RUN(test_arguments_are_encoded_as_the_server_reads_them);
	RUN(test_empty_is_not_null_unless_asked_for);
	RUN(test_numbers_out_of_range_and_null_are_invalid);
	RUN(test_what_is_too_large_is_refused_before_it_is_copied);
	RUN(test_integers_are_read_at_any_width);
	RUN(test_text_arrays_that_are_none_give_fewer);
	RUN(test_without_a_server_everything_is_unavailable);
	RUN(test_bad_conninfo_is_unavailable_too);
	return tap_done();
}
