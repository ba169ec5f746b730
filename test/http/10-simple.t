#!/usr/bin/python3 -B
# The simple API as installers and mirrors see it: forms, redirects, caching.

import gzip
import hashlib
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import (V1_HTML, V1_JSON, Client, metadata, normal, sdist, wheel)
from servers import instance
from tap import cases, contains, equal, ok

HERE = os.path.dirname(os.path.abspath(__file__))
HTML = 'text/html; charset=UTF-8'
UPLOAD_TIME = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z'
CLIENT = None
FILES = {}      # by name: bytes


def fill(name, serial):
    """An expected page, with what depends on zlib's version and on time."""
    with open(os.path.join(HERE, 'expected', name)) as page:
        text = page.read().replace('@serial@', str(serial))

    def value(match):
        data = FILES[match[2]]
        blake = hashlib.blake2b(data, digest_size=32).hexdigest()
        return {'sha256': hashlib.sha256(data).hexdigest(),
                'path': f'{blake[:2]}/{blake[2:4]}/{blake[4:]}',
                'size': str(len(data)),
                'metadata': hashlib.sha256(META.get(match[2], b''))
                .hexdigest()}[match[1]]
    return re.sub(r'@(\w+) ([^@]+)@', value, text)


META = {}


def put(made, meta=None, **changes):
    name, data = made
    answer = CLIENT.upload(name, data, **changes)
    equal(answer.status, 200, answer.reason)
    FILES[name] = data
    if meta:
        META[name] = meta
    return int(answer['X-PyPI-Last-Serial'])


def test_an_empty_index_has_pages():
    equal(CLIENT.get('/simple/', Accept=V1_JSON).json,
          {'meta': {'_last-serial': 0, 'api-version': '1.4'}, 'projects': []})
    contains(CLIENT.get('/simple/').words, '<title>Simple index</title>')


def test_the_pages_are_the_frozen_ones_byte_for_byte():
    lines = ['Requires-Python: >=3.8,<4']
    meta = metadata('Frozen.Pizza', '1.0', *lines)
    made = wheel('Frozen.Pizza', '1.0', meta=meta)
    put(sdist('Frozen.Pizza', '0.9'), name='Frozen.Pizza')
    put(made, meta, name='Frozen.Pizza', requires_python='>=3.8,<4')
    meta = metadata('Frozen.Pizza', '1.1rc1')
    put(wheel('Frozen.Pizza', '1.1rc1', meta=meta), meta, name='Frozen.Pizza')
    CLIENT.index.tilsit('release', 'yank', 'frozen-pizza', '0.9',
                        '--reason', 'burns <the> "roof" & more')
    serial = CLIENT.serial()
    for accept, name in ((V1_JSON, 'project.json'), ('*/*', 'project.html'),
                         (V1_HTML, 'project.html')):
        page = CLIENT.get('/simple/frozen-pizza/', Accept=accept)
        words = re.sub(f'"upload-time":"{UPLOAD_TIME}"',
                       '"upload-time":"TIME"', page.words)
        equal(words, fill(name, serial), accept)
        equal(CLIENT.get('/simple/', Accept=accept).words,
              fill(name.replace('project', 'root'), serial), accept)


def test_the_json_page_has_the_types_that_uv_demands():
    put(wheel('typed', '1'), requires_python=None)
    page = CLIENT.project('typed')
    equal(set(page), {'files', 'meta', 'name', 'project-status', 'versions'})
    equal(page['meta']['api-version'], '1.4')
    equal(type(page['meta']['_last-serial']), int)
    equal((page['name'], page['versions']), ('typed', ['1']))
    equal(page['project-status'], {'status': 'active'})
    for file in page['files']:
        equal(set(file), {'core-metadata', 'filename', 'hashes', 'size', 'url',
                          'requires-python', 'upload-time', 'yanked'})
        equal(type(file['size']), int)
        ok(re.fullmatch(UPLOAD_TIME, file['upload-time']), 'a time')
        ok(re.fullmatch('[0-9a-f]{64}', file['hashes']['sha256']), 'hashes')
        equal(file['yanked'], False)
        equal(file['requires-python'], None)
        ok(re.fullmatch('[0-9a-f]{64}', file['core-metadata']['sha256']),
           'core-metadata')


