#!/usr/bin/python3 -B
# Workers, PostgreSQL and memcached are all down: nginx serves pages from the
# disk, as they were, and says so.

import concurrent.futures
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import V1_HTML, V1_JSON, Client, wheel
from faults import refused, sql, wait_until
from snapshots import (caught_up, edition, items, position, shown_serial,
                       snapshot_instance)
from tap import cases, contains, equal, ok, say
from views import Links

WHEELS = '/usr/share/python-wheels'     # python3-pip-whl and its like
PARTS = ('simple', 'upload', 'changelog', 'memcached', 'postgresql')
PIP = ('application/vnd.pypi.simple.v1+json, '
       'application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01')
OLD_BROWSER = 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2'
BROWSER = ('text/html,application/xhtml+xml,application/xml;q=0.9,'
           'image/avif,image/webp,*/*;q=0.8')
PAGES = ('/simple/', '/simple/demo/', '/simple/empty/', '/simple/a-b/',
         '/pypi/demo/json', '/pypi/demo/json/', '/pypi/a-b/json')
ACCEPTS = (
    '', '*/*', 'text/html', V1_HTML, V1_JSON, PIP, OLD_BROWSER, BROWSER,
    f'{V1_JSON}, {V1_HTML};q=0.2, text/html;q=0.01', f'{V1_HTML}, {V1_JSON}',
    f'{V1_JSON};q=1.0, */*;q=0.5', f'text/html;q=0, {V1_JSON}',
    f'{V1_JSON};q=0, */*', 'text/html ;level=1; q=1, ' + V1_JSON,
    'TEXT/HTML', 'text/*;q=0.3', f'text/html;q=0, {V1_HTML};q=0.001',
    V1_JSON.replace('v1', 'latest'), 'application/*', 'garbage',
    f'application/json, {V1_JSON};q=0.9',
)
CODINGS = ('', 'gzip', 'gzip, deflate', 'gzip, deflate, br, zstd', 'identity',
           'gzip;q=0', 'gzip;q=0.5', 'x-gzip', '*', '*;q=0', 'deflate',
           'gzip;q=1.0, identity; q=0.5, *;q=0', 'br')
FORMATS = (f'?format={V1_JSON}', '?format=' + V1_JSON.replace('+', '%2B'),
           f'?format={V1_HTML}', '?format=text/html', '?format=nothing',
           '?other=1')
SAME = ('Content-Type', 'ETag', 'X-PyPI-Last-Serial', 'Vary', 'Content-Length',
        'Content-Encoding', 'Access-Control-Allow-Origin',
        'Access-Control-Expose-Headers', 'X-Content-Type-Options')
INDEX = CLIENT = BEFORE = None


def questions():
    """(path, header fields) of which a worker and nginx are asked alike."""
    for path in PAGES:
        for accept in ACCEPTS:
            yield path, {'Accept': accept, 'Accept-Encoding': 'gzip'}
        for coding in CODINGS:
            yield path, {'Accept': V1_JSON, 'Accept-Encoding': coding}
        for query in FORMATS:
            yield path + query, {'Accept': '*/*'}
            yield path + query, {'Accept': V1_JSON, 'Accept-Encoding': 'gzip'}
        yield path, {}


def ask(path, fields, method='GET'):
    return CLIENT.ask(method, path, headers=fields)


def fill():
    for name, version in (('demo', '1'), ('demo', '2'), ('demo', '2.1'),
                          ('A.b', '1'), ('gone', '1'), ('gone', '2')):
        equal(CLIENT.upload(*wheel(name, version)).status, 200)
    for name in os.listdir(WHEELS):
        if name.startswith('wheel-'):
            with open(os.path.join(WHEELS, name), 'rb') as file:
                equal(CLIENT.upload(name, file.read()).status, 200)
    INDEX.tilsit('project', 'create', 'empty', 'alice')
    INDEX.tilsit('release', 'yank', 'demo', '2', '--reason', 'it "breaks"')
    caught_up(INDEX, CLIENT.serial())
    ok(edition(INDEX, 'project/gone'), 'there for now')
    INDEX.tilsit('project', 'delete', 'gone', '--yes')
    caught_up(INDEX, CLIENT.serial())


