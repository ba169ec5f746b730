#include "index/replica.h"

#include <errno.h>
#include <unistd.h>

#include "index/index.h"
#include "io/config.h"
#include "io/db.h"

bool
replica_may_answer(const struct index *ix)
{
	return ix->replica && ix->config->degraded_reads &&
	    !db_is_connected(ix->db) &&
	    access(ix->config->mark_path, F_OK) == -1 && errno == ENOENT;
}

bool
replica_answers(struct index *ix, struct arena *a)
{
	struct db_rows rows;

	return replica_may_answer(ix) && db_run(ix->replica, a,
	    SQL_SERVER_LOOK, DB_NO_ARGS, &rows, NULL) == OK;
}
