#!/usr/bin/python3 -B
# The local instance itself: nginx's own answers, faults, stopping, starting.
# What the workers answer is for the tests after this one.

import http.client
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from servers import TREE, Instance, folder, instance
from tap import cases, contains, equal, ok, say

from process import Failure, leftovers

WAIT_S = 60     # for what should take a second or two; then it hangs
FILE = b'0123456789' * 100
PROGRAMS = ['postgres', 'memcached', 'nginx', 'tilsit', 'tilsit-simple',
            'tilsit-upload', 'tilsit-changelog', 'tilsit-runner']
BODY_LIMIT_BYTES = (1 << 30) + (16 << 20)   # the instance's default
INDEX = None    # the running instance of all tests but the last


def ask(method, path, headers=None, body=None):
    """The response, with its body in .text (bytes)."""
    server = http.client.HTTPConnection('127.0.0.1', INDEX.port,
                                        timeout=WAIT_S)
    server.request(method, path, body, headers or {})
    response = server.getresponse()
    response.text = response.read()
    server.close()
    return response


def ask_raw(request):
    """The response to these very bytes, as ask() returns it."""
    with socket.create_connection(('127.0.0.1', INDEX.port), WAIT_S) as sock:
        sock.sendall(request)
        response = http.client.HTTPResponse(sock)
        response.begin()
        response.text = response.read()
        return response


def put_file(name, data=FILE):
    path = INDEX.path('store', 'packages', name)
    with open(path, 'wb') as out:
        out.write(data)
    os.chmod(path, 0o644)
    return '/packages/' + name


def test_the_first_page_names_the_address_it_was_asked_under():
    page = ask('GET', '/', {'Host': 'index.example:81'})
    equal(page.status, 200)
    contains(page.text.decode(), 'http://index.example:81/simple/')


def test_the_first_page_escapes_the_address():
    page = ask_raw(b'GET / HTTP/1.1\r\nHost: a"><i>\r\n\r\n')
    ok(b'"><i>' not in page.text, 'no tag from outside')


def test_files_come_whole_and_unchanged():
    path = put_file('a-1.whl')
    for headers in {}, {'Accept-Encoding': 'gzip'}, {'Cookie': 'x=y'}:
        answer = ask('GET', path + '?x=y', headers)
        equal(answer.status, 200)
        equal(answer.text, FILE)
        equal(answer.getheader('Content-Encoding'), None)
        equal(answer.getheader('Content-Type'), 'application/octet-stream')
        equal(answer.getheader('Accept-Ranges'), 'bytes')
        ok(answer.getheader('ETag'), 'an ETag')
        contains(answer.getheader('Cache-Control'), 'immutable')
        equal(answer.getheader('Access-Control-Allow-Origin'), '*')
    answer = ask('HEAD', path)
    equal(answer.getheader('Content-Length'), str(len(FILE)))


def test_a_hostile_file_cannot_act_in_our_name():
    answer = ask('GET', put_file('evil-1.html', b'<script>'))
    equal(answer.getheader('Content-Type'), 'application/octet-stream')
    equal(answer.getheader('X-Content-Type-Options'), 'nosniff')
    contains(answer.getheader('Content-Security-Policy'), 'sandbox')


def test_metadata_is_text():
    answer = ask('GET', put_file('a-1.whl.metadata'))
    equal(answer.getheader('Content-Type'), 'text/plain; charset=utf-8')


def test_files_come_in_ranges():
    path = put_file('b-1.whl')
    for asked, want, where in (
            ('bytes=0-9', FILE[:10], '0-9'),
            ('bytes=990-', FILE[990:], '990-999'),
            ('bytes=-7', FILE[-7:], '993-999')):
        answer = ask('GET', path, {'Range': asked})
        equal(answer.status, 206)
        equal(answer.text, want)
        equal(answer.getheader('Content-Range'), f'bytes {where}/1000')
    equal(ask('GET', path, {'Range': 'bytes=1000-'}).status, 416)


