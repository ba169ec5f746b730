#include "base/fault.h"

#ifdef FAULTS

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What to do here, "" if nothing: the part of spec behind "name:". */
static const char *
action_for(const char *spec, const char *name)
{
	size_t n = strlen(name);

	return strncmp(spec, name, n) == 0 && spec[n] == ':' ?
	    spec + n + 1 : "";
}

static int
read_spec(const char *path, char *spec, size_t size)
{
	FILE *f = fopen(path, "r");
	int got;

	if (!f)
		return 0;
	got = fgets(spec, (int)size, f) != NULL;
	fclose(f);
	spec[strcspn(spec, "\n")] = '\0';
	return got;
}

void
fault_point(const char *name)
{
	const char *armed = getenv("TILSIT_FAULT");
	char spec[64] = "";
	const char *action;

	if (!armed)
		return;
	if (armed[0] == '@') {
		if (!read_spec(armed + 1, spec, sizeof(spec)))
			return;
	} else {
		snprintf(spec, sizeof(spec), "%s", armed);
	}
	action = action_for(spec, name);
	if (!*action)
		return;
	if (armed[0] == '@')
		unlink(armed + 1);
	if (strcmp(action, "kill") == 0)
		raise(SIGKILL);
	else if (strcmp(action, "stop") == 0)
		raise(SIGSTOP);
}

#else

/* ISO C wants a declaration in every translation unit. */
extern int fault_is_compiled_out;

#endif
