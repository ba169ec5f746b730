/* metadata: the rules for each field. */
#include "pkg/metadata.h"

#include "base/arena.h"
#include "base/findings.h"
#include "base/utf8.h"
#include "pkg/classifier.h"
#include "pkg/contact.h"
#include "pkg/license.h"
#include "pkg/name.h"
#include "pkg/requirement.h"
#include "pkg/specifier.h"
#include "pkg/version.h"

#define SUMMARY_MAX	512	/* characters */
#define LABEL_MAX	32	/* characters of a Project-URL's label */
#define QUOTE_MAX	120	/* bytes of a value that a finding quotes */

#define VERSION_2_1	201	/* where our strictness begins: see is_old() */

/* One check in progress: where its findings go, and which field it is at. */
struct check {
	struct arena *arena;
	const struct metadata *metadata;
	const struct metadata_policy *policy;
	struct findings *found;
	enum metadata_field field;
};

/* Add a finding about the field that is being checked. */
#define COMPLAIN(c, ...) \
	findings_add((c)->found, metadata_rule((c)->field)->form, __VA_ARGS__)

/* Where a cut at n bytes does not split a character. */
static size_t
character_start(struct str s, size_t n)
{
	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* A value as a finding quotes it: long ones lose their middle. */
static const char *
quote(struct check *c, struct str value)
{
	size_t head, tail;

	if (value.n <= QUOTE_MAX)
		return str_z(c->arena, value);
	head = character_start(value, QUOTE_MAX / 2);
	tail = character_start(value, value.n - QUOTE_MAX / 2);
	return str_fmt(c->arena, "%.*s...%.*s", (int)head, value.p,
	    (int)(value.n - tail), value.p + tail).p;
}

/* 1.2 is 102.  0 when it is no version that we know. */
static short
version_number(struct str version)
{
	static const struct {
		struct str text;
		short number;
	} known[] = {
		{ STR_INIT("1.0"), 100 }, { STR_INIT("1.1"), 101 },
		{ STR_INIT("1.2"), 102 }, { STR_INIT("2.0"), 200 },
		{ STR_INIT("2.1"), 201 }, { STR_INIT("2.2"), 202 },
		{ STR_INIT("2.3"), 203 }, { STR_INIT("2.4"), 204 },
		{ STR_INIT("2.5"), 205 }, { STR_INIT("2.6"), 206 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq(version, known[i].text))
			return known[i].number;
	return 0;
}

/*
 * Was this written before indexes looked at e-mail addresses, URLs and the
 * length of summaries?  "waylan [at] gmail.com" is in files that people still
 * install and that mirrors still hold; setuptools says 2.1 since 2018.
 */
static bool
is_old(const struct check *c)
{
	return version_number(metadata_get(c->metadata,
	    METADATA_METADATA_VERSION)) < VERSION_2_1;
}

static void
check_metadata_version(struct check *c, struct str value)
{
	if (version_number(value) == 0)
		COMPLAIN(c, "'%s' is not a valid metadata version",
		    quote(c, value));
}

static void
check_name(struct check *c, struct str value)
{
	if (!name_is_valid(value))
		COMPLAIN(c, "'%s' is an invalid value for Name. Start and end "
		    "with a letter or numeral containing only ASCII numeric "
		    "and '.', '_' and '-', %d characters at most",
		    quote(c, value), NAME_MAX_BYTES);
}

static void
check_version(struct check *c, struct str value)
{
	struct version version;

	if (version_parse(c->arena, value, &version) != OK)
		COMPLAIN(c, "'%s' is invalid for 'version': write it as "
		    "PEP 440 has it, like 1.0 or 2.1rc1", quote(c, value));
	else if (version_has_local(&version) &&
	    !c->policy->allow_local_versions)
		COMPLAIN(c, "The use of local versions in '%s' is not "
		    "allowed", quote(c, value));
}

static void
check_summary(struct check *c, struct str value)
{
	if (utf8_length(value) > SUMMARY_MAX && !is_old(c))
		COMPLAIN(c, "'summary' field must be %d characters or less",
		    SUMMARY_MAX);
}

static void
check_email(struct check *c, struct str value)
{
	struct str address = contact_first_email(value);

	if (!contact_email_is_valid(address) && !is_old(c))
		COMPLAIN(c, "'%s' is not a valid email address",
		    quote(c, address));
}

/* "www.example.org" and ftp were common once; javascript: never is let in. */
static bool
is_old_url(const struct check *c, struct str value)
{
	return is_old(c) && (str_find(value, ':', 0) == value.n ||
	    str_starts(value, STR("ftp://")));
}

static void
check_url(struct check *c, struct str value)
{
	if (!contact_url_is_web(value) && !is_old_url(c, value))
		COMPLAIN(c, "'%s' is not a valid url: it must begin with "
		    "http:// or https://", quote(c, value));
}

/* "Label, URL" */
static void
check_project_url(struct check *c, struct str value)
{
	struct str label, url;

	str_cut(value, ',', &label, &url);
	label = str_trim(label);
	url = str_trim(url);
	if (label.n == 0)
		COMPLAIN(c, "'%s' must have a label", quote(c, value));
	else if (utf8_length(label) > LABEL_MAX)
		COMPLAIN(c, "The label of '%s' must be %d characters or less",
		    quote(c, value), LABEL_MAX);
	else if (url.n == 0)
		COMPLAIN(c, "'%s' must have a URL: write 'Label, URL'",
		    quote(c, value));
	else
		check_url(c, url);
}

static void
check_classifier(struct check *c, struct str value)
{
	struct str instead;

	switch (classifier_find(value, &instead)) {
	case CLASSIFIER_KNOWN:
		return;
	case CLASSIFIER_PRIVATE:
		if (!c->policy->allow_private_classifiers)
			COMPLAIN(c, "'%s' is not a valid classifier: this "
			    "index takes no private ones", quote(c, value));
		return;
	case CLASSIFIER_UNKNOWN:
		COMPLAIN(c, "'%s' is not a valid classifier", quote(c, value));
		return;
	case CLASSIFIER_DEPRECATED:
		if (is_old(c))
			return;
		COMPLAIN(c, "The classifier '%s' has been deprecated, %s%.*s "
		    "instead", quote(c, value), instead.n ? "use " :
		    "use none", STR_ARG(instead));
		return;
	}
}

static void
check_requires_python(struct check *c, struct str value)
{
	struct err err;

	if (specifier_set_check(c->arena, value, &err) != OK)
		COMPLAIN(c, "'%s' is invalid for 'requires-python': %s",
		    quote(c, value), err.text);
}

static void
check_requires_dist(struct check *c, struct str value)
{
	bool has_url;
	struct err err;

	if (requirement_check(c->arena, value, &has_url, &err) != OK)
		COMPLAIN(c, "'%s' is invalid for 'requires-dist': %s",
		    quote(c, value), err.text);
	else if (has_url && !c->policy->allow_direct_urls)
		COMPLAIN(c, "Can't have direct dependency: '%s'",
		    quote(c, value));
}

static void
check_provides_extra(struct check *c, struct str value)
{
	if (!name_is_valid(value))
		COMPLAIN(c, "'%s' is invalid for 'provides-extra'",
		    quote(c, value));
}

static void
check_license_expression(struct check *c, struct str value)
{
	struct str canonical;
	struct err err;

	if (license_canonical(c->arena, value, &canonical, &err) != OK)
		COMPLAIN(c, "'%s' is invalid for 'license-expression': %s",
		    quote(c, value), err.text);
	if (metadata_get(c->metadata, METADATA_LICENSE).n)
		COMPLAIN(c, "License is deprecated when License-Expression is "
		    "present. Only License-Expression should be present");
}

/* PEP 639, "Add License-File field": a path below the archive's top. */
static void
check_license_file(struct check *c, struct str value)
{
	const char *why = NULL;

	if (str_find_str(value, STR(".."), 0) < value.n)
		why = "parent directory indicators are not allowed";
	else if (str_find(value, '*', 0) < value.n)
		why = "paths must be resolved";
	else if (str_find(value, '\\', 0) < value.n)
		why = "paths must use '/' delimiter";
	else if (str_starts(value, STR("/")) ||
	    (value.n > 1 && is_alpha(value.p[0]) && value.p[1] == ':'))
		why = "paths must be relative";
	if (why)
		COMPLAIN(c, "'%s' is invalid for 'license-file', %s",
		    quote(c, value), why);
}

static void
check_dynamic(struct check *c, struct str value)
{
	enum metadata_field field;

	if (!metadata_field_find_header(value, &field) ||
	    field == METADATA_NAME || field == METADATA_VERSION ||
	    field == METADATA_METADATA_VERSION)
		COMPLAIN(c, "Dynamic field '%s' is not a valid dynamic field",
		    quote(c, value));
}

static bool
is_keyword(struct str s)
{
	static const struct str keywords[] = {
		STR_INIT("False"), STR_INIT("None"), STR_INIT("True"),
		STR_INIT("and"), STR_INIT("as"), STR_INIT("assert"),
		STR_INIT("async"), STR_INIT("await"), STR_INIT("break"),
		STR_INIT("class"), STR_INIT("continue"), STR_INIT("def"),
		STR_INIT("del"), STR_INIT("elif"), STR_INIT("else"),
		STR_INIT("except"), STR_INIT("finally"), STR_INIT("for"),
		STR_INIT("from"), STR_INIT("global"), STR_INIT("if"),
		STR_INIT("import"), STR_INIT("in"), STR_INIT("is"),
		STR_INIT("lambda"), STR_INIT("nonlocal"), STR_INIT("not"),
		STR_INIT("or"), STR_INIT("pass"), STR_INIT("raise"),
		STR_INIT("return"), STR_INIT("try"), STR_INIT("while"),
		STR_INIT("with"), STR_INIT("yield"),
	};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (str_eq(s, keywords[i]))
			return true;
	return false;
}

/* Python's identifiers; what is beyond ASCII is let pass. */
static bool
is_identifier(struct str s)
{
	if (s.n == 0 || is_digit(s.p[0]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '_' &&
		    (unsigned char)s.p[i] < 0x80)
			return false;
	return !is_keyword(s);
}

/* PEP 794: "a.b" or "a.b ; private"; empty for "none to import". */
static void
check_import_name(struct check *c, struct str value)
{
	struct str name, option, part;
	bool has_option = str_cut(value, ';', &name, &option), more;

	if (value.n == 0)
		return;
	if (has_option && !str_eq(str_trim(option), STR("private")))
		COMPLAIN(c, "'%s' is invalid: the only valid option is "
		    "'private'", quote(c, value));
	name = str_trim(name);
	do {
		more = str_cut(name, '.', &part, &name);
		if (!is_identifier(part)) {
			COMPLAIN(c, "'%s' is invalid: '%s' is not a valid "
			    "identifier", quote(c, value), quote(c, part));
			return;
		}
	} while (more);
}

/* The type without its parameters. */
static bool
is_description_type(struct str type)
{
	return str_eq_nocase(type, STR("text/plain")) ||
	    str_eq_nocase(type, STR("text/x-rst")) ||
	    str_eq_nocase(type, STR("text/markdown"));
}

static struct str
unquote(struct str s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return str_sub(s, 1, s.n - 1);
	return s;
}

static void
check_type_parameter(struct check *c, struct str type, struct str parameter)
{
	struct str name, value;

	str_cut(parameter, '=', &name, &value);
	name = str_trim(name);
	value = unquote(str_trim(value));
	if (str_eq_nocase(name, STR("charset")) &&
	    !str_eq_nocase(value, STR("UTF-8")))
		COMPLAIN(c, "'description-content-type' can only specify the "
		    "UTF-8 charset, not '%s'", quote(c, value));
	if (str_eq_nocase(name, STR("variant")) &&
	    str_eq_nocase(type, STR("text/markdown")) &&
	    !str_eq(value, STR("GFM")) && !str_eq(value, STR("CommonMark")))
		COMPLAIN(c, "valid Markdown variants for "
		    "'description-content-type' are GFM and CommonMark, not "
		    "'%s'", quote(c, value));
}

static void
check_content_type(struct check *c, struct str value)
{
	struct str type, rest, parameter;
	bool more = str_cut(value, ';', &type, &rest);

	type = str_trim(type);
	if (!is_description_type(type)) {
		COMPLAIN(c, "'description-content-type' must be one of "
		    "text/plain, text/x-rst, text/markdown, not '%s'",
		    quote(c, value));
		return;
	}
	while (more) {
		more = str_cut(rest, ';', &parameter, &rest);
		check_type_parameter(c, type, parameter);
	}
}

/* What each value must obey; a field without a check takes any text. */
static void (*const checks[METADATA_FIELDS])(struct check *, struct str) = {
	[METADATA_METADATA_VERSION] = check_metadata_version,
	[METADATA_NAME] = check_name,
	[METADATA_VERSION] = check_version,
	[METADATA_SUMMARY] = check_summary,
	[METADATA_DESCRIPTION_CONTENT_TYPE] = check_content_type,
	[METADATA_AUTHOR_EMAIL] = check_email,
	[METADATA_MAINTAINER_EMAIL] = check_email,
	[METADATA_LICENSE_EXPRESSION] = check_license_expression,
	[METADATA_LICENSE_FILE] = check_license_file,
	[METADATA_HOME_PAGE] = check_url,
	[METADATA_DOWNLOAD_URL] = check_url,
	[METADATA_PROJECT_URL] = check_project_url,
	[METADATA_CLASSIFIER] = check_classifier,
	[METADATA_REQUIRES_PYTHON] = check_requires_python,
	[METADATA_REQUIRES_DIST] = check_requires_dist,
	[METADATA_PROVIDES_EXTRA] = check_provides_extra,
	[METADATA_DYNAMIC] = check_dynamic,
	[METADATA_IMPORT_NAME] = check_import_name,
	[METADATA_IMPORT_NAMESPACE] = check_import_name,
};

/* LINE SEPARATOR, PARAGRAPH SEPARATOR and NEXT LINE break lines as well. */
static bool
is_line_break(uint32_t ch)
{
	return ch == '\n' || ch == '\r' || ch == 0x85 || ch == 0x2028 ||
	    ch == 0x2029;
}

static bool
is_control(uint32_t ch)
{
	return ch < ' ' || (ch >= 0x7f && ch < 0xa0);
}

/* The text of a value: UTF-8, and only such characters as its field takes. */
static bool
is_clean(struct check *c, struct str value)
{
	const struct metadata_rule *rule = metadata_rule(c->field);
	bool is_description = c->field == METADATA_DESCRIPTION;
	uint32_t ch;

	for (size_t i = 0, n; i < value.n; i += n) {
		n = utf8_next(str_sub(value, i, value.n), &ch);
		if (n == 0) {
			COMPLAIN(c, "'%s' is not UTF-8", rule->form.p);
			return false;
		}
		if (ch == 0 || (is_control(ch) && !is_description &&
		    !is_line_break(ch) && ch != '\t')) {
			COMPLAIN(c, "'%s' has a control character (U+%04X)",
			    rule->form.p, (unsigned)ch);
			return false;
		}
		if (!rule->is_multiline && is_line_break(ch) &&
		    !(c->field == METADATA_SUMMARY && is_old(c))) {
			COMPLAIN(c, "'%s' must be a single line",
			    rule->form.p);
			return false;
		}
	}
	return true;
}

/* Fields that tools wrote before the version that has them: docker 7.1.0. */
static bool
came_early(enum metadata_field field)
{
	return field == METADATA_LICENSE_FILE ||
	    field == METADATA_LICENSE_EXPRESSION;
}

static void
check_age(struct check *c)
{
	const struct metadata_rule *rule = metadata_rule(c->field);
	struct str version = metadata_get(c->metadata,
	    METADATA_METADATA_VERSION);
	short number = version_number(version);

	if (is_old(c) || rule->since <= number || came_early(c->field))
		return;
	COMPLAIN(c, "%s introduced in metadata version %d.%d, not %.*s",
	    rule->header.p, rule->since / 100, rule->since % 100,
	    STR_ARG(version));
}

static void
check_field(struct check *c)
{
	const struct metadata_rule *rule = metadata_rule(c->field);
	const struct str_list *values = &c->metadata->values[c->field];

	if (values->n == 0)
		return;
	check_age(c);
	if (values->n > 1 && !rule->is_list)
		COMPLAIN(c, "'%s' has invalid data: it may be given only once",
		    rule->form.p);
	for (size_t i = 0; i < values->n; i++)
		if (is_clean(c, values->at[i]) && checks[c->field])
			checks[c->field](c, values->at[i]);
}

static void
check_required(struct check *c)
{
	static const enum metadata_field required[] = {
		METADATA_METADATA_VERSION, METADATA_NAME, METADATA_VERSION,
	};

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		c->field = required[i];
		if (c->metadata->values[c->field].n == 0)
			COMPLAIN(c, "'%s' is a required field",
			    metadata_rule(c->field)->form.p);
	}
}

static void
check_labels_differ(struct check *c)
{
	const struct str_list *values =
	    &c->metadata->values[METADATA_PROJECT_URL];
	struct str_list labels = { 0 };

	c->field = METADATA_PROJECT_URL;
	for (size_t i = 0; i < values->n; i++) {
		struct str label, url;

		str_cut(values->at[i], ',', &label, &url);
		str_list_add(c->arena, &labels, str_trim(label));
	}
	str_list_sort(&labels);
	for (size_t i = 1; i < labels.n; i++)
		if (str_eq(labels.at[i], labels.at[i - 1]))
			COMPLAIN(c, "The label '%s' is used more than once",
			    quote(c, labels.at[i]));
}

void
metadata_check(struct arena *a, const struct metadata *m,
    const struct metadata_policy *policy, struct findings *found)
{
	static const struct metadata_policy strict;
	struct check c = { a, m, policy ? policy : &strict, found, 0 };

	check_required(&c);
	for (size_t i = 0; i < METADATA_FIELDS; i++) {
		c.field = (enum metadata_field)i;
		check_field(&c);
	}
	check_labels_differ(&c);
}
