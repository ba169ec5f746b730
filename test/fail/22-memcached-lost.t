#!/usr/bin/python3 -B
# memcached flushed, killed, restarted or frozen at each step of a change and
# of a read: the pages are right, and nothing is kept that may be old.

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from faults import (Asked, arm, faulty_world, freeze, has_happened,
                    memcached_says, refused, revive, sql, standing, wait_until)
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
    equal(holds(), [], 'a node that refuses needs no hold')
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
    """Of which machines there are any."""
    return sql(INDEX, 'SELECT seen_from FROM cache_hold').split()


def home():
    return f"unix:{INDEX.path('run', 'memcached.sock')}"


def write_hold(seen_from, since='clock_timestamp()', renewed='0 s'):
    sql(INDEX, f"""INSERT INTO cache_hold VALUES ('{home()}', '{seen_from}',
        {since}, clock_timestamp() - interval '{renewed}')""")


def no_holds():
    sql(INDEX, 'DELETE FROM cache_hold')


def patiently(project, version):
    """Upload until that is no more refused; the last answer."""
    return wait_until('the change goes on', lambda: (
        lambda a: a if a.status == 200 else refused(a))(
        WORLD.upload(project, version)))


def test_an_unconfirmed_deletion_holds_all_projects_of_the_node():
    before = {project: WORLD.warm(project) for project in ('held', 'beside')}
    INDEX.stop('runner')        # which would end the hold for us
    freeze(INDEX, 'memcached')
    refused(WORLD.upload('held', '2'))
    equal(holds(), ['one'], 'a hold')
    INDEX.resume('memcached')   # only now does it do what it was told
    flush()
    for form in FORMS:
        for project in [*before, *before]:
            page = read(CLIENT, project, form)
            equal((page.serial, page.no_store), (before[project], True), form)
            equal(memcached_says(INDEX, f'get p:{project}:{form}'), 'END\r\n')
    for project in before:
        equal(WORLD.upload(project, '2').status, 200)
        page = read(CLIENT, project)
        ok(page.serial > before[project] and page.no_store, 'the new page')
    equal(holds(), ['one'], 'no change ends it')
    INDEX.start('runner')
    wait_until('the runner does', lambda: not holds())
    for project in before:
        for _ in range(2):
            ok(not read(CLIENT, project).no_store, 'kept again')
    WORLD.agree()


def test_a_hold_waited_out_lets_all_projects_of_the_node_go_on_at_once():
    before = {project: WORLD.warm(project) for project in
              ('patient', 'other', 'third')}
    freeze(INDEX, 'memcached')  # and the runner looks on
    refused(WORLD.upload('patient', '2'))
    since = sql(INDEX, 'SELECT since FROM cache_hold')
    answers = {'patient': patiently('patient', '2')}
    waited = sql(INDEX, f"SELECT clock_timestamp() - '{since}' >= "
                 f"interval '{2 * FENCE_TTL_S} s'")
    equal(waited, 't', 'not before')
    for project in 'other', 'third':
        answers[project] = WORLD.upload(project, '2')
        equal(answers[project].status, 200)
    equal(sql(INDEX, 'SELECT since FROM cache_hold'), since, 'it stays')
    INDEX.resume('memcached')
    for project, answer in answers.items():
        for form, page in read_all(CLIENT, project).items():
            ok(page.serial > before[project], f'the new page as {form}')
        equal(int(answer['X-PyPI-Last-Serial']), read(CLIENT, project).serial)
    wait_until('the runner ends it', lambda: not holds())
    WORLD.agree()


def test_a_change_relies_on_any_machines_hold_and_keeps_it():
    before = WORLD.warm('relying')
    INDEX.stop('runner')
    freeze(INDEX, 'memcached')
    write_hold('two', f"clock_timestamp() - interval '{2 * FENCE_TTL_S} s'")
    with standing(INDEX, 'upload', 'W3', WORLD.upload, 'relying',
                  '2') as asked:
        equal(sql(INDEX, """SELECT count(*) FROM (SELECT FROM cache_hold
              FOR UPDATE SKIP LOCKED) free"""), '0', 'nobody can end it')
    equal(asked.answer().status, 200)
    equal(holds(), ['two'])
    INDEX.resume('memcached')
    ok(read(CLIENT, 'relying').serial > before, 'the new page')
    no_holds()
    INDEX.start('runner')
    WORLD.agree()


def test_a_hold_counts_only_from_its_time():
    # The second is young enough however long memcached is waited for.
    for since in 'NULL', "clock_timestamp() + interval '1 minute'":
        INDEX.stop('runner')
        freeze(INDEX, 'memcached')
        write_hold('two', since)
        refused(WORLD.upload('early', '1'))
        equal(sorted(holds()), ['one', 'two'])
        no_holds()
        INDEX.resume('memcached')
        INDEX.start('runner')


def test_the_runner_leaves_another_machines_hold_until_nobody_tends_it():
    WORLD.warm('tended')
    write_hold('two', "'-infinity'")
    write_hold('one')
    wait_until('it has ended its own', lambda: holds() == ['two'])
    ok(read(CLIENT, 'tended').no_store, 'held')
    sql(INDEX, f"""UPDATE cache_hold SET renewed_at = clock_timestamp() -
        interval '{20 * FENCE_TTL_S} s'""")
    wait_until('the other one too', lambda: not holds())
    ok(not read(CLIENT, 'tended').no_store, 'kept')
    WORLD.agree()


def test_the_runner_says_that_a_hold_is_needed():
    freeze(INDEX, 'memcached')
    write_hold('one', renewed='1 day')
    wait_until('it does', lambda: sql(INDEX, """SELECT renewed_at > now() -
               interval '1 hour' FROM cache_hold""") == 't')
    INDEX.resume('memcached')
    wait_until('and ends it', lambda: not holds())


def killed_at(step, rows):
    project = f'killed-{step}'.lower()
    before = WORLD.warm(project)
    INDEX.stop('runner')
    freeze(INDEX, 'memcached')
    arm(INDEX, 'upload', f'{step}:kill')
    refused(WORLD.upload(project, '2'))
    ok(has_happened(INDEX, 'upload'), 'the worker came by')
    equal(sql(INDEX, 'SELECT since IS NULL FROM cache_hold'), rows)
    revive(INDEX, 'upload')
    equal(patiently(project, '2').status, 200)
    INDEX.resume('memcached')
    ok(read(CLIENT, project).serial > before, 'the new page')
    INDEX.start('runner')
    wait_until('the hold is ended', lambda: not holds())
    WORLD.agree()


def test_a_worker_killed_before_its_hold():
    killed_at('W2h', '')


def test_a_worker_killed_between_hold_and_time():
    killed_at('W2h-time', 't')


def test_a_worker_killed_after_the_time():
    killed_at('W2h-done', 'f')


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
    for number in range(3):
        stood_still_past_its_fences(f'still-{number}')
        INDEX.restart('memcached')
        no_holds()
    WORLD.agree()


if __name__ == '__main__':
    with faulty_world(settings={'fence_ttl_s': FENCE_TTL_S,
                                'page_ttl_s': FENCE_TTL_S,
                                'memcached_timeout_ms': MEMCACHED_S * 1000}) as WORLD:
        INDEX, CLIENT = WORLD.index, WORLD.client
        cases(globals())
