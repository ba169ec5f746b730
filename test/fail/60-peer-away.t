#!/usr/bin/python3 -B
# Package files on two machines: an upload is on both before its answer, goes
# on when the other one is away, and what is missing or damaged is mended.

import contextlib
import glob
import hashlib
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import wheel
from faults import Asked, refused, wait_until
from pair import Pair
from servers import folder
from tap import cases, contains, equal, ok, skip

from process import Failure

DISK_BYTES = 4 << 20
SETTINGS = {'peer_timeout_ms': '1s'}
PAIR = AT_A = AT_B = None
HAS_SMALL_DISK = False


def place(name, data):
    digest = hashlib.blake2b(data, digest_size=32).hexdigest()
    return f'packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{name}'


def has(instance, file, suffix=''):
    """Is it in that machine's store, to the byte?"""
    try:
        with open(instance.path('store', place(*file) + suffix),
                  'rb') as kept:
            return bool(suffix) or kept.read() == file[1]
    except FileNotFoundError:
        return False


def on_both(file):
    for suffix in '', '.metadata':
        ok(has(PAIR.a, file, suffix), f'vm-a has {file[0]}{suffix}')
        ok(has(PAIR.b, file, suffix), f'vm-b has {file[0]}{suffix}')


def missing():
    return PAIR.sql(PAIR.a, 'SELECT node, filename FROM missing_copy '
                            'ORDER BY filename').splitlines()


def why(file):
    return PAIR.sql(PAIR.a, 'SELECT last_error FROM missing_copy '
                            f"WHERE filename = '{file[0]}'")


def hurry():
    PAIR.sql(PAIR.a, 'UPDATE missing_copy SET next_try_at = now()')


def healed(file):
    """Ask the runners to look now, until both have it and know that."""
    def is_so():
        hurry()
        return not missing()
    wait_until(f'{file[0]} is on both', is_so)
    on_both(file)


@contextlib.contextmanager
def harmed(harm, mend, part):
    """Without a part of vm-b, and without its runner, which would fetch what
    it lacks at once; vm-a's workers begin anew, so that none of them rests."""
    PAIR.b.stop('runner')
    harm(part)
    try:
        yield
    finally:
        mend(part)
        PAIR.a.restart('upload')
        PAIR.b.start('runner')


def frozen(part):
    return harmed(PAIR.b.freeze, PAIR.b.resume, part)


def stopped(part):
    return harmed(PAIR.b.stop, PAIR.b.start, part)


def log_of(instance, part):
    with open(instance.path('log', f'{part}.log')) as log:
        return log.read()


def lose(instance, file, suffix=''):
    os.unlink(instance.path('store', place(*file) + suffix))


def damage(instance, file):
    with open(instance.path('store', place(*file)), 'r+b') as kept:
        first = kept.read(1)
        kept.seek(0)
        kept.write(bytes([first[0] ^ 1]))


def fsck(instance, *words, status=0):
    """The lines that it prints; its exit status is as expected."""
    try:
        text = instance.tilsit('fsck', *words)
        equal(status, 0, text)
        return text.splitlines()
    except Failure as error:
        equal(status, 1, str(error))
        return []


def test_an_upload_is_on_both_machines_before_its_answer():
    for n, client in enumerate((AT_A, AT_B)):
        file = wheel('both', f'1.{n}')
        equal(client.upload(*file).status, 200)
        on_both(file)
        heads = [one.ask('HEAD', '/' + place(*file)) for one in (AT_A, AT_B)]
        for field in 'ETag', 'Last-Modified', 'Content-Length':
            equal(heads[0][field], heads[1][field])
    equal(missing(), [])
    for instance in PAIR.a, PAIR.b:
        contains(log_of(instance, 'upload'), ' peer=ok\n')


def test_check_config_knows_the_other_machine():
    for instance in PAIR.a, PAIR.b:
        contains(instance.tilsit('check-config'), 'peer_url: answers')


def goes_on(name, harm, words):
    """An upload that the other machine cannot keep, until it can."""
    file = wheel(name, '1')
    with harm:
        equal(AT_A.upload(*file).status, 200)
        equal(missing(), [f'vm-b|{file[0]}'])
        contains(why(file), words)
        contains(log_of(PAIR.a, 'upload'), ' peer="missing: the other')
        equal(AT_A.get('/' + place(*file)).text, file[1])
    healed(file)


def test_a_frozen_nginx_holds_up_no_upload():
    goes_on('frozen-nginx', frozen('nginx'), 'stood still')


def test_a_frozen_pool_holds_up_no_upload():
    goes_on('frozen-pool', frozen('peer'), 'stood still')


def test_a_stopped_pool_holds_up_no_upload():
    goes_on('stopped-pool', stopped('peer'), 'answers 502')


def test_a_dead_peer_costs_one_upload_and_not_each():
    with frozen('nginx'):
        for n in range(12):     # with four workers
            equal(AT_A.upload(*wheel('rests', f'1.{n}')).status, 200)
        contains(log_of(PAIR.a, 'upload'), 'did not answer a moment ago')
        equal(len(missing()), 12)
    healed(wheel('rests', '1.11'))


