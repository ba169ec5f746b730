#!/usr/bin/python3 -B
# Changes from the command line: what each does to every page, what it writes
# into the journal, and what it says when it cannot.

import concurrent.futures
import hashlib
import os
import subprocess
import sys
import time
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import Client, basic, sdist, wheel
from servers import instance
from tap import cases, contains, equal, ok, say

CLIENT = None
RPC = None


def tilsit(*words):
    return CLIENT.index.tilsit(*words)


def fails(*words, status=None):
    """What a command that cannot do it says."""
    user = CLIENT.index.user
    prefix = ['setpriv', f'--reuid={user.pw_uid}', f'--regid={user.pw_gid}',
              '--clear-groups', '--'] if user else []
    done = subprocess.run(
        [*prefix, CLIENT.index.path('bin', 'tilsit'), '--config',
         CLIENT.index.config, *words], text=True, capture_output=True,
        stdin=subprocess.DEVNULL, check=False, cwd='/')
    say(words, done.returncode, done.stdout, done.stderr)
    ok(done.returncode in ((status,) if status else (1, 2)),
       f'{words} ended with {done.returncode}')
    return done.stderr


def put(made, **changes):
    answer = CLIENT.upload(*made, **changes)
    equal(answer.status, 200, answer.words)
    return int(answer['X-PyPI-Last-Serial'])


def journal(*words):
    """The events of one command, as (name, version, action)."""
    before = CLIENT.serial()
    text = tilsit(*words)
    events = RPC.changelog_since_serial(before)
    if events:
        contains(text, f'serial {events[-1][4]}')
        equal(CLIENT.serial(), events[-1][4])
    else:
        contains(text, 'nothing to do')
    return [tuple(event[:2]) + (event[3],) for event in events]


def test_a_yanked_release_is_marked_on_every_page():
    put(wheel('yank', '1'))
    put(sdist('yank', '1'))
    put(wheel('yank', '2'))
    equal(journal('release', 'yank', 'Yank', '1.0', '--reason', 'it <burns>'),
          [('yank', '1', 'yank release')])
    page = CLIENT.project('yank')
    equal([file['yanked'] for file in page['files']],
          ['it <burns>', 'it <burns>', False])
    equal(CLIENT.get('/simple/yank/').words.count(
        'data-yanked="it &lt;burns&gt;"'), 2)
    release = CLIENT.get('/pypi/yank/1/json').json
    equal((release['info']['yanked'], release['info']['yanked_reason']),
          (True, 'it <burns>'))
    equal({file['yanked'] for file in release['urls']}, {True})
    equal(CLIENT.get('/pypi/yank/json').json['info']['version'], '2')
    equal(RPC.package_releases('yank'), ['2'])
    equal(RPC.release_data('yank', '1')['_pypi_hidden'], True)
    equal(journal('release', 'yank', 'yank', '1', '--reason=it <burns>'), [])
    equal(journal('release', 'yank', 'yank', '1'),
          [('yank', '1', 'yank release')])
    equal(CLIENT.project('yank')['files'][0]['yanked'], True)
    contains(CLIENT.get('/simple/yank/').words, 'data-yanked=""')
    equal(journal('release', 'unyank', 'yank', '1'),
          [('yank', '1', 'unyank release')])
    equal(journal('release', 'unyank', 'yank', '1'), [])
    ok('data-yanked' not in CLIENT.get('/simple/yank/').words)


def test_a_file_can_be_yanked_alone():
    put(wheel('yankfile', '1'))
    name, _ = made = sdist('yankfile', '1')
    put(made)
    [(project, version, action)] = journal('file', 'yank', name, '--reason',
                                           'no source')
    equal((project, version), ('yankfile', '1'))
    contains(action, name)
    equal({file['filename']: file['yanked']
           for file in CLIENT.project('yankfile')['files']},
          {name: 'no source', 'yankfile-1-py3-none-any.whl': False})
    equal(CLIENT.get('/pypi/yankfile/json').json['info']['yanked'], False)
    equal(len(journal('file', 'unyank', name)), 1)
    equal({file['yanked'] for file in CLIENT.project('yankfile')['files']},
          {False})


