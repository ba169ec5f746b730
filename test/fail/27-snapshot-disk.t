#!/usr/bin/python3 -B
# The disk of the snapshot is full, or its folder is not ours: that is said,
# and nothing else suffers.

import contextlib
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import V1_HTML, V1_JSON
from faults import World, wait_until
from servers import Instance, folder
from snapshots import (MODULE, caught_up, check_behind, check_whole, items,
                       position)
from tap import cases, contains, equal, ok, skip_all

DISK = 'size=1m'
LARGER = 'remount,size=64m'
FORMS = [('/simple/{}/', 'text/html'), ('/simple/{}/', V1_HTML),
         ('/simple/{}/', V1_JSON), ('/pypi/{}/json', '*/*')]
PROJECTS = 12
WORLD = INDEX = None


@contextlib.contextmanager
def small_disk(path):
    os.makedirs(path)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', DISK, 'tmpfs', path],
                      capture_output=True).returncode:
        skip_all('may not mount a small file system')
    try:
        yield
    finally:
        subprocess.run(['umount', path], check=True)


def runner_log():
    with open(INDEX.path('log', 'runner.log')) as log:
        return log.read()


def upload(project):
    """A project whose pages take some 100 KB."""
    noise = random.Random(project)
    body = ''.join(chr(noise.randrange(33, 127)) for _ in range(60000))
    equal(WORLD.upload(project, '1', body=body).status, 200)


def check_config():
    user = INDEX.user
    drop = ['setpriv', f'--reuid={user.pw_uid}', f'--regid={user.pw_gid}',
            '--clear-groups', '--'] if user else []
    done = subprocess.run(
        [*drop, INDEX.path('bin', 'tilsit'), '--config', INDEX.config,
         'check-config'], text=True, cwd='/', stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def test_a_full_disk_is_said_to_be_full_and_uploads_go_on():
    for number in range(PROJECTS):
        upload(f'large-{number}')
    wait_until('it is said', lambda: 'write snapshot: the disk of the '
               'snapshots is full' in runner_log())
    upload('one-more')
    WORLD.agree()


def test_what_is_on_the_full_disk_is_whole():
    check_behind(INDEX)
    ok(items(INDEX), 'some found room')
    ok(position(INDEX) < WORLD.client.serial(), 'others did not')


def test_with_room_it_catches_up():
    subprocess.run(['mount', '-o', LARGER, INDEX.snapshot], check=True)
    caught_up(INDEX, WORLD.client.serial())
    check_whole(INDEX, WORLD.client, FORMS)


def test_a_folder_that_is_ours_is_good():
    status, text = check_config()
    equal(status, 0, text)
    contains(text, 'snapshot_path: can be written')


def test_a_folder_that_is_not_ours_is_said_so_and_uploads_go_on():
    if not INDEX.user:
        return
    os.chown(INDEX.snapshot, 0, 0)
    os.chmod(INDEX.snapshot, 0o755)
    before = len(runner_log())
    upload('not-shown')
    wait_until('it is said', lambda: 'Permission denied' in
               runner_log()[before:])
    status, text = check_config()
    equal(status, 1, text)
    contains(text, f'snapshot_path: FAILED: {INDEX.snapshot}')
    WORLD.agree()
    INDEX.give(INDEX.snapshot)
    caught_up(INDEX, WORLD.client.serial())
    check_whole(INDEX, WORLD.client, FORMS)


if __name__ == '__main__':
    if not os.path.exists(MODULE):
        skip_all('libnginx-mod-http-js is not installed')
    with folder() as path, small_disk(os.path.join(path, 'snapshot')), \
            Instance(path, throwaway=True, snapshot=True) as index:
        INDEX, WORLD = index, World(index)
        cases(globals())
