"""The guides' commands, run in the lab as they are printed.

    run(vm, 'deploy/two-machines.md', 'memcached')      # one section's

A section's commands are its indented lines.  What an operator does by hand,
with an editor, stands here.
"""
import os
import re

from machine import wait_until

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
ONE, TWO = 'deploy/README.md', 'deploy/two-machines.md'


def blocks(path, heading):
    """The indented blocks below a heading, up to the next one."""
    with open(os.path.join(TREE, path)) as source:
        text = source.read()
    found = re.search(rf'^(#+) {re.escape(heading)}\n(.*?)(?=^#|\Z)', text,
                      re.M | re.S)
    if not found:
        raise KeyError(f'{path} has no section "{heading}"')
    return [re.sub(r'^    ', '', block, flags=re.M) for block in
            re.findall(r'(?:^    .*\n|^\n(?=    ))+', found[2], re.M)]


def run(vm, path, heading, which=None):
    """A section's commands; which: the number of the block, from 0."""
    all_of_it = blocks(path, heading)
    output = ''
    for block in all_of_it if which is None else [all_of_it[which]]:
        output += vm.run('set -e\n' + block)
    return output


def edit(vm, path, *changes):
    """An operator's editor: each (what stands there, what then does)."""
    text = vm.run(f'cat {path}')
    for old, new in changes:
        if old not in text:
            raise KeyError(f'{vm.name}: no {old!r} in {path}')
        text = text.replace(old, new, 1)
    vm.run(f'cat >{path}', text=text)


def append(vm, path, text):
    vm.run(f'cat >>{path}', text=text)


def packages(vm):
    """What Debian's packages do when they are installed."""
    postgresql = vm.name != 'client'
    vm.run(('pg_createcluster 15 main >/dev/null\n' if postgresql else '') +
           'mkdir -p /var/lib/nginx\n'
           'systemctl daemon-reload\n'
           'systemctl enable --now nginx' +
           (' memcached postgresql keepalived nftables' if postgresql else ''))


def addresses(lab, a, b):
    edit(a, '/etc/tilsit/pair/addresses',
         ('ADDRESS_A=', f'ADDRESS_A={a.address}'),
         ('ADDRESS_B=', f'ADDRESS_B={b.address}'),
         ('FLOATING=', f'FLOATING={lab.address("floating")}/24'),
         ('INTERFACE=', 'INTERFACE=eth0'))
    secret, each = blocks(TWO, 'Addresses and secret')
    secret, scp = secret.rsplit('scp ', 1)
    a.run(secret)
    path = scp.split()[1]
    b.run(f'cat >{path}; chmod 600 {path}', text=a.run(f'cat {path}'))
    for vm in (a, b):
        vm.run('set -e\n' + each)


def web_server(vm):
    run(vm, ONE, 'nginx', 0)
    listen, port80 = blocks(ONE, 'TLS')
    edit(vm, '/etc/tilsit/nginx/server.conf',
         ('\tserver_name _;', '\tserver_name packages.example.org;'),
         ('\tlisten 80 backlog=4096;', listen))
    append(vm, '/etc/tilsit/nginx/server.conf', port80)
    run(vm, ONE, 'Pages on the disk', 1)
    run(vm, TWO, 'Web servers', 1)


def settings(lab, vm):
    """What the guides have the operator write into tilsit.conf."""
    external = blocks(TWO, 'Web servers')[0]
    url, mark = blocks(TWO, 'Marks')
    vm.run(url.replace('10.0.0.3', lab.client.address))
    append(vm, '/etc/tilsit/tilsit.conf', external + mark +
           'fence_command = /usr/local/sbin/lab-fence\n' + ''.join(
               f'{name} = {value}\n' for name, value in lab.settings.items()))


def third_machine(lab):
    with open(os.path.join(TREE, 'deploy/failover/marks.conf')) as source:
        text = source.read()
    for number, vm in enumerate(lab.vm.values(), 1):
        text = text.replace(f'10.0.0.{number};', f'{vm.address};')
    lab.client.run('cat >/etc/nginx/conf.d/tilsit-marks.conf', text=text)
    run(lab.client, TWO, 'Third machine')


def both(lab, work):
    """work(vm) on both VMs at the same time."""
    lab.at_once(work, lab.vm)


def one_of_both(lab, vm):
    packages(vm)
    run(vm, ONE, 'User and folders')


def rest_of_both(lab, vm):
    run(vm, TWO, 'Firewall')
    run(vm, TWO, 'Page caches')
    web_server(vm)
    settings(lab, vm)
    run(vm, TWO, 'Start both')


def set_up(lab):
    """deploy/two-machines.md, from its first to its last section."""
    a, b = lab.vm.values()
    lab.say('Installing')
    packages(lab.client)
    third_machine(lab)
    both(lab, lambda vm: one_of_both(lab, vm))
    addresses(lab, a, b)
    lab.say('Databases')
    run(a, ONE, 'Database')
    run(a, TWO, 'Primary')
    run(b, TWO, 'Replica', 0)
    wait_until('vm-b streams', lambda: re.search(
        r'vm-b *\| *streaming *\| *sync', run(a, TWO, 'Replica', 1)))
    lab.say('The index')
    both(lab, lambda vm: rest_of_both(lab, vm))
    a.tilsit('user add ada --email ada@example.org')
    token = a.tilsit('token create ada --label lab')
    with open(lab.path('token'), 'w') as out:
        out.write(re.search(r'\S{40,}', token)[0])
    os.chmod(lab.path('token'), 0o600)
    for vm in (a, b):
        vm.run('set -e\n' + blocks(TWO, 'Floating address')[0].split(
            'sleep')[0])
