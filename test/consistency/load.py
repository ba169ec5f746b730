"""Writers, readers and followers of one index, and somebody who breaks it.

    history = History()
    with soak_instance() as index:
        run(index, history, seconds=20, seed=1)
    breaches(history.records)

Each actor is a thread that writes down what it asked, when, and what it was
shown.  Faults are drawn from the seed; what the machine makes of them is not.
"""
import contextlib
import json
import os
import random
import signal
import threading
import time
import traceback
import xmlrpc.client

from client import V1_JSON, Client, wheel
from faults import (FaultyInstance, arm, build_with_faults, disarm,
                    memcached_says, revive, sql, state_of, wait_until)
from servers import instance
from views import FORMS, Page, agree, normal

from process import Failure

PROJECTS = ['anise', 'basil', 'clove', 'dill']
SETTINGS = {'fence_ttl_s': 1, 'page_ttl_s': 1, 'memcached_timeout_ms': '100ms',
            'lock_timeout_ms': '1s'}
POOLS = ('simple', 'upload', 'changelog')
STEPS = {'upload': ['F-staged', 'F-synced', 'F-kept', 'W1', 'W2', 'W3', 'W2h',
                    'W3-commit', 'W4'],
         'simple': ['R1', 'R2', 'R3', 'R4', 'R5']}
RPC_ERRORS = (xmlrpc.client.Error, OSError)


class History:
    """Records of all threads, and what surprised them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.records, self.surprises, self.faults = [], [], []
        self.refused = 0

    def add(self, begin, what, **more):
        record = {'begin': begin, 'end': time.monotonic(), 'what': what,
                  **more}
        with self.lock:
            self.records.append(record)

    def save(self, path):
        with open(path, 'w') as out:
            for record in self.records:
                out.write(json.dumps(record) + '\n')


class Actor:
    """A client in a thread of its own."""

    def __init__(self, client, history, seed):
        self.client, self.history = client, history
        self.random = random.Random(seed)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.ending.is_set():
            try:
                self.once()
            except OSError:
                pass            # cut off: it was shown nothing
            except Exception:   # for the thread that judges
                self.history.surprises.append(traceback.format_exc())

    def end(self):
        self.ending.set()
        self.thread.join(90)


class Uploader(Actor):
    """New versions, one after the other; what is refused is tried again."""

    made = 0
    made_lock = threading.Lock()
    acked = set()

    def once(self):
        self.upload(self.random.choice(PROJECTS))
        self.ending.wait(self.random.uniform(0, 0.1))

    def upload(self, project):
        with Uploader.made_lock:
            Uploader.made += 1
            version = str(Uploader.made)
        name, data = wheel(project, version)
        for _ in range(self.random.choice([1, 2, 10])):
            begin = time.monotonic()
            answer = self.client.upload(name, data)
            serial = answer['X-PyPI-Last-Serial']
            self.history.add(
                begin, 'change', project=project, adds=[name], removes=[],
                acked=answer.status == 200, serial=serial and int(serial))
            if answer.status == 200:
                Uploader.acked.add((project, version, name))
                break
            self.history.refused += 1
            if answer.status != 503:
                raise AssertionError(f'{answer.status} {answer.text}')
            self.ending.wait(0.05)      # as a client would, only sooner


class Operator(Actor):
    """Yanks, takes it back, removes: by the command line."""

    def once(self):
        if not Uploader.acked:
            time.sleep(0.1)
            return
        project, version, name = self.random.choice(list(Uploader.acked))
        verb = self.random.choice(['yank', 'unyank', 'yank', 'delete'])
        words, removes = ['file', verb, name], []
        if verb == 'delete':
            words, removes = [*words, '--yes'], [name]
        elif self.random.random() < 0.5:
            words = ['release', verb, project, version]
        begin, said = time.monotonic(), ''
        with contextlib.suppress(Failure):
            said = self.client.index.tilsit(*words)
        done = 'done, serial' in said
        self.history.add(
            begin, 'change', project=project, adds=[], removes=removes,
            acked=done, serial=int(said.split()[-1]) if done else None)


class Reader(Actor):
    """Any form of a project's page, sometimes by its ETag only."""

    def __init__(self, *args):
        super().__init__(*args)
        self.kept = {}      # {(project, form, gzip): (etag, page)}

    def once(self):
        which = (self.random.choice(PROJECTS),
                 self.random.choice(list(FORMS)),
                 self.random.random() < 0.5)
        project, form, gzip = which
        path, accept = FORMS[form]
        headers = {'Accept': accept,
                   'Accept-Encoding': 'gzip' if gzip else 'identity'}
        etag, old = self.kept.get(which, (None, None))
        if etag and self.random.random() < 0.5:
            headers['If-None-Match'] = etag
        begin = time.monotonic()
        answer = self.client.ask('GET', path.format(project), None, headers)
        if answer.status == 404:
            self.history.add(begin, 'page', project=project, form=form,
                             serial=0, files={})
        elif answer.status == 304:
            self.history.add(begin, 'page', project=project, form=form,
                             serial=int(answer['X-PyPI-Last-Serial']),
                             files=old.files)
        elif answer.status == 200:
            page = Page(form, answer)
            self.history.add(begin, 'page', project=project, form=form,
                             serial=page.serial, files=page.files)
            self.kept[which] = page.etag, page
        elif answer.status != 503:
            raise AssertionError(f'{answer.status} {answer.text}')


