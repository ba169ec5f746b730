#!/usr/bin/python3 -B
# The backup of deploy/README.md, taken beside uploads, becomes an index again,
# on the commands that stand there.

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from servers import TREE, folder, instance
from tap import cases, contains, equal, ok, say

from instance import postgresql_bin

RESTORED = os.path.join(TREE, 'deploy/postgresql/restored.sql')


def wheel(place, version):
    """A wheel; its path."""
    info = f'saved-{version}.dist-info'
    path = os.path.join(place, f'saved-{version}-py3-none-any.whl')
    with zipfile.ZipFile(path, 'w') as out:
        out.writestr('saved.py', f'VERSION = "{version}"\n')
        out.writestr(f'{info}/METADATA', 'Metadata-Version: 2.1\n'
                     f'Name: saved\nVersion: {version}\n')
        out.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\n'
                     'Root-Is-Purelib: true\nTag: py3-none-any\n')
        out.writestr(f'{info}/RECORD', '')
    return path


def upload(index, token, path):
    with open(path, 'rb') as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    name, version = os.path.basename(path).split('-')[:2]
    fields = {':action': 'file_upload', 'protocol_version': '1',
              'metadata_version': '2.1', 'name': name, 'version': version,
              'filetype': 'bdist_wheel', 'pyversion': 'py3',
              'sha256_digest': digest, 'content': f'@{path}'}
    done = subprocess.run(
        ['curl', '-sS', '-u', f'__token__:{token}',
         *(word for name, value in fields.items()
           for word in ('-F', f'{name}={value}')),
         f'{index.url}/legacy/'], stdout=subprocess.PIPE, text=True,
        check=True)
    equal(done.stdout, 'OK\n')


def page(index):
    """The project's page as JSON, and its serial."""
    asked = urllib.request.Request(index.url + '/simple/saved/', headers={
        'Accept': 'application/vnd.pypi.simple.v1+json'})
    with urllib.request.urlopen(asked) as answer:
        got = json.load(answer)
    return got, got['meta']['_last-serial']


def postgresql(program, index, *words, **more):
    """A client program of PostgreSQL; what it prints."""
    done = subprocess.run(
        [f'{postgresql_bin()}/{program}', '-d', index.conninfo, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    say(done.stderr.decode())
    equal(done.returncode, 0, f'status of {program}')
    return done.stdout


def take_backup(index, place, meanwhile):
    """The database first, then the files."""
    with open(f'{place}/dump', 'wb') as out:
        out.write(postgresql('pg_dump', index, '-Fc'))
    meanwhile()
    shutil.copytree(index.path('store', 'packages'), f'{place}/packages')


def restore(index, place):
    """Into an instance that has an empty schema only."""
    for part in 'simple', 'upload', 'changelog', 'runner':
        index.stop(part)
    shutil.rmtree(index.path('store', 'packages'))
    shutil.copytree(f'{place}/packages', index.path('store', 'packages'))
    for at, _, names in os.walk(index.path('store', 'packages')):
        for path in [at] + [os.path.join(at, name) for name in names]:
            index.give(path)
    with open(f'{place}/dump', 'rb') as dump:
        postgresql('pg_restore', index, '--exit-on-error', '--clean',
                   '--if-exists', '--no-owner', stdin=dump)
    postgresql('psql', index, '-c', 'UPDATE primary_state SET timeline = 7')
    with open(RESTORED) as script:
        postgresql('psql', index, '-f', '-', stdin=script)
    index.restart('memcached')
    for part in 'simple', 'upload', 'changelog', 'runner':
        index.start(part)


def test_a_backup_beside_uploads_becomes_an_index_again():
    with folder() as place, instance() as old:
        token = old.token('keeper')
        early, late = wheel(place, '1.0'), wheel(place, '2.0')
        upload(old, token, early)
        before, _ = page(old)
        take_backup(old, place, lambda: upload(old, token, late))
        _, seen = page(old)
        with instance() as new:
            restore(new, place)
            contains(new.tilsit('fsck'), '1 files')
            after, serial = page(new)
            equal(after['files'], before['files'])
            upload(new, token, late)
            equal(page(new)[0]['versions'], ['1.0', '2.0'])
            ok(page(new)[1] > seen, 'no serial is told twice')
            upload(new, token, early)       # changes nothing
            contains(new.tilsit('fsck'), '2 files')
            fsck_finds_what_is_gone(new)


def fsck_finds_what_is_gone(index):
    for at, _, names in os.walk(index.path('store', 'packages')):
        for name in names:
            if name == 'saved-1.0-py3-none-any.whl':
                os.unlink(os.path.join(at, name))
    done = subprocess.run([index.path('bin', 'tilsit'), '--config',
                           index.config, 'fsck'], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal(done.returncode, 1)
    contains(done.stdout, 'missing\tsaved-1.0-py3-none-any.whl')


if __name__ == '__main__':
    cases(globals())
