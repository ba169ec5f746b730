#!/usr/bin/python3 -B
# Uploads that are refused: each says what is wrong and changes nothing.

import glob
import os
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import (BOUNDARY, Client, basic, digests, fields_for, metadata,
                    multipart, part_header, sdist, wheel)
from servers import instance
from tap import cases, contains, equal, ok, say

CLIENT = None
BOB = None
PLACE = 'demo-3-py3-none-any.whl'
LIMIT_BYTES = 8 << 20


def demo(*lines, **options):
    return wheel('demo', '3', *lines, **options)


def log(name='upload'):
    with open(CLIENT.index.path('log', f'{name}.log'), 'rb') as file:
        return file.read().decode()


def refused(answer, status, *texts):
    """The answer says all this, in its body, and the first in its reason."""
    equal(answer.status, status, answer.words)
    for text in texts:
        contains(answer.words, text)
    if texts:
        contains(answer.reason + answer.words[200:], texts[0])
    equal(answer['Cache-Control'], 'no-store')


class Unchanged:
    """Nothing that happens here changes the index or stays in staging."""

    def __enter__(self):
        self.before = self.state()

    def __exit__(self, kind, *_):
        if kind is None:
            equal(self.state(), self.before)

    @staticmethod
    def state():
        return (CLIENT.serial(), CLIENT.get('/simple/').text,
                glob.glob(CLIENT.index.path('store', 'staging', '*')),
                sorted(glob.glob(CLIENT.index.path('store', 'packages', '**'),
                                 recursive=True)))


def test_begin_with_a_project():
    equal(CLIENT.upload(*wheel('demo', '1')).status, 200)


def test_strangers_are_asked_who_they_are():
    expired = CLIENT.index.tilsit('token', 'create', 'alice', '--days', '1')
    sql("UPDATE token SET expires_at = now() - interval '1 second' "
        'WHERE expires_at IS NOT NULL')
    revoked = CLIENT.index.tilsit('token', 'create', 'alice').strip()
    number = CLIENT.index.tilsit('token', 'list').splitlines()[-1].split()[0]
    CLIENT.index.tilsit('token', 'revoke', number)
    wrong = CLIENT.token[:-1] + ('a' if CLIENT.token[-1] != 'a' else 'b')
    with Unchanged():
        for value, text in (
                (None, 'You must be identified'),
                ('Basic', 'no password'), ('Basic !', 'base64'),
                (basic('alice', 'wrong'), 'Wrong user name or password'),
                (basic('nobody', 'x'), 'Wrong user name or password'),
                (basic('a' * 400, 'x'), 'too long'),
                (basic('a\nb', 'x'), 'control character'),
                (basic('__token__', 'pypi-AgEI'), "begin with 'tilsit-'"),
                (basic('__token__', wrong), ''),
                (basic('__token__', ''), 'empty'),
                (basic('__token__', 'a b'), 'character'),
                ('Bearer é'.encode(), 'character'),
                ('Digest x', 'only Basic and Bearer'),
                (basic('__token__', expired.strip()), 'expired'),
                (basic('__token__', revoked), 'revoked')):
            answer = CLIENT.upload(*demo(), {'Authorization': value})
            refused(answer, 401, text)
            equal(answer['WWW-Authenticate'], 'Basic realm="pypi"')


def test_known_callers_may_not_do_everything():
    limited = CLIENT.index.tilsit('token', 'create', 'alice', '--project',
                                  'Other.One').strip()
    with Unchanged():
        refused(BOB.upload(*demo()), 403, "The user 'bob' isn't allowed to "
                "upload to project 'demo'", 'ask one of its owners')
        refused(CLIENT.upload(*demo(), {'Authorization': basic(
            '__token__', limited)}), 403, "The given token isn't allowed to "
            "upload to project 'demo'", 'create one for this project')
    equal(CLIENT.upload(*wheel('other-one', '1'), {'Authorization': basic(
        '__token__', limited)}).status, 200)
    CLIENT.index.tilsit('user', 'disable', 'bob')
    with Unchanged():
        refused(BOB.upload(*wheel('bobs', '1')), 401, 'switched off')
    CLIENT.index.tilsit('user', 'enable', 'bob')


