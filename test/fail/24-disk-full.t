#!/usr/bin/python3 -B
# The disk of the file store fills up in the middle of an upload.

import contextlib
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import wheel
from faults import World, refused
from servers import Instance, folder
from tap import cases, contains, equal, skip_all

DISK_BYTES = 4 << 20
WORLD = None


def upload(project, n_bytes):
    noise = random.Random(project).randbytes(n_bytes)
    name, data = wheel(project, '1', files=[('noise.bin', noise)])
    return WORLD.client.upload(name, data)


@contextlib.contextmanager
def small_disk(path):
    os.makedirs(path)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={DISK_BYTES}',
                       'tmpfs', path], capture_output=True).returncode:
        skip_all('may not mount a small file system')
    try:
        yield
    finally:
        subprocess.run(['umount', path], check=True)


def test_a_full_disk_is_said_to_be_full_and_nothing_is_half_done():
    equal(upload('before', 1000).status, 200)
    for _ in range(3):
        answer = upload('large', DISK_BYTES)
        refused(answer)
    with open(WORLD.index.path('log', 'upload.log')) as log:
        contains(log.read(), 'the disk of the file store is full')
    staging = WORLD.index.path('store', 'staging')
    equal(os.listdir(staging), [])
    equal(WORLD.client.get('/simple/large/').status, 404)
    equal(upload('after', 1000).status, 200)
    WORLD.agree()


if __name__ == '__main__':
    with folder() as path, small_disk(os.path.join(path, 'store')), \
            Instance(path, throwaway=True, need_free_bytes=0) as index:
        WORLD = World(index)
        cases(globals())
