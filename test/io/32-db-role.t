#!/usr/bin/python3 -B
"""lib/io/db looks for its server: the primary, wherever it is, and a replica.
Two real PostgreSQL servers; b is a's synchronous standby until it is promoted.
"""
import collections
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from bare import Tool                                       # noqa: E402
from faults import freeze, wait_until                       # noqa: E402
from pair import two_machines                               # noqa: E402
from tap import cases, contains, equal, ok                  # noqa: E402

LONG_MS = 60000
SHORT_MS = 300
PAIR = A = B = None


TOOLS = []


def db(*servers, role='primary', connect=LONG_MS, how='waits'):
    TOOLS.append(Tool('db_role', role, connect, how,
                      *(getattr(one, 'conninfo', one) for one in servers)))
    return TOOLS[-1]


def alone():
    """End the tools that are running, whatever they were about."""
    while TOOLS:
        equal(TOOLS.pop().close(), ('', 0))


def fails(answer, *words):
    equal(answer.split(' ')[0], 'UNAVAILABLE', answer)
    for word in words:
        contains(answer, word)


def sessions(instance):
    """How many of ours are on an instance's server."""
    return int(PAIR.sql(instance, 'SELECT count(*) FROM pg_stat_activity '
                                  "WHERE application_name = 'db-role'"))


def goes_to(instance, *servers, **options):
    """Among these servers a tool connects to this one and no other."""
    alone()
    tool = db(*servers, **options)
    equal(tool.ask('reach'), 'OK')
    wait_until('it is there', lambda: sessions(instance) == 1)
    wait_until('and only there', lambda: sessions(PAIR.peer(instance)) == 0)


def stop(instance, number=signal.SIGINT):
    instance.stop('postgresql', number)


def start(instance):
    instance.start('postgresql')


Mute = collections.namedtuple('Mute', 'conninfo listener')


@contextlib.contextmanager
def silent():
    """A server that takes connections, and never says a word."""
    folder = PAIR.a.path('run', 'silent')
    os.makedirs(folder, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f'{folder}/.s.PGSQL.5432')
        listener.listen(64)
        yield Mute(f'host={folder} dbname=tilsit user=tilsit', listener)
    os.unlink(f'{folder}/.s.PGSQL.5432')


def age(instance):
    """Which start of the server is noted as confirmed."""
    return PAIR.sql(instance, 'SELECT started_at FROM primary_state')


def test_the_primary_is_found_first_or_second():
    goes_to(A, A, B)
    goes_to(A, B, A)


def test_a_replica_is_found_first_or_second():
    goes_to(B, A, B, role='standby')
    goes_to(B, B, A, role='standby')


def test_there_may_be_none():
    tool = db(B)
    fails(tool.ask('newest'), 'database is not reachable: it is a replica')
    tool = db(A, role='standby')
    fails(tool.ask('newest'), 'a replica is not reachable: it is no replica')
    tool = db('host=/nonexistent', B)
    fails(tool.ask('newest'), 'No such file', 'the other: it is a replica')
    tool = db(B, role='owner')
    fails(tool.ask('newest'), 'it is a replica')


def test_a_silent_server_keeps_nobody_from_the_other():
    alone()
    with silent() as mute:
        for servers in (mute, A), (A, mute):
            tool = db(*servers)         # who would wait a minute for it
            equal(tool.ask('reach'), 'OK')
            PAIR.sql(A, 'SELECT pg_terminate_backend(pid) FROM '
                        'pg_stat_activity WHERE '
                        "application_name = 'db-role'")
            wait_until('it is gone', lambda: sessions(A) == 0)
            equal(tool.ask('reach'), 'OK')
            equal(tool.ask('stats'), 'OK [2 1]')


def test_two_silent_servers_cost_one_wait():
    with silent() as mute:
        tool = db(mute, mute, connect=SHORT_MS)
        for _ in range(5):
            fails(tool.ask('reach'), 'no answer within 300 ms; the other: no')


@contextlib.contextmanager
def frozen(instance):
    freeze(instance, 'postgresql')
    try:
        yield
    finally:
        instance.resume('postgresql')


def ask_often(tool, times=100):
    for _ in range(times):
        fails(tool.ask('newest'))


def test_who_serves_waits_once_for_a_frozen_server():
    alone()
    was_there = db(A, connect=SHORT_MS, how='background')
    was_not = db(A, connect=SHORT_MS, how='background')
    equal(was_there.ask('reach'), 'OK')
    with frozen(A):
        ask_often(was_there)
        equal(was_there.ask('waits'), 'OK [1 1]', 'it fell silent')
        ask_often(was_not)
        equal(was_not.ask('waits'), 'OK [1 0]')
    for tool, connects in (was_there, 2), (was_not, 1):
        wait_until('it is back', lambda: tool.ask('newest')[:2] == 'OK')
        equal(tool.ask('stats'), f'OK [{connects} 1]')
    equal(was_there.ask('waits'), 'OK [1 1]', 'nobody has waited for that')
    equal(was_not.ask('waits'), 'OK [1 0]')
    wait_until('half of a connection is left nowhere',
               lambda: sessions(A) == 2)
    with frozen(A):
        ask_often(was_there, 3)
        alone()