def test_a_deleted_file_is_gone_from_every_page():
    name, _ = made = wheel('delfile', '1')
    put(made)
    put(sdist('delfile', '1'))
    contains(fails('file', 'delete', name), 'say --yes')
    equal(journal('file', 'delete', name, '--yes'),
          [('delfile', '1', f'remove file {name}')])
    equal([file['filename'] for file in CLIENT.project('delfile')['files']],
          ['delfile-1.tar.gz'])
    ok(name not in CLIENT.get('/simple/delfile/').words)
    ok(name not in CLIENT.get('/pypi/delfile/json').words)
    equal(len(RPC.release_urls('delfile', '1')), 1)
    contains(fails('file', 'delete', name, '--yes'), name)
    contains(fails('file', 'yank', name), name)


def test_a_deleted_release_is_gone_and_its_name_stays_used():
    made = wheel('delrelease', '1')
    put(made)
    put(wheel('delrelease', '2'))
    contains(fails('release', 'delete', 'delrelease', '1'), 'say --yes')
    equal(journal('release', 'delete', 'delrelease', '1', '--yes'),
          [('delrelease', '1', 'remove release')])
    equal(CLIENT.project('delrelease')['versions'], ['2'])
    equal(CLIENT.get('/pypi/delrelease/1/json').status, 404)
    equal(RPC.package_releases('delrelease'), ['2'])
    contains(CLIENT.upload(*made).reason, 'previously used')
    contains(fails('release', 'delete', 'delrelease', '1', '--yes'), '1')
    contains(fails('release', 'yank', 'delrelease', 'dog'), 'dog')


def test_a_deleted_project_is_404_and_may_be_anothers():
    bob = Client(CLIENT.index, 'bob')
    made = wheel('delproject', '1')
    put(made)
    contains(fails('project', 'delete', 'delproject'), 'say --yes')
    equal(journal('project', 'delete', 'Del_Project'.replace('_', ''),
                  '--yes'), [('delproject', None, 'remove project')])
    for path in '/simple/delproject/', '/pypi/delproject/json':
        equal(CLIENT.get(path).status, 404)
    ok('delproject' not in CLIENT.get('/simple/').words)
    ok('delproject' not in RPC.list_packages())
    contains(fails('project', 'delete', 'delproject', '--yes'), 'delproject')
    contains(bob.upload(*made).reason, 'previously used')
    equal(bob.upload(*wheel('delproject', '2')).status, 200)
    equal(RPC.package_roles('delproject'), [['Owner', 'bob']])


def sql(text):
    return CLIENT.index.output(
        ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', CLIENT.index.conninfo,
         '-c', text])


def test_the_bytes_of_a_deleted_file_go_a_day_later():
    name, data = wheel('swept', '1')
    put((name, data))
    tilsit('file', 'delete', name, '--yes')
    digest = hashlib.blake2b(data, digest_size=32).hexdigest()
    place = CLIENT.index.path('store', 'packages', digest[:2], digest[2:4],
                              digest[4:], name)
    ok(os.path.exists(place), 'still there for who read a page before')
    sql("""UPDATE discarded_file SET discarded_at = now() - interval '2 days';
        INSERT INTO discarded_file (node, blake2b_256, filename,
                                    discarded_at)
        SELECT 'one', sha256(int8send(n)), 'gone-' || n, '2020-01-01'
          FROM generate_series(1, 2500) n""")
    CLIENT.index.restart('runner')      # which sweeps as it starts
    deadline = time.monotonic() + 60
    while sql('SELECT count(*) FROM discarded_file').strip() != '0':
        ok(time.monotonic() < deadline, 'the runner sweeps')
        time.sleep(0.05)
    ok(not os.path.exists(place), 'and then it is gone')


# Another worker, as it makes a project of the name f00: it waits with its
# commit until somebody waits for its lock.
SIMILAR = """
    BEGIN;
    SELECT pg_advisory_xact_lock(hashtextextended('f00', 1));
    INSERT INTO project (name, normalized_name, ultra_name, last_serial)
    VALUES ('foo', 'foo', 'f00', 0);
    DO $$ BEGIN
        FOR i IN 1..6000 LOOP
            EXIT WHEN EXISTS (SELECT FROM pg_locks
                               WHERE locktype = 'advisory' AND NOT granted);
            PERFORM pg_sleep(0.01);
        END LOOP;
    END $$;
    COMMIT
"""
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


