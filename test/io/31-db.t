#!/usr/bin/python3
"""lib/io/db with a real PostgreSQL that is stopped, killed and cut off."""
import contextlib
import os
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from bare import Folder, Postgres, Tool, wait_until    # noqa: E402
from tap import cases, contains, equal, ok             # noqa: E402

FOLDER = Folder()
PG = Postgres(FOLDER)
PG.sql("""
    CREATE TABLE t (x int8 PRIMARY KEY CHECK (x < 1000));
    CREATE TABLE child (x int8 REFERENCES t);
""")
LONG_MS = 60000     # for what must not time out, however busy the machine


def db(conninfo=None, connect=LONG_MS, lock=LONG_MS, statement=LONG_MS,
       idle=LONG_MS, commit=LONG_MS):
    return Tool('db', conninfo or PG.conninfo, connect, lock, statement, idle,
                commit)


def rows(answer):
    """What stands in the brackets of an answer that must be OK."""
    ok(answer.startswith('OK'), answer)
    return answer[answer.index('[') + 1:answer.rindex(']')]


def fails(answer, status, words=''):
    equal(answer.split(' ')[0], status, answer)
    contains(answer, words)


def count():
    return int(PG.sql('SELECT count(*) FROM t'))


def empty():
    PG.sql('TRUNCATE t CASCADE')


def backend(tool):
    return int(rows(tool.ask('run pid')))


def is_alive(pid):
    return PG.sql(f'SELECT count(*) FROM pg_stat_activity '
                  f'WHERE pid = {pid}') == '1'


def terminate(pid):
    PG.sql(f'SELECT pg_terminate_backend({pid})')
    wait_until('the end of a backend', lambda: not is_alive(pid))


def wait_event(pid, event):
    wait_until(event, lambda: PG.sql(
        f'SELECT wait_event FROM pg_stat_activity WHERE pid = {pid}') == event)


class Proxy:
    """Between client and server; cuts both off when the client says word:
    before passing it on, or after, when the server has answered it."""

    def __init__(self, word, passes_on):
        self.word, self.passes_on = word, passes_on
        self.folder = f'{FOLDER.path}/proxy-{id(self)}'
        os.mkdir(self.folder)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(f'{self.folder}/.s.PGSQL.5432')
        self.socket.listen(8)
        self.conninfo = f'host={self.folder} dbname=postgres user=postgres'
        self.was_cut = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.socket.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(f'{PG.home}/.s.PGSQL.5432')
            cut = threading.Event()
            for one in ((client, server, cut, False),
                        (server, client, cut, True)):
                threading.Thread(target=self._pass, args=one,
                                 daemon=True).start()

    def _pass(self, source, target, cut, is_answer):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not is_answer and self.word in data:
                    cut.set()
                    if not self.passes_on:
                        break
                elif is_answer and cut.is_set():
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        if cut.is_set():
            self.was_cut.set()


def test_values_of_every_type_travel_both_ways():
    tool = db()
    equal(rows(tool.ask('run types b:1 x:00ff i:-2 i:70000 i:-9000000000 '
                        't:{"a":1} t:h\u00e9 T:a,,c I:-1,2')),
          't,00ff,-2,70000,-9000000000,{"a": 1},h\u00e9,a;;c;,-1;2')
    equal(rows(tool.ask('run types n n n n n n n n n')),
          ','.join(['null'] * 9))
    equal(rows(tool.ask('run types b:0 x: i:32767 i:-2147483648 '
                        'i:-9223372036854775808 t:[] t: T: I:')),
          'f,,32767,-2147483648,-9223372036854775808,[],,,')
    equal(tool.close(), ('', 0))


def test_the_session_is_as_promised():
    tool = db(lock=1001, statement=1002, idle=1003)
    for name, value in (('timezone', 'UTC'), ('client_encoding', 'UTF8'),
                        ('lock_timeout', '1001ms'),
                        ('statement_timeout', '1002ms'),
                        ('idle_in_transaction_session_timeout', '1003ms'),
                        ('application_name', 'db-test'),
                        ('default_transaction_isolation', 'read committed')):
        equal(rows(tool.ask(f'run setting t:{name}')), value, name)


