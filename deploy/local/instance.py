"""A whole index on one machine, under one folder: `make run` and the tests.

    with Instance('/tmp/x', build='build/plain') as index:
        urllib.request.urlopen(index.url + '/simple/')
        index.kill('upload')            # kill -9; replacements come at once
        index.stop('memcached')         # and it stays away
        index.start('memcached')
        index.freeze('postgresql')      # SIGSTOP to all of its processes
        index.resume('postgresql')

The parts, in the order of their start: postgresql, memcached, the worker
pools simple, upload and changelog, runner, nginx.  start() and stop() without
a name mean all of them.  Everything listens on unix sockets in STATE/run,
except nginx: 127.0.0.1 and the port (0: any free one, then in .port); paired,
also .peer_port, for the other machine, and then there is a pool peer.

STATE holds, and nothing outside it is written:

    postgresql/     the cluster             bin/, www/      what runs, copied
    store/          staging/ and packages/  etc/            its configuration
    run/            sockets                 log/, tmp/, snapshot/
    pypirc          the first account's token, for the owner's eyes
    lock            held while an instance runs here

Run by root, all parts run as an unprivileged user (process.run_user), who
may be unable to read the source tree: hence the copies.  They also let
`make` rebuild under a running instance.
"""
import contextlib
import fcntl
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request

from process import (Failure, Group, Keeper, command, environment, run_user,
                     sweep)

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
DEPLOY = os.path.join(TREE, 'deploy')

POOLS = {'simple': 2, 'upload': 4, 'changelog': 2,     # processes of each
         'peer': 2}     # of a pair of machines only
PROGRAMS = ['tilsit', 'tilsit-runner', 'tilsit-watch',
            *(f'tilsit-{pool}' for pool in POOLS)]
SOCKET_PATH_MAX = 107           # bytes; unix(7), sun_path less its NUL
LONGEST_SOCKET = '.s.PGSQL.5432.lock'
START_S = 60                    # a part that is not ready by then is broken
ANSWER_S = 2                    # then the question is put again
LOOK_S = 0.02                   # between two looks whether a part is ready
FORM_BYTES = 16 << 20           # what an upload may hold beside its file
OPEN_FILES = 65536              # for nginx; less where our own limit is
LOG_KEEP_BYTES = 16 << 20       # a longer log is set aside at the next start


def postgresql_bin():
    """Where Debian keeps the newest server's programs."""
    root = '/usr/lib/postgresql'
    versions = os.listdir(root) if os.path.isdir(root) else []
    for version in sorted(versions, key=float, reverse=True):
        if os.path.exists(f'{root}/{version}/bin/postgres'):
            return f'{root}/{version}/bin'
    raise Failure('PostgreSQL is not installed: make packages')


def fill(template, values):
    """The text of a file under deploy/ with its @NAME@ filled in."""
    with open(os.path.join(DEPLOY, template)) as source:
        return re.sub(r'@([A-Z_]+)@', lambda m: str(values[m[1]]),
                      source.read())


def listener(port):
    """A listening TCP socket for nginx, bound before anything else starts."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(('127.0.0.1', port))
    except PermissionError:
        raise Failure(f'port {port} is for root only: choose one of 1024 or '
                      'more with PORT=') from None
    except OSError as error:
        raise Failure(f'cannot listen on 127.0.0.1:{port}: {error.strerror}. '
                      'Choose another port with PORT=') from None
    sock.listen(4096)
    # nginx takes an inherited socket as it is: the one of its processes that
    # comes second to a connection would wait for the next in accept().
    sock.setblocking(False)
    return sock


def open_files():
    """Raise our limit, and so our children's; what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = OPEN_FILES if hard == resource.RLIM_INFINITY \
        else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, files), hard))
    return files


