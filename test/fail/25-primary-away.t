#!/usr/bin/python3 -B
"""The primary is away: pages come from the replica, marked and never stored,
and uploads wait.  Two machines; a's PostgreSQL is the one that goes away."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import V1_JSON, sdist, wheel                    # noqa: E402
from faults import (Asked, FaultyInstance, arm, build_with_faults,
                    disarm, freeze, has_happened, memcached_says, refused,
                    revive, standing, wait_until)           # noqa: E402
from pair import two_machines                               # noqa: E402
from tap import cases, comment, contains, equal, ok, say    # noqa: E402
from views import FILE_FORMS, FORMS, agree                  # noqa: E402

PATIENCE_S = 40
OUTAGE_S = 8
SHORT_MS = 200
PAIR = AT_A = AT_B = None
ACKED = set()
NAMES = iter(f'project-{n}' for n in range(1000))


def upload(client=None, project=None, version='1'):
    """A project's name and the serial of its new release."""
    project = project or next(NAMES)
    name, data = wheel(project, version)
    answer = (client or AT_A).upload(name, data)
    equal(answer.status, 200)
    ACKED.add(name)
    return project, int(answer['X-PyPI-Last-Serial'])


@contextlib.contextmanager
def away(how=signal.SIGKILL):
    PAIR.a.stop('postgresql', how)
    try:
        yield
    finally:
        if not PAIR.a.groups['postgresql'].pids():
            PAIR.a.start('postgresql')
        PAIR.wait_synchronous()


def both():
    return AT_A, AT_B


def get(client, project, form='html'):
    path, accept = FORMS[form]
    return client.get(path.format(project), Accept=accept)


def is_degraded(answer, status=200):
    equal(answer.status, status)
    equal(answer['Tilsit-Degraded'], 'replica')
    equal(answer['Cache-Control'], 'no-store')


def is_whole(answer):
    equal(answer.status, 200)
    equal(answer['Tilsit-Degraded'], None)


def settle(**settings):
    """New settings for both, and workers that have them."""
    for one in (PAIR.a, PAIR.b):
        one.settings.update(settings)
        one.write_configuration()
        for part in ('simple', 'upload'):
            one.restart(part)


def test_both_machines_take_uploads_and_show_them():
    for client in both():
        project, serial = upload(client)
        for reader in both():
            for form in FORMS:
                page = get(reader, project, form)
                is_whole(page)
                equal(int(page['X-PyPI-Last-Serial']), serial)


def test_pages_come_from_the_replica_and_say_so():
    project, serial = upload()
    with away():
        for client in both():
            for form in FILE_FORMS:
                page = get(client, project, form)
                is_degraded(page)
                equal(page['Surrogate-Control'], 'no-store')
                equal(int(page['X-PyPI-Last-Serial']), serial)
                contains(page.text, f'{project}-1'.encode().replace(
                    b'-', b'_', 1) if form != 'json' else b'"1"')
            is_degraded(client.get(f'/pypi/{project}/1.0/json'))


def test_what_the_cache_holds_is_whole():
    """R1 needs no database."""
    project, serial = upload()
    for form in FORMS:
        is_whole(get(AT_A, project, form))
    with away():
        for client in both():
            for form in FORMS:
                page = get(client, project, form)
                is_whole(page)
                equal(int(page['X-PyPI-Last-Serial']), serial)


def test_what_comes_from_the_replica_is_not_kept():
    project, _ = upload()
    with away():
        for client in both() * 2:
            for form in FILE_FORMS:
                is_degraded(get(client, project, form))
    for form in FILE_FORMS:
        is_whole(get(AT_A, project, form))


def test_who_has_the_page_is_told_so_and_where_from():
    project, _ = upload()
    page = get(AT_A, project)
    memcached_says(PAIR.a, 'flush_all')
    memcached_says(PAIR.b, 'flush_all')
    with away():
        again = AT_B.get(f'/simple/{project}/', Accept='text/html',
                         If_None_Match=page['ETag'])
        is_degraded(again, 304)


def test_what_the_replica_does_not_know_is_a_marked_404():
    project, _ = upload()
    with away():
        for client in both():
            for path in ('/simple/not-there/', '/pypi/not-there/json',
                         f'/pypi/{project}/77/json'):
                is_degraded(client.get(path), 404)
            for path in '/simple/-/', f'/pypi/{project}/x/json':
                answer = client.get(path)
                equal((answer.status, answer['Tilsit-Degraded']), (404, None),
                      'nobody had to be asked')


def test_what_is_over_many_projects_is_not_shown():
    project, _ = upload()
    with away():
        for client in both():
            for path in ('/simple/', '/rss/updates.xml', '/rss/packages.xml',
                         f'/rss/project/{project}/releases.xml'):
                refused(client.get(path))
            refused(client.ask(
                'POST', '/pypi', b'<methodCall><methodName>'
                b'changelog_last_serial</methodName></methodCall>',
                {'Content-Type': 'text/xml'}))


