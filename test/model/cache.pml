/*
 * cache.pml: the pages of one project in memcached, under a fence.
 *
 * Endless readers (R1 to R5: lib/index/page.c project_page()) and writers (W1
 * to W4: lib/index/publish.c publish()) of one project on any of MACHINES
 * machines, its home's holds (W2h), which all projects of that home write and
 * share, the runners that end them (publish_end_holds()), a memcached that does
 * its worst, and mirrors that read the journal.  lib/index/CONSISTENCY.md has
 * the rules and their names; hold.pml has what holds cost.
 *
 * What is made small, and why nothing is lost by it:
 *
 * - Serials.  A breach is a page older than some serial S that was revealed.
 *   Pick any S: the model only tells what is before it (OLD) from what is not
 *   (NEW), and which change it is that brings S is left to chance.  So two
 *   values stand for all serials and for endlessly many changes.
 * - Generations are compared for equality only, and one that is neither a
 *   fence's nor on its way to become one will never be again: whatever is
 *   stored under it is as good as not stored (lose()), and its number can
 *   stand for another (fresh()).  So few numbers do for endlessly many.
 * - Time.  A fence that was there when a hold's time was read is `fence_is_old`
 *   by that hold.  The hold is waited out at any time later; what was old by it
 *   is then a `corpse`, which memcached may still have (its clock can stand
 *   still), but which readers take for no fence by the time that it carries
 *   (is_alive()).  That is all that two fence lives promise.
 * - Other projects of the home, and this one's own changes, write its holds and
 *   hold no lock for that: so anybody does, at any time.  Any machine may be
 *   cut from memcached, one way or both: any command may fail, done or not.
 * - A late delete does what the eviction of a fence does; an expired page is
 *   an evicted one; a frozen process is one that is not chosen to run; one
 *   that is killed begins anew.  They need no steps of their own.
 * - The statements of W1, and all of W0, touch nothing that readers see.
 * - A request begins with its R1, and ends as soon as its answer is known: if
 *   it began sooner or ended later, less would bind it and others.
 *
 * Bounds: READERS readers and WRITERS writers at one time; of the additions
 * and of the stores that are done after their sender gave up (LATE), one each
 * under way at a time; one reader at a time between R1's two values, if the
 * fence is the first.  A store that is done late is also what a reader does
 * that was frozen before R4, so that with two readers LATE adds only R2's.
 *
 * Holds of more machines than one only keep more pages from being stored, and
 * a change relies on one hold: so one machine's are enough, but for what is
 * forgotten about that; MACHINES=2 looks.
 *
 * check READERS=1 WRITERS=2 INVARIANT
 * check READERS=2 WRITERS=1 LATE=false INVARIANT
 * check READERS=1 WRITERS=1 MACHINES=2 LATE=false INVARIANT
 *
 * Where a `goto` of an atomic step leads stands `skip`, or Spin would take both
 * steps for one.
 *
 * mutant NO_GENERATIONS: pages are deleted themselves; fences are all alike
 * mutant GENERATION_AFTER_ROWS: R1 and R2 take the generation after R3
 * mutant SNAPSHOT_BEFORE_LOCK_TEST: R3 in one statement
 * mutant NO_LOCK_TEST: R3 without its first half
 * mutant DELETE_AFTER_COMMIT: W2 after W3
 * mutant DELETE_BEFORE_LOCK: W2 before W1
 * mutant LOCK_BACK_EARLY: the lock is given back before the commit is visible
 * mutant FAILED_DELETE_IGNORED: no W2h: W3 whatever came of W2
 * mutant HOLD_IGNORED: R4 without its look for a hold
 * mutant UNKNOWN_ADD_TRUSTED: R2 takes an addition of unknown outcome as done
 * mutant ADD_SENT_TWICE: the library sends R2's addition again by itself
 * mutant KEYS_FAIL_OVER: another node takes the keys of one out of reach
 * mutant GENERATION_COUNTER: generations are counted, from 1 after a restart
 * mutant FENCE_RENEWED: who reads a fence prolongs its life
 * mutant HOLD_NOT_AGED: a hold is waited out as soon as it is there
 * mutant HOLD_AFTER_ROWS: R3 looks for a hold in a statement after the rows
 * mutant HOLD_OF_OWN_MACHINE MACHINES=2 LATE=false: R3 looks for its own hold
 * mutant HOLD_TIME_EARLY: W2h reads the time before its hold is visible
 * mutant HOLD_UNSHARED: a change does not lock the hold that it relies on
 * mutant HOLD_END_UNCONFIRMED: a failover brings an ended hold back
 * mutant HOLD_BACKDATED: F4 backdates the hold of a memcached that may be back
 * mutant NO_FENCE_TIME: only memcached says how old a fence is
 * mutant RESTART_KEEPS: memcached keeps its values over a restart (-e)
 * mutant LOOK_UP_UNLOCKED: a lost COMMIT is looked up without the lock
 */
