#!/usr/bin/python3 -B
# The runner is killed while it writes the snapshot, between any two steps and
# at any moment, under load: nothing that is shown is half or behind.

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import V1_HTML, V1_JSON, wheel
from faults import (FaultyInstance, World, arm, build_with_faults,
                    has_happened, revive, sql, state_of, wait_until)
from snapshots import (caught_up, check_behind, check_whole, edition,
                       position, snapshot_instance)
from tap import cases, equal

from process import command, family

FORMS = [('/simple/{}/', 'text/html'), ('/simple/{}/', V1_HTML),
         ('/simple/{}/', V1_JSON), ('/pypi/{}/json', '*/*')]
STEPS = ['S-page', 'S-written', 'S-flushed', 'S-shown', 'S-noted',
         'S-tidied']
KILLS = 20
SEED = int(os.environ.get('SEED', '1'))
WORLD = INDEX = None


def current():
    """Waits until the snapshot is, and compares all its projects."""
    revive(INDEX, 'runner')
    serial = WORLD.client.serial()
    wait_until('it has caught up', lambda: position(INDEX) >= serial)
    wait_until('the runner is done', lambda: all(
        len(os.listdir(os.path.join(INDEX.snapshot, 'project', name))) == 2
        for name in os.listdir(os.path.join(INDEX.snapshot, 'project'))))
    check_whole(INDEX, WORLD.client, FORMS)


def runners():
    """Its processes: each has its own chores."""
    return [pid for first in INDEX.pids('runner') for pid in family(first)]


def kill_runner():
    for pid in runners():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def killed_at(step):
    project = f'killed-{step}'.lower()
    equal(WORLD.upload(project, '1').status, 200)
    current()
    before, at = edition(INDEX, f'project/{project}'), position(INDEX)
    arm(INDEX, 'runner', f'{step}:kill')
    equal(WORLD.upload(project, '2').status, 200)
    wait_until('the runner came by', lambda: has_happened(INDEX, 'runner'))
    check_behind(INDEX)
    if step in STEPS[:3]:
        equal(edition(INDEX, f'project/{project}'), before)
    equal(position(INDEX), at)
    current()


for one in STEPS:
    globals()[f'test_a_runner_killed_at_{one.replace("-", "_")}'] = \
        lambda step=one: killed_at(step)


def test_a_runner_killed_while_a_project_goes():
    for step in STEPS[1:]:
        project = f'going-{step}'.lower()
        equal(WORLD.upload(project, '1').status, 200)
        current()
        WORLD.acked.discard(wheel(project, '1')[0])
        arm(INDEX, 'runner', f'{step}:kill')
        INDEX.tilsit('project', 'delete', project, '--yes')
        wait_until('the runner came by', lambda: has_happened(INDEX, 'runner'))
        check_behind(INDEX)
        current()


def load(ends, seed):
    """Uploads, yanks and deletions of a few projects."""
    dice = random.Random(seed)
    version = 0
    while not ends.is_set():
        version += 1
        project = f'load-{dice.randrange(4)}-{seed}'
        if dice.random() < 0.1:
            try:
                INDEX.tilsit('project', 'delete', project, '--yes')
            except Exception:   # there is none now
                continue
        else:
            WORLD.client.upload(*wheel(project, str(version)))


def test_a_runner_killed_again_and_again_under_load():
    dice, ends = random.Random(SEED), threading.Event()
    threads = [threading.Thread(target=load, args=(ends, n)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            revive(INDEX, 'runner')
            moment = position(INDEX)
            if dice.random() < 0.5:
                wait_until('the runner works',
                           lambda: position(INDEX) > moment)
            if dice.random() < 0.5:
                arm(INDEX, 'runner', f'{dice.choice(STEPS)}:kill')
                wait_until('it came by',
                           lambda: has_happened(INDEX, 'runner'))
            else:
                kill_runner()
            check_behind(INDEX)
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    current()
    caught_up(INDEX, WORLD.client.serial())


def test_two_runners_do_not_write_at_once():
    """The second finds the folder taken, and is silent about it."""
    arm(INDEX, 'runner', 'S-page:stop')
    equal(WORLD.upload('two', '1').status, 200)
    pid = wait_until('it has the folder', lambda: next(
        (pid for pid in runners() if state_of(pid) == 'T'), None))
    at = position(INDEX)
    before = sql(INDEX, "SELECT count(*) FROM pg_stat_activity WHERE "
                 "application_name = 'tilsit-runner'")
    with open(INDEX.path('log', 'second.log'), 'wb') as log:
        second = subprocess.Popen(
            command([INDEX.path('bin', 'tilsit-runner'), '--config',
                     INDEX.config], signal.SIGKILL), stdout=log, stderr=log)
        try:
            wait_until('it has been through its chores', lambda: sql(
                INDEX, "SELECT count(*) FROM pg_stat_activity WHERE "
                "application_name = 'tilsit-runner'") > before)
            equal(position(INDEX), at)
        finally:
            os.kill(pid, signal.SIGCONT)
            second.terminate()
            second.wait()
    with open(INDEX.path('log', 'second.log')) as log:
        equal(log.read(), '')
    current()


if __name__ == '__main__':
    with snapshot_instance(FaultyInstance,
                           build=build_with_faults()) as INDEX:
        WORLD = World(INDEX)
        cases(globals())
