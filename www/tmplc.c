/*
 * tmplc: compiles page templates into C functions.
 *
 *	tmplc h FILE... >pages.h
 *	tmplc c FILE... >pages.c
 *
 * A template is a page of HTML (*.html) or XML (*.xml) with these in it:
 *
 *	{% include "index/view.h" %}	a header that declares the arguments
 *	{% page name(struct x *x) %}	becomes page_name(struct buf *out,
 *					struct x *x); the page begins on the
 *					next line; once, before any text
 *	{{ expr }}			a struct str, escaped for HTML or XML
 *	{{ expr | url }}		a struct str, as one segment of a URL
 *	{{ expr | link }}		a struct str that is a whole URL of our
 *					own making: written only if it begins
 *					with /, http:// or https://, else "#"
 *	{{ expr | int }}		a number
 *	{% for x in list %}		list is a pointer to a struct with the
 *	... {% end %}			fields at and n; x points to an element
 *	{% if expr %} ...		any C condition
 *	{% else %} ... {% end %}
 *	{# comment #}
 *
 * A '-' inside of a bracket ({%- or -%}, and so for {{ }} and {# #}) takes
 * away the white space outside of it, line ends included.
 *
 * What a value may do depends on where it stands, which tmplc follows through
 * the markup.  These stop the build, with file and line:
 *  - a value in an attribute that is not quoted, in the name of a tag or an
 *    attribute, in <script>, <style> and their kin, in an attribute on... or
 *    style or srcdoc, in a declaration; in a comment all but numbers;
 *  - href, src, action and their kin that begin with a value which is neither
 *    `url` nor `link`: it could be "javascript:";
 *  - blocks whose branches do not end at the same place of the markup;
 *  - unknown filters and words, what is not closed, more than one page.
 * Everything else is found by the C compiler, which is told the template's
 * own file and line.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX	16	/* nested blocks */
#define INCLUDES_MAX	8
#define WORD_BYTES	32	/* of the name of a tag or attribute, kept */
#define LITERAL_BYTES	2000	/* of one string; C11 promises 4095 */
#define TEMPLATE_BYTES	((size_t)1 << 20)

/* Bytes of the template, or a word from it. */
struct span {
	const char *p;
	size_t n;
};

enum where {
	TEXT,		/* between tags */
	LESS,		/* behind "<" */
	TAG_NAME,
	TAG,		/* in a tag, between attributes */
	ATTRIBUTE,	/* in its name */
	BEFORE_EQUAL,	/* behind its name */
	BEFORE_VALUE,	/* behind "=" */
	UNQUOTED,	/* in a value */
	DOUBLE,		/* in a value in "" */
	SINGLE,		/* in a value in '' */
	BANG,		/* behind "<!" */
	BANG_DASH,	/* behind "<!-" */
	COMMENT,
	DECLARATION,	/* <!DOCTYPE ...>, <?xml ...>, <![CDATA[...> */
	RAW,		/* in <script> and its kin */
};

/* Where in the markup a place of the template is. */
struct context {
	enum where where;
	bool is_closing;	/* in </tag> */
	bool has_begun;		/* the value of the attribute is not empty */
	size_t seen;		/* of "-->" or "</tag" in COMMENT and RAW */
	char tag[WORD_BYTES];	/* lower case */
	char attribute[WORD_BYTES];
};

struct block {
	bool is_loop;
	bool has_else;
	int line;
	struct context before;	/* at its beginning */
	struct context then;	/* at the end of its first branch */
};

struct template {
	const char *file;
	bool is_xml;
	struct span rest;	/* not compiled yet */
	int line;		/* where rest begins */
	int tag_line;		/* where the current bracket began */
	bool trims;		/* the last bracket ended in '-' */
	bool begins;		/* the last bracket was {% page %} */
	struct context context;
	struct block blocks[DEPTH_MAX];
	int depth;
	struct span includes[INCLUDES_MAX];
	int n_includes;
	struct span name, arguments;	/* of the page */
	bool uses_link;
	FILE *code;		/* the function's body, into body */
	char *body;
	size_t body_bytes;
	char error[400];	/* empty: none so far */
};

