#include "io/db_wire.h"

#include <limits.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"

#define ARRAY_HEAD	20	/* bytes: dimensions, flags, type, size, base */

struct db_arg
db_null(void)
{
	return (struct db_arg){ .kind = DB_ARG_NULL };
}

struct db_arg
db_bool(bool value)
{
	return (struct db_arg){ .kind = DB_ARG_BOOL, .number = value };
}

struct db_arg
db_int(int64_t value)
{
	return (struct db_arg){ .kind = DB_ARG_INT, .number = value };
}

struct db_arg
db_text(struct str value)
{
	return (struct db_arg){ .kind = DB_ARG_TEXT, .bytes = value };
}

struct db_arg
db_text_or_null(struct str value)
{
	return value.n ? db_text(value) : db_null();
}

struct db_arg
db_bytes(const void *bytes, size_t n)
{
	return (struct db_arg){ .kind = DB_ARG_BYTES, .bytes = { bytes, n } };
}

struct db_arg
db_int_array(const int64_t *numbers, size_t n)
{
	return (struct db_arg){ .kind = DB_ARG_INT_ARRAY, .numbers = numbers,
	    .n_numbers = n };
}

struct db_arg
db_text_array(const struct str_list *texts)
{
	return (struct db_arg){ .kind = DB_ARG_TEXT_ARRAY, .texts = texts };
}

/* What a type is to us. */
static const struct {
	unsigned oid;
	enum db_arg_kind kind;	/* of the arguments it takes */
	size_t width;		/* bytes of a number, else 0 */
} types[] = {
	[DB_BOOL] = { 16, DB_ARG_BOOL, 1 },
	[DB_BYTEA] = { 17, DB_ARG_BYTES, 0 },
	[DB_INT2] = { 21, DB_ARG_INT, 2 },
	[DB_INT4] = { 23, DB_ARG_INT, 4 },
	[DB_INT8] = { 20, DB_ARG_INT, 8 },
	[DB_JSONB] = { 3802, DB_ARG_TEXT, 0 },
	[DB_TEXT] = { 25, DB_ARG_TEXT, 0 },
	[DB_INT8_ARRAY] = { 1016, DB_ARG_INT_ARRAY, 0 },
	[DB_TEXT_ARRAY] = { 1009, DB_ARG_TEXT_ARRAY, 0 },
	[DB_VOID] = { 2278, DB_ARG_NULL, 0 },
};

unsigned
db_wire_oid(enum db_type type)
{
	return types[type].oid;
}

/* Append the width lowest bytes of a number, the highest of them first. */
static void
put_int(struct buf *b, int64_t value, size_t width)
{
	for (size_t i = width; i-- > 0;)
		buf_byte(b, (char)((uint64_t)value >> (8 * i)));
}

static bool
fits(int64_t value, size_t width)
{
	int64_t top = width < 8 ? (int64_t)1 << (8 * width - 1) : 0;

	return width == 8 || (value >= -top && value < top);
}

/* The beginning of an array of one dimension; without elements it has none. */
static void
put_array_head(struct buf *b, unsigned element_oid, size_t n)
{
	put_int(b, n > 0, 4);
	put_int(b, 0, 4);		/* no NULL in it */
	put_int(b, element_oid, 4);
	if (n == 0)
		return;
	put_int(b, (int64_t)n, 4);
	put_int(b, 1, 4);		/* the first one's index */
}

static struct str
int_array(struct arena *a, const int64_t *numbers, size_t n)
{
	struct buf b = buf_new(a);

	put_array_head(&b, types[DB_INT8].oid, n);
	for (size_t i = 0; i < n; i++) {
		put_int(&b, 8, 4);
		put_int(&b, numbers[i], 8);
	}
	return buf_view(&b);
}

static struct str
text_array(struct arena *a, const struct str_list *texts)
{
	struct buf b = buf_new(a);

	put_array_head(&b, types[DB_TEXT].oid, texts->n);
	for (size_t i = 0; i < texts->n; i++) {
		put_int(&b, (int64_t)texts->at[i].n, 4);
		buf_put(&b, texts->at[i]);
	}
	return buf_view(&b);
}

