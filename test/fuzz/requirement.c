/* Fuzz the reading of requirements: canonical twice is canonical once. */
#include <stdint.h>

#include "base/arena.h"
#include "base/panic.h"
#include "pkg/name.h"
#include "pkg/requirement.h"

#define MEMORY	((size_t)16 << 20)	/* bytes for one input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_canonical(struct arena *a, const struct requirement *r)
{
	struct str once = requirement_canonical(a, r);
	struct requirement again;
	struct err err;

	if (requirement_parse(a, once, &again, &err) != OK)
		panic("'%.*s': %s", STR_ARG(once), err.text);
	if (!str_eq(requirement_canonical(a, &again), once))
		panic("'%.*s' changes", STR_ARG(once));
}

/* "a_" passes for a name as it does with packaging, but "a-" does not. */
static bool
has_valid_names(const struct requirement *r)
{
	for (size_t i = 0; i < r->extras.n; i++)
		if (!name_is_valid(r->extras.at[i]))
			return false;
	return name_is_valid(r->name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(MEMORY);
	struct str text = { (const char *)data, size };
	struct requirement r;
	struct err err;

	/* Twice as long at most; so the canonical form is within the limit. */
	if (size <= REQUIREMENT_MAX_BYTES / 2 &&
	    requirement_parse(a, text, &r, &err) == OK && has_valid_names(&r))
		check_canonical(a, &r);
	arena_free(a);
	return 0;
}