def test_what_the_server_refuses_has_a_status():
    tool = db()
    empty()
    fails(tool.ask('run maybe b:0'), 'NOT_FOUND')
    equal(rows(tool.ask('run maybe b:1')), '1')
    equal(rows(tool.ask('run add i:1')), '1', 'rows changed')
    fails(tool.ask('run add i:1'), 'CONFLICT', 't_pkey')
    fails(tool.ask('run child i:77'), 'CONFLICT', 'child_x_fkey')
    fails(tool.ask('run add i:1000'), 'INVALID', 't_x_check')
    fails(tool.ask('run one n'), 'INVALID', 'must not be empty')
    fails(tool.ask('run types n n i:32768 n n n n n n'), 'INVALID', 'range')
    fails(tool.ask('run types n n n n n t:{ n n n'), 'INVALID', '22P02')
    fails(tool.ask('run types n n n n n n z n n'), 'INVALID', '22021')
    fails(tool.ask('run missing'), 'UNAVAILABLE', 'tilsit migrate')
    equal(rows(tool.ask('run notice')), '0')
    equal(tool.close(), ('', 0), 'nothing on standard error')


def test_a_statement_is_prepared_once_for_each_connection():
    tool = db()
    first = backend(tool)
    for number in (1, 2, 3):
        equal(rows(tool.ask(f'run one i:{number}')), str(number))
    terminate(first)
    equal(rows(tool.ask('run one i:4')), '4')
    ok(backend(tool) != first, 'another backend')
    equal(rows(tool.ask('stats')).split(',')[0], '2')


def test_a_restart_is_not_noticed_between_requests():
    tool = db()
    rows(tool.ask('run one i:1'))
    PG.stop(signal.SIGINT)
    fails(tool.ask('run one i:2'), 'UNAVAILABLE', 'not reachable')
    fails(tool.ask('begin'), 'UNAVAILABLE', 'not reachable')
    PG.start()
    wait_until('its return', lambda: tool.ask('run one i:3') == 'OK [3]')


def test_a_crash_in_between_is_seen_and_then_over():
    tool = db()
    PG.stop(signal.SIGINT)
    PG.start()
    rows(tool.ask('run one i:1'))
    PG.stop(signal.SIGQUIT)
    PG.start()
    equal(tool.ask('run one i:3'), 'OK [3]')


def test_a_lost_transaction_stays_lost_until_it_is_ended():
    for end in ('commit', 'rollback'):
        tool = db()
        empty()
        tool.ask('begin')
        rows(tool.ask('run add i:1'))
        terminate(backend(tool))
        fails(tool.ask('run add i:2'), 'UNAVAILABLE')
        fails(tool.ask('run add i:3'), 'UNAVAILABLE', 'transaction with it')
        fails(tool.ask('each add=i:4'), 'UNAVAILABLE', 'transaction with it')
        fails(tool.ask('stream series i:3'), 'UNAVAILABLE', 'with it')
        answer = tool.ask(end)
        if end == 'commit':
            fails(answer, 'UNAVAILABLE', 'transaction with it')
            ok('unknown' not in answer, 'COMMIT was never sent')
        equal(rows(tool.ask('run add i:5')), '1')
        equal(PG.sql('SELECT x FROM t'), '5')


def test_rollback_and_commit():
    tool = db()
    empty()
    equal(tool.ask('rollback'), 'OK', 'without a transaction')
    tool.ask('begin')
    rows(tool.ask('run add i:1'))
    equal(count(), 0)
    equal(tool.ask('rollback'), 'OK')
    tool.ask('begin')
    rows(tool.ask('run add i:2'))
    equal(tool.ask('commit'), 'OK')
    equal(PG.sql('SELECT x FROM t'), '2')


def test_a_failed_transaction_cannot_be_committed():
    tool = db()
    empty()
    tool.ask('begin')
    rows(tool.ask('run add i:1'))
    fails(tool.ask('run add i:1'), 'CONFLICT')
    fails(tool.ask('run count'), 'UNAVAILABLE', '25P02')
    answer = tool.ask('commit')
    fails(answer, 'UNAVAILABLE', 'nothing to commit')
    ok('unknown' not in answer, 'it is known')
    equal(rows(tool.ask('run count')), '0')


def test_a_snapshot_sees_one_moment_and_changes_nothing():
    tool, other = db(), db()
    empty()
    tool.ask('snapshot')
    equal(rows(tool.ask('run count')), '0')
    rows(other.ask('run add i:1'))
    equal(rows(tool.ask('run count')), '0')
    fails(tool.ask('run add i:2'), 'UNAVAILABLE', 'read-only')
    tool.ask('rollback')
    equal(rows(tool.ask('run count')), '1')


def test_a_commit_whose_answer_is_lost_is_unknown():
    for passes_on in (False, True):
        proxy = Proxy(b'commit\0', passes_on)
        tool = db(proxy.conninfo)
        empty()
        equal(tool.ask('begin'), 'OK')
        rows(tool.ask('run add i:1'))
        fails(tool.ask('commit'), 'UNAVAILABLE', 'unknown')
        proxy.was_cut.wait()
        if passes_on:
            equal(count(), 1, 'it was done')
        equal(rows(tool.ask('run one i:9')), '9', 'and all goes on')


