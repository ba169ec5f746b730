#!/usr/bin/python3 -B
# memcached flushed, killed, restarted or frozen at each step of a change and
# of a read: the pages are right, and nothing is kept that may be old.

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from faults import (Asked, faulty_world, freeze, memcached_says, refused, sql,
                    standing, wait_until)
from tap import cases, equal, ok
from views import FORMS, read, read_all

STEPS = ['W1', 'W2', 'W3', 'W3-commit', 'W4']
READER_STEPS = ['R1', 'R2', 'R3', 'R4', 'R5']
FENCE_TTL_S = 1
MEMCACHED_S = 2         # for an answer: the machine may be busy
WORLD = INDEX = CLIENT = None


def flush():
    memcached_says(INDEX, 'flush_all')


def restart():
    INDEX.stop('memcached', signal.SIGKILL)
    INDEX.start('memcached')


def kill():
    INDEX.stop('memcached', signal.SIGKILL)


TROUBLES = {'flushed': flush, 'restarted': restart, 'killed': kill}


def be_back():
    """Whatever the trouble was, memcached is there again."""
    if not INDEX.pids('memcached'):
        INDEX.start('memcached')


def upload_with(trouble, step):
    project = f'{trouble}-{step}'.lower()
    before = WORLD.warm(project)
    with standing(INDEX, 'upload', step, WORLD.upload, project, '2') as asked:
        TROUBLES[trouble]()
        for form in [*FORMS, *FORMS]:
            page = read(CLIENT, project, form)
            if step == 'W4':
                ok(page.serial > before, 'the new page')
            else:
                equal(page.serial, before)
            if step.startswith('W3'):   # no fence, and the lock is held
                ok(page.no_store, f'{form} may not be kept')
    answer = asked.answer()
    equal(answer.status, 200, getattr(answer, 'text', b''))
    ok(read(CLIENT, project).serial > before, 'the new page')
    be_back()
    WORLD.agree()


def read_with(trouble, step):
    project = f'read-{trouble}-{step}'.lower()
    equal(WORLD.upload(project, '1').status, 200)
    with standing(INDEX, 'simple', step, read, CLIENT, project) as asked:
        TROUBLES[trouble]()
        equal(WORLD.upload(project, '2').status, 200)
        new = read(CLIENT, project).serial
    answer = asked.answer()
    equal(answer.status, 200, getattr(answer, 'text', b''))
    for _ in range(2):
        equal(read(CLIENT, project).serial, new)
    be_back()
    WORLD.agree()


for trouble in TROUBLES:
    for step in STEPS:
        globals()[f'test_memcached_is_{trouble}_at_{step}'] = \
            lambda t=trouble, s=step: upload_with(t, s)
    for step in READER_STEPS:
        globals()[f'test_memcached_is_{trouble}_at_{step}'] = \
            lambda t=trouble, s=step: read_with(t, s)


def holds():
    return sql(INDEX, 'SELECT project FROM cache_hold').split()


def test_an_unconfirmed_deletion_holds_the_project_until_it_is():
    before = WORLD.warm('held')
    INDEX.stop('runner')        # whose janitor would end the hold for us
    freeze(INDEX, 'memcached')
    refused(WORLD.upload('held', '2'))
    ok('held' in holds(), 'a hold')
    INDEX.resume('memcached')   # only now does it do what it was told
    flush()
    for form in FORMS:
        for _ in range(2):
            page = read(CLIENT, 'held', form)
            equal((page.serial, page.no_store), (before, True), form)
        equal(memcached_says(INDEX, f'get p:held:{form}'), 'END\r\n')
    equal(WORLD.upload('held', '2').status, 200)
    ok('held' not in holds(), 'no hold')
    for _ in range(2):
        page = read(CLIENT, 'held')
        ok(page.serial > before and not page.no_store, 'the new page, kept')
    INDEX.start('runner')
    WORLD.agree()


def test_the_janitor_ends_a_hold():
    WORLD.warm('janitor')
    freeze(INDEX, 'memcached')
    refused(WORLD.upload('janitor', '2'))
    INDEX.resume('memcached')
    wait_until('the hold is gone', lambda: 'janitor' not in holds())
    ok(not read(CLIENT, 'janitor').no_store, 'a page that may be kept')
    equal(WORLD.upload('janitor', '2').status, 200)
    WORLD.agree()


def test_a_change_goes_on_when_the_fence_must_have_expired():
    before = WORLD.warm('patient')
    INDEX.stop('runner')
    freeze(INDEX, 'memcached')
    refused(WORLD.upload('patient', '2'))
    since = sql(INDEX, 'SELECT since FROM cache_hold '
                "WHERE project = 'patient'")
    answer = wait_until('the change goes on', lambda: (
        lambda a: a if a.status == 200 else refused(a))(
        WORLD.upload('patient', '2')))
    waited = sql(INDEX, f"SELECT clock_timestamp() - '{since}' >= "
                 f"interval '{2 * FENCE_TTL_S} s'")
    equal(waited, 't', 'not before')
    ok('patient' not in holds(), 'no hold')
    INDEX.resume('memcached')
    for form, page in read_all(CLIENT, 'patient').items():
        ok(page.serial > before, f'the new page as {form}')
    equal(int(answer['X-PyPI-Last-Serial']), read(CLIENT, 'patient').serial)
    INDEX.start('runner')
    WORLD.agree()


def stood_still_past_its_fences(project):
    """memcached's clock is a thread, which may be the last to go on after it
    was frozen: then it takes an old fence for a young one."""
    equal(WORLD.upload(project, '1').status, 200)
    old = read(CLIENT, project).serial
    clock, = INDEX.pids('memcached')
    os.sched_setscheduler(clock, os.SCHED_IDLE, os.sched_param(0))
    freeze(INDEX, 'memcached')
    wait_until('the change goes on', lambda:
               WORLD.upload(project, '2').status == 200)
    early = [Asked(read, CLIENT, project) for _ in range(4)]
    INDEX.resume('memcached')
    for page in [asked.answer() for asked in early] + [read(CLIENT, project)]:
        ok(page.serial > old, 'the new page')


def test_a_fence_does_not_outlive_its_time_in_a_frozen_memcached():
    INDEX.stop('runner')
    for number in range(3):
        stood_still_past_its_fences(f'still-{number}')
    INDEX.restart('memcached')
    INDEX.start('runner')
    WORLD.agree()


if __name__ == '__main__':
    with faulty_world(settings={'fence_ttl_s': FENCE_TTL_S,
                                'page_ttl_s': FENCE_TTL_S,
                                'memcached_timeout_ms': MEMCACHED_S * 1000}) as WORLD:
        INDEX, CLIENT = WORLD.index, WORLD.client
        cases(globals())