def test_accept_chooses_the_form():
    for path in '/simple/', '/simple/typed/':
        for accept, want in (
                (None, HTML), ('', HTML), ('*/*', HTML), ('text/html', HTML),
                ('text/*', HTML), ('not a type', HTML),
                (V1_JSON, V1_JSON), (V1_HTML, V1_HTML),
                (V1_JSON.upper(), V1_JSON),
                (V1_JSON.replace('v1', 'latest'), V1_JSON),
                (V1_HTML.replace('v1', 'latest'), V1_HTML),
                ('application/*', V1_HTML),
                (f'{V1_JSON}, {V1_HTML}; q=0.1, text/html; q=0.01', V1_JSON),
                (f'{V1_JSON}, {V1_HTML};q=0.2, text/html;q=0.01', V1_JSON),
                (f'{V1_HTML};q=0.2, {V1_JSON}, text/html;q=0.01', V1_JSON),
                (f'{V1_JSON}, */*;q=0.1', V1_JSON),
                (f'{V1_JSON};q=0, text/html', HTML),
                (f'{V1_JSON};q=.5, text/html;q=.5', HTML)):
            headers = {} if accept is None else {'Accept': accept}
            page = CLIENT.get(path, **headers)
            equal((page.status, page['Content-Type']), (200, want), accept)


def test_the_query_beats_accept():
    for value, want in ((V1_JSON, V1_JSON), (V1_HTML, V1_HTML),
                        (V1_JSON.replace('+', '%2B'), V1_JSON),
                        (V1_JSON.replace('v1', 'latest'), V1_JSON),
                        ('text/html', HTML), ('text%2Fhtml', HTML),
                        ('unknown', V1_JSON), ('', V1_JSON)):
        for path in '/simple/', '/simple/typed/':
            page = CLIENT.get(f'{path}?a=b&format={value}', Accept=V1_JSON)
            equal((page.status, page['Content-Type']), (200, want), value)


def test_what_nobody_can_send_is_406_and_says_what_there_is():
    for accept in ('image/png', 'application/json', f'{V1_JSON};q=0',
                   'text/html;q=0, */*;q=0'):
        for path in '/simple/', '/simple/typed/':
            page = CLIENT.get(path, Accept=accept)
            equal(page.status, 406, accept)
            contains(page.words, V1_JSON)
    equal(CLIENT.get('/simple/typed/?format=' + V1_JSON,
                     Accept='image/png').status, 200)


def test_names_are_redirected_to_their_normal_form():
    for path, to in (('/simple', '/simple/'), ('/simple/typed', None),
                     ('/simple/Typed/', None), ('/simple/TYPED', None),
                     ('/simple/frozen_pizza/', '/simple/frozen-pizza/'),
                     ('/simple/Frozen.-_.Pizza', '/simple/frozen-pizza/'),
                     ('/simple/typ%65D/', None),
                     ('/simple/nobody.has/', '/simple/nobody-has/'),
                     ('/pypi/Typed/json', '/pypi/typed/json'),
                     ('/pypi/Typed/1/json', '/pypi/typed/1/json'),
                     ('/pypi/Typed/1%2Ba/json', '/pypi/typed/1%2Ba/json'),
                     ('/rss/project/Typed/releases.xml',
                      '/rss/project/typed/releases.xml')):
        for query in '', '?format=' + V1_JSON + '&x=%3C':
            page = CLIENT.get(path + query)
            equal(page.status, 301, path)
            equal(page['Access-Control-Allow-Origin'], '*')
            equal(page['Location'], (to or '/simple/typed/') + query, path)


def test_a_redirect_never_leaves_this_host():
    for path in ('//evil.example/', '/simple//evil.example/',
                 '/simple/%2F%2Fevil.example/', '/simple/a%0D%0AX:y/',
                 '/simple/a%00b/', '/simple/%2e%2e/x/', '/simple/%FF/',
                 '/simple/a%2fb', '/simple/A?\\x'):
        page = CLIENT.raw(f'GET {path} HTTP/1.1\r\nHost: x\r\n'
                          'Connection: close\r\n\r\n'.encode())
        if page.status == 301:
            ok(re.match(r'/simple/[a-z0-9-]+/(\?|$)', page['Location']),
               page['Location'])
        else:
            ok(page.status in (400, 404), f'{path}: {page.status}')
        equal(page['X'], None)