def test_some_projects_take_no_uploads():
    for status in 'archived', 'quarantined':
        CLIENT.index.tilsit('project', 'status', 'demo', status)
        with Unchanged():
            refused(CLIENT.upload(*demo()), 403, status)
    CLIENT.index.tilsit('project', 'status', 'demo', 'active')


def test_names_that_nobody_may_take():
    with Unchanged():
        for name, text in (('dem0', 'too similar'), ('de-mo', 'too similar'),
                           ('requirements.txt', "isn't allowed")):
            answer = CLIENT.upload(*wheel(name, '1'), name=name)
            say(answer.words)
            ok(answer.status in (400, 403), f'{name}: {answer.status}')
            contains(answer.words, name.replace('.', '-'))
            contains(answer.words, text)


WRONG = [
    ({'name': None}, "'name' is a required field"),
    ({'name': '-a'}, "'-a' is an invalid value for Name"),
    ({'name': 'a b'}, "'a b' is an invalid value for Name"),
    ({'name': 'é'}, 'an invalid value for Name'),
    ({'name': 'a/../b'}, 'an invalid value for Name'),
    ({'name': 'a' * 3000}, 'characters at most'),
    ({'name': 'a\r\nX: y'}, 'single line'),
    ({'name': ['demo', 'demo']}, 'only once'),
    ({'name': 'other'}, "should contain the normalized project name 'other'"),
    ({'version': None}, "'version' is a required field"),
    ({'version': 'dog'}, "'dog' is invalid for 'version'"),
    ({'version': '1.0-'}, "'1.0-' is invalid"),
    ({'version': '1' * 500}, 'invalid'),
    ({'version': ['3', '3']}, 'only once'),
    ({'version': '4'}, "Version in filename should be '4' not '3'"),
    ({'metadata_version': '9.9'}, "'9.9' is not a valid metadata version"),
    ({'protocol_version': '2'}, "Unknown protocol version. It is '2'"),
    ({'filetype': None}, "'filetype' is a required field"),
    ({'filetype': 'bdist_egg'}, "sdist or bdist_wheel, not 'bdist_egg'"),
    ({'filetype': ['bdist_wheel'] * 2}, 'sent twice'),
    ({'filetype': 'sdist', 'pyversion': None}, 'Invalid source distribution'),
    ({'pyversion': None}, 'Python version is required'),
    ({'pyversion': 'a b'}, "the wheel's Python tag, like py3, not 'a b'"),
    ({'pyversion': 'x' * 999}, "the wheel's Python tag"),
    ({'sha256_digest': '0' * 64}, 'does not match'),
    ({'sha256_digest': 'zz'}, "'sha256_digest' is 'zz'"),
    ({'md5_digest': '0' * 32}, 'does not match'),
    ({'blake2_256_digest': '0' * 64}, 'does not match'),
    ({'sha256_digest': None, 'md5_digest': None, 'blake2_256_digest': None},
     'at least one message digest'),
    ({'sha256_digest': None, 'md5_digest': None,
      'blake2_256_digest': '0' * 128}, 'at least one message digest'),
    ({'comment': 'a\0b'}, "'comment' has a control character"),
    ({'summary': 'a\nb'}, "'summary' must be a single line"),
    ({'summary': 'x' * 513}, '512 characters'),
    ({'summary': ['a', 'b']}, 'only once'),
    ({'summary': ('x.txt', b'x')}, "'summary' must be a text, not a file"),
    ({'description': b'\xff\xfe'}, 'not correctly encoded in UTF-8'),
    ({'description_content_type': 'text/evil'}, "not 'text/evil'"),
    ({'license_expression': 'FOO'}, "Unknown license: 'FOO'"),
    ({'home_page': 'javascript:alert(1)'}, 'is not a valid url'),
    ({'download_url': 'ftp://x/'}, 'is not a valid url'),
    ({'project_urls': 'x'}, "write 'Label, URL'"),
    ({'project_urls': 'Doc, javascript:1'}, 'is not a valid url'),
    ({'classifiers': 'No :: Such'}, "'No :: Such' is not a valid classifier"),
    ({'requires_dist': '???'}, "'???' is invalid for 'requires-dist'"),
    ({'requires_python': 'banana'}, "'banana' is invalid"),
    ({'author_email': 'nobody'}, "'nobody' is not a valid email address"),
    ({'provides_extra': '-x-'}, "'-x-' is invalid for 'provides-extra'"),
    ({'comment': 'x' * 9999}, "'comment' may have at most"),
    ({'content': None}, 'does not have a file'),
    ({'content': 'text'}, "Send it as the field 'content'"),
    ({'content': [demo(), demo()]}, 'two files'),
    ({'content': (*demo(), 'image/png')}, "sent as 'image/png'"),
    ({'__action': None}, "no ':action'"),
    ({'__action': ['file_upload'] * 2}, 'sent twice'),
    ({'__action': 'nonsense'}, "does not know the :action 'nonsense'"),
]


