#!/usr/bin/python3 -B
# What one machine of a pair asks of the other, by raw requests: PUT and GET of
# /-/peer/, /packages/ on the private address, and who is not let in.

import hashlib
import http.client
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import Answer, wheel
from faults import wait_until
from servers import instance
from tap import cases, contains, equal, ok

SECRET = 'a-secret-of-two'
LIMIT_BYTES = 2 << 20
METADATA_LIMIT_BYTES = 4 << 20
SETTINGS = {'node': 'vm-b', 'peer_node': 'vm-a', 'peer_secret': SECRET,
            'peer_url': 'http://127.0.0.1:1', 'peer_timeout_ms': '200ms',
            'upload_limit_bytes': LIMIT_BYTES}
WAIT_S = 60
INDEX = None


def place(name, data):
    digest = hashlib.blake2b(data, digest_size=32).hexdigest()
    return f'{digest[:2]}/{digest[2:4]}/{digest[4:]}/{name}'


def ask(method, path, body=None, secret=SECRET, port=None, **headers):
    server = http.client.HTTPConnection(
        '127.0.0.1', port or INDEX.peer_port, timeout=WAIT_S)
    try:
        if secret is not None:
            headers['Authorization'] = f'Bearer {secret}'
        server.request(method, path, body, headers)
        return Answer(server.getresponse())
    finally:
        server.close()


def url(name, data, size=None, mtime=1234567890, more=''):
    size = len(data) if size is None else size
    return f'/-/peer/packages/{place(name, data)}?size={size}' \
           f'&mtime={mtime}{more}'


def put(name, data, metadata=b'', **more):
    return ask('PUT', url(name, data), data + metadata, **more)


def kept(name, data, suffix=''):
    return INDEX.path('store', 'packages', place(name, data) + suffix)


def staging():
    return os.listdir(INDEX.path('store', 'staging'))


def test_a_file_is_kept_with_its_metadata_and_time():
    name, data = wheel('kept', '1')
    equal(put(name, data, b'Name: kept\n').status, 201)
    with open(kept(name, data), 'rb') as file:
        equal(file.read(), data)
    with open(kept(name, data, '.metadata'), 'rb') as file:
        equal(file.read(), b'Name: kept\n')
    for suffix in '', '.metadata':
        equal(os.stat(kept(name, data, suffix)).st_mtime, 1234567890)
    equal(put(name, data, b'Name: kept\n').status, 200)
    equal(staging(), [])


def test_what_is_kept_is_told():
    name, data = wheel('told', '1')
    path = f'/-/peer/packages/{place(name, data)}'
    equal(ask('GET', path).status, 404)
    put(name, data, b'Name: told\n')
    sha256 = hashlib.sha256(b'Name: told\n').hexdigest()
    want = f'size {len(data)}\nmtime 1234567890\nmetadata {sha256}\n'.encode()
    equal(ask('GET', path).text, want)
    equal(ask('GET', path + '?read=1').text, want + b'is whole\n')
    with open(kept(name, data), 'r+b') as file:
        file.write(b'?')
    os.unlink(kept(name, data, '.metadata'))
    contains(ask('GET', path + '?read=1').text, b'is damaged\n')
    equal(b'metadata' in ask('GET', path).text, False)


def test_a_damaged_file_is_replaced_when_that_is_asked_for():
    name, data = wheel('mended', '1')
    put(name, data)
    with open(kept(name, data), 'r+b') as file:
        file.write(b'?')
    equal(put(name, data).status, 200)      # of that size: taken for whole
    equal(ask('PUT', url(name, data, more='&replace=1'), data).status, 201)
    with open(kept(name, data), 'rb') as file:
        equal(file.read(), data)


def test_a_file_that_was_cut_short_is_replaced_anyway():
    name, data = wheel('short', '1')
    put(name, data)
    os.truncate(kept(name, data), 10)
    equal(put(name, data).status, 201)
    equal(os.path.getsize(kept(name, data)), len(data))


def test_the_later_of_two_times_stays():
    name, data = wheel('twins', '1')
    put(name, data)
    for mtime, then in (1234567889, 1234567890), (1234567999, 1234567999):
        equal(ask('PUT', url(name, data, mtime=mtime), data).status, 200)
        equal(os.stat(kept(name, data)).st_mtime, then)


def test_nobody_is_let_in_without_the_secret():
    name, data = wheel('secret', '1')
    for wrong in (None, '', 'x', SECRET[:-1], SECRET + 'x', SECRET.upper()):
        for method, path in (('GET', '/-/peer/'), ('PUT', url(name, data)),
                             ('GET', '/-/peer/packages/' + place(name, data)),
                             ('GET', '/-/peer/no-such-thing')):
            answer = ask(method, path, data if method == 'PUT' else None,
                         secret=wrong)
            equal(answer.status, 403, f'{method} {path} {wrong}')
    ok(not os.path.exists(kept(name, data)), 'nothing is kept')
    equal(ask('GET', '/-/peer/', secret=None, Authorization='Basic '
              + 'YTpi').status, 403)


def test_the_log_does_not_have_the_secret():
    for part in 'peer', 'nginx':
        with open(INDEX.path('log', f'{part}.log')) as log:
            ok(SECRET not in log.read(), part)


