/* Unit tests of lib/pkg/metadata: the model, the parser and the rules. */
#include "tap.h"

#include "base/findings.h"
#include "pkg/metadata.h"

#define F(name)	METADATA_##name

static struct metadata
parsed(struct arena *a, struct str text)
{
	struct findings found = findings_new(a);
	struct metadata m;

	is_int(metadata_parse(a, text, &m, &found), OK);
	is_int(found.total, 0);
	return m;
}

/* What the parser finds; only the first one's text. */
static struct str
parse_finding(struct arena *a, struct str text)
{
	struct findings found = findings_new(a);
	struct metadata m;
	enum status st = metadata_parse(a, text, &m, &found);

	ok((st == OK) == (found.total == 0));
	return found.n ? found.at[0].text : STR("");
}

/* "field: text" of every finding about a release with these headers. */
static struct str
checked_by(struct arena *a, const char *headers,
    const struct metadata_policy *policy)
{
	struct str text = str_fmt(a, "Name: a\nVersion: 1\n%s\n", headers);
	struct metadata m = parsed(a, text);
	struct findings found = findings_new(a);
	struct str all = STR("");

	metadata_check(a, &m, policy, &found);
	for (size_t i = 0; i < found.n; i++)
		all = str_fmt(a, "%.*s%s%.*s: %.*s", STR_ARG(all),
		    i ? "\n" : "", STR_ARG(found.at[i].field),
		    STR_ARG(found.at[i].text));
	return all;
}

static struct str
checked(struct arena *a, const char *headers)
{
	return checked_by(a, str_fmt(a, "Metadata-Version: 2.5\n%s",
	    headers).p, NULL);
}

static void
test_every_field_is_found_by_its_names(struct arena *a)
{
	size_t by_form = 0, by_header = 0;

	for (size_t i = 0; i < METADATA_FIELDS; i++) {
		const struct metadata_rule *rule =
		    metadata_rule((enum metadata_field)i);
		enum metadata_field field;

		ok(rule->form.n && rule->header.n && rule->since >= 100);
		by_form += metadata_field_find_form(rule->form, &field) &&
		    field == i;
		by_header += metadata_field_find_header(
		    str_lower(a, rule->header), &field) && field == i;
	}
	is_int(by_form, METADATA_FIELDS);
	is_int(by_header, METADATA_FIELDS);
}

static void
test_other_spellings_of_form_fields(struct arena *a)
{
	enum metadata_field field = F(FIELDS);

	(void)a;
	ok(metadata_field_find_form(STR("license_files"), &field));
	is_int(field, F(LICENSE_FILE));
	ok(metadata_field_find_form(STR("project_url"), &field));
	is_int(field, F(PROJECT_URL));
	ok(!metadata_field_find_form(STR("Name"), &field));
	ok(!metadata_field_find_form(STR(":action"), &field));
	is_int(field, F(PROJECT_URL));
}

static void
test_values_that_say_nothing_are_left_out(struct arena *a)
{
	struct metadata m = { 0 };

	metadata_add(a, &m, F(SUMMARY), STR(""));
	metadata_add(a, &m, F(SUMMARY), STR("UNKNOWN"));
	is_int(m.values[F(SUMMARY)].n, 0);
	is_str(metadata_get(&m, F(SUMMARY)), STR(""));
	metadata_add(a, &m, F(IMPORT_NAME), STR(""));
	is_int(m.values[F(IMPORT_NAME)].n, 1);
}

static void
test_keywords_are_joined(struct arena *a)
{
	struct metadata m = { 0 };

	is_str(metadata_keywords(a, &m), STR(""));
	metadata_add(a, &m, F(KEYWORDS), STR("a, b"));
	is_str(metadata_keywords(a, &m), STR("a, b"));
	metadata_add(a, &m, F(KEYWORDS), STR("c"));
	is_str(metadata_keywords(a, &m), STR("a, b,c"));
}