def test_the_same_for_a_frozen_replica():
    alone()
    tool = db(B, A, role='standby', connect=SHORT_MS, how='background')
    equal(tool.ask('newest')[:2], 'OK')
    with frozen(B):
        ask_often(tool)
        equal(tool.ask('waits'), 'OK [1 1]')
    wait_until('it is back', lambda: tool.ask('newest')[:2] == 'OK')
    equal(tool.ask('waits'), 'OK [1 1]')


def test_who_goes_on_in_the_background_takes_whoever_is_there():
    """The sockets of an attempt stay: a word that comes late is heard."""
    alone()
    with silent() as mute:
        tool = db(mute, A, connect=SHORT_MS, how='background')
        with frozen(A):
            ask_often(tool)
        wait_until('one is back', lambda: tool.ask('newest')[:2] == 'OK')
        equal(tool.ask('waits'), 'OK [1 0]')


@contextlib.contextmanager
def locked(instance):
    """Nobody reads the newest serial meanwhile."""
    child = subprocess.Popen(['psql', '-X', '-q', instance.conninfo],
                             stdin=subprocess.PIPE, text=True)
    child.stdin.write('BEGIN; LOCK serial_counter;\n')
    child.stdin.flush()
    try:
        wait_until('it is locked', lambda: PAIR.sql(
            instance, "SELECT count(*) FROM pg_locks WHERE granted AND "
                      "relation = 'serial_counter'::regclass AND "
                      "mode = 'AccessExclusiveLock'") == '1')
        yield
    finally:
        child.communicate()


def test_a_slow_server_is_waited_for():
    with silent() as mute:
        tool = db(A, mute)
        equal(tool.ask('reach'), 'OK')
        mute.listener.accept()[0].close()
        with locked(A):
            tool.send('newest')
            for _ in range(2):      # once it is asked who is the primary,
                mute.listener.accept()[0].close()       # and once more
        equal(tool.answer()[:2], 'OK')
        equal(tool.ask('stats'), 'OK [1 1]')
        equal(tool.ask('waits').split(' ')[1], '[0')


def test_a_start_costs_one_confirmed_commit_and_then_none():
    before = age(A)
    stop(A)
    start(A)
    equal(age(A), before)
    tool = db(A, B)
    equal(tool.ask('reach'), 'OK')
    ok(age(A) != before, 'noted')
    wait_until('b has it', lambda: age(B) == age(A))
    where = PAIR.sql(A, 'SELECT pg_current_wal_lsn()')
    another = db(A, B)
    equal(another.ask('reach'), 'OK')
    equal(PAIR.sql(A, 'SELECT pg_current_wal_lsn()'), where, 'no commit')


def test_a_crash_of_one_process_is_a_start_too():
    """pg_postmaster_start_time() would not tell."""
    alone()
    before = age(A)
    tool = db(A, B)
    equal(tool.ask('reach'), 'OK')
    pid = PAIR.sql(A, "SELECT pid FROM pg_stat_activity WHERE "
                      "application_name = 'db-role'")
    since = PAIR.sql(A, 'SELECT pg_postmaster_start_time()')
    crash(pid)
    equal(tool.ask('reach'), 'OK')
    equal(PAIR.sql(A, 'SELECT pg_postmaster_start_time()'), since)
    ok(age(A) != before, 'noted')


