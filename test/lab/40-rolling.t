#!/usr/bin/python3 -B
# Everything is restarted and installed anew, one part and one machine after the
# other, under twine, pip and readers: not one call fails.
#
# STEPS names some of them.

import contextlib
import os
import subprocess
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
sys.path.insert(0, os.path.join(HERE, '../consistency'))
sys.path.insert(0, HERE)

import outages
from actors import History, Reader, Stage
from client import BOUNDARY, Remote, fields_for, multipart, wheel
from clients import PROJECTS, Clients
from lab import TREE, raised, wait_until
from servers import folder
from tap import cases, comment, equal, ok
from traffic import clients as ways_in
from views import FORMS

READERS = 3
SLOW_S = 2              # that an upload takes while the steps go on
PIECES = 20
SNAPSHOT = '/var/lib/tilsit/snapshot/project'
SLOW = 4                # of these
WORKERS = ('simple', 'upload', 'changelog', 'peer', 'runner', 'watch')
STEPS = {}
SWITCH_S = 120


class SlowUploader:
    """Somebody far away, who is always in the middle of an upload."""

    def __init__(self, lab, number):
        self.lab, self.number = lab, number
        self.done, self.lost = 0, []        # (when, why)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending.is_set():
            try:
                self.upload(f'{self.number}.{self.done}')
                self.done += 1
            except Exception as error:
                self.lost.append((time.monotonic(), repr(error)))
                self.ending.wait(0.1)

    def upload(self, version):
        client = Remote('slow', self.lab.floating_url, self.lab.token,
                        self.lab.ca)
        client.connect()
        with contextlib.closing(client):
            name, data = wheel('slow', version)
            body = multipart(fields_for(name, data))
            request = client.request('POST', '/legacy/', body, {
                **client.auth(), 'Content-Type':
                'multipart/form-data; boundary=' + BOUNDARY.decode()})
            for piece in range(PIECES):
                client.sock.sendall(request[
                    len(request) * piece // PIECES:
                    len(request) * (piece + 1) // PIECES])
                time.sleep(SLOW_S / PIECES)
            equal(client.read_answer('POST').status, 200)

    def end(self):
        self.ending.set()
        self.thread.join()


def step(function):
    STEPS[function.__name__] = function
    return function


@step
def workers(vm, _):
    for part in WORKERS:
        vm.restart(part)


@step
def all_workers_at_once(vm, _):
    vm.run("systemctl restart 'tilsit-*@*.service' tilsit-runner tilsit-watch")


@step
def memcached(vm, _):
    vm.restart('memcached')


@step
def nginx_reload(vm, _):
    vm.run('nginx -t -q && systemctl reload nginx')


@step
def nginx_program(vm, _):
    vm.run('/etc/init.d/nginx upgrade')


@step
def keepalived(vm, _):
    vm.restart('keepalived')


@step
def postgresql(vm, _):
    vm.restart('postgresql')


@step
def programs(vm, lab):
    """make install, and the restarts of the guide's "Upgrade"."""
    subprocess.run(
        [os.path.join(TREE, 'deploy/install'), lab.build], check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, 'DESTDIR': f'/proc/{vm.init()}/root',
             'PREFIX': '/usr/local', 'SYSCONFDIR': '/etc'})
    vm.run("systemctl daemon-reload\n"
           "systemctl restart 'tilsit-*@*.service' tilsit-runner tilsit-watch")


@step
def switch_over(vm, lab):
    """The replica's machine becomes the primary's."""
    if lab.primary() is not vm:
        vm.run('runuser -u tilsit -- tilsit failover --switch',
               timeout=SWITCH_S)


def run_steps():
    FORMS.pop('rss')        # a feed waits for the primary: 503 meanwhile
    history = History()
    with raised() as lab, folder() as path, Clients(lab, path) as clients:
        plant(lab)
        readers = [Reader(stage(), ways_in(lab), history, number)
                   for number in range(READERS)]
        for reader in readers:
            reader.pause_s = 0.1
            reader.thread.start()
        slow = [SlowUploader(lab, number) for number in range(SLOW)]
        for name in os.environ.get('STEPS', '').split() or STEPS:
            for vm in sorted(lab.vm.values(), key=lambda vm:
                             vm is lab.primary()):
                roll(lab, clients, name, vm)
        for actor in [*readers, *slow]:
            actor.end()
        if os.environ.get('KEEP_LOGS'):
            lab.keep_logs()
    return clients, history, slow


HERBS = [f'herb-{number}' for number in range(PROJECTS)]


def stage():
    return Stage(HERBS)


def plant(lab):
    """A file in each project, which the snapshots have: nobody can say of a
    project that is not there that it is not while the primary is away."""
    remote = Remote('floating', lab.floating_url, lab.token, lab.ca)
    for herb in HERBS:
        answer = remote.upload(*wheel(herb, '0'))
        equal(answer.status, 200, answer.text)
    for vm in lab.vm.values():
        wait_until('the snapshot', lambda: all(
            vm.run(f'ls {SNAPSHOT}/{herb}/now', check=False).find(
                'cannot access') < 0 for herb in HERBS))


def roll(lab, clients, name, vm):
    print('#', name.replace('_', ' '), vm.name, flush=True)

    def work():
        try:
            STEPS[name](vm, lab)
            outages.calm(lab)
        except Exception:
            clients.troubles.append(f'{name}: {traceback.format_exc()}')
            with contextlib.suppress(Exception):
                outages.mend(lab)
                outages.calm(lab)

    clients.during(f'{name} of {vm.name}', work)


def test_every_step_was_done():
    comment(CLIENTS.table())
    equal(CLIENTS.troubles, [])


def test_no_upload_failed():
    equal(CLIENTS.failures('twine'), [])


def test_no_upload_was_broken_off():
    lost = [(CLIENTS.fault_at(when), why) for slow in SLOW_ONES
            for when, why in slow.lost]
    comment(f'{sum(slow.done for slow in SLOW_ONES)} slow uploads')
    equal(lost, [])


def test_no_install_failed():
    equal(CLIENTS.failures('pip'), [])


def test_no_reader_was_turned_away():
    equal(HISTORY.surprises, [])
    lost = [(CLIENTS.fault_at(record['end']), record['why'], record['via'])
            for record in HISTORY.records if record['what'] == 'failed']
    comment(f'{len(HISTORY.records)} pages read')
    equal(lost, [])
    ok(len(HISTORY.records) > 100)


if __name__ == '__main__':
    CLIENTS, HISTORY, SLOW_ONES = run_steps()
    cases(globals())
