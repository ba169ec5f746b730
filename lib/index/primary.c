#include "index/primary.h"

#include <time.h>

#include "base/clock.h"
#include "index/index.h"
#include "io/config.h"
#include "io/db.h"
#include "io/fcgi.h"

#define SECOND_US	((int64_t)1000000)

/* Between two looks: PAUSE_US, and up to as much again, so that the workers
 * that all wait for one primary do not all come at once. */
#define PAUSE_US	((int64_t)130000)

void
primary_be_patient(struct index *ix)
{
	ix->patient_until_us = clock_mono_us() +
	    ix->config->upload_patience_s * SECOND_US;
}

static void
pause_a_little(void)
{
	int64_t us = PAUSE_US + clock_mono_us() % PAUSE_US;
	struct timespec t = { .tv_nsec = us * 1000 };

	(void)nanosleep(&t, NULL);
}

bool
primary_try_again(struct index *ix, enum status st)
{
	if (st != UNAVAILABLE || db_is_connected(ix->db))
		return false;
	while (clock_mono_us() < ix->patient_until_us && !fcgi_is_ending()) {
		pause_a_little();
		if (db_reach(ix->db, NULL) == OK)
			return true;
	}
	return false;
}

enum status
primary_confirm(struct index *ix, struct arena *a, struct err *err)
{
	struct db_rows rows;

	return db_run(ix->db, a, SQL_TRANSACTION_CONFIRM, DB_NO_ARGS, &rows,
	    err);
}