def test_each_wrong_field_is_named():
    with Unchanged():
        for changes, text in WRONG:
            answer = CLIENT.upload(*demo(), **changes)
            say(changes, answer.words)
            refused(answer, 400, text)


def test_wrong_file_names_are_refused():
    data = demo()[1]
    with Unchanged():
        for name, text in (
                ('', 'without a name'), ('.whl', "'.' at the beginning"),
                ('whl', 'Invalid wheel filename'),
                ('demo-3-py3-none-any.exe', 'must end in .whl'),
                ('demo-3-py3-none-any.whl.exe', 'must end in .whl'),
                ('demo-3.tar.gz', 'must end in .whl'),
                ('demo-3-py3-none.whl', 'NAME-VERSION[-BUILD]-PYTHON'),
                ('demo-3-a-py3-none-any.whl', 'must begin with a digit'),
                ('../' + PLACE, "'/' or '\\' in the name"),
                ('a\\' + PLACE, "'/' or '\\' in the name"),
                ('x' * 300 + PLACE, 'too long'),
                ('other-3-py3-none-any.whl', "project name 'demo'"),
                ('demo-4-py3-none-any.whl', "should be '3' not '4'"),
                ('demo-3-py3-none-linux_x86_64.whl', 'auditwheel repair'),
                ('demo-3-py3-none-any\x01.whl', 'control character'),
                (b'demo-3-py3-none-\xff.whl', 'not UTF-8')):
            answer = CLIENT.upload(PLACE, data, content=(name, data))
            say(name, answer.words)
            refused(answer, 400, text)


def test_archives_must_be_what_they_are_called():
    with Unchanged():
        for made, text in (
                ((PLACE, b''), 'not a zipfile'),
                ((PLACE, b'garbage' * 1000), 'not a zipfile'),
                ((PLACE, demo()[1][:-30]), 'Invalid distribution file'),
                ((PLACE, sdist('demo', '3')[1]), 'not a zipfile'),
                (('demo-3.tar.gz', b'x'), 'Invalid distribution file'),
                (('demo-3.tar.gz', demo()[1]), 'File is a zip'),
                (('demo-3.tar.gz', sdist('demo', '3')[1][:-20]),
                 'Invalid distribution file'),
                (demo(meta=b''), 'is empty; build it again'),
                (demo(meta=b'\n\n'), 'is empty; build it again'),
                (demo(meta=b'\xff' * 50), ''),
                (demo(meta=metadata('other', '3')), "the file has 'other'"),
                (demo(meta=metadata('demo', '4')), "the file has '4'"),
                (demo('Requires-Dist: ???'), "'???'"),
                (demo('Requires-Python: >=3.9'),
                 "Requires-Python differs: the file has '>=3.9'"),
                (demo(files=[('../x', b'')]), '../x'),
                (demo(files=[('/etc/x', b'')]), '/etc/x'),
                (sdist('demo', '3', files=[('../../x', b'')]), '..'),
                (wheel('other', '3'), "project name 'demo'")):
            answer = CLIENT.upload(*made, name='demo',
                                   requires_python='>=3.8')
            say(made[0], answer.words)
            refused(answer, 400, text)


