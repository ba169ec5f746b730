"""The lab: two VMs of the index and a client, on one bridge, all real.

    from lab import Lab

    with Lab() as lab:                          # half a minute; then down()
        a, b = lab.vm['vm-a'], lab.vm['vm-b']
        a.run('systemctl status tilsit.target') # as root; its output
        lab.client.run('curl -s https://packages.example.org/-/ready')
        lab.cut('vm-a', 'vm-b', one_way=True)   # nothing of a's reaches b
        lab.heal()
        b.freeze('memcached'); b.thaw('memcached')
        a.lose(); a.boot()                      # power off; on again

A VM is an overlay of this machine's / whose upper layer is a disk image of
its own, booted by systemd-nspawn with Debian's own units; everything in it is
installed by deploy/install and set up by the commands of the guides under
deploy/, word for word (guide.py).  The third machine, `client`, keeps marks
(deploy/failover) and is a place from which to look.  The bridge is in this
machine's own network namespace, so programs here reach the VMs too; as
`host` it can be named in cut() and its like.

    .floating_url, .url('vm-a')         https addresses
    .ca                                 the file of the lab's authority
    .token                              of the first account

STATE (build/lab) holds it all: lab.json (what is broken, which network),
ca.pem, token, and a folder a machine with disk.img, pid, console.log.  Other
processes may join: Lab.attach(STATE).  A lab outlives a crash of its tool;
down() then clears it away.
"""
import contextlib
import fcntl
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TREE, 'deploy', 'local'))
sys.path.insert(0, os.path.join(TREE, 'test', 'lib'))

import guide
import machine
from hypervisor import Hypervisor
from links import Links
from machine import Machine, wait_until
from process import Failure
from shelf import Shelf
from tap import skip_all

NAME = 'packages.example.org'           # as in the guides
VMS = ('vm-a', 'vm-b')
HOSTS = {'host': 1, 'floating': 10, 'vm-a': 11, 'vm-b': 12, 'client': 13}
DISK_BYTES = {'vm-a': 4 << 30, 'vm-b': 4 << 30, 'client': 1 << 30}
LOGS = {'journal': 'journalctl --no-pager -o short-precise',
        'postgresql': 'cat /var/log/postgresql/*',
        'nginx': 'cat /var/log/nginx/*'}
NETWORKS = 50                           # labs at the same time


