#!/usr/bin/python3 -B
# PostgreSQL killed, or its session ended, at each step of a change; and gone.

import contextlib
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from faults import (Asked, faulty_world, kill_postgresql, refused, sql,
                    standing, wait_until)
from tap import cases, equal, ok
from views import FORMS, read

STEPS = ['F-kept', 'W1', 'W2', 'W3', 'W3-commit', 'W4']
# A reader answers from a page it has, else it says 503.
READER_STEPS = ['R1', 'R3', 'R4', 'R5']
WORLD = INDEX = CLIENT = None


def right_after_all(project, before, answer):
    """Whatever was answered, it is true; and the next try succeeds."""
    if answer.status != 200:
        refused(answer)
    WORLD.agree()
    if answer.status == 200:
        ok(read(CLIENT, project).serial > before, 'it is there')
    equal(WORLD.upload(project, '2').status, 200)
    WORLD.agree()


def killed_at(step):
    project = f'killed-{step}'.lower()
    before = WORLD.warm(project)
    with standing(INDEX, 'upload', step, WORLD.upload, project, '2') as asked:
        kill_postgresql(INDEX)
    right_after_all(project, before, asked.answer())


def terminated_at(step):
    """Only the session of the one worker."""
    project = f'ended-{step}'.lower()
    before = WORLD.warm(project)
    with standing(INDEX, 'upload', step, WORLD.upload, project, '2') as asked:
        end_sessions('tilsit-upload')
    answer = asked.answer()
    if step == 'W3-commit':     # sent, not answered, not done: known to be so
        refused(answer)
        equal(read(CLIENT, project).serial, before)
    right_after_all(project, before, answer)


def end_sessions(of):
    theirs = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{of}'"
    pids = sql(INDEX, theirs).split()
    sql(INDEX, f'SELECT pg_terminate_backend(pid) FROM ({theirs}) AS s')
    wait_until('they are gone', lambda: not
               set(pids) & set(sql(INDEX, theirs).split()))


def each(steps, test, words):
    for step in steps:
        globals()[f'test_{words}_{step.replace("-", "_")}'] = \
            lambda step=step: test(step)


each(STEPS, killed_at, 'postgresql_is_killed_at')
each(STEPS, terminated_at, 'the_session_ends_at')


def standby(name):
    """Commits wait for a replica of this name; '' ends the wait."""
    sql(INDEX, f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    sql(INDEX, 'SELECT pg_reload_conf()')
    wait_until('it is set', lambda: sql(
        INDEX, 'SHOW synchronous_standby_names') == name)


def publish_waits():
    """Does the change's own commit wait?  One before it, that notes when the
    token was used, is let go."""
    waiting = sql(INDEX, "SELECT pid, query ILIKE '%COMMIT%' FROM "
                  "pg_stat_activity WHERE wait_event = 'SyncRep'")
    for pid, is_publish in (row.split('|') for row in waiting.split()):
        if is_publish == 't':
            return True
        sql(INDEX, f'SELECT pg_terminate_backend({pid})')
    return False


@contextlib.contextmanager
def unanswered_commit(project):
    """An upload whose COMMIT is durable, its answer still under way."""
    standby('nobody')
    try:
        asked = Asked(WORLD.upload, project, '2')
        wait_until('the commit waits', publish_waits)
        yield asked
    finally:
        standby('')


def test_a_commit_that_landed_without_an_answer_is_acknowledged():
    before = WORLD.warm('landed')
    with unanswered_commit('landed') as asked:
        equal(read(CLIENT, 'landed').serial, before, 'not visible yet')
        end_sessions('tilsit-upload')
        # F1: it is visible here, but the replica may lack it, so nobody is
        # told before a commit behind it is confirmed.
        wait_until('it is visible',
                   lambda: read(CLIENT, 'landed').serial > before)
        wait_until('its confirmation waits', lambda: sql(
            INDEX, "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event = 'SyncRep'") != '0')
        standby('')
        answer = asked.answer()
    equal(answer.status, 200)
    equal(int(answer['X-PyPI-Last-Serial']), read(CLIENT, 'landed').serial)
    ok(read(CLIENT, 'landed').serial > before, 'it is there')
    WORLD.agree()


def test_a_commit_that_landed_before_a_crash_is_there():
    before = WORLD.warm('crashed')
    with unanswered_commit('crashed') as asked:
        INDEX.stop('postgresql', signal.SIGKILL)
        answer = asked.answer()
        refused(answer)         # nobody can know
        INDEX.start('postgresql')
    ok(read(CLIENT, 'crashed').serial > before, 'it was durable')
    right_after_all('crashed', before, answer)


def test_without_postgresql_kept_pages_are_answered_and_the_rest_is_503():
    serial = WORLD.warm('kept')
    INDEX.stop('postgresql', signal.SIGKILL)
    for form in FORMS:
        page = read(CLIENT, 'kept', form)
        equal((page.status, page.serial), (200, serial), form)
    for path in '/simple/', '/simple/unknown/', '/rss/updates.xml':
        refused(CLIENT.get(path))
    refused(CLIENT.ask('POST', '/pypi', b'<methodCall><methodName>'
                       b'changelog_last_serial</methodName></methodCall>',
                       {'Content-Type': 'text/xml'}))
    refused(WORLD.upload('kept', '2'))
    pids = INDEX.pids('simple') + INDEX.pids('upload')
    INDEX.start('postgresql')
    equal(WORLD.upload('kept', '2').status, 200)
    ok(read(CLIENT, 'kept').serial > serial, 'the new page')
    WORLD.agree()
    equal(INDEX.pids('simple') + INDEX.pids('upload'), pids,
          'workers that lived through it')


def reader_when_killed(step):
    project = f'read-{step}'.lower()
    equal(WORLD.upload(project, '1').status, 200)
    with standing(INDEX, 'simple', step, read, CLIENT, project) as asked:
        kill_postgresql(INDEX)
    ok(asked.answer().status in (200, 503), 'a page, or not now')
    equal(read(CLIENT, project).status, 200)
    equal(WORLD.upload(project, '2').status, 200)
    WORLD.agree()


each(READER_STEPS, reader_when_killed, 'postgresql_is_killed_at')


if __name__ == '__main__':
    with faulty_world() as WORLD:
        INDEX, CLIENT = WORLD.index, WORLD.client
        cases(globals())