def test_all_findings_come_in_one_answer():
    form = dict(summary='a\nb', requires_python='banana', home_page='x',
                version='dog', pyversion=None)
    fields = 'summary', 'requires_python', 'home_page', 'version', 'pyversion'
    with Unchanged():
        plain = CLIENT.upload(*demo(), **form)
        problem = CLIENT.upload(
            *demo(), {'Accept': 'application/problem+json'}, **form)
        uv = CLIENT.upload(*demo(), {'Accept': 'application/json;q=0.9, '
                           'text/plain;q=0.8, text/html;q=0.7'}, **form)
    equal(plain['Content-Type'], 'text/plain; charset=utf-8')
    equal({line.split(':')[0] for line in plain.words.splitlines()},
          set(fields))
    ok('\n' not in plain.reason and len(plain.reason) <= 200)
    equal(problem['Content-Type'], 'application/problem+json')
    equal((problem.json['status'], problem.json['title']),
          (400, 'Bad Request'))
    equal({error['source'] for error in problem.json['errors']}, set(fields))
    equal(uv['Content-Type'], 'application/json')
    ok(uv.json['code'].startswith('400 '))
    for text in 'banana', 'single line', 'dog':
        contains(uv.json['code'], text)
        contains(problem.json['detail'], text)


def post_raw(body, kind='multipart/form-data; boundary='
             + BOUNDARY.decode()):
    return CLIENT.ask('POST', '/legacy/', body, {
        **CLIENT.auth(), 'Content-Type': kind})