/* Say what is wrong; always false, so that callers can return it. */
static bool fail(struct template *t, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool
fail(struct template *t, int line, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(t->error, sizeof(t->error), "%s:%d: %s", t->file, line, text);
	return false;
}

/* Spans */

static struct span
sub(struct span s, size_t from, size_t to)
{
	return (struct span){ s.p + from, to - from };
}

static bool
is(struct span s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

static bool
begins(struct span s, const char *word)
{
	return s.n >= strlen(word) && memcmp(s.p, word, strlen(word)) == 0;
}

static bool
is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct span
trim_left(struct span s)
{
	while (s.n > 0 && is_white(s.p[0]))
		s = sub(s, 1, s.n);
	return s;
}

static struct span
trim_right(struct span s)
{
	while (s.n > 0 && is_white(s.p[s.n - 1]))
		s.n--;
	return s;
}

static size_t
find(struct span s, const char *needle)
{
	const char *hit = memmem(s.p, s.n, needle, strlen(needle));

	return hit ? (size_t)(hit - s.p) : s.n;
}

/* Take the first word off, up to white space. */
static struct span
take_word(struct span *s)
{
	struct span word;
	size_t n = 0;

	*s = trim_left(*s);
	while (n < s->n && !is_white(s->p[n]))
		n++;
	word = sub(*s, 0, n);
	*s = trim_left(sub(*s, n, s->n));
	return word;
}

static bool
is_identifier(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_letter(s.p[i]) && s.p[i] != '_' &&
		    (i == 0 || s.p[i] < '0' || s.p[i] > '9'))
			return false;
	return s.n > 0;
}

/* Advance to what stands n bytes further on. */
static void
advance(struct template *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		t->line += t->rest.p[i] == '\n';
	t->rest = sub(t->rest, n, t->rest.n);
}

/* Following the markup */

static bool
in_list(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* Elements whose content is not HTML: no escaper of ours fits. */
static bool
is_raw(const char *tag)
{
	static const char *const list[] = { "script", "style", "iframe",
	    "noembed", "noframes", "noscript", "plaintext", "xmp", NULL };

	return in_list(tag, list);
}

/* Attributes that a browser follows or loads. */
static bool
is_address(const char *attribute)
{
	static const char *const list[] = { "href", "src", "action",
	    "formaction", "poster", "data", "cite", "background", "ping",
	    "manifest", "srcset", "xlink:href", NULL };

	return in_list(attribute, list);
}

/* Attributes in which no value of ours may stand. */
static bool
is_code(const char *attribute)
{
	return strncmp(attribute, "on", 2) == 0 ||
	    strcmp(attribute, "style") == 0 ||
	    strcmp(attribute, "srcdoc") == 0;
}

static void
add_letter(char *word, char c)
{
	size_t n = strlen(word);

	if (n + 1 == WORD_BYTES)
		return;
	word[n] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	word[n + 1] = '\0';
}

static void
end_tag(struct context *x, bool is_xml)
{
	x->where = !is_xml && !x->is_closing && is_raw(x->tag) ? RAW : TEXT;
	x->seen = 0;
}

static void
begin_attribute(struct context *x, char c)
{
	x->where = ATTRIBUTE;
	x->has_begun = false;
	x->attribute[0] = '\0';
	add_letter(x->attribute, c);
}

/* Watch for the "-->" of a comment: dashes may be more than two. */
static void
follow_comment(struct context *x, char c)
{
	if (c == '-') {
		x->seen += x->seen < 2;
		return;
	}
	if (c == '>' && x->seen == 2)
		x->where = TEXT;
	x->seen = 0;
}

/* Watch for the "</tag" that ends raw text. */
static void
follow_raw(struct context *x, char c)
{
	char lower = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	char want = x->seen < 2 ? "</"[x->seen] : x->tag[x->seen - 2];

	if (want != '\0') {
		x->seen = lower == want ? x->seen + 1 : c == '<';
		return;
	}
	x->seen = c == '<';	/* "</scripture" does not end a script */
	if (is_white(c) || c == '/' || c == '>') {
		x->where = c == '>' ? TEXT : TAG;
		x->is_closing = true;
		x->seen = 0;
	}
}

static void
follow_less(struct context *x, char c)
{
	x->is_closing = c == '/';
	x->tag[0] = '\0';
	x->where = TEXT;
	if (c == '!')
		x->where = BANG;
	else if (c == '?')
		x->where = DECLARATION;
	else if (c == '/' || is_letter(c))
		x->where = TAG_NAME;
	if (is_letter(c))
		add_letter(x->tag, c);
}

/* Within a tag: names, "=", white space and its end. */
static void
follow_tag(struct context *x, char c, bool is_xml)
{
	if (c == '>') {
		end_tag(x, is_xml);
	} else if (is_white(c)) {
		if (x->where == ATTRIBUTE)
			x->where = BEFORE_EQUAL;
		else if (x->where == TAG_NAME || x->where == UNQUOTED)
			x->where = TAG;
	} else if (x->where == TAG_NAME) {
		add_letter(x->tag, c);
	} else if (x->where == UNQUOTED) {
		return;
	} else if (x->where == BEFORE_VALUE) {
		x->where = c == '"' ? DOUBLE : c == '\'' ? SINGLE : UNQUOTED;
	} else if (c == '=' && x->where != TAG) {
		x->where = BEFORE_VALUE;
	} else if (c == '/') {
		x->where = TAG;
	} else if (x->where == ATTRIBUTE) {
		add_letter(x->attribute, c);
	} else {
		begin_attribute(x, c);
	}
}

static void
follow(struct context *x, char c, bool is_xml)
{
	switch (x->where) {
	case TEXT:
		if (c == '<')
			x->where = LESS;
		return;
	case LESS:
		follow_less(x, c);
		return;
	case DOUBLE:
	case SINGLE:
		x->has_begun = true;
		if (c == (x->where == DOUBLE ? '"' : '\''))
			x->where = TAG;
		return;
	case BANG:
	case BANG_DASH:
		x->where = c != '-' ? c == '>' ? TEXT : DECLARATION :
		    x->where == BANG ? BANG_DASH : COMMENT;
		x->seen = 0;
		return;
	case COMMENT:
		follow_comment(x, c);
		return;
	case DECLARATION:
		if (c == '>')
			x->where = TEXT;
		return;
	case RAW:
		follow_raw(x, c);
		return;
	default:
		follow_tag(x, c, is_xml);
	}
}

/* Behind an attribute that may have had its last byte. */
static bool
is_between_attributes(const struct context *x)
{
	return x->where == TAG || x->where == BEFORE_EQUAL;
}

/* Do two branches that meet end at the same place?  *a becomes that place. */
static bool
meet(struct context *a, const struct context *b)
{
	if (is_between_attributes(a) && is_between_attributes(b)) {
		a->where = TAG;
		return strcmp(a->tag, b->tag) == 0 &&
		    a->is_closing == b->is_closing;
	}
	if (a->where != b->where || a->seen != b->seen)
		return false;
	if (a->where != TEXT && (strcmp(a->tag, b->tag) != 0 ||
	    a->is_closing != b->is_closing))
		return false;
	if (a->where >= ATTRIBUTE && a->where <= SINGLE &&
	    strcmp(a->attribute, b->attribute) != 0)
		return false;
	a->has_begun = a->has_begun && b->has_begun;
	return true;
}

/* Writing C */

static void
indent(struct template *t)
{
	for (int i = 0; i <= t->depth; i++)
		putc('\t', t->code);
}

/* The next line of code is the template's. */
static void
put_line(struct template *t)
{
	fprintf(t->code, "#line %d \"%s\"\n", t->tag_line, t->file);
	indent(t);
}

static void
put_c_char(FILE *f, char c)
{
	if (c == '"' || c == '\\' || c == '?')	/* ? for trigraphs */
		fprintf(f, "\\%c", c);
	else if (c == '\n')
		fputs("\\n", f);
	else if (c == '\t')
		fputs("\\t", f);
	else if (c < ' ' || c > '~')
		fprintf(f, "\\%03o", (unsigned)(unsigned char)c);
	else
		putc(c, f);
}

static void
put_literal(struct template *t, struct span text)
{
	for (size_t from = 0; from < text.n; ) {
		size_t to = from + LITERAL_BYTES;

		if (to > text.n)
			to = text.n;
		indent(t);
		fputs("buf_put(out, STR(\"", t->code);
		for (size_t i = from; i < to; i++) {
			put_c_char(t->code, text.p[i]);
			if (text.p[i] == '\n' && i + 1 < to) {
				fputs("\"\n", t->code);
				indent(t);
				fputs("    \"", t->code);
			}
		}
		fputs("\"));\n", t->code);
		from = to;
	}
}

static void
put_span(struct template *t, struct span s)
{
	fwrite(s.p, 1, s.n, t->code);
}

/* Brackets */

/* An expression is one line of C, and no statement. */
static bool
is_expression(struct template *t, struct span s)
{
	if (s.n == 0)
		return fail(t, t->tag_line, "an expression is missing");
	for (size_t i = 0; i < s.n; i++)
		if (strchr(";{}\n\\#", s.p[i]))
			return fail(t, t->tag_line, "'%.*s' is not a simple "
			    "expression", (int)(s.n > 80 ? 80 : s.n), s.p);
	return true;
}

static bool
may_stand_in_attribute(struct template *t, struct span filter)
{
	struct context *x = &t->context;

	if (t->is_xml)
		return true;
	if (is_code(x->attribute))
		return fail(t, t->tag_line, "no value may stand in the "
		    "attribute %s", x->attribute);
	if (is_address(x->attribute) && !x->has_begun &&
	    !is(filter, "url") && !is(filter, "link"))
		return fail(t, t->tag_line, "%s begins with a value that is "
		    "neither '| url' nor '| link'", x->attribute);
	if (is(filter, "link") && x->has_begun)
		return fail(t, t->tag_line, "a link must begin the attribute");
	return true;
}

static bool
may_stand_here(struct template *t, struct span filter)
{
	switch (t->context.where) {
	case TEXT:
		return true;
	case DOUBLE:
	case SINGLE:
		return may_stand_in_attribute(t, filter);
	case COMMENT:
		if (is(filter, "int"))
			return true;
		return fail(t, t->tag_line, "only '| int' may stand in a "
		    "comment");
	case BEFORE_VALUE:
	case UNQUOTED:
		return fail(t, t->tag_line, "the value of %s must be in "
		    "quotes", t->context.attribute);
	case RAW:
		return fail(t, t->tag_line, "no value may stand in <%s>",
		    t->context.tag);
	default:
		return fail(t, t->tag_line, "a value may stand in text or in "
		    "a quoted attribute only");
	}
}

/* Where the filter begins: the last single '|', or the end. */
static size_t
find_filter(struct span s)
{
	for (size_t i = s.n; i-- > 0; ) {
		if (s.p[i] != '|')
			continue;
		if (i > 0 && s.p[i - 1] == '|')
			return s.n;
		return i;
	}
	return s.n;
}

static bool
value(struct template *t, struct span inner)
{
	size_t bar = find_filter(inner);
	struct span expr = trim_right(sub(inner, 0, bar));
	struct span filter = { "", 0 };
	const char *function = t->is_xml ? "buf_xml" : "buf_html";

	if (bar < inner.n)
		filter = trim_left(sub(inner, bar + 1, inner.n));
	if (is(filter, "url"))
		function = "buf_url";
	else if (is(filter, "int"))
		function = "buf_int";
	else if (is(filter, "link"))
		function = "put_link";
	else if (bar < inner.n)
		return fail(t, t->tag_line, "there is no filter '%.*s'",
		    (int)(filter.n > 80 ? 80 : filter.n), filter.p);
	if (!is_expression(t, expr) || !may_stand_here(t, filter))
		return false;
	if (t->name.n == 0)
		return fail(t, t->tag_line, "{%% page %%} must come first");
	put_line(t);
	if (is(filter, "link")) {
		t->uses_link = true;
		fprintf(t->code, "put_link(out, %s, ",
		    t->is_xml ? "buf_xml" : "buf_html");
	} else {
		fprintf(t->code, "%s(out, ", function);
	}
	put_span(t, expr);
	fputs(");\n", t->code);
	t->context.has_begun = true;
	return true;
}

static bool
include(struct template *t, struct span s)
{
	if (s.n < 3 || s.p[0] != '"' || s.p[s.n - 1] != '"' ||
	    memchr(s.p + 1, '"', s.n - 2) || memchr(s.p, '\n', s.n) ||
	    memchr(s.p, '\\', s.n))
		return fail(t, t->tag_line, "include needs a \"header.h\"");
	if (t->n_includes == INCLUDES_MAX)
		return fail(t, t->tag_line, "over %d includes", INCLUDES_MAX);
	t->includes[t->n_includes++] = s;
	return true;
}

static bool
page(struct template *t, struct span s)
{
	size_t open = find(s, "(");

	if (t->name.n > 0)
		return fail(t, t->tag_line, "a template has one page only");
	if (open == s.n || s.p[s.n - 1] != ')')
		return fail(t, t->tag_line, "page needs a name(arguments)");
	t->arguments = sub(s, open + 1, s.n - 1);
	for (size_t i = 0; i < t->arguments.n; i++)
		if (strchr(";{}()\\#\"", t->arguments.p[i]))
			return fail(t, t->tag_line, "arguments must be plain "
			    "declarations");
	if (!is_identifier(sub(s, 0, open)))
		return fail(t, t->tag_line, "page needs a name");
	t->name = sub(s, 0, open);
	t->begins = true;
	return true;
}

static bool
begin_block(struct template *t, bool is_loop)
{
	if (t->name.n == 0)
		return fail(t, t->tag_line, "{%% page %%} must come first");
	if (t->depth == DEPTH_MAX)
		return fail(t, t->tag_line, "over %d nested blocks",
		    DEPTH_MAX);
	t->blocks[t->depth++] = (struct block){ .is_loop = is_loop,
	    .line = t->tag_line, .before = t->context };
	return true;
}

static bool
loop(struct template *t, struct span s)
{
	struct span x = take_word(&s), in = take_word(&s);

	if (!is_identifier(x) || !is(in, "in"))
		return fail(t, t->tag_line, "for needs the form: x in list");
	if (!is_expression(t, s))
		return false;
	put_line(t);
	fprintf(t->code, "for (size_t %.*s_i = 0; %.*s_i < (%.*s)->n; "
	    "%.*s_i++) {\n", (int)x.n, x.p, (int)x.n, x.p, (int)s.n, s.p,
	    (int)x.n, x.p);
	if (!begin_block(t, true))
		return false;
	put_line(t);
	fprintf(t->code, "const __typeof__((%.*s)->at[0]) *%.*s = "
	    "&(%.*s)->at[%.*s_i];\n\n", (int)s.n, s.p, (int)x.n, x.p,
	    (int)s.n, s.p, (int)x.n, x.p);
	return true;
}

static bool
condition(struct template *t, struct span s)
{
	if (!is_expression(t, s))
		return false;
	put_line(t);
	fputs("if (", t->code);
	put_span(t, s);
	fputs(") {\n", t->code);
	return begin_block(t, false);
}

static bool
otherwise(struct template *t)
{
	struct block *b = t->depth > 0 ? &t->blocks[t->depth - 1] : NULL;

	if (!b || b->is_loop || b->has_else)
		return fail(t, t->tag_line, "there is no if for this else");
	b->has_else = true;
	b->then = t->context;
	t->context = b->before;
	t->depth--;
	indent(t);
	fputs("} else {\n", t->code);
	t->depth++;
	return true;
}

static bool
end_block(struct template *t)
{
	struct block *b;

	if (t->depth == 0)
		return fail(t, t->tag_line, "there is nothing to end");
	b = &t->blocks[--t->depth];
	if (!meet(&t->context, b->has_else ? &b->then : &b->before))
		return fail(t, b->line, "the ways through this block end at "
		    "different places of the markup");
	indent(t);
	fputs("}\n", t->code);
	return true;
}

static bool
statement(struct template *t, struct span inner)
{
	struct span rest = inner;
	struct span word = take_word(&rest);

	if (is(word, "include"))
		return include(t, rest);
	if (is(word, "page"))
		return page(t, rest);
	if (is(word, "for"))
		return loop(t, rest);
	if (is(word, "if"))
		return condition(t, rest);
	if (is(inner, "else"))
		return otherwise(t);
	if (is(inner, "end"))
		return end_block(t);
	return fail(t, t->tag_line, "'%.*s' is not known here",
	    (int)(inner.n > 80 ? 80 : inner.n), inner.p);
}

/* The whole template */

/* Text up to the next bracket; trims: that takes the white space before it. */
static bool
literal(struct template *t, struct span text, bool trims)
{
	if (t->trims)
		text = trim_left(text);
	else if (t->begins && begins(text, "\n"))
		text = sub(text, 1, text.n);
	if (trims)
		text = trim_right(text);
	if (t->name.n == 0) {
		if (trim_left(text).n > 0)
			return fail(t, t->line, "text before {%% page %%}");
		return true;
	}
	for (size_t i = 0; i < text.n; i++)
		follow(&t->context, text.p[i], t->is_xml);
	put_literal(t, text);
	return true;
}

/* Where the next bracket begins, or the end. */
static size_t
find_bracket(struct span s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == '{' && strchr("{%#", s.p[i + 1]))
			return i;
	return s.n;
}

/* The bracket at the beginning of rest. */
static bool
bracket(struct template *t)
{
	char kind = t->rest.p[1];
	const char *close = kind == '{' ? "}}" : kind == '%' ? "%}" : "#}";
	struct span inner = sub(t->rest, 2, t->rest.n);
	size_t n = find(inner, close);
	bool is_done = true;

	t->tag_line = t->line;
	t->begins = false;
	if (n == inner.n)
		return fail(t, t->tag_line, "%s is missing", close);
	inner = sub(inner, 0, n);
	advance(t, n + 4);
	t->trims = inner.n > 0 && inner.p[inner.n - 1] == '-';
	if (t->trims)
		inner.n--;
	if (inner.n > 0 && inner.p[0] == '-')
		inner = sub(inner, 1, inner.n);
	inner = trim_left(trim_right(inner));
	if (kind == '{')
		is_done = value(t, inner);
	else if (kind == '%')
		is_done = statement(t, inner);
	return is_done;
}

static bool
compile_rest(struct template *t)
{
	while (t->rest.n > 0) {
		size_t n = find_bracket(t->rest);
		bool trims = n + 2 < t->rest.n && t->rest.p[n + 2] == '-';

		if (!literal(t, sub(t->rest, 0, n), trims))
			return false;
		advance(t, n);
		if (t->rest.n > 0 && !bracket(t))
			return false;
	}
	if (t->depth > 0)
		return fail(t, t->blocks[t->depth - 1].line, "this block has "
		    "no {%% end %%}");
	if (t->name.n == 0)
		return fail(t, t->line, "{%% page %%} is missing");
	if (t->context.where != TEXT)
		return fail(t, t->line, "the page ends within a tag, a "
		    "comment or a <script>");
	return true;
}

/* Compile text into t->body; if not, t->error says why.  Ends in a call of
 * template_done() either way. */
static bool
compile(struct template *t, const char *file, struct span text)
{
	size_t n = strlen(file);
	bool is_done;

	memset(t, 0, sizeof(*t));
	t->file = file;
	t->rest = text;
	t->line = 1;
	t->is_xml = n > 4 && strcmp(file + n - 4, ".xml") == 0;
	if (memchr(text.p, '\0', text.n))
		return fail(t, 1, "not a text file");
	t->code = open_memstream(&t->body, &t->body_bytes);
	if (!t->code)
		return fail(t, 1, "out of memory");
	is_done = compile_rest(t);
	if (fclose(t->code) == EOF && is_done)
		is_done = fail(t, 1, "out of memory");
	return is_done;
}

static void
template_done(struct template *t)
{
	free(t->body);
}

/* The program */

static void
put_prototype(FILE *f, const struct template *t, const char *after_type)
{
	fprintf(f, "void%spage_%.*s(struct buf *out%s%.*s)", after_type,
	    (int)t->name.n, t->name.p, t->arguments.n ? ", " : "",
	    (int)t->arguments.n, t->arguments.p);
}

/* Does one of the first n templates include this? */
static bool
is_included(const struct template *t, int n, struct span header)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < t[i].n_includes; j++)
			if (t[i].includes[j].n == header.n &&
			    memcmp(t[i].includes[j].p, header.p, header.n) == 0)
				return true;
	return false;
}

