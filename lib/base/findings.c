#include "base/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"

struct findings
findings_new(struct arena *a)
{
	return (struct findings){ .arena = a };
}

void
findings_add(struct findings *f, struct str field, const char *fmt, ...)
{
	char text[ERR_TEXT_BYTES];
	struct err tidy;
	va_list ap;

	f->total++;
	if (f->n == FINDINGS_MAX)
		return;
	if (!f->at)
		f->at = arena_array(f->arena, FINDINGS_MAX, sizeof(*f->at));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)err_set(&tidy, INVALID, "%s", text);
	f->at[f->n].field = str_dup(f->arena, field);
	f->at[f->n].text = str_dup(f->arena, str_c(tidy.text));
	f->n++;
}

enum status
findings_status(const struct findings *f, struct err *err)
{
	if (f->n == 0)
		return OK;
	if (f->total == 1)
		return err_set(err, INVALID, "%s", f->at[0].text.p);
	return err_set(err, INVALID, "%s (and %zu more)", f->at[0].text.p,
	    f->total - 1);
}
