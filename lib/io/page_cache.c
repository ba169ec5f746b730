#include "io/page_cache.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>

#include <libmemcached/memcached.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/panic.h"

#define KEY_MAX		250	/* bytes; memcached's own limit */
#define PAGE_MAX	((size_t)64 << 20)	/* bytes we would ever send */

/* What stands before the page in a stored value; integers big-endian. */
#define MARK		"Tls1"	/* changes whenever the form does */
#define AT_GENERATION	4
#define AT_SERIAL	20
#define AT_LENGTH	28	/* of the page: tells a cut one */
#define HEAD_BYTES	36

/*
 * A fence is a generation and when it was made.  memcached ends it by its own
 * clock, which does not move while memcached is frozen, nor for a moment after
 * that: so readers look at its age too.  Half a life over is allowed, so that
 * memcached comes first in all other cases; a hold waits for two lives, and
 * the other half is left for clocks that differ.
 */
#define AT_MADE		GENERATION_BYTES	/* wall clock, microseconds */
#define FENCE_BYTES	(GENERATION_BYTES + 8)

/*
 * One memcached, and a libmemcached handle of its own.  A handle that knew
 * all nodes would choose among them by itself, and remember failures in ways
 * that turn later calls into instant errors (SERVER_TEMPORARILY_DISABLED)
 * that are neither "refused" nor "timed out"; one that is thrown away after
 * any failure remembers nothing, and the other nodes lose no connection.
 * (Debian's libmemcached also asserts that an answer is one of its command's:
 * a connection out of step would end the process.)
 */
struct node {
	struct str name;	/* in the setting; of the cache's copy of it */
	char host[sizeof(((struct sockaddr_un *)0)->sun_path)];
	in_port_t port;		/* 0: host is the path of a unix socket */
	memcached_st *handle;	/* NULL until it is needed */
	bool is_fresh;		/* the handle has not been answered yet */
	int64_t pause_until_us;	/* get and put leave it alone until then */
	int pause_ms;		/* the last one; 0 since it has answered */
};

struct page_cache {
	struct page_cache_times times;
	char *servers;		/* the nodes' names */
	size_t n;
	struct node nodes[PAGE_CACHE_NODES];
};

struct key {
	char bytes[KEY_MAX];
	size_t n;
};

/* ---- nodes ----------------------------------------------------------- */

static bool
set_host(struct node *node, struct str host)
{
	if (host.n == 0 || host.n >= sizeof(node->host))
		return false;
	memcpy(node->host, host.p, host.n);
	node->host[host.n] = '\0';
	return true;
}

/* "unix:/path", "127.0.0.1:11211" or "[::1]:11211" into *node. */
static bool
parse_node(struct str text, struct node *node)
{
	unsigned char address[sizeof(struct in6_addr)];
	size_t colon = str_rfind(text, ':');
	struct str host = str_sub(text, 0, colon);
	int family = AF_INET;
	int64_t port;

	if (str_starts(text, STR("unix:/")))
		return set_host(node, str_sub(text, 5, text.n));
	if (str_int64(str_sub(text, colon + 1, text.n), 1, 65535,
	    &port) != OK)
		return false;
	if (str_starts(host, STR("[")) && str_ends(host, STR("]"))) {
		family = AF_INET6;
		host = str_sub(host, 1, host.n - 1);
	}
	node->port = (in_port_t)port;
	return set_host(node, host) &&
	    inet_pton(family, node->host, address) == 1;
}

struct page_cache *
page_cache_new(const char *servers, const struct page_cache_times *times)
{
	struct page_cache *cache = calloc(1, sizeof(*cache));
	struct str rest, one;
	bool more = true;

	if (!cache || !(cache->servers = strdup(servers)))
		panic("no memory for a cache");
	cache->times = *times;
	rest = str_c(cache->servers);
	if (str_trim(rest).n == 0)
		return cache;		/* no nodes: nothing is ever kept */
	while (more) {
		more = str_cut(rest, ',', &one, &rest);
		if (cache->n == PAGE_CACHE_NODES ||
		    !parse_node(str_trim(one), &cache->nodes[cache->n])) {
			page_cache_free(cache);
			return NULL;
		}
		cache->nodes[cache->n].name = str_trim(one);
		cache->n++;
	}
	return cache;
}