def test_ready_says_which():
    for client in both():
        contains(client.get('/-/ready').text, b'ready at serial ')
    with away():
        for client in both():
            answer = client.get('/-/ready')
            is_degraded(answer)
            equal(answer.text, b'degraded: reading from the replica\n')
        PAIR.b.stop('postgresql')
        for client in both():
            refused(client.get('/-/ready'))
        PAIR.b.start('postgresql')


def test_with_neither_there_is_no_page():
    project, _ = upload()
    with away():
        PAIR.b.stop('postgresql')
        for client in both():
            refused(get(client, project))
        PAIR.b.start('postgresql')
        for client in both():
            wait_until('it is back', lambda: get(client, project).status
                       == 200)


def test_a_machine_with_the_mark_shows_nothing_of_a_replica():
    project, _ = upload()
    mark = PAIR.b.path('store', 'mark')
    with away():
        with open(mark, 'w') as out:
            out.write('vm-b lacks changes\n')
        refused(get(AT_B, project))
        refused(AT_B.get('/-/ready'))
        is_degraded(get(AT_A, project))
        os.unlink(mark)
        is_degraded(get(AT_B, project))


@contextlib.contextmanager
def one_worker(instance, part):
    """The only process of a pool."""
    group = instance.groups[part]
    count, group.count = group.count, 1
    instance.restart(part)
    wait_until('it is one', lambda: len(group.pids()) == 1)
    yield group.pids()[0]
    group.count = count
    instance.restart(part)


@contextlib.contextmanager
def waits_of(pid):
    """A list, filled at the end: for how many ms a process has waited in vain,
    each time.  Short ones are left out: they are for whom it knows to live."""
    waits = []
    path = PAIR.a.path('tmp', 'waits')
    strace = subprocess.Popen(['strace', '-qq', '-e', 'poll', '-o', path,
                               '-p', str(pid)])

    def is_traced():
        with open(f'/proc/{pid}/status') as file:
            return not re.search(r'^TracerPid:\s+0$', file.read(), re.M)

    wait_until('it is watched', is_traced)
    yield waits
    strace.send_signal(signal.SIGINT)
    strace.wait()
    with open(path) as file:
        waits += [ms for ms in map(int, re.findall(
            r', (\d+)\) += 0 \(Timeout\)', file.read())) if ms > SHORT_MS]


def test_a_silent_primary_costs_a_worker_two_waits():
    """One for its answer, one for anybody's: whatever it is asked then."""
    if not shutil.which('strace'):
        comment('not shown: make packages installs strace')
        return
    cached, not_cached = ([upload()[0] for _ in range(5)] for _ in 'ab')
    with one_worker(PAIR.a, 'simple') as pid:
        for project in cached:
            is_whole(get(AT_A, project))
        freeze(PAIR.a, 'postgresql')
        with waits_of(pid) as waits:
            for project in cached * 10:
                is_whole(get(AT_A, project))
            for project in not_cached * 10:
                is_degraded(get(AT_A, project))
        PAIR.a.resume('postgresql')
        say(f'waited in vain: {waits} ms')
        ok(1 <= len(waits) <= 2, waits)
        PAIR.wait_synchronous()
        for project in not_cached:
            wait_until('it is noticed', lambda: not get(
                AT_A, project)['Tilsit-Degraded'])
            is_whole(get(AT_A, project))


def test_it_can_be_switched_off():
    project, _ = upload()
    settle(degraded_reads='no')
    with away():
        for client in both():
            refused(get(client, project))
            refused(client.get('/-/ready'))
    settle(degraded_reads='yes')


def test_a_start_without_the_replica_shows_nothing_new_of_the_primary():
    """F3: what is durable here may be on no other machine."""
    project, serial = upload()
    PAIR.b.stop('postgresql')
    asked = Asked(AT_A.upload, *wheel(project, '2'))
    wait_until('its commit waits', lambda: PAIR.sql(
        PAIR.a, "SELECT count(*) FROM pg_stat_activity "
                "WHERE wait_event = 'SyncRep'") != '0')
    PAIR.a.stop('postgresql', signal.SIGKILL)
    PAIR.a.start('postgresql')
    for client in both():
        refused(get(client, project))
    PAIR.b.start('postgresql')
    ok(asked.answer().status in (200, 503), 'done, or not known to be')
    equal(AT_B.upload(*wheel(project, '2')).status, 200)
    ACKED.add(wheel(project, '2')[0])
    for client in both():
        wait_until('both show it', lambda: get(client, project).status == 200)
        is_whole(get(client, project))
        ok(int(get(client, project)['X-PyPI-Last-Serial']) > serial)
    PAIR.wait_synchronous()


