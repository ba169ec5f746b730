"""The lab's network: one bridge, a port a machine, and what is broken.

    links = Links('/.../links.json')
    links.claim(50)                     # .network, .bridge
    links.damage('vm-a', 'vm-b', 'cut')     # from a to b
    links.heal('vm-a', 'vm-b'); links.heal()

All damage is done at the bridge, by one nftables table (cut, lossy) and by
queues at its ports (slow), so it stays while a machine is off.  `host` is
this machine's own end.  The file is the truth; damage and heal may come from
several processes.
"""
import contextlib
import fcntl
import json
import os
import re
import subprocess

from process import Failure

PORTS = {'vm-a': 'a', 'vm-b': 'b', 'client': 'c'}
MTU_BYTES = 1500


def tool(*argv, text=None, check=True):
    done = subprocess.run(argv, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if check and done.returncode:
        raise Failure(f'{" ".join(argv)}: {done.stdout.strip()}')
    return done.returncode == 0


class Links:
    def __init__(self, file):
        self.file = file
        self.network, self.damages = None, []

    @property
    def bridge(self):
        return f'tilsit{self.network}'

    def port(self, name):
        """The bridge's end of a machine's wire."""
        if name not in PORTS:
            raise Failure(f'{name} is none of {", ".join(PORTS)}, host')
        return f'{self.bridge}{PORTS[name]}'

    def mac(self, name):
        """A machine's own: the others know it again after a boot."""
        number = ['host', *PORTS].index(name)
        return f'02:00:0a:62:{self.network:02x}:{number:02x}'

    # The file.

    def is_there(self):
        return os.path.exists(self.file)

    def load(self):
        """Read the file; is there one?"""
        try:
            with open(self.file) as source:
                state = json.load(source)
        except FileNotFoundError:
            return False
        self.network, self.damages = state['network'], state['damages']
        return True

    def save(self):
        with open(self.file + '.new', 'w') as out:
            json.dump({'network': self.network, 'damages': self.damages}, out,
                      indent='\t')
        os.replace(self.file + '.new', self.file)

    @contextlib.contextmanager
    def change(self):
        """Hold the file, and make the network what it says afterwards."""
        with open(self.file + '.lock', 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.load()
            yield
            self.save()
            self.apply()

    # The bridge.

    def claim(self, most):
        """A bridge of our own; its name says whose the network is."""
        for self.network in range(most):
            if tool('ip', 'link', 'add', 'name', self.bridge, 'address',
                    self.mac('host'), 'type', 'bridge', check=False):
                break
        else:
            raise Failure(f'{most} labs are up on this machine')
        self.damages = []
        self.save()
        tool('ip', 'address', 'add', f'10.98.{self.network}.1/24', 'dev',
             self.bridge)
        tool('ip', 'link', 'set', self.bridge, 'up')

    def remove(self):
        if self.network is None:
            return
        for name in PORTS:
            tool('ip', 'link', 'delete', self.port(name), check=False)
        tool('ip', 'link', 'delete', self.bridge, check=False)
        tool('nft', 'delete', 'table', 'bridge', self.bridge, check=False)
        self.network, self.damages = None, []

    def plug(self, name, pid):
        """A wire from the bridge into the network of a process, as eth0."""
        port = self.port(name)
        tool('ip', 'link', 'delete', port, check=False)
        tool('ip', 'link', 'add', 'name', port, 'type', 'veth', 'peer', 'name',
             'eth0', 'address', self.mac(name), 'netns', str(pid))
        tool('ip', 'link', 'set', port, 'master', self.bridge, 'up')
        self.apply()

    # Damage.

    def damage(self, a, b, kind, value=None, ports=()):
        if a == b:
            raise Failure(f'no wire leads from {a} to itself')
        for name in (a, b):
            if name != 'host':
                self.port(name)
        if kind == 'slow' and b == 'host':
            raise Failure('the wire to the host cannot be slow')
        with self.change():
            self.damages = [d for d in self.damages if
                            (d['from'], d['to'], d['kind'], d['ports']) !=
                            (a, b, kind, ports)]
            self.damages.append({'from': a, 'to': b, 'kind': kind,
                                 'value': value, 'ports': ports})

    def heal(self, a, b):
        with self.change():
            self.damages = [d for d in self.damages
                            if a and {d['from'], d['to']} != {a, b}]

    def rule(self, d):
        """(chain, rule) of one damage."""
        match = ''
        if d['from'] != 'host':
            match += f'iifname {self.port(d["from"])} '
        if d['to'] != 'host':
            match += f'oifname {self.port(d["to"])} '
        chain = 'output' if d['from'] == 'host' else \
            'input' if d['to'] == 'host' else 'forward'
        if d['kind'] == 'slow':
            return chain, match + 'meta priority set 1:2'
        if d['kind'] == 'lossy':
            return chain, match + f'numgen random mod 100 < {d["value"]} drop'
        if d['ports']:
            ports = ', '.join(map(str, d['ports']))
            return chain, [match + f'meta protocol ip tcp {side} '
                           f'{{ {ports} }} drop' for side in
                           ('sport', 'dport')]
        return chain, match + 'drop'

    def apply(self):
        chains = {name: [] for name in ('forward', 'input', 'output')}
        for d in self.damages:
            chain, rules = self.rule(d)
            chains[chain] += [rules] if isinstance(rules, str) else rules
        table = f'table bridge {self.bridge}'
        tool('nft', '-f', '-', text=f'{table}\ndelete {table}\n{table} {{\n' +
             ''.join(f'chain {name} {{\ntype filter hook {name} priority 0;\n'
                     + '\n'.join(rules) + '\n}\n'
                     for name, rules in chains.items()) + '}\n')
        slow = {d['to']: d['value'] for d in self.damages
                if d['kind'] == 'slow'}
        for name in PORTS:
            self.shape(name, slow.get(name))

    def shape(self, name, kbit_s):
        """A thin queue at a machine's port for what is marked 1:2."""
        port = self.port(name)
        tool('tc', 'qdisc', 'delete', 'dev', port, 'root', check=False)
        if kbit_s and tool('tc', 'qdisc', 'add', 'dev', port, 'root',
                           'handle', '1:', 'htb', check=False):
            tool('tc', 'class', 'add', 'dev', port, 'parent', '1:', 'classid',
                 '1:2', 'htb', 'rate', f'{kbit_s}kbit', 'burst',
                 str(4 * MTU_BYTES))
            # Where this kernel can: it is also far away.
            tool('tc', 'qdisc', 'add', 'dev', port, 'parent', '1:2', 'netem',
                 'delay', '100ms', check=False)