def test_who_knows_it_is_told_who_we_are():
    lines = ask('GET', '/-/peer/').text.decode().splitlines()
    equal(lines[0], 'node vm-b')
    equal(lines[1], 'version ' + INDEX.tilsit('--version').split()[1])


def test_bytes_of_another_digest_are_refused():
    name, data = wheel('wrong', '1')
    answer = ask('PUT', url(name, data), data[:-1] + b'?')
    equal(answer.status, 400)
    contains(answer.text, b'not those of its digest')
    ok(not os.path.exists(kept(name, data)), 'nothing is kept')
    equal(staging(), [])


def test_paths_that_name_no_file_are_refused():
    name, data = wheel('paths', '1')
    folders = place('', data)
    for path in (folders + '..%2f..%2fx.whl', folders + '.hidden',
                 folders + 'x.metadata', folders + 'a%00b', folders + '%0a',
                 folders + 'x' * 241, 'zz/' + place(name, data)[3:],
                 place(name, data).replace('/', '', 1),
                 '../../../../etc/passwd', '%2e%2e/%2e%2e/x/y', ''):
        answer = ask('PUT', f'/-/peer/packages/{path}?size={len(data)}'
                     '&mtime=1', data)
        ok(answer.status in (400, 404), f'{path}: {answer.status}')
    ok(not os.path.exists(INDEX.path('store', 'packages', folders)), 'none')
    equal(staging(), [])


def test_sizes_are_bounded_and_must_fit():
    name, data = wheel('sizes', '1')
    size = len(data)
    for want, path, body in (
            (413, url(name, data, size=LIMIT_BYTES + 1), data),
            (413, url(name, data),
             data + bytes(METADATA_LIMIT_BYTES + 1)),
            (400, url(name, data, size=size + 1), data),
            (400, url(name, data, size=-1), data),
            (400, url(name, data, size='x'), data),
            (400, url(name, data, size=2 ** 64), data),
            (400, f'/-/peer/packages/{place(name, data)}', data)):
        equal(ask('PUT', path, body).status, want, path)
    ok(not os.path.exists(kept(name, data)), 'nothing is kept')
    equal(staging(), [])


def test_a_large_body_is_refused_in_words_too():
    """And not by an end of the connection in the middle of it."""
    name, data = wheel('large', '1', files=[('big', os.urandom(3 << 20))])
    answer = put(name, data)
    equal(answer.status, 413)
    contains(answer.text, b'upload_limit_bytes')
    answer = put(name, data, secret='wrong')
    equal(answer.status, 403)
    contains(answer.text, b'peer_secret')


def test_a_body_without_a_length_is_refused():
    """Or kept, if nginx has seen all of it by then and knows its length."""
    name, data = wheel('chunked', '1')
    answer = ask('PUT', url(name, data), iter([data]))
    equal(answer.status, 201 if os.path.exists(kept(name, data)) else 400)


def test_a_body_that_is_cut_off_leaves_nothing():
    name, data = wheel('cut', '1', files=[('big', os.urandom(1 << 20))])
    with socket.create_connection(('127.0.0.1', INDEX.peer_port)) as sock:
        sock.sendall(f'PUT {url(name, data)} HTTP/1.1\r\nHost: x\r\n'
                     f'Authorization: Bearer {SECRET}\r\n'
                     f'Content-Length: {len(data)}\r\n\r\n'.encode())
        sock.sendall(data[:len(data) // 2])
        wait_until('it arrives', staging)
    wait_until('it is gone', lambda: not staging())
    ok(not os.path.exists(kept(name, data)), 'nothing is kept')
    equal(put(name, data).status, 201)


def test_files_are_served_to_the_other_machine_and_no_folders():
    name, data = wheel('served', '1')
    put(name, data, b'Name: served\n')
    path = '/packages/' + place(name, data)
    equal(ask('GET', path, secret=None).text, data)
    equal(ask('GET', path + '.metadata', secret=None).text, b'Name: served\n')
    answer = ask('GET', path, secret=None, Range='bytes=0-9')
    equal((answer.status, answer.text), (206, data[:10]))
    for none in (path + 'x', '/packages/', path.rsplit('/', 1)[0] + '/',
                 '/packages/../staging/', '/', '/simple/', '/legacy/',
                 '/static/style.css', '/-/ready'):
        equal(ask('GET', none, secret=None).status, 404, none)
    equal(ask('DELETE', path, secret=None).status, 405)


def test_none_of_it_is_public():
    name, data = wheel('public', '1')
    for method, path in (('GET', '/-/peer/'), ('PUT', url(name, data)),
                         ('GET', '//-/peer/'), ('GET', '/%2d/peer/'),
                         ('GET', '/simple/../-/peer/')):
        answer = ask(method, path, data if method == 'PUT' else None,
                     port=INDEX.port)
        ok(answer.status in (403, 404, 405), f'{path}: {answer.status}')
        ok(b'vm-b' not in answer.text, path)


def test_methods_that_are_none_are_refused():
    name, data = wheel('methods', '1')
    for method in 'DELETE', 'POST':
        answer = ask(method, url(name, data))
        equal(answer.status, 405)
        equal(answer['Allow'], 'GET, HEAD, PUT, OPTIONS')


if __name__ == '__main__':
    with instance(paired=True, settings=SETTINGS) as INDEX:
        cases(globals())
