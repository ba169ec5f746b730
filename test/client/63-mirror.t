#!/usr/bin/python3 -B
# Mirrors: what they end with is what the index has, after each of two rounds
# of changes, and none of them ever meets a page older than what it was told.

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import xmlrpc.client

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from clients import (ask, cases, client, digest, files, inside, new_venv,
                     put, pypirc, wheel)
from servers import folder, instance
from tap import equal, ok, say
from tls import front

INDEX = HOME = TLS = None       # the instance, our home, https before it
CHEAP = ['--argon2-memory-cost', '1024', '--argon2-time-cost', '1',
         '--argon2-parallelism', '1']   # else its start takes 15 s
STALE = 'stale'                 # in what bandersnatch says of such a page


def upload(*paths):
    client('twine', HOME).run('twine', 'upload', '--non-interactive',
                              '--disable-progress-bar', '-r', 'tilsit',
                              *paths)


def first_changes(tag):
    dist = f'{HOME}/dist'
    os.makedirs(dist, exist_ok=True)
    upload(*[wheel(dist, f'{tag}-{name}', version)
             for name in ('stays', 'grows', 'shrinks', 'goes', 'Odd.Name')
             for version in ('1.0', '1.1')])


def second_changes(tag):
    dist = f'{HOME}/dist'
    upload(wheel(dist, f'{tag}-grows', '2.0'), wheel(dist, f'{tag}-new', '1'))
    for words in (
            ('file', 'delete', f'{tag}_shrinks-1.0-py3-none-any.whl', '--yes'),
            ('release', 'delete', f'{tag}-Odd.Name', '1.0', '--yes'),
            ('release', 'yank', f'{tag}-stays', '1.0', '--reason', 'old'),
            ('project', 'delete', f'{tag}-goes', '--yes')):
        INDEX.tilsit(*words)


def index_files():
    """{path: sha256} of every file, by walking /simple/."""
    return {urllib.parse.urlsplit(entry['url']).path:
            entry['hashes']['sha256']
            for project in ask(INDEX, '/simple/').json['projects']
            for entry in files(INDEX, project['name']).values()}


def folder_files(top):
    """{path: sha256} of the packages below a mirror's folder."""
    return {path[len(top):]: digest(path)
            for parent, _, names in os.walk(f'{top}/packages')
            for path in (os.path.join(parent, name) for name in names)
            if path.endswith(('.whl', '.gz', '.zip'))}


class Bandersnatch:
    def __init__(self, which, more=''):
        self.client = client(which, HOME)
        self.top = f'{HOME}/{which}'
        put(f'{self.top}.conf', f"""
[mirror]
directory = {self.top}
json = true
release-files = true
master = {TLS.url}
timeout = 30
global-timeout = 120
workers = 3
verifiers = 3
hash-index = false
stop-on-error = true
storage-backend = filesystem
compare-method = hash
{more}
""")

    def run(self, *words):
        status, said = self.client.try_run(
            'bandersnatch', '-c', f'{self.top}.conf', *words,
            env=TLS.environment)
        equal(status, 0, f'{words}: {said[-3000:]}')
        ok(STALE not in said.lower(), said[-3000:])
        return said

    def serial(self):
        with open(f'{self.top}/status') as status:
            return int(status.read())


def bandersnatch_follows(which, tag, more=''):
    mirror = Bandersnatch(which, more)
    first_changes(tag)
    mirror.run('mirror')
    equal(folder_files(f'{mirror.top}/web'), index_files())
    second_changes(tag)
    mirror.run('mirror')
    # It adds; what is gone from the index it finds out by verifying.
    missing = index_files().keys() - folder_files(f'{mirror.top}/web').keys()
    equal(missing, set())
    mirror.run('verify', '--delete', '--json-update')
    equal(folder_files(f'{mirror.top}/web'), index_files())
    return mirror


def test_bandersnatch_newest_follows_by_the_simple_api():
    mirror = bandersnatch_follows('bandersnatch', 'ba',
                                  'simple-format = ALL')
    # The newest of those still there: it never hears of a deleted one.
    equal(mirror.serial(), max(project['_last-serial'] for project in
                               ask(INDEX, '/simple/').json['projects']))


def test_bandersnatch_4_follows_by_xml_rpc():
    mirror = bandersnatch_follows('bandersnatch-4', 'bb')
    equal(mirror.serial(), xmlrpc.client.ServerProxy(
        INDEX.url + '/pypi').changelog_last_serial())


