/* Fuzz the reading of licence expressions: canonical twice is once. */
#include <stdint.h>

#include "base/arena.h"
#include "base/panic.h"
#include "pkg/license.h"

#define MEMORY	((size_t)4 << 20)	/* bytes for one input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(MEMORY);
	struct str text = { (const char *)data, size }, once, twice;
	struct err err;

	/* Spaces may be added before an operator: "(a)or(b)". */
	if (size <= LICENSE_MAX_BYTES / 2 &&
	    license_canonical(a, text, &once, &err) == OK) {
		if (license_canonical(a, once, &twice, &err) != OK)
			panic("'%.*s': %s", STR_ARG(once), err.text);
		if (!str_eq(once, twice))
			panic("'%.*s' changes", STR_ARG(once));
	}
	arena_free(a);
	return 0;
}
