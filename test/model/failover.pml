/*
 * failover.pml: two machines, their marks, and who may be the primary.
 *
 * Machine A begins as the primary and B as its standby, but all that is here
 * may be done by either.  Three places have a mark: each machine, and a third
 * (THIRD=false: there is none).  On each machine are a server that crashes and
 * starts at any time (lib/index/rejoin.c rejoin_may_start()), a watch that
 * leaves and joins the standby (alone.c, watch.c), and an operator, who has the
 * standby take over (failover.c) or the old primary rejoin (rejoin.c).  Any of
 * them may be killed between two steps, and may begin anew.
 *
 * Links are not modelled, but what they do is: whatever is asked of another
 * place may fail, done or not, and replication may stop at any time.
 *
 * Changes are bits.  What anybody was told of must be on every server that
 * serves, at any time: so nothing is lost (C5), nothing that was shown goes
 * away (C4), and there are never two histories (C1 to C3).  No serial may name
 * two changes (C5).  A change that is in a log and not yet visible may go.
 *
 * ACCEPT=true has operators who accept a loss (--fenced "... is lost", then
 * --discard): what is lost so was never told, from then on.  They must keep the
 * old primary off until it can ask the other machine, for it may have gone on
 * alone, and nothing on it says that this was given up; and must not stop
 * half-way.  `tilsit replica leave` that could tell nobody is not modelled.
 *
 * check CHANGES=2 FAILOVERS=1
 * check CHANGES=1 FAILOVERS=1 ACCEPT=true
 * check CHANGES=1 FAILOVERS=2 THIRD=false
 *
 * mutant NOT_FENCED: F4: the old primary is only believed to be off
 * mutant LOOK_BEFORE_FENCE: F4: marks are looked at, then it is fenced
 * mutant MARK_IGNORED: F4: marks are not looked at
 * mutant THIRD_UNASKED: F4: a place that does not answer has no mark
 * mutant NOT_MARKED: F4: nobody is told that the old primary lacks changes
 * mutant MARK_REPLACED: F2: a mark that names the other machine is overwritten
 * mutant TWICE_ALONE: F2: who goes on alone tells nobody else
 * mutant LATE_CLEAR THIRD=false: F2: a mark is cleared by its name, late
 * mutant NOT_WAITED_FOR CHANGES=2: F4: who is promoted serves at once
 * mutant RESTART_SERVES: F3: a primary serves as soon as it is up
 * mutant START_UNASKED ACCEPT=true: an old primary starts without asking
 * mutant REJOIN_UNMARKED FAILOVERS=2 THIRD=false: a rejoiner bears no mark
 * mutant START_EARLY: F4: what was fenced starts before the other is promoted
 * mutant NO_JUMP CHANGES=2: F5: serials go on where the new primary had them
 */
#ifndef CHANGES
#define CHANGES		1
#endif
#ifndef FAILOVERS
#define FAILOVERS	1
#endif
#ifndef ACCEPT
#define ACCEPT	false
#endif
#ifndef THIRD
#define THIRD	true
#endif

#define SAY(what)	printf(what)

/* A mark: which machine lacks changes. */
#define NO_MARK		2
#define OTHER(m)	(1 - (m))
#define PLACES		3
#define THIRD_PLACE	2	/* the first two are the machines' own */
byte mark[PLACES];

/* The servers. */
bool is_up[2];
bool is_standby[2];
bool waits[2];			/* synchronous_standby_names is not empty */
bool is_confirmed[2];		/* F3, since the start */
byte timeline[2];
byte claimed[2];		/* primary_state.timeline */
byte has[2];			/* changes in its log, as bits */
byte pending[2];		/* of those: one that is not visible yet */
byte counter[2];		/* serial_counter */

bool is_fencing[2];		/* it is kept off by a failover */
byte promotions;

/* What the world knows. */
byte told;			/* changes that were answered or shown */
byte made;			/* so many */
byte serial_of[CHANGES];

#ifdef LATE_CLEAR
byte late_place = PLACES;	/* a request to clear that is under way */
byte late_node;
#endif