def same(answer, before, what):
    equal(answer.status, 200, what)
    equal(answer.text, before.text, what)
    for name in SAME:
        equal(answer[name], before[name], f'{name}: {what}')
    marked(answer)


def marked(answer):
    equal(answer['Tilsit-Degraded'], 'snapshot')
    equal(answer.headers.get_all('Cache-Control'), ['no-store'])
    equal(answer['Surrogate-Control'], 'no-store')
    ok(int(answer['Age']) >= 0, 'an Age')
    equal([answer['Last-Modified'], answer['Expires'],
           answer['Accept-Ranges']], [None] * 3)


# Everything works.


def test_no_page_is_marked_while_all_is_well():
    global BEFORE
    BEFORE = [(path, fields, ask(path, fields))
              for path, fields in questions()]
    for path, _, answer in BEFORE:
        ok(answer.status == 200 or path.startswith('/pypi/empty'), path)
        equal(answer['Tilsit-Degraded'], None)
        equal(answer['Cache-Control'], 'public, max-age=0, must-revalidate')


def test_a_worker_speaks_for_itself_while_it_is_there():
    """What nginx must not replace: 404, 301, 405, 406."""
    answer = CLIENT.get('/simple/nosuch/')
    equal(answer.status, 404)
    contains(answer.words, 'no project')
    equal(CLIENT.get('/simple/Demo/')['Location'], '/simple/demo/')
    equal(CLIENT.get('/simple/demo/', Accept='image/png').status, 406)
    equal(CLIENT.ask('POST', '/simple/demo/').status, 405)


def test_a_deleted_project_is_gone_from_the_disk():
    equal(items(INDEX), {'demo', 'a-b', 'empty', 'wheel'})
    equal(os.path.exists(os.path.join(INDEX.snapshot, 'project/gone')), False)


# The database and memcached are away, the workers are not.


def test_a_worker_without_a_database_ends_in_the_snapshot():
    INDEX.stop('memcached')
    INDEX.stop('postgresql')
    for path, fields, before in BEFORE:
        if fields.get('Accept') in ('text/html', PIP):
            same(ask(path, fields), before, path)
    equal(CLIENT.get('/-/ready').status, 503)


def test_uploads_are_refused_and_may_come_again():
    refused(CLIENT.upload(*wheel('demo', '3')))


# Everything is away.


def test_with_everything_down_each_form_has_the_same_bytes_and_headers():
    for part in PARTS[:3]:
        INDEX.stop(part)
    for path, fields, before in BEFORE:
        same(ask(path, fields), before, (path, fields))


def test_a_head_is_the_same_without_the_bytes():
    for path in PAGES:
        for coding in ('gzip', 'identity'):
            fields = {'Accept-Encoding': coding}
            get, head = ask(path, fields), ask(path, fields, 'HEAD')
            equal([head.status, head.text], [200, b''])
            equal({name: value for name, value in head.headers.items()
                   if name not in ('X-Request-Id', 'Age', 'Date')},
                  {name: value for name, value in get.headers.items()
                   if name not in ('X-Request-Id', 'Age', 'Date')})


def test_who_has_the_page_is_told_so():
    for path in PAGES:
        for accept in (V1_HTML, V1_JSON, 'text/html'):
            fields = {'Accept': accept, 'Accept-Encoding': 'gzip'}
            etag = ask(path, fields)['ETag']
            for wish, status in ((etag, 304), (f'W/{etag}', 304), ('*', 304),
                                 (f'"x", {etag}', 304), ('"x"', 200),
                                 (etag.replace('"', ''), 200),
                                 (etag[:-2] + '"', 200)):
                answer = ask(path, {**fields, 'If-None-Match': wish})
                equal(answer.status, status, (path, wish))
                equal([answer['ETag'], answer['Vary']],
                      [etag, 'Accept, Accept-Encoding'])
                marked(answer)
                if status == 304:
                    equal([answer.text, answer['Content-Length']], [b'', None])


