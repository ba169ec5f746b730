#include "pkg/version.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

/*
 * Reading.  PEP 440's expression can be read from left to right without ever
 * going back: each take_*() takes the longest piece that stands at the
 * beginning of *rest, and whatever it leaves could not have been part of it.
 */

static bool
is_separator(char c)
{
	return c == '-' || c == '_' || c == '.';
}

static bool
take_byte(struct str *rest, char c)
{
	if (rest->n == 0 || rest->p[0] != c)
		return false;
	*rest = str_sub(*rest, 1, rest->n);
	return true;
}

static void
take_separator(struct str *rest)
{
	if (rest->n > 0 && is_separator(rest->p[0]))
		*rest = str_sub(*rest, 1, rest->n);
}

static bool
take_digits(struct str *rest, struct str *digits)
{
	size_t n = 0;

	while (n < rest->n && is_digit(rest->p[n]))
		n++;
	if (n == 0)
		return false;
	*digits = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->n);
	return true;
}

/* A mark and digits, or nothing. */
static bool
take_marked(struct str *rest, char mark, struct str *digits)
{
	struct str at = *rest;

	if (!take_byte(&at, mark) || !take_digits(&at, digits))
		return false;
	*rest = at;
	return true;
}

static bool
take_word(struct str *rest, struct str word)
{
	if (!str_eq_nocase(str_sub(*rest, 0, word.n), word))
		return false;
	*rest = str_sub(*rest, word.n, rest->n);
	return true;
}

/* A word and what it means.  One that begins another stands behind it. */
struct spelling {
	struct str written;
	struct str meant;
};

static const struct spelling pre_words[] = {
	{ STR_INIT("alpha"), STR_INIT("a") },
	{ STR_INIT("a"), STR_INIT("a") },
	{ STR_INIT("beta"), STR_INIT("b") },
	{ STR_INIT("b"), STR_INIT("b") },
	{ STR_INIT("preview"), STR_INIT("rc") },
	{ STR_INIT("pre"), STR_INIT("rc") },
	{ STR_INIT("rc"), STR_INIT("rc") },
	{ STR_INIT("c"), STR_INIT("rc") },
};

static const struct spelling post_words[] = {
	{ STR_INIT("post"), STR_INIT("post") },
	{ STR_INIT("rev"), STR_INIT("post") },
	{ STR_INIT("r"), STR_INIT("post") },
};

static const struct spelling dev_words[] = {
	{ STR_INIT("dev"), STR_INIT("dev") },
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* [-_.]? word [-_.]? digits?  If no word stands here, *rest stays. */
static bool
take_part(struct str *rest, const struct spelling *words, size_t count,
    struct str *meant, struct str *number)
{
	struct str at = *rest;

	take_separator(&at);
	for (size_t i = 0; i < count; i++) {
		if (!take_word(&at, words[i].written))
			continue;
		*meant = words[i].meant;
		take_separator(&at);
		if (!take_digits(&at, number))
			*number = STR("0");
		*rest = at;
		return true;
	}
	return false;
}

/* (digits '!')? digits ('.' digits)* */
static bool
take_epoch_and_release(struct str *rest, struct version *v)
{
	struct str from = *rest, digits;

	if (!take_digits(rest, &digits))
		return false;
	v->epoch = STR("0");
	if (take_byte(rest, '!')) {
		v->epoch = digits;
		from = *rest;
		if (!take_digits(rest, &digits))
			return false;
	}
	while (take_marked(rest, '.', &digits))
		;
	v->release = str_sub(from, 0, from.n - rest->n);
	return true;
}

/* '-' digits, or a word as in take_part() */
static void
take_post(struct str *rest, struct str *number)
{
	struct str meant;

	if (!take_marked(rest, '-', number))
		take_part(rest, post_words, COUNT(post_words), &meant, number);
}

/* [a-z0-9]+ ([-_.] [a-z0-9]+)*, to the end */
static bool
is_local(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_alnum(s.p[i]))
			continue;
		if (!is_separator(s.p[i]) || i == 0 || !is_alnum(s.p[i - 1]))
			return false;
	}
	return s.n > 0 && is_alnum(s.p[s.n - 1]);
}

enum status
version_scan(struct str text, struct version *out)
{
	struct version v = { 0 };
	struct str rest = text, meant;

	if (text.n > VERSION_MAX_BYTES)
		return INVALID;
	take_word(&rest, STR("v"));
	if (!take_epoch_and_release(&rest, &v))
		return INVALID;
	take_part(&rest, pre_words, COUNT(pre_words), &v.pre_kind, &v.pre);
	take_post(&rest, &v.post);
	take_part(&rest, dev_words, COUNT(dev_words), &meant, &v.dev);
	if (take_byte(&rest, '+')) {
		if (!is_local(rest))
			return INVALID;
		v.local = rest;
	} else if (rest.n > 0) {
		return INVALID;
	}
	*out = v;
	return OK;
}

