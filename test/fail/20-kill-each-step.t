#!/usr/bin/python3 -B
# kill -9 of a worker between any two steps of the consistency protocol: the
# change is there whole or not at all, and everything shows the same.

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from faults import (arm, faulty_world, freeze, has_happened, memcached_says,
                    refused, revive)
from tap import cases, equal, ok
from views import FORMS, read

# W0 has three steps of its own: received, flushed, given its name.
BEFORE_COMMIT = ['F-staged', 'F-synced', 'F-kept', 'W1', 'W2', 'W3',
                 'W3-commit']
READER_STEPS = ['R1', 'R2', 'R3', 'R4', 'R5']
SETTINGS = {'memcached_timeout_ms': '100ms'}
WORLD = INDEX = CLIENT = None


def upload_killed(step):
    project = f'killed-{step}'.lower()
    before = WORLD.warm(project)
    arm(INDEX, 'upload', f'{step}:kill')
    refused(WORLD.upload(project, '2'))
    ok(has_happened(INDEX, 'upload'), 'the worker came by')
    WORLD.agree()
    equal(read(CLIENT, project).serial, before)
    revive(INDEX, 'upload')
    answer = WORLD.upload(project, '2')
    equal(answer.status, 200)
    equal(int(answer['X-PyPI-Last-Serial']), read(CLIENT, project).serial)
    WORLD.agree()


def first_upload_killed(step):
    """Of a project that did not exist: no half of it does afterwards."""
    project = f'first-{step}'.lower()
    for form in FORMS:
        equal(read(CLIENT, project, form).status, 404)
    arm(INDEX, 'upload', f'{step}:kill')
    refused(WORLD.upload(project, '1'))
    WORLD.agree()
    for form in FORMS:
        equal(read(CLIENT, project, form).status, 404)
    revive(INDEX, 'upload')
    equal(WORLD.upload(project, '1').status, 200)
    WORLD.agree()


def reader_killed(step):
    """nginx may ask a second worker by itself; right is right."""
    project = f'read-{step}'.lower()
    serial = WORLD.warm(project)
    for form in FORMS:
        memcached_says(INDEX, 'flush_all')
        arm(INDEX, 'simple', f'{step}:kill')
        page = read(CLIENT, project, form)
        ok(has_happened(INDEX, 'simple'), 'the worker came by')
        ok(page.status == 503 or page.serial == serial, 'the right page')
        revive(INDEX, 'simple')
        equal(read(CLIENT, project, form).serial, serial)
    equal(WORLD.upload(project, '2').status, 200)
    WORLD.agree()


def each(steps, test, words):
    for step in steps:
        globals()[f'test_{words}_{step.replace("-", "_")}'] = \
            lambda step=step: test(step)


each(BEFORE_COMMIT, upload_killed, 'an_upload_killed_at')
each(['W1', 'W2', 'W3', 'W3-commit'], first_upload_killed,
     'a_first_upload_killed_at')
each(READER_STEPS, reader_killed, 'a_reader_killed_at')


def test_an_upload_killed_at_W4_is_there():
    before = WORLD.warm('killed-w4')
    arm(INDEX, 'upload', 'W4:kill')
    refused(WORLD.upload('killed-w4', '2'))
    ok(read(CLIENT, 'killed-w4').serial > before, 'the commit counts')
    WORLD.agree()
    revive(INDEX, 'upload')
    equal(WORLD.upload('killed-w4', '2').status, 200)
    WORLD.agree()


def test_a_worker_killed_at_W2h_leaves_no_hold():
    before = WORLD.warm('killed-w2h')
    INDEX.stop('runner')
    freeze(INDEX, 'memcached')
    arm(INDEX, 'upload', 'W2h:kill')
    refused(WORLD.upload('killed-w2h', '2'))
    ok(has_happened(INDEX, 'upload'), 'the worker came by')
    INDEX.resume('memcached')
    equal(read(CLIENT, 'killed-w2h').serial, before)
    revive(INDEX, 'upload')
    equal(WORLD.upload('killed-w2h', '2').status, 200)
    INDEX.start('runner')
    WORLD.agree()


def test_the_killed_left_nothing_but_staging_files():
    """Which are swept by their age: test/unit/store.c."""
    for name in os.listdir(INDEX.path('store', 'staging')):
        ok(os.path.isfile(INDEX.path('store', 'staging', name)), name)
    equal(sorted(os.listdir(INDEX.path('store'))), ['packages', 'staging'])


def test_all_of_it_is_there_after_a_restart():
    INDEX.close()
    INDEX.start()
    WORLD.agree()


if __name__ == '__main__':
    with faulty_world(settings=SETTINGS) as WORLD:
        INDEX, CLIENT = WORLD.index, WORLD.client
        cases(globals())