def test_other_conditions_and_ranges_are_passed_over():
    for fields in ({'Range': 'bytes=0-3'},
                   {'If-Modified-Since': 'Fri, 01 Jan 2100 00:00:00 GMT'}):
        equal(ask('/simple/demo/', fields).status, 200)


def test_a_yanked_release_is_shown_as_one():
    files = {file['filename']: file['yanked'] for file in
             CLIENT.project('demo')['files']}
    equal(files, {'demo-1-py3-none-any.whl': False,
                  'demo-2-py3-none-any.whl': 'it "breaks"',
                  'demo-2.1-py3-none-any.whl': False})
    links = Links(CLIENT.get('/simple/demo/').words).found
    equal(links['demo-2-py3-none-any.whl']['data-yanked'], 'it "breaks"')


def test_what_the_snapshot_lacks_may_be_newer_and_is_503():
    for path in ('/simple/gone/', '/simple/nosuch/', '/simple/Demo/',
                 '/simple/a.b/', '/simple/demo', '/simple', '/pypi/gone/json',
                 '/pypi/empty/json', '/pypi/demo/2/json', '/rss/updates.xml',
                 '/simple/-/', '/simple/now/', '/-/ready'):
        answer = CLIENT.get(path)
        refused(answer)
        equal(answer['Tilsit-Degraded'], None)
        contains(answer.words, 'try again in a few seconds')
    refused(CLIENT.get('/simple/demo/', Accept='image/png'))
    refused(CLIENT.ask('POST', '/simple/demo/'))
    refused(CLIENT.get('/internal/snapshot.html'))


def test_changes_are_503_and_files_as_ever():
    refused(CLIENT.upload(*wheel('demo', '3')))
    refused(CLIENT.ask('POST', '/pypi', b'<x/>',
                       {'Content-Type': 'text/xml'}))
    url = CLIENT.project('demo')['files'][0]['url']
    equal(CLIENT.get(url).text, wheel('demo', '1')[1])


def test_the_age_grows_from_when_the_snapshot_was_last_right():
    first = int(CLIENT.get('/simple/demo/')['Age'])
    wait_until('it is a second older', lambda: int(
        CLIENT.get('/simple/demo/')['Age']) > first)
    written = edition(INDEX, 'project/demo')[1]
    ok(first <= time.time() - written, 'no older than the page itself')