enum status
version_parse(struct arena *a, struct str text, struct version *out)
{
	struct version v;

	if (text.n > VERSION_MAX_BYTES)
		return INVALID;
	if (version_scan(str_lower(a, utf8_trim(text)), &v) != OK)
		return INVALID;
	/* "-1" grows to ".post1"; what we write we must be able to read. */
	if (version_normal(a, &v).n > VERSION_MAX_BYTES)
		return INVALID;
	*out = v;
	return OK;
}

/* Comparing. */

/* Without leading zeros; nothing is left of zero itself. */
static struct str
significant(struct str digits)
{
	size_t zeros = 0;

	while (zeros < digits.n && digits.p[zeros] == '0')
		zeros++;
	return str_sub(digits, zeros, digits.n);
}

/* The next piece of a release or local part; false behind the last. */
static bool
next_piece(struct str *rest, struct str *piece)
{
	size_t n = 0;

	if (rest->n == 0)
		return false;
	while (n < rest->n && !is_separator(rest->p[n]))
		n++;
	*piece = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n + 1, rest->n);
	return true;
}

static bool
is_number(struct str piece)
{
	for (size_t i = 0; i < piece.n; i++)
		if (!is_digit(piece.p[i]))
			return false;
	return true;
}

/* The release without the zeros at its end; its first number stays. */
static struct str
without_zeros(struct str release)
{
	size_t dot;

	while ((dot = str_rfind(release, '.')) < release.n &&
	    significant(str_sub(release, dot + 1, release.n)).n == 0)
		release = str_sub(release, 0, dot);
	return release;
}