#ifndef READERS
#define READERS	1
#endif
#ifndef WRITERS
#define WRITERS	1
#endif
#ifndef MACHINES
#define MACHINES 1
#endif
#ifndef LATE
#define LATE	true	/* commands are done behind their sender's back */
#endif

#ifdef KEYS_FAIL_OVER
#define NODES	2
#else
#define NODES	1
#endif

#define NONE	0	/* no such value, no such generation */

#define OLD	0	/* a serial before the one in question */
#define NEW	1	/* that one, or one after it */

/* Who told of the serial in question first; the guarantee that it binds. */
#define NOBODY	0
#define C1	1	/* an upload's answer */
#define C2	2	/* the changelog, a list, a feed */
#define C3	3	/* a page of the project */
#define TELL(who)	told = (told == NOBODY -> who : told)

#define SAY(what)	printf(what)

/* PostgreSQL: project.last_serial, the advisory lock. */
bit last_serial = OLD;
bool locked = false;

/* cache_hold: the rows of this project's home, one for each machine. */
bool hold[MACHINES];		/* the row is visible */
bool has_time[MACHINES];	/* and its time is set */
bool is_aged[MACHINES];		/* and is two fence lives ago */
byte shared[MACHINES];		/* FOR KEY SHARE, by so many changes */
bool fence_is_old[MACHINES];	/* it was there when the time was read */

/* memcached. */
bool is_up = true;
byte fence[NODES];
byte page[NODES];		/* the generation it was stored under */
bit page_serial[NODES];
bool corpse[NODES];		/* a fence whose own time is over */

/* Commands whose sender does not wait any more. */
byte late_fence;
byte late_page;
bit late_serial;

byte generation[READERS];	/* struct page_look's */
byte asking;		/* the fence's, between R1's two values */
byte told = NOBODY;		/* ... of the serial in question */

#ifdef GENERATION_COUNTER
byte counter;
#endif

inline forget_page(n)
{
	page[n] = NONE;
	page_serial[n] = OLD
}

/* Can a generation still be, or become, that of a valid page? */
#define IS_KNOWN(g)	(g == fence[0] || g == fence[NODES - 1] || \
			    g == late_fence || g == asking)

/* Generation g left a fence, or did not become one: is it gone for ever? */
inline lose(g)
{
#if !defined(NO_GENERATIONS) && !defined(GENERATION_COUNTER)
	if
	:: g == NONE || IS_KNOWN(g)
	:: else ->
		if :: g == page[0] -> forget_page(0) :: else fi;
		if :: g == page[NODES - 1] -> forget_page(NODES - 1) :: else fi;
		if :: g == late_page -> late_page = NONE; late_serial = OLD
		:: else fi;
		if :: g == generation[0] -> generation[0] = NONE :: else fi;
		if :: g == generation[READERS - 1] ->
			generation[READERS - 1] = NONE :: else fi
	fi;
#endif
	g = NONE
}

inline forget_fence(n)
{
	g = fence[n];
	fence[n] = NONE;
	corpse[n] = false;
	fence_is_old[0] = false;
	fence_is_old[MACHINES - 1] = false;
	lose(g)
}