class Lister(Actor):
    """The root list, and the same by XML-RPC."""

    def once(self):
        begin = time.monotonic()
        if self.random.random() < 0.3:
            with contextlib.suppress(*RPC_ERRORS):
                found = self.rpc().list_packages_with_serial()
                self.record(begin, found, max(found.values(), default=0))
            return
        answer = self.client.get('/simple/', Accept=V1_JSON)
        if answer.status == 200:
            page = answer.json
            self.record(begin, {p['name']: p['_last-serial']
                                for p in page['projects']},
                        page['meta']['_last-serial'])

    def record(self, begin, projects, serial):
        self.history.add(begin, 'list', serial=serial, projects={
            normal(name): of for name, of in projects.items()})

    def rpc(self):
        return xmlrpc.client.ServerProxy(
            self.client.index.url + '/pypi', allow_none=True)


class Follower(Lister):
    """The changelog, from where it was, or from further back."""

    last = 0

    def once(self):
        after = max(0, self.last - self.random.choice([0, 0, 10, 100]))
        begin = time.monotonic()
        with contextlib.suppress(*RPC_ERRORS):
            if self.random.random() < 0.2:
                self.history.add(begin, 'newest',
                                 serial=self.rpc().changelog_last_serial())
            else:
                self.follow(begin, after)

    def follow(self, begin, after):
        events = [[serial, normal(name), version, action] for
                  name, version, _, action, serial
                  in self.rpc().changelog_since_serial(after)]
        self.history.add(begin, 'events', after=after, events=events)
        self.last = max([self.last, *(event[0] for event in events)])


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


def actors(client, history, seed):
    kinds = [Uploader] * 3 + [Operator] + [Reader] * 6 + [Lister] + \
        [Follower] * 2
    return [kind(client, history, f'{seed} {number}')
            for number, kind in enumerate(kinds)]


def begin_projects(client, history, seed):
    """Each project has a page before there are readers."""
    first = Uploader(client, history, seed)
    for project in PROJECTS:
        first.upload(project)


def run(index, history, seconds, seed):
    """Load and faults for some seconds; then, after a restart, the index must
    agree with itself."""
    client = Client(index)
    Uploader.acked = set()
    begin_projects(client, history, seed)
    cast = actors(client, history, seed)
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
    Follower(client, history, 0).follow(time.monotonic(), 0)
    index.close()
    index.start()
    agree(client)
    Follower(client, history, 0).follow(time.monotonic(), 0)
