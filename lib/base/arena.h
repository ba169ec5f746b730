/*
 * arena: memory that lives as long as one request, and dies in one call.
 *
 *	struct arena *a = arena_new(16 << 20);
 *	for (;;) {
 *		serve(a, ...);
 *		arena_reset(a);
 *	}
 *	arena_free(a);
 *
 * Nothing made for a request is freed by hand.  What is not memory (a
 * PGresult, a json_t, a descriptor) is handed over with arena_defer() where
 * it is acquired, and released at the next reset in reverse order.
 *
 * Allocation never returns NULL.  Past limit_bytes, or when the system has no
 * memory, the process says so and exits with ARENA_EXIT: every size that comes
 * from outside must be bounded before it is allocated.  In the SAN build each
 * allocation is a malloc of its own, so that the sanitizers see its edges.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

#define ARENA_EXIT	86	/* exit status of a process over its limit */

/* A new arena that may hold limit_bytes.  End it with arena_free(). */
struct arena *arena_new(size_t limit_bytes);

/* Release everything, deferred things first, and the arena itself. */
void arena_free(struct arena *a);

/* Release everything; keeps the first block for the next request. */
void arena_reset(struct arena *a);

/* n zeroed bytes, aligned for any type.  n may be 0. */
void *arena_alloc(struct arena *a, size_t n);

/* count zeroed things of size bytes each; the product is checked. */
void *arena_array(struct arena *a, size_t count, size_t size);

/*
 * Grow an allocation from old_bytes to new_bytes: in place when it was the
 * arena's last one, else by copying.  The new part is zeroed.  old may be
 * NULL while old_bytes is 0.
 */
void *arena_grow(struct arena *a, void *old, size_t old_bytes,
    size_t new_bytes);

/* Call release(thing) at the next reset or free, last deferred first. */
void arena_defer(struct arena *a, void (*release)(void *), void *thing);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#endif
