/* Fuzz the reading, checking and comparing of metadata files. */
#include <stdint.h>

#include "base/arena.h"
#include "base/findings.h"
#include "base/panic.h"
#include "base/utf8.h"
#include "pkg/metadata.h"

#define MEMORY	((size_t)64 << 20)	/* bytes for one input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the header promises of a parsed model. */
static void
check_promises(const struct metadata *m)
{
	for (size_t i = 0; i < METADATA_FIELDS; i++) {
		const struct str_list *values = &m->values[i];

		if (values->n > 1 &&
		    !metadata_rule((enum metadata_field)i)->is_list)
			panic("scalar %zu has %zu values", i, values->n);
		for (size_t k = 0; k < values->n; k++)
			if (!utf8_is_valid(values->at[k]))
				panic("field %zu is not UTF-8", i);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(MEMORY);
	struct str text = { (const char *)data, size };
	struct findings parsing = findings_new(a), found = findings_new(a);
	struct metadata m;
	enum status st = metadata_parse(a, text, &m, &parsing);

	if ((st == OK) != (parsing.total == 0))
		panic("status %d, %zu findings", st, parsing.total);
	check_promises(&m);
	metadata_keywords(a, &m);
	metadata_compare(a, &m, &m, &found);
	if (found.total)
		panic("a file differs from itself: %s", found.at[0].text.p);
	metadata_check(a, &m, NULL, &found);
	arena_free(a);
	return 0;
}