def test_a_pipeline_that_is_cut_says_what_is_unknown():
    proxy = Proxy(b'commit\0', True)
    tool = db(proxy.conninfo)
    empty()
    rows(tool.ask('run add i:1'))
    answer = tool.ask('each begin add=i:2 commit count')
    fails(answer, 'UNAVAILABLE')
    contains(answer, ' UNAVAILABLE?[0] UNAVAILABLE?[0] ')
    proxy.was_cut.wait()
    ok(count() in (1, 2), 'unknown is unknown')
    equal(rows(tool.ask('run one i:9')), '9')


def test_a_backend_frozen_at_commit_is_unknown_and_may_commit_late():
    tool = db(commit=300)
    empty()
    pid = backend(tool)
    tool.ask('begin')
    rows(tool.ask('run add i:1'))
    os.kill(pid, signal.SIGSTOP)
    fails(tool.ask('commit'), 'UNAVAILABLE', 'unknown')
    os.kill(pid, signal.SIGCONT)
    wait_until('the late commit', lambda: count() == 1)


def test_a_backend_killed_while_it_commits_is_unknown():
    tool = db()
    empty()
    with replica_that_never_comes():
        pid = backend(tool)
        tool.ask('begin')
        rows(tool.ask('run add i:1'))
        tool.send('commit')
        wait_event(pid, 'SyncRep')
        PG.sql(f'SELECT pg_terminate_backend({pid})')
        fails(tool.answer(), 'UNAVAILABLE', 'unknown')


@contextlib.contextmanager
def replica_that_never_comes():
    """Commits wait for a standby that does not exist."""
    def standbys(names):
        PG.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        PG.sql('SELECT pg_reload_conf()')
        wait_until('the setting', lambda: PG.sql(
            'SHOW synchronous_standby_names') == names)
        # The walsender's master switch follows the checkpointer's reading.
        PG.sql('CHECKPOINT')
    standbys('nobody')
    try:
        yield
    finally:
        standbys('')


def test_a_cancelled_wait_for_the_replica_is_unknown():
    """F1: it is committed here, and would be lost by a failover."""
    tool = db()
    empty()
    rows(tool.ask('run count'))
    for command in ('commit', 'run add i:2', 'each add=i:3 count'):
        with replica_that_never_comes():
            pid = backend(tool)
            if command == 'commit':
                tool.ask('begin')
                rows(tool.ask('run add i:1'))
            tool.send(command)
            wait_event(pid, 'SyncRep')
            PG.sql(f'SELECT pg_cancel_backend({pid})')
            answer = tool.answer()
            fails(answer, 'UNAVAILABLE', 'did not wait for its replica')
            if command == 'commit':
                contains(answer, 'unknown')
            equal(rows(tool.ask('stats')).split(',')[0], tool_connects(tool))
    equal(count(), 3)


def tool_connects(tool):
    """Connections so far; also that there is none now."""
    answer = tool.ask('stats')
    ok(answer.endswith(' 0'), f'dropped: {answer}')
    return rows(answer).split(',')[0]


def test_a_commit_may_wait_for_the_replica_but_not_for_ever():
    tool = db(statement=100, commit=1500)
    empty()
    with replica_that_never_comes():
        pid = backend(tool)
        tool.ask('begin')
        rows(tool.ask('run add i:1'))
        tool.send('commit')
        wait_event(pid, 'SyncRep')      # statement_timeout does not end it
        fails(tool.answer(), 'UNAVAILABLE', 'unknown')
    wait_until('the commit', lambda: count() == 1)


def test_a_lock_that_is_not_to_be_had():
    tool, other = db(lock=100), db()
    other.ask('begin')
    rows(other.ask('run lock i:7'))
    tool.ask('begin')
    fails(tool.ask('run lock i:7'), 'UNAVAILABLE', '55P03')
    tool.ask('rollback')
    equal(rows(tool.ask('run try i:7')), 'f')
    other.ask('rollback')
    equal(rows(tool.ask('run try i:7')), 't')


def test_a_statement_that_takes_too_long():
    tool = db(statement=100)
    fails(tool.ask('run sleep i:60000'), 'UNAVAILABLE', '57014')
    equal(rows(tool.ask('run one i:1')), '1')
    equal(rows(tool.ask('stats')).split(',')[0], '1', 'one connection')


def test_a_frozen_backend_costs_a_bounded_time():
    tool = db(statement=100)
    pid = backend(tool)
    os.kill(pid, signal.SIGSTOP)
    fails(tool.ask('run one i:1'), 'UNAVAILABLE', 'no answer in time')
    os.kill(pid, signal.SIGCONT)
    equal(rows(tool.ask('run one i:2')), '2')


