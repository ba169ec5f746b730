#!/usr/bin/python3 -B
# Uploads that are good, in all the ways in which clients of twenty years have
# written them, and what an upload leaves behind.

import concurrent.futures
import glob
import gzip
import io
import os
import socket
import sys
import tarfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import (BOUNDARY, Client, basic, fields_for, multipart, sdist,
                    wheel)
from servers import instance
from tap import cases, contains, equal, ok

CLIENT = None
DISTUTILS = b'--------------GHSKFJDLGDS7543FJKLFHRE75642756743254'


def is_there(project, filename):
    return filename in [file['filename'] for file in
                        CLIENT.project(project)['files']]


def request(body, *lines, path='/legacy/', version='HTTP/1.1',
            boundary=BOUNDARY):
    """A whole POST as bytes; lines are more header fields."""
    head = [f'POST {path} {version}', 'Host: x', 'Connection: close',
            f'Authorization: {CLIENT.auth()["Authorization"]}',
            f'Content-Type: multipart/form-data; boundary={boundary.decode()}',
            *lines]
    return '\r\n'.join(head + ['', '']).encode() + body


def test_the_answer_names_the_serial():
    answer = CLIENT.upload(*wheel('first', '1'))
    equal((answer.status, answer.text), (200, b'OK\n'))
    equal(answer['Content-Type'], 'text/plain; charset=utf-8')
    equal(answer['X-PyPI-Last-Serial'], str(CLIENT.serial()))


def test_every_address_takes_uploads():
    for number, path in enumerate(('/legacy/', '/legacy', '/pypi', '/pypi/')):
        name, data = wheel('addresses', f'1.{number}')
        equal(CLIENT.upload(name, data, path=path).status, 200, path)
        ok(is_there('addresses', name))


def test_the_action_may_stand_in_the_query():
    name, data = wheel('query', '1')
    answer = CLIENT.upload(name, data, path='/legacy/?:action=file_upload',
                           __action=None)
    equal(answer.status, 200, answer.words)


def test_the_order_of_fields_does_not_matter():
    name, data = wheel('order', '1')
    pairs = fields_for(name, data)
    for number, order in enumerate((pairs[::-1], pairs[5:] + pairs[:5],
                                    sorted(pairs, key=lambda p: p[0]))):
        name, data = wheel('order', f'1.{number}')
        values = dict(fields_for(name, data))
        answer = CLIENT.post([(key, values[key]) for key, _ in order])
        equal(answer.status, 200, answer.words)


def test_line_ends_of_old_clients_are_understood():
    for number, (eol, before, after) in enumerate((
            (b'\n', b'', b''), (b'\n', b'\n', b''), (b'\r\n', b'\r\n', b''),
            (b'\r\n', b'a preamble\r\n', b'an epilogue\r\n'),
            (b'\n', b'a preamble\n', b'--' + BOUNDARY + b'\nx'))):
        name, data = wheel('lineends', f'1.{number}')
        answer = CLIENT.post(fields_for(name, data), eol=eol, before=before,
                             after=after)
        equal(answer.status, 200, answer.words)
        file = CLIENT.project('lineends')['files'][-1]
        equal(CLIENT.get(file['url']).text, data, 'not a byte differs')


def test_boundaries_of_all_clients_are_understood():
    for number, boundary in enumerate((DISTUTILS, b'a', b'x' * 70,
                                       b"q'()+_,-./:=?", b'a b',
                                       b'0123-4567-89ab-cdef')):
        name, data = wheel('boundaries', f'1.{number}')
        body = multipart(fields_for(name, data), boundary)
        for quoted in ('"' + boundary.decode() + '"', boundary.decode()):
            if quoted[0] != '"' and set(quoted) & set(" '()+,/:=?"):
                continue
            kind = f'multipart/form-data; boundary={quoted}; charset=utf-8'
            answer = CLIENT.ask('POST', '/legacy/', body, {
                **CLIENT.auth(), 'Content-Type': kind})
            equal(answer.status, 200, f'{boundary}: {answer.words}')


