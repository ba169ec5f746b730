#include "io/json_in.h"

#include <jansson.h>

#include "base/arena.h"

static void
release(void *root)
{
	json_decref(root);
}

static void
give(struct str key, const json_t *value,
    void (*each)(void *arg, struct str key, struct str value), void *arg)
{
	struct str text = { json_string_value(value),
	    json_string_length(value) };

	if (json_is_string(value))
		each(arg, key, text);
}

enum status
json_in_strings(struct arena *a, struct str text,
    void (*each)(void *arg, struct str key, struct str value), void *arg,
    struct err *err)
{
	json_error_t why;
	json_t *root = json_loadb(text.p ? text.p : "", text.n,
	    JSON_REJECT_DUPLICATES, &why);
	json_t *value, *item;
	const char *key;
	size_t i;

	if (!root)
		return err_set(err, INVALID, "JSON: %s", why.text);
	arena_defer(a, release, root);
	if (!json_is_object(root))
		return err_set(err, INVALID, "JSON: not an object");
	json_object_foreach(root, key, value) {
		give(str_c(key), value, each, arg);
		json_array_foreach(value, i, item)
			give(str_c(key), item, each, arg);
	}
	return OK;
}