def test_an_unknown_project_is_404_in_words():
    for path in ('/simple/nobody/', '/pypi/nobody/json', '/pypi/typed/9/json',
                 '/pypi/nobody/1/json', '/pypi/typed/dog/json',
                 '/rss/project/nobody/releases.xml', '/simple/-/',
                 '/simple/' + 'a' * 300 + '/', '/simple/a/b/'):
        page = CLIENT.get(path)
        equal(page.status, 404, path)
        equal(page['Cache-Control'], 'no-store')
    contains(CLIENT.get('/simple/nobody/').words, "no project 'nobody'")
    contains(CLIENT.get('/pypi/typed/9/json').words, "no release '9'")
    equal(CLIENT.get('/pypi/nobody/json', Accept='application/json')
          .json['message'], "This index has no project 'nobody'")


def test_pages_are_only_read():
    for path in ('/simple/', '/simple', '/simple/typed/', '/simple/typed',
                 '/pypi/typed/json', '/rss/updates.xml'):
        for method in 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND':
            page = CLIENT.ask(method, path)
            equal(page.status, 405, f'{method} {path}')
            equal(page['Allow'], 'GET, HEAD, OPTIONS')
        page = CLIENT.ask('OPTIONS', path)
        equal((page.status, page['Allow']), (204, 'GET, HEAD, OPTIONS'))


def test_head_is_get_without_a_body():
    for path in ('/simple/', '/simple/typed/', '/pypi/typed/json',
                 '/rss/updates.xml', '/simple/nobody/', '/simple/Typed'):
        for encoding in 'gzip', 'identity':
            headers = {'Accept': V1_JSON, 'Accept-Encoding': encoding}
            get = CLIENT.ask('GET', path, None, headers)
            head = CLIENT.ask('HEAD', path, None, headers)
            equal(head.text, b'')
            for name in ('Content-Length', 'Content-Type', 'ETag', 'Vary',
                         'Content-Encoding', 'X-PyPI-Last-Serial',
                         'Cache-Control', 'Location'):
                if (path, name) == ('/simple/', 'Content-Length'):
                    continue    # the root list is not made to be measured
                equal(head[name], get[name], f'{name} of {path}')


def test_gzip_is_the_same_page():
    for path in ('/simple/', '/simple/typed/', '/pypi/typed/json',
                 '/pypi/typed/1/json', '/rss/updates.xml',
                 '/rss/packages.xml', '/rss/project/typed/releases.xml'):
        for accept in ('*/*', V1_JSON, V1_HTML):
            plain = CLIENT.get(path, Accept=accept)
            packed = CLIENT.get(path, Accept=accept,
                                Accept_Encoding='gzip, deflate')
            equal(plain['Content-Encoding'], None)
            equal(packed['Content-Encoding'], 'gzip')
            equal(gzip.decompress(packed.text), plain.text)
            ok(plain['ETag'] != packed['ETag'], 'other bytes, other tags')
            ok(not plain['ETag'].startswith('W/'), 'a strong tag')
            for page in plain, packed:
                equal(page['Vary'], 'Accept, Accept-Encoding')
                equal(page['Content-Length'], str(len(page.text)))
    for encoding in 'gzip;q=0', 'identity', 'br', '', 'gzip;q=0.1, identity':
        equal(CLIENT.get('/simple/', Accept_Encoding=encoding)
              ['Content-Encoding'], None, encoding)


def test_an_etag_answers_304_until_the_project_changes():
    put(wheel('tagged', '1'))
    asked = [(path, {'Accept': accept, 'Accept-Encoding': encoding})
             for path, accept in (
                 ('/simple/tagged/', 'text/html'),
                 ('/simple/tagged/', V1_JSON), ('/simple/', V1_JSON),
                 ('/pypi/tagged/json', '*/*'), ('/rss/updates.xml', '*/*'))
             for encoding in ('identity', 'gzip')]
    tags = {}
    for path, headers in asked:
        page = CLIENT.ask('GET', path, None, headers)
        tag = tags[path, str(headers)] = page['ETag']
        for match in tag, f'"x", {tag}', f'W/{tag}', '*':
            for method in 'GET', 'HEAD':
                again = CLIENT.ask(method, path, None, {
                    **headers, 'If-None-Match': match})
                equal((again.status, again.text), (304, b''), match)
                for name in ('ETag', 'Vary', 'Cache-Control',
                             'X-PyPI-Last-Serial'):
                    equal(again[name], page[name], name)
        equal(CLIENT.ask('GET', path, None, {
            **headers, 'If-None-Match': '"other"'}).status, 200)
    put(wheel('tagged', '2'))
    for path, headers in asked:
        page = CLIENT.ask('GET', path, None, {
            **headers, 'If-None-Match': tags[path, str(headers)]})
        equal(page.status, 200, path)


