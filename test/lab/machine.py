"""One machine of the lab: its disk, its processes, its parts.

    vm.run('df -h /')           # as root, through bash; what it printed
    vm.sql('SELECT 1')          # as PostgreSQL's superuser
    vm.lose(); vm.boot()        # power off at once; on again with its disk
    vm.shut_down()              # as an operator does
    vm.kill('upload'), .stop(), .start(), .restart(), .freeze(), .thaw()
    vm.fill(); vm.unfill()      # its disk
    vm.empty()                  # memcached forgets everything
    vm.promote()                # PostgreSQL's own, and nothing else

A shell script holds the machine's mount and network namespaces until
systemd-nspawn takes its place.  When the machine's process 1 is killed, all
of its processes end with it, and with the last of them its mounts, its loop
device and its network.
"""
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import time

from process import Failure, parents, wait_gone

UNITS = {
    'postgresql': ['postgresql@15-main.service'],
    'memcached': ['memcached.service'],
    'nginx': ['nginx.service'],
    'keepalived': ['keepalived.service'],
    'simple': ['tilsit-simple@*.service'],
    'upload': ['tilsit-upload@*.service'],
    'changelog': ['tilsit-changelog@*.service'],
    'peer': ['tilsit-peer@*.service'],
    'runner': ['tilsit-runner.service'],
    'watch': ['tilsit-watch.service'],
}
PARTS = tuple(UNITS)
BOOT_S = 60
PATIENCE_S = 120                # for what should take a second
COMMAND_S = 120

# What a machine does not take over from ours: it is as Debian installed it.
HIDDEN = ('etc/systemd/system', 'etc/postgresql', 'etc/tilsit',
          'etc/letsencrypt', 'var/lib/postgresql', 'var/lib/tilsit',
          'var/log', 'var/spool/cron', 'usr/local', 'root', 'home', 'srv',
          'tmp', 'var/tmp', 'opt', 'mnt', 'media')
USUAL = {'bin', 'boot', 'dev', 'etc', 'home', 'lost+found', 'media', 'mnt',
         'opt', 'proc', 'root', 'run', 'sbin', 'srv', 'sys', 'tmp', 'usr',
         'var', 'lib', 'lib32', 'lib64', 'libx32'}
NEVER = ('systemd-networkd', 'systemd-resolved', 'systemd-timesyncd', 'etcd',
         'patroni')             # may be asked for by others of their kind

# Each `read` waits for the lab, each `echo` tells it.
SCRIPT = r"""
set -e
cd "$1"
for h in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
        [ ! -e "$h/cgroup.procs" ] || { mkdir -p "$h/$2"
                echo $$ >"$h/$2/cgroup.procs"; }
done
mkdir -p disk root
mount -o loop disk.img disk
mkdir -p disk/upper disk/work
echo disk; read -r _
mount -t overlay overlay \
    -o lowerdir=/,upperdir=disk/upper,workdir=disk/work root
echo root; read -r _
ip link set lo up
ip address add "$4/24" dev eth0
ip link set eth0 up
echo go
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
exec systemd-nspawn -q -D root -b --register=no --keep-unit -M "$3" \
    --hostname="$3" --console=pipe --resolv-conf=off --timezone=off \
    --link-journal=no --settings=no --capability=CAP_NET_ADMIN \
    --bind="$5:/run/hypervisor" </dev/null >>console.log 2>&1
"""


def write(root, path, text, mode=0o644):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as out:
        out.write(text)
    os.chmod(path, mode)


