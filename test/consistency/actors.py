"""Clients that write down what they asked, when, and what they were shown.

    history = History()
    stage = Stage(['anise', 'basil'])
    actor = Reader(stage, [client, other_client], history, seed=1)
    actor.thread.start() ... actor.end()
    breaches(history.records)

Each actor is a thread.  For each request it takes one of its clients, so that
one of them sees the index through every address.
"""
import contextlib
import hashlib
import http.client
import itertools
import json
import multiprocessing
import random
import threading
import time
import traceback
import xmlrpc.client

from client import V1_JSON, wheel
from servers import Failure
from views import FORMS, Page, normal

CUT_OFF = (OSError, http.client.HTTPException)      # it was shown nothing
RPC_ERRORS = (xmlrpc.client.Error, *CUT_OFF)
FULL = 40           # files; then a project makes room for the next
PAGES_KEPT = 2000   # by ETag, of one reader


class History:
    """Records of all threads, and what surprised them.

    With a path, records go there at once, a line each, and not into memory;
    what a page shows is written once and then named by its digest.
    load_records() reads such files.
    """

    def __init__(self, path=None):
        self.lock = threading.Lock()
        self.records, self.surprises, self.faults = [], [], []
        self.refused = self.cut_off = self.count = 0
        self.out, self.shown = path and open(path, 'w'), set()

    def add(self, begin, what, **more):
        record = {'begin': begin, 'end': time.monotonic(), 'what': what,
                  **more}
        with self.lock:
            self.count += 1
            if self.out:
                self.write(record)
            else:
                self.records.append(record)

    def write(self, record):
        files = record.get('files')
        if files:
            text = json.dumps(files, sort_keys=True)
            digest = hashlib.md5(text.encode()).hexdigest()
            if digest not in self.shown:
                self.shown.add(digest)
                self.out.write(f'{{"shown": "{digest}", "files": {text}}}\n')
            record = {**record, 'files': digest}
        self.out.write(json.dumps(record) + '\n')

    def save(self, path):
        with open(path, 'w') as out:
            for record in self.records:
                out.write(json.dumps(record) + '\n')

    def close(self):
        if self.out:
            self.out.close()


def load_records(paths):
    """The records of several files; pages that show the same share it."""
    records, shown = [], {}
    for path in paths:
        with open(path) as lines:
            for line in lines:
                record = json.loads(line)
                if 'shown' in record:
                    shown.setdefault(record['shown'], record['files'])
                elif isinstance(record.get('files'), str):
                    record['files'] = shown[record['files']]
                    records.append(record)
                else:
                    records.append(record)
    return records


class Stage:
    """The projects that all actors, of several processes too, play with.

    With full set a project that has so many files leaves, and a new one takes
    its place: pages stay small however long it takes.
    """

    def __init__(self, names, full=None):
        self.names, self.full = names, full
        self.files = multiprocessing.Array('l', len(names))

    def name(self, slot, files):
        if not self.full:
            return self.names[slot]
        return f'{self.names[slot]}-{files // self.full}'

    def to_change(self, rng):
        """A project that gets one more file."""
        slot = rng.randrange(len(self.names))
        with self.files.get_lock():
            files = self.files[slot]
            self.files[slot] += 1
        return self.name(slot, files)

    def to_read(self, rng):
        """A project to look at; now and then one that has left."""
        slot = rng.randrange(len(self.names))
        files = max(0, self.files[slot] - 1)
        if self.full and rng.random() < 0.1:
            files = rng.randrange(files + 1)
        return self.name(slot, files)


class Actor:
    """A client in a thread of its own."""

    pause_s = 0

    def __init__(self, stage, clients, history, seed):
        self.stage, self.clients, self.history = stage, clients, history
        self.random = random.Random(seed)
        self.client = clients[0]
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.ending.is_set():
            self.client = self.random.choice(self.clients)
            begin = time.monotonic()
            try:
                self.once()
            except CUT_OFF as error:
                self.was_cut_off(begin, error)
            except Exception:   # for the thread that judges
                self.history.surprises.append(traceback.format_exc())
            if self.pause_s:
                self.ending.wait(self.random.uniform(0, self.pause_s))

    def was_cut_off(self, begin, error):
        self.history.cut_off += 1
        self.add(begin, 'failed', why=type(error).__name__)
        self.ending.wait(0.05)

    def add(self, begin, what, answer=None, **more):
        """A record, with the address that it went to; a degraded answer
        says what it is."""
        via = getattr(self.client, 'name', None)
        degraded = answer and answer['Tilsit-Degraded']
        if via:
            more['via'] = via
        if degraded:
            more['degraded'] = degraded
        self.history.add(begin, what, **more)

    def end(self):
        self.ending.set()
        self.thread.join(90)


