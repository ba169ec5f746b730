/*
 * page_cache: rendered pages in memcached, under fences.
 *
 * Implements R1, R2, R4 and W2 of the consistency protocol; the caller does
 * the steps between them, in PostgreSQL, in the protocol's order:
 *
 *	page_cache_get(cache, a, project, STR("html"), &look);	R1, R2
 *	if (look.valid)
 *		answer(look.page);
 *	... is the lock free?  then rows and hold ...		R3
 *	if (lock_was_free && !held)
 *		page_cache_put(cache, project, STR("html"), &look,
 *		    serial, page);				R4
 *
 *	... the project's lock is held ...			W1
 *	if (page_cache_drop_fence(cache, project) == FENCE_UNKNOWN)
 *		... roll back, write a hold, answer 503 ...	W2h
 *
 * A page is valid if and only if its project's fence is there and both carry
 * the same generation, 128 random bits that are used once.  Every project has
 * one home node, by a hash of its name; its keys never move to another, and a
 * node that does not answer is a miss.  After any doubt about a connection it
 * is closed, so that no late answer is taken for another's.
 *
 * Nothing here fails: without memcached pages are merely not kept.  A node
 * that let a time-out pass is left alone by get and put for PAUSE_MS, twice as
 * long after each further one, up to PAUSE_MAX_MS, so that a worker does not
 * spend its time waiting; page_cache_drop_fence() always asks, and an answer
 * ends the pause.
 *
 * One cache belongs to one process; make it after fork().
 */
#ifndef IO_PAGE_CACHE_H
#define IO_PAGE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct page_cache;

#define GENERATION_BYTES	16
#define PAGE_CACHE_NODES	16	/* at most */
#define PAGE_CACHE_PAUSE_MS	1000	/* see above */
#define PAGE_CACHE_PAUSE_MAX_MS	4000

struct page_cache_times {
	int fence_ttl_s;	/* a fence's life, never renewed; at most 30
				 * days, or memcached takes it for a date */
	int page_ttl_s;		/* a page's life; at most fence_ttl_s */
	int timeout_ms;		/* for each step: connect, send, receive */
};

/* What R1 and R2 found. */
struct page_look {
	bool valid;		/* answer with page; nothing else to do */
	struct str page;	/* in the arena; empty unless valid */
	int64_t serial;		/* the page's; 0 unless valid */
	bool has_generation;	/* R4 may store under it */
	unsigned char generation[GENERATION_BYTES];
};

/*
 * servers: "unix:/run/memcached/memcached.sock" or "127.0.0.1:11211" or
 * "[::1]:11211", separated by commas.  Every process of every machine must
 * give the same ones in the same order, for the order says whose home is
 * where.  Addresses, not names: a lookup has no time-out, and of a name with
 * two addresses one may refuse while the other is only slow.
 *
 * Empty: no page is ever kept, and every fence counts as dropped.  NULL when
 * servers is anything else, or names more than PAGE_CACHE_NODES.  Contacts
 * nobody yet.  End it with page_cache_free().
 */
struct page_cache *page_cache_new(const char *servers,
    const struct page_cache_times *times);
void page_cache_free(struct page_cache *cache);

/*
 * R1 and R2.  project is in PEP 503 normal form, format one of our words
 * ("html", "json.gz"); what could not be a key of memcached is a miss.
 */
void page_cache_get(struct page_cache *cache, struct arena *a,
    struct str project, struct str format, struct page_look *out);

/*
 * R4.  look is R1's and R2's, from before R3.  The caller has seen the lock
 * free and no hold.  Whether it is stored does not matter, so nobody is told;
 * a page over memcached's item size is not.
 */
void page_cache_put(struct page_cache *cache, struct str project,
    struct str format, const struct page_look *look, int64_t serial,
    struct str page);

enum fence_drop {
	FENCE_DROPPED,	/* no page of the project is valid from here on */
	FENCE_UNKNOWN,	/* the fence may be there, or go at any time */
};

/* W2.  The caller holds the project's lock. */
MUST_USE enum fence_drop page_cache_drop_fence(struct page_cache *cache,
    struct str project);

/*
 * Whose home a project has, by the name that the node has in the setting: the
 * same for every process of every machine.  Empty without nodes.  The view is
 * good for as long as the cache.
 */
struct str page_cache_home(const struct page_cache *cache,
    struct str project);

/*
 * Would W2 succeed on this node now?  Asks it, as W2 does.  A node that the
 * setting does not have is nobody's home, so nothing fails on it: true.
 */
bool page_cache_can_drop(struct page_cache *cache, struct str home);

/*
 * Pages over many projects, which no fence guards.  out->valid says that
 * there is one, made at out->serial: it is right only if that is still the
 * newest serial on the primary, which the caller looks up afterwards.
 */
void page_cache_get_global(struct page_cache *cache, struct arena *a,
    struct str name, struct page_look *out);
void page_cache_put_global(struct page_cache *cache, struct str name,
    int64_t serial, struct str page);

#endif