class Machine:
    def __init__(self, lab, name):
        self.lab, self.name, self.child = lab, name, None

    def path(self, *parts):
        return self.lab.path(self.name, *parts)

    @property
    def address(self):
        return self.lab.address(self.name)

    @property
    def url(self):
        return self.lab.url(self.name)

    # Its processes.

    def holder(self):
        """The process of ours that holds the machine; None if it is off."""
        try:
            with open(self.path('pid')) as text:
                pid = int(text.read())
            if os.readlink(f'/proc/{pid}/cwd') == self.path():
                return pid
        except (OSError, ValueError):
            pass
        return None

    def init(self):
        """Its process 1, as seen from here; None if it is off."""
        holder = self.holder()
        for pid, parent in parents().items() if holder else ():
            if parent == holder and is_init(pid):
                return pid
        return None

    def is_up(self):
        return self.init() is not None

    # Power.

    def make_disk(self, size):
        os.makedirs(self.path())
        with open(self.path('disk.img'), 'w') as image:
            image.truncate(size)
        subprocess.run(['mkfs.ext4', '-q', '-m', '0', '-E',
                        'lazy_itable_init=1,lazy_journal_init=1',
                        self.path('disk.img')], check=True)

    def boot(self, prepare=None):
        """Power on; returns when systemd has started everything.  prepare is
        called with the root's path, before anything of it runs."""
        if self.holder():
            raise Failure(f'{self.name} is on already')
        self.child = subprocess.Popen(
            ['unshare', '--mount', '--net', '--propagation', 'private', '--',
             'sh', '-c', SCRIPT, 'machine', self.path(), self.cgroup(),
             self.name, self.address, self.lab.path('hypervisor')],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(self.path('console.log'), 'ab'), text=True,
            cwd=self.path(), start_new_session=True)
        with open(self.path('pid'), 'w') as out:
            out.write(str(self.child.pid))
        try:
            self.power_on(prepare)
        except BaseException:
            self.lose()
            raise

    def power_on(self, prepare):
        inside = f'/proc/{self.child.pid}/root{self.path()}'
        self.expect('disk')
        if prepare:
            hide(inside + '/disk/upper')
        self.answer()
        self.expect('root')
        if prepare:
            write(inside + '/root', 'etc/machine-id', '')
            prepare(self, inside + '/root')
        self.lab.links.plug(self.name, self.child.pid)
        self.answer()
        self.expect('go')
        self.child.stdin.close()
        self.child.stdout.close()
        self.wait_for_systemd()

    def expect(self, word):
        said = self.child.stdout.readline().strip()
        if said != word:
            raise Failure(f'{self.name} does not boot: {self.console()}')

    def answer(self):
        self.child.stdin.write('\n')
        self.child.stdin.flush()

    def wait_for_systemd(self):
        deadline = time.monotonic() + BOOT_S
        while time.monotonic() < deadline:
            if not self.holder():
                break
            if self.is_up() and self.run(
                    'systemctl is-system-running', check=False).strip() \
                    in ('running', 'degraded'):
                return
            time.sleep(0.1)
        raise Failure(f'{self.name} does not boot: {self.console()}')

    def console(self):
        with open(self.path('console.log'), errors='replace') as log:
            return ''.join(log.readlines()[-20:])

    @contextlib.contextmanager
    def still(self):
        """Its disk does not change meanwhile, and is sound."""
        freeze = ['nsenter', '-t', str(self.holder()), '-m', 'fsfreeze']
        subprocess.run([*freeze, '-f', self.path('disk')], check=True)
        try:
            yield
        finally:
            subprocess.run([*freeze, '-u', self.path('disk')], check=True)

    def lose(self):
        """Power off at once, whatever it does.  Its disk stays."""
        holder, init = self.holder(), self.init()
        for pid in (init, holder):
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if init:
            wait_gone(init)
        if holder:
            wait_gone(holder)
        self.forget()

    def shut_down(self):
        """As an operator does it; returns when the machine is off."""
        holder = self.holder()
        self.run('systemctl poweroff --no-wall', check=False)
        wait_gone(holder)
        self.forget()

    def forget(self):
        if self.child:
            self.child.wait()
            self.child = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path('pid'))
        for top in ('systemd', 'unified', ''):
            top = os.path.join('/sys/fs/cgroup', top, self.cgroup())
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)

    def cgroup(self):
        return f'tilsit-lab-{self.lab.links.network}-{self.name}'

    # Commands.

    def argv(self, command):
        """How this machine's kernel is asked to run a command in there."""
        init = self.init()
        if not init:
            raise Failure(f'{self.name} is off')
        return ['nsenter', '-t', str(init), '-a', '--', 'env', '-i',
                'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:'
                '/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8', 'USER=root',
                'bash', '-c', command]

    def run(self, command, check=True, text=None, timeout=COMMAND_S):
        """What an operator types as root, and what it prints, errors and
        all.  check: Failure unless its exit status is 0."""
        try:
            done = subprocess.run(
                self.argv('cd /root\n' + command), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, timeout=timeout,
                input=text if text is not None else '')
        except subprocess.TimeoutExpired:
            raise Failure(f'{self.name}: {command}\nno end of it within '
                          f'{timeout} s') from None
        if check and done.returncode:
            raise Failure(f'{self.name}: {command}\n{done.stdout}'
                          f'exit status {done.returncode}')
        return done.stdout

    def tilsit(self, command, **options):
        """The command `tilsit`."""
        return self.run(f'tilsit {command}', **options)

    def sql(self, statement, database='tilsit', **options):
        """As the superuser; rows as lines, columns with | between them."""
        return self.run('cd /; PGCONNECT_TIMEOUT=3 runuser -u postgres -- '
                        f'psql -AXqt -d {database} -f -', text=statement,
                        **options).strip()

    # Parts.

    def systemctl(self, verb, part):
        if part not in UNITS:
            raise Failure(f'{part} is none of {", ".join(PARTS)}')
        return self.run(f'systemctl {verb} ' + ' '.join(
            map(shlex.quote, self.units(part))))

    def units(self, part):
        """Names; a pattern becomes those that the target wants."""
        found = []
        for unit in UNITS[part]:
            if '*' not in unit:
                found.append(unit)
                continue
            wanted = self.run('systemctl show -p Wants tilsit.target')
            found += re.findall(unit.replace('*', r'\d+'), wanted)
        if not found:
            raise Failure(f'{self.name} has no part {part}')
        return found

    def sockets(self, part):
        return [f'tilsit-{part}.socket'] if '*' in UNITS[part][0] else []

    def stop(self, part):
        """It stays away: its socket refuses connections."""
        self.run('systemctl stop ' + ' '.join(
            self.sockets(part) + self.units(part)))

    def start(self, part):
        self.run('systemctl start ' + ' '.join(
            self.sockets(part) + self.units(part)))

    def restart(self, part):
        self.systemctl('restart', part)

    def kill(self, part):
        """kill -9 of all its processes; systemd starts what it keeps."""
        self.systemctl('kill --kill-whom=all -s KILL', part)

    def freeze(self, part):
        self.systemctl('kill --kill-whom=all -s STOP', part)

    def thaw(self, part):
        self.systemctl('kill --kill-whom=all -s CONT', part)

    def pids(self, part):
        """Its processes, as the machine numbers them."""
        text = self.systemctl('show -p ControlGroup --value', part)
        found = []
        for group in text.split():
            found += self.run(
                'cat /sys/fs/cgroup/systemd%s/cgroup.procs 2>/dev/null || '
                'cat /sys/fs/cgroup%s/cgroup.procs' % (
                    shlex.quote(group), shlex.quote(group)),
                check=False).split()
        return [int(pid) for pid in found if pid.isdigit()]

    # Its disk, its memory.

    def fill(self):
        """Not one block is left, root's included."""
        self.run('fallocate -l $(($(stat -f -c "%a*%S" /))) /fill; '
                 'dd if=/dev/zero of=/fill bs=4k oflag=append conv=notrunc '
                 '2>/dev/null; dd if=/dev/zero of=/fill.2 bs=1 2>/dev/null; '
                 'true')

    def unfill(self):
        self.run('rm -f /fill /fill.2')

    def empty(self):
        self.run("bash -c 'exec 3<>/dev/tcp/%s/11211; "
                 "printf \"flush_all\\r\\n\" >&3; read -r -t 5 said <&3; "
                 "[ \"${said%%%%OK*}\" = \"\" ]'" % self.address)

    def promote(self):
        self.sql('SELECT pg_promote(true, 60)', database='postgres')


