#!/usr/bin/python3 -B
# Clients that connect and then dawdle take nothing from the others.

import contextlib
import os
import resource
import select
import socket
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from servers import instance
from tap import cases, contains, equal, skip_all

CLIENTS = 10_000
UPLOADS = 256           # of one address at a time; deploy/nginx/server.conf
WAIT_S = 60
INDEX = None


def connect(stack, first_bytes):
    sock = socket.create_connection(('127.0.0.1', INDEX.port), WAIT_S)
    stack.enter_context(sock)
    sock.sendall(first_bytes)
    return sock


def first_page():
    with urllib.request.urlopen(INDEX.url + '/', timeout=WAIT_S) as page:
        return page.status


def test_ten_thousand_unfinished_headers():
    with contextlib.ExitStack() as stack:
        for _ in range(CLIENTS):
            connect(stack, b'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')
        equal(first_page(), 200)


def test_ten_thousand_who_say_nothing():
    with contextlib.ExitStack() as stack:
        for _ in range(CLIENTS):
            connect(stack, b'')
        equal(first_page(), 200)


def test_one_address_does_not_take_all_uploads():
    begin = (b'POST /legacy/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n'
             b'Content-Type: multipart/form-data; boundary=x\r\n\r\n')
    with contextlib.ExitStack() as stack:
        slow = [connect(stack, begin) for _ in range(UPLOADS + 1)]
        answered, _, _ = select.select(slow, [], [], WAIT_S)
        equal(len(answered), 1)
        refused = answered[0].recv(65536).decode()
        contains(refused, 'HTTP/1.1 429 ')
        contains(refused, 'Retry-After: 1\r\n')
        equal(first_page(), 200)


def test_the_answer_to_a_slow_reader_does_not_hold_others():
    path = INDEX.path('store', 'packages', 'large')
    with open(path, 'wb') as out:
        out.truncate(64 << 20)
    os.chmod(path, 0o644)
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            connect(stack, b'GET /packages/large HTTP/1.1\r\nHost: x\r\n\r\n')
        equal(first_page(), 200)


if __name__ == '__main__':
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * CLIENTS:
        skip_all(f'ulimit -Hn is {hard}, {2 * CLIENTS} are needed')
    with instance() as INDEX:
        cases(globals())
