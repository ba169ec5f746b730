/*
 * archive: what lib/pkg/archive.h finds in files, for test/prop/40-*.t.
 *
 * A case: "wheel" or "sdist", the path, the file name that it was uploaded
 * under, and perhaps limits: members, unpacked bytes, metadata bytes, ratio,
 * with a ',' between.  The answer: "ok TOP METADATA MEMBERS", metadata in
 * hexadecimal; "bad TEXT | TEXT"; or "unavailable TEXT".
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/findings.h"
#include "cases.h"
#include "pkg/archive.h"
#include "pkg/filename.h"

static int64_t
take_number(struct str *rest)
{
	struct str head;
	int64_t n;

	str_cut(*rest, ',', &head, rest);
	if (str_int64(head, 1, INT64_MAX, &n) != OK)
		panic("limit %.*s", STR_ARG(head));
	return n;
}

static struct archive_limits
read_limits(struct str text)
{
	struct archive_limits limits = archive_limits_default;

	if (text.n == 0)
		return limits;
	limits.members = take_number(&text);
	limits.unpacked_bytes = take_number(&text);
	limits.metadata_bytes = take_number(&text);
	limits.ratio = (int)take_number(&text);
	return limits;
}

static enum status
read_one(struct arena *a, const struct str *fields, int fd,
    const struct archive_limits *limits, struct archive_facts *facts,
    struct findings *found, struct err *err)
{
	struct wheel_filename w;

	if (str_eq(fields[0], STR("sdist")))
		return archive_read_sdist(a, fd, fields[2], limits, facts,
		    found, err);
	if (filename_parse_wheel(a, fields[2], &w, err) != OK)
		panic("%s", err->text);
	return archive_read_wheel(a, fd, fields[2], w.name, w.raw_version,
	    limits, facts, found, err);
}

static void
put_facts(struct arena *a, const struct archive_facts *facts)
{
	struct buf b = buf_new(a);

	buf_hex(&b, facts->metadata.p, facts->metadata.n);
	put_str(STR("ok "));
	put_str(facts->top);
	put_str(STR(" "));
	put_str(buf_view(&b));
	printf(" %zu", facts->n_names);
}

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	struct findings found = findings_new(a);
	struct archive_facts facts;
	struct archive_limits limits =
	    read_limits(count > 3 ? fields[3] : STR(""));
	struct err err = { .text = "" };
	int fd = open(str_z(a, fields[1]), O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		panic("no file %.*s", STR_ARG(fields[1]));
	if (read_one(a, fields, fd, &limits, &facts, &found, &err) != OK)
		printf("unavailable %s", err.text);
	else if (found.n == 0)
		put_facts(a, &facts);
	for (size_t i = 0; i < found.n; i++) {
		put_str(i == 0 ? STR("bad ") : STR(" | "));
		put_str(found.at[i].text);
	}
	close(fd);
}

int
main(void)
{
	return answer_cases(answer);
}