def test_a_range_of_another_version_is_the_whole_file():
    path = put_file('c-1.whl')
    tag = ask('HEAD', path).getheader('ETag')
    part = {'Range': 'bytes=0-9'}
    equal(ask('GET', path, {**part, 'If-Range': tag}).status, 206)
    equal(ask('GET', path, {**part, 'If-Range': '"other"'}).status, 200)


def test_files_are_only_read():
    path = put_file('d-1.whl')
    for method in 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND':
        answer = ask(method, path)
        equal(answer.status, 405, method)
        equal(answer.getheader('Allow'), 'GET, HEAD, OPTIONS')
    answer = ask('OPTIONS', path)
    equal(answer.status, 204)
    contains(answer.getheader('Access-Control-Allow-Methods'), 'HEAD')


def test_nothing_outside_of_packages_is_served():
    with open(INDEX.path('store', 'staging', 'secret'), 'w') as out:
        out.write('secret')
    for path in ('/packages/../staging/secret', '/packages/%2e%2e/staging/'
                 'secret', '/packages../staging/secret', '/packages/',
                 '/packages', '/static/../etc/tilsit.conf',
                 '/static/error/503.txt', '/internal/upload'):
        answer = ask('GET', path)
        ok(answer.status in (400, 403, 404), f'{path}: {answer.status}')


def test_an_unknown_address_is_404_in_words():
    answer = ask('GET', '/nothing/here')
    equal(answer.status, 404)
    contains(answer.text, b'/simple/')


def test_a_request_id_goes_through():
    equal(ask('GET', '/', {'X-Request-Id': 'abc-1'})
          .getheader('X-Request-Id'), 'abc-1')
    for forged in 'a b', 'a"', 'x' * 65:
        mine = ask('GET', '/', {'X-Request-Id': forged}) \
            .getheader('X-Request-Id')
        ok(mine != forged and len(mine) == 32, mine)


def test_a_second_host_is_refused():
    for request, status in (
            (b'GET http://evil.example/ HTTP/1.1\r\nHost: a.example', 400),
            (b'GET http://A.example/ HTTP/1.1\r\nHost: a.Example:99', 200),
            (b'GET / HTTP/1.1\r\nHost: [::1]:8080', 200),
            (b'GET / HTTP/1.0', 200)):
        equal(ask_raw(request + b'\r\n\r\n').status, status, request)


def test_too_large_an_upload_is_refused_before_its_body():
    for path in '/legacy/', '/legacy', '/pypi', '/pypi/':
        answer = ask_raw(
            f'POST {path} HTTP/1.1\r\nHost: x\r\n'
            'Expect: 100-continue\r\nContent-Type: multipart/form-data\r\n'
            f'Content-Length: {BODY_LIMIT_BYTES + 1}\r\n\r\n'
            .encode())
        equal(answer.status, 413)
        contains(answer.text, b'1024 MB')


def test_xml_rpc_has_a_limit_of_its_own():
    for path in '/pypi', '/pypi/', '/RPC2':
        equal(ask_raw(
            f'POST {path} HTTP/1.1\r\nHost: x\r\n'
            'Content-Type: Text/XML; charset=utf-8\r\n'
            f'Content-Length: {(1 << 20) + 1}\r\n\r\n'.encode()).status, 413)


