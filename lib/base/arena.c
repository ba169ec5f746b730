#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES	((size_t)64 << 10)	/* most requests need one */
#define ALIGN		alignof(max_align_t)

#if defined(__SANITIZE_ADDRESS__)
#define ONE_BLOCK_EACH	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_BLOCK_EACH	1
#endif
#endif
#ifndef ONE_BLOCK_EACH
#define ONE_BLOCK_EACH	0
#endif

struct block {
	struct block *older;
	size_t cap;		/* bytes behind the header */
	size_t used;
	alignas(max_align_t) char bytes[];
};

struct deferred {
	struct deferred *older;
	void (*release)(void *);
	void *thing;
};

struct arena {
	struct block *newest;
	struct deferred *deferred;
	size_t limit_bytes;
	size_t used;
};

_Noreturn static void
out_of_memory(const struct arena *a, size_t n)
{
	fprintf(stderr, "out of memory: %zu more bytes on top of %zu, "
	    "limit %zu (request_memory_bytes)\n", n, a->used, a->limit_bytes);
	exit(ARENA_EXIT);
}

static size_t
round_up(size_t n)
{
	return (n + ALIGN - 1) & ~(ALIGN - 1);
}

static void
add_block(struct arena *a, size_t n)
{
	size_t cap = ONE_BLOCK_EACH || n > BLOCK_BYTES ? n : BLOCK_BYTES;
	struct block *b = malloc(sizeof(*b) + cap);

	if (!b)
		out_of_memory(a, n);
	b->older = a->newest;
	b->cap = cap;
	b->used = 0;
	a->newest = b;
}

struct arena *
arena_new(size_t limit_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a) {
		fputs("out of memory: no arena\n", stderr);
		exit(ARENA_EXIT);
	}
	a->limit_bytes = limit_bytes;
	return a;
}

/* Free all blocks but, if keep, the oldest when it is of the usual size. */
static void
drop_blocks(struct arena *a, int keep)
{
	struct block *b = a->newest;

	while (b) {
		struct block *older = b->older;

		if (keep && !older && b->cap == BLOCK_BYTES)
			break;
		free(b);
		b = older;
	}
	if (b)
		b->used = 0;
	a->newest = b;
}

static void
run_deferred(struct arena *a)
{
	while (a->deferred) {
		struct deferred *d = a->deferred;

		a->deferred = d->older;
		d->release(d->thing);
	}
}

void
arena_reset(struct arena *a)
{
	run_deferred(a);
	drop_blocks(a, !ONE_BLOCK_EACH);
	a->used = 0;
}

void
arena_free(struct arena *a)
{
	if (!a)
		return;
	run_deferred(a);
	drop_blocks(a, 0);
	free(a);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	size_t room = round_up(n ? n : 1);
	struct block *b = a->newest;
	void *p;

	if (n > a->limit_bytes || room > a->limit_bytes - a->used)
		out_of_memory(a, n);
	if (!b || ONE_BLOCK_EACH || room > b->cap - b->used) {
		add_block(a, ONE_BLOCK_EACH ? n : room);
		b = a->newest;
	}
	p = b->bytes + b->used;
	b->used += ONE_BLOCK_EACH ? n : room;
	a->used += room;
	return n ? memset(p, 0, n) : p;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		out_of_memory(a, SIZE_MAX);
	return arena_alloc(a, count * size);
}

/* Is [p, p + n) the newest allocation, so that it can grow where it is? */
static int
is_last(const struct block *b, const char *p, size_t n)
{
	return !ONE_BLOCK_EACH && b &&
	    p + round_up(n ? n : 1) == b->bytes + b->used;
}

void *
arena_grow(struct arena *a, void *old, size_t old_bytes, size_t new_bytes)
{
	struct block *b = a->newest;
	void *fresh;

	if (new_bytes <= old_bytes)
		return old;
	if (old && is_last(b, old, old_bytes)) {
		size_t more = round_up(new_bytes) -
		    round_up(old_bytes ? old_bytes : 1);

		if (more <= b->cap - b->used &&
		    more <= a->limit_bytes - a->used) {
			b->used += more;
			a->used += more;
			memset((char *)old + old_bytes, 0,
			    new_bytes - old_bytes);
			return old;
		}
	}
	fresh = arena_alloc(a, new_bytes);
	if (old_bytes)
		memcpy(fresh, old, old_bytes);
	return fresh;
}

void
arena_defer(struct arena *a, void (*release)(void *), void *thing)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));

	d->older = a->deferred;
	d->release = release;
	d->thing = thing;
	a->deferred = d;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