/* Close a node's connection and forget all that was under way on it. */
static void
node_close(struct node *node)
{
	if (node->handle)
		memcached_free(node->handle);
	node->handle = NULL;
}

void
page_cache_free(struct page_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->n; i++)
		node_close(&cache->nodes[i]);
	free(cache->servers);
	free(cache);
}

/*
 * Which node is a name's home, if there is any.  The hash is FNV-1a, by its
 * definition the same in every version of everything.
 */
static size_t
home_number(const struct page_cache *cache, struct str name)
{
	return memcached_generate_hash_value(name.p, name.n,
	    MEMCACHED_HASH_FNV1A_32) % cache->n;
}

/* Whose home a name has; NULL without nodes. */
static struct node *
home_of(struct page_cache *cache, struct str name)
{
	return cache->n ? &cache->nodes[home_number(cache, name)] : NULL;
}

struct str
page_cache_home(const struct page_cache *cache, struct str project)
{
	return cache->n ? cache->nodes[home_number(cache, project)].name :
	    STR("");
}

/*
 * A handle for a node, connected at its first use.  What is set to 0 here is
 * so by default, but the protocol rests on it.
 */
static memcached_st *
handle_of(const struct page_cache *cache, struct node *node)
{
	const uint64_t ms = (uint64_t)cache->times.timeout_ms;
	const struct {
		memcached_behavior_t what;
		uint64_t value;
	} set[] = {
		{ MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, 0 },
		{ MEMCACHED_BEHAVIOR_NOREPLY, 0 },
		{ MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 0 },
		{ MEMCACHED_BEHAVIOR_NO_BLOCK, 0 },
		{ MEMCACHED_BEHAVIOR_NUMBER_OF_REPLICAS, 0 },
		{ MEMCACHED_BEHAVIOR_AUTO_EJECT_HOSTS, 0 },
		{ MEMCACHED_BEHAVIOR_TCP_NODELAY, 1 },
		{ MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, ms },
		{ MEMCACHED_BEHAVIOR_POLL_TIMEOUT, ms },
		{ MEMCACHED_BEHAVIOR_SND_TIMEOUT, ms * 1000 },
		{ MEMCACHED_BEHAVIOR_RCV_TIMEOUT, ms * 1000 },
	};
	memcached_return_t rc = MEMCACHED_SUCCESS;

	if (node->handle)
		return node->handle;
	node->handle = memcached_create(NULL);
	node->is_fresh = true;
	if (!node->handle)
		panic("no memory for memcached");
	for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++)
		if (rc == MEMCACHED_SUCCESS)
			rc = memcached_behavior_set(node->handle, set[i].what,
			    set[i].value);
	if (rc == MEMCACHED_SUCCESS)
		rc = node->port ?
		    memcached_server_add(node->handle, node->host, node->port) :
		    memcached_server_add_unix_socket(node->handle, node->host);
	if (rc != MEMCACHED_SUCCESS)
		panic("memcached: %s", memcached_strerror(NULL, rc));
	return node->handle;
}

/* How a command ended that did not end well. */
enum failure {
	REFUSED,	/* nobody listens there */
	BROKEN,		/* a connection that was good before is not */
	UNCLEAR,	/* no answer in time, or one we do not understand */
};

/* It is silent: each look at it costs a time-out, so look less often. */
static void
node_rest(struct node *node)
{
	int twice = 2 * node->pause_ms;

	node->pause_ms = twice == 0 ? PAGE_CACHE_PAUSE_MS :
	    twice < PAGE_CACHE_PAUSE_MAX_MS ? twice : PAGE_CACHE_PAUSE_MAX_MS;
	node->pause_until_us = clock_mono_us() + node->pause_ms * 1000LL;
}

/*
 * The end of a connection over which something went wrong.
 *
 * REFUSED has to be told from all others by errno: for W2 it is as good as a
 * deletion, since a memcached that is not running keeps nothing.  A socket
 * without its file (ENOENT) counts as refused too: memcached has no file
 * before it listens and while it restarts, nor when its folder in /run went
 * with it, and keeps nothing at those times.  (Somebody who removes the file
 * under a running memcached, or starts a second one in its place, cuts one
 * cache in two; so does a second one behind the same address and port.)
 */
