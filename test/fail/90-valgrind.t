#!/usr/bin/python3 -B
# Workers under valgrind: an upload, its pages, a refusal, the changelog.
# Nothing may be read before it is written, written outside, or lost.

import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import V1_JSON, Client, sdist, wheel
from servers import instance
from tap import cases, equal, ok, skip_all

if os.environ.get('SAN'):
    skip_all('the sanitizers look for the same, and do not run in valgrind')

CLIENT = None
VALGRIND = ['valgrind', '--quiet', '--leak-check=full',
            '--errors-for-leak-kinds=definite', '--error-exitcode=99']


def test_uploads_pages_and_changelog_answer():
    for made in (wheel('one', '1'), sdist('one', '1'), wheel('two', '1')):
        equal(CLIENT.upload(*made).status, 200)
    equal(CLIENT.upload(*wheel('one', '1')).status, 200, 'the same again')
    name, data = wheel('bad', '1')
    equal(CLIENT.upload(name, data[:-9]).status, 400)
    for path in ('/simple/', '/simple/one/', '/pypi/one/json',
                 '/pypi/one/1/json', '/rss/updates.xml', '/rss/packages.xml',
                 '/rss/project/one/releases.xml'):
        for encoding in 'identity', 'gzip':
            for _ in 'miss', 'hit':
                equal(CLIENT.get(path, **{
                    'Accept-Encoding': encoding}).status, 200, path)
    equal(CLIENT.get('/simple/one/', Accept=V1_JSON).status, 200)
    equal(CLIENT.get('/simple/none/').status, 404)
    ok(CLIENT.serial() > 0)


def test_valgrind_has_nothing_to_say():
    CLIENT.index.stop()
    for log in glob.glob(CLIENT.index.path('log', '*.log')):
        with open(log) as lines:
            said = [line for line in lines if line.startswith('==')]
        equal(''.join(said), '', os.path.basename(log))


with instance(wrap=VALGRIND) as index:
    CLIENT = Client(index)
    cases(globals())