def test_without_workers_files_are_served_and_pages_are_503():
    path = put_file('e-1.whl')
    pools = [pool for pool in ('simple', 'upload', 'changelog')
             if pool in INDEX.groups]
    for pool in pools:
        INDEX.stop(pool)
    try:
        for method, page in (('GET', '/simple/'), ('HEAD', '/simple/x/'),
                             ('GET', '/pypi/x/json'),
                             ('GET', '/pypi/x/1/json'),
                             ('GET', '/rss/updates.xml'),
                             ('POST', '/legacy/'), ('POST', '/pypi'),
                             ('GET', '/pypi?:action=list_classifiers'),
                             ('POST', '/RPC2')):
            answer = ask(method, page)
            equal(answer.status, 503, page)
            equal(answer.getheader('Retry-After'), '5')
            equal(answer.getheader('Cache-Control'), 'no-store')
            ok(method == 'HEAD' or b'try again' in answer.text, page)
        equal(ask('GET', path).status, 200)
        equal(ask('GET', '/').status, 200)
    finally:
        for pool in pools:
            INDEX.start(pool)


def test_every_part_comes_back_after_kill_9():
    for part in INDEX.groups:
        before = set(INDEX.pids(part))
        INDEX.kill(part)
        INDEX.wait(part, lambda: set(INDEX.pids(part)) - before)
        say(part, before, INDEX.pids(part))
        INDEX.stop(part)
        INDEX.start(part)       # which waits until it answers
    equal(ask('GET', '/').status, 200)


def test_a_second_instance_in_the_same_folder_is_refused():
    try:
        Instance(INDEX.state).start()
    except Failure as failure:
        contains(str(failure), f'(process {os.getpid()})')
    else:
        ok(False, 'it started')


def test_a_taken_port_is_told_at_once():
    with folder() as path:
        try:
            Instance(path, port=INDEX.port).start()
        except Failure as failure:
            contains(str(failure), 'Address already in use')
        else:
            ok(False, 'it started')
        ok(not os.path.exists(path + '/postgresql'), 'nothing was begun')


def test_an_impossible_folder_is_told_at_once():
    for state, text in (('/tmp/' + 'x' * 100, 'too long a name'),
                        ('/tmp/a b', 'special character'),
                        ('/proc/x', 'cannot make')):
        try:
            Instance(state).start()
        except Failure as failure:
            contains(str(failure), text)
        else:
            ok(False, 'it started')


def test_a_full_disk_is_told_at_once():
    with folder() as path:
        try:
            Instance(path, need_free_bytes=1 << 60).start()
        except Failure as failure:
            contains(str(failure), 'MB are free')
        else:
            ok(False, 'it started')


class Run:
    """deploy/local/run as a user starts it, and the lines until ready."""

    def __init__(self, state):
        self.process = subprocess.Popen(
            [TREE + '/deploy/local/run', os.environ.get('BUILD',
                                                        'build/plain')],
            env={**os.environ, 'STATE': state, 'PORT': '0', 'V': ''},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True)
        self.first = self.process.stdout.readline()
        say(self.first)

    def end(self, number):
        """Signal the whole group; what it had to say meanwhile."""
        os.killpg(self.process.pid, number)
        return self.process.communicate(timeout=WAIT_S)[0]


def test_make_run_stops_on_signals_and_starts_again_with_its_data():
    with folder() as top:
        state = top + '/state'
        for number in (signal.SIGINT, signal.SIGTERM):
            run = Run(state)
            contains(run.first, 'Tilsit is ready at http://127.0.0.1:')
            run.end(number)
            equal(run.process.returncode, 0)
            equal(leftovers(state, PROGRAMS), [])
        ok(os.path.exists(state + '/postgresql/PG_VERSION'), 'its data')


def test_make_run_starts_again_after_kill_9_of_everything():
    with folder() as top:
        state = top + '/state'
        run = Run(state)
        frozen = leftovers(state, ['nginx', 'postgres'])
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        run.end(signal.SIGKILL)
        ok(leftovers(state, PROGRAMS), 'frozen ones stay behind')
        run = Run(state)
        contains(run.first, 'Tilsit is ready at ')
        equal(set(frozen) & set(leftovers(state, PROGRAMS)), set())
        run.end(signal.SIGTERM)
        equal(leftovers(state, PROGRAMS), [])


if __name__ == '__main__':
    with instance() as INDEX:
        cases(globals())
