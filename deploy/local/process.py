"""Processes of the local instance: start, keep alive, signal, sweep up.

A Group is one part of the instance: one daemon, or N workers that share a
listening socket as descriptor 0.  The Keeper is one thread that replaces
members that end by themselves, later and later if they end at once.

Every member has a session of its own, so that a terminal's Ctrl-C reaches
only the supervisor, and the kernel ends it when the supervisor dies
(prctl(2) PR_SET_PDEATHSIG, set by setpriv(1)).  The kernel means the thread
that started the member: start groups from the main thread.
"""
import os
import pwd
import select
import signal
import socket
import subprocess
import threading
import time

BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0
AT_ONCE_S = 0.05        # a member that ends so soon has not served anybody
SETTLED_S = 10.0        # alive this long: its next end is a fresh start
GRACE_S = 5.0           # from the polite signal to SIGKILL


class Failure(Exception):
    """Something the user can put right; the text says what and how."""


def run_user():
    """Whom the instance runs as when we are root: nobody who can do harm.

    PostgreSQL refuses to run as root and wants a user with a name;
    base-passwd gives every Debian machine this one.
    """
    return pwd.getpwnam('www-data') if os.getuid() == 0 else None


def environment(extra=()):
    """What our programs see of the environment: nothing by accident."""
    env = {'PATH': '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
           'LANG': 'C.UTF-8', 'TZ': 'UTC'}
    for name, value in os.environ.items():
        if name.endswith('SAN_OPTIONS') or name == 'TILSIT_FAULT':
            env[name] = value
    env.update(extra)
    return env


def command(argv, on_death):
    """argv, run as the unprivileged user and ended when we end."""
    user = run_user()
    drop = [] if user is None else [
        '--reuid', str(user.pw_uid), '--regid', str(user.pw_gid),
        '--clear-groups']
    return ['setpriv', *drop, '--pdeathsig', on_death.name[3:], '--', *argv]


def parents():
    """{pid: its parent} of all processes."""
    found = {}
    for entry in os.listdir('/proc'):
        if not entry.isdigit():
            continue
        try:
            with open(f'/proc/{entry}/stat', 'rb') as stat:
                # A name may hold a ')' of its own: (sd-pam).
                after = stat.read().rsplit(b')', 1)[1]
                found[int(entry)] = int(after.split()[1])
        except OSError:
            pass        # it ended while we looked
    return found


def family(pid):
    """pid and all its descendants, the eldest first."""
    up, found = parents(), [pid]
    for member in found:
        found += [child for child, parent in up.items() if parent == member]
    return found


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def leftovers(folder, names):
    """Processes that an instance in folder left behind when it was killed.

    Ours stay in the folder that they were started in and run one of names;
    nobody else's does both.  Ask only while the folder's lock is held.
    """
    found = []
    for pid in parents():
        try:
            cwd = os.readlink(f'/proc/{pid}/cwd')
            exe = os.path.basename(os.readlink(f'/proc/{pid}/exe'))
        except OSError:
            continue    # ended, or another user's
        if (cwd + '/').startswith(folder + '/') and \
                exe.removesuffix(' (deleted)') in names:
            found.append(pid)
    return found


def sweep(folder, names):
    """Kill the leftovers and wait until they are gone."""
    swept = found = leftovers(folder, names)
    while found:
        for pid in found:
            send(pid, signal.SIGKILL)
        for pid in found:
            wait_gone(pid)
        found = leftovers(folder, names)
    return swept


