#!/usr/bin/python3
"""The file store after a kill -9, at its fault points and at every single
system call, and on a disk that is full.

Whatever the moment: no file has its name without having all its bytes, what
is left over can be swept, and the next try succeeds.
"""

import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from tap import cases, contains, equal, ok, say, skip  # noqa: E402

BUILD = os.environ.get("BUILD", "build/plain")
TOOL = f"{BUILD}-faults/tool/store"
CONTENTS = b"what a file holds\n" * 5000
METADATA = "Name: demo\n"
NAME = "demo-1.0.tar.gz"
HEX = hashlib.blake2b(CONTENTS, digest_size=32).hexdigest()
PATH = f"{HEX[:2]}/{HEX[2:4]}/{HEX[4:]}/{NAME}"
MTIME = "1700000000"
POINTS = ("F-staged", "F-synced", "F-kept")

subprocess.run(["make", "-s", "FAULTS=1", TOOL] +
               (["SAN=1"] if BUILD.endswith("san") else []),
               check=True, stdout=subprocess.DEVNULL)
# LeakSanitizer cannot work in a process that is traced.
ENV = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}


class Store:
    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="tilsit-store-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)

    def run(self, *args, contents=CONTENTS, **env):
        return subprocess.run([TOOL, self.root, *args], input=contents,
                              capture_output=True, check=False,
                              env={**ENV, **env})

    def keep(self, **env):
        return self.run("keep", NAME, METADATA, MTIME, **env)

    def staged(self):
        return sorted(os.listdir(f"{self.root}/staging"))

    def list(self):
        return self.run("list").stdout.decode().splitlines()


def check_left(store):
    """After a kill: a file has its name and its bytes, or no name."""
    for line in store.list():
        path, size, mtime = line.split(" ")
        say(line)
        ok(path in (PATH, PATH + ".metadata"), path)
        whole = len(METADATA) if path.endswith("metadata") else len(CONTENTS)
        equal((int(size), mtime), (whole, MTIME))
        if path == PATH:
            equal(store.run("verify", HEX, NAME).returncode, 0)


def check_again(store):
    """What a kill left is swept, and the next try takes over the rest."""
    ok(len(store.staged()) <= 2, store.staged())
    done = store.keep()
    equal((done.returncode, done.stderr), (0, b""))
    equal(store.run("sweep", "0").returncode, 0)
    equal(store.staged(), [])
    equal(store.list(), [f"{PATH} {len(CONTENTS)} {MTIME}",
                         f"{PATH}.metadata {len(METADATA)} {MTIME}"])
    equal(store.run("verify", HEX, NAME).returncode, 0)


def test_a_kill_at_each_fault_point_leaves_nothing_half_done():
    for point in POINTS:
        with Store() as store:
            done = store.keep(TILSIT_FAULT=f"{point}:kill")
            equal(done.returncode, -signal.SIGKILL, point)
            equal(len(store.list()), 2 if point == "F-kept" else 0, point)
            check_left(store)
            check_again(store)


def test_a_kill_over_a_kept_file_leaves_it_as_it_is():
    for point in POINTS:
        with Store() as store:
            equal(store.keep().returncode, 0)
            done = store.keep(TILSIT_FAULT=f"{point}:kill")
            equal(done.returncode, -signal.SIGKILL, point)
            equal(len(store.list()), 2)
            check_left(store)
            check_again(store)


LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long
TRACEME, SYSCALL = 0, 24


def run_until(args, contents, stops):
    """Run args, kill them at system call stop number stops (each call has
    two, before and after); None if they ended before.  The other signals
    pass."""
    read, write = os.pipe()
    os.write(write, contents)       # less than the 64 KB that a pipe holds
    os.close(write)
    child = os.fork()
    if child == 0:
        os.dup2(read, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        LIBC.ptrace(TRACEME, 0, None, None)
        os.execve(args[0], args, ENV)
    os.close(read)
    while True:
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status):
            return status
        if stops == 0:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        stops -= 1
        LIBC.ptrace(SYSCALL, child, None, None)


def may_trace():
    with Store() as store:
        return run_until([TOOL, store.root, "list"], b"", 3) is None