static void
test_a_file_is_read(struct arena *a)
{
	struct metadata m = parsed(a, STR("Metadata-Version: 2.1\r\n"
	    "NAME:a\r\n"
	    "Version : 1\r\n"));

	is_str(metadata_get(&m, F(NAME)), STR("a"));
	is_str(metadata_get(&m, F(DESCRIPTION)), STR("Version : 1\r\n"));
	m = parsed(a, STR("Name: a\nX-Other: 1\n folded\nClassifier: x\n"
	    "classifier: y\nHome-page: UNKNOWN\n\nThe\n\nbody: 1\n"));
	is_int(m.values[F(CLASSIFIER)].n, 2);
	is_str(m.values[F(CLASSIFIER)].at[1], STR("y"));
	is_str(metadata_get(&m, F(HOME_PAGE)), STR(""));
	is_str(metadata_get(&m, F(DESCRIPTION)), STR("The\n\nbody: 1\n"));
}

static void
test_folded_headers_are_unfolded(struct arena *a)
{
	struct metadata m = parsed(a, STR("License: one\n two\r\n\tthree \n"
	    "Summary:\n  here\n"
	    "Description: first\n         second\n       |third\n        \n"
	    "  fourth\n\n"));

	is_str(metadata_get(&m, F(LICENSE)), STR("one two three"));
	is_str(metadata_get(&m, F(SUMMARY)), STR("here"));
	is_str(metadata_get(&m, F(DESCRIPTION)),
	    STR("first\n second\nthird\n\n  fourth"));
	m = parsed(a, STR("Description:\n        a\n"));
	is_str(metadata_get(&m, F(DESCRIPTION)), STR("a"));
}

static void
test_odd_lines_are_read_as_python_reads_them(struct arena *a)
{
	struct metadata m = parsed(a, STR(" lost\nFrom me\n lost too\n"
	    ": no name\n lost as well\nName: a\rVersion: 2\r\rbody"));

	is_str(metadata_get(&m, F(NAME)), STR("a"));
	is_str(metadata_get(&m, F(VERSION)), STR("2"));
	is_str(metadata_get(&m, F(DESCRIPTION)), STR("body"));
	m = parsed(a, STR("\nName: a\n"));
	is_str(metadata_get(&m, F(NAME)), STR(""));
	m = parsed(a, STR("\xef\xbb\xbfName: a\n"));
	is_str(metadata_get(&m, F(NAME)), STR(""));
	m = parsed(a, STR(""));
	is_str(metadata_get(&m, F(NAME)), STR(""));
	m = parsed(a, STR("Name"));
	is_str(metadata_get(&m, F(DESCRIPTION)), STR("Name"));
	m = parsed(a, STR("Name:"));
	is_str(metadata_get(&m, F(NAME)), STR(""));
}

static void
test_an_old_file_may_be_latin1(struct arena *a)
{
	struct metadata m = parsed(a, STR("Metadata-Version: 1.0\n"
	    "Author: J\xe9r\xf4me \x93\n\n\xa9\n"));

	is_str(metadata_get(&m, F(AUTHOR)),
	    STR("J\xc3\xa9r\xc3\xb4me \xef\xbf\xbd"));
	is_str(metadata_get(&m, F(DESCRIPTION)), STR("\xc2\xa9\n"));
	is_str(parse_finding(a, STR("Metadata-Version: 2.1\nAuthor: \xe9\n")),
	    STR("Author in the file is not UTF-8"));
}

static void
test_what_a_file_may_not_have(struct arena *a)
{
	is_str(parse_finding(a, STR("Name: a\nname: b\n")),
	    STR("Name is in the file more than once"));
	is_str(parse_finding(a, STR("Author: J\xe9r\xf4me\n")),
	    STR("Author in the file is not UTF-8"));
	is_str(parse_finding(a, STR("Name: a\n\nJ\xe9r\xf4me\n")),
	    STR("Description in the file is not UTF-8"));
	is_str(parse_finding(a, STR("Description: a\n\nb\n")),
	    STR("The file has a Description both in a header and in its "
	    "body"));
	is_str(parse_finding(a, STR("Description: a\n\n \n\n")), STR(""));
}