def test_pip_installs_from_it():
    target = INDEX.path('tmp', 'installed')
    pip, = (name for name in os.listdir(WHEELS) if name.startswith('pip-'))
    done = subprocess.run(
        ['/usr/bin/python3', f'{WHEELS}/{pip}/pip', 'install', '--no-deps',
         '--no-cache-dir', '--disable-pip-version-check', '--target', target,
         '-i', INDEX.url + '/simple/', 'wheel', 'demo'],
        env={'PATH': '/usr/bin:/bin', 'HOME': INDEX.path('tmp'),
             'PIP_CONFIG_FILE': '/dev/null'}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    say(done.stdout)
    equal(done.returncode, 0, done.stdout)
    ok(os.path.exists(f'{target}/wheel/__init__.py'), 'wheel is installed')
    ok(os.path.exists(f'{target}/demo-2.1.dist-info'), 'not the yanked one')


# And back.


def test_when_all_is_back_no_page_is_marked_any_more():
    for part in PARTS[::-1]:
        INDEX.start(part)
    wait_until('the workers answer', lambda: CLIENT.get(
        '/simple/demo/')['Tilsit-Degraded'] is None)
    for path, fields, before in BEFORE:
        answer = ask(path, fields)
        equal(answer.text, before.text)
        equal(answer['Tilsit-Degraded'], None)
    equal(CLIENT.upload(*wheel('demo', '3')).status, 200)
    caught_up(INDEX, CLIENT.serial())


def etag_of(answer):
    """The ETag that a project's page must have: of its type and bytes."""
    about = answer['Content-Type'].encode() + \
        hashlib.sha256(answer.text).digest()
    return f'"{hashlib.sha256(about).hexdigest()[:32]}"'


def read_on(ends, seen):
    """A page that changes all the time, from the disk, in turn by form."""
    asked = 0
    while not ends.is_set():
        asked += 1
        answer = CLIENT.get(
            ('/simple/busy/', '/pypi/busy/json')[asked % 2], Accept=(
                V1_HTML, V1_JSON, 'text/html')[asked % 3],
            Accept_Encoding=('gzip', '')[asked % 5 % 2])
        seen.append((answer.status, int(answer['X-PyPI-Last-Serial'] or 0),
                     answer['ETag'] == etag_of(answer)))


def test_while_it_changes_name_and_bytes_are_of_one_edition():
    equal(CLIENT.upload(*wheel('busy', '0')).status, 200)
    caught_up(INDEX, CLIENT.serial())
    INDEX.stop('simple')
    ends, seen = threading.Event(), []
    reader = threading.Thread(target=read_on, args=(ends, seen))
    reader.start()
    for number in range(1, 8):
        answer = CLIENT.upload(*wheel('busy', str(number)))
        equal(answer.status, 200)
        serial = int(answer['X-PyPI-Last-Serial'])
        wait_until('it is shown', lambda: shown_serial(
            INDEX, 'project/busy') >= serial)
    ends.set()
    reader.join()
    equal({status for status, _, _ in seen}, {200})
    ok(all(is_right for _, _, is_right in seen), 'the ETag of these bytes')
    serials = [serial for _, serial, _ in seen]
    equal(serials, sorted(serials))
    ok(len(set(serials)) > 3, f'{len(seen)} pages of {len(set(serials))}')
    INDEX.start('simple')
    wait_until('the workers answer', lambda: CLIENT.get(
        '/simple/demo/')['Tilsit-Degraded'] is None)


def test_a_frozen_pool_is_waited_for_a_few_times_only():
    """Ten seconds each; then nginx goes to the disk by itself."""
    INDEX.freeze('simple')
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        first = list(pool.map(lambda _: CLIENT.get('/simple/demo/'),
                              range(24)))
    equal({answer['Tilsit-Degraded'] for answer in first}, {'snapshot'})
    say('the first took', time.monotonic() - begin)
    begin = time.monotonic()
    equal(CLIENT.get('/simple/demo/')['Tilsit-Degraded'], 'snapshot')
    ok(time.monotonic() - begin < 5, 'the next one need not wait')
    INDEX.resume('simple')
    wait_until('the workers answer', lambda: CLIENT.get(
        '/simple/demo/')['Tilsit-Degraded'] is None)


def test_a_lost_history_is_made_anew():
    """As after a failover that lost changes: the position is unknown."""
    equal(CLIENT.upload(*wheel('demo', '4')).status, 200)
    caught_up(INDEX, CLIENT.serial())
    INDEX.stop('runner')
    sql(INDEX, "DELETE FROM file WHERE filename LIKE 'demo-4-%'; "
               "DELETE FROM release WHERE version = '4'; "
               'DELETE FROM journal WHERE serial > (SELECT max(serial) - 2 '
               '  FROM journal); '
               'UPDATE project SET last_serial = (SELECT max(serial) FROM '
               "  journal WHERE normalized_name = 'demo') "
               "  WHERE normalized_name = 'demo'; "
               'UPDATE serial_counter SET value = value + 1000000; '
               'SELECT 1')
    old = edition(INDEX, 'project/demo')
    stale = os.path.join(INDEX.snapshot, 'project', 'never-was')
    os.makedirs(stale, 0o755)
    os.symlink('1.1.1.a.b.c.d/e.f.g.h', os.path.join(stale, 'now'))
    shutil.chown(stale, *[INDEX.user.pw_name] * 2 if INDEX.user else (None,))
    INDEX.start('runner')
    caught = int(sql(INDEX, 'SELECT max(serial) FROM journal'))
    wait_until('a new round', lambda: position(INDEX) == caught and
               shown_serial(INDEX, 'root') > 1000000)
    new = edition(INDEX, 'project/demo')
    ok(new[0] < old[0] and new[2] > old[2], (old, new))
    wait_until('what never was is gone', lambda: 'never-was' not in
               os.listdir(os.path.join(INDEX.snapshot, 'project')))


if __name__ == '__main__':
    with snapshot_instance() as INDEX:
        CLIENT = Client(INDEX)
        fill()
        cases(globals())
