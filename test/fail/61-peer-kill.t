#!/usr/bin/python3 -B
# kill -9 at each step between two machines: of the worker that uploads, of the
# one that keeps the file over there, of the runner that fetches what is
# missing.  Afterwards each file that the index names is on both.

import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import normal, wheel
from faults import (FaultyInstance, arm, build_with_faults, disarm,
                    has_happened, refused, resume, revive, state_of,
                    wait_until)
from pair import two_machines
from tap import cases, contains, equal, ok
from views import agree, read

SETTINGS = {'peer_timeout_ms': '1s'}
BEFORE_COMMIT = ['F-staged', 'F-synced', 'F-kept', 'W0-here', 'W0-both', 'W1',
                 'W2', 'W3', 'W3-commit']
PEER_STEPS = ['P-received', 'F-staged', 'F-synced', 'F-kept', 'P-kept']
RUNNER_STEPS = ['C-claimed', 'C-fetched', 'F-synced', 'F-kept', 'C-kept']
PAIR = None
CLIENTS = ()
ACKED = set()


def has(instance, file):
    digest = hashlib.blake2b(file[1], digest_size=32).hexdigest()
    path = instance.path('store', 'packages', digest[:2], digest[2:4],
                         digest[4:], file[0])
    try:
        with open(path, 'rb') as kept:
            return kept.read() == file[1] and \
                os.path.exists(path + '.metadata')
    except FileNotFoundError:
        return False


def upload(client, file):
    answer = client.upload(*file)
    if answer.status == 200:
        ACKED.add(file[0])
    return answer


def on_both(file):
    ok(has(PAIR.a, file) and has(PAIR.b, file), f'both have {file[0]}')


def missing():
    return PAIR.sql(PAIR.a, 'SELECT node, filename FROM missing_copy')


def healed(file):
    def is_so():
        PAIR.sql(PAIR.a, 'UPDATE missing_copy SET next_try_at = now()')
        return not missing()
    wait_until(f'{file[0]} is on both', is_so)
    on_both(file)


def all_agree():
    for client in CLIENTS:
        agree(client, ACKED)


def upload_killed(step, client):
    """Nothing of it is seen; the next try finds whatever is left of it."""
    index = client.index
    project = normal(f'up-{index.name}-{step}')
    file = wheel(project, '1')
    arm(index, 'upload', f'{step}:kill')
    refused(upload(client, file))
    ok(has_happened(index, 'upload'), 'the worker came by')
    for one in CLIENTS:
        equal(read(one, project).status, 404)
    all_agree()
    revive(index, 'upload')
    other = CLIENTS[0] if client is CLIENTS[1] else CLIENTS[1]
    equal(upload(other, file).status, 200)      # at the other machine
    equal(missing(), '')
    on_both(file)
    all_agree()


def peer_killed(step):
    """The upload goes on, whatever is left over there."""
    file = wheel(f'peer-{step}'.lower(), '1')
    PAIR.b.stop('runner')
    arm(PAIR.b, 'peer', f'{step}:kill')
    equal(upload(CLIENTS[0], file).status, 200)
    ok(has_happened(PAIR.b, 'peer'), 'the worker came by')
    equal(missing(), f'vm-b|{file[0]}')
    revive(PAIR.b, 'peer')
    PAIR.b.start('runner')
    healed(file)
    all_agree()


def runner_killed(step):
    """Killed as it fetches: done again, by the next one."""
    file = wheel(f'runner-{step}'.lower(), '1')
    PAIR.b.stop('runner')
    PAIR.b.stop('peer')
    equal(upload(CLIENTS[0], file).status, 200)
    equal(missing(), f'vm-b|{file[0]}')
    PAIR.b.start('peer')
    PAIR.a.restart('upload')    # so that none of its workers rests
    arm(PAIR.b, 'runner', f'{step}:kill')
    PAIR.b.start('runner')
    wait_until('the runner came by', lambda: has_happened(PAIR.b, 'runner'))
    equal(missing(), f'vm-b|{file[0]}')
    revive(PAIR.b, 'runner')
    healed(file)


def each(steps, test, words):
    for step in steps:
        globals()[f'test_{words}_{step.replace("-", "_")}'] = \
            lambda step=step: test(step)


each(BEFORE_COMMIT, lambda step: upload_killed(step, CLIENTS[0]),
     'an_upload_at_vm_a_killed_at')
each(['W0-here', 'W0-both', 'W3-commit'],
     lambda step: upload_killed(step, CLIENTS[1]),
     'an_upload_at_vm_b_killed_at')


def test_an_upload_killed_before_its_answer_is_on_both():
    for client in CLIENTS:
        file = wheel(f'up-{client.index.name}-w4', '1')
        arm(client.index, 'upload', 'W4:kill')
        refused(client.upload(*file))
        ACKED.add(file[0])      # not answered, but seen
        on_both(file)
        all_agree()
        revive(client.index, 'upload')
        equal(upload(client, file).status, 200)


each(PEER_STEPS, peer_killed, 'a_peer_killed_at')


def test_a_peer_that_stood_still_ends_what_it_began():
    file = wheel('peer-late', '1')
    PAIR.b.stop('runner')
    arm(PAIR.b, 'peer', 'P-received:stop')
    equal(upload(CLIENTS[0], file).status, 200)
    equal(missing(), f'vm-b|{file[0]}')
    stopped = [pid for pid in PAIR.b.pids('peer') if state_of(pid) == 'T']
    equal(len(stopped), 1)
    resume(stopped[0])
    disarm(PAIR.b, 'peer')
    wait_until('it is kept after all', lambda: has(PAIR.b, file))
    PAIR.b.start('runner')
    healed(file)
    PAIR.a.restart('upload')


each(RUNNER_STEPS, runner_killed, 'a_runner_killed_at')


def test_in_the_end_both_have_every_file():
    equal(missing(), '')
    for instance in PAIR.a, PAIR.b:
        contains(instance.tilsit('fsck', '--peer'), ' 0 troubles')
    all_agree()


if __name__ == '__main__':
    with two_machines(kind=FaultyInstance, build=build_with_faults(),
                      settings=SETTINGS) as PAIR:
        CLIENTS = PAIR.clients()
        cases(globals())