static void
test_a_files_size_is_bounded(struct arena *a)
{
	size_t n = METADATA_MAX_BYTES + 1;
	char *text = arena_alloc(a, n);
	struct findings found = findings_new(a);
	struct metadata m;

	for (size_t i = 0; i < n; i++)
		text[i] = "A:\n"[i % 3];
	is_int(metadata_parse(a, (struct str){ text, n }, &m, &found),
	    TOO_LARGE);
	is_int(found.total, 1);
	is_int(metadata_parse(a, (struct str){ text, n - 1 }, &m, &found),
	    INVALID);
	is_str(found.at[1].text,
	    STR("The metadata file has over 19999 headers"));
}

static void
test_good_metadata_has_no_findings(struct arena *a)
{
	is_str(checked(a, "Summary: \xc3\xa9\n"
	    "Author: A,\n B\nAuthor-Email: A B <a@b.org>, nobody\n"
	    "Maintainer-Email: m@b.org\nKeywords: a,b\nHome-Page: http://x\n"
	    "Download-URL: https://x/y\nProject-URL: Docs, https://x\n"
	    "Classifier: Typing :: Typed\nPlatform: any\n"
	    "Requires-Python: >=3.8, <4\nRequires-Dist: b[c]>=1; extra=='d'\n"
	    "Provides-Extra: d\nRequires-External: libfoo (>1)\n"
	    "License-Expression: MIT\nLicense-File: doc/LICENSE.txt\n"
	    "Description-Content-Type: text/markdown; charset=UTF-8;"
	    " variant=GFM\nDynamic: Summary\nImport-Name: a.b; private\n"
	    "Import-Namespace: a\n\n# A\x1b\x0c\n"), STR(""));
}

static void
test_required_fields(struct arena *a)
{
	struct metadata m = { 0 };
	struct findings found = findings_new(a);

	metadata_check(a, &m, NULL, &found);
	is_int(found.total, 3);
	is_str(found.at[0].field, STR("metadata_version"));
	is_str(found.at[1].text, STR("'name' is a required field"));
}

static void
test_age_matters_from_2_1_on(struct arena *a)
{
	const char *young = "Metadata-Version: 1.0\nClassifier: Typing :: "
	    "Typed\nRequires-Dist: b\nLicense-Expression: MIT\n";

	is_str(checked_by(a, young, NULL), STR(""));
	is_str(checked_by(a, "Metadata-Version: 2.0\nRequires-Dist: b\n",
	    NULL), STR(""));
	is_str(checked_by(a, "Metadata-Version: 2.1\nLicense-Expression: MIT\n"
	    "License-File: LICENSE\nImport-Name: a\n", NULL),
	    STR("import_name: Import-Name introduced in metadata version "
	    "2.5, not 2.1"));
	is_str(checked_by(a, "Metadata-Version: 2.6\n", NULL), STR(""));
	is_str(checked_by(a, "Metadata-Version: 2.7\n", NULL),
	    STR("metadata_version: '2.7' is not a valid metadata version"));
}

static void
test_old_files_keep_what_nobody_looked_at_then(struct arena *a)
{
	is_str(checked_by(a, "Metadata-Version: 1.0\n"
	    "Author-Email: waylan [at] gmail.com\nHome-Page: www.x.org\n"
	    "Download-URL: ftp://x.org/y\nSummary: two\n        lines\n"
	    "Classifier: Natural Language :: Ukranian\n", NULL), STR(""));
	is_str(checked_by(a, "Metadata-Version: 1.0\n"
	    "Home-Page: javascript://x\n", NULL), STR("home_page: "
	    "'javascript://x' is not a valid url: it must begin with http:// "
	    "or https://"));
	is_str(checked_by(a, "Metadata-Version: 2.1\n"
	    "Author-Email: waylan [at] gmail.com\n", NULL),
	    STR("author_email: 'waylan [at] gmail.com' is not a valid email "
	    "address"));
}

