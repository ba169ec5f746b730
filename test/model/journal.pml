/*
 * journal.pml: the order in which serials become visible, and the pages over
 * many projects that rest on it.
 *
 * WRITERS changes of different projects (so that no project's lock orders
 * them), each of which takes its serial from the one row of serial_counter
 * (sql/query/journal/add.sql, called by publish.c take_serials()) and commits
 * or not; a mirror that follows the journal; a reader of the root list
 * (lib/index/page.c page_of_index()), whose cached page memcached keeps,
 * forgets, or stores late.  Serials count up to WRITERS: with three there is
 * one between the first and the last, and so any gap that can be.
 *
 * The journal is a set of serials, one bit each; the root list shows the same.
 *
 * check WRITERS=3
 *
 * mutant SEQUENCE: J1: serials are drawn from a sequence, ordered by nothing
 * mutant ROW_UNLOCKED: J1: the counter is read, and written back later
 * mutant NEWEST_UNCHECKED: a kept page over many projects is taken as it is
 * mutant NEWEST_LATER: such a page carries a serial read after its rows
 */
#ifndef WRITERS
#define WRITERS	3
#endif

#define SAY(what)	printf(what)
#define BIT(serial)	(1 << (serial))
#define UP_TO(serial)	(BIT((serial) + 1) - 1)

byte journal;			/* the visible rows, a bit for each serial */
byte counter;			/* serial_counter.value, as committed */
bool counter_locked;		/* an UPDATE of it is not committed yet */
byte newest;			/* the newest serial that anybody was shown */
byte shown;			/* and all that was shown beside it */
#ifdef SEQUENCE
byte drawn;
#endif

byte kept_rows;			/* the root list in memcached */
byte kept_serial;
bool is_kept;

/* Somebody sees rows, and with them that `serial` is the newest. */
inline reveal(rows, serial)
{
	/* C4: nothing at or below what was shown comes later, or goes. */
	assert((rows & UP_TO(newest)) == (shown & UP_TO(newest)) ||
	    newest > serial);
	assert(newest <= serial);	/* C2: no list is older than another */
	newest = serial;
	shown = rows
}

active [WRITERS] proctype writer()
{
	byte serial;

#ifdef SEQUENCE
	atomic { drawn++; serial = drawn; SAY("W3 draws a serial\n") }
#elif defined(ROW_UNLOCKED)
	atomic { serial = counter + 1; SAY("W3 reads the counter\n") }
#else
	/* UPDATE serial_counter waits for whoever has its row. */
	atomic {
		!counter_locked -> counter_locked = true;
		serial = counter + 1;
		SAY("W3 takes a serial\n")
	}
#endif
	if
	:: atomic {		/* COMMIT: visible, then the locks go */
		/* C5: no serial names two events. */
		assert(!(journal & BIT(serial)));
		journal = journal | BIT(serial);
		counter = (serial > counter -> serial : counter);
		SAY("W3 the commit is visible\n") }
	:: skip			/* rolled back: the serial was never seen */
	fi;
	atomic { counter_locked = false; serial = 0 }
}

/* changelog_since_serial, list_packages_with_serial: one statement. */
active proctype mirror()
{
	do
	:: atomic { journal != shown || newest != counter ->
		SAY("a mirror reads the journal\n");
		reveal(journal, counter) }
	od
}

inline forget()
{
	rows = 0; serial = 0; known = 0; was_kept = false
}

active [2] proctype reader()
{
	bool was_kept;
	byte rows, serial, known;

request:	skip;
	atomic {		/* page_cache_get_global() */
		known = newest;
		was_kept = is_kept;
		rows = kept_rows;
		serial = kept_serial
	}
	atomic {		/* SQL_SERIAL_NEWEST */
		if
#ifdef NEWEST_UNCHECKED
		:: was_kept ->
#else
		:: was_kept && serial == counter ->
#endif
			SAY("a kept root list is answered\n");
			assert(serial >= known);
			if
			:: serial >= newest -> reveal(rows, serial)
			:: else
			fi;
			forget();
			goto request
		:: else
		fi
	}
	atomic {		/* page/simple_root.sql: one snapshot */
		SAY("the root list is read\n");
		rows = journal;
		serial = counter
	}
#ifdef NEWEST_LATER
	serial = counter;
#endif
	atomic {		/* answered; others may have been faster */
		assert(serial >= known);
		assert((rows & UP_TO(serial)) == rows);
		if
		:: serial >= newest -> reveal(rows, serial)
		:: else
		fi
	}
	atomic {		/* page_cache_put_global(), at any later time */
		if
		:: is_kept = true; kept_rows = rows; kept_serial = serial;
			SAY("the root list is kept\n")
		:: true
		fi;
		forget();
		goto request
	}
}

active proctype memcached()
{
end:	do
	:: atomic { is_kept ->
		SAY("the root list is forgotten\n");
		is_kept = false; kept_rows = 0; kept_serial = 0 }
	od
}