def kill_at(stops, prepare, verb, contents, check=None):
    """Did the command do anything to a store before it was killed at this
    stop; and did it end before?"""
    with Store() as store:
        prepare(store)
        before = sorted(os.walk(store.root))
        status = run_until([TOOL, store.root, *verb], contents, stops)
        touched = sorted(os.walk(store.root)) != before
        if check:
            say(f"killed at stop {stops} of {' '.join(verb)}")
            check(store)
        return touched, status is not None


def kill_everywhere(prepare, verb, check, contents):
    """Kill at each system call but the first ones, which start a program and
    do nothing to the store; how many there were."""
    first, stop = 0, 4096
    while first + 2 < stop:
        middle = (first + stop) // 4 * 2
        if kill_at(middle, prepare, verb, contents)[0]:
            stop = middle
        else:
            first = middle
    count, ended = 0, False
    while not ended:
        stop = first + 2 * count    # two stops a call, one of them will do
        _, ended = kill_at(stop, prepare, verb, contents, check)
        count += 1
    return count


SHORT = CONTENTS[:18 * 1000]


def test_a_kill_at_any_system_call_of_keep_can_be_repaired():
    if not may_trace():
        skip("ptrace is not permitted here")
    path = hashlib.blake2b(SHORT, digest_size=32).hexdigest()
    sizes = {len(SHORT), len(METADATA)}
    verb = ("keep", NAME, METADATA, MTIME)

    def check(store):
        for line in store.list():
            ok(int(line.split(" ")[1]) in sizes, line)
            contains(line.replace("/", ""), path)
        equal(store.run(*verb, contents=SHORT).returncode, 0)
        store.run("sweep", "0")
        equal(store.staged(), [])
        equal(len(store.list()), 2)
        equal(store.run("verify", path, NAME).returncode, 0)

    ok(kill_everywhere(lambda store: None, verb, check, SHORT) > 20)


def test_a_kill_at_any_system_call_of_remove_can_be_repaired():
    if not may_trace():
        skip("ptrace is not permitted here")
    verb = ("remove", HEX, NAME)

    def check(store):
        check_left(store)
        equal(store.run(*verb).returncode, 0)
        equal(os.listdir(f"{store.root}/packages"), [])
        check_again(store)

    ok(kill_everywhere(lambda store: store.keep(), verb, check, b"") > 5)


# A disk that is full: a tmpfs of few bytes or few inodes, in a mount
# namespace of its own.

IN_TMPFS = """
mount -t tmpfs -o "$1" tmpfs "$2" || exit 99
"$3" "$2" keep "$4" "$5" "$6"; echo "exit $?"
echo staged $(ls "$2/staging" 2>/dev/null)
echo kept $(find "$2/packages" -name demo* 2>/dev/null | wc -l)
"""


def keep_in_tmpfs(options, contents):
    """What the tool said, or None where no tmpfs can be mounted."""
    with tempfile.TemporaryDirectory() as root:
        done = subprocess.run(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", IN_TMPFS,
             "sh", options, root, TOOL, NAME, METADATA, MTIME],
            input=contents, capture_output=True, check=False, env=ENV)
    if done.returncode != 0:
        say(done.stderr.decode())
        return None
    return done.stdout.decode() + done.stderr.decode()


def test_a_full_disk_is_said_to_be_one_and_nothing_is_left():
    said = keep_in_tmpfs("size=64k", CONTENTS)
    if said is None:
        skip("no tmpfs can be mounted here")
    contains(said, "exit 8")
    contains(said, "UNAVAILABLE: the disk of the file store is full")
    contains(said, "staged\n")
    contains(said, "kept 0")
    contains(keep_in_tmpfs("size=1m", CONTENTS), "exit 0")


def test_a_disk_without_inodes_leaves_nothing_half_done():
    outcomes = set()
    for inodes in range(2, 12):
        said = keep_in_tmpfs(f"size=1m,nr_inodes={inodes}", CONTENTS)
        if said is None:
            skip("no tmpfs can be mounted here")
        say(inodes, said)
        full = "the disk of the file store is full" in said
        outcomes.add(full)
        contains(said, "staged\n")
        ok(full or "cannot make" in said or "exit 0" in said, said)
        contains(said, "kept 0" if full else "kept")
    equal(outcomes, {True, False})


if __name__ == "__main__":
    cases(globals())