static void
test_policy_allows_what_a_closed_index_needs(struct arena *a)
{
	static const struct metadata_policy lax = { true, true, true };
	const char *headers = "Metadata-Version: 2.1\n"
	    "Classifier: Private :: Mine\nRequires-Dist: b @ file:///b\n";
	struct metadata m = { 0 };
	struct findings found = findings_new(a);

	is_str(checked_by(a, headers, &lax), STR(""));
	is_str(checked_by(a, headers, NULL),
	    STR("classifiers: 'Private :: Mine' is not a valid classifier: "
	    "this index takes no private ones\n"
	    "requires_dist: Can't have direct dependency: 'b @ file:///b'"));
	metadata_add(a, &m, F(METADATA_VERSION), STR("2.1"));
	metadata_add(a, &m, F(NAME), STR("a"));
	metadata_add(a, &m, F(VERSION), STR("1+local"));
	metadata_check(a, &m, &lax, &found);
	is_int(found.total, 0);
	metadata_check(a, &m, NULL, &found);
	is_str(found.at[0].text,
	    STR("The use of local versions in '1+local' is not allowed"));
}

static void
test_each_rule_has_its_text(struct arena *a)
{
	static const char *const cases[][2] = {
		{ "Author-Email: x",
		  "author_email: 'x' is not a valid email address" },
		{ "Home-Page: ftp://x", "home_page: 'ftp://x' is not a valid "
		  "url: it must begin with http:// or https://" },
		{ "Project-URL: , http://x",
		  "project_urls: ', http://x' must have a label" },
		{ "Project-URL: a", "project_urls: 'a' must have a URL: "
		  "write 'Label, URL'" },
		{ "Project-URL: 012345678901234567890123456789012, http://x",
		  "project_urls: The label of "
		  "'012345678901234567890123456789012, http://x' must be 32 "
		  "characters or less" },
		{ "Project-URL: a, http://x\nProject-URL: a,http://y",
		  "project_urls: The label 'a' is used more than once" },
		{ "Classifier: x", "classifiers: 'x' is not a valid "
		  "classifier" },
		{ "Classifier: Natural Language :: Ukranian",
		  "classifiers: The classifier 'Natural Language :: Ukranian' "
		  "has been deprecated, use Natural Language :: Ukrainian "
		  "instead" },
		{ "Classifier: License :: OSI Approved :: X.Net License",
		  "classifiers: The classifier 'License :: OSI Approved :: "
		  "X.Net License' has been deprecated, use none instead" },
		{ "Requires-Dist: b c", "requires_dist: 'b c' is invalid for "
		  "'requires-dist': Expected ',', ';' or the end of the "
		  "requirement at 'c'" },
		{ "Provides-Extra: -", "provides_extra: '-' is invalid for "
		  "'provides-extra'" },
		{ "License-Expression: x",
		  "license_expression: 'x' is invalid for "
		  "'license-expression': Unknown license: 'x'" },
		{ "License-Expression: MIT\nLicense: MIT",
		  "license_expression: License is deprecated when "
		  "License-Expression is present. Only License-Expression "
		  "should be present" },
		{ "License-File: ../x", "license_file: '../x' is invalid for "
		  "'license-file', parent directory indicators are not "
		  "allowed" },
		{ "License-File: *", "license_file: '*' is invalid for "
		  "'license-file', paths must be resolved" },
		{ "License-File: a\\b", "license_file: 'a\\b' is invalid for "
		  "'license-file', paths must use '/' delimiter" },
		{ "License-File: C:/x", "license_file: 'C:/x' is invalid for "
		  "'license-file', paths must be relative" },
		{ "Dynamic: name", "dynamic: Dynamic field 'name' is not a "
		  "valid dynamic field" },
		{ "Description-Content-Type: text/html",
		  "description_content_type: 'description-content-type' must "
		  "be one of text/plain, text/x-rst, text/markdown, not "
		  "'text/html'" },
		{ "Description-Content-Type: text/plain; charset=latin1",
		  "description_content_type: 'description-content-type' can "
		  "only specify the UTF-8 charset, not 'latin1'" },
		{ "Description-Content-Type: text/markdown; variant=\"X\"",
		  "description_content_type: valid Markdown variants for "
		  "'description-content-type' are GFM and CommonMark, not "
		  "'X'" },
		{ "Import-Name: a.1", "import_name: 'a.1' is invalid: '1' is "
		  "not a valid identifier" },
		{ "Import-Name: class", "import_name: 'class' is invalid: "
		  "'class' is not a valid identifier" },
		{ "Import-Name: a; public", "import_name: 'a; public' is "
		  "invalid: the only valid option is 'private'" },
		{ "Summary: a\x07", "summary: 'summary' has a control "
		  "character (U+0007)" },
		{ "Summary: a\xe2\x80\xa8" "b",
		  "summary: 'summary' must be a single line" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_str(checked(a, cases[i][0]), str_c(cases[i][1]));
}

static void
test_names_versions_and_specifiers(struct arena *a)
{
	struct metadata m = { 0 };
	struct findings found = findings_new(a);

	metadata_add(a, &m, F(METADATA_VERSION), STR("2.1"));
	metadata_add(a, &m, F(NAME), STR("-a"));
	metadata_add(a, &m, F(VERSION), STR("dog"));
	metadata_add(a, &m, F(REQUIRES_PYTHON), STR("3"));
	metadata_check(a, &m, NULL, &found);
	is_int(found.total, 3);
	is_str(found.at[0].field, STR("name"));
	is_str(found.at[1].field, STR("version"));
	is_str(found.at[2].field, STR("requires_python"));
}

static void
test_the_summary_counts_characters(struct arena *a)
{
	char text[9 + 2 * 513 + 1] = "Summary: ";

	for (size_t i = 9; i < sizeof(text) - 1; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	is_str(checked(a, text), STR("summary: 'summary' field must be 512 "
	    "characters or less"));
	text[sizeof(text) - 3] = '\0';
	is_str(checked(a, text), STR(""));
}

static void
test_forms_may_be_wrong_where_files_cannot(struct arena *a)
{
	struct metadata m = { 0 };
	struct findings found = findings_new(a);

	metadata_add(a, &m, F(METADATA_VERSION), STR("1.0"));
	metadata_add(a, &m, F(NAME), STR("a"));
	metadata_add(a, &m, F(VERSION), STR("1"));
	metadata_add(a, &m, F(AUTHOR), STR("a\xff"));
	metadata_add(a, &m, F(LICENSE), STR("a\nb"));
	metadata_add(a, &m, F(LICENSE), STR("c"));
	metadata_add(a, &m, F(DESCRIPTION), STR("a\0b"));
	metadata_add(a, &m, F(HOME_PAGE), STR("http://x\n"));
	metadata_check(a, &m, NULL, &found);
	is_int(found.total, 4);
	is_str(found.at[0].text,
	    STR("'description' has a control character (U+0000)"));
	is_str(found.at[1].text, STR("'author' is not UTF-8"));
	is_str(found.at[2].text,
	    STR("'license' has invalid data: it may be given only once"));
	is_str(found.at[3].text, STR("'home_page' must be a single line"));
}

static void
test_long_values_lose_their_middle(struct arena *a)
{
	struct str all;
	char text[300] = "Author-Email: ";

	for (size_t i = 14; i < 290; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	all = checked(a, text);
	ok(all.n < 200);
	ok(str_find_str(all, STR("\xc3\xa9...\xc3\xa9"), 0) < all.n);
}

/* The first disagreement between a file and a form, or "". */
static struct str
compared(struct arena *a, const char *file, const char *form)
{
	struct metadata of_file = parsed(a, str_c(file));
	struct metadata of_form = parsed(a, str_c(form));
	struct findings found = findings_new(a);

	metadata_compare(a, &of_file, &of_form, &found);
	return found.n ? found.at[0].text : STR("");
}

static void
test_name_and_version_must_agree(struct arena *a)
{
	is_str(compared(a, "Name: A_b\nVersion: 1.0-RC1\n",
	    "Name: a.B\nVersion: 1rc1.0\n"),
	    STR("Version differs: the file has '1.0-RC1', the form has "
	    "'1rc1.0'"));
	is_str(compared(a, "Name: A_b\nVersion: 1.0-RC1\n",
	    "Name: a.B\nVersion: 1rc1\n"), STR(""));
	is_str(compared(a, "Name: a\n", "Name: b\n"),
	    STR("Name differs: the file has 'a', the form has 'b'"));
	is_str(compared(a, "Version: dog\n", "Version: cat\n"),
	    STR("Version differs: the file has 'dog', the form has 'cat'"));
	is_str(compared(a, "Version: dog\n", "Version: dog\n"), STR(""));
	is_str(compared(a, "", "Name: b\n"), STR(""));
}

static void
test_what_decides_installs_must_agree(struct arena *a)
{
	is_str(compared(a, "Metadata-Version: 2.2\n"
	    "Requires-Python: >=3.8,<4\nRequires-Dist: b (>=1); extra == 'x'\n"
	    "Requires-Dist: C\n", "Requires-Python: <4, >= 3.8\n"
	    "Requires-Dist: c\nRequires-Dist: c\n"
	    "Requires-Dist: b>=1; (extra==\"X\")\n"), STR(""));
	is_str(compared(a, "Requires-Python: >=3.8\n",
	    "Requires-Python: >=3.7\n"), STR("Requires-Python differs: the "
	    "file has '>=3.8', the form has '>=3.7'"));
	is_str(compared(a, "Requires-Dist: b\n",
	    "Requires-Dist: b\nRequires-Dist: evil\n"), STR("Requires-Dist "
	    "differs: the file has '', the form has 'evil'"));
	is_str(compared(a, "Requires-Dist: b c\n", "Requires-Dist: b c\n"),
	    STR(""));
}

static void
test_silence_is_no_disagreement(struct arena *a)
{
	is_str(compared(a, "Requires-Dist: b\nRequires-Python: >3\n", ""),
	    STR(""));
	is_str(compared(a, "Metadata-Version: 2.1\n", "Requires-Dist: b\n"),
	    STR(""));
	is_str(compared(a, "Metadata-Version: 2.2\nDynamic: requires-dist\n",
	    "Requires-Dist: b\n"), STR(""));
	is_str(compared(a, "Metadata-Version: 2.2\n", "Requires-Dist: b\n"),
	    STR("Requires-Dist differs: the file has '', the form has 'b'"));
}

int
main(void)
{
	RUN(test_every_field_is_found_by_its_names);
	RUN(test_other_spellings_of_form_fields);
	RUN(test_values_that_say_nothing_are_left_out);
	RUN(test_keywords_are_joined);
	RUN(test_a_file_is_read);
	RUN(test_folded_headers_are_unfolded);
	RUN(test_odd_lines_are_read_as_python_reads_them);
	RUN(test_an_old_file_may_be_latin1);
	RUN(test_what_a_file_may_not_have);
	RUN(test_a_files_size_is_bounded);
	RUN(test_good_metadata_has_no_findings);
	RUN(test_required_fields);
	RUN(test_age_matters_from_2_1_on);
	RUN(test_old_files_keep_what_nobody_looked_at_then);
	RUN(test_policy_allows_what_a_closed_index_needs);
	RUN(test_each_rule_has_its_text);
	RUN(test_names_versions_and_specifiers);
	RUN(test_the_summary_counts_characters);
	RUN(test_forms_may_be_wrong_where_files_cannot);
	RUN(test_long_values_lose_their_middle);
	RUN(test_name_and_version_must_agree);
	RUN(test_what_decides_installs_must_agree);
	RUN(test_silence_is_no_disagreement);
	return tap_done();
}