def test_of_two_new_names_that_are_similar_only_one_is_taken():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        other = pool.submit(sql, SIMILAR)
        while sql(LOCKS).strip() == '0':
            ok(not other.done(), 'the other has the lock first')
        answer = CLIENT.upload(*wheel('f0o', '1'))
        other.result()
    contains(answer.words, "too similar to the existing project 'foo'")
    sql("DELETE FROM project WHERE name = 'foo'")


def test_a_projects_status_is_shown_and_obeyed():
    words = {'active': 'quarantine cleared'}
    put(wheel('status', '1'))
    for status, uploads, files in (('archived', 403, 1),
                                   ('deprecated', 200, 1),
                                   ('quarantined', 403, 0),
                                   ('active', 200, 1)):
        equal(journal('project', 'status', 'status', status, '--reason',
                      f'because {status}'),
              [('status', None, 'project ' + words.get(status, status))])
        page = CLIENT.project('status')
        equal(page['project-status'],
              {'status': status, 'reason': f'because {status}'})
        contains(CLIENT.get('/simple/status/').words,
                 f'name="pypi:project-status" content="{status}"')
        equal(len(page['files']) > 0, files > 0, status)
        equal('status' in RPC.list_packages(), files > 0)
        equal(len(RPC.release_urls('status', '1')), files)
        equal(CLIENT.upload(*wheel('status', f'2.{len(status)}')).status,
              uploads, status)
        equal(journal('project', 'status', 'status', status, '--reason',
                      f'because {status}'), [])
    contains(fails('project', 'status', 'status', 'wild'),
             "'wild' is no project status: use active")
    contains(fails('project', 'status', 'nobody', 'active'), 'nobody')


def test_a_project_can_be_made_ahead_for_its_owner():
    tilsit('user', 'add', 'carol', '--email', 'c@example.org')
    equal(journal('project', 'create', 'Made.Ahead', 'carol'),
          [('Made.Ahead', None, 'create'),
           ('Made.Ahead', None, 'add Owner carol')])
    equal(CLIENT.upload(*wheel('made-ahead', '1')).status, 403)
    contains(fails('project', 'create', 'made_ahead', 'carol'), 'already')
    contains(fails('project', 'create', 'x', 'nobody'), "'nobody'")
    contains(fails('project', 'create', '-', 'carol'), "'-'")
    contains(tilsit('project', 'list'), 'Made.Ahead')


def test_roles_come_and_go_but_an_owner_stays():
    put(wheel('roles', '1'))
    tilsit('user', 'add', 'dora')
    token = tilsit('token', 'create', 'dora').strip()
    as_dora = {'Authorization': basic('__token__', token)}
    equal(CLIENT.upload(*wheel('roles', '2'), as_dora).status, 403)
    equal(journal('role', 'set', 'roles', 'dora', 'Maintainer'),
          [('roles', None, 'add Maintainer dora')])
    equal(CLIENT.upload(*wheel('roles', '2'), as_dora).status, 200)
    equal(tilsit('role', 'list', 'roles').split(),
          ['Owner', 'alice', 'Maintainer', 'dora'])
    equal(CLIENT.get('/pypi/roles/json').json['ownership']['roles'],
          [{'role': 'Owner', 'user': 'alice'},
           {'role': 'Maintainer', 'user': 'dora'}])
    for words in (('remove', 'roles', 'alice'),
                  ('set', 'roles', 'alice', 'Maintainer')):
        contains(fails('role', *words), 'owner')
    equal(journal('role', 'set', 'roles', 'dora', 'Owner'),
          [('roles', None, 'change Maintainer dora to Owner')])
    equal(journal('role', 'set', 'roles', 'dora', 'Owner'), [])
    equal(journal('role', 'remove', 'roles', 'alice'),
          [('roles', None, 'remove Owner alice')])
    equal(CLIENT.upload(*wheel('roles', '3')).status, 403)
    equal(journal('role', 'remove', 'roles', 'alice'), [])
    contains(fails('role', 'set', 'roles', 'nobody', 'Owner'), "'nobody'")
    contains(fails('role', 'set', 'roles', 'dora', 'King'), 'King')
    contains(fails('role', 'list', 'nothing'), 'nothing')


