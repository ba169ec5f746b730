#include "pkg/classifier.h"

#include "base/panic.h"
#include "pkg/data/tables.h"

static bool
is_known(struct str text)
{
	size_t from = 0, to = classifier_known_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = str_cmp(text, classifier_known[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return false;
}

enum classifier_state
classifier_find(struct str text, struct str *instead)
{
	if (instead)
		*instead = STR("");
	if (is_known(text))
		return CLASSIFIER_KNOWN;
	for (size_t i = 0; i < classifier_deprecated_count; i++) {
		if (!str_eq(text, classifier_deprecated[i].text))
			continue;
		if (instead)
			*instead = classifier_deprecated[i].instead;
		return CLASSIFIER_DEPRECATED;
	}
	if (str_starts(text, STR("Private ::")))
		return CLASSIFIER_PRIVATE;
	return CLASSIFIER_UNKNOWN;
}

size_t
classifier_count(void)
{
	return classifier_known_count;
}

struct str
classifier_at(size_t i)
{
	if (i >= classifier_known_count)
		panic("classifier %zu of %zu", i, classifier_known_count);
	return classifier_known[i];
}