def test_nobody_is_served_what_the_replica_never_confirmed():
    """F3, with the client and then the server killed during the commit."""
    for end in 'start', 'crash':
        stop(B)
        client = subprocess.Popen(
            ['psql', '-X', '-q', A.conninfo, '-c',
             'UPDATE serial_counter SET value = value + 100'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until('its commit waits', lambda: PAIR.sql(
            A, "SELECT pid FROM pg_stat_activity WHERE "
               "wait_event = 'SyncRep'"))
        pid = PAIR.sql(A, "SELECT pid FROM pg_stat_activity WHERE "
                          "wait_event = 'SyncRep'")
        client.kill()
        client.wait()
        unseen = int(PAIR.sql(A, 'SELECT value FROM serial_counter')) + 100
        if end == 'start':
            stop(A)
            start(A)
        else:
            crash(pid)
        equal(PAIR.sql(A, 'SELECT value FROM serial_counter'), str(unseen),
              'whoever asks the server itself sees it')
        how = 'waits' if end == 'start' else 'background'
        tools = [db(A, B, connect=SHORT_MS, how=how) for _ in range(3)]
        for _ in range(2):
            for tool in tools:
                tool.send('newest')
            for tool in tools:
                fails(tool.answer(), 'started anew')
        equal(PAIR.sql(A, "SELECT count(*) FROM pg_stat_activity WHERE "
                          "wait_event = 'SyncRep'"), '1', 'one waits for all')
        start(B)
        for tool in tools:
            wait_until('it is served', lambda: tool.ask('newest') ==
                       f'OK [{unseen}]')


def begun(instance):
    """When this start of a server's processes was; None while it is down."""
    with contextlib.suppress(RuntimeError):
        return PAIR.sql(instance, 'SELECT backend_start FROM pg_stat_activity '
                                  "WHERE backend_type = 'checkpointer'")


def crash(pid):
    """kill -9 of one of a's server processes: all of them begin anew."""
    before = begun(A)
    os.kill(int(pid), signal.SIGKILL)
    wait_until('it is back', lambda: begun(A) not in (None, '', before))


def test_a_cancelled_confirmation_confirms_nothing():
    """F1: the server commits all the same."""
    before = age(A)
    stop(B)
    stop(A)
    start(A)
    for way in 'cancel', 'terminate':
        tool = db(A, connect=LONG_MS)
        tool.send('newest')
        waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        wait_until('it waits', lambda: PAIR.sql(A, f'SELECT 1 {waiting}'))
        PAIR.sql(A, f'SELECT pg_{way}_backend(pid) {waiting}')
        fails(tool.answer())
        equal(age(A), before)
    start(B)
    tool = db(A)
    wait_until('it serves', lambda: tool.ask('reach') == 'OK')
    ok(age(A) != before)


def test_whoever_may_not_see_the_start_is_told_so():
    PAIR.sql(A, 'CREATE ROLE blind LOGIN; GRANT SELECT, UPDATE ON '
                'serial_counter, primary_state TO blind; '
                'GRANT USAGE ON SCHEMA public TO blind')
    blind = re.sub('user=[a-z]+', 'user=blind', A.conninfo)
    tool = db(blind)
    fails(tool.ask('newest'), 'GRANT pg_read_all_stats')
    PAIR.sql(A, 'GRANT pg_read_all_stats TO blind')
    equal(db(blind).ask('reach'), 'OK')


def test_a_database_without_our_schema_is_told_so():
    tool = db(A.conninfo.replace('dbname=tilsit', 'dbname=postgres'))
    fails(tool.ask('newest'), 'try: tilsit migrate')
    equal(db(A.conninfo.replace('dbname=tilsit', 'dbname=postgres'),
             role='owner').ask('reach'), 'OK')


# From here on b is a primary, too.

def enter(instance):
    """What `tilsit failover` does last (F4)."""
    PAIR.sql(instance, """
        UPDATE serial_counter SET value = value + 1000000;
        UPDATE primary_state SET timeline =
            ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))
                ::bit(32)::int8""")


def test_a_replica_that_is_promoted_under_us_is_none_any_more():
    tool, between = (db(B, role='standby') for _ in 'ab')
    equal(tool.ask('newest')[:2], 'OK')
    equal(between.ask('snapshot'), 'OK')
    equal(between.ask('newest')[:2], 'OK')
    PAIR.promote(B)
    fails(tool.ask('newest'), 'promoted')
    fails(tool.ask('newest'), 'it is no replica')
    fails(between.ask('newest'), 'promoted')
    equal(between.ask('rollback'), 'OK')
    fails(between.ask('newest'), 'it is no replica')


def test_after_a_promotion_nobody_is_served_before_failover_says_so():
    fails(db(B).ask('newest'), 'waits for `tilsit failover`')
    equal(db(B, role='owner').ask('reach'), 'OK')
    goes_to(A, B, A)


def test_of_two_primaries_the_later_timeline_is_it():
    goes_to(A, A, B)
    tool = db(A, B)
    equal(tool.ask('reach'), 'OK')
    with locked(A):
        tool.send('newest')
        enter(B)
        fails(tool.answer(), 'connection was lost')
    equal(tool.ask('newest')[:2], 'OK')
    goes_to(B, A, B)
    goes_to(B, B, A)


def test_who_has_seen_the_later_one_never_goes_back():
    tool = db(A, B)
    equal(tool.ask('reach'), 'OK')
    stop(B)
    fails(tool.ask('newest'), 'before the last failover')
    start(B)
    wait_until('it serves', lambda: tool.ask('reach') == 'OK')


if __name__ == '__main__':
    with two_machines(workers=False) as PAIR:
        A, B = PAIR.a, PAIR.b
        cases(globals())