static enum failure
node_failed(struct node *node, memcached_return_t rc)
{
	memcached_return_t last = memcached_last_error(node->handle);
	int number = memcached_last_error_errno(node->handle);
	bool was_fresh = node->is_fresh;

	node_close(node);
	if (number == ECONNREFUSED || number == ENOENT)
		return REFUSED;
	if (rc == MEMCACHED_TIMEOUT || last == MEMCACHED_TIMEOUT) {
		node_rest(node);
		return UNCLEAR;
	}
	return was_fresh ? UNCLEAR : BROKEN;
}

static void
node_answered(struct node *node)
{
	node->is_fresh = false;
	node->pause_ms = 0;
	node->pause_until_us = 0;
}

static bool
is_paused(const struct node *node)
{
	return clock_mono_us() < node->pause_until_us;
}

/* ---- keys and values ------------------------------------------------- */

static void
key_add(struct key *key, struct str part)
{
	/* Past the limit only n grows, and key_is_fit() sees it. */
	if (key->n + part.n <= KEY_MAX && part.n > 0)
		memcpy(key->bytes + key->n, part.p, part.n);
	key->n += part.n;
}

static struct key
fence_key(struct str project)
{
	struct key key = { .n = 0 };

	key_add(&key, STR("f:"));
	key_add(&key, project);
	return key;
}

static struct key
page_key(struct str project, struct str format)
{
	struct key key = { .n = 0 };

	key_add(&key, STR("p:"));
	key_add(&key, project);
	key_add(&key, STR(":"));
	key_add(&key, format);
	return key;
}

static struct key
global_key(struct str name)
{
	struct key key = { .n = 0 };

	key_add(&key, STR("g:"));
	key_add(&key, name);
	return key;
}

/*
 * Would memcached take it as one key?  Names are checked long before; this is
 * what keeps a missing check from putting commands into our connection.
 */
static bool
key_is_fit(const struct key *key)
{
	if (key->n > KEY_MAX)
		return false;
	for (size_t i = 0; i < key->n; i++)
		if (key->bytes[i] <= ' ' || key->bytes[i] >= 0x7f)
			return false;
	return true;
}

static void
write_int(char *at, uint64_t value, size_t width)
{
	for (size_t i = width; i-- > 0; value >>= 8)
		at[i] = (char)value;
}

static uint64_t
read_int(const char *at, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++)
		value = value << 8 | (unsigned char)at[i];
	return value;
}

/* Read a stored page; false when it is not one of this generation, whole. */
static bool
read_page(struct str value, const unsigned char *generation,
    struct page_look *out)
{
	if (value.n < HEAD_BYTES || !str_starts(value, STR(MARK)) ||
	    memcmp(value.p + AT_GENERATION, generation,
	    GENERATION_BYTES) != 0 ||
	    read_int(value.p + AT_LENGTH, 8) != value.n - HEAD_BYTES)
		return false;
	out->serial = (int64_t)read_int(value.p + AT_SERIAL, 8);
	out->page = str_sub(value, HEAD_BYTES, value.n);
	return true;
}

/* ---- commands -------------------------------------------------------- */

/*
 * Get n keys of one node in one round trip; values[i] has a NULL p where
 * there is none.  False when memcached did not answer cleanly: then nothing
 * is known, also of keys that came before the trouble.
 */
static bool
get_values(struct page_cache *cache, struct arena *a, struct node *node,
    struct str group, const struct key *keys, size_t n, struct str *values)
{
	memcached_st *handle = handle_of(cache, node);
	const char *names[2];
	size_t lengths[2];
	char key[MEMCACHED_MAX_KEY];
	size_t key_n, value_n;
	uint32_t flags;
	memcached_return_t rc;
	char *value;

