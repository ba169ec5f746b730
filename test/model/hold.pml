/*
 * hold.pml: what a memcached that a machine cannot reach costs: one wait.
 *
 * One node of memcached, the home of PROJECTS projects, and two machines, each
 * of which may be cut from it (one way or both: W2 is not answered), with a
 * worker for each project, that may make a change of it (lib/index/publish.c
 * publish()), and a runner (publish_end_holds()).  That no page is ever wrong
 * is what cache.pml has; here it is that from the time when a hold of its own
 * is waited out until it reaches the node again no change of any project is
 * refused on a machine.  (But a machine whose runner does not run is taken for
 * gone after twenty fence lives, and then may have to wait anew.)
 *
 * Time is made of three events that may happen whenever they can: a hold is
 * waited out, a hold was not renewed for twenty fence lives, a runner looks.
 *
 * check PROJECTS=2
 *
 * mutant HOLD_PER_PROJECT: each project waits for itself
 * mutant HOLD_ENDED_BY_CHANGE: the change that has waited ends the hold
 * mutant HOLD_ENDED_BY_OTHERS: any runner ends any hold if it reaches the node
 * mutant HOLD_ENDED_BY_AGE: any runner ends a hold of twenty fence lives
 * mutant HOLD_NOT_LEFT: a runner does not look whether it reaches the node
 */
#ifndef PROJECTS
#define PROJECTS	2
#endif
#define MACHINES	2

#define SAY(what)	printf(what)

#ifdef HOLD_PER_PROJECT
#define ROWS	PROJECTS
#else
#define ROWS	1
#endif

/* A row of cache_hold: is it there, has it a time, is it waited out? */
#define NONE	0
#define TIMELESS 1
#define YOUNG	2
#define AGED	3

typedef machine {
	bool is_cut;		/* from the node */
	bool is_down;		/* its runner is; for twenty fence lives */
	bool has_waited;	/* a hold of it was waited out since the cut */
	byte hold[ROWS];
	bool is_lost[ROWS];	/* not renewed for twenty fence lives */
};
machine the[MACHINES];

#ifdef HOLD_PER_PROJECT
#define ROW	project
#else
#define ROW	0
#endif

inline end_hold(owner, row)
{
	the[owner].hold[row] = NONE;
	the[owner].is_lost[row] = false
}

/* Changes of one project, made on any machine. */
proctype writer(byte project)
{
	byte me;

	do
	:: atomic {
		if :: me = 0 :: me = 1 fi;
		if
		:: !the[me].is_cut	/* W2 */
		:: the[me].is_cut && (the[0].hold[ROW] == AGED ||
		    the[1].hold[ROW] == AGED) ->
			SAY("a change goes on\n");
#ifdef HOLD_ENDED_BY_CHANGE
			end_hold(0, ROW);
			end_hold(1, ROW);
#endif
		:: the[me].is_cut && the[0].hold[ROW] != AGED &&
		    the[1].hold[ROW] != AGED ->
			SAY("a change is refused\n");
			assert(!the[me].has_waited);
			/* W2h: hold/add.sql. */
			if
			:: the[me].hold[ROW] == NONE ->
				the[me].hold[ROW] = TIMELESS
			:: else
			fi
		fi;
		me = 0
	   }
	:: atomic {		/* hold/begin.sql */
		if :: me = 0 :: me = 1 fi;
		the[me].hold[ROW] == TIMELESS -> the[me].hold[ROW] = YOUNG;
		me = 0
	   }
	od
}

inline tend(owner, row)
{
	if
#ifdef HOLD_NOT_LEFT
	:: owner == me && the[owner].hold[row] != NONE ->
#else
	:: owner == me && !the[me].is_cut && the[owner].hold[row] != NONE ->
#endif
		SAY("a machine ends its hold\n");
		end_hold(owner, row)
	:: owner == me && the[me].is_cut ->
#ifdef HOLD_ENDED_BY_AGE
		skip
#else
		the[owner].is_lost[row] = false		/* hold/renew.sql */
#endif
#ifdef HOLD_ENDED_BY_OTHERS
	:: owner != me && !the[me].is_cut && the[owner].hold[row] != NONE ->
#else
	:: owner != me && !the[me].is_cut && the[owner].is_lost[row] ->
#endif
		SAY("a machine ends the other's hold\n");
		end_hold(owner, row)
	fi
}

proctype runner(byte me)
{
	do
	:: atomic { !the[me].is_down -> tend(0, 0) }
	:: atomic { !the[me].is_down -> tend(1, 0) }
#ifdef HOLD_PER_PROJECT
	:: atomic { !the[me].is_down -> tend(0, 1) }
	:: atomic { !the[me].is_down -> tend(1, 1) }
#endif
	od
}

#ifdef HOLD_ENDED_BY_AGE
#define IS_LEFT(m)	true
#else
#define IS_LEFT(m)	the[m].is_down	/* or its runner renews */
#endif

/* Cuts, and the clock. */
proctype world(byte it)
{
	byte row;

	do
	:: atomic { !the[it].is_cut -> SAY("a cut\n"); the[it].is_cut = true }
	:: atomic { the[it].is_cut -> SAY("healed\n");
		the[it].is_cut = false;
		the[it].has_waited = false }
	:: atomic { !the[it].is_down -> SAY("a runner stops for long\n");
		the[it].is_down = true;
		the[it].has_waited = false }
	:: atomic { the[it].is_down -> the[it].is_down = false }
	:: atomic { the[it].hold[row] == YOUNG -> SAY("waited out\n");
		the[it].hold[row] = AGED;
		the[it].has_waited = the[it].is_cut && !the[it].is_down }
	:: atomic { the[it].hold[row] == AGED && !the[it].is_lost[row] &&
		IS_LEFT(it) -> SAY("lost\n"); the[it].is_lost[row] = true }
#ifdef HOLD_PER_PROJECT
	:: row = 1 - row
#endif
	od
}

init {
	atomic {
		run writer(0);
		run writer(PROJECTS - 1);
		run runner(0);
		run runner(1);
		run world(0);
		run world(1)
	}
}
