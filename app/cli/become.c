#include "cli/become.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "io/config.h"

#define CONFIG_MEMORY	((size_t)4 << 20)

/* Whose is the store?  Root's, if nobody can tell. */
static uid_t
owner_of_store(const char *path)
{
	struct arena *a = arena_new(CONFIG_MEMORY);
	struct config config;
	struct stat store;
	struct err err;
	uid_t owner = 0;

	if (config_load(a, config_path(path), &config, &err) == OK &&
	    stat(config.store_path, &store) == 0)
		owner = store.st_uid;
	arena_free(a);
	return owner;
}

enum status
become_owner(const char *config_path, struct err *err)
{
	uid_t owner = geteuid() == 0 ? owner_of_store(config_path) : 0;
	struct passwd *user;

	if (owner == 0)
		return OK;
	errno = 0;
	user = getpwuid(owner);
	if (user && initgroups(user->pw_name, user->pw_gid) == 0 &&
	    setgid(user->pw_gid) == 0 && setuid(owner) == 0)
		return OK;
	return err_set(err, UNAVAILABLE, "cannot become the user %ld, whose "
	    "the store is: %s", (long)owner,
	    errno ? strerror(errno) : "there is no such user");
}
