/* Unit tests of lib/io/page_cache: what it does where there is no memcached. */
#include "tap.h"

#include "io/page_cache.h"

static const struct page_cache_times times = {
	.fence_ttl_s = 60, .page_ttl_s = 60, .timeout_ms = 200,
};

static void
test_servers_are_addresses_or_sockets(struct arena *a)
{
	static const char *const bad[] = { ",", "name:11211", "127.0.0.1",
	    "127.0.0.1:0", "127.0.0.1:65536", "unix:x", "[::1]", "::1:1",
	    "127.0.0.1:1,,127.0.0.1:2" };
	static const char *const good[] = { "127.0.0.1:1", "[::1]:1",
	    "unix:/x", "127.0.0.1:1, unix:/x", "" };

	(void)a;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(page_cache_new(bad[i], &times) == NULL);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct page_cache *cache = page_cache_new(good[i], &times);

		ok(cache != NULL);
		page_cache_free(cache);
	}
	page_cache_free(NULL);
}

static void
test_without_servers_nothing_is_kept_and_fences_count_as_dropped(
    struct arena *a)
{
	struct page_cache *cache = page_cache_new(" ", &times);
	struct page_look look;

	page_cache_get(cache, a, STR("p"), STR("html"), &look);
	ok(!look.valid && !look.has_generation);
	page_cache_put(cache, STR("p"), STR("html"), &look, 1, STR("x"));
	page_cache_put_global(cache, STR("root"), 1, STR("x"));
	page_cache_get_global(cache, a, STR("root"), &look);
	ok(!look.valid);
	is_int(page_cache_drop_fence(cache, STR("p")), FENCE_DROPPED);
	page_cache_free(cache);
}

static void
test_without_memcached_pages_are_not_kept_and_fences_dropped(struct arena *a)
{
	struct page_cache *cache = page_cache_new("unix:/nonexistent/x",
	    &times);
	struct page_look look;

	for (int i = 0; i < 3; i++) {
		page_cache_get(cache, a, STR("p"), STR("html"), &look);
		ok(!look.valid && !look.has_generation && look.page.n == 0);
		page_cache_put(cache, STR("p"), STR("html"), &look, 1,
		    STR("page"));
		is_int(page_cache_drop_fence(cache, STR("p")), FENCE_DROPPED);
		page_cache_put_global(cache, STR("root"), 1, STR("list"));
		page_cache_get_global(cache, a, STR("root"), &look);
		ok(!look.valid);
	}
	page_cache_free(cache);
}

static void
test_a_name_that_is_no_key_is_never_kept(struct arena *a)
{
	struct page_cache *cache = page_cache_new("unix:/nonexistent/x",
	    &times);
	struct str bad[] = { STR("a b"), STR("a\nb"), STR("a\0b"),
	    { NULL, 0 } };
	struct page_look look;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		page_cache_get(cache, a, bad[i], STR("html"), &look);
		ok(!look.valid && !look.has_generation);
		is_int(page_cache_drop_fence(cache, bad[i]), FENCE_DROPPED);
	}
	page_cache_free(cache);
}

static void
test_a_home_has_the_name_that_the_setting_gives_it(struct arena *a)
{
	struct page_cache *cache = page_cache_new(" unix:/nonexistent/x ,"
	    "unix:/nonexistent/y", &times);
	struct page_cache *none = page_cache_new("", &times);
	const char *const names[] = { "a", "b", "c", "d", "e", "f", "g" };
	int n = 0;

	(void)a;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct str home = page_cache_home(cache, str_c(names[i]));
		bool is_first = str_eq(home, STR("unix:/nonexistent/x"));

		ok(is_first || str_eq(home, STR("unix:/nonexistent/y")));
		n += is_first;
	}
	ok(n > 0 && n < 7);
	is_str(page_cache_home(none, STR("a")), STR(""));
	page_cache_free(none);
	page_cache_free(cache);
}

static void
test_a_home_that_refuses_or_is_nobodys_has_no_fences(struct arena *a)
{
	struct page_cache *cache = page_cache_new("unix:/nonexistent/x",
	    &times);

	(void)a;
	ok(page_cache_can_drop(cache, STR("unix:/nonexistent/x")));
	ok(page_cache_can_drop(cache, STR("192.0.2.1:11211")));
	page_cache_free(cache);
}

int
main(void)
{
	RUN(test_servers_are_addresses_or_sockets);
	RUN(test_without_servers_nothing_is_kept_and_fences_count_as_dropped);
	RUN(test_without_memcached_pages_are_not_kept_and_fences_dropped);
	RUN(test_a_name_that_is_no_key_is_never_kept);
	RUN(test_a_home_has_the_name_that_the_setting_gives_it);
	RUN(test_a_home_that_refuses_or_is_nobodys_has_no_fences);
	return tap_done();
}
