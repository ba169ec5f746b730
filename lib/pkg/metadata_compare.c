/* metadata: does the form say what the file says? */
#include "pkg/metadata.h"

#include "base/arena.h"
#include "base/findings.h"
#include "pkg/name.h"
#include "pkg/requirement.h"
#include "pkg/version.h"

/* One comparison in progress. */
struct comparison {
	struct arena *arena;
	const struct metadata *file;
	const struct metadata *form;
	struct findings *found;
};

static void
disagree(struct comparison *c, enum metadata_field field, struct str file,
    struct str form)
{
	const struct metadata_rule *rule = metadata_rule(field);

	findings_add(c->found, rule->form,
	    "%s differs: the file has '%.*s', the form has '%.*s'",
	    rule->header.p, (int)(file.n > 150 ? 150 : file.n),
	    file.n ? file.p : "", (int)(form.n > 150 ? 150 : form.n),
	    form.n ? form.p : "");
}

static bool
same_name(struct comparison *c, struct str x, struct str y)
{
	return str_eq(name_normalize(c->arena, x),
	    name_normalize(c->arena, y));
}

static bool
same_version(struct comparison *c, struct str x, struct str y)
{
	struct version a, b;

	if (version_parse(c->arena, x, &a) != OK ||
	    version_parse(c->arena, y, &b) != OK)
		return str_eq(x, y);
	return version_cmp(&a, &b) == 0;
}

static void
compare_scalar(struct comparison *c, enum metadata_field field,
    bool (*same)(struct comparison *, struct str, struct str))
{
	struct str file = metadata_get(c->file, field);
	struct str form = metadata_get(c->form, field);

	if (file.n && form.n && !same(c, file, form))
		disagree(c, field, file, form);
}

/*
 * May the file leave a field out that the release has?  Before 2.2 a source
 * distribution need not say it all, from then on Dynamic says what (PEP 643).
 */
static bool
may_be_silent(const struct metadata *file, enum metadata_field field)
{
	const struct str_list *dynamic = &file->values[METADATA_DYNAMIC];
	struct str version = metadata_get(file, METADATA_METADATA_VERSION);

	if (str_starts(version, STR("1.")) || str_eq(version, STR("2.0")) ||
	    str_eq(version, STR("2.1")))
		return true;
	for (size_t i = 0; i < dynamic->n; i++)
		if (str_eq_nocase(dynamic->at[i],
		    metadata_rule(field)->header))
			return true;
	return false;
}

/* The set's members, in one spelling and order, each once. */
static struct str_list
distinct(struct str_list list)
{
	size_t n = 0;

	str_list_sort(&list);
	for (size_t i = 0; i < list.n; i++)
		if (n == 0 || !str_eq(list.at[i], list.at[n - 1]))
			list.at[n++] = list.at[i];
	list.n = n;
	return list;
}

static struct str
without_space(struct arena *a, struct str s)
{
	char *text = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (!is_space(s.p[i]))
			text[n++] = s.p[i];
	return (struct str){ text, n };
}

/* ">= 3.8, <4" is ">=3.8" and "<4". */
static struct str_list
specifiers(struct arena *a, struct str text)
{
	struct str_list all = { 0 };
	bool more = true;

	while (more) {
		struct str one;

		more = str_cut(text, ',', &one, &text);
		one = without_space(a, one);
		if (one.n)
			str_list_add(a, &all, one);
	}
	return distinct(all);
}

/* What does not parse is compared as it is; metadata_check() refuses it. */
static struct str_list
requirements(struct arena *a, const struct str_list *texts)
{
	struct str_list all = { 0 };

	for (size_t i = 0; i < texts->n; i++) {
		struct requirement r;
		enum status st;

		st = requirement_parse(a, texts->at[i], &r, NULL);
		str_list_add(a, &all, st == OK ?
		    requirement_canonical(a, &r) : texts->at[i]);
	}
	return distinct(all);
}

/* Name the first member that only one of two sets has. */
static void
compare_sets(struct comparison *c, enum metadata_field field,
    struct str_list file, struct str_list form)
{
	size_t i = 0;

	if (form.n == 0 || (file.n == 0 && may_be_silent(c->file, field)))
		return;
	while (i < file.n && i < form.n && str_eq(file.at[i], form.at[i]))
		i++;
	if (i < file.n || i < form.n)
		disagree(c, field, i < file.n ? file.at[i] : STR(""),
		    i < form.n ? form.at[i] : STR(""));
}

void
metadata_compare(struct arena *a, const struct metadata *file,
    const struct metadata *form, struct findings *found)
{
	struct comparison c = { a, file, form, found };

	compare_scalar(&c, METADATA_NAME, same_name);
	compare_scalar(&c, METADATA_VERSION, same_version);
	compare_sets(&c, METADATA_REQUIRES_PYTHON,
	    specifiers(a, metadata_get(file, METADATA_REQUIRES_PYTHON)),
	    specifiers(a, metadata_get(form, METADATA_REQUIRES_PYTHON)));
	compare_sets(&c, METADATA_REQUIRES_DIST,
	    requirements(a, &file->values[METADATA_REQUIRES_DIST]),
	    requirements(a, &form->values[METADATA_REQUIRES_DIST]));
}