static int
cmp_size(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int
cmp_number(struct str a, struct str b)
{
	a = significant(a);
	b = significant(b);
	return a.n != b.n ? cmp_size(a.n, b.n) : str_cmp(a, b);
}

static int
cmp_release(struct str a, struct str b)
{
	for (;;) {
		struct str x = STR("0"), y = STR("0");
		bool more_a = next_piece(&a, &x), more_b = next_piece(&b, &y);
		int order = cmp_number(x, y);

		if (order != 0 || (!more_a && !more_b))
			return order;
	}
}

/* In a local part, words come before numbers. */
static int
cmp_local_piece(struct str a, struct str b)
{
	if (is_number(a) != is_number(b))
		return is_number(a) ? 1 : -1;
	return is_number(a) ? cmp_number(a, b) : str_cmp(a, b);
}

static int
cmp_local(struct str a, struct str b)
{
	for (;;) {
		struct str x, y;
		bool more_a = next_piece(&a, &x), more_b = next_piece(&b, &y);
		int order;

		if (!more_a || !more_b)
			return more_a - more_b;
		order = cmp_local_piece(x, y);
		if (order != 0)
			return order;
	}
}

/* Where its pre-release part, or the lack of one, puts a version. */
enum pre_rank {
	RANK_DEV_ONLY = 1,	/* 1.0.dev1 is before 1.0a1 */
	RANK_A,
	RANK_B,
	RANK_RC,
	RANK_FINAL,
};

static enum pre_rank
pre_rank(const struct version *v)
{
	if (v->pre_kind.n > 0)
		return v->pre_kind.p[0] == 'a' ? RANK_A :
		    v->pre_kind.p[0] == 'b' ? RANK_B : RANK_RC;
	return v->post.n == 0 && v->dev.n > 0 ? RANK_DEV_ONLY : RANK_FINAL;
}

/* 1.0 is before 1.0.post0. */
static int
cmp_post(struct str a, struct str b)
{
	if (a.n == 0 || b.n == 0)
		return (a.n > 0) - (b.n > 0);
	return cmp_number(a, b);
}

/* 1.0.dev0 is before 1.0. */
static int
cmp_dev(struct str a, struct str b)
{
	if (a.n == 0 || b.n == 0)
		return (b.n > 0) - (a.n > 0);
	return cmp_number(a, b);
}

int
version_cmp(const struct version *a, const struct version *b)
{
	int order = cmp_number(a->epoch, b->epoch);

	if (order == 0)
		order = cmp_release(a->release, b->release);
	if (order == 0)
		order = (int)pre_rank(a) - (int)pre_rank(b);
	if (order == 0)
		order = cmp_number(a->pre, b->pre);
	if (order == 0)
		order = cmp_post(a->post, b->post);
	if (order == 0)
		order = cmp_dev(a->dev, b->dev);
	if (order == 0)
		order = cmp_local(a->local, b->local);
	return order;
}

/* Writing. */

static void
put_number(struct buf *b, struct str digits)
{
	digits = significant(digits);
	buf_put(b, digits.n > 0 ? digits : STR("0"));
}

/* Pieces with dots between, and numbers without leading zeros. */
static void
put_pieces(struct buf *b, struct str pieces)
{
	struct str piece;
	bool first = true;

	while (next_piece(&pieces, &piece)) {
		if (!first)
			buf_byte(b, '.');
		first = false;
		if (is_number(piece))
			put_number(b, piece);
		else
			buf_put(b, piece);
	}
}

static struct str
spell(struct arena *a, const struct version *v, struct str release)
{
	struct buf b = buf_new(a);

	if (significant(v->epoch).n > 0) {
		put_number(&b, v->epoch);
		buf_byte(&b, '!');
	}
	put_pieces(&b, release);
	if (v->pre_kind.n > 0) {
		buf_put(&b, v->pre_kind);
		put_number(&b, v->pre);
	}
	if (v->post.n > 0) {
		buf_put(&b, STR(".post"));
		put_number(&b, v->post);
	}
	if (v->dev.n > 0) {
		buf_put(&b, STR(".dev"));
		put_number(&b, v->dev);
	}
	if (v->local.n > 0) {
		buf_byte(&b, '+');
		put_pieces(&b, v->local);
	}
	return buf_view(&b);
}

struct str
version_normal(struct arena *a, const struct version *v)
{
	return spell(a, v, v->release);
}

struct str
version_canonical(struct arena *a, const struct version *v)
{
	return spell(a, v, without_zeros(v->release));
}

bool
version_is_prerelease(const struct version *v)
{
	return v->pre_kind.n > 0 || v->dev.n > 0;
}

bool
version_has_local(const struct version *v)
{
	return v->local.n > 0;
}

/*
 * The sort key: epoch, release, pre, post, dev, local, each of them so that
 * no key of it begins another, but for the local part, which is the last.
 *
 *	number		its length, then its digits without leading zeros:
 *			length n as the byte n + 1, from 253 digits on as
 *			KEY_LONG and n - 253; so 0x01 (zero) to 0xfe
 *	release		its numbers without trailing zeros, then KEY_END
 *	pre		the rank, then the number if the rank has one
 *	post		KEY_END or a number
 *	dev		a number or KEY_NONE_LAST
 *	local		for each piece KEY_WORD, the word and KEY_END, or
 *			KEY_NUMBER and the number
 */
#define KEY_END		'\x00'	/* before any number, letter or digit */
#define KEY_WORD	'\x01'
#define KEY_NUMBER	'\x02'
#define KEY_LONG	'\xfe'
#define KEY_NONE_LAST	'\xff'	/* behind any number */
#define SHORT_DIGITS	253	/* lengths below it take one byte */

static void
key_number(struct buf *b, struct str digits)
{
	digits = significant(digits);
	if (digits.n < SHORT_DIGITS) {
		buf_byte(b, (char)(digits.n + 1));
	} else {
		buf_byte(b, KEY_LONG);
		buf_byte(b, (char)(digits.n - SHORT_DIGITS));
	}
	buf_put(b, digits);
}

static void
key_release(struct buf *b, struct str release)
{
	struct str number;

	release = without_zeros(release);
	while (next_piece(&release, &number))
		key_number(b, number);
	buf_byte(b, KEY_END);
}

static void
key_local(struct buf *b, struct str local)
{
	struct str piece;

	while (next_piece(&local, &piece)) {
		if (is_number(piece)) {
			buf_byte(b, KEY_NUMBER);
			key_number(b, piece);
		} else {
			buf_byte(b, KEY_WORD);
			buf_put(b, piece);
			buf_byte(b, KEY_END);
		}
	}
}

struct str
version_sort_key(struct arena *a, const struct version *v)
{
	struct buf b = buf_new(a);

	key_number(&b, v->epoch);
	key_release(&b, v->release);
	buf_byte(&b, (char)pre_rank(v));
	if (v->pre_kind.n > 0)
		key_number(&b, v->pre);
	if (v->post.n > 0)
		key_number(&b, v->post);
	else
		buf_byte(&b, KEY_END);
	if (v->dev.n > 0)
		key_number(&b, v->dev);
	else
		buf_byte(&b, KEY_NONE_LAST);
	key_local(&b, v->local);
	return buf_view(&b);
}