def wait_gone(pid):
    """Wait until a process that is not our child has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with os.fdopen(fd):
        select.select([fd], [], [], GRACE_S)


class Group:
    """One part of the instance; see the top of this file.

    argv is the command, count how many run at once, listen the socket that
    each gets as descriptor 0, pass_fds further descriptors, stop_signal the
    polite way to end one, on_death what the kernel sends it when we die.
    before is called ahead of each start, to clear what a crash left.
    """

    def __init__(self, name, argv, *, cwd, log, count=1, listen=None,
                 pass_fds=(), env=None, stop_signal=signal.SIGTERM,
                 on_death=signal.SIGKILL, before=None):
        self.name, self.argv, self.cwd, self.log = name, argv, cwd, log
        self.count, self.listen, self.pass_fds = count, listen, pass_fds
        self.env = env if env is not None else {}
        self.stop_signal, self.on_death = stop_signal, on_death
        self.before = before
        self.members = []
        self.wanted = False
        self.failures = 0       # ends in a row that nobody asked for
        self.not_before = 0.0   # of the next replacement, monotonic

    def pids(self):
        return [member.pid for member in self.members]

    def spawn(self):
        if self.before:
            self.before()
        with open(self.log, 'ab') as log:
            member = subprocess.Popen(
                command(self.argv, self.on_death), cwd=self.cwd,
                env=environment(self.env), start_new_session=True,
                stdin=self.listen or subprocess.DEVNULL,
                stdout=log, stderr=log, pass_fds=self.pass_fds)
        member.born = time.monotonic()
        self.members.append(member)

    def replace_the_dead(self):
        """One look at the members; seconds until the next one is due."""
        now = time.monotonic()
        for member in [m for m in self.members if m.poll() is not None]:
            self.members.remove(member)
            if now - member.born > SETTLED_S:
                self.failures = 0
            if member.returncode != 0 or now - member.born < AT_ONCE_S:
                self.not_before = now + min(
                    BACKOFF_FIRST_S * 2 ** self.failures, BACKOFF_MAX_S)
                self.failures += 1
        if len(self.members) == self.count:
            return None
        if now < self.not_before:
            return self.not_before - now
        while len(self.members) < self.count:
            self.spawn()
        return None

    def signal_all(self, number):
        """To every member and all its descendants, none escaping."""
        for pid in self.pids():
            if number in (signal.SIGKILL, signal.SIGSTOP):
                send(pid, signal.SIGSTOP)       # it forks no more
            for relative in family(pid):
                send(relative, number)

    def end(self, number):
        """Ask every member to end; collect() waits for it."""
        for pid in self.pids():
            send(pid, number)
        if number != signal.SIGKILL:
            for pid in self.pids():
                for relative in family(pid):
                    send(relative, signal.SIGCONT)  # it may be frozen

    def collect(self, deadline):
        """Wait for the members; kill those that outlive the deadline."""
        for member in self.members:
            try:
                member.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                for relative in family(member.pid):
                    send(relative, signal.SIGKILL)
                member.wait()
        self.members = []

    def log_tail(self, lines=12):
        try:
            with open(self.log, errors='replace') as log:
                return ''.join(log.readlines()[-lines:]).rstrip()
        except OSError:
            return ''


class Keeper:
    """The thread that keeps groups at full strength."""

    def __init__(self, groups):
        self.groups = groups
        self.lock = threading.RLock()   # held by whoever changes a group
        self.nudge, self.ear = socket.socketpair()
        self.ending = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending:
            with self.lock:
                due = [g.replace_the_dead() for g in self.groups if g.wanted]
                fds = self.pidfds()
            due = [wait for wait in due if wait is not None]
            ready, _, _ = select.select([self.ear, *fds], [], [],
                                        min(due, default=None))
            for fd in fds:
                os.close(fd)
            if self.ear in ready:
                self.ear.recv(4096)

    def pidfds(self):
        """One descriptor a living member, readable when it ends."""
        fds = []
        for group in self.groups:
            for pid in group.pids() if group.wanted else []:
                try:
                    fds.append(os.pidfd_open(pid))
                except ProcessLookupError:
                    self.nudge.send(b'.')   # it ended meanwhile: look again
        return fds

    def start(self, group):
        with self.lock:
            group.failures, group.not_before = 0, 0.0
            group.wanted = True
            while len(group.members) < group.count:
                group.spawn()
        self.nudge.send(b'.')

    def stop(self, groups, number=None):
        """Stop groups at once; number overrides their own signals."""
        with self.lock:
            for group in groups:
                group.wanted = False
                if number == signal.SIGKILL:
                    group.signal_all(number)
                else:
                    group.end(number or group.stop_signal)
            deadline = time.monotonic() + GRACE_S
            for group in groups:
                group.collect(deadline)
        self.nudge.send(b'.')

    def signal(self, group, number):
        """A signal to all processes of a group, descendants included."""
        with self.lock:
            group.signal_all(number)

    def close(self):
        self.ending = True
        self.nudge.send(b'.')
        self.thread.join()
        self.nudge.close()
        self.ear.close()