static void
put_includes(const struct template *t, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < t[i].n_includes; j++)
			if (!is_included(t, i, t[i].includes[j]))
				printf("#include %.*s\n",
				    (int)t[i].includes[j].n,
				    t[i].includes[j].p);
}

static void
put_header(const struct template *t, int n)
{
	puts("/* Made by www/tmplc.c from www/page. */\n"
	    "#ifndef PAGES_H\n#define PAGES_H\n\n#include \"base/str.h\"");
	put_includes(t, n);
	puts("\nstruct buf;\n");
	for (int i = 0; i < n; i++) {
		printf("/* %s */\n", t[i].file);
		put_prototype(stdout, &t[i], " ");
		puts(";");
	}
	puts("\n#endif");
}

/* A URL of ours; anything else, say "javascript:", is a link to nowhere. */
static const char link_function[] =
    "static void\n"
    "put_link(struct buf *out, void (*put)(struct buf *, struct str),\n"
    "    struct str url)\n"
    "{\n"
    "\tif ((str_starts(url, STR(\"/\")) &&\n"
    "\t    !str_starts(url, STR(\"//\"))) ||\n"
    "\t    str_starts(url, STR(\"http://\")) ||\n"
    "\t    str_starts(url, STR(\"https://\")))\n"
    "\t\tput(out, url);\n"
    "\telse\n"
    "\t\tbuf_byte(out, '#');\n"
    "}\n\n";

