"""Load on both machines of the lab, and somebody who breaks them.

    with Run(lab, folder, seed=1) as run:
        run.once('lose_primary')            # or
        run.go(seconds=300)
    run.close()
    breaches(run.records()), run.faults, run.troubles, run.surprises()

Readers, uploaders and followers run in processes of their own, each with a
file of what it saw (consistency/actors.py); faults are drawn from the seed in
this one.  One fault begins when the machines are well again after the last.
"""
import contextlib
import multiprocessing
import os
import random
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
for part in ('lib', 'consistency'):
    sys.path.insert(0, os.path.join(HERE, '..', part))

import outages                                              # noqa: E402
from actors import (Follower, History, Lister, Operator, Reader,  # noqa: E402
                    Stage, Uploader, load_records)
from client import Remote                                   # noqa: E402
from lab import VMS                                         # noqa: E402
from process import Failure                                 # noqa: E402
from report import FLOATING                                 # noqa: E402

# Short lives and short waits, so that each is met often.
SETTINGS = {'fence_ttl_s': '2s', 'page_ttl_s': '2s', 'lock_timeout_ms': '2s',
            'memcached_timeout_ms': '100ms', 'replica_timeout_s': '3s',
            'peer_timeout_ms': '1s', 'upload_patience_s': '3s'}
PROJECTS = [f'herb-{number}' for number in range(6)]
FULL = 25               # files; then the next project takes its place
PROCESSES = 3
WAIT_S = 30             # for an answer; longer than any patience of ours
READERS, UPLOADERS, FOLLOWERS = 5, 2, 1     # of each process
UPLOAD_PAUSE_S = 1      # each makes many pages anew


def addresses(lab):
    """{name: URL} of the ways in."""
    return {FLOATING: lab.floating_url,
            **{name: lab.url(name) for name in VMS}}


def clients(lab):
    """One client for each way in; an actor of its own has its own."""
    return [Remote(name, url, lab.token, lab.ca, WAIT_S)
            for name, url in addresses(lab).items()]


def tilsit(lab, rng):
    """tilsit(*words) on one machine or the other."""
    def run(*words):
        vm = lab.vm[rng.choice(VMS)]
        if not vm.is_up():
            raise Failure(f'{vm.name} is off')
        return vm.tilsit(' '.join(words))
    return run


def cast(lab, stage, history, seed):
    """The actors of one process."""
    kinds = [Reader] * READERS + [Uploader] * UPLOADERS + \
        [Follower] * FOLLOWERS + [Lister]
    actors = [kind(stage, clients(lab), history, f'{seed} {number}')
              for number, kind in enumerate(kinds)]
    rng = random.Random(seed)
    operator = Operator(tilsit(lab, rng), stage, clients(lab), history,
                        f'{seed} operator')
    operator.pause_s = 2        # a command costs more than a request
    return [*actors, operator]


def play(lab, stage, path, seed, ending):
    """A process of the load, until ending is set."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    history = History(path)
    Uploader.series, Uploader.pause_s = f'{seed}.', UPLOAD_PAUSE_S
    actors = cast(lab, stage, history, seed)
    for actor in actors:
        actor.thread.start()
    ending.wait()
    for actor in actors:
        actor.ending.set()
    for actor in actors:
        actor.end()
    history.close()
    with open(path + '.surprises', 'w') as out:
        out.write('\n'.join(history.surprises))


class Run:
    """A load that goes on while faults come and go."""

    def __init__(self, lab, folder, seed):
        self.lab, self.folder = lab, folder
        self.random = random.Random(seed)
        self.faults = []        # (name, begin, end)
        self.troubles = []      # what of our own did not go as it should
        self.stage = Stage(PROJECTS, FULL)
        self.ending = multiprocessing.Event()
        self.paths = [os.path.join(folder, f'history-{number}.jsonl')
                      for number in range(PROCESSES)]
        self.processes = [
            multiprocessing.Process(target=play, daemon=True, args=(
                lab, self.stage, path, number + 1, self.ending))
            for number, path in enumerate(self.paths)]

    def __enter__(self):
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for process in self.processes:
            process.join(120)
            if process.is_alive():
                self.troubles.append('a process of the load does not end')
                process.kill()

    def once(self, name):
        """One fault, from the first blow until all is well."""
        begin = time.monotonic()
        try:
            outages.FAULTS[name](self.lab, self.random)
            outages.calm(self.lab)
        except Exception:       # the history is judged all the same
            self.troubles.append(f'{name}: {traceback.format_exc()}')
            with contextlib.suppress(Exception):
                outages.mend(self.lab)
                outages.calm(self.lab)
        self.faults.append((name, begin, time.monotonic()))

    def go(self, seconds, say=lambda text: None):
        """Each fault once, in an order of the seed's; then anew, until the
        time is over."""
        end, waiting = time.monotonic() + seconds, []
        while time.monotonic() < end:
            if not waiting:
                waiting = list(outages.FAULTS)
                self.random.shuffle(waiting)
            name = waiting.pop()
            say(f'{max(0, end - time.monotonic()):.0f} s left: '
                f'{name.replace("_", " ")}')
            self.once(name)

    def surprises(self):
        found = []
        for path in self.paths:
            if os.path.exists(path + '.surprises'):
                with open(path + '.surprises') as text:
                    found += text.read().splitlines()
        return found

    def close(self):
        """The whole journal, read at the end by every way in."""
        path = os.path.join(self.folder, 'history-end.jsonl')
        history = History(path)
        for client in clients(self.lab):
            last = Follower(self.stage, [client], history, 0)
            last.follow(time.monotonic(), 0)
        history.close()
        self.paths.append(path)

    def records(self):
        return load_records(self.paths)