	for (size_t i = 0; i < n; i++) {
		names[i] = keys[i].bytes;
		lengths[i] = keys[i].n;
		values[i] = (struct str){ NULL, 0 };
	}
	rc = memcached_mget_by_key(handle, group.p, group.n, names, lengths,
	    n);
	while (rc == MEMCACHED_SUCCESS && (value = memcached_fetch(handle, key,
	    &key_n, &value_n, &flags, &rc)) != NULL) {
		arena_defer(a, free, value);
		for (size_t i = 0; i < n; i++)
			if (key_n == keys[i].n &&
			    memcmp(key, keys[i].bytes, key_n) == 0)
				values[i] = (struct str){ value, value_n };
	}
	/* END follows values; without any, libmemcached says NOTFOUND, but
	 * also after errors that it then remembers. */
	if (rc != MEMCACHED_END && (rc != MEMCACHED_NOTFOUND ||
	    memcached_last_error(handle) != MEMCACHED_SUCCESS)) {
		node_failed(node, rc);
		return false;
	}
	node_answered(node);
	return true;
}

/* Add a fresh fence; true when it is known to be ours. */
static bool
add_fence(struct page_cache *cache, struct node *node, struct str project,
    const struct key *key, char *fence, bool *is_there)
{
	memcached_st *handle = handle_of(cache, node);
	memcached_return_t rc;

	*is_there = false;
	if (getrandom(fence, GENERATION_BYTES, 0) != GENERATION_BYTES)
		return false;
	write_int(fence + AT_MADE, (uint64_t)clock_wall_us(), 8);
	rc = memcached_add_by_key(handle, project.p, project.n, key->bytes,
	    key->n, fence, FENCE_BYTES, cache->times.fence_ttl_s, 0);
	*is_there = rc == MEMCACHED_NOTSTORED;
	if (rc != MEMCACHED_SUCCESS && rc != MEMCACHED_NOTSTORED)
		node_failed(node, rc);
	return rc == MEMCACHED_SUCCESS;
}

/* Store a value.  A page too large for memcached is no failure. */
static void
set_value(struct page_cache *cache, struct node *node, struct str group,
    const struct key *key, const unsigned char *generation, int64_t serial,
    struct str page)
{
	memcached_st *handle = handle_of(cache, node);
	memcached_return_t rc;
	char *value;

	if (page.n > PAGE_MAX)
		return;
	value = malloc(HEAD_BYTES + page.n);
	if (!value)
		return;
	memcpy(value, MARK, AT_GENERATION);
	memcpy(value + AT_GENERATION, generation, GENERATION_BYTES);
	write_int(value + AT_SERIAL, (uint64_t)serial, 8);
	write_int(value + AT_LENGTH, page.n, 8);
	if (page.n > 0)
		memcpy(value + HEAD_BYTES, page.p, page.n);
	rc = memcached_set_by_key(handle, group.p, group.n, key->bytes, key->n,
	    value, HEAD_BYTES + page.n, cache->times.page_ttl_s, 0);
	free(value);
	if (rc != MEMCACHED_SUCCESS && rc != MEMCACHED_E2BIG &&
	    rc != MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE)
		node_failed(node, rc);
}

/* ---- the protocol's steps -------------------------------------------- */

/* Is a fence made at this time still within its life, by our clock? */
static bool
is_alive(const struct page_cache *cache, uint64_t made_us)
{
	int64_t half_us = cache->times.fence_ttl_s * (int64_t)500000;
	int64_t age_us = (int64_t)((uint64_t)clock_wall_us() - made_us);

	return -half_us <= age_us && age_us <= 3 * half_us;
}

/* Take a fence's value as this look's generation. */
static void
take_generation(const struct page_cache *cache, struct page_look *look,
    struct str fence)
{
	look->has_generation = fence.n == FENCE_BYTES && is_alive(cache,
	    read_int(fence.p + AT_MADE, 8));
	if (look->has_generation)
		memcpy(look->generation, fence.p, GENERATION_BYTES);
}

/* R2: there is no fence; make one, or take the one that came in between. */
static void
make_fence(struct page_cache *cache, struct arena *a, struct node *node,
    struct str project, const struct key *key, struct page_look *look)
{
	char fresh[FENCE_BYTES];
	struct str fence;
	bool is_there;