def test_pages_tell_their_serial_and_how_long_they_keep():
    mine = put(wheel('serials', '1'))
    newest = put(wheel('later', '1'))
    ok(newest > mine)
    for path, want in (('/simple/serials/', mine),
                       ('/pypi/serials/json', mine),
                       ('/pypi/serials/1/json', mine),
                       ('/rss/project/serials/releases.xml', mine),
                       ('/simple/', newest), ('/rss/updates.xml', newest),
                       ('/rss/packages.xml', newest)):
        page = CLIENT.get(path, Accept=V1_JSON)
        equal(page['X-PyPI-Last-Serial'], str(want), path)
        equal(page['Cache-Control'], 'public, max-age=0, must-revalidate')
        equal(page['Access-Control-Allow-Origin'], '*')
        contains(page['Access-Control-Expose-Headers'], 'X-PyPI-Last-Serial')
    equal(CLIENT.project('serials')['meta']['_last-serial'], mine)
    root = CLIENT.get('/simple/', Accept=V1_JSON).json
    equal(root['meta']['_last-serial'], newest)
    equal({p['name']: p['_last-serial'] for p in root['projects']}['serials'],
          mine)


def test_a_page_in_another_origin_may_ask_first():
    for path in '/simple/', '/simple/typed/', '/pypi/typed/json':
        page = CLIENT.ask('OPTIONS', path, None, {
            'Origin': 'https://app.example',
            'Access-Control-Request-Method': 'GET',
            'Access-Control-Request-Headers': 'If-None-Match'})
        equal(page.status, 204)
        equal(page['Access-Control-Allow-Origin'], '*')
        contains(page['Access-Control-Allow-Headers'], 'If-None-Match')
        contains(page['Access-Control-Allow-Methods'], 'GET')
        equal(page['Access-Control-Max-Age'], '86400')


def test_the_root_is_in_order_of_normal_names():
    for name in 'Zebra', 'aardvark', 'Zeb.ra2', 'B_b':
        put(wheel(name, '1'), name=name)
    names = [p['name'] for p in CLIENT.get('/simple/', Accept=V1_JSON)
             .json['projects']]
    equal(names, sorted(names, key=normal))
    html = re.findall(r'<a href="/simple/([^"]+)/">([^<]+)</a>',
                      CLIENT.get('/simple/').words)
    equal([text for _, text in html], names)
    equal([path for path, _ in html], [normal(name) for name in names])


def test_files_are_in_order_of_their_versions():
    versions = ['1.dev0', '1.0a1', '1.0b2.post345.dev456', '1.0rc1', '1.0',
                '1.0+abc.7', '1.0.post1', '1.2', '1.10', '1!0.5']
    for version in sorted(versions):
        put(wheel('ordered', version, tag='py3-none-any'))
    put(wheel('ordered', '1.2', tag='cp311-cp311-win32'), pyversion='cp311')
    page = CLIENT.project('ordered')
    equal(page['versions'], versions)
    equal([f['filename'] for f in page['files']
           if '-1.2-' in f['filename']],
          ['ordered-1.2-cp311-cp311-win32.whl',
           'ordered-1.2-py3-none-any.whl'])


def test_while_a_hold_exists_nothing_is_stored():
    put(wheel('held', '1'))
    sql("INSERT INTO cache_hold VALUES ('unix:' || "
        f"'{CLIENT.index.path('run', 'memcached.sock')}', 'two', now())")
    CLIENT.index.restart('memcached')
    for path in '/simple/held/', '/pypi/held/json':
        for _ in range(2):
            page = CLIENT.get(path)
            equal((page.status, page['Cache-Control']), (200, 'no-store'))
            equal(page['Surrogate-Control'], 'no-store')
    put(wheel('held', '2'))
    equal(CLIENT.get('/simple/held/')['Cache-Control'], 'no-store')
    sql('DELETE FROM cache_hold')
    contains(CLIENT.get('/simple/held/')['Cache-Control'], 'public')


def sql(text):
    user = CLIENT.index.user
    prefix = ['setpriv', f'--reuid={user.pw_uid}', f'--regid={user.pw_gid}',
              '--clear-groups', '--'] if user else []
    done = subprocess.run([*prefix, 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1',
                           CLIENT.index.conninfo, '-c', text], text=True,
                          capture_output=True, check=False, cwd='/')
    equal(done.stderr, '')
    return done.stdout.strip()


if __name__ == '__main__':
    with instance() as index:
        CLIENT = Client(index)
        cases(globals())
