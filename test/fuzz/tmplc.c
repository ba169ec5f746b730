/*
 * Fuzz target: any text as a template, once as HTML and once as XML.  It must
 * be compiled, or refused with a message.
 */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int tmplc_main(int argc, char **argv);

#define main tmplc_main
#include "../../www/tmplc.c"
#undef main

static void
try(const char *file, struct span text)
{
	struct template t;
	bool is_done = compile(&t, file, text);

	if (is_done == (t.error[0] != '\0'))
		abort();
	if (is_done && (t.depth != 0 || t.rest.n != 0))
		abort();
	template_done(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try("fuzz.html", (struct span){ (const char *)data, size });
	try("fuzz.xml", (struct span){ (const char *)data, size });
	return 0;
}
