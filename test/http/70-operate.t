#!/usr/bin/python3 -B
# What operators do: migrate, check-config, fsck; and an instance without
# memcached.

import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import Client, sdist, wheel
from servers import instance
from tap import cases, contains, equal, ok, say, skip

DAY_S = 24 * 3600
CLIENT = None


def as_user(*words):
    """Run a command as the user that all parts run as."""
    user = CLIENT.index.user
    prefix = ['setpriv', f'--reuid={user.pw_uid}', f'--regid={user.pw_gid}',
              '--clear-groups', '--'] if user else []
    done = subprocess.run([*prefix, *words], text=True, cwd='/', check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    say(words, done.returncode, done.stdout)
    return done.returncode, done.stdout


def tilsit(*words, config=None):
    return as_user(CLIENT.index.path('bin', 'tilsit'), '--config',
                   config or CLIENT.index.config, *words)


def sql(text, database='tilsit'):
    conninfo = CLIENT.index.conninfo.replace('dbname=tilsit',
                                             f'dbname={database}')
    status, out = as_user('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', conninfo,
                          '-c', text)
    equal(status, 0, out)
    return out.strip()


def config_with(*lines):
    """The instance's settings and these, in a file of their own."""
    path = CLIENT.index.path('etc', 'other.conf')
    with open(CLIENT.index.config) as old, open(path, 'w') as new:
        names = {line.split('=')[0].strip() for line in lines}
        kept = [line for line in old
                if line.split('=')[0].strip() not in names]
        new.write(''.join(kept) + '\n'.join(lines) + '\n')
    os.chmod(path, 0o644)
    return path, len(kept)


# migrate


def test_migrate_is_repeatable():
    equal(tilsit('migrate'), (0, ''))
    equal(tilsit('migrate', '--dry-run'), (0, ''))


def test_migrate_can_run_many_times_at_once():
    sql('CREATE DATABASE fresh TEMPLATE template0')
    config, _ = config_with('database = ' + CLIENT.index.conninfo.replace(
        'dbname=tilsit', 'dbname=fresh'))
    status, text = tilsit('migrate', '--dry-run', config=config)
    equal(status, 0)
    contains(text, 'would apply 0001-index')
    equal(sql("SELECT to_regclass('schema_migration') IS NULL", 'fresh'), 't',
          'a dry run changes nothing')
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: tilsit('migrate', config=config),
                             range(8)))
    equal([status for status, _ in done], [0] * 8, done)
    applied = sorted(line for _, text in done for line in text.splitlines())
    equal(applied, sorted(set(applied)), 'each was applied once')
    equal(sql('SELECT count(*) FROM schema_migration', 'fresh'),
          str(len(applied)))


def test_migrate_says_what_keeps_it():
    config, _ = config_with('database = host=/nonexistent dbname=x')
    status, text = tilsit('migrate', config=config)
    equal(status, 1)
    contains(text, '/nonexistent')


# check-config


def test_check_config_is_content():
    status, text = tilsit('check-config')
    equal(status, 0)
    for line in ('all settings are good', 'store_path: can be written',
                 'snapshot_path: none',
                 'database: answers, and its schema is current',
                 'memcached: answers'):
        contains(text, line)
    equal(text.count('\n'), 5)


def test_check_config_finds_mistakes_with_file_and_line():
    for line, text in (
            ('colour = red', 'colour'), ('memcachd = x', 'memcached'),
            ('fence_ttl_s = soon', "not 'soon'"),
            ('fence_ttl_s = 0', 'from 1s to 1h'),
            ('store_path = relative', 'begins with /'),
            ('external_url = ftp://x', 'http://'),
            ('registration = nobody', 'any'), ('log_level = loud', 'debug'),
            ('allow_local_versions = perhaps', 'yes or no'),
            ('no sign', ''), ('= x', '')):
        config, before = config_with(line)
        status, out = tilsit('check-config', config=config)
        equal(status, 2, out)
        contains(out, f'{config}:{before + 1}: ')
        contains(out, text)
    config, _ = config_with('page_ttl_s = 90s')     # two lines' affair
    status, out = tilsit('check-config', config=config)
    equal(status, 2, out)
    contains(out, f'{config}: page_ttl_s must not be above fence_ttl_s')
    status, out = tilsit('check-config', config='/nonexistent.conf')
    equal(status, 1, out)
    contains(out, '/nonexistent.conf')


def test_check_config_finds_services_that_are_not_there():
    config, _ = config_with('database = host=/nonexistent dbname=x',
                            'memcached = unix:/nonexistent.sock',
                            'store_path = /nonexistent')
    status, out = tilsit('check-config', config=config)
    equal(status, 1)
    for line in ('store_path: FAILED: /nonexistent: No such file',
                 'database: FAILED: ', 'memcached: FAILED: does not answer'):
        contains(out, line)
    status, out = tilsit('check-config', '--offline', config=config)
    equal(status, 0, out)
    equal(out.count('\n'), 1)


def test_check_config_finds_an_old_schema_and_a_closed_store():
    sql('CREATE DATABASE old TEMPLATE template0')
    store = CLIENT.index.path('etc', 'store')   # root's, and not ours
    os.makedirs(store, mode=0o755, exist_ok=True)
    config, _ = config_with('database = ' + CLIENT.index.conninfo.replace(
        'dbname=tilsit', 'dbname=old'), f'store_path = {store}')
    status, out = tilsit('check-config', config=config)
    equal(status, 1)
    contains(out, 'the schema lacks 0001-index: run `tilsit migrate`')
    if CLIENT.index.user:
        contains(out, 'store_path: FAILED: ')
        contains(out, 'Permission denied')


