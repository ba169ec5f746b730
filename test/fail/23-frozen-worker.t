#!/usr/bin/python3 -B
# A worker that stands still at any step keeps nobody waiting for long, and does
# no harm when it goes on.

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from faults import faulty_world, refused, resume, standing, wait_until
from tap import cases, equal, ok
from views import FORMS, read

READER_STEPS = ['R1', 'R2', 'R3', 'R4', 'R5']
SETTINGS = {'lock_timeout_ms': '500ms', 'memcached_timeout_ms': '2s'}
WORLD = INDEX = CLIENT = None


def frozen_reader(step, form):
    """What it read before a change is not kept after it."""
    project = f'read-{form}-{step}'.lower()
    equal(WORLD.upload(project, '1').status, 200)
    with standing(INDEX, 'simple', step, read, CLIENT, project, form) as asked:
        answer = WORLD.upload(project, '2')
        equal(answer.status, 200)
        serial = int(answer['X-PyPI-Last-Serial'])
        if step != 'R2':        # a new fence, and a page under it
            equal(read(CLIENT, project, form).serial, serial)
    equal(asked.answer().status, 200)
    for _ in range(2):
        equal(read(CLIENT, project, form).serial, serial)
    WORLD.agree()


def frozen_reader_and_writer(step):
    """The reader's step falls between two of the writer's."""
    for writer in 'W2', 'W3', 'W3-commit':
        project = f'both-{step}-{writer}'.lower()
        equal(WORLD.upload(project, '1').status, 200)
        with standing(INDEX, 'simple', step, read, CLIENT, project) as reader:
            with standing(INDEX, 'upload', writer, WORLD.upload, project,
                          '2') as asked:
                resume(reader.pid)
                equal(reader.answer().status, 200)
            answer = asked.answer()
        equal(answer.status, 200)
        for form in FORMS:
            equal(read(CLIENT, project, form).serial,
                  int(answer['X-PyPI-Last-Serial']))


for reader_step in READER_STEPS:
    for reader_form in 'html', 'json':
        globals()[f'test_a_reader_of_{reader_form}_frozen_at_{reader_step}'] \
            = lambda s=reader_step, f=reader_form: frozen_reader(s, f)
    globals()[f'test_a_reader_between_{reader_step}_and_a_writer'] = \
        lambda s=reader_step: frozen_reader_and_writer(s)


def frozen_writer(step):
    """It holds the lock until the database takes it away."""
    project = f'frozen-{step}'.lower()
    before = WORLD.warm(project)
    with standing(INDEX, 'upload', step, WORLD.upload, project, '2') as asked:
        refused(WORLD.upload(project, '3'))
        for form in FORMS:
            equal(read(CLIENT, project, form).serial, before)
        wait_until('the lock is taken away', lambda:
                   WORLD.upload(project, '4').status == 200)
        between = read(CLIENT, project).serial
        ok(between > before, 'the other change')
    refused(asked.answer())
    equal(read(CLIENT, project).serial, between)
    equal(WORLD.upload(project, '2').status, 200)
    WORLD.agree()


for writer_step in 'W2', 'W3-commit':
    globals()[f'test_a_writer_frozen_at_{writer_step}'] = \
        lambda s=writer_step: frozen_writer(s)


def test_a_change_of_another_project_does_not_wait():
    WORLD.warm('busy')
    with standing(INDEX, 'upload', 'W2', WORLD.upload, 'busy', '2') as asked:
        equal(WORLD.upload('idle', '1').status, 200)
    equal(asked.answer().status, 200)
    WORLD.agree()


if __name__ == '__main__':
    with faulty_world(settings=SETTINGS) as WORLD:
        INDEX, CLIENT = WORLD.index, WORLD.client
        cases(globals())