#define IS_PRIMARY(m)	(is_up[m] && !is_standby[m])
#ifdef NOT_WAITED_FOR
#define IS_LET_IN(m)	true
#else
#define IS_LET_IN(m)	(claimed[m] == timeline[m])
#endif
/* db_connect() serves. */
#define IS_OPEN(m)	(IS_PRIMARY(m) && IS_LET_IN(m) && is_confirmed[m])
/* The other server is a standby of this one and has all that it has. */
#define IS_WITH(m)	(is_up[OTHER(m)] && is_standby[OTHER(m)] && \
	timeline[OTHER(m)] == timeline[m] && has[OTHER(m)] == has[m] && \
	claimed[OTHER(m)] == claimed[m])

/* ---- servers --------------------------------------------------------- */

inline reveal(m)
{
	assert((has[m] & ~pending[m] & told) == told);
	told = has[m] & ~pending[m]
}

inline stop(m)
{
	is_up[m] = false;
	is_confirmed[m] = false;
	pending[m] = 0			/* visible, at the next start */
}

#ifdef START_EARLY
#define IS_KEPT_OFF(m)	false
#else
#define IS_KEPT_OFF(m)	is_fencing[m]
#endif

inline decide_start(m, may)
{
	may = false;
	if
#ifdef START_UNASKED
	:: true -> may = true
#endif
	:: is_standby[m] -> may = true
	:: !is_standby[m] && mark[m] == m		/* its own mark */
	:: !is_standby[m] && mark[m] != m ->
		if
		/* ask_other() */
		:: IS_PRIMARY(OTHER(m))
		:: is_up[OTHER(m)] && is_standby[OTHER(m)] ->
			may = true
		:: !is_up[OTHER(m)] -> may = (mark[OTHER(m)] != m)
		/* ask_ourselves(): the other cannot be asked. */
		:: !ACCEPT && (waits[m] || mark[m] == OTHER(m)) -> may = true
		fi
	fi
}

proctype server(byte me)
{
	bool may;

	do
	:: atomic { is_up[me] -> SAY("a server crashes\n"); stop(me) }
	:: atomic { !is_up[me] && !IS_KEPT_OFF(me) ->
		decide_start(me, may);
		if
		:: may -> SAY("a server starts\n"); is_up[me] = true;
#ifdef RESTART_SERVES
			is_confirmed[me] = true
#endif
		:: else
		fi;
		may = false }
	/* confirm() of db_connect.c */
	:: atomic { IS_PRIMARY(me) && IS_LET_IN(me) && !is_confirmed[me] &&
		(!waits[me] || IS_WITH(me)) ->
		SAY("a server is confirmed\n"); is_confirmed[me] = true }
	/* Streaming to the other, which has nothing that this has not. */
	:: atomic { IS_PRIMARY(me) && is_up[OTHER(me)] &&
		is_standby[OTHER(me)] && timeline[OTHER(me)] == timeline[me] &&
		(has[OTHER(me)] & ~has[me]) == 0 && !IS_WITH(me) ->
		SAY("the standby applies\n");
		has[OTHER(me)] = has[me];
		counter[OTHER(me)] = counter[me];
		claimed[OTHER(me)] = claimed[me] }
	/* A change: publish(). */
	:: atomic { IS_OPEN(me) && pending[me] == 0 && made < CHANGES ->
		SAY("a change is logged\n");
		counter[me]++;
		serial_of[made] = counter[me];
		assert(made == 0 || serial_of[made] != serial_of[0]);
		pending[me] = 1 << made;
		has[me] = has[me] | pending[me];
		made++ }
	:: atomic { IS_PRIMARY(me) && pending[me] != 0 &&
		(!waits[me] || IS_WITH(me)) ->
		SAY("a change is visible and answered\n");
		pending[me] = 0;
		reveal(me) }
	:: atomic { IS_OPEN(me) && told != (has[me] & ~pending[me]) ->
		SAY("a page is shown\n"); reveal(me) }
	od
}

/* ---- marks ----------------------------------------------------------- */

/*
 * mark_place_set(): node lacks changes; may be done though it is not known.
 * At the other machine: mark_place_take(), which refuses if that is a primary.
 */
inline set_mark(place, node, is_done, is_refused)
{
	is_done = false;
	is_refused = false;
	if
#ifndef MARK_REPLACED
	:: mark[place] == OTHER(node) -> is_refused = true
	:: place == node && IS_PRIMARY(node) -> is_refused = true
	:: mark[place] != OTHER(node) && !(place == node && IS_PRIMARY(node)) ->
#else
	:: true ->
#endif
		mark[place] = node;
		is_done = true
	:: place == me || (place == THIRD_PLACE && !THIRD)
	:: place != me && mark[place] == NO_MARK &&
	    !(place == node && IS_PRIMARY(node)) -> mark[place] = node
	:: place != me
	fi
}

