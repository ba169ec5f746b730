/* Unit tests of www/tmplc.c: what it writes, and what it refuses. */
int tmplc_main(int argc, char **argv);

#define main tmplc_main
#include "../../www/tmplc.c"
#undef main

#include "tap.h"

#define BEGIN	"{% page x(struct str v) %}\n"

/* The body of the function, or the message. */
static struct str
compiled(struct arena *a, const char *file, const char *text)
{
	struct template *t = arena_alloc(a, sizeof(*t));
	struct str out;

	if (compile(t, file, (struct span){ text, strlen(text) }))
		out = str_dup(a, (struct str){ t->body, t->body_bytes });
	else
		out = str_dup(a, str_c(t->error));
	template_done(t);
	return out;
}

static struct str
body(struct arena *a, const char *text)
{
	return compiled(a, "t.html", str_fmt(a, "%s%s", BEGIN, text).p);
}

/* Is the text behind {% page %} accepted? */
static bool
takes(struct arena *a, const char *text)
{
	return !str_starts(body(a, text), STR("t.html:"));
}

static void
test_text_becomes_strings(struct arena *a)
{
	is_str(body(a, "a\n\"b\" \\ \xc3\xa9 ?\?="),
	    STR("\tbuf_put(out, STR(\"a\\n\"\n"
	    "\t    \"\\\"b\\\" \\\\ \\303\\251 \\?\\?=\"));\n"));
	is_str(body(a, ""), STR(""));
}

static void
test_long_text_becomes_several_strings(struct arena *a)
{
	char *x = arena_alloc(a, 5001);
	struct str got;
	size_t at, n = 0;

	memset(x, 'x', 5000);
	got = body(a, x);
	for (at = 0; (at = str_find_str(got, STR("buf_put"), at)) < got.n;
	    at++)
		n++;
	is_int(n, 3);
}

static void
test_values_get_the_escaper_of_their_place(struct arena *a)
{
	is_str(body(a, "{{ v }}"),
	    STR("#line 2 \"t.html\"\n\tbuf_html(out, v);\n"));
	is_str(body(a, "\n{{v|url}}"), STR("\tbuf_put(out, STR(\"\\n\"));\n"
	    "#line 3 \"t.html\"\n\tbuf_url(out, v);\n"));
	is_str(body(a, "{{ a || b | int }}"),
	    STR("#line 2 \"t.html\"\n\tbuf_int(out, a || b);\n"));
	is_str(body(a, "{{ v | link }}"),
	    STR("#line 2 \"t.html\"\n\tput_link(out, buf_html, v);\n"));
	is_str(compiled(a, "t.xml", BEGIN "{{ v }}{{ v | link }}"),
	    STR("#line 2 \"t.xml\"\n\tbuf_xml(out, v);\n"
	    "#line 2 \"t.xml\"\n\tput_link(out, buf_xml, v);\n"));
}

static void
test_blocks_become_c_blocks(struct arena *a)
{
	is_str(body(a, "{% for f in list %}{% if f->n > 1 %}x{% else %}y"
	    "{% end %}{% end %}"),
	    STR("#line 2 \"t.html\"\n"
	    "\tfor (size_t f_i = 0; f_i < (list)->n; f_i++) {\n"
	    "#line 2 \"t.html\"\n"
	    "\t\tconst __typeof__((list)->at[0]) *f = &(list)->at[f_i];\n\n"
	    "#line 2 \"t.html\"\n"
	    "\t\tif (f->n > 1) {\n"
	    "\t\t\tbuf_put(out, STR(\"x\"));\n"
	    "\t\t} else {\n"
	    "\t\t\tbuf_put(out, STR(\"y\"));\n"
	    "\t\t}\n"
	    "\t}\n"));
}

static void
test_dashes_and_comments_take_white_space_away(struct arena *a)
{
	is_str(body(a, "a \n{#- b -#}\n c {# {{ d }} #} e"),
	    STR("\tbuf_put(out, STR(\"a\"));\n"
	    "\tbuf_put(out, STR(\"c \"));\n"
	    "\tbuf_put(out, STR(\" e\"));\n"));
	is_str(body(a, "a {{- v -}} b"),
	    STR("\tbuf_put(out, STR(\"a\"));\n"
	    "#line 2 \"t.html\"\n\tbuf_html(out, v);\n"
	    "\tbuf_put(out, STR(\"b\"));\n"));
}

static void
test_values_may_stand_in_text_and_quoted_attributes(struct arena *a)
{
	ok(takes(a, "<p>{{ v }}</p>"));
	ok(takes(a, "<p class=\"a {{ v }}\" id='{{ v }}'>"));
	ok(takes(a, "<a href=\"{{ v | url }}/{{ v }}\">"));
	ok(takes(a, "<a href=\"/x/{{ v }}\">"));
	ok(takes(a, "<a href='{{ v | link }}#{{ v }}'>"));
	ok(takes(a, "<title>{{ v }}</title><br/>{{ v }}"));
	ok(takes(a, "<!--{{ 1 | int }}-->{{ v }}"));
	ok(takes(a, "<!-- <script> -- -> ---->{{ v }}"));
	ok(takes(a, "<script>if (a </ b) '</scripture'</script >{{ v }}"));
	ok(takes(a, "<SCRIPT src=/x.js></ScRiPt>{{ v }}"));
	ok(takes(a, "a < b {{ v }}"));
	ok(takes(a, "<input checked {% if v.n %}disabled {% end %}>"));
	ok(takes(a, "<p {% if v.n %}id=\"{{ v }}\"{% else %}id=x {% end %}>"));
}