class Instance:
    """See the top of this file.

    build is the folder of the flavour (build/plain), settings are further
    lines of tilsit.conf, env goes to our programs, and part_env by part to
    one more, {'upload': {...}}.  wrap is what a worker is started by, such as
    ['valgrind', '--quiet'].  need_free_bytes: less disk than that is refused.
    throwaway: no fsync at the cluster's creation.  postgresql_settings are
    further lines of its configuration.  standby_of: a new cluster begins as
    the hot standby of the running server that this connection string names.
    paired: one of two machines; the settings then say who the other is.
    snapshot: pages are kept in STATE/snapshot, and nginx serves them while
    all else is down.
    """

    def __init__(self, state, port=0, build=None, *, settings=None, env=None,
                 part_env=None, wrap=(), upload_limit_bytes=1 << 30,
                 need_free_bytes=256 << 20,
                 access_log='buffer=64k flush=1s', throwaway=False,
                 postgresql_settings=None, standby_of=None, paired=False,
                 snapshot=False):
        self.state = os.path.realpath(state)
        build = build or os.environ.get('BUILD', 'build/plain')
        self.build = os.path.join(TREE, build)
        self.port, self.settings, self.env = port, settings or {}, env or {}
        self.part_env, self.wrap = part_env or {}, list(wrap)
        self.upload_limit_bytes = upload_limit_bytes
        self.need_free_bytes = need_free_bytes
        self.access_log, self.throwaway = access_log, throwaway
        self.postgresql_settings = postgresql_settings or {}
        self.standby_of = standby_of
        self.paired, self.peer_port = paired, 0
        self.snapshot = self.path('snapshot') if snapshot else ''
        self.user = run_user()
        self.groups, self.sockets, self.listeners = {}, [], []
        self.keeper = self.lock_fd = None
        self.missing = []       # programs that are not built

    def path(self, *parts):
        return os.path.join(self.state, *parts)

    @property
    def url(self):
        return f'http://127.0.0.1:{self.port}'

    @property
    def peer_url(self):
        """Where this one listens for the other."""
        return f'http://127.0.0.1:{self.peer_port}'

    @property
    def conninfo(self):
        return f"host={self.path('run')} dbname=tilsit user=tilsit"

    @property
    def config(self):
        """The file that our programs take with --config."""
        return self.path('etc', 'tilsit.conf')

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    # Starting and stopping.

    def start(self, name=None):
        """Start one part, or all of them; returns when they are ready."""
        if name:
            return self.start_part(name)
        try:
            self.open()
            for part in ('postgresql', 'memcached'):
                self.start_part(part)
            self.migrate()
            self.start_workers()
        except BaseException:
            self.close()
            raise

    def start_workers(self):
        """All that stands on PostgreSQL and memcached."""
        for part in list(self.groups)[2:]:
            self.keeper.start(self.groups[part])
        self.wait('nginx', self.listens)
        for part, probe in self.probes.items():
            if part in self.groups:
                self.wait(part, lambda: self.answers(probe))

    def stop(self, name=None, number=None):
        """Stop one part, or all; by the signal number if one is given.

        A pool's socket goes too, so that nginx is refused at once.
        """
        if name is None:
            return self.close()
        group = self.groups[name]
        self.keeper.stop([group], number)
        if group.listen:
            group.listen.close()
            os.unlink(self.path('run', f'{name}.sock'))

    def restart(self, name):
        self.stop(name)
        self.start(name)

    def kill(self, name):
        """kill -9 of all processes of a part; the keeper replaces them."""
        self.keeper.signal(self.groups[name], signal.SIGKILL)

    def freeze(self, name):
        self.keeper.signal(self.groups[name], signal.SIGSTOP)

    def resume(self, name):
        self.keeper.signal(self.groups[name], signal.SIGCONT)

    def pids(self, name):
        """The members of a part, without their descendants."""
        return self.groups[name].pids()

    def open(self):
        """Take the folder, clean it up, lay everything out; start nothing."""
        self.check_socket_paths()
        self.make_folders()
        self.take_lock()
        self.check_disk()
        sweep(self.state, ['postgres', 'memcached', 'nginx', *PROGRAMS])
        self.clear_run()
        self.listen()
        self.copy_programs()
        self.write_configuration()
        self.create_cluster()
        self.make_groups()
        self.keeper = Keeper(list(self.groups.values()))

    def listen(self):
        """Bind nginx's ports, the same ones again after a restart."""
        self.listeners = [listener(self.port)]
        self.port = self.listeners[0].getsockname()[1]
        if self.paired:
            self.listeners.append(listener(self.peer_port))
            self.peer_port = self.listeners[1].getsockname()[1]

    def close(self):
        """Stop everything; whoever serves first, the database last."""
        if self.keeper:
            first = [g for n, g in self.groups.items() if n != 'postgresql']
            self.keeper.stop(first[::-1])
            self.keeper.stop([self.groups['postgresql']])
            self.keeper.close()
            self.keeper = None
            for sock in self.listeners:
                sock.close()
            for group in first:
                if group.listen:
                    group.listen.close()
        if self.lock_fd is not None:
            os.close(self.lock_fd)
            self.lock_fd = None

    def start_part(self, name):
        group = self.groups[name]
        if name in POOLS and group.listen.fileno() == -1:
            group.listen = self.listen_unix(name)
        self.keeper.start(group)
        if name == 'postgresql':
            self.wait(name, self.postgresql_ready)
        elif name == 'memcached':
            self.wait(name, self.memcached_ready)
        elif name == 'nginx':
            self.wait(name, self.listens)
        elif name in self.probes:
            self.wait(name, lambda: self.answers(self.probes[name]))

    # The state folder.

    def check_socket_paths(self):
        longest = self.path('run', LONGEST_SOCKET)
        if len(os.fsencode(longest)) > SOCKET_PATH_MAX:
            room = SOCKET_PATH_MAX - len(f'/run/{LONGEST_SOCKET}')
            raise Failure(f'the state folder {self.state} has too long a name '
                          f'for unix sockets: {room} bytes are the most. '
                          'Choose another with STATE=')
        if re.search(r'''[\s'"\\;{}$@#]''', self.state):
            raise Failure(f'the state folder {self.state!r} has a blank, a '
                          'quote or another special character in its name, '
                          'which configuration files cannot hold. '
                          'Choose another with STATE=')

    def make_folders(self):
        """Ours are 0700; the way to them must be open to the run user."""
        try:
            os.makedirs(self.state, mode=0o755, exist_ok=True)
            os.chmod(self.state, 0o711 if self.user else 0o700)
            for name in ('etc', 'bin', 'www'):
                os.makedirs(self.path(name), mode=0o755, exist_ok=True)
            for name in ('run', 'store', 'log', 'tmp', 'snapshot'):
                os.makedirs(self.path(name), mode=0o700, exist_ok=True)
                self.give(self.path(name))
        except OSError as error:
            raise Failure(f'cannot make the state folder {self.state}: '
                          f'{error.strerror}. Choose another with STATE='
                          ) from None
        self.check_reachable()

    def check_reachable(self):
        """As root: may the run user pass every folder above the state?"""
        folder = self.state
        while self.user and folder != '/':
            if not os.stat(folder).st_mode & stat.S_IXOTH:
                raise Failure(f'{folder} is closed to the user '
                              f'{self.user.pw_name}, as whom all parts run. '
                              'Choose another folder with STATE=')
            folder = os.path.dirname(folder)

    def give(self, path):
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def take_lock(self):
        fd = os.open(self.path('lock'), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(fd, 32).decode().strip() or 'unknown'
            os.close(fd)
            raise Failure(f'{self.state} is in use by a running instance '
                          f'(process {holder}). Stop it with Ctrl-C there, '
                          'or choose another folder with STATE=') from None
        os.ftruncate(fd, 0)
        os.write(fd, f'{os.getpid()}\n'.encode())
        self.lock_fd = fd

    def check_disk(self):
        free = shutil.disk_usage(self.state).free
        if free < self.need_free_bytes:
            raise Failure(f'only {free >> 20} MB are free on the disk of '
                          f'{self.state}, {self.need_free_bytes >> 20} MB are '
                          'needed. Make room, or choose another with STATE=')

    def clear_run(self):
        """Sockets of a run that was killed, and logs that grew too long."""
        for entry in os.scandir(self.path('run')):
            os.unlink(entry)
        for entry in os.scandir(self.path('log')):
            if entry.stat().st_size > LOG_KEEP_BYTES and \
                    not entry.name.endswith('.1'):
                os.replace(entry.path, entry.path + '.1')

    def copy_programs(self):
        """To where the run user can read them, over what may be running."""
        self.missing = []
        for name in PROGRAMS:
            source = os.path.join(self.build, 'bin', name)
            target = self.path('bin', name)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(target)
            if os.path.exists(source):
                shutil.copyfile(source, target)
                os.chmod(target, 0o755)
            else:
                self.missing.append(name)
        shutil.rmtree(self.path('www'))
        shutil.copytree(os.path.join(TREE, 'www', 'static'), self.path('www'))
        for folder, _, files in os.walk(self.path('www')):
            os.chmod(folder, 0o755)
            for name in files:
                os.chmod(os.path.join(folder, name), 0o644)

    # Configuration.

    def write_configuration(self):
        values = {
            'ACCESS_LOG': f"{self.path('log', 'access.log')} tilsit "
                          f'{self.access_log}',
            'ERROR_LOG': 'stderr', 'ETC': self.path('etc'),
            'LISTEN': f'127.0.0.1:{self.port}',
            'OPEN_FILES': open_files(),
            'PACKAGES': self.path('store', 'packages'),
            'PAIR_ETC': self.path('etc'),
            'PAIR': '' if self.paired else '#pair# ',
            'PEER_ADDRESS': '127.0.0.1',
            'PEER_LISTEN': f'127.0.0.1:{self.peer_port}',
            'PEER_SERVER': self.settings.get(
                'peer_url', 'http://127.0.0.1:1').removeprefix('http://'),
            'PID': self.path('run', 'nginx.pid'),
            'RUN': self.path('run'), 'STATIC': self.path('www'),
            'TEMP': self.path('tmp'),
            'BODY_LIMIT': self.upload_limit_bytes + FORM_BYTES,
            'UPLOAD_LIMIT_TEXT': f'{self.upload_limit_bytes >> 20} MB',
            'SNAPSHOT': self.snapshot,
            'WITH_SNAPSHOT': '' if self.snapshot else '#snapshot# ',
            'USER': '',     # nginx is started as the run user already
        }
        for name in os.listdir(os.path.join(DEPLOY, 'nginx')):
            self.write('etc', name, fill(f'nginx/{name}', values))
        self.write('etc', 'postgresql.conf',
                   fill('postgresql/tilsit.conf', {}) +
                   "listen_addresses = ''\n"
                   f"unix_socket_directories = '{self.path('run')}'\n"
                   'unix_socket_permissions = 0700\n'
                   # In containers /dev/shm may be tiny, or closed to us.
                   'dynamic_shared_memory_type = mmap\n' + ''.join(
                       f"{name} = '{value}'\n" for name, value in
                       self.postgresql_settings.items()))
        for folder in ('', 'staging', 'packages'):
            os.makedirs(self.path('store', folder), 0o700, exist_ok=True)
            self.give(self.path('store', folder))
        self.write('etc', 'tilsit.conf', ''.join(
            f'{name} = {value}\n' for name, value in {
                'database': self.conninfo,
                'memcached': f"unix:{self.path('run', 'memcached.sock')}",
                'store_path': self.path('store'),
                'external_url': self.url,
                'upload_limit_bytes': self.upload_limit_bytes,
                'snapshot_path': self.snapshot or '""',
                **self.settings}.items()), mode=0o600)

    def write(self, folder, name, text, mode=0o644):
        path = self.path(folder, name)
        with open(path, 'w') as out:
            out.write(text)
        os.chmod(path, mode)
        if not mode & stat.S_IROTH:
            self.give(path)

    # PostgreSQL.

    def create_cluster(self):
        """Once, and as a whole: the finished cluster gets its name last."""
        data, new = self.path('postgresql'), self.path('postgresql.new')
        if os.path.exists(data):
            return
        if os.path.exists(new):
            shutil.rmtree(new)
        os.mkdir(new, 0o700)
        self.give(new)
        programs = postgresql_bin()
        quick = ['--no-sync'] if self.throwaway else []
        if self.standby_of:
            self.output([f'{programs}/pg_basebackup', '-D', new, '-R',
                         '--checkpoint=fast', '-d', self.standby_of, *quick])
        else:
            self.output([f'{programs}/initdb', '-D', new, '-U', 'tilsit',
                         '--encoding=UTF8', '--locale=C.UTF-8',
                         '--auth=trust', '--data-checksums', *quick])
            self.output([f'{programs}/postgres', '--single', '-D', new,
                         'postgres'], b'CREATE DATABASE tilsit;\n')
        os.rename(new, data)

    def postgresql_ready(self):
        """postmaster.pid, eighth line; see miscadmin.h in its source."""
        try:
            with open(self.path('postgresql', 'postmaster.pid')) as file:
                lines = file.read().split('\n')
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == 'ready' and \
            int(lines[0]) in self.pids('postgresql')

    def sweep_postgresql(self):
        """Ahead of a start: backends and files of one that was killed."""
        sweep(self.path('postgresql'), ['postgres'])
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path('postgresql', 'postmaster.pid'))

    def migrate(self):
        if 'tilsit' not in self.missing:
            self.tilsit('migrate')

    # The parts.

    def make_groups(self):
        log, run = self.path('log'), self.path('run')
        shared = {'cwd': run}
        pools = [pool for pool in POOLS if self.paired or pool != 'peer']
        self.sockets = {pool: self.listen_unix(pool) for pool in pools
                        if f'tilsit-{pool}' not in self.missing}

        def add(name, argv, **more):
            self.groups[name] = Group(name, argv, **{
                'log': f'{log}/{name}.log', **shared, **more})

        self.groups = {}
        data = self.path('postgresql')
        add('postgresql', [f'{postgresql_bin()}/postgres', '-D', data, '-c',
                           f"config_file={self.path('etc/postgresql.conf')}"],
            cwd=run, stop_signal=signal.SIGINT, on_death=signal.SIGQUIT,
            before=self.sweep_postgresql)
        add('memcached', ['memcached', '-s', f'{run}/memcached.sock',
                          '-a', '0700', *self.memcached_options()])
        for name in (*pools, 'runner'):
            if f'tilsit-{name}' in self.missing:
                continue
            add(name, [*self.wrap, self.path('bin', f'tilsit-{name}'),
                       '--config', self.config],
                listen=self.sockets.get(name), count=POOLS.get(name, 1),
                env={**self.env, **self.part_env.get(name, {})})
        fds = [sock.fileno() for sock in self.listeners]
        add('nginx', ['nginx', '-c', self.path('etc', 'nginx.conf'),
                      '-p', self.path('tmp'), '-e', 'stderr',
                      '-g', 'daemon off;'],
            env={'NGINX': ''.join(f'{fd};' for fd in fds)}, pass_fds=fds,
            on_death=signal.SIGTERM)

    def memcached_options(self):
        """The lines of memcached's own file, as Debian's script reads it."""
        with open(os.path.join(DEPLOY, 'memcached', 'tilsit.conf')) as file:
            lines = [line.split('#')[0].split() for line in file]
        return [word for line in lines for word in line]

    def listen_unix(self, pool):
        path = self.path('run', f'{pool}.sock')
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(path)
        os.chmod(path, 0o600)
        self.give(path)
        sock.listen(1024)
        return sock

    # Readiness.

    probes = {'simple': '/simple/', 'upload': '/legacy/',
              'changelog': '/RPC2'}

    def wait(self, name, ready):
        """Until ready() is true, or the part turns out to be broken."""
        group, end = self.groups[name], time.monotonic() + START_S
        while not ready():
            if group.failures > group.count or time.monotonic() > end:
                raise Failure(f'{name} does not start. The end of '
                              f'{group.log}:\n{group.log_tail()}')
            time.sleep(LOOK_S)

    def memcached_ready(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(START_S)
            try:
                sock.connect(self.path('run', 'memcached.sock'))
                sock.sendall(b'version\r\n')
                return sock.recv(64).startswith(b'VERSION')
            except (FileNotFoundError, ConnectionError):
                return False

    def listens(self):
        return self.answers('/static/style.css')

    def answers(self, path):
        """Does a GET of path end in anything but a server's error?"""
        try:
            urllib.request.urlopen(self.url + path, timeout=ANSWER_S).close()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code < 500
        except OSError:
            return False
        return True

    # The command line program, and the first account.

    def output(self, argv, data=b''):
        """Run a command as the run user; its output, or Failure."""
        done = subprocess.run(
            command(argv, signal.SIGKILL), input=data, cwd=self.path('run'),
            env=environment(self.env), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True)
        if done.returncode != 0:
            what = os.path.basename(argv[0]) + ' ' + ' '.join(argv[1:2])
            raise Failure(f'{what.strip()} failed: '
                          f"{done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode()

    def tilsit(self, *words, data=b''):
        """The `tilsit` command with this instance's configuration."""
        return self.output([self.path('bin', 'tilsit'), '--config',
                            self.config, *words], data)

    def token(self, user):
        """A new account and a token for it."""
        self.tilsit('user', 'add', user, '--password-stdin',
                    data=secrets.token_urlsafe(24).encode() + b'\n')
        return self.tilsit('token', 'create', user).strip()