def test_a_restart_of_nginx_over_there_costs_no_copy():
    """The kept connections end; their next requests go over new ones."""
    PAIR.b.stop('runner')
    try:
        for turn in range(3):
            asked = [Asked(AT_A.upload, *wheel(f'kept-{n}', f'1.{turn}'))
                     for n in range(8)]
            equal([one.answer().status for one in asked], [200] * 8)
            equal(missing(), [])
            PAIR.b.restart('nginx')
    finally:
        PAIR.b.start('runner')


def test_who_lacks_a_file_fetches_it_though_its_pool_is_away():
    PAIR.b.stop('peer')
    try:
        file = wheel('fetched', '1')
        equal(AT_A.upload(*file).status, 200)
        wait_until('vm-b has it', lambda: has(PAIR.b, file))
    finally:
        PAIR.b.start('peer')
    healed(file)


def test_a_full_disk_over_there_holds_up_no_upload():
    if not HAS_SMALL_DISK:
        skip('may not mount a small file system')
    filler = PAIR.b.path('store', 'filler')
    file = wheel('full', '1', files=[
        ('noise', random.Random(1).randbytes(DISK_BYTES // 4))])
    with contextlib.suppress(OSError), open(filler, 'wb') as out:
        while True:
            out.write(bytes(4096))
            out.flush()
    try:
        equal(AT_A.upload(*file).status, 200)
        contains(why(file), 'the disk of the file store is full')
        ok(not has(PAIR.b, file), 'vm-b has none')
        equal(AT_B.get('/' + place(*file)).text, file[1])
        refused(AT_B.upload(*wheel('full', '2')))
    finally:
        os.unlink(filler)
    healed(file)
    equal(os.listdir(PAIR.b.path('store', 'staging')), [])


def test_who_lacks_a_file_serves_the_others():
    file = wheel('through', '1')
    equal(AT_A.upload(*file).status, 200)
    lose(PAIR.b, file)
    lose(PAIR.b, file, '.metadata')
    path = '/' + place(*file)

    def is_so():        # nginx keeps a descriptor for a second
        return b'demand' not in AT_B.get(path).text and \
            not has(PAIR.b, file)
    wait_until('it is asked for', is_so)
    here, there = AT_A.get(path), AT_B.get(path)
    equal((there.status, there.text), (200, file[1]))
    for field in ('ETag', 'Last-Modified', 'Content-Type', 'Cache-Control',
                  'Access-Control-Allow-Origin', 'Content-Security-Policy',
                  'Accept-Ranges'):
        equal(there[field], here[field], field)
    part = AT_B.get(path, Range='bytes=2-5')
    equal((part.status, part.text), (206, file[1][2:6]))
    equal(AT_B.get(path, If_None_Match=here['ETag']).status, 304)
    equal(AT_B.ask('HEAD', path).status, 200)
    equal(AT_B.get(path + '.metadata').status, 200)
    equal(AT_B.ask('POST', path).status, 405)
    equal(AT_B.get(path[:-3] + 'xyz').status, 404)
    equal(AT_B.get('/packages/').status, 404)
    PAIR.a.stop('nginx')
    try:
        refused(AT_B.get(path))
        refused(AT_B.get(path[:-3] + 'xyz'))
    finally:
        PAIR.a.start('nginx')
    equal(fsck(PAIR.b, '--peer')[0], f'missing\t{file[0]}\trepaired')
    on_both(file)


def test_pip_installs_from_who_lacks_the_file():
    pip = glob.glob('/usr/share/python-wheels/pip-*.whl')
    if not pip:
        skip('python3-pip-whl is not installed')
    file = wheel('piped', '1', files=[('piped.py', b'')])
    equal(AT_A.upload(*file).status, 200)
    for suffix in '', '.metadata':
        lose(PAIR.b, file, suffix)
    with tempfile.TemporaryDirectory() as target:
        done = subprocess.run(
            [sys.executable, f'{pip[0]}/pip', '--isolated', 'install',
             '--no-cache-dir', '--target', target, '--index-url',
             f'{PAIR.b.url}/simple/', 'piped'], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        equal(done.returncode, 0, done.stdout)
        ok(os.path.exists(f'{target}/piped.py'), done.stdout)
    fsck(PAIR.b, '--peer', '--quick')
    on_both(file)


def test_the_same_upload_again_mends_both():
    file = wheel('again', '1')
    for client in AT_A, AT_B:
        for harm in lose, damage:
            equal(client.upload(*file).status, 200)
            harm(PAIR.a if client is AT_A else PAIR.b, file)
            equal(client.upload(*file).status, 200)
            on_both(file)
    lose(PAIR.b, file)
    equal(AT_A.upload(*file).status, 200)
    on_both(file)
    lose(PAIR.b, file, '.metadata')
    equal(AT_A.upload(*file).status, 200)
    on_both(file)


def test_the_same_upload_again_while_the_peer_is_away_is_noted():
    file = wheel('noted', '1')
    equal(AT_A.upload(*file).status, 200)
    lose(PAIR.b, file)
    with stopped('peer'):
        equal(AT_A.upload(*file).status, 200)
        equal(missing(), [f'vm-b|{file[0]}'])
    healed(file)


def test_fsck_mends_both_by_each_other():
    files = [wheel('fsck', f'1.{n}') for n in range(6)]
    for file in files:
        equal(AT_A.upload(*file).status, 200)
    lose(PAIR.a, files[0])
    lose(PAIR.b, files[1])
    damage(PAIR.a, files[2])
    damage(PAIR.b, files[3])
    lose(PAIR.b, files[4], '.metadata')
    lose(PAIR.a, files[5], '.metadata')
    for instance in PAIR.a, PAIR.b:
        fsck(instance, status=1)        # without --peer: nothing changes
    lines = fsck(PAIR.a, '--peer')
    equal(sorted(lines[:-1]), sorted(
        f'{what}\t{file[0]}\trepaired' for what, file in zip(
            ('missing', 'missing there', 'damaged', 'damaged there',
             'no metadata there', 'no metadata'), files)))
    contains(lines[-1], '6 troubles, 6 repaired')
    for file in files:
        on_both(file)
    for instance in PAIR.a, PAIR.b:
        contains(fsck(instance, '--peer')[-1], ' 0 troubles')


def test_fsck_says_what_neither_can_mend():
    file = wheel('lost', '1')
    equal(AT_A.upload(*file).status, 200)
    lose(PAIR.a, file)
    damage(PAIR.b, file)
    fsck(PAIR.a, '--peer', status=1)
    equal(AT_A.upload(*file).status, 200)
    fsck(PAIR.a, '--peer')
    on_both(file)


def test_fsck_does_not_take_a_peer_that_is_away_for_empty():
    PAIR.b.stop('peer')
    try:
        fsck(PAIR.a, '--peer', '--quick', status=1)
    finally:
        PAIR.b.start('peer')
    contains(fsck(PAIR.a, '--peer', '--quick')[-1], ' 0 troubles')


def test_a_file_that_is_deleted_while_it_is_missing_is_not_fetched():
    file = wheel('deleted', '1')
    with stopped('peer'):
        equal(AT_A.upload(*file).status, 200)
        equal(missing(), [f'vm-b|{file[0]}'])
        PAIR.a.tilsit('file', 'delete', file[0], '--yes')
        equal(missing(), [])


def test_bytes_are_removed_on_both_however_long_one_is_away():
    file = wheel('swept', '1')
    equal(AT_A.upload(*file).status, 200)
    PAIR.b.stop('runner')
    PAIR.a.tilsit('file', 'delete', file[0], '--yes')
    PAIR.sql(PAIR.a, 'UPDATE discarded_file SET discarded_at = '
                     "now() - interval '8 days'")
    PAIR.a.restart('runner')    # which sweeps as it starts
    wait_until('vm-a has none', lambda: not has(PAIR.a, file))
    ok(has(PAIR.b, file), 'vm-b is away')
    wait_until('and says so', lambda: PAIR.sql(
        PAIR.a, 'SELECT DISTINCT node FROM discarded_file') == 'vm-b')
    PAIR.b.start('runner')
    wait_until('vm-b has none', lambda: not has(PAIR.b, file))
    wait_until('and says so', lambda: PAIR.sql(
        PAIR.a, 'SELECT count(*) FROM discarded_file') == '0')


def test_both_take_the_same_file_at_once():
    for n in range(5):
        file = wheel('twins', f'1.{n}')
        asked = [Asked(client.upload, *file) for client in (AT_A, AT_B)]
        for one in asked:
            equal(one.answer().status, 200)
        on_both(file)
        equal(AT_A.ask('HEAD', '/' + place(*file))['ETag'],
              AT_B.ask('HEAD', '/' + place(*file))['ETag'])


def test_both_take_many_files_at_once():
    """More than either has workers: none may wait for a worker of the other's
    that waits for it."""
    for turn in range(2):
        asked = [Asked(client.upload, *wheel(f'many-{name}', f'{turn}.{n}'))
                 for n in range(12)
                 for name, client in (('a', AT_A), ('b', AT_B))]
        for one in asked:
            equal(one.answer().status, 200)
    hurry()
    wait_until('all are on both', lambda: not missing())
    contains(fsck(PAIR.a, '--peer', '--quick')[-1], ' 0 troubles')


@contextlib.contextmanager
def small_disk(path):
    """For vm-b's store, where this machine permits it."""
    os.makedirs(path)
    mounted = not subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', f'size={DISK_BYTES}', 'tmpfs', path],
        capture_output=True).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(['umount', path], check=True)


if __name__ == '__main__':
    with folder() as path, \
            small_disk(os.path.join(path, 'b', 'store')) as HAS_SMALL_DISK:
        os.chmod(os.path.join(path, 'b'), 0o711)
        PAIR = Pair(path, throwaway=True, need_free_bytes=0,
                    settings=SETTINGS)
        try:
            PAIR.start()
            AT_A, AT_B = PAIR.clients()
            cases(globals())
        finally:
            PAIR.close()