def test_content_may_hold_what_looks_like_a_boundary():
    line = b'\r\n--' + BOUNDARY
    near = b''.join((line[:-1], line[:-1] + b'x\r\n', line + b'y',
                     b'\n--' + BOUNDARY[:-1] + b'--', line[2:], b'\r', b'\n'))
    name, data = wheel('near', '1', files=[('near/x.bin', near * 3000)])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, \
            zipfile.ZipFile(out, 'w', zipfile.ZIP_STORED) as new:
        for member in old.infolist():
            new.writestr(member, old.read(member), zipfile.ZIP_STORED)
    data = out.getvalue()
    answer = CLIENT.upload(name, data)
    equal(answer.status, 200, answer.words)
    equal(CLIENT.get(CLIENT.project('near')['files'][0]['url']).text, data)


def test_a_request_may_be_chunked():
    name, data = wheel('chunked', '1')
    body = multipart(fields_for(name, data))
    chunks = b''.join(b'%x;ext=1\r\n%s\r\n' % (len(piece), piece)
                      for piece in (body[:7], body[7:300], body[300:]))
    answer = CLIENT.raw(request(chunks + b'0\r\n\r\n',
                                'Transfer-Encoding: chunked'))
    equal(answer.status, 200, answer.words)
    ok(is_there('chunked', name))


def test_http_1_0_is_good_enough():
    name, data = wheel('http10', '1')
    body = multipart(fields_for(name, data))
    answer = CLIENT.raw(request(body, f'Content-Length: {len(body)}',
                                version='HTTP/1.0'))
    equal(answer.status, 200, answer.words)


def test_100_continue_is_said_when_asked_for():
    name, data = wheel('continued', '1')
    body = multipart(fields_for(name, data))
    with CLIENT.connect() as sock:
        sock.sendall(request(b'', f'Content-Length: {len(body)}',
                             'Expect: 100-continue'))
        contains(sock.recv(1000), b'100 Continue')
        sock.sendall(body)
        equal(CLIENT.read_answer(sock).status, 200)


def test_a_body_may_come_in_drops():
    name, data = wheel('drops', '1')
    body = multipart(fields_for(name, data))
    with CLIENT.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(request(b'', f'Content-Length: {len(body)}'))
        for at in range(len(body)):
            sock.sendall(body[at:at + 1])
        equal(CLIENT.read_answer(sock).status, 200)


def test_credentials_come_in_every_form():
    CLIENT.index.tilsit('user', 'add', 'pass', '--password-stdin',
                        data='pässwörd: 1\n'.encode())
    for number, (user, value) in enumerate((
            ('alice', basic('__token__', CLIENT.token)),
            ('alice', basic('__token__', CLIENT.token + '\n')),
            ('alice', f'Bearer {CLIENT.token}'),
            ('alice', f'token {CLIENT.token}'),
            ('alice', basic('__token__', CLIENT.token).replace('B', 'b', 1)),
            ('pass', basic('pass', 'pässwörd: 1')),
            ('pass', basic('Pass', 'pässwörd: 1')))):
        name, data = wheel(f'creds-{user}', f'1.{number}')
        answer = CLIENT.upload(name, data, {'Authorization': value},
                               name=f'creds-{user}')
        equal(answer.status, 200, f'{number}: {answer.words}')


def test_what_distutils_sends_is_taken():
    name, data = sdist('distutils-demo', '1.0', core='1.0')
    pairs = fields_for(
        name, data, name='distutils-demo', metadata_version='1.0',
        pyversion='', summary='UNKNOWN', home_page='UNKNOWN',
        author='UNKNOWN', author_email='UNKNOWN', license='UNKNOWN',
        description='UNKNOWN', keywords=['a', 'b'], platform='UNKNOWN',
        classifiers=['Topic :: Utilities'], download_url='UNKNOWN',
        comment='', blake2_256_digest='ab' * 64)
    pairs = [(key, (*value, '') if key == 'content' else value)
             for key, value in pairs]
    answer = CLIENT.post(pairs, '/pypi', boundary=DISTUTILS, before=b'\r\n')
    equal(answer.status, 200, answer.words)
    info = CLIENT.get('/pypi/distutils-demo/json').json['info']
    equal((info['name'], info['summary']), ('distutils-demo', ''))