/* mark_place_clear(); of the mark that was read, and no other. */
inline clear_mark(place, node, is_done)
{
	is_done = false;
	if
	:: mark[place] != OTHER(node) -> mark[place] = NO_MARK; is_done = true
	:: place != me
#ifdef LATE_CLEAR
	:: place != me && late_place == PLACES ->
		late_place = place; late_node = node
#endif
	fi
}

#define OR_BE_KILLED	:: true -> goto idle

/* watch_step(), where this server is the primary. */
proctype watch(byte me)
{
	bool is_done, is_refused, is_told;

idle:	skip;
	atomic {
		is_done = false; is_refused = false; is_told = false;
		IS_OPEN(me) && mark[me] != me;
		if
		:: waits[me] || mark[me] == NO_MARK -> goto leave
		:: IS_WITH(me) && (!waits[me] || mark[me] != NO_MARK) ->
			goto join
		fi
	}
	/* alone_begin() */
leave:	skip;
#ifdef TWICE_ALONE
	is_told = true;
#else
	atomic { set_mark(OTHER(me), OTHER(me), is_done, is_refused);
		SAY("the other machine is told that it lacks changes\n");
		is_told = is_done;
		if :: is_refused -> goto idle :: !(is_refused) OR_BE_KILLED fi }
	atomic {
		if
		:: THIRD -> set_mark(THIRD_PLACE, OTHER(me), is_done,
			is_refused);
			SAY("the third place is told\n");
			is_told = is_told || is_done
		:: !THIRD
		fi;
		if
		:: is_refused || !is_told -> goto idle
		:: !is_refused && is_told
		OR_BE_KILLED
		fi }
#endif
	atomic { set_mark(me, OTHER(me), is_done, is_refused);
		SAY("the mark here is set\n");
		if :: !is_done -> goto idle :: !(!is_done) OR_BE_KILLED fi }
	atomic {
		if
		:: IS_PRIMARY(me) -> waits[me] = false;
			SAY("commits wait for nobody\n")
		:: !IS_PRIMARY(me)
		fi;
		goto idle }
	/* alone_end() */
join:	skip;
	atomic {
		if
		:: IS_PRIMARY(me) -> waits[me] = true;
			SAY("commits wait again\n")
		:: true -> goto idle
		fi }
	atomic {
		if
		:: IS_PRIMARY(me) && IS_WITH(me) ->
			SAY("a commit is confirmed\n")
		:: true -> goto idle
		fi }
	atomic {
		if
		:: THIRD -> clear_mark(THIRD_PLACE, OTHER(me), is_done)
		:: !THIRD -> is_done = true
		fi;
		if :: !is_done -> goto idle :: !(!is_done) OR_BE_KILLED fi }
	atomic { clear_mark(OTHER(me), OTHER(me), is_done);
		if :: !is_done -> goto idle :: !(!is_done) OR_BE_KILLED fi }
	atomic { clear_mark(me, OTHER(me), is_done);
		SAY("the marks are cleared\n");
		goto idle }
}

#ifdef LATE_CLEAR
proctype network()
{
	do
	:: atomic { late_place != PLACES ->
		if
		:: mark[late_place] == late_node ->
			SAY("a mark is cleared, late\n");
			mark[late_place] = NO_MARK
		:: else
		fi;
		late_place = PLACES; late_node = 0 }
	od
}
#endif

/* ---- `tilsit failover` and `tilsit rejoin` --------------------------- */

#ifdef MARK_IGNORED
#define IS_AGAINST(place)	false
#else
#define IS_AGAINST(place)	(mark[place] == me)
#endif

/* mark_other() would see what look() does not; so these have neither. */
#if defined(MARK_IGNORED) || defined(LOOK_BEFORE_FENCE)
#define REPLACES	true
#else
#define REPLACES	false
#endif

inline fence()
{
	SAY("F4 the old primary is fenced\n");
	is_fencing[OTHER(me)] = true;
#ifndef NOT_FENCED
	stop(OTHER(me))
#endif
}