class Pep381:
    """The requests of pep381client 1.5, in their order, and its demands."""

    def __init__(self):
        self.rpc = xmlrpc.client.ServerProxy(INDEX.url + '/pypi')
        self.top, self.since = f'{HOME}/pep381', None
        self.pages = {}

    def get(self, path):
        request = urllib.request.Request(
            INDEX.url + path, headers={'User-Agent': 'pep381client/1.5'})
        try:
            with urllib.request.urlopen(request) as answer:
                return None if answer.url != INDEX.url + path \
                    else answer.read()      # a redirect: it is gone
        except urllib.error.HTTPError as error:
            equal(error.code, 404, path)
            return None

    def sync(self):
        """Once: the names that changed, then their pages and files."""
        now = self.rpc.changelog_last_serial()
        if self.since is None:
            names = set(self.rpc.list_packages())
        else:
            names = {event[0] for event in
                     self.rpc.changelog_since_serial(self.since)}
        self.get('/simple/')
        for name in sorted(filter(None, names)):
            self.sync_project(re.sub('[-_.]+', '-', name).lower())
        self.since = now

    def sync_project(self, name):
        page = self.get(f'/simple/{urllib.parse.quote(name)}/')
        if page is None:
            self.pages.pop(name, None)
            return
        self.pages[name] = {
            urllib.parse.urlsplit(link) for link in
            re.findall(r'<a href="([^"]+)"', page.decode())}
        for link in self.pages[name]:
            where = self.top + link.path
            if not os.path.exists(where):
                os.makedirs(os.path.dirname(where), exist_ok=True)
                with open(where, 'wb') as out:
                    out.write(self.get(link.path))

    def files(self):
        """{path: sha256} of what the mirror has and its pages name."""
        return {link.path: digest(self.top + link.path)
                for links in self.pages.values() for link in links}


def test_pep381client_follows_by_xml_rpc():
    mirror = Pep381()
    first_changes('pa')
    mirror.sync()
    equal(mirror.files(), index_files())
    second_changes('pa')
    mirror.sync()
    equal(mirror.files(), index_files())


class Devpi:
    """A devpi-server with our index as a mirror, the way its users make it."""

    def __init__(self):
        self.client = client('devpi', HOME)
        self.top, self.log = f'{HOME}/devpi', f'{HOME}/devpi.log'
        with socket.create_server(('127.0.0.1', 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'

    def __enter__(self):
        self.client.run('devpi-init', '--serverdir', self.top,
                        '--no-root-pypi')
        self.client.run('devpi-gen-secret', '--secretfile', f'{HOME}/secret')
        with open(self.log, 'w') as log:
            self.process = subprocess.Popen(
                [self.client.program('devpi-server'), '--serverdir', self.top,
                 '--secretfile', f'{HOME}/secret', '--port', str(self.port),
                 *CHEAP], stdout=log, stderr=log, env={
                     **inside(HOME), **TLS.environment})
        try:
            self.wait()
            self.devpi('use', self.url)
            self.devpi('login', 'root', '--password=')
            self.mirror('root/listed')
            # With a list and no cache it takes our 304 for an empty list.
            self.mirror('root/fresh', 'mirror_no_project_list=true',
                        'mirror_cache_expiry=0')
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        with open(self.log) as log:
            say(log.read())

    def devpi(self, *words):
        self.client.run('devpi', *words)

    def wait(self):
        """Until it answers, or has ended."""
        while True:
            try:
                return urllib.request.urlopen(self.url + '/+api').close()
            except OSError:
                with open(self.log) as log:
                    equal(self.process.poll(), None, log.read())
                time.sleep(0.1)

    def mirror(self, name, *settings):
        self.devpi('index', '-c', name, 'type=mirror',
                   f'mirror_url={TLS.url}/simple/', *settings)

    def installs(self, mirror, requirement, want):
        venv = new_venv('pip', HOME)
        venv.run('python', '-m', 'pip', 'install', '-q', '--no-cache-dir',
                 '--index-url', f'{self.url}/{mirror}/+simple/',
                 requirement)
        equal(venv.run('python', '-m', 'pip', 'freeze').split(), [want])


def test_devpi_mirrors_and_pip_installs_through_it():
    first_changes('da')
    with Devpi() as devpi:
        devpi.installs('root/listed', 'da-odd-name', 'da-Odd.Name==1.1')
        devpi.installs('root/fresh', 'da-grows', 'da-grows==1.1')
        second_changes('da')
        devpi.installs('root/fresh', 'da-grows', 'da-grows==2.0')
        devpi.installs('root/fresh', 'da-new', 'da-new==1')


if __name__ == '__main__':
    with folder() as HOME, front() as TLS, instance(
            access_log='', settings={'external_url': TLS.url}) as INDEX:
        TLS.serve(INDEX)
        pypirc(HOME, INDEX, INDEX.token('ann'))
        cases(globals())
