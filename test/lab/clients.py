"""Debian's own twine and pip, in a loop, while the lab breaks.

    with Clients(lab, folder) as clients:
        clients.during('lose_primary', lambda: ...)     # then settled again
    clients.calls                   # every call of either, a Call
    clients.published       # {file name: bytes} that exit status 0 claims

They are what a user runs: the floating address, TLS, a token, no option that
makes them more patient than they are.  A publisher uploads a few new files
with each call, and repeats a call that failed, word for word, until it
succeeds; an installer downloads or installs something that was published
before, without a cache.  Whoever hangs long after all is well is ended as by
Ctrl-C.
"""
import collections
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from client import wheel
from process import Failure

PYTHON = '/usr/bin/python3'
TWINE = '/usr/bin/twine'
PUBLISHERS, INSTALLERS = 2, 2
FILES = 4               # of one upload
PROJECTS = 8
PAUSE_S = 1             # between two calls of one loop
HANGS_S = 60            # after all is well: then nothing comes any more
SETTLE_S = 240
BETWEEN = 'nothing'     # what happens while nothing does
HEAD = ['fault', 'twine calls', 'failed', 'longest (s)', 'pip calls',
        'failed', 'longest (s)']


class Call:
    """One command line: when, how it ended, and all that it printed."""

    def __init__(self, tool, argv, env):
        self.tool, self.argv, self.env = tool, argv, env
        self.began, self.ended = time.monotonic(), None
        self.status, self.said, self.hung = None, '', False
        self.process = None

    def run(self):
        self.process = subprocess.Popen(
            self.argv, env=self.env, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = self.process.communicate()[0]
        self.status = self.process.returncode
        self.ended = time.monotonic()

    def interrupt(self):
        """Ctrl-C."""
        self.hung = True
        self.process.send_signal(signal.SIGINT)

    @property
    def failed(self):
        return self.status != 0

    @property
    def seconds(self):
        return self.ended - self.began

    def reason(self):
        """What it says of why it failed: the line of that, or the last."""
        said = re.sub(r'\x1b\[\d*m', '', self.said)
        lines = [' '.join(line.split()) for line in said.splitlines()
                 if line.strip()]
        why = [line for line in lines if re.search(r'Error\b|ERROR', line)]
        said = (why or lines or ['nothing'])[-1]
        return ('hung; ' if self.hung else '') + said[-200:]


class Loop:
    """Calls of one user, one after the other."""

    def __init__(self, clients, number):
        self.clients, self.number = clients, number
        self.random = random.Random(number)
        self.call, self.last_good = None, 0     # began of the last good one
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.clients.ending.is_set():
            try:
                self.once()
            except Exception as error:      # for the thread that judges
                self.clients.troubles.append(repr(error))
            self.clients.ending.wait(PAUSE_S)

    def try_call(self, tool, argv):
        """Run it, and keep what came of it."""
        self.call = Call(tool, argv, self.clients.env)
        self.call.run()
        self.clients.calls.append(self.call)
        if not self.call.failed:
            self.last_good = self.call.began
        return not self.call.failed


class Publisher(Loop):
    made = 0

    def once(self):
        files = dict(self.make() for _ in range(FILES))
        folder = tempfile.mkdtemp(dir=self.clients.folder)
        for name, data in files.items():
            with open(os.path.join(folder, name), 'wb') as out:
                out.write(data)
        while not self.upload(folder, files):
            if self.clients.ending.wait(PAUSE_S):
                break
        shutil.rmtree(folder)

    def make(self):
        self.made += 1
        project = f'herb-{self.random.randrange(PROJECTS)}'
        return wheel(project, f'{self.number}.{self.made}')

    def upload(self, folder, files):
        lab = self.clients.lab
        done = self.try_call('twine', [
            TWINE, 'upload', '--non-interactive', '--disable-progress-bar',
            '--repository-url', lab.floating_url + '/legacy/',
            '--username', '__token__', '--password', lab.token,
            *(os.path.join(folder, name) for name in sorted(files))])
        if done:
            self.clients.published.update(files)
        return done


class Installer(Loop):
    def once(self):
        names = list(self.clients.published)
        if not names:
            return
        project, version = self.random.choice(names).split('-')[:2]
        target = tempfile.mkdtemp(dir=self.clients.folder)
        verb = self.random.choice([['download', '--dest'],
                                   ['install', '--target']])
        self.try_call('pip', [
            PYTHON, '-m', 'pip', verb[0], '--no-cache-dir', '--no-deps',
            '--index-url', self.clients.lab.floating_url + '/simple/',
            verb[1], target, f'{project.replace("_", "-")}=={version}'])
        shutil.rmtree(target)


class Clients:
    """See the top of this file."""

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder
        self.env = {
            'HOME': folder, 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8',
            'COLUMNS': '400', 'REQUESTS_CA_BUNDLE': lab.ca,
            'PIP_CERT': lab.ca, 'PIP_CONFIG_FILE': '/dev/null',
            'PIP_DISABLE_PIP_VERSION_CHECK': '1',
            'PIP_ROOT_USER_ACTION': 'ignore', 'PYTHONWARNINGS': 'ignore',
            'PYTHON_KEYRING_BACKEND': 'keyring.backends.null.Keyring'}
        self.calls, self.troubles, self.published = [], [], {}
        self.faults = [(BETWEEN, time.monotonic())]     # name, since when
        self.ending = threading.Event()
        self.loops = [kind(self, number) for number, kind in enumerate(
            [Publisher] * PUBLISHERS + [Installer] * INSTALLERS)]

    def __enter__(self):
        for loop in self.loops:
            loop.thread.start()
        self.settle()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for loop in self.loops:
            loop.thread.join(SETTLE_S)
            if loop.thread.is_alive():
                loop.call.interrupt()
                loop.thread.join()

    def during(self, name, work):
        """Do something; until every client is well again all that ends is
        counted as its."""
        self.faults.append((name, time.monotonic()))
        try:
            work()
        finally:
            self.settle()

    def settle(self):
        """Until a call of each, begun from now on, has succeeded."""
        now = time.monotonic()
        while any(loop.last_good < now for loop in self.loops):
            since = time.monotonic() - now
            if since > SETTLE_S:
                raise Failure('clients do not get well again: '
                              + self.calls[-1].reason())
            for loop in self.loops:
                call = loop.call
                if since > HANGS_S and call and call.began < now and \
                        call.process and call.ended is None and \
                        not call.hung:
                    call.interrupt()
            time.sleep(0.05)

    def fault_at(self, moment):
        """The last that had begun by then."""
        return [name for name, since in self.faults if since < moment][-1]

    def fault_of(self, call):
        return self.fault_at(call.ended)

    def by_fault(self):
        """{fault: {tool: [calls]}}"""
        found = {name: collections.defaultdict(list)
                 for name, _ in self.faults}
        for call in self.calls:
            found[self.fault_of(call)][call.tool].append(call)
        return found

    def failures(self, tool, allowed=()):
        """A line for each call that failed, but during what is allowed."""
        return [f'{fault}: {tool} {call.seconds:.1f} s, {call.status}: '
                f'{call.reason()}'
                for fault, tools in self.by_fault().items()
                for call in tools[tool]
                if call.failed and fault not in allowed]

    def table(self, reasons=None):
        """Markdown; reasons: {fault: why that is right}."""
        head = HEAD + (['why that is right'] if reasons else [])
        rows = [head, ['---'] * len(head)]
        for name, tools in self.by_fault().items():
            rows.append([name.replace('_', ' '), *cells(tools['twine']),
                         *cells(tools['pip'])])
            if reasons:
                rows[-1].append(reasons.get(name, ''))
        return '\n'.join(f'| {" | ".join(row)} |' for row in rows)


def cells(calls):
    """How many, failed, longest."""
    longest = max((call.seconds for call in calls), default=0)
    return [str(len(calls)), str(sum(call.failed for call in calls)),
            f'{longest:.1f}']