/* 128 random bits, in add_fence(): what nothing and nobody holds. */
inline fresh(g)
{
#if defined(NO_GENERATIONS)
	g = 1
#elif defined(GENERATION_COUNTER)
	counter++;
	g = counter
#else
	g = 1;
	do
	:: IS_KNOWN(g) -> g++
	:: else -> break
	od
#endif
}

/* home_of(): where a command goes. */
#ifdef KEYS_FAIL_OVER
#define CHOOSE_NODE(n)	if :: n = 0 :: n = 1 fi
#else
#define CHOOSE_NODE(n)	n = 0
#endif

/* ---- readers --------------------------------------------------------- */

#define NO_GENERATION	generation[_pid] = NONE

/* R5: what the client sees, against what was told before it asked. */
inline answer()
{
	assert(serial == NEW || known != C1);
	assert(serial == NEW || known != C2);
	assert(serial == NEW || known != C3);
	if
	:: serial == NEW -> TELL(C3); SAY("R5 answers: the new page\n")
	:: else -> SAY("R5 answers: an old page\n")
	fi;
	known = NOBODY
}

/* R1, in memcached: get_values() of two keys, which come in either order. */
inline get_fence()
{
	SAY("R1 reads the fence\n");
	generation[_pid] = fence[n];
	asking = fence[n]
#ifdef FENCE_RENEWED
	; fence_is_old[0] = false
	; fence_is_old[MACHINES - 1] = false
#endif
}

inline get_page()
{
	SAY("R1 reads the page\n");
	generation[_pid] = page[n];
	serial = page_serial[n]
}

/* R2, in memcached: add_fence(), and what make_fence() takes it for. */
inline add_fence()
{
	if
	:: true -> SAY("R2 fails\n")
	:: LATE && late_fence == NONE ->
		SAY("R2 is not answered\n");
		fresh(g);
		late_fence = g;
#ifdef UNKNOWN_ADD_TRUSTED
		generation[_pid] = g;
#endif
	:: is_up && fence[n] == NONE && !corpse[n] ->
		SAY("R2 adds a fence\n");
		fresh(g);
		fence[n] = g;
		generation[_pid] = g;
#ifdef ADD_SENT_TWICE
		late_fence = g;
#endif
	:: is_up && (fence[n] != NONE || corpse[n]) ->
		SAY("R2 finds a fence\n");
		is_there = true
	fi;
	g = NONE
}

#ifdef HOLD_OF_OWN_MACHINE
#define IS_HELD	hold[0]		/* every reader is on the first machine */
#else
#define IS_HELD	(hold[0] || hold[MACHINES - 1])
#endif

inline look_for_hold()
{
	if
	:: IS_HELD -> SAY("R3 sees a hold\n"); NO_GENERATION
	:: else
	fi
}

/* test_lock(): a statement and transaction of its own. */
inline test_lock()
{
	if
	:: locked -> SAY("R3 sees that the lock is taken\n"); NO_GENERATION
	:: else -> SAY("R3 sees that the lock is free\n")
	fi
}