inline look()
{
	SAY("F4 the marks are looked at\n");
	if
	:: IS_AGAINST(me) || (THIRD && IS_AGAINST(THIRD_PLACE)) ->
		if
		:: ACCEPT -> SAY("a loss is accepted\n"); is_accepted = true
		:: goto idle
		fi
	:: !IS_AGAINST(me) && !(THIRD && IS_AGAINST(THIRD_PLACE))
#ifdef THIRD_UNASKED
	:: THIRD && !IS_AGAINST(me)
#endif
	:: THIRD -> goto idle			/* it does not answer */
	fi
}

proctype operator(byte me)
{
	bool is_done, is_refused, is_accepted;

idle:	skip;
	atomic {
		is_fencing[OTHER(me)] = false;
		is_accepted = false;
		is_done = false; is_refused = false;
		if
		:: is_up[me] && is_standby[me] && promotions < FAILOVERS ->
			goto take_over
		/* go_on(): an earlier run was killed. */
		:: IS_PRIMARY(me) && claimed[me] != timeline[me] &&
		    mark[me] == OTHER(me) -> goto alone
		:: !is_standby[me] && IS_OPEN(OTHER(me)) &&
		    timeline[me] < timeline[OTHER(me)] &&
		    (ACCEPT || mark[me] != OTHER(me)) -> goto rejoin
		fi
	}
take_over: skip;
#ifdef LOOK_BEFORE_FENCE
	atomic { look() }
	atomic { fence() }
#else
	atomic { fence() }
	atomic {
		if
		:: true -> look()
		OR_BE_KILLED
		fi }
#endif
#ifndef NOT_MARKED
	/* mark_other() */
	atomic {
		if
		:: is_accepted || REPLACES -> if
			:: THIRD -> mark[THIRD_PLACE] = OTHER(me)
			:: !THIRD
			fi;
			mark[me] = OTHER(me);
			told = (is_accepted -> told & has[me] : told);
			goto alone
		:: !is_accepted && !REPLACES
		fi;
		if
		:: THIRD -> set_mark(THIRD_PLACE, OTHER(me), is_done,
			is_refused)
		:: !THIRD -> is_done = true
		fi;
#ifdef THIRD_UNASKED
		is_done = !is_refused;
#endif
		if :: !is_done -> goto idle :: !(!is_done) OR_BE_KILLED fi }
	atomic { set_mark(me, OTHER(me), is_done, is_refused);
		if :: !is_done -> goto idle :: else fi;
		SAY("F4 the old primary is marked\n") }
#endif
alone:	skip;
	atomic { waits[me] = false;
		if
		:: is_standby[me] && is_up[me] ->
			SAY("F4 promoted\n");
			is_standby[me] = false;
			timeline[me]++;
			promotions++;
			is_fencing[OTHER(me)] = false;
			is_confirmed[me] = false
		:: IS_PRIMARY(me)
		:: !is_accepted -> goto idle	/* or be killed */
		fi;
#ifdef NOT_WAITED_FOR
		is_confirmed[me] = true
#endif
		}
	atomic {
		if
		:: IS_PRIMARY(me) -> SAY("F4 writers are let in\n");
			claimed[me] = timeline[me];
#ifndef NO_JUMP
			counter[me] = counter[me] + CHANGES;
#endif
			is_confirmed[me] = true
		:: true
		fi;
		goto idle }
	/* mark_here(), rebuild() */
rejoin:	skip;
#ifdef REJOIN_UNMARKED
	atomic { stop(me); mark[me] = NO_MARK }
#else
	atomic { stop(me); mark[me] = me; SAY("rejoin: stopped and marked\n") }
#endif
	atomic {
		if
		:: !is_up[me] && IS_OPEN(OTHER(me)) ->
			SAY("rejoin: a standby\n");
			is_standby[me] = true;
			timeline[me] = timeline[OTHER(me)];
			has[me] = has[OTHER(me)];
			counter[me] = counter[OTHER(me)];
			claimed[me] = claimed[OTHER(me)];
			waits[me] = waits[OTHER(me)]
		:: true
		fi;
		goto idle }
}

init {
	atomic {
		mark[0] = NO_MARK; mark[1] = NO_MARK; mark[2] = NO_MARK;
		is_up[0] = true; is_up[1] = true;
		is_standby[1] = true;
		waits[0] = true; waits[1] = true;
		is_confirmed[0] = true;
		timeline[0] = 1; timeline[1] = 1;
		claimed[0] = 1; claimed[1] = 1;
		run server(0); run server(1);
		run watch(0); run watch(1);
		run operator(0); run operator(1);
#ifdef LATE_CLEAR
		run network()
#endif
	}
}