class Uploader(Actor):
    """New versions, one after the other; what is refused is tried again."""

    pause_s = 0.1
    made = itertools.count(1)
    acked = set()
    series = ''         # of this process, so that no two make one version

    def once(self):
        self.upload(self.stage.to_change(self.random))

    def upload(self, project):
        version = f'{self.series}{next(Uploader.made)}'
        name, data = wheel(project, version)
        for _ in range(self.random.choice([1, 2, 10])):
            if self.try_to_upload(project, name, data):
                Uploader.acked.add((project, version, name))
                break
            self.ending.wait(0.05)      # as a client would, only sooner
            self.client = self.random.choice(self.clients)

    def try_to_upload(self, project, name, data):
        begin, serial, status = time.monotonic(), None, None
        try:
            answer = self.client.upload(name, data)
            status, serial = answer.status, answer['X-PyPI-Last-Serial']
        except CUT_OFF:
            self.history.cut_off += 1
        self.add(begin, 'change', project=project, adds=[name], removes=[],
                 acked=status == 200, serial=serial and int(serial))
        self.history.refused += status == 503
        if status not in (None, 200, 503):
            raise AssertionError(f'{status} {answer.text}')
        return status == 200


class Operator(Actor):
    """Yanks, takes it back, removes: by the command line, which tilsit(*words)
    runs and whose output it gives."""

    def __init__(self, tilsit, *args):
        super().__init__(*args)
        self.tilsit = tilsit

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
            said = self.tilsit(*words)
        done = 'done, serial' in said
        self.history.add(
            begin, 'change', project=project, adds=[], removes=removes,
            acked=done, serial=int(said.split()[-1]) if done else None)


class Reader(Actor):
    """Any form of a project's page, sometimes by its ETag only."""

    def __init__(self, *args):
        super().__init__(*args)
        self.kept = {}      # {(project, form, gzip): ETag}
        self.pages = {}     # {ETag: Page}

    def once(self):
        which = (self.stage.to_read(self.random),
                 self.random.choice(list(FORMS)), self.random.random() < 0.5)
        project, form, gzip = which
        path, accept = FORMS[form]
        headers = {'Accept': accept,
                   'Accept-Encoding': 'gzip' if gzip else 'identity'}
        etag = self.kept.get(which)
        if etag in self.pages and self.random.random() < 0.5:
            headers['If-None-Match'] = etag
        begin = time.monotonic()
        answer = self.client.ask('GET', path.format(project), None, headers)
        if answer.status == 503:
            self.add(begin, 'failed', answer, why='503')
            return
        serial, files = 0, {}
        if answer.status in (200, 304):
            serial = int(answer['X-PyPI-Last-Serial'])
            files = self.look(form, answer).files
            self.kept[which] = answer['ETag']
        elif answer.status != 404:
            raise AssertionError(f'{answer.status} {answer.text}')
        self.add(begin, 'page', answer, project=project, form=form,
                 serial=serial, files=files)

    def look(self, form, answer):
        """What a page shows, which its ETag stands for."""
        etag = answer['ETag']
        if etag not in self.pages:
            if len(self.pages) >= PAGES_KEPT:
                self.pages.clear()
            self.pages[etag] = Page(form, answer)
        return self.pages[etag]


class Lister(Actor):
    """The root list, and the same by XML-RPC."""

    def once(self):
        begin = time.monotonic()
        if self.random.random() < 0.3:
            with contextlib.suppress(*RPC_ERRORS):
                found = self.client.call('list_packages_with_serial')
                self.record(begin, None, found,
                            max(found.values(), default=0))
            return
        answer = self.client.get('/simple/', Accept=V1_JSON)
        if answer.status == 200:
            page = answer.json
            self.record(begin, answer, {p['name']: p['_last-serial']
                                        for p in page['projects']},
                        page['meta']['_last-serial'])

    def record(self, begin, answer, projects, serial):
        self.add(begin, 'list', answer, serial=serial, projects={
            normal(name): of for name, of in projects.items()})


class Follower(Actor):
    """The changelog, from where it was, or from further back."""

    last = 0

    def once(self):
        after = max(0, self.last - self.random.choice([0, 0, 10, 100]))
        begin = time.monotonic()
        with contextlib.suppress(*RPC_ERRORS):
            if self.random.random() < 0.2:
                serial = self.client.call('changelog_last_serial')
                self.add(begin, 'newest', serial=serial)
            else:
                self.follow(begin, after)

    def follow(self, begin, after):
        events = [[serial, normal(name), version, action] for
                  name, version, _, action, serial
                  in self.client.call('changelog_since_serial', after)]
        self.add(begin, 'events', after=after, events=events)
        self.last = max([self.last, *(event[0] for event in events)])