/* Requests for a page of the project: project_page(), without end. */
active [READERS] proctype reader()
{
	byte n;
	byte g;
	byte known = NOBODY;	/* who had told when the request began */
	bit serial = OLD;	/* of the page that is the answer */
	bool is_there;

request:	skip;
	/* R1: page_cache_get(). */
	atomic {
		CHOOSE_NODE(n);
		known = told;
		if
		:: true -> SAY("R1 fails\n"); goto lock_test
		:: is_up && asking == NONE -> get_fence();
			if
			:: generation[_pid] == NONE && !corpse[n] ->
				goto no_fence
			:: generation[_pid] == NONE && corpse[n] ->
				goto lock_test
			:: else
			fi
		:: is_up -> get_page(); goto page_first
		fi
	}
	atomic {
		g = asking;
		asking = NONE;
		if
		:: is_up && g == page[n] ->
			SAY("R1 reads the page, and it is valid\n");
			serial = page_serial[n];
			answer();
			serial = OLD;
			NO_GENERATION;
			lose(g);
			goto request
		:: !is_up || g != page[n] -> lose(g); goto lock_test
		:: true -> NO_GENERATION; lose(g); goto lock_test
		fi
	}
page_first:	skip;
	atomic {
		if
		:: is_up && fence[n] != NONE && generation[_pid] == fence[n] ->
			SAY("R1 reads the fence, and the page is valid\n");
			answer();
			serial = OLD;
			NO_GENERATION;
			goto request
		:: is_up && generation[_pid] != fence[n] ->
			generation[_pid] = fence[n];
			serial = OLD;
			if
			:: generation[_pid] == NONE && !corpse[n] ->
				goto no_fence
			:: else -> goto lock_test
			fi
		:: is_up && generation[_pid] == NONE && fence[n] == NONE &&
		    !corpse[n] -> goto no_fence
		:: true -> NO_GENERATION; serial = OLD; goto lock_test
		fi
	}

	/* R2: make_fence(). */
no_fence:	skip;
	atomic {
		add_fence();
		if
		:: is_there
		:: else -> goto lock_test
		fi
	}
	atomic {
		is_there = false;
		if
		:: is_up -> generation[_pid] = fence[n]
		:: true
		fi
	}

	/* R3: test_lock(); then render(), in a snapshot of its own. */
lock_test:	skip;
#ifdef SNAPSHOT_BEFORE_LOCK_TEST
	atomic { SAY("R3 reads the rows\n"); serial = last_serial;
		look_for_hold() }
	atomic { test_lock(); answer() }
	goto store;
#endif
#ifndef NO_LOCK_TEST
	atomic {
		if
		:: test_lock()
		:: true -> NO_GENERATION; known = NOBODY; goto request
		fi
	}
#endif
	atomic {
		SAY("R3 reads the rows\n");
		serial = last_serial;
#if !defined(HOLD_IGNORED) && !defined(HOLD_AFTER_ROWS)
		look_for_hold();
#endif
		answer();
		if
		:: generation[_pid] == NONE -> serial = OLD; goto request
		:: else
		fi
	}
#ifdef HOLD_AFTER_ROWS
	atomic { look_for_hold() }
#endif
#ifdef GENERATION_AFTER_ROWS
	atomic {
		NO_GENERATION;
		if
		:: is_up && fence[n] != NONE -> generation[_pid] = fence[n]
		:: is_up && fence[n] == NONE -> add_fence()
		:: !is_up
		fi
	}
#endif

	/*
	 * R4: page_cache_put().  Who saw a closed lock or a hold has lost his
	 * generation: it was of no other use.
	 */
store:	skip;
	atomic {
		if
		:: is_up && generation[_pid] != NONE ->
			SAY("R4 stores the page\n");
			page[n] = generation[_pid];
			page_serial[n] = serial
		:: LATE && late_page == NONE && generation[_pid] != NONE ->
			SAY("R4 is not answered\n");
			late_page = generation[_pid];
			late_serial = serial
		:: true
		fi;
		NO_GENERATION;
		serial = OLD;
		goto request
	}
}

/* ---- writers --------------------------------------------------------- */

/* W2: page_cache_drop_fence().  FENCE_UNKNOWN leaves is_dropped false. */
inline drop_fence()
{
	CHOOSE_NODE(n);
	is_dropped = true;
	if
	:: is_up ->
		SAY("W2 deletes the fence\n");
		forget_fence(n);
#ifdef NO_GENERATIONS
		forget_page(n);
#endif
	:: !is_up -> SAY("W2 is refused\n")
	:: true -> SAY("W2 is not answered\n"); is_dropped = false
	fi;
	n = 0
}

inline commit()
{
	SAY("W3 the commit is visible\n");
	last_serial = serial
}

/* hold/rely.sql: a hold that is waited out, kept from being ended. */
#define NOBODYS	MACHINES
#ifdef HOLD_NOT_AGED
#define IS_WAITED_OUT(m)	hold[m]
#else
#define IS_WAITED_OUT(m)	(hold[m] && is_aged[m])
#endif
#ifdef HOLD_UNSHARED
#define RELY_ON(m)	skip
#else
#define RELY_ON(m)	shared[m]++; relied = m
#endif