/* Bytes an argument will take, about; never too few to be refused. */
static size_t
size_of(const struct db_arg *arg)
{
	size_t sum = arg->bytes.n;

	if (arg->kind == DB_ARG_INT_ARRAY)
		return arg->n_numbers > DB_WIRE_ARG_MAX / 12 ?
		    SIZE_MAX : ARRAY_HEAD + arg->n_numbers * 12;
	if (arg->kind != DB_ARG_TEXT_ARRAY)
		return sum;
	for (size_t i = 0; i < arg->texts->n; i++) {
		if (arg->texts->at[i].n > DB_WIRE_ARG_MAX - sum)
			return SIZE_MAX;
		sum += arg->texts->at[i].n + 4;
		if (sum > DB_WIRE_ARG_MAX)
			return SIZE_MAX;
	}
	return ARRAY_HEAD + sum;
}

static struct str
encode(struct arena *a, enum db_type type, const struct db_arg *arg)
{
	struct buf b;

	switch (arg->kind) {
	case DB_ARG_BOOL:
	case DB_ARG_INT:
		b = buf_new(a);
		put_int(&b, arg->number, types[type].width);
		return buf_view(&b);
	case DB_ARG_INT_ARRAY:
		return int_array(a, arg->numbers, arg->n_numbers);
	case DB_ARG_TEXT_ARRAY:
		return text_array(a, arg->texts);
	case DB_ARG_NULL:
	case DB_ARG_BYTES:
	case DB_ARG_TEXT:
		break;
	}
	if (type != DB_JSONB)
		return arg->bytes;
	b = buf_new(a);
	buf_byte(&b, 1);	/* the version of jsonb's binary form */
	buf_put(&b, arg->bytes);
	return buf_view(&b);
}

static enum status
encode_one(struct arena *a, const struct sql_statement *s, size_t i,
    const struct db_arg *arg, struct db_wire *wire, struct err *err)
{
	const struct sql_item *item = &s->takes[i];
	struct str bytes;

	wire->formats[i] = 1;
	if (arg->kind == DB_ARG_NULL)
		return item->is_nullable ? OK : err_set(err, INVALID,
		    "%s: %s must not be empty", s->name, item->name);
	if (arg->kind != types[item->type].kind)
		panic("%s: wrong kind of argument for %s", s->name,
		    item->name);
	if (arg->kind == DB_ARG_INT &&
	    !fits(arg->number, types[item->type].width))
		return err_set(err, INVALID, "%s: %s is out of range",
		    s->name, item->name);
	if (size_of(arg) > DB_WIRE_ARG_MAX)
		return err_set(err, TOO_LARGE, "%s: %s is over %zu bytes",
		    s->name, item->name, DB_WIRE_ARG_MAX);
	bytes = encode(a, item->type, arg);
	wire->values[i] = bytes.p ? bytes.p : "";
	wire->lengths[i] = (int)bytes.n;
	return OK;
}

enum status
db_wire_args(struct arena *a, const struct sql_statement *s,
    const struct db_arg *args, size_t n, struct db_wire *wire,
    struct err *err)
{
	enum status st = OK;

	if (n != s->n_takes)
		panic("%s takes %zu arguments, not %zu", s->name, s->n_takes,
		    n);
	*wire = (struct db_wire){ 0 };
	if (n == 0)
		return OK;
	wire->values = arena_array(a, n, sizeof(*wire->values));
	wire->lengths = arena_array(a, n, sizeof(*wire->lengths));
	wire->formats = arena_array(a, n, sizeof(*wire->formats));
	for (size_t i = 0; i < n && st == OK; i++)
		st = encode_one(a, s, i, &args[i], wire, err);
	return st;
}

int64_t
db_wire_int(struct str bytes)
{
	uint64_t v = 0;

	if (bytes.n == 0 || bytes.n > 8)
		return 0;
	if ((unsigned char)bytes.p[0] & 0x80)
		v = UINT64_MAX;	/* negative: fill with its sign */
	for (size_t i = 0; i < bytes.n; i++)
		v = v << 8 | (unsigned char)bytes.p[i];
	return (int64_t)v;
}

/* Take the next n bytes off the front of *rest; false if there are fewer. */
static bool
take(struct str *rest, size_t n, struct str *out)
{
	if (n > rest->n)
		return false;
	*out = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->n);
	return true;
}

struct str_list
db_wire_texts(struct arena *a, struct str bytes)
{
	struct str_list list = { 0 };
	struct str head, length, text;

	if (!take(&bytes, ARRAY_HEAD, &head) ||
	    db_wire_int(str_sub(head, 0, 4)) != 1)
		return list;
	while (take(&bytes, 4, &length)) {
		int64_t n = db_wire_int(length);

		if (n == -1)
			text = STR("");		/* NULL */
		else if (n < 0 || !take(&bytes, (size_t)n, &text))
			break;
		str_list_add(a, &list, text);
	}
	return list;
}