	FAULT_POINT("R2");
	if (add_fence(cache, node, project, key, fresh, &is_there))
		take_generation(cache, look, (struct str){ fresh,
		    sizeof(fresh) });
	else if (is_there &&
	    get_values(cache, a, node, project, key, 1, &fence))
		take_generation(cache, look, fence);
}

void
page_cache_get(struct page_cache *cache, struct arena *a, struct str project,
    struct str format, struct page_look *out)
{
	struct key keys[2] = { fence_key(project), page_key(project, format) };
	struct node *node = home_of(cache, project);
	struct str values[2];

	FAULT_POINT("R1");
	*out = (struct page_look){ .page = STR("") };
	if (!node || !key_is_fit(&keys[0]) || !key_is_fit(&keys[1]) ||
	    is_paused(node) ||
	    !get_values(cache, a, node, project, keys, 2, values))
		return;
	if (!values[0].p) {
		make_fence(cache, a, node, project, &keys[0], out);
		return;
	}
	take_generation(cache, out, values[0]);
	out->valid = out->has_generation &&
	    read_page(values[1], out->generation, out);
}

void
page_cache_put(struct page_cache *cache, struct str project,
    struct str format, const struct page_look *look, int64_t serial,
    struct str page)
{
	struct key key = page_key(project, format);
	struct node *node = home_of(cache, project);

	FAULT_POINT("R4");
	if (node && look->has_generation && key_is_fit(&key) &&
	    !is_paused(node))
		set_value(cache, node, project, &key, look->generation, serial,
		    page);
}

/*
 * W2.  A connection that was good and is not any more tells only that: the
 * fence may be gone or not.  Deleting it again over a new connection is safe,
 * for a late delete is harmless, and spares the first change after a restart
 * of memcached a hold.  Only our own second answer counts.
 */
static enum fence_drop
drop(struct page_cache *cache, struct node *node, struct str group,
    const struct key *key)
{
	enum failure failure = BROKEN;

	for (int tries = 0; tries < 2 && failure == BROKEN; tries++) {
		memcached_return_t rc;

		rc = memcached_delete_by_key(handle_of(cache, node), group.p,
		    group.n, key->bytes, key->n, 0);
		if (rc == MEMCACHED_SUCCESS || rc == MEMCACHED_NOTFOUND) {
			node_answered(node);
			return FENCE_DROPPED;
		}
		failure = node_failed(node, rc);
	}
	return failure == REFUSED ? FENCE_DROPPED : FENCE_UNKNOWN;
}

enum fence_drop
page_cache_drop_fence(struct page_cache *cache, struct str project)
{
	struct key key = fence_key(project);
	struct node *node = home_of(cache, project);

	FAULT_POINT("W2");
	if (!node || !key_is_fit(&key))
		return FENCE_DROPPED;	/* such a key was never stored */
	return drop(cache, node, project, &key);
}

bool
page_cache_can_drop(struct page_cache *cache, struct str home)
{
	struct key key = fence_key(STR(""));	/* no project's */

	for (size_t i = 0; i < cache->n; i++)
		if (str_eq(cache->nodes[i].name, home))
			return drop(cache, &cache->nodes[i], home, &key) ==
			    FENCE_DROPPED;
	return true;
}

/* Global pages are under no fence: their generation is all zero. */
static const unsigned char no_generation[GENERATION_BYTES];

void
page_cache_get_global(struct page_cache *cache, struct arena *a,
    struct str name, struct page_look *out)
{
	struct key key = global_key(name);
	struct node *node = home_of(cache, name);
	struct str value;

	*out = (struct page_look){ .page = STR("") };
	if (node && key_is_fit(&key) && !is_paused(node) &&
	    get_values(cache, a, node, name, &key, 1, &value))
		out->valid = read_page(value, no_generation, out);
}

void
page_cache_put_global(struct page_cache *cache, struct str name,
    int64_t serial, struct str page)
{
	struct key key = global_key(name);
	struct node *node = home_of(cache, name);

	if (node && key_is_fit(&key) && !is_paused(node))
		set_value(cache, node, name, &key, no_generation, serial,
		    page);
}