def test_broken_forms_are_refused():
    good = multipart(fields_for(*demo()))
    head = b'--' + BOUNDARY + b'\r\n'
    end = b'--' + BOUNDARY + b'--\r\n'
    nested = part_header('x', '', b'\r\n').replace(
        b'\r\n\r\n', b'\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n')
    with Unchanged():
        for body in (b'', b'x', good[:-len(end)], good[:len(good) // 2],
                     head, head + b'\r\n', head + b'no colon\r\n\r\nx' + end,
                     head + b'Content-Disposition: form-data\r\n\r\nx' + end,
                     head + b'Content-Disposition: form-data; name=""'
                     b'\r\n\r\nx\r\n' + end,
                     head + b'Content-Disposition: form-data; name="a"; '
                     b'name="b"\r\n\r\nx\r\n' + end,
                     head + b'Content-Disposition: form-data;\r\n name="a"'
                     b'\r\n\r\nx\r\n' + end,
                     head + nested + b'x\r\n' + end,
                     head + b'X: ' + b'x' * 100000 + b'\r\n\r\nx' + end,
                     (head + part_header('x', '', b'\r\n') + b'\r\n') * 6000
                     + end,
                     head + part_header('summary', '', b'\r\n') +
                     b'x' * (5 << 20) + b'\r\n' + end):
            answer = post_raw(body)
            say(body[:80], answer.words[:300])
            ok(answer.status in (400, 413), f'{body[:80]}: {answer.status}')
            ok(len(answer.words) > 10, 'it says why')
        for kind in ('text/plain', 'application/x-www-form-urlencoded',
                     'multipart/form-data', 'multipart/form-data; boundary=',
                     'multipart/form-data; boundary=' + 'x' * 71,
                     'multipart/form-data; boundary="é"',
                     'multipart/mixed; boundary=' + BOUNDARY.decode()):
            refused(post_raw(good, kind.encode()), 400)


def test_too_much_is_refused_before_it_is_read():
    with CLIENT.connect() as sock:
        sock.sendall((
            'POST /legacy/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n'
            f'Authorization: {CLIENT.auth()["Authorization"]}\r\n'
            'Content-Type: multipart/form-data; boundary=x\r\n'
            f'Content-Length: {1 << 40}\r\n\r\n').encode())
        answer = CLIENT.read_answer(sock)
    equal(answer.status, 413)
    contains(answer.words, f'{LIMIT_BYTES >> 20} MB')


def test_the_limit_is_the_files_and_not_the_forms():
    with Unchanged():
        for size, status, text in (
                (LIMIT_BYTES, 400, 'not a zipfile'),
                (LIMIT_BYTES + 1, 413, 'files of up to 8 MB'),
                (LIMIT_BYTES + (20 << 20), 413, 'files of up to 8 MB')):
            answer = CLIENT.upload(PLACE, os.urandom(size))
            equal(answer.status, status, answer.words)
            contains(answer.words, text)


def test_a_body_without_end_is_ended():
    chunk = b'100000\r\n' + b'x' * 0x100000 + b'\r\n'
    with Unchanged(), CLIENT.connect() as sock:
        sock.sendall((
            'POST /legacy/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
            f'Authorization: {CLIENT.auth()["Authorization"]}\r\n'
            'Content-Type: multipart/form-data; boundary=x\r\n'
            'Transfer-Encoding: chunked\r\n\r\n').encode())
        for _ in range(2 * (LIMIT_BYTES >> 20) + 16):
            sock.sendall(chunk)
        answer = CLIENT.read_answer(sock)
    equal(answer.status, 413)
    contains(answer.words, 'files of up to 8 MB')


def test_clients_that_go_away_leave_nothing():
    name, data = demo(files=[('x', os.urandom(1 << 20))])
    body = multipart(fields_for(name, data))
    with Unchanged():
        for part in 0, 100, len(body) // 2, len(body) - 1, len(body):
            with CLIENT.connect() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack('ii', 1, 0))     # RST at close
                sock.sendall((
                    'POST /legacy/ HTTP/1.1\r\nHost: x\r\n'
                    'Content-Type: multipart/form-data; boundary='
                    f'{BOUNDARY.decode()}\r\nContent-Length: {len(body)}\r\n'
                    '\r\n').encode() + body[:part])
        equal(CLIENT.upload(*demo(), {'Authorization': None}).status, 401)


def test_a_truncated_body_is_not_an_upload():
    body = multipart(fields_for(*demo()))
    with Unchanged():
        with CLIENT.connect() as sock:
            sock.sendall((
                'POST /legacy/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
                f'Authorization: {CLIENT.auth()["Authorization"]}\r\n'
                'Content-Type: multipart/form-data; boundary='
                f'{BOUNDARY.decode()}\r\nContent-Length: {len(body) - 40}\r\n'
                '\r\n').encode() + body[:-40])
            refused(CLIENT.read_answer(sock), 400)


def test_requests_that_contradict_themselves_are_refused():
    body = multipart(fields_for(*demo()))
    common = ('POST /legacy/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
              f'Authorization: {CLIENT.auth()["Authorization"]}\r\n'
              'Content-Type: multipart/form-data; boundary='
              f'{BOUNDARY.decode()}\r\n')
    with Unchanged():
        for lines in ('Content-Length: -1', 'Content-Length: 1x',
                      'Content-Length: 10\r\nContent-Length: 11',
                      'Content-Length: 10\r\nTransfer-Encoding: chunked',
                      'Transfer-Encoding: gzip', 'Content-Length: ' +
                      '9' * 30):
            answer = CLIENT.raw(f'{common}{lines}\r\n\r\n'.encode() + body)
            ok(answer.status in (400, 411, 413, 501),
               f'{lines}: {answer.status}')


