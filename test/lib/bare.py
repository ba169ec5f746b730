"""Bare servers for the tests of lib/io, without an index behind them (that is
servers.py): PostgreSQL and memcached on unix sockets in one temporary folder,
gone when the test ends, however it ends.

    with Folder() as folder:
        pg = Postgres(folder)
        mc = Memcached(folder)
        pg.sql("SELECT 1")

Each server is a child that the kernel kills with its parent.  Nothing waits
for a time: ready means that the server answers.
"""
import atexit
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 60     # before a server that does not start is a failure


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


def wait_until(what, is_true):
    """Poll until is_true() is; it says so if that takes too long."""
    end = time.monotonic() + PATIENCE_S
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


class Folder:
    """A temporary folder with a short name (unix sockets allow 107 bytes)
    that other users may enter: PostgreSQL does not run as root."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="tilsit-")
        os.chmod(self.path, 0o755)
        self.children = []
        atexit.register(self.close)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, args, **options):
        with open(f"{self.path}/log", "ab") as log:
            child = subprocess.Popen(args, stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log,
                                     preexec_fn=_die_with_parent, **options)
        self.children.append(child)
        return child

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.kill()
            child.wait()
        self.children = []
        shutil.rmtree(self.path, ignore_errors=True)


class Tool:
    """A program of test/tool/ that answers each line with a line."""

    def __init__(self, name, *args):
        build = os.environ.get("BUILD", "build/plain")
        # Freed memory that the sanitizer keeps is not what tests measure.
        env = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=1")
        self.child = subprocess.Popen(
            [f"{build}/tool/{name}", *map(str, args)], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=_die_with_parent, env=env)

    def send(self, line):
        self.child.stdin.write(line + "\n")

    def answer(self):
        return self.child.stdout.readline().rstrip("\n").rstrip(" ")

    def ask(self, line):
        self.send(line)
        return self.answer()

    def close(self):
        """End it; what it said on standard error, and its exit status."""
        errors = self.child.communicate()[1]
        return errors, self.child.returncode


class Memcached:
    """settings: more arguments, such as ["-I", "4m"]."""

    def __init__(self, folder, name="memcached", settings=()):
        self.folder = folder
        self.socket = f"{folder.path}/{name}.sock"
        self.server = f"unix:{self.socket}"
        self.settings = list(settings)
        self.start()

    def start(self):
        user = pwd.getpwuid(os.getuid()).pw_name
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.child = self.folder.start(
            ["memcached", "-s", self.socket, "-a", "0600", "-t", "1",
             "-u", user, *self.settings])
        wait_until("memcached", self._answers)

    def _answers(self):
        try:
            return self.ask("version").startswith("VERSION")
        except OSError:
            return False

    def ask(self, command, value=None):
        """One command of the ASCII protocol over a connection of its own."""
        data = command.encode() + b"\r\n"
        if value is not None:
            data += value + b"\r\n"
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.socket)
            s.sendall(data + b"quit\r\n")
            return s.makefile("rb").read().decode("latin-1")

    def get(self, key):
        """The value's bytes, or None."""
        answer = self.ask(f"get {key}").encode("latin-1")
        head, _, rest = answer.partition(b"\r\n")
        if not head.startswith(b"VALUE "):
            return None
        return rest[:int(head.split()[3])]

    def signal(self, number):
        self.child.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.child.wait()
        elif number == signal.SIGSTOP:
            os.waitid(os.P_PID, self.child.pid, os.WSTOPPED | os.WNOWAIT)


class Postgres:
    """A cluster of its own; settings: {"name": "value"}."""

    def __init__(self, folder, settings=None):
        self.folder = folder
        self.home = f"{folder.path}/pg"
        self.conninfo = f"host={self.home} dbname=postgres user=postgres"
        self.bin = subprocess.run(["pg_config", "--bindir"], check=True,
                                  capture_output=True, text=True).stdout.strip()
        self.prefix = []
        os.mkdir(self.home)
        if os.getuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.home, account.pw_uid, account.pw_gid)
            self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres",
                           "--clear-groups", "--pdeathsig", "KILL", "--"]
        subprocess.run([*self.prefix, f"{self.bin}/initdb", "-D",
                        f"{self.home}/data", "-U", "postgres", "-A", "trust",
                        "-E", "UTF8", "--locale=C", "-N"], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.home)
        self.settings = {"fsync": "off", "listen_addresses": "",
                         "unix_socket_directories": self.home,
                         "shared_buffers": "32MB", **(settings or {})}
        self.start()

    def start(self):
        args = [*self.prefix, f"{self.bin}/postgres", "-D",
                f"{self.home}/data"]
        for name, value in self.settings.items():
            args += ["-c", f"{name}={value}"]
        self.child = self.folder.start(args, cwd=self.home)
        wait_until("PostgreSQL", lambda: subprocess.run(
            [f"{self.bin}/pg_isready", "-q", "-h", self.home]).returncode == 0)

    def stop(self, number=signal.SIGQUIT):
        """SIGQUIT: at once, as after a crash; SIGINT: in order."""
        self.child.send_signal(number)
        self.child.wait()

    def sql(self, text, *args):
        """Run statements with psql; the rows as lines, columns by '|'."""
        done = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *args,
             self.conninfo, "-f", "-"], input=text, text=True,
            capture_output=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()
