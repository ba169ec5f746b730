#!/usr/bin/python3 -B
# The lab itself: what it raises is the index on two machines, what it breaks
# is broken, and what it takes down is gone.

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
sys.path.insert(0, HERE)

from client import BOUNDARY, fields_for, multipart, wheel
from lab import raised, temporary, wait_until
from machine import PARTS
from process import parents
from tap import cases, contains, equal, ok, say

UDP_PORT = 5999
DATAGRAMS = 50         # more would not fit a socket's buffer
DATAGRAM_BYTES = 1400

RECEIVER = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', {UDP_PORT}))
s.settimeout(5)
print('listening', flush=True)
times = []
try:
    while True:
        s.recv(2000)
        times.append(time.monotonic())
        s.settimeout(0.7)
except TimeoutError:
    pass
print(len(times), times[-1] - times[0] if times else 0)
"""
SENDER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(%d):
    s.sendto(b'x' * %d, (sys.argv[1], %d))
""" % (DATAGRAMS, DATAGRAM_BYTES, UDP_PORT)
IMPATIENT = RECEIVER.replace('s.settimeout(5)', 's.settimeout(0.7)')


def python(name, program, *words):
    argv = ['/usr/bin/python3', '-c', program, *words]
    if name != 'host':
        command = ' '.join("'" + word.replace("'", "'\\''") + "'"
                           for word in argv)
        argv = lab.machines[name].argv(command)
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def sent(a, b, receiver=RECEIVER):
    """(how many of the datagrams reach b from a, over how many seconds)"""
    with python(b, receiver) as there:
        equal(there.stdout.readline(), 'listening\n')
        with python(a, SENDER, lab.address(b)) as here:
            here.wait()
        count, seconds = there.stdout.read().split()
    return int(count), float(seconds)


def reaches(a, b):
    return sent(a, b)[0] > 0


def is_cut(a, b):
    return sent(a, b, IMPATIENT)[0] == 0


def upload(address, name, version):
    filename, data = wheel(name, version)
    with open(lab.path('body'), 'wb') as out:
        out.write(multipart(fields_for(filename, data)))
    done = subprocess.run(
        ['curl', '-s', '--cacert', lab.ca, '-u', f'__token__:{lab.token}',
         '-H', 'Content-Type: multipart/form-data; boundary=' +
         BOUNDARY.decode(), '--data-binary', '@' + lab.path('body'),
         '-w', '%{http_code}',
         f'https://{address}/legacy/'], stdout=subprocess.PIPE, text=True)
    os.unlink(lab.path('body'))
    return done.stdout


def page(address, name):
    return lab.get(f'https://{address}/simple/{name}/')


def running(vm, part):
    return vm.run(f'systemctl is-active {" ".join(map(repr, vm.units(part)))}',
                  check=False).split()


def states(vm, part):
    """What the kernel says of a part's processes: S, R, T..."""
    return set(vm.run('for p in %s; do cut -d")" -f2- /proc/$p/stat | '
                      'cut -c2; done' % ' '.join(map(str, vm.pids(part))),
                      check=False).split())


def test_uploads_through_each_machine_are_read_on_both():
    for name, at in (('one', 'vm-a'), ('two', 'vm-b'), ('three', 'floating')):
        equal(upload(lab.address(at), name, '1.0')[-3:], '200', at)
    for name in ('one', 'two', 'three'):
        for at in ('vm-a', 'vm-b', 'floating'):
            code, text = page(lab.address(at), name)
            equal(code, 200, f'{name} at {at}')
            contains(text.decode(), f'{name}-1.0')
            file = re.search(r'/packages/[^"#]+', text.decode())[0]
            equal(lab.get(lab.url(at) + file),
                  (200, wheel(name, '1.0')[1]), f'the file of {name} at {at}')
        contains(lab.client.run(
            f'curl -s https://packages.example.org/simple/{name}/'), name)


def test_commits_wait_for_the_replica():
    ok(lab.streams(), 'the replica is synchronous')
    ok(lab.primary() is a, 'vm-a has the primary')
    equal(a.sql('SHOW synchronous_commit'), 'remote_apply')
    equal(b.sql('SELECT count(*) FROM journal'),
          a.sql('SELECT count(*) FROM journal'))


def test_only_the_two_machines_reach_what_is_theirs():
    probe = 'timeout 2 bash -c "echo >/dev/tcp/%s/%d" && echo open'
    for port in (5432, 11211):
        contains(b.run(probe % (a.address, port)), 'open')
        ok('open' not in lab.client.run(probe % (a.address, port),
                                        check=False), f'{port} is shut')
    contains(lab.client.run(probe % (a.address, 443)), 'open')


def test_links_are_cut_and_healed():
    for one, other in (('vm-a', 'vm-b'), ('vm-b', 'client'),
                       ('host', 'vm-a')):
        lab.cut(one, other)
        ok(is_cut(one, other), f'{one} does not reach {other}')
        ok(is_cut(other, one), f'{other} does not reach {one}')
        ok(reaches('vm-a', 'client'), 'others do')
        lab.heal(one, other)
        ok(reaches(one, other), f'{one} reaches {other} again')
        ok(reaches(other, one), f'{other} reaches {one} again')


