/*
 * metadata: "BYTES" of a METADATA or PKG-INFO file -> what metadata.h makes
 * of them, as JSON:
 *
 *	{"status":"OK","values":{"Name":["a"],...},"findings":["name: ..."]}
 *
 * The findings are the parser's first, then those of the check.
 */
#include "tool/cases.h"

#include "base/buf.h"
#include "base/findings.h"
#include "base/json.h"
#include "pkg/metadata.h"

static void
put_values(struct json *j, const struct metadata *m)
{
	json_object(j);
	for (size_t i = 0; i < METADATA_FIELDS; i++) {
		const struct str_list *values = &m->values[i];

		if (values->n == 0)
			continue;
		json_key(j, metadata_rule((enum metadata_field)i)->header);
		json_array(j);
		for (size_t k = 0; k < values->n; k++)
			json_str(j, values->at[k]);
		json_end(j);
	}
	json_end(j);
}

static void
put_findings(struct json *j, struct arena *a, const struct findings *found)
{
	json_array(j);
	for (size_t i = 0; i < found->n; i++)
		json_str(j, str_fmt(a, "%.*s: %.*s",
		    STR_ARG(found->at[i].field), STR_ARG(found->at[i].text)));
	json_end(j);
}

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	struct findings found = findings_new(a);
	struct buf line = buf_new(a);
	struct json j = json_new(&line);
	struct metadata m;
	enum status st;

	(void)count;
	st = metadata_parse(a, fields[0], &m, &found);
	metadata_check(a, &m, NULL, &found);
	json_object(&j);
	json_key(&j, STR("status"));
	json_str(&j, str_c(status_name(st)));
	json_key(&j, STR("values"));
	put_values(&j, &m);
	json_key(&j, STR("findings"));
	put_findings(&j, a, &found);
	json_end(&j);
	put_str(buf_view(&line));
}

int
main(void)
{
	return answer_cases(answer);
}
