#include "pkg/metadata.h"

#include "base/buf.h"

#define SCALAR(form, header, since) \
	{ STR_INIT(form), STR_INIT(header), since, false, false }
#define TEXT(form, header, since) \
	{ STR_INIT(form), STR_INIT(header), since, false, true }
#define LIST(form, header, since) \
	{ STR_INIT(form), STR_INIT(header), since, true, false }

static const struct metadata_rule rules[METADATA_FIELDS] = {
[METADATA_METADATA_VERSION] =
	SCALAR("metadata_version", "Metadata-Version", 100),
[METADATA_NAME] = SCALAR("name", "Name", 100),
[METADATA_VERSION] = SCALAR("version", "Version", 100),
[METADATA_SUMMARY] = SCALAR("summary", "Summary", 100),
[METADATA_DESCRIPTION] = TEXT("description", "Description", 100),
[METADATA_DESCRIPTION_CONTENT_TYPE] =
	SCALAR("description_content_type", "Description-Content-Type", 201),
[METADATA_AUTHOR] = TEXT("author", "Author", 100),
[METADATA_AUTHOR_EMAIL] = TEXT("author_email", "Author-email", 100),
[METADATA_MAINTAINER] = TEXT("maintainer", "Maintainer", 102),
[METADATA_MAINTAINER_EMAIL] =
	TEXT("maintainer_email", "Maintainer-email", 102),
[METADATA_LICENSE] = TEXT("license", "License", 100),
[METADATA_LICENSE_EXPRESSION] =
	SCALAR("license_expression", "License-Expression", 204),
[METADATA_LICENSE_FILE] = LIST("license_file", "License-File", 204),
[METADATA_KEYWORDS] =
	{ STR_INIT("keywords"), STR_INIT("Keywords"), 100, true, true },
[METADATA_HOME_PAGE] = SCALAR("home_page", "Home-page", 100),
[METADATA_DOWNLOAD_URL] = SCALAR("download_url", "Download-URL", 101),
[METADATA_PROJECT_URL] = LIST("project_urls", "Project-URL", 102),
[METADATA_CLASSIFIER] = LIST("classifiers", "Classifier", 101),
[METADATA_PLATFORM] = LIST("platform", "Platform", 100),
[METADATA_SUPPORTED_PLATFORM] =
	LIST("supported_platform", "Supported-Platform", 101),
[METADATA_REQUIRES_PYTHON] =
	SCALAR("requires_python", "Requires-Python", 102),
[METADATA_REQUIRES_DIST] = LIST("requires_dist", "Requires-Dist", 102),
[METADATA_REQUIRES_EXTERNAL] =
	LIST("requires_external", "Requires-External", 102),
[METADATA_PROVIDES_EXTRA] = LIST("provides_extra", "Provides-Extra", 201),
[METADATA_PROVIDES_DIST] = LIST("provides_dist", "Provides-Dist", 102),
[METADATA_OBSOLETES_DIST] = LIST("obsoletes_dist", "Obsoletes-Dist", 102),
[METADATA_REQUIRES] = LIST("requires", "Requires", 101),
[METADATA_PROVIDES] = LIST("provides", "Provides", 101),
[METADATA_OBSOLETES] = LIST("obsoletes", "Obsoletes", 101),
[METADATA_DYNAMIC] = LIST("dynamic", "Dynamic", 202),
[METADATA_IMPORT_NAME] = LIST("import_name", "Import-Name", 205),
[METADATA_IMPORT_NAMESPACE] =
	LIST("import_namespace", "Import-Namespace", 205),
};

/* Other spellings of form fields: clients that guessed, or that are old. */
static const struct alias {
	struct str form;
	enum metadata_field field;
} aliases[] = {
	{ STR_INIT("classifier"), METADATA_CLASSIFIER },
	{ STR_INIT("import_names"), METADATA_IMPORT_NAME },
	{ STR_INIT("import_namespaces"), METADATA_IMPORT_NAMESPACE },
	{ STR_INIT("keyword"), METADATA_KEYWORDS },
	{ STR_INIT("license_files"), METADATA_LICENSE_FILE },
	{ STR_INIT("platforms"), METADATA_PLATFORM },
	{ STR_INIT("project_url"), METADATA_PROJECT_URL },
	{ STR_INIT("provides_extras"), METADATA_PROVIDES_EXTRA },
};

const struct metadata_rule *
metadata_rule(enum metadata_field field)
{
	return &rules[field];
}

bool
metadata_field_find_form(struct str form_name, enum metadata_field *out)
{
	for (size_t i = 0; i < METADATA_FIELDS; i++)
		if (str_eq(form_name, rules[i].form)) {
			*out = (enum metadata_field)i;
			return true;
		}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (str_eq(form_name, aliases[i].form)) {
			*out = aliases[i].field;
			return true;
		}
	return false;
}

bool
metadata_field_find_header(struct str header, enum metadata_field *out)
{
	for (size_t i = 0; i < METADATA_FIELDS; i++)
		if (str_eq_nocase(header, rules[i].header)) {
			*out = (enum metadata_field)i;
			return true;
		}
	return false;
}

struct str
metadata_get(const struct metadata *m, enum metadata_field field)
{
	return m->values[field].n ? m->values[field].at[0] : STR("");
}

struct str
metadata_keywords(struct arena *a, const struct metadata *m)
{
	const struct str_list *values = &m->values[METADATA_KEYWORDS];
	struct buf joined = buf_new(a);

	if (values->n <= 1)
		return metadata_get(m, METADATA_KEYWORDS);
	for (size_t i = 0; i < values->n; i++) {
		if (i)
			buf_byte(&joined, ',');
		buf_put(&joined, values->at[i]);
	}
	return buf_view(&joined);
}

void
metadata_add(struct arena *a, struct metadata *m, enum metadata_field field,
    struct str value)
{
	if (value.n == 0 && field != METADATA_IMPORT_NAME)
		return;
	if (str_eq(value, STR("UNKNOWN")))
		return;
	str_list_add(a, &m->values[field], value);
}
