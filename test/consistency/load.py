"""Writers, readers and followers of one index, and somebody who breaks it.

    history = History()
    with soak_instance() as index:
        run(index, history, seconds=20, seed=1)
    breaches(history.records)

Faults are drawn from the seed; what the machine makes of them is not.
"""
import contextlib
import os
import random
import signal
import time

from actors import Follower, Lister, Operator, Reader, Stage, Uploader
from client import Client
from faults import (FaultyInstance, arm, build_with_faults, disarm,
                    memcached_says, revive, sql, state_of, wait_until)
from servers import instance
from views import agree

PROJECTS = ['anise', 'basil', 'clove', 'dill']
SETTINGS = {'fence_ttl_s': 1, 'page_ttl_s': 1, 'memcached_timeout_ms': '100ms',
            'lock_timeout_ms': '1s'}
POOLS = ('simple', 'upload', 'changelog')
STEPS = {'upload': ['F-staged', 'F-synced', 'F-kept', 'W1', 'W2', 'W3', 'W2h',
                    'W3-commit', 'W4'],
         'simple': ['R1', 'R2', 'R3', 'R4', 'R5']}


class Saboteur:
    """One fault after the other.  Not a thread: parts of an instance must be
    started by the main one."""

    def __init__(self, index, seed):
        self.index, self.random = index, random.Random(seed)

    def once(self):
        fault = self.random.choice(self.faults)
        fault(self)
        time.sleep(self.random.uniform(0, 0.4))
        return fault.__name__

    def kill_workers(self):
        self.index.kill(self.random.choice(POOLS))

    def kill_at_a_step(self):
        part = self.random.choice(list(STEPS))
        arm(self.index, part, self.random.choice(STEPS[part]) + ':kill')

    def stop_at_a_step(self):
        part = self.random.choice(list(STEPS))
        arm(self.index, part, self.random.choice(STEPS[part]) + ':stop')
        time.sleep(self.random.uniform(0.1, 1.5))
        disarm(self.index, part)
        self.resume_workers()

    def resume_workers(self):
        for part in STEPS:
            for pid in self.index.pids(part):
                if state_of(pid) == 'T':
                    os.kill(pid, signal.SIGCONT)

    def flush_memcached(self):
        with contextlib.suppress(OSError):
            memcached_says(self.index, 'flush_all')

    def kill_memcached(self):
        self.index.kill('memcached')

    def freeze_memcached(self):
        self.index.freeze('memcached')
        time.sleep(self.random.choice([0.05, 0.15, 0.5, 1.2, 3]))
        self.index.resume('memcached')

    def kill_postgresql(self):
        self.index.stop('postgresql', signal.SIGKILL)
        self.index.start('postgresql')

    def end_sessions(self):
        with contextlib.suppress(RuntimeError):
            sql(self.index, 'SELECT pg_terminate_backend(pid) '
                'FROM pg_stat_activity WHERE pid <> pg_backend_pid() '
                "AND application_name LIKE 'tilsit%'")

    def reload_nginx(self):
        os.kill(self.index.pids('nginx')[0], signal.SIGHUP)

    def nothing(self):
        time.sleep(self.random.uniform(0, 1))

    faults = [kill_workers, kill_at_a_step, kill_at_a_step, stop_at_a_step,
              stop_at_a_step, flush_memcached, kill_memcached,
              freeze_memcached, freeze_memcached, kill_postgresql,
              end_sessions, reload_nginx, nothing]

    def heal(self):
        """Everything is well again."""
        for part in STEPS:
            disarm(self.index, part)
        self.resume_workers()
        self.index.resume('memcached')
        for part in ('postgresql', 'memcached', *POOLS, 'runner'):
            revive(self.index, part)
        self.index.wait('postgresql', self.index.postgresql_ready)
        self.index.wait('memcached', self.index.memcached_ready)
        wait_until('it answers', lambda: self.index.answers('/simple/'))


@contextlib.contextmanager
def soak_instance():
    with instance(FaultyInstance, build=build_with_faults(),
                  settings=SETTINGS) as index:
        yield index


def actors(stage, client, history, seed):
    kinds = [Uploader] * 3 + [Reader] * 6 + [Lister] + [Follower] * 2
    cast = [kind(stage, [client], history, f'{seed} {number}')
            for number, kind in enumerate(kinds)]
    return [*cast, Operator(client.index.tilsit, stage, [client], history,
                            f'{seed} operator')]


def begin_projects(stage, client, history, seed):
    """Each project has a page before there are readers."""
    first = Uploader(stage, [client], history, seed)
    for project in PROJECTS:
        first.upload(project)


def run(index, history, seconds, seed):
    """Load and faults for some seconds; then, after a restart, the index must
    agree with itself."""
    client, stage = Client(index), Stage(PROJECTS)
    Uploader.acked.clear()
    begin_projects(stage, client, history, seed)
    cast = actors(stage, client, history, seed)
    last = Follower(stage, [client], history, 0)
    saboteur = Saboteur(index, seed)
    for actor in cast:
        actor.thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        history.faults.append(saboteur.once())
    saboteur.heal()
    for actor in cast:
        actor.end()
    saboteur.heal()
    last.follow(time.monotonic(), 0)
    index.close()
    index.start()
    agree(client)
    last.follow(time.monotonic(), 0)