def wait_until(what, probe, patience_s=PATIENCE_S):
    """Ask until probe() is true; what it is."""
    deadline = time.monotonic() + patience_s
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise Failure(f'{what}: not within {patience_s} s')
        time.sleep(0.05)
    return found


def is_init(pid):
    try:
        with open(f'/proc/{pid}/status') as status:
            return re.search(r'^NSpid:.*\t1$', status.read(), re.M)
    except OSError:
        return False


def hide(upper):
    """Cover what a machine does not take over by empty folders."""
    names = [*HIDDEN, *(name for name in os.listdir('/')
                        if name not in USUAL and os.path.isdir('/' + name)
                        and not os.path.islink('/' + name))]
    for name in names:
        if not os.path.isdir('/' + name):
            continue
        parts = name.split('/')
        for depth in range(1, len(parts) + 1):
            like(upper, '/'.join(parts[:depth]))
        os.setxattr(os.path.join(upper, name), 'trusted.overlay.opaque', b'y')
    write(upper, 'etc/systemd/system/.keep', '')
    for unit in NEVER:
        os.symlink('/dev/null',
                   os.path.join(upper, f'etc/systemd/system/{unit}.service'))
    os.makedirs(os.path.join(upper, 'var/log/journal'))
    for name, user in (('nginx', 'www-data'), ('postgresql', 'postgres')):
        os.makedirs(os.path.join(upper, 'var/log', name))
        shutil.chown(os.path.join(upper, 'var/log', name), user)


def like(upper, name):
    """A folder as it is here: its owner and its mode, not what it holds."""
    path = os.path.join(upper, name)
    if os.path.isdir(path):
        return
    os.mkdir(path)
    here = os.stat('/' + name)
    os.chown(path, here.st_uid, here.st_gid)
    os.chmod(path, here.st_mode & 0o7777)
