#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "pkg/zip_parts.h"

struct window
window_new(struct arena *a, int fd, int64_t file_bytes, size_t fill)
{
	return (struct window){
		.fd = fd, .file_bytes = file_bytes, .fill = fill,
		.bytes = arena_alloc(a, PIECE_BYTES),
	};
}

enum status
zip_pread(int fd, unsigned char *to, size_t n, int64_t at, struct err *err)
{
	while (n > 0) {
		ssize_t got = pread(fd, to, n, at);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_errno(err, "cannot read the archive");
		if (got == 0)
			return err_set(err, UNAVAILABLE,
			    "the archive shrank while it was read");
		to += got;
		at += got;
		n -= (size_t)got;
	}
	return OK;
}

enum status
window_get(struct window *w, int64_t at, size_t n, const unsigned char **out,
    struct err *err)
{
	enum status st;
	size_t want = n > w->fill ? n : w->fill;

	if (at < 0 || at > w->file_bytes ||
	    (int64_t)n > w->file_bytes - at)
		return BAD(err, "it ends in the middle");
	if (at < w->at || at + (int64_t)n > w->at + (int64_t)w->n) {
		if ((int64_t)want > w->file_bytes - at)
			want = (size_t)(w->file_bytes - at);
		w->n = 0;
		st = zip_pread(w->fd, w->bytes, want, at, err);
		if (st != OK)
			return st;
		w->at = at;
		w->n = want;
	}
	*out = w->bytes + (at - w->at);
	return OK;
}

enum status
zip_file_size(int fd, int64_t *out, struct err *err)
{
	struct stat sb;

	if (fstat(fd, &sb) == -1)
		return err_errno(err, "cannot look at the archive");
	*out = sb.st_size;
	return OK;
}
