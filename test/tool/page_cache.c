/*
 * page_cache: drives lib/io/page_cache for test/io/30-page-cache.t.
 * Arguments: servers, fence_ttl_s, page_ttl_s, timeout_ms.  One command to a
 * line; PAGE is bytes*times, so that a page can be large:
 *
 *	get PROJECT FORMAT		R1, R2; kept as this project's look
 *	put PROJECT FORMAT SERIAL PAGE	R4, with the look of the last get
 *	drop PROJECT			W2
 *	gget NAME, gput NAME SERIAL PAGE	global pages
 *	hammer PROJECT FORMAT N		N times get; microseconds each
 *
 * Answers with one line: valid|miss, generation or -, serial, length of the
 * page, its first bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "io/page_cache.h"

static struct page_look last;

static void
print_look(struct arena *a, const struct page_look *look)
{
	struct buf b = buf_new(a);

	if (look->has_generation)
		buf_hex(&b, look->generation, GENERATION_BYTES);
	else
		buf_byte(&b, '-');
	printf("%s %.*s %lld %zu %.*s\n", look->valid ? "valid" : "miss",
	    STR_ARG(buf_view(&b)), (long long)look->serial, look->page.n,
	    STR_ARG(str_sub(look->page, 0, 40)));
}

static int64_t
number(struct str text)
{
	int64_t n = 0;

	if (str_int64(text, INT64_MIN, INT64_MAX, &n) != OK)
		exit(1);
	return n;
}

static struct str
page(struct arena *a, struct str word)
{
	struct buf b = buf_new(a);
	struct str bytes, times;
	int64_t n = str_cut(word, '*', &bytes, &times) ? number(times) : 1;

	for (int64_t i = 0; i < n; i++)
		buf_put(&b, bytes);
	return buf_view(&b);
}

static void
hammer(struct page_cache *cache, const struct str *word)
{
	int64_t n = number(word[3]);
	int64_t start = clock_mono_us();
	int64_t hits = 0;

	for (int64_t i = 0; i < n; i++) {
		struct arena *a = arena_new((size_t)16 << 20);

		page_cache_get(cache, a, word[1], word[2], &last);
		hits += last.valid;
		arena_free(a);
	}
	printf("%lld %.2f\n", (long long)hits,
	    (double)(clock_mono_us() - start) / (double)n);
}

static void
command(struct page_cache *cache, struct arena *a, const struct str *word)
{
	struct page_look look;

	if (str_eq(word[0], STR("get"))) {
		page_cache_get(cache, a, word[1], word[2], &last);
		print_look(a, &last);
	} else if (str_eq(word[0], STR("put"))) {
		page_cache_put(cache, word[1], word[2], &last,
		    number(word[3]), page(a, word[4]));
		puts("put");
	} else if (str_eq(word[0], STR("drop"))) {
		puts(page_cache_drop_fence(cache, word[1]) == FENCE_DROPPED ?
		    "dropped" : "unknown");
	} else if (str_eq(word[0], STR("gget"))) {
		page_cache_get_global(cache, a, word[1], &look);
		print_look(a, &look);
	} else if (str_eq(word[0], STR("gput"))) {
		page_cache_put_global(cache, word[1], number(word[2]),
		    page(a, word[3]));
		puts("put");
	} else {
		hammer(cache, word);
	}
}

int
main(int argc, char **argv)
{
	struct page_cache_times times;
	struct page_cache *cache;
	struct arena *a;
	char line[65536];

	if (argc != 5)
		return 1;
	times.fence_ttl_s = (int)number(str_c(argv[2]));
	times.page_ttl_s = (int)number(str_c(argv[3]));
	times.timeout_ms = (int)number(str_c(argv[4]));
	cache = page_cache_new(argv[1], &times);
	if (!cache) {
		puts("bad servers");
		return 1;
	}
	a = arena_new((size_t)256 << 20);
	while (fgets(line, sizeof(line), stdin)) {
		struct str rest, word[5] = { 0 };
		bool more = true;

		line[strcspn(line, "\n")] = '\0';
		rest = str_c(line);
		for (int i = 0; more && i < 5; i++)
			more = str_cut(rest, ' ', &word[i], &rest);
		command(cache, a, word);
		fflush(stdout);
		arena_reset(a);
	}
	page_cache_free(cache);
	arena_free(a);
	return 0;
}