def test_what_uv_sends_is_taken():
    name, data = wheel('uv-demo', '1')
    pairs = fields_for(name, data, requires_python='',
                       md5_digest=None, attestations='[]')
    pairs = [(key, (*value, '') if key == 'content' else value)
             for key, value in pairs]
    equal(CLIENT.post(pairs).status, 200)


def test_a_signature_is_passed_over_as_pypi_org_does():
    name, data = wheel('signed', '1')
    answer = CLIENT.upload(name, data, gpg_signature=(
        name + '.asc', b'-----BEGIN PGP SIGNATURE-----\n', ''))
    equal(answer.status, 200, answer.words)
    equal(CLIENT.get(CLIENT.project('signed')['files'][0]['url'] +
                     '.asc').status, 404)


def test_any_one_digest_is_enough():
    kinds = 'sha256_digest', 'md5_digest', 'blake2_256_digest'
    for number, kept in enumerate(kinds):
        name, data = wheel('digests', f'1.{number}')
        answer = CLIENT.upload(name, data, **{
            kind: None for kind in kinds if kind != kept})
        equal(answer.status, 200, answer.words)
    name, data = wheel('digests', '2')
    value = dict(fields_for(name, data))['sha256_digest'].upper()
    equal(CLIENT.upload(name, data, sha256_digest=value).status, 200)


def test_the_same_bytes_again_change_nothing():
    name, data = wheel('again', '1')
    equal(CLIENT.upload(name, data).status, 200)
    before = CLIENT.serial()
    page = CLIENT.get('/simple/again/').text
    for _ in range(2):
        answer = CLIENT.upload(name, data)
        equal((answer.status, answer.text), (200, b'OK\n'))
    equal(CLIENT.serial(), before)
    equal(CLIENT.get('/simple/again/').text, page)


def test_other_bytes_under_a_used_name_are_refused_as_twine_expects():
    name, data = wheel('taken', '1')
    equal(CLIENT.upload(name, data).status, 200)
    other = wheel('taken', '1', files=[('x.py', b'x')])[1]
    before = CLIENT.serial()
    answer = CLIENT.upload(name, other)
    equal(answer.status, 400)
    ok(answer.reason.startswith(f"File already exists ('{name}'"),
       answer.reason)
    ok(answer.words.startswith('File already exists ('), answer.words)
    contains(answer.words, 'new version')
    equal(CLIENT.serial(), before)
    equal(CLIENT.get(CLIENT.project('taken')['files'][0]['url']).text, data)


def test_the_name_of_a_deleted_file_stays_used():
    name, data = wheel('gone', '1')
    equal(CLIENT.upload(name, data).status, 200)
    url = CLIENT.project('gone')['files'][0]['url']
    CLIENT.index.tilsit('file', 'delete', name, '--yes')
    for again in data, wheel('gone', '1', files=[('x.py', b'x')])[1]:
        answer = CLIENT.upload(name, again)
        equal(answer.status, 400)
        contains(answer.reason, 'This filename was previously used')
        contains(answer.words, 'already exists')
    CLIENT.index.tilsit('project', 'delete', 'gone', '--yes')
    contains(CLIENT.upload(name, data).reason, 'previously used')
    ok(url.endswith(name))


def test_the_same_bytes_under_two_names_are_two_files():
    name, data = wheel('twonames', '1', tag='py3-none-any')
    other = name.replace('py3', 'py2.py3')
    equal(CLIENT.upload(name, data).status, 200)
    answer = CLIENT.upload(other, data)
    equal(answer.status, 200, answer.words)
    CLIENT.index.tilsit('file', 'delete', name, '--yes')
    file = CLIENT.project('twonames')['files'][0]
    equal((file['filename'], CLIENT.get(file['url']).text), (other, data))


def test_a_release_takes_its_metadata_from_its_first_file():
    equal(CLIENT.upload(*wheel('firstfile', '1', 'Summary: first'),
                        summary='first').status, 200)
    equal(CLIENT.upload(*sdist('firstfile', '1', 'Summary: second'),
                        summary='second').status, 200)
    equal(CLIENT.get('/pypi/firstfile/json').json['info']['summary'],
          'first')


