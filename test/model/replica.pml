/*
 * replica.pml: a primary whose commits wait for its replica, readers of both,
 * and what a failover would find.
 *
 * One project with changes 1 to CHANGES.  A change is in the primary's log
 * (`logged`), then the replica has applied it (`applied`), then, when the
 * primary knows that, it is visible there and answered (`visible`): so the
 * replica is ahead for a moment, and as far behind as it likes.  Serials are
 * taken under a lock that is held until then (J1), so one at a time waits.
 *
 * The replica may stop at any place; a link that is cut is nothing else.  The
 * primary, or any process of its server, may crash (D2: lib/io/db_connect.c
 * confirm()), the watch leaves and joins the replica (F2: lib/index/alone.c,
 * called by watch.c), and at any time somebody fences the primary, looks at the
 * mark and promotes the replica (lib/index/failover.c; failover.pml has that
 * in full).  Then all that anybody was told must be there.
 *
 * check CHANGES=3
 *
 * mutant REPLICA_UNCHECKED: a page of the replica is answered as it is
 * mutant REPLICA_AHEAD: ... if its serial is the primary's or newer
 * mutant DEGRADED_BINDS: what a degraded page showed others must show too
 * mutant DEGRADED_STORED: a degraded page is stored under the fence
 * mutant WAIT_CANCELLED: F1: a wait for the replica ends with success
 * mutant WAIT_CUT_SHORT: F1: ... with an error, but the change is visible
 * mutant NO_MARK: F2: no mark is written
 * mutant MARK_LATE: F2: commits wait for nobody, then the mark is written
 * mutant MARK_CLEARED_FIRST: F2: the mark goes before commits wait again
 * mutant MARK_CLEARED_EARLY: F2: ... before a commit was confirmed
 * mutant CONFIRMED_EARLY: F2: ... which began before commits waited again
 * mutant RESTART_SERVES: F3: a primary serves as soon as it is up
 * mutant RESTART_SHOWS: F3: it waits, but only before it takes changes
 */
#ifndef CHANGES
#define CHANGES	3
#endif

#define SAY(what)	printf(what)

byte logged, applied, visible;	/* the newest change of which that is so */
bool waits = true;		/* synchronous_standby_names is not empty */
bool mark = false;		/* the replica lacks changes */
bool is_up = true;
bool is_open = true;		/* F3: sessions are served */
bool is_over = false;		/* the replica was promoted */

byte told;	/* the newest that was answered or shown, to whomever */
byte shown;	/* ... or shown by a degraded page */

#ifdef DEGRADED_STORED
byte page;	/* in the cache: its serial, if is_valid */
bool is_valid;
#endif

#define TELL(serial)	told = ((serial) > told -> (serial) : told)
#define SHOW(serial)	shown = ((serial) > shown -> (serial) : shown)

/* Changes: publish(), as far as W3. */
active proctype writer()
{
end:	do
	:: atomic { is_open && logged == visible && logged < CHANGES ->
		SAY("W3 logs a commit\n");
#ifdef DEGRADED_STORED
		is_valid = false;		/* W2 */
#endif
		logged++ }
	:: atomic { is_open && logged > visible &&
		(!waits || applied >= logged) ->
		SAY("W3 the commit is visible, W4 answers\n");
		visible = logged;
		TELL(visible) }
#ifdef WAIT_CANCELLED
	:: atomic { is_open && logged > visible ->
		SAY("a wait is cancelled, and answered as success\n");
		visible = logged;
		TELL(visible) }
#endif
#ifdef WAIT_CUT_SHORT
	:: atomic { is_open && logged > visible ->
		SAY("a wait is cancelled\n");
		visible = logged }
#endif
	od
}

