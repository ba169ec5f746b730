#!/usr/bin/python3 -B
# Patroni, installed by deploy/patroni/README.md over a cluster that has data:
# the primary's machine is lost and nobody types anything.

import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
sys.path.insert(0, HERE)

from client import Remote, wheel
from lab import guide, missing, raised, wait_until
from tap import cases, comment, equal, ok, skip_all

GUIDE = 'deploy/patroni/README.md'
CONFIG = '/etc/patroni/config.yml'
PATIENCE_S = 300
JUMP = 1000000          # serial_jump
SERIAL = 'SELECT value FROM serial_counter'
KEPT = {}               # name of each file whose upload was answered: bytes


def adapt(text, me=1):
    """The guide's addresses are the lab's.  me: whose lines these are; what
    lists all machines stays as it is."""
    lines = []
    for line in text.split('\n'):
        if me != 1 and '10.0.0.3' not in line:
            line = line.replace('10.0.0.1', f'10.0.0.{me}')
        lines.append(line)
    text = '\n'.join(lines)
    for number, name in enumerate(('vm-a', 'vm-b', 'client'), 1):
        text = text.replace(f'10.0.0.{number}', lab.address(name))
    return text


def number_of(vm):
    return list(lab.machines).index(vm.name) + 1


def etcd(vm):
    vm.run('systemctl unmask etcd patroni')     # machine.NEVER
    settings, start, firewall = guide.blocks(GUIDE, 'etcd')
    name = 'w' if vm is lab.client else vm.name
    settings = settings.replace('NAME=vm-a', f'NAME={name}')
    for block in (settings, firewall, start):
        vm.run('set -e\n' + adapt(block, number_of(vm)))


def patroni(vm):
    guide.run(vm, GUIDE, 'Patroni')
    password = vm.run('head -1 /etc/tilsit/pair/pgpass').strip().split(':')[-1]
    text = adapt(vm.run(f'cat {CONFIG}'), number_of(vm))
    text = text.replace('name: vm-a', f'name: {vm.name}')
    text = text.replace('@replica@', password)
    # The kernel is this machine's: its watchdog would restart that.
    text = text.replace('mode: required', "mode: 'off'")
    vm.run(f'cat >{CONFIG}', text=text)


def members(vm):
    """{name: (role, state)} as patronictl says it."""
    said = vm.run(f'patronictl -c {CONFIG} list -f tsv', check=False)
    rows = [line.split('\t') for line in said.splitlines()]
    return {row[1]: (row[3], row[4]) for row in rows
            if len(row) > 4 and row[1] in lab.vm}


def is_paired(leader):
    """Both stream, by Patroni's word and the server's."""
    other = other_than(leader)
    found = members(leader)
    return (found.get(leader.name, ('',))[0] == 'Leader' and
            found.get(other.name, ('',))[0] == 'Sync Standby' and
            lab.primary() is leader and lab.streams())


def leads(vm):
    return members(vm).get(vm.name) == ('Leader', 'running')


def other_than(vm):
    return next(one for one in lab.vm.values() if one is not vm)


def upload(version):
    name, data = wheel('fennel', version)
    remote = Remote('floating', lab.floating_url, lab.token, lab.ca)
    try:
        answer = remote.upload(name, data)
    except OSError as error:
        comment(f'upload {version}: {error}')
        return False
    finally:
        remote.close()
    if answer.status == 200:
        KEPT[name] = data
    return answer.status == 200


def uploaded(version):
    """An upload is tried until it is answered, as twine's user would."""
    return wait_until(f'an upload of {version}', lambda: upload(version),
                      PATIENCE_S)


def equal_files(vm):
    """Every answered upload is in this machine's database and page."""
    rows = vm.sql("SELECT filename FROM file WHERE filename LIKE 'fennel%'")
    equal(set(KEPT) - set(rows.split()), set())
    url = vm.url + '/simple/fennel/'
    page = wait_until('the page', lambda: [
        body for status, body in [lab.get(url)] if status == 200])[0]
    equal([name for name in KEPT if name.encode() not in page], [])


def serial(vm):
    return int(vm.sql(SERIAL))


def test_it_takes_over_a_cluster_that_has_data():
    uploaded('1')
    lab.at_once(etcd, lab.machines)
    lab.at_once(patroni, lab.vm)
    a, b = lab.vm.values()
    guide.run(a, GUIDE, 'Take over')
    wait_until('a leader', lambda: leads(a), PATIENCE_S)
    guide.run(b, GUIDE, 'Take over')
    wait_until('a pair', lambda: is_paired(a), PATIENCE_S)
    uploaded('2')
    for vm in (a, b):
        equal_files(vm)


def test_a_lost_primary_is_followed_by_the_other():
    a, b = lab.vm.values()
    before = serial(b)
    a.lose()
    wait_until('the other leads', lambda: leads(b), PATIENCE_S)
    uploaded('3')
    ok(serial(b) >= before + JUMP, f'{serial(b)} after {before}')
    equal_files(b)


def test_the_old_primary_comes_back_as_the_replica():
    a, b = lab.vm.values()
    a.boot()
    wait_until('a pair', lambda: is_paired(b), PATIENCE_S)
    said = a.run('journalctl -u patroni -b --no-pager')
    comment(*re.findall(r'pg_rewind exit code=\d+', said)[-1:]
            or ['no rewind was needed'])
    uploaded('4')
    equal_files(a)


def test_a_switch_over_loses_nothing():
    a, b = lab.vm.values()
    before = serial(b)
    a.run(f'patronictl -c {CONFIG} switchover --force --master {b.name} '
          f'--candidate {a.name}')
    wait_until('a pair', lambda: is_paired(a), PATIENCE_S)
    uploaded('5')
    ok(serial(a) >= before + JUMP, f'{serial(a)} after {before}')
    for vm in (a, b):
        equal_files(vm)


def test_nobody_else_says_whom_commits_wait_for():
    for vm in lab.vm.values():
        equal(vm.run('systemctl is-active tilsit-watch', check=False).strip(),
              'inactive')
        equal(vm.run('grep ^synchronous_standby_names /var/lib/postgresql/15/'
                     'main/postgresql.auto.conf', check=False), '')


if __name__ == '__main__':
    if why := missing():
        skip_all(why)
    for program in ('patroni', 'patronictl', 'etcd'):
        if not shutil.which(program):
            skip_all(f'no {program} here: deploy/local/packages installs it')
    with raised() as lab:
        cases(globals())
