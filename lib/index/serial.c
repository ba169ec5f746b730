#include "index/serial.h"

#include "index/index.h"
#include "io/db.h"

enum status
serial_newest(struct index *ix, struct arena *a, int64_t *out,
    struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_SERIAL_NEWEST, NULL, 0, &rows, err);
	if (st == OK)
		*out = db_int64(&rows, 0, SERIAL_NEWEST_SERIAL);
	return st;
}