def test_users_are_added_changed_and_kept_out():
    index = CLIENT.index
    index.tilsit('user', 'add', 'erik', '--password-stdin', '--email',
                 'e@example.org', data=b'first password\n')
    def status(password):
        return CLIENT.upload(*wheel('eriks', '1'), {
            'Authorization': basic('erik', password)}).status
    equal(status('first password'), 200)
    index.tilsit('user', 'password', 'erik', '--password-stdin',
                 data=b'second password\n')
    equal((status('first password'), status('second password')), (401, 200))
    tilsit('user', 'disable', 'erik')
    equal(status('second password'), 401)
    contains(tilsit('user', 'list'), 'disabled')
    tilsit('user', 'enable', 'erik')
    equal(status('second password'), 200)
    contains(fails('user', 'add', 'erik'), "there is a user 'erik' already")
    for name in 'Upper', 'a b', '', '-x', 'a' * 200, 'é', '__token__':
        contains(fails('user', 'add', name), 'cannot be a user name')
    contains(fails('user', 'disable', 'nobody'), "no user 'nobody'")
    contains(fails('user', 'password', 'nobody'), 'password')


def test_tokens_are_shown_once_and_tell_their_use():
    tilsit('user', 'add', 'fred')
    token = tilsit('token', 'create', 'fred', '--label', 'my laptop',
                   '--days', '3', '--project', 'One, two_2').strip()
    ok(token.startswith('tilsit-') and len(token) > 40, token)
    row = tilsit('token', 'list', 'fred').splitlines()[-1]
    for text in 'fred', 'my laptop', 'never', 'valid', 'one', 'two-2':
        contains(row, text)
    ok(token not in tilsit('token', 'list'), 'not shown again')
    equal(CLIENT.upload(*wheel('one', '1'), {
        'Authorization': basic('__token__', token)}).status, 200)
    row = tilsit('token', 'list', 'fred').splitlines()[-1]
    equal(row.count('never'), 0, 'its last use is known')
    tilsit('token', 'revoke', row.split()[0])
    contains(tilsit('token', 'list', 'fred'), 'revoked')
    contains(fails('token', 'revoke', 'x'), "'x' is no token's number")
    contains(fails('token', 'revoke', '99999'), '99999')
    contains(fails('token', 'create', 'nobody'), "'nobody'")
    contains(fails('token', 'create', 'fred', '--days', '0'), '--days')
    contains(fails('token', 'create', 'fred', '--days=3650000'), '--days')
    contains(fails('token', 'create', 'fred', '--project', 'a b'), "'a b'")


def test_wrong_command_lines_show_the_right_one():
    contains(fails('nothing', status=2), "no command 'nothing'")
    contains(fails('release', status=2), 'release yank')
    for words in (('release', 'yank'), ('release', 'yank', 'a'),
                  ('release', 'yank', 'a', 'b', 'c'), ('migrate', 'x'),
                  ('release', 'yank', 'a', 'b', '--raeson', 'x'),
                  ('release', 'yank', 'a', 'b', '--reason'),
                  ('file', 'delete', 'x', '--yes=no')):
        contains(fails(*words, status=2), 'usage: tilsit ' + words[0])


def test_every_command_has_help():
    text = tilsit('--help')
    commands = [line.split('  ')[1].strip() for line in text.splitlines()
                if line.startswith('  ')]
    ok(len(commands) > 20, commands)
    for command in commands:
        contains(tilsit(*command.split(), '--help'), f'usage: tilsit {command}')


def test_commands_obey_limits_of_names_and_reasons():
    put(wheel('limits', '1'))
    for reason in ("'; DROP TABLE release; --", '\u2713 "<&>', 'x' * 5000):
        tilsit('release', 'yank', 'limits', '1', '--reason', reason)
        got = CLIENT.project('limits')['files'][0]['yanked']
        ok(reason.startswith(got[:100]), got)
    for reason in 'a\nb', 'a\x1bb', os.fsdecode(b'\xff'):
        contains(fails('release', 'yank', 'limits', '1', '--reason', reason),
                 'control character, or is not UTF-8')


if __name__ == '__main__':
    with instance() as index:
        CLIENT = Client(index)
        RPC = xmlrpc.client.ServerProxy(index.url + '/pypi', allow_none=True)
        cases(globals())