# fsck


def put(made):
    equal(CLIENT.upload(*made).status, 200)
    url = CLIENT.project(made[0].split('-')[0])['files'][0]['url']
    return CLIENT.index.path('store') + url


def restore(made, path):
    with open(path, 'wb') as out:
        out.write(made[1])


def test_fsck_is_content_with_a_sound_index():
    put(wheel('sound', '1'))
    put(sdist('soundtoo', '1'))
    for options in [], ['--quick'], ['--repair']:
        status, out = tilsit('fsck', *options)
        equal(status, 0, out)
        contains(out, '2 files')
        contains(out, '0 troubles')


def test_fsck_brings_back_lost_and_wrong_metadata():
    made = wheel('metadata', '1')
    path = put(made) + '.metadata'
    with open(path, 'rb') as file:
        right = file.read()
    for wrong in None, b'Metadata-Version: 2.1\n', b'':
        os.unlink(path)
        if wrong is not None:
            with open(path, 'wb') as out:
                out.write(wrong)
            os.chmod(path, 0o644)
        status, out = tilsit('fsck')
        equal(status, 1)
        contains(out, f'no metadata\t{made[0]}\n')
        status, out = tilsit('fsck', '--repair')
        contains(out, f'no metadata\t{made[0]}\trepaired')
        equal(status, 0, out)
        with open(path, 'rb') as file:
            equal(file.read(), right)
        equal(tilsit('fsck')[0], 0)
    url = CLIENT.project('metadata')['files'][0]['url']
    equal(CLIENT.get(url + '.metadata').text, right)


def test_root_acts_as_the_user_whose_store_it_is():
    if os.getuid() != 0:
        skip('only root can')
    made = wheel('by-root', '1')
    path = put(made)
    os.unlink(path + '.metadata')
    done = subprocess.run(
        [CLIENT.index.path('bin', 'tilsit'), '--config', CLIENT.index.config,
         'fsck', '--repair'], text=True, capture_output=True)
    equal(done.returncode, 0, done.stdout + done.stderr)
    equal(os.stat(path + '.metadata').st_uid, os.stat(path).st_uid)
    ok(os.stat(path).st_uid != 0, 'the store is not root\'s')


def test_fsck_finds_missing_and_damaged_files():
    made = wheel('damaged', '1')
    path = put(made)
    os.chmod(path, 0o644)
    for change in (made[1][:-1], made[1] + b'x', b'',
                   made[1][:50] + b'\x00' + made[1][51:]):
        restore((made[0], change), path)
        status, out = tilsit('fsck')
        equal(status, 1)
        contains(out, f'damaged\t{made[0]}')
        contains(out, 'files and database differ')
    os.unlink(path)
    for options in [], ['--quick'], ['--repair']:
        status, out = tilsit('fsck', *options)
        equal(status, 1)
        contains(out, f'missing\t{made[0]}')
    serial = CLIENT.serial()
    equal(CLIENT.upload(*made).status, 200, 'the same bytes again')
    equal(tilsit('fsck')[0], 0, 'put back what was missing')
    equal(CLIENT.serial(), serial, 'which is no change of the index')


def test_fsck_sweeps_what_no_row_needs_but_not_what_is_young():
    made = wheel('orphan', '1')
    path = put(made)
    sql(f"DELETE FROM file WHERE filename = '{made[0]}'")
    equal(tilsit('fsck')[0], 0, 'an upload may be on its way')
    old = time.time() - 2 * DAY_S
    for name in glob.glob(path + '*'):
        os.utime(name, (old, old))
    status, out = tilsit('fsck')
    equal(status, 1)
    contains(out, 'unknown\t')
    contains(out, made[0])
    status, out = tilsit('fsck', '--repair')
    equal(status, 0, out)
    equal(glob.glob(path + '*'), [])
    equal(tilsit('fsck')[0], 0)


def test_fsck_tells_of_strangers_and_leaves_them():
    folder = CLIENT.index.path('store', 'packages')
    path = os.path.join(folder, 'notes.txt')
    with open(path, 'w') as out:
        out.write('mine')
    status, out = tilsit('fsck', '--repair')
    equal(status, 1)
    contains(out, 'stranger\t')
    contains(out, 'notes.txt')
    ok(os.path.exists(path))
    os.unlink(path)


def test_fsck_sees_a_store_that_is_gone():
    store = CLIENT.index.path('store', 'packages')
    shutil.move(store, store + '.away')
    try:
        status, out = tilsit('fsck', '--quick')
        equal(status, 1)
        contains(out, 'missing')
    finally:
        shutil.rmtree(store, ignore_errors=True)
        shutil.move(store + '.away', store)
    equal(tilsit('fsck')[0], 0)


# the rest


def test_without_memcached_all_works():
    with instance(settings={'memcached': ''}) as other:
        client = Client(other)
        for version in '1', '2':
            equal(client.upload(*wheel('uncached', version)).status, 200)
            for path in ('/simple/', '/simple/uncached/',
                         '/pypi/uncached/json', '/rss/updates.xml'):
                page = client.get(path)
                equal(page.status, 200)
                equal(page['X-PyPI-Last-Serial'], str(client.serial()))
        other.tilsit('release', 'yank', 'uncached', '2')
        contains(other.tilsit('check-config'), 'memcached: none')


if __name__ == '__main__':
    with instance() as index:
        CLIENT = Client(index)
        cases(globals())