static void
put_source(const struct template *t, int n)
{
	bool uses_link = false;

	puts("/* Made by www/tmplc.c from www/page. */\n"
	    "#include \"pages.h\"\n\n#include \"base/buf.h\"\n");
	for (int i = 0; i < n; i++)
		uses_link |= t[i].uses_link;
	if (uses_link)
		fputs(link_function, stdout);
	for (int i = 0; i < n; i++) {
		put_prototype(stdout, &t[i], "\n");
		puts("\n{");
		fwrite(t[i].body, 1, t[i].body_bytes, stdout);
		puts("}\n");
	}
}

/* All of a file, or NULL; at most TEMPLATE_BYTES of it. */
static char *
read_file(const char *file, size_t *n)
{
	char *text = malloc(TEMPLATE_BYTES);
	FILE *f = fopen(file, "r");

	if (!text || !f) {
		free(text);
		if (f)
			fclose(f);
		return NULL;
	}
	*n = fread(text, 1, TEMPLATE_BYTES, f);
	if (ferror(f) || *n == TEMPLATE_BYTES) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

static bool
compile_file(struct template *t, const char *file, char **text)
{
	struct span all = { "", 0 };

	*text = read_file(file, &all.n);
	if (!*text) {
		fprintf(stderr, "tmplc: cannot read %s\n", file);
		return false;
	}
	all.p = *text;
	if (compile(t, file, all))
		return true;
	fprintf(stderr, "%s\n", t->error);
	return false;
}

int
main(int argc, char **argv)
{
	int n = argc - 2;
	struct template *t;
	char **texts;
	bool is_done = true;

	if (n < 1 || (strcmp(argv[1], "h") != 0 && strcmp(argv[1], "c") != 0)) {
		fputs("usage: tmplc h|c FILE...\n", stderr);
		return 2;
	}
	t = calloc((size_t)n, sizeof(*t));
	texts = calloc((size_t)n, sizeof(*texts));
	if (!t || !texts)
		return 1;
	for (int i = 0; i < n; i++)
		is_done &= compile_file(&t[i], argv[i + 2], &texts[i]);
	if (is_done && argv[1][0] == 'h')
		put_header(t, n);
	else if (is_done)
		put_source(t, n);
	for (int i = 0; i < n; i++) {
		template_done(&t[i]);
		free(texts[i]);
	}
	free(texts);
	free(t);
	return is_done && fflush(stdout) == 0 ? 0 : 1;
}
