/*
 * Fuzz target: any text as a configuration file.  What is accepted must come
 * out of config_put_shown() so that it is accepted again, and shown alike.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "io/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_round_trip(struct arena *a, const struct config *config)
{
	struct buf shown = buf_new(a), again = buf_new(a);
	struct config copy;

	config_put_shown(&shown, config);
	if (config_parse(a, buf_view(&shown), "shown", true, &copy, NULL))
		abort();
	config_put_shown(&again, &copy);
	if (!str_eq(buf_view(&shown), buf_view(&again)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)64 << 20);
	struct str text = { (const char *)data, size };
	struct config config;
	struct err err;

	/* Other files are none of its business. */
	if (size <= CONFIG_FILE_BYTES &&
	    str_find_str(text, STR("include"), 0) == size &&
	    config_parse(a, text, "fuzz", false, &config, &err) == OK)
		check_round_trip(a, &config);
	arena_free(a);
	return 0;
}
