#include "index/journal.h"

#include "index/index.h"
#include "io/db.h"

#define LAST_S	((int64_t)253402300799)	/* the last second of the year 9999 */

struct each_event {
	event_fn each;
	void *arg;
};

static enum status
event_row(void *arg, const struct db_rows *row)
{
	struct each_event *to = arg;
	struct event event = {
		.serial = db_int64(row, 0, JOURNAL_SINCE_SERIAL_SERIAL),
		.at_us = db_int64(row, 0, JOURNAL_SINCE_SERIAL_AT_US),
		.project = db_str(row, 0, JOURNAL_SINCE_SERIAL_PROJECT),
		.version = db_str(row, 0, JOURNAL_SINCE_SERIAL_VERSION),
		.action = db_str(row, 0, JOURNAL_SINCE_SERIAL_ACTION),
	};

	return to->each(to->arg, &event);
}

/* The two statements give the same columns, so that one reader serves both. */
_Static_assert((int)JOURNAL_SINCE_SERIAL_SERIAL ==
    (int)JOURNAL_SINCE_TIME_SERIAL, "columns of since_serial and since_time");

static enum status
release_row(void *arg, const struct db_rows *row)
{
	struct each_event *to = arg;
	struct event event = {
		.project = db_str(row, 0, JOURNAL_UPDATED_RELEASES_PROJECT),
		.version = db_str(row, 0, JOURNAL_UPDATED_RELEASES_VERSION),
	};

	return to->each(to->arg, &event);
}

static enum status
project_row(void *arg, const struct db_rows *row)
{
	struct each_event *to = arg;
	struct event event = {
		.project = db_str(row, 0, JOURNAL_CHANGED_PACKAGES_PROJECT),
	};

	return to->each(to->arg, &event);
}

/* Any number of seconds, as a time of which to_timestamp() knows. */
static struct db_arg
time_arg(int64_t at_s)
{
	return db_int(at_s < 0 ? 0 : at_s > LAST_S ? LAST_S : at_s);
}

enum status
journal_since_serial(struct index *ix, struct arena *a, int64_t serial,
    int64_t at_most, event_fn each, void *arg, struct err *err)
{
	struct each_event to = { each, arg };

	return db_stream(ix->db, a, SQL_JOURNAL_SINCE_SERIAL,
	    DB_ARGS(db_int(serial), db_int(at_most)), event_row, &to, err);
}

enum status
journal_since_time(struct index *ix, struct arena *a, int64_t since_s,
    int64_t at_most, event_fn each, void *arg, struct err *err)
{
	struct each_event to = { each, arg };

	return db_stream(ix->db, a, SQL_JOURNAL_SINCE_TIME,
	    DB_ARGS(time_arg(since_s), db_int(at_most)), event_row, &to, err);
}

enum status
journal_updated_releases(struct index *ix, struct arena *a, int64_t since_s,
    int64_t at_most, event_fn each, void *arg, struct err *err)
{
	struct each_event to = { each, arg };

	return db_stream(ix->db, a, SQL_JOURNAL_UPDATED_RELEASES,
	    DB_ARGS(time_arg(since_s), db_int(at_most)), release_row, &to, err);
}

enum status
journal_changed_projects(struct index *ix, struct arena *a, int64_t since_s,
    int64_t at_most, event_fn each, void *arg, struct err *err)
{
	struct each_event to = { each, arg };

	return db_stream(ix->db, a, SQL_JOURNAL_CHANGED_PACKAGES,
	    DB_ARGS(time_arg(since_s), db_int(at_most)), project_row, &to, err);
}