def test_links_are_cut_one_way():
    for one, other in (('vm-b', 'vm-a'), ('vm-a', 'host'), ('host', 'vm-b')):
        lab.cut(one, other, one_way=True)
        ok(is_cut(one, other), f'{one} does not reach {other}')
        ok(reaches(other, one), f'{other} reaches {one}')
        lab.heal()


def test_a_single_service_is_cut():
    probe = 'timeout 1 bash -c "echo >/dev/tcp/%s/%d" && echo open'
    lab.cut('vm-a', 'vm-b', ports=[11211])
    try:
        ok('open' not in a.run(probe % (b.address, 11211), check=False))
        ok('open' not in b.run(probe % (a.address, 11211), check=False))
        contains(a.run(probe % (b.address, 5432)), 'open')
    finally:
        lab.heal()


def test_links_are_lossy():
    lab.lossy('vm-a', 'client', 50)
    try:
        got, _ = sent('vm-a', 'client')
        say(f'{got} of {DATAGRAMS}')
        ok(0 < got < DATAGRAMS, 'some are lost')
        equal(sent('vm-b', 'client')[0], DATAGRAMS)
    finally:
        lab.heal()
    equal(sent('vm-a', 'client')[0], DATAGRAMS)


def test_links_are_slow():
    lab.slow('vm-a', 'vm-b', 512)
    try:
        got, seconds = sent('vm-a', 'vm-b')
        say(f'{got} in {seconds} s')
        least = DATAGRAMS * DATAGRAM_BYTES * 8 / 512e3
        ok(seconds > least / 2, 'as slow as it should be')
    finally:
        lab.heal()


def test_parts_are_frozen_and_thawed():
    for part in PARTS:
        b.freeze(part)
        equal(states(b, part), {'T'}, f'{part} is frozen')
        b.thaw(part)
        ok('T' not in states(b, part), f'{part} is thawed')


def test_parts_are_killed_and_come_back():
    kept = [part for part in PARTS
            if part not in ('postgresql', 'nginx', 'keepalived')]
    for part in PARTS:
        before = set(b.pids(part))
        ok(before, f'{part} runs')
        b.kill(part)
        if part not in kept:
            wait_until(f'{part} is dead', lambda: not b.pids(part))
            b.start(part)
        wait_until(f'{part} is back', lambda: (
            lambda now: now and not now & before)(set(b.pids(part))))
        wait_until(f'{part} is active', lambda: set(
            running(b, part)) == {'active'})
    wait_until('the replica streams again', lab.streams)


def test_parts_are_stopped_and_started():
    for part in ('memcached', 'simple', 'nginx'):
        b.stop(part)
        equal(b.pids(part), [], part)
        b.start(part)
        ok(b.pids(part), part)
    wait_until('vm-b serves', lambda: lab.get(b.url + '/-/ready')[0] == 200)


def test_memcached_forgets():
    ask = ('bash -c \'exec 3<>/dev/tcp/%s/11211; printf "%s\\r\\nquit\\r\\n" '
           '>&3; cat <&3\'')
    contains(a.run(ask % (a.address, 'set x 0 0 1\\r\\n1')), 'STORED')
    contains(a.run(ask % (a.address, 'get x')), 'VALUE')
    a.empty()
    ok('VALUE' not in a.run(ask % (a.address, 'get x')), 'forgotten')


def test_a_disk_is_filled():
    a.fill()
    try:
        ok('No space' in a.run('echo more | tee -a /root/file 2>&1',
                               check=False), 'nothing can be written')
        equal(upload(b.address, 'four', '1.0')[-3:] in ('200', '503'), True)
    finally:
        a.unfill()
    a.run('echo more >/root/file')
    wait_until('the index recovers', lambda: lab.get(
        lab.floating_url + '/-/ready')[0] == 200)


def test_the_fence_answers_when_the_machine_is_off():
    ok(lab.client.is_up(), 'the client is up')
    contains(a.run('lab-fence client'), 'client is off')
    ok(not lab.client.is_up(), 'the client is off')
    contains(a.run('lab-fence nobody || true'), 'no machine nobody')
    lab.client.boot()
    contains(lab.client.run('uptime'), 'up')


MARK = '/usr/local/share/tilsit/failover/mark-http'


def mark(vm, *words, text=None):
    """(exit status, output) of the program that keeps marks elsewhere."""
    said = vm.run(f'{MARK} {" ".join(words)}; echo "status=$?"', text=text)
    output, _, status = said.rpartition('status=')
    return int(status), output