/* Pages, lists and the changelog, from the primary. */
active proctype reader()
{
end:	do
#ifdef RESTART_SHOWS
	:: atomic { is_up && !is_over && visible != told ->
#else
	:: atomic { is_open && visible != told ->
#endif
		SAY("a page shows what the primary has\n");
		assert(visible >= told);	/* C1, C2, C3 */
#ifdef DEGRADED_BINDS
		assert(visible >= shown);
#endif
		TELL(visible) }
#ifdef DEGRADED_STORED
	:: atomic { is_valid -> assert(page >= told); TELL(page) }
#endif
	od
}

/* Pages from the replica, while there is a primary. */
active [2] proctype reader_of_replica()
{
	byte known, serial, newest;

end:	do
	:: atomic { is_open && applied > 0 -> known = told;
		serial = applied }
	   atomic { is_open || is_over; newest = visible }
	   atomic {
		if
		:: is_over || serial == newest
#ifdef REPLICA_UNCHECKED
		:: true
#endif
#ifdef REPLICA_AHEAD
		:: serial >= newest
#endif
		:: else -> serial = 0	/* from the primary: reader() */
		fi;
		if
		:: serial == 0 || is_over
		:: else -> SAY("a page shows what the replica had\n");
			assert(serial >= known);	/* C1, C2, C3 */
			TELL(serial)
		fi;
		known = 0; serial = 0; newest = 0 }
	od
}

/* render_degraded(): the primary is not reached, from there at least. */
active proctype degraded_reader()
{
end:	do
	:: atomic { !is_over && applied > shown && !mark ->
		SAY("a degraded page shows what the replica has\n");
		SHOW(applied) }
#ifdef DEGRADED_STORED
	:: atomic { !is_over && !is_valid ->
		SAY("a degraded page is stored\n");
		page = applied;
		is_valid = true }
#endif
	od
}

active proctype replica()
{
end:	do
	:: atomic { is_up && applied < logged ->
		SAY("the replica applies\n"); applied++ }
	od
}

/* Any crash: recovery makes visible what is logged. */
active proctype server()
{
end:	do
	:: atomic { is_up -> SAY("the primary crashes\n");
		is_up = false; is_open = false; }
	:: atomic { !is_up && !is_over -> SAY("it is up again\n");
		is_up = true; visible = logged;
#ifdef RESTART_SERVES
		is_open = true
#endif
		}
	/* confirm(), or F2's mark stands and nobody is waited for. */
	:: atomic { is_up && !is_open && !is_over &&
		(!waits || applied >= logged) ->
		SAY("it is confirmed, and serves\n"); is_open = true }
	od
}

/* watch_step(): may be killed between any two steps, and begin anew. */
active proctype watch()
{
	bool is_confirmed;

end:	do
	/* alone_begin() */
#if defined(MARK_LATE)
	:: atomic { is_up && !mark && waits -> waits = false;
		SAY("commits wait for nobody\n") }
	:: atomic { is_up && !mark && !waits -> mark = true;
		SAY("the mark is written\n") }
#elif defined(NO_MARK)
	:: atomic { is_up && waits -> waits = false;
		SAY("commits wait for nobody\n") }
#else
	:: atomic { is_up && !mark && waits -> mark = true;
		is_confirmed = false;
		SAY("the mark is written\n") }
	:: atomic { is_up && mark && waits -> waits = false;
		is_confirmed = false;
		SAY("commits wait for nobody\n") }
#endif
	/* alone_end(): server_go_together(), then clear_marks(). */
#ifdef MARK_CLEARED_FIRST
	:: atomic { is_up && mark && !waits && applied == logged ->
		mark = false; SAY("the mark is cleared\n") }
	:: atomic { is_up && !mark && !waits -> waits = true;
		SAY("commits wait again\n") }
#else
	:: atomic { is_up && !waits -> waits = true;
		SAY("commits wait again\n") }
#endif
#ifdef CONFIRMED_EARLY
	:: atomic { is_up && !waits && applied >= logged ->
		is_confirmed = true; SAY("a commit is confirmed\n") }
#else
	:: atomic { is_up && waits && applied >= logged ->
		is_confirmed = true; SAY("a commit is confirmed\n") }
#endif
#ifdef MARK_CLEARED_EARLY
	:: atomic { is_up && mark && waits ->
#else
	:: atomic { is_up && mark && waits && is_confirmed ->
#endif
		mark = false; is_confirmed = false;
		SAY("the mark is cleared\n") }
	od
}

active proctype failover()
{
	atomic { true -> SAY("F4 the primary is fenced\n");
		is_up = false; is_open = false; is_over = true;
		if
		:: mark		/* refused */
		:: else -> SAY("F4 the replica is promoted\n");
			/* C4, C5: what was answered or shown stays. */
			assert(applied >= told);
			assert(applied >= shown)
		fi }
}