static void
test_values_elsewhere_are_refused(struct arena *a)
{
	ok(!takes(a, "<p class={{ v }}>"));
	ok(!takes(a, "<p class= {{ v }}>"));
	ok(!takes(a, "<p class=a{{ v }}>"));
	ok(!takes(a, "<p {{ v }}>"));
	ok(!takes(a, "<p a{{ v }}=\"\">"));
	ok(!takes(a, "<p{{ v }}>"));
	ok(!takes(a, "<{{ v }}>"));
	ok(!takes(a, "</{{ v }}>"));
	ok(!takes(a, "<!--{{ v }}-->"));
	ok(!takes(a, "<!{{ v }}>"));
	ok(!takes(a, "<script>{{ v }}</script>"));
	ok(!takes(a, "<script>\"<p>{{ v }}\"</script>"));
	ok(!takes(a, "<script></scripture>{{ v }}</script>"));
	ok(!takes(a, "<Style>{{ v | int }}</Style>"));
	ok(!takes(a, "<p onclick=\"{{ v }}\">"));
	ok(!takes(a, "<p STYLE=\"a{{ v }}\">"));
	ok(!takes(a, "<iframe srcdoc='{{ v }}'>"));
}

static void
test_addresses_must_begin_safely(struct arena *a)
{
	is_str(body(a, "\n<a href=\"{{ v }}\">"), STR("t.html:3: href begins "
	    "with a value that is neither '| url' nor '| link'"));
	ok(!takes(a, "<img SRC = '{{ v }}'>"));
	ok(!takes(a, "<form action=\"{{ v | int }}\">"));
	ok(!takes(a, "<a href=\"{% if v.n %}x{% end %}{{ v }}\">"));
	ok(!takes(a, "<a href=\"{{ v | url }}{{ v | link }}\">"));
}

static void
test_blocks_must_end_where_they_began(struct arena *a)
{
	is_str(body(a, "a\n{% if v.n %}<p {% end %}>"), STR("t.html:3: the "
	    "ways through this block end at different places of the markup"));
	ok(!takes(a, "{% for x in y %}<!--{% end %}-->"));
	ok(!takes(a, "{% if x %}<p id=\"{% else %}<p class=\"{% end %}\">"));
	ok(!takes(a, "{% if x %}<script>{% end %}</script>"));
	ok(!takes(a, "<p {% if x %}on{% end %}click=\"{{ v }}\">"));
	ok(!takes(a, "<p {% if x %}hidden{% end %}>"));
	ok(!takes(a, "<p {% if x %}onclick {% end %}=\"{{ v }}\">"));
	ok(!takes(a, "<p"));
	ok(!takes(a, "<!-- -- >"));
}

static void
test_mistakes_are_refused_with_their_line(struct arena *a)
{
	is_str(body(a, "{{ v"), STR("t.html:2: }} is missing"));
	is_str(body(a, "\n{% if a %}\n{% for b in c %}{% end %}"),
	    STR("t.html:3: this block has no {% end %}"));
	is_str(body(a, "{% end %}"), STR("t.html:2: there is nothing to end"));
	is_str(body(a, "{% else %}"),
	    STR("t.html:2: there is no if for this else"));
	ok(!takes(a, "{% if a %}{% else %}{% else %}{% end %}"));
	ok(!takes(a, "{% for a in b %}{% else %}{% end %}"));
	is_str(body(a, "{{ v | raw }}"),
	    STR("t.html:2: there is no filter 'raw'"));
	ok(!takes(a, "{{ v | }}"));
	is_str(body(a, "{% while x %}"),
	    STR("t.html:2: 'while x' is not known here"));
	is_str(body(a, "{{ }}"), STR("t.html:2: an expression is missing"));
	is_str(body(a, "{{ a; b }}"),
	    STR("t.html:2: 'a; b' is not a simple expression"));
	ok(!takes(a, "{% for a of b %}{% end %}"));
	ok(!takes(a, "{% for in b %}{% end %}"));
	ok(!takes(a, "{% if %}{% end %}"));
	ok(!takes(a, "{% page y() %}"));
	ok(!takes(a, "{% include <stdio.h> %}"));
}

static void
test_a_template_is_one_page(struct arena *a)
{
	is_str(compiled(a, "e.html", ""),
	    STR("e.html:1: {% page %} is missing"));
	is_str(compiled(a, "e.html", "\na" BEGIN),
	    STR("e.html:1: text before {% page %}"));
	is_str(compiled(a, "e.html", "\n{{ v }}" BEGIN),
	    STR("e.html:2: {% page %} must come first"));
	is_str(compiled(a, "e.html", "{% if v %}" BEGIN),
	    STR("e.html:1: {% page %} must come first"));
	is_str(compiled(a, "e.html", "{% page x %}"),
	    STR("e.html:1: page needs a name(arguments)"));
	is_str(compiled(a, "e.html", "{% page x-y() %}"),
	    STR("e.html:1: page needs a name"));
	is_str(compiled(a, "e.html", "{% page x(int a) { } (b) %}"),
	    STR("e.html:1: arguments must be plain declarations"));
}

int
main(void)
{
	RUN(test_text_becomes_strings);
	RUN(test_long_text_becomes_several_strings);
	RUN(test_values_get_the_escaper_of_their_place);
	RUN(test_blocks_become_c_blocks);
	RUN(test_dashes_and_comments_take_white_space_away);
	RUN(test_values_may_stand_in_text_and_quoted_attributes);
	RUN(test_values_elsewhere_are_refused);
	RUN(test_addresses_must_begin_safely);
	RUN(test_blocks_must_end_where_they_began);
	RUN(test_mistakes_are_refused_with_their_line);
	RUN(test_a_template_is_one_page);
	return tap_done();
}