def test_the_third_machine_keeps_the_first_mark():
    against_b = 'tilsit-mark\nlacks=vm-b\nserial=7\nend\n'
    against_a = against_b.replace('vm-b', 'vm-a')
    equal(mark(a, 'get'), (0, ''))
    equal(mark(a, 'clear', 'vm-b'), (0, ''))
    equal(mark(a, 'set', 'vm-b', text=against_b), (0, ''))
    equal(mark(b, 'get'), (0, against_b))
    equal(mark(b, 'set', 'vm-a', text=against_a), (3, ''))
    equal(mark(b, 'clear', 'vm-a'), (3, ''))
    newer = against_b.replace('7', '8')
    equal(mark(a, 'set', 'vm-b', text=newer), (0, ''))
    equal(mark(b, 'get'), (0, newer))
    equal(mark(a, 'clear', 'vm-b'), (0, ''))
    equal(mark(b, 'set', 'vm-a', text=against_a[:-4]), (0, ''), 'a half one')
    equal(mark(a, 'clear', 'vm-b'), (0, ''), 'may go')
    equal(mark(b, 'get'), (0, ''))
    lab.cut('vm-a', 'client')
    equal(mark(a, 'get')[0], 1, 'nobody knows')
    lab.heal()
    equal(lab.client.run('ls /var/lib/tilsit-marks/mark'), '')


def test_the_floating_address_leaves_a_lost_machine():
    lost = lab.holder()
    other = b if lost is a else a
    lost.run('echo here >/root/mine; sync')
    lost.lose()
    ok(not lost.is_up(), 'it is off')
    wait_until('the address moves', lambda: lab.holder() is other)
    ok(page(lab.address('floating'), 'one')[0] in (200, 503), 'answered')
    lost.boot()
    equal(lost.run('cat /root/mine'), 'here\n')
    lost.run('pg_lsclusters')
    wait_until('both serve', lambda: all(
        lab.get(vm.url + '/-/ready')[0] == 200 for vm in (a, b)))
    wait_until('the replica streams again', lab.streams)
    ok(lab.holder() is other, 'the address stays')
    equal(upload(lab.address('floating'), 'five', '1.0')[-3:], '200')


def test_pages_on_the_disk_outlive_the_rest():
    wait_until('the page is on the disk', lambda: 'one' in b.run(
        'ls /var/lib/tilsit/snapshot/project', check=False).split())
    for part in ('simple', 'memcached', 'postgresql'):
        b.stop(part)
    code, text = page(b.address, 'one')
    equal(code, 200)
    contains(text.decode(), 'one-1.0')
    for part in ('postgresql', 'memcached', 'simple'):
        b.start(part)
    wait_until('vm-b serves', lambda: lab.get(b.url + '/-/ready')[0] == 200)
    wait_until('the replica streams again', lab.streams)


def test_the_other_machine_takes_over_and_the_old_one_rejoins():
    a.lose()
    contains(b.tilsit('failover'), 'done: uploads go on')
    equal(upload(b.address, 'six', '1.0')[-3:], '200')
    a.boot()
    a.run('tilsit rejoin')
    wait_until('the replica streams', lab.streams)
    ok(lab.primary() is b, 'vm-b has the primary')
    for name in ('one', 'six'):
        wait_until(f'{name} at vm-a', lambda: page(a.address, name)[0] == 200)


def test_a_replica_is_promoted():
    a.promote()
    equal(a.sql('SELECT pg_is_in_recovery()'), 'f')


def left_behind(state, network):
    """What a lab of that state and network left on this machine."""
    left = [pid for pid in parents() if cwd_of(pid).startswith(state)]
    for argv in (['ip', '-o', 'link'], ['nft', 'list', 'tables'],
                 ['losetup', '-a'], ['cat', '/proc/mounts']):
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
        left += [line for line in done.stdout.splitlines()
                 if state in line or f'tilsit{network}' in line]
    for folder, names, _ in os.walk('/sys/fs/cgroup'):
        left += [name for name in names
                 if name.startswith(f'tilsit-lab-{network}-')]
        if folder.count('/') > 3:
            names.clear()
    return left


def cwd_of(pid):
    try:
        return os.readlink(f'/proc/{pid}/cwd')
    except OSError:
        return ''


def test_down_leaves_nothing():
    network = lab.links.network
    ok(left_behind(lab.state, network), 'it is up')
    lab.down()
    equal(left_behind(lab.state, network), [])
    equal(os.listdir(lab.state), ['lock'])


def test_down_clears_up_after_a_crash():
    with temporary() as state:
        env = {**os.environ, 'LAB': state}
        tool = [os.path.join(HERE, 'lab')]
        up = subprocess.Popen(tool + ['up'], env=env, text=True,
                              stdout=subprocess.PIPE)
        for line in up.stdout:
            if line.startswith('Installing') or line.startswith('Ctrl-C'):
                break
        up.kill()
        up.wait()
        subprocess.run(tool + ['down'], env=env, check=True)
        equal(left_behind(state, 'none'), [])


if __name__ == '__main__':
    with raised() as lab:
        a, b = lab.vm['vm-a'], lab.vm['vm-b']
        cases(globals())
