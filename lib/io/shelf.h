/*
 * shelf: a folder of documents that nginx serves without anybody's help.
 *
 * Each item (a folder such as "root" or "project/pip") has one edition that is
 * shown.  An edition is two folders, one in the other, whose names carry what
 * cannot be in the documents: serial, ETags.  They are reached through a
 * symbolic link that is replaced as a whole, so that whoever resolves it once
 * has names and bytes of one edition:
 *
 *	root/now -> 17.1700000000.3.ab.cd/ef.01
 *	root/17.1700000000.3.ab.cd/ef.01/html.gz
 *
 *	st = shelf_begin(shelf, "root", err);
 *	... shelf_put(shelf, "html", bytes, err) for each document ...
 *	st = shelf_end(shelf, "root", outer, inner, err);
 *	... the same for other items ...
 *	st = shelf_flush(shelf, err);
 *	... shelf_show(shelf, "root", outer, inner, err) for each ...
 *	st = shelf_write_note(shelf, note, as_of_us, err);
 *	... shelf_tidy(shelf, "root", err) for each ...
 *	st = shelf_keep_note(shelf, err);
 *
 * In this order, whenever the process is killed or the power goes: what is
 * shown is whole, and what the note says has been shown and tidied up.  An
 * edition lives on after it was replaced until shelf_tidy(), for readers that
 * resolved the link before.  Items' and documents' names are our own words or
 * normalized project names; nothing here checks them.
 *
 * Failures of the system are UNAVAILABLE; a full disk says that it is one.
 */
#ifndef IO_SHELF_H
#define IO_SHELF_H

#include <stdint.h>

#include "base/str.h"

struct arena;
struct shelf;

/* Where the items but those at the top lie: "project/pip". */
#define SHELF_FOLDER	"project"

/*
 * Open the shelf at path, making the folder (mode 0755) unless it is there;
 * its own parent must be.  CONFLICT when another process has it open: there is
 * one writer at a time.  Closed with the arena.
 */
MUST_USE enum status shelf_open(struct arena *a, const char *path,
    struct shelf **out, struct err *err);

/* Begin an edition of an item.  What a killed process left of it goes. */
MUST_USE enum status shelf_begin(struct shelf *s, const char *item,
    struct err *err);

/* A document of the edition that was begun. */
MUST_USE enum status shelf_put(struct shelf *s, const char *name,
    struct str bytes, struct err *err);

/* Append to the document of that name, which is made if need be. */
MUST_USE enum status shelf_append(struct shelf *s, const char *name,
    struct str bytes, struct err *err);

/* The edition is complete, and gets its names. */
MUST_USE enum status shelf_end(struct shelf *s, const char *item,
    const char *outer, const char *inner, struct err *err);

/* All that was written so far is on the disk for good. */
MUST_USE enum status shelf_flush(struct shelf *s, struct err *err);

/* Show a complete edition in place of the one that is shown. */
MUST_USE enum status shelf_show(struct shelf *s, struct arena *a,
    const char *item, const char *outer, const char *inner, struct err *err);

/* Show no edition of an item any more. */
MUST_USE enum status shelf_hide(struct shelf *s, const char *item,
    struct err *err);

/* "outer/inner" of what is shown; NOT_FOUND when nothing is. */
MUST_USE enum status shelf_shown(struct shelf *s, struct arena *a,
    const char *item, struct str *out, struct err *err);

/*
 * Remove what is not shown of an item: other editions, complete or not; and
 * its folder when there is nothing left in it.
 */
MUST_USE enum status shelf_tidy(struct shelf *s, struct arena *a,
    const char *item, struct err *err);

/* Call each() with every item of SHELF_FOLDER, until it is not OK. */
MUST_USE enum status shelf_each(struct shelf *s, struct arena *a,
    enum status (*each)(void *arg, const char *item, struct err *err),
    void *arg, struct err *err);

/*
 * One line that says how far the shelf has come; empty before the first was
 * kept.  as_of_us is what shelf_set_as_of() said last, 0 before.
 */
MUST_USE enum status shelf_note(struct shelf *s, struct arena *a,
    struct str *out, int64_t *as_of_us, struct err *err);

/* Write a note, and flush it with all that was shown. */
MUST_USE enum status shelf_write_note(struct shelf *s, struct str note,
    int64_t as_of_us, struct err *err);

/* The note that was written takes the place of the one before. */
MUST_USE enum status shelf_keep_note(struct shelf *s, struct err *err);

/*
 * The shelf is known to have been up to date at this time, in microseconds
 * since 1970.  It becomes the note's modification time, where nginx reads it.
 */
MUST_USE enum status shelf_set_as_of(struct shelf *s, int64_t as_of_us,
    struct err *err);

#endif