INJECTIONS = ["'; DROP TABLE file; --", '"><script>alert(1)</script>',
              'a%0d%0aSet-Cookie: x=y', '../../../etc/passwd',
              '${jndi:ldap://x}', '{{7*7}}', '\x1b[31mred', '%s%n%x',
              'a b="c" status=200', '\u202egnp.exe', '\x85next']


def test_hostile_text_stays_text():
    for number, text in enumerate(INJECTIONS):
        version = f'5.{number}'
        lines = [f'{field}: {text}' for field in
                 ('Summary', 'Author', 'License', 'Keywords', 'Platform')]
        made = wheel('demo', version, *lines, body=text)
        answer = CLIENT.upload(*made, summary=text, author=text, license=text,
                               keywords=text, platform=text, comment=text,
                               description=text)
        say(text, answer.status, answer.words)
        if answer.status == 400:
            ok(any(ord(c) < 32 or ord(c) in (0x7f, 0x85) for c in text),
               text)
            continue
        info = CLIENT.get(f'/pypi/demo/{version}/json').json['info']
        equal((info['summary'], info['author']), (text, text))
        feed = CLIENT.get('/rss/updates.xml').words
        ok('<script' not in feed)
    for page in ('/simple/demo/', '/simple/', '/rss/packages.xml'):
        ok(b'<script' not in CLIENT.get(page).text)


def test_no_field_forges_a_line_of_the_log_or_a_header():
    evil = ('x\r\nX-Evil: 1\r\n\r\n<html>', 'x\nprogram=tilsit-upload '
            'status=200 user=root', 'x\x00y', 'x\x1b]0;title\x07',
            'x" err=- id="')
    before = len(log().splitlines())
    sent = 0
    for text in evil:
        for field in ('name', 'version', '__action', 'filetype', 'pyversion',
                      'protocol_version', 'md5_digest', 'comment',
                      'metadata_version', 'classifiers', 'requires_dist'):
            made = wheel('demo', f'6.{sent}')
            answer = CLIENT.upload(*made, **{field: text})
            sent += 1
            say(field, repr(text), answer.status, answer.words)
            ok(answer.status in (200, 400), answer.status)
            equal(answer['X-Evil'], None)
            ok(answer.reason.isprintable(), answer.reason)
    lines = log().splitlines()[before:]
    equal(len(lines), sent, 'one line for each')
    for line in lines:
        ok(line.startswith('program=tilsit-upload '), line)
        ok(line.isprintable(), line)
        equal(line.count(' user=alice '), 1, line)


def test_paths_and_agents_forge_no_log_lines():
    CLIENT.raw(b'GET /simple/x%0aprogram=fake/ HTTP/1.1\r\nHost: x\r\n'
               b'User-Agent: a" "b\x1b[31m\r\nConnection: close\r\n\r\n')
    for name in 'simple', 'access', 'upload':
        text = log(name)
        ok('\nprogram=fake' not in text, name)
        ok('\x1b' not in text, name)


def test_the_journal_holds_what_was_sent_and_no_more():
    events = sql("SELECT action FROM journal WHERE normalized_name = 'demo'")
    for action in events.splitlines():
        ok(action.isprintable(), action)


def test_slow_uploads_do_not_keep_others_out():
    head = ('POST /legacy/ HTTP/1.1\r\nHost: x\r\n'
            f'Authorization: {CLIENT.auth()["Authorization"]}\r\n'
            'Content-Type: multipart/form-data; boundary=x\r\n'
            'Content-Length: 100000\r\n\r\n--x\r\n').encode()
    slow = []
    try:
        for _ in range(200):
            slow.append(CLIENT.connect())
            slow[-1].sendall(head)
        equal(CLIENT.upload(*wheel('quick', '1')).status, 200)
        equal(CLIENT.get('/simple/quick/').status, 200)
    finally:
        for sock in slow:
            sock.close()


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
    with instance(upload_limit_bytes=LIMIT_BYTES) as index:
        CLIENT = Client(index)
        BOB = Client(index, 'bob')
        cases(globals())