def missing():
    """Why there can be no lab on this machine; None if there can."""
    if os.getuid() != 0:
        return 'the lab needs root'
    for program in ('systemd-nspawn', 'keepalived', 'ip', 'nft', 'tc',
                    'openssl', 'mkfs.ext4', 'nsenter', 'unshare'):
        if not shutil.which(program):
            return f'the lab needs {program}: make lab installs it'
    done = subprocess.run(
        ['unshare', '--mount', '--net', '--pid', '--fork', 'sh', '-ec',
         'mount -t tmpfs none /mnt;'
         'cd /mnt; mkdir u w r;'
         'mount -t overlay none -o lowerdir=/,upperdir=u,workdir=w r;'
         'ip link add name br type bridge; nft add table bridge t;'
         'losetup --find'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        return ('no namespaces, overlays, bridges or loop devices here: '
                + ' '.join(done.stdout.split()))
    return None


def sh(*argv, **options):
    """Run a command of this machine; Failure with its words if it fails."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode:
        raise Failure(f'{" ".join(argv)}: {done.stdout.strip()}')
    return done.stdout


class Lab:
    """See the top of this file.

    state is the folder, build that of the programs (build/plain), settings
    further lines of both VMs' tilsit.conf, env what our programs find in
    their environment there.
    """

    def __init__(self, state=None, build=None, settings=None, env=None,
                 say=lambda text: None):
        self.state = os.path.realpath(
            state or os.environ.get('LAB') or os.path.join(TREE, 'build/lab'))
        self.build = build or os.environ.get('BUILD', 'build/plain')
        self.settings, self.env, self.say = settings or {}, env or {}, say
        self.links = Links(self.path('links.json'))
        self.machines = {name: Machine(self, name) for name in DISK_BYTES}
        self.vm = {name: self.machines[name] for name in VMS}
        self.client = self.machines['client']
        self.hypervisor = self.lock = None

    def path(self, *parts):
        return os.path.join(self.state, *parts)

    def __enter__(self):
        self.raise_()
        return self

    def __exit__(self, *_):
        self.down()

    @classmethod
    def attach(cls, state=None):
        """A lab that another process raised."""
        lab = cls(state)
        if not lab.links.load():
            raise Failure(f'no lab is up in {lab.state}: make lab')
        return lab

    # Where things are.

    def address(self, name):
        return f'10.98.{self.links.network}.{HOSTS[name]}'

    def url(self, name):
        return f'https://{self.address(name)}'

    @property
    def floating_url(self):
        return self.url('floating')

    @property
    def ca(self):
        return self.path('ca.pem')

    @property
    def token(self):
        with open(self.path('token')) as text:
            return text.read().strip()

    def tls(self):
        """An ssl.SSLContext that trusts the lab and nobody else."""
        return ssl.create_default_context(cafile=self.ca)

    def get(self, url, timeout=5, **headers):
        """(status, body) of a GET from this machine; 0 if none came."""
        request = urllib.request.Request(url, headers={
            name.replace('_', '-'): value for name, value in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=timeout,
                                        context=self.tls()) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError as error:
            return 0, str(error).encode()

    # Up and down.

    def raise_(self):
        """Everything, from nothing; whatever was in STATE before goes."""
        why = missing()
        if why:
            raise Failure(why)
        self.take_lock()
        self.clear()
        try:
            self.links.claim(NETWORKS)
            self.hypervisor = Hypervisor(self)
            shelf = Shelf(TREE, self.build, [
                self.links.network, self.settings, self.env])
            if shelf.take(self):
                self.boot_all()
            else:
                self.install()
                shelf.put(self)
            self.wait()
            return self
        except BaseException:
            self.down()
            raise

    def take_lock(self):
        os.makedirs(self.state, exist_ok=True)
        self.lock = open(self.path('lock'), 'w')
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f'a lab is up in {self.state}') from None

    def down(self):
        """Nothing is left: processes, mounts, namespaces, links, images."""
        if self.hypervisor:
            self.hypervisor.close()
            self.hypervisor = None
        self.clear()
        if self.lock:
            self.lock.close()
            self.lock = None

    def clear(self):
        for one in self.machines.values():
            one.lose()
        self.links.load()
        self.links.remove()
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.state):
                path = self.path(name)
                if name in DISK_BYTES or name == 'hypervisor':
                    shutil.rmtree(path)
                elif name != 'lock':
                    os.unlink(path)

    def at_once(self, work, names):
        """work(machine) for each at the same time; the first failure."""
        failed = []

        def one(name):
            try:
                work(self.machines[name])
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=one, args=(name,))
                   for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]

    def boot_all(self, prepare=None):
        self.say('Booting the machines')
        self.at_once(lambda one: one.boot(prepare), DISK_BYTES)

    def install(self):
        self.make_certificates()
        for name, size in DISK_BYTES.items():
            self.machines[name].make_disk(size)
        self.boot_all(self.prepare)
        guide.set_up(self)

    def wait(self):
        """Until all of it serves."""
        for name in ('floating', *VMS):
            wait_until(f'the index at {name}', lambda: self.get(
                self.url(name) + '/-/ready')[0] == 200)
        wait_until('the replica', self.streams)

    # What a machine has before its first boot.

    def prepare(self, one, root):
        """Programs, names and certificates, into root."""
        hosts = ''.join(f'{self.address(name)} {name}\n' for name in HOSTS
                        if name != 'floating')
        machine.write(root, 'etc/hosts', '127.0.0.1 localhost\n' + hosts +
                      f'{self.address("floating")} {NAME}\n')
        machine.write(root, 'etc/hostname', one.name + '\n')
        with open(self.ca) as ca, \
                open(root + '/etc/ssl/certs/ca-certificates.crt', 'a') as out:
            out.write(ca.read())
        folder = f'etc/letsencrypt/live/{NAME}'
        for name in ('fullchain.pem', 'privkey.pem'):
            with open(self.path(name)) as source:
                machine.write(root, f'{folder}/{name}', source.read(), 0o600)
        machine.write(root, 'usr/local/sbin/lab-fence', FENCE, 0o755)
        sh(os.path.join(TREE, 'deploy/install'), self.build,
           env={**os.environ, 'DESTDIR': root, 'PREFIX': '/usr/local',
                'SYSCONFDIR': '/etc'})
        if self.env and one.name in VMS:
            lines = ''.join(f'Environment={name}={value}\n'
                            for name, value in self.env.items())
            for at in ('', '@'):
                machine.write(root, f'etc/systemd/system/tilsit-{at}.service.d'
                              '/lab.conf', '[Service]\n' + lines)

    def make_certificates(self):
        """An authority of the lab's own, and one certificate of both VMs."""
        openssl = ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                   'ec_paramgen_curve:P-256', '-nodes', '-days', '30']
        sh(*openssl, '-subj', '/CN=Lab of Tilsit', '-keyout',
           self.path('ca.key'), '-out', self.ca,
           '-addext', 'keyUsage=critical,keyCertSign')
        names = ','.join([f'DNS:{NAME}', *(
            f'IP:{self.address(name)}' for name in ('floating', *VMS))])
        sh(*openssl, '-subj', f'/CN={NAME}', '-CA', self.ca, '-CAkey',
           self.path('ca.key'), '-keyout', self.path('privkey.pem'), '-out',
           self.path('fullchain.pem'), '-addext', f'subjectAltName={names}',
           '-addext', 'basicConstraints=critical,CA:FALSE')

    # Breaking and mending; names are vm-a, vm-b, client, host.

    def cut(self, a, b, one_way=False, ports=()):
        """Nothing from a reaches b, nor back unless one_way.  ports: only of
        these TCP ports, on either side."""
        self.links.damage(a, b, 'cut', ports=list(ports))
        if not one_way:
            self.links.damage(b, a, 'cut', ports=list(ports))

    def lossy(self, a, b, percent, one_way=False):
        """Some packets are lost, by chance."""
        self.links.damage(a, b, 'lossy', percent)
        if not one_way:
            self.links.damage(b, a, 'lossy', percent)

    def slow(self, a, b, kbit_s=256, one_way=False):
        """Everything between the two goes through a thin wire."""
        self.links.damage(a, b, 'slow', kbit_s)
        if not one_way:
            self.links.damage(b, a, 'slow', kbit_s)

    def heal(self, a=None, b=None):
        """Mend the link between two machines, or all."""
        self.links.heal(a, b)

    def keep_logs(self):
        """Copy what the machines logged to where test/run looks for it."""
        kept = os.path.join(
            os.environ.get('KEEP_LOGS') or tempfile.gettempdir(),
            os.path.basename(self.state) + '-logs')
        os.makedirs(kept, exist_ok=True)
        for one in self.machines.values():
            for name, command in LOGS.items():
                if one.is_up():
                    with open(f'{kept}/{one.name}-{name}.log', 'w') as out:
                        out.write(one.run(command, check=False))
        return kept

    # Asking.

    def primary(self):
        """The VM whose PostgreSQL takes writes; None without one."""
        for one in self.vm.values():
            if one.is_up() and one.sql(
                    'SELECT pg_is_in_recovery()', check=False) == 'f':
                return one
        return None

    def holder(self):
        """The VM that has the floating address; None without one."""
        for one in self.vm.values():
            if one.is_up() and self.address('floating') + '/' in one.run(
                    'ip -o address show eth0'):
                return one
        return None

    def streams(self):
        """Does the replica stream, and do commits wait for it?"""
        one = self.primary()
        return one is not None and one.sql(
            'SELECT sync_state FROM pg_stat_replication',
            check=False) in ('sync', 'quorum')


@contextlib.contextmanager
def temporary():
    """A folder for a lab, on this tree's disk; gone at the end."""
    os.makedirs(os.path.join(TREE, 'build'), exist_ok=True)
    path = tempfile.mkdtemp(prefix='lab-', dir=os.path.join(TREE, 'build'))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def raised(**options):
    """A lab for a test, taken down at the end.  Where there can be none the
    test is skipped; if it fails the machines' logs are kept."""
    why = missing()
    if why:
        skip_all(why)
    with temporary() as state, Lab(state, **options) as lab:
        try:
            yield lab
        except BaseException as error:
            if not isinstance(error, SystemExit) or error.code:
                print(f'# logs: {lab.keep_logs()}', flush=True)
            raise


FENCE = """#!/bin/sh
# lab-fence NAME VERB: has the lab act on a machine, off by default, and says
# when that is done (hypervisor.py).
exec curl -s --fail-with-body --max-time 600 -X POST \\
    --unix-socket /run/hypervisor/sock "http://hypervisor/${2-off}/$1"
"""