def test_a_server_that_does_not_answer_a_connection():
    with socket.socket(socket.AF_UNIX) as silent:
        os.mkdir(f'{FOLDER.path}/silent')
        silent.bind(f'{FOLDER.path}/silent/.s.PGSQL.5432')
        silent.listen(8)
        tool = db(f'host={FOLDER.path}/silent', connect=300)
        for _ in range(5):
            fails(tool.ask('run one i:1'), 'UNAVAILABLE', 'within 300 ms')
        equal(rows(tool.ask('stats')).split(',')[:2], ['0', '0'])


def test_a_frozen_worker_loses_its_locks_and_its_commit():
    tool, other = db(idle=200), db()
    empty()
    pid = backend(tool)
    tool.ask('begin')
    rows(tool.ask('run lock i:8'))
    rows(tool.ask('run add i:1'))
    wait_until('its end', lambda: not is_alive(pid))
    equal(rows(other.ask('run try i:8')), 't')
    fails(tool.ask('commit'), 'UNAVAILABLE')
    equal(count(), 0)


def test_a_pipeline_is_answered_in_order():
    tool = db()
    empty()
    equal(tool.ask('each one=i:1 maybe=b:0 one=i:2 notice one=i:3'),
          'OK OK[1] NOT_FOUND[0] OK[2] OK[0] OK[3]')
    equal(tool.ask('each begin try=i:3 count add=i:2 count commit count'),
          'OK OK[0] OK[t] OK[0] OK[1] OK[1] OK[0] OK[1]')
    answer = tool.ask('each begin add=i:5 add=i:2 add=i:6 commit count')
    fails(answer, 'CONFLICT', 't_pkey')
    contains(answer, 'OK[0] OK[1] CONFLICT[0] UNAVAILABLE[0] UNAVAILABLE[0] '
             'OK[1]')
    answer = tool.ask('each add=i:7 add=i:2 add=i:8')
    contains(answer, 'OK[1] CONFLICT[0] OK[1]')
    equal(PG.sql('SELECT x FROM t ORDER BY x').split(), ['2', '7', '8'])


def test_each_statement_of_a_pipeline_has_its_own_snapshot():
    """R3 rests on this: lock test first, then rows, each as of its turn."""
    tool, writer = db(), db()
    empty()
    pid = backend(tool)
    writer.ask('begin')
    rows(writer.ask('run lock i:5'))
    rows(writer.ask('run add i:1'))
    tool.send('each try=i:5 count lock=i:5 count try=i:5')
    wait_event(pid, 'advisory')
    equal(writer.ask('commit'), 'OK')
    equal(tool.answer(), 'OK OK[f] OK[0] OK[] OK[1] OK[t]')


def test_a_pipeline_larger_than_any_buffer():
    tool = db()
    answer = tool.ask('each ' + ' '.join(['series=i:3000'] * 40))
    equal(answer.split(' ')[0], 'OK')
    equal(answer.count('OK['), 40)


def test_a_statement_that_cannot_be_prepared_stands_alone():
    tool = db()
    answer = tool.ask('each one=i:1 missing missing one=i:2')
    fails(answer, 'UNAVAILABLE', '42P01')
    contains(answer, 'OK[1] UNAVAILABLE[0] UNAVAILABLE[0] OK[2]')
    equal(rows(tool.ask('run one i:3')), '3')


def memory(answer):
    return int(answer.split('kb=')[1].split(' ')[0])


def test_700000_rows_pass_in_bounded_memory():
    tool = db()
    few = tool.ask('stream series i:1000')
    equal(rows(few), '1000,500500')
    many = tool.ask('stream series i:700000')
    equal(rows(many), '700000,245000350000')
    ok(memory(many) - memory(few) < 16384, f'{few} then {many}')


def test_a_stream_that_ends_early():
    tool = db()
    fails(tool.ask('stop series i:1000000'), 'GONE', '[3,6]')
    equal(rows(tool.ask('run one i:1')), '1')
    answer = tool.ask('stream division i:1000')
    fails(answer, 'INVALID', '22012')
    contains(answer, '[2,1]')
    equal(rows(tool.ask('run one i:1')), '1')
    equal(rows(tool.ask('stats')).split(',')[0], '2', 'connections')
    pid = backend(tool)
    tool.send('stream slow i:1000000')
    wait_event(pid, 'PgSleep')
    PG.sql(f'SELECT pg_terminate_backend({pid})')
    fails(tool.answer(), 'UNAVAILABLE', '57P01')
    equal(rows(tool.ask('run one i:1')), '1')


if __name__ == '__main__':
    cases(globals())