def test_the_name_is_shown_as_last_uploaded():
    for number, spelling in enumerate(('show.case', 'Show_Case')):
        equal(CLIENT.upload(*wheel('show-case', f'1.{number}'),
                            name=spelling).status, 200)
    equal(CLIENT.get('/pypi/show-case/json').json['info']['name'],
          'Show_Case')


def test_register_and_verify_do_what_they_did():
    pairs = [(':action', 'verify'), ('metadata_version', '1.0'),
             ('name', 'registered'), ('version', '1.0')]
    before = CLIENT.serial()
    answer = CLIENT.post(pairs, '/pypi', eol=b'\n', before=b'\n')
    equal((answer.status, answer.text), (200, b'Validated OK\n'))
    equal(CLIENT.serial(), before)
    for action in 'submit', 'submit_pkg_info':
        pairs[0] = (':action', action)
        equal(CLIENT.post(pairs, '/pypi').status, 200)
    equal(CLIENT.project('registered')['files'], [])
    equal(CLIENT.upload(*wheel('registered', '1')).status, 200)


def test_the_classifiers_are_listed():
    for path in '/pypi', '/legacy/':
        answer = CLIENT.get(path + '?:action=list_classifiers')
        equal((answer.status, answer['Content-Type']),
              (200, 'text/plain; charset=utf-8'))
        contains(answer.words.splitlines(),
                 'Programming Language :: Python :: 3')


def test_a_hundred_uploads_at_once_all_land():
    def put(number):
        return CLIENT.upload(*wheel('crowd', f'1.{number}'))
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(put, range(100)))
    equal({answer.status for answer in answers}, {200},
          '\n'.join(answer.words for answer in answers
                    if answer.status != 200))
    serials = [int(answer['X-PyPI-Last-Serial']) for answer in answers]
    equal(len(set(serials)), 100)
    equal(len(CLIENT.project('crowd')['files']), 100)
    equal(CLIENT.project('crowd')['meta']['_last-serial'], max(serials))


def test_the_first_uploads_of_a_name_may_race():
    def put(made):
        return CLIENT.upload(*made)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for number in range(20):
            answers = pool.map(put, [wheel(f'race{number}x', f'1.{version}')
                                     for version in range(6)])
            for answer in answers:
                equal(answer.status, 200, answer.words)
            page = CLIENT.project(f'race{number}x')
            equal(len(page['files']), 6)


def test_uploading_leaves_nothing_in_staging():
    equal(glob.glob(CLIENT.index.path('store', 'staging', '*')), [])


def status_of(pid):
    with open(f'/proc/{pid}/status') as status:
        return dict(line.split(':', 1) for line in status)


def test_memory_stays_flat_whatever_the_size():
    pids = CLIENT.index.pids('upload')
    for pid in pids:
        with open(f'/proc/{pid}/clear_refs', 'w') as file:
            file.write('5')     # forget the highest size so far
    before = {pid: int(status_of(pid)['VmRSS'].split()[0]) for pid in pids}
    name, data = large_sdist(300 << 20)
    answer = CLIENT.upload(name, data)
    equal(answer.status, 200, answer.words)
    equal(CLIENT.project('huge')['files'][0]['size'], len(data))
    for pid in pids:
        grown = int(status_of(pid)['VmHWM'].split()[0]) - before[pid]
        ok(grown < 8 << 10, f'{grown} kB more')


def large_sdist(size):
    """As large outside as inside: gzip only wraps it."""
    block = os.urandom(1 << 20)
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode='wb', compresslevel=0, mtime=0) as z:
        with tarfile.open(fileobj=z, mode='w|') as archive:
            for path, data in (('PKG-INFO', b'Metadata-Version: 2.1\n'
                                b'Name: huge\nVersion: 1\n'),
                               ('setup.py', b'')):
                entry = tarfile.TarInfo('huge-1/' + path)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
            for number in range(size >> 20):
                entry = tarfile.TarInfo(f'huge-1/{number}')
                entry.size = len(block)
                archive.addfile(entry, io.BytesIO(block))
    return 'huge-1.tar.gz', out.getvalue()


if __name__ == '__main__':
    with instance() as index:
        CLIENT = Client(index)
        cases(globals())
