"""An Instance whose workers can be killed or stopped at any named step.

    with faulty_world() as world:           # .index, .client
        world.warm('demo')                  # a project, its pages cached
        arm(world.index, 'upload', 'W2:kill')   # the next upload dies there
        refused(world.upload('demo', '2'))
        world.agree()                       # all pages, lists, the changelog

        with standing(world.index, 'simple', 'R4', read, client, 'demo') as r:
            ...                             # a reader stands still there
        r.answer()

The names of the steps are those of base/fault.h.  Needs the programs of `make
FAULTS=1`.
"""
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

from client import Client, wheel
from servers import TREE, Instance, instance
from tap import equal, ok, skip_all
from views import agree, read, read_all

from process import family

PATIENCE_S = 60     # before what should happen at once is a failure
PARTS = ('simple', 'upload', 'runner', 'peer')


def wait_until(what, is_true):
    """Poll until is_true() is; its value."""
    end = time.monotonic() + PATIENCE_S
    while not (value := is_true()):
        if time.monotonic() > end:
            raise TimeoutError(f'still not so: {what}')
        time.sleep(0.01)
    return value


def build_with_faults():
    """The flavour beside the one under test that has fault points."""
    build = os.environ.get('BUILD', 'build/plain') + '-faults'
    if not os.path.exists(os.path.join(TREE, build, 'bin', 'tilsit-upload')):
        skip_all(f'{build} is not built: make FAULTS=1')
    return build


class FaultyInstance(Instance):
    """An Instance whose workers look for arm()'s files."""

    def make_groups(self):
        for part in PARTS:
            self.part_env[part] = {'TILSIT_FAULT': '@' + spec(self, part)}
        super().make_groups()


def spec(index, part):
    return index.path('run', f'fault-{part}')


class World:
    """An index, a client, and what that client was promised."""

    def __init__(self, index):
        self.index, self.client = index, Client(index)
        self.acked = set()      # names of files

    def upload(self, project, version, **more):
        """The answer; a 200 is remembered for agree()."""
        name, data = wheel(project, version, **more)
        answer = self.client.upload(name, data)
        if answer.status == 200:
            self.acked.add(name)
        return answer

    def warm(self, project):
        """A project with release 1, its pages cached; its serial."""
        equal(self.upload(project, '1').status, 200)
        for _ in range(2):
            read_all(self.client, project)
        return read(self.client, project).serial

    def agree(self):
        agree(self.client, self.acked)


@contextlib.contextmanager
def faulty_world(**options):
    # Whoever is refused here is to be refused at once.
    settings = {'upload_patience_s': 0, **options.pop('settings', {})}
    with instance(FaultyInstance, build=build_with_faults(),
                  settings=settings, **options) as index:
        yield World(index)


def refused(answer):
    """503, and when to come back."""
    equal(answer.status, 503)
    ok(answer['Retry-After'], 'a Retry-After')


def arm(index, part, what):
    """The next process of a part that comes by the step does it."""
    path = spec(index, part)
    with open(path + '.new', 'w') as out:
        out.write(what + '\n')
    os.rename(path + '.new', path)


def has_happened(index, part):
    return not os.path.exists(spec(index, part))


def disarm(index, part):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(spec(index, part))


def state_of(pid):
    """A letter as in ps(1); None when there is no such process."""
    try:
        with open(f'/proc/{pid}/stat', 'rb') as stat:
            return stat.read().rsplit(b')', 1)[1].split()[0].decode()
    except OSError:
        return None


def wait_stopped(index, part):
    """The process of a part that stands still at its step."""
    return wait_until(f'{part} is stopped', lambda: next(
        (pid for pid in index.pids(part) if state_of(pid) == 'T'), None))


def resume(pid):
    os.kill(pid, signal.SIGCONT)


def freeze(index, part):
    """Stop a part; returns when nothing of it runs any more."""
    index.freeze(part)
    for pid in index.pids(part):
        wait_until(f'{part} is stopped', lambda: state_of(pid) == 'T')


def revive(index, part):
    """Wait until a part is at full strength, without the keeper's back-off."""
    group = index.groups[part]

    def is_whole():
        if group.failures:
            index.keeper.start(group)
        return len(group.pids()) == group.count and \
            all(state_of(pid) not in (None, 'Z') for pid in group.pids())

    wait_until(f'{part} is whole', is_whole)


def sql(index, text):
    """Run a statement on the index's own database; the rows as lines."""
    done = subprocess.run(
        ['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1',
         index.conninfo, '-c', text], text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def kill_postgresql(index):
    """kill -9 of every process of it; back when this returns."""
    index.stop('postgresql', signal.SIGKILL)
    index.start('postgresql')


def memcached_says(index, command):
    """One command of memcached's text protocol; its answer."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(index.path('run', 'memcached.sock'))
        sock.sendall(command.encode() + b'\r\nquit\r\n')
        return sock.makefile('rb').read().decode('latin-1')


class Asked:
    """A request under way in a thread."""

    def __init__(self, call, *args, **options):
        self.got = self.failed = None
        self.thread = threading.Thread(target=self.run, daemon=True,
                                       args=(call, args, options))
        self.thread.start()

    def run(self, call, args, options):
        try:
            self.got = call(*args, **options)
        except Exception as error:  # for answer(), in the test's own thread
            self.failed = error

    def is_done(self):
        return not self.thread.is_alive()

    def answer(self):
        self.thread.join(PATIENCE_S)
        if self.thread.is_alive():
            raise TimeoutError('no answer')
        if self.failed:
            raise self.failed
        return self.got


def workers_of_nginx(index):
    """{pid: title} of those that take requests."""
    master, = index.pids('nginx')
    titles = {}
    for pid in family(master)[1:]:
        with contextlib.suppress(OSError), \
                open(f'/proc/{pid}/cmdline') as title:
            titles[pid] = title.read().strip('\0 ')
    return {pid: title for pid, title in titles.items()
            if title == 'nginx: worker process'}


def leave_kept_connections(index):
    """Let nginx begin anew: of those it keeps some lead to the worker that
    stands still, and whoever is sent there waits for it.  What is under way
    stays under way."""
    old = set(workers_of_nginx(index))
    os.kill(index.pids('nginx')[0], signal.SIGHUP)
    wait_until('nginx began anew', lambda: (
        lambda now: now and not now & old)(set(workers_of_nginx(index))))


@contextlib.contextmanager
def standing(index, part, step, call, *args, **options):
    """A request whose worker stands still at a step; it goes on at the end."""
    arm(index, part, f'{step}:stop')
    asked = Asked(call, *args, **options)
    asked.pid = wait_stopped(index, part)
    try:
        leave_kept_connections(index)
        yield asked
    finally:
        resume(asked.pid)
        disarm(index, part)