def twine(path, home):
    """An upload that is under way, with Debian's twine."""
    return subprocess.Popen(
        ['twine', 'upload', '--non-interactive', '--disable-progress-bar',
         '--repository-url', f'{PAIR.b.url}/legacy/', '-u', '__token__', '-p',
         AT_A.token, path], text=True,
        env={'HOME': home, 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8'},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_twine_outlives_an_outage():
    name, data = sdist('outlived', '1')
    path = PAIR.a.path('tmp', name)
    with open(path, 'wb') as out:
        out.write(data)
    with away():
        end = time.monotonic() + OUTAGE_S
        child = twine(path, PAIR.a.path('tmp'))
        wait_until('it lasts', lambda: time.monotonic() > end)
        equal(child.poll(), None, 'it waits')
    say(child.communicate()[0])
    equal(child.returncode, 0)
    ACKED.add(name)
    is_whole(get(AT_A, 'outlived'))


def test_an_upload_waits_at_each_first_step():
    """Its session ends with the server, before anything is changed."""
    for step in 'F-kept', 'W1':
        project, serial = upload()
        with standing(PAIR.a, 'upload', step, upload, AT_A, project,
                      '2') as asked:
            PAIR.a.stop('postgresql', signal.SIGKILL)
        PAIR.a.start('postgresql')
        ok(asked.answer()[1] > serial)
        PAIR.wait_synchronous()


def test_patience_ends_in_503():
    settle(upload_patience_s=1)
    with away():
        for client in both():
            refused(client.upload(*wheel('impatient', '1')))
    settle(upload_patience_s=PATIENCE_S)
    upload(AT_B, 'impatient')


def test_a_worker_that_is_to_end_does_not_wait():
    with away():
        asked = Asked(AT_A.upload, *wheel('hurried', '1'))
        wait_until('it is asked', lambda: asked_of(PAIR.a, 'upload'))
        began = time.monotonic()
        PAIR.a.keeper.signal(PAIR.a.groups['upload'], signal.SIGTERM)
        refused(asked.answer())
        ok(time.monotonic() - began < PATIENCE_S / 2, 'at once')
    revive(PAIR.a, 'upload')
    upload(AT_B, 'hurried')


def asked_of(instance, pool):
    """Has a worker of a pool taken a connection of nginx?"""
    path = instance.path('run', f'{pool}.sock')
    with open('/proc/net/unix') as sockets:
        return any(line.split()[5:8:2] == ['03', path] for line in sockets)


def test_the_same_file_again_waits_for_the_replica_too():
    """It is there; but only a commit behind it proves that it stays."""
    name, data = wheel('again', '1')
    equal(AT_A.upload(name, data).status, 200)
    ACKED.add(name)
    where = PAIR.sql(PAIR.a, 'SELECT pg_current_wal_lsn()')
    equal(AT_B.upload(name, data).status, 200)
    ok(PAIR.sql(PAIR.a, 'SELECT pg_current_wal_lsn()') != where,
       'a commit was confirmed')


def test_killed_while_it_confirms_the_start_or_reads_the_replica():
    for one in (PAIR.a, PAIR.b):
        one.stop('runner')
    for step in 'F3-locked', 'F3-confirmed', 'F3-noted':
        project, serial = upload()
        with away():
            pass
        arm(PAIR.a, 'simple', f'{step}:kill')
        ok(get(AT_A, project).status in (200, 502), 'nginx may ask another')
        ok(has_happened(PAIR.a, 'simple'), step)
        revive(PAIR.a, 'simple')
        for client in both():
            page = get(client, project)
            is_whole(page)
            equal(int(page['X-PyPI-Last-Serial']), serial)
    with away():
        arm(PAIR.a, 'simple', 'D3:kill')
        ok(get(AT_A, next(NAMES)).status in (404, 502))
        ok(has_happened(PAIR.a, 'simple'), 'D3')
        revive(PAIR.a, 'simple')
        disarm(PAIR.a, 'simple')
        is_degraded(get(AT_A, next(NAMES)), 404)
    for one in (PAIR.a, PAIR.b):
        one.start('runner')


def test_in_the_end_nothing_is_lost():
    agree(AT_A, ACKED)
    agree(AT_B, ACKED)
    equal({p['name'] for p in AT_A.get('/simple/', Accept=V1_JSON)
           .json['projects']},
          {p['name'] for p in AT_B.get('/simple/', Accept=V1_JSON)
           .json['projects']})


if __name__ == '__main__':
    with two_machines(kind=FaultyInstance, build=build_with_faults(),
                      settings={'upload_patience_s': PATIENCE_S}) as PAIR:
        AT_A, AT_B = PAIR.clients()
        cases(globals())