/* What a session leaves at its end, by its own will or not. */
inline unlock()
{
	locked = false;
	is_dropped = false;
	if
	:: relied == NOBODYS
	:: else -> shared[relied]--; relied = NOBODYS
	fi
}

/* Changes of the project: publish(). */
active [WRITERS] proctype writer()
{
	byte n;
	byte g;
	bit serial = OLD;
	byte relied = NOBODYS;
	bool is_dropped;

change:	skip;
#ifdef DELETE_BEFORE_LOCK
	atomic { drop_fence(); is_dropped -> skip };
#endif

	/* W1: begin().  Whatever fails in it, or is killed, unlocks. */
	atomic { !locked -> locked = true; SAY("W1 takes the lock\n") }

	/* W2. */
	atomic {
#if defined(DELETE_AFTER_COMMIT) || defined(DELETE_BEFORE_LOCK)
		is_dropped = true
#else
		drop_fence()
#endif
#ifdef FAILED_DELETE_IGNORED
		; is_dropped = true
#endif
	}
	atomic {
		if
		:: is_dropped -> goto serials
		/* rely_on_hold() */
		:: !is_dropped && IS_WAITED_OUT(0) ->
			SAY("W2 relies on a hold\n");
			RELY_ON(0)
		:: !is_dropped && IS_WAITED_OUT(MACHINES - 1) ->
			SAY("W2 relies on a hold\n");
			RELY_ON(MACHINES - 1)
		/* W2h: holder, for it holds no lock; or another failure. */
		:: unlock(); goto change
		fi
	}

	/*
	 * W3: take_serials(), COMMIT.  When the connection is lost during
	 * that, the session commits or does not, and unlocks afterwards;
	 * look_up() waits behind the lock, and then takes one of the same two
	 * ways: only the answer comes later.
	 */
serials:	skip;
	atomic {
		if
		:: serial = last_serial
		:: serial = NEW
		fi;
#ifdef LOCK_BACK_EARLY
		unlock();
#endif
	}
	atomic {
		if
		:: commit()
		:: unlock(); serial = OLD; goto change
#ifdef LOOK_UP_UNLOCKED
		/* Answered with "it was not made": then it must not be. */
		:: last_serial == OLD && serial == NEW ->
			SAY("the change is looked up, and not there\n");
			commit();
			assert(false)
#endif
		fi
	}
#ifdef DELETE_AFTER_COMMIT
	atomic { drop_fence() };
#endif
#ifndef LOCK_BACK_EARLY
	atomic {
		unlock();
#else
	atomic {
#endif
		/* W4; but the worker may have been killed. */
		if
		:: serial == NEW -> SAY("W4 acknowledges\n"); TELL(C1)
		:: true
		fi;
		serial = OLD;
		goto change
	}
}

/* ---- holds ----------------------------------------------------------- */

inline read_time(m)
{
	SAY("W2h reads the time\n");
	has_time[m] = true;
	fence_is_old[m] = (fence[0] != NONE)
}

inline end_hold(m)
{
	SAY("a hold is ended\n");
#ifdef HOLD_END_UNCONFIRMED
	was_aged = is_aged[m];
#endif
	hold[m] = false;
	has_time[m] = false;
	is_aged[m] = false;
	fence_is_old[m] = false
}

#if MACHINES == 1
#define CHOOSE_MACHINE(m)	m = 0
#else
#define CHOOSE_MACHINE(m)	if :: m = 0 :: m = 1 fi
#endif

/*
 * W2h of all projects of the home, on all machines: hold_write(); the runners:
 * publish_end_holds(), which end a hold at any time, for what they have seen
 * of memcached does not bind it; and the clock.
 */
active proctype holder()
{
	byte m, n, g;
#ifdef HOLD_END_UNCONFIRMED
	bool was_aged;
#endif

	do
#ifdef HOLD_TIME_EARLY
	:: atomic { CHOOSE_MACHINE(m); !hold[m] && !has_time[m] ->
		read_time(m); m = 0 }
	:: atomic { CHOOSE_MACHINE(m); !hold[m] && has_time[m] ->
		SAY("W2h the hold is visible\n"); hold[m] = true; m = 0 }
#else
	:: atomic { CHOOSE_MACHINE(m); !hold[m] ->	/* hold/add.sql */
		SAY("W2h the hold is visible\n"); hold[m] = true; m = 0 }
	:: atomic { CHOOSE_MACHINE(m); hold[m] && !has_time[m] ->
		read_time(m); m = 0 }			/* hold/begin.sql */
#endif
	:: atomic { CHOOSE_MACHINE(m); has_time[m] && !is_aged[m] ->
		SAY("a hold is waited out\n");
		is_aged[m] = true;
#ifndef NO_FENCE_TIME
		if
		:: fence_is_old[m] -> forget_fence(0); corpse[0] = true
		:: else
		fi;
#endif
		m = 0 }
	/* hold/end.sql: DELETE waits for those who rely on it. */
	:: atomic { CHOOSE_MACHINE(m); hold[m] && shared[m] == 0 ->
		end_hold(m); m = 0 }
#ifdef HOLD_END_UNCONFIRMED
	:: atomic { was_aged && !hold[0] ->
		SAY("the replica does not know that it was ended\n");
		hold[0] = true; has_time[0] = true; is_aged[0] = true }
#endif
	/* F4: claim() of failover.c, of a machine that is known to be off. */
	:: atomic { CHOOSE_MACHINE(m);
#ifndef HOLD_BACKDATED
		!is_up &&
#endif
		!hold[m] -> SAY("F4 writes a hold as waited out\n");
		hold[m] = true; has_time[m] = true; is_aged[m] = true; m = 0 }
	od
}

/*
 * Another project whose name has the same hash (project/lock.sql): all that
 * this one sees of it is that the lock is taken and given back.
 */
active proctype stranger()
{
	do
	:: atomic { !locked -> locked = true }
		locked = false
	od
}

/* Whoever reads the journal, the root list or a feed. */
active proctype mirror()
{
	do
	:: atomic { last_serial == NEW && told == NOBODY -> TELL(C2);
		SAY("a mirror is told of the new serial\n") }
	od
}

/* ---- memcached ------------------------------------------------------- */

inline forget_all()
{
	forget_fence(0);
	forget_page(0);
	forget_fence(NODES - 1);
	forget_page(NODES - 1)
}

active proctype memcached()
{
	byte n;
	byte g;

	do
	:: atomic { CHOOSE_NODE(n); fence[n] != NONE || corpse[n] ->
		SAY("the fence is forgotten\n");
		forget_fence(n);
		n = 0 }
	:: atomic { CHOOSE_NODE(n); page[n] != NONE ->
		SAY("the page is forgotten\n");
		forget_page(n);
		n = 0 }
	:: atomic { is_up ->
		SAY("memcached stops\n");
		is_up = false;
#ifndef RESTART_KEEPS
		forget_all();
#endif
#ifdef GENERATION_COUNTER
		counter = 0
#endif
		}
	:: atomic { !is_up -> SAY("memcached starts\n"); is_up = true }
	:: atomic { late_fence != NONE ->
		CHOOSE_NODE(n);
		g = late_fence;
		if
		:: is_up && fence[n] == NONE && !corpse[n] ->
			SAY("R2's fence is added, late\n");
			fence[n] = g
		:: true
		fi;
		late_fence = NONE;
		lose(g);
		n = 0 }
	:: atomic { late_page != NONE ->
		CHOOSE_NODE(n);
		if
		:: is_up ->
			SAY("R4's page is stored, late\n");
			page[n] = late_page;
			page_serial[n] = late_serial
		:: true
		fi;
		late_page = NONE;
		late_serial = OLD;
		n = 0 }
	od
}

#ifdef INVARIANT
/* No valid page is ever older than what anybody was told. */
active proctype auditor()
{
	atomic {
		told != NOBODY && fence[0] != NONE && fence[0] == page[0] &&
		    page_serial[0] == OLD -> assert(false)
	}
}
#endif
