"""A pair with what operators put beside it: tilsit-watch on both machines, a
third place for marks, and hooks that switch machines off, stop and rebuild
their servers.

    with operated_pair() as pair:
        pair.watch(pair.a)                      # start tilsit-watch there
        done = pair.run(pair.b, 'failover')     # .status, .said
        pair.run(pair.b, 'failover', fault='F-marked:kill')

The hooks are one script that asks this process, over a socket: so that a
machine is off when all of an Instance's parts are.  .third_away makes the
third place deaf, .hooks_fail the verbs that fail; .asked lists what hooks were
asked for.
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading

from faults import build_with_faults, wait_until
from pair import Pair
from servers import Instance, folder

from instance import postgresql_bin
from process import command, environment

HOOK = '''#!/usr/bin/python3
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect({path!r})
text = sys.stdin.read() if 'set' in sys.argv else ''
s.sendall('\\n'.join([' '.join(sys.argv[1:]), text]).encode())
s.shutdown(socket.SHUT_WR)
status, _, words = s.makefile().read().partition(' ')
sys.stdout.write(words)
sys.exit(int(status))
'''


class Done:
    def __init__(self, process):
        self.status = process.returncode
        self.said = (process.stdout + process.stderr).decode()


class OperatedPair(Pair):
    """See the top of this file."""

    def __init__(self, path, **options):
        super().__init__(path, **options)
        self.folder, self.third = path, None
        self.third_away, self.hooks_fail, self.asked = False, set(), []
        self.off, self.watches = set(), {}

    def start(self):
        self.listen()
        for one in (self.a, self.b):
            hook = f'{self.hook} {one.name}'
            one.settings.update({
                'mark_command': f'{hook} mark',
                'server_command': f'{hook} server',
                'fence_command': f'{hook} fence',
                'replica_timeout_s': '1s', 'serial_jump': '1000000'})
        super().start()
        for one in (self.a, self.b):
            one.postgresql_settings['synchronous_standby_names'] = \
                f'"{self.peer(one).name}"'
            one.write_configuration()
        self.sql(self.a, 'ALTER SYSTEM RESET synchronous_standby_names')
        self.sql(self.a, 'SELECT pg_reload_conf()')

    def close(self):
        for one in (self.a, self.b):
            self.unwatch(one)
        super().close()

    def set(self, one, **settings):
        one.settings.update(settings)
        one.write_configuration()

    def named(self, name):
        return self.a if name == self.a.name else self.b

    # Running our programs.

    def run(self, one, *words, fault=None):
        """`tilsit WORDS` there, as the run user."""
        env = dict(one.env)
        if fault:
            env['TILSIT_FAULT'] = fault
        return Done(subprocess.run(
            command([one.path('bin', 'tilsit'), '--config', one.config,
                     *words], signal.SIGKILL), cwd=one.path('run'),
            env=environment(env), capture_output=True, timeout=180,
            start_new_session=True))

    def watch(self, one, fault=None):
        self.unwatch(one)
        env = {**one.env, **({'TILSIT_FAULT': fault} if fault else {})}
        with open(one.path('log', 'watch.log'), 'ab') as log:
            self.watches[one.name] = subprocess.Popen(
                command([one.path('bin', 'tilsit-watch'), '--config',
                         one.config], signal.SIGKILL), cwd=one.path('run'),
                env=environment(env), stdout=log, stderr=log,
                start_new_session=True)
        return self.watches[one.name]

    def unwatch(self, one):
        child = self.watches.pop(one.name, None)
        if child:
            child.kill()
            child.wait()

    def watch_log(self, one):
        with open(one.path('log', 'watch.log')) as log:
            return log.read()

    def mark(self, one):
        """What the mark of a machine says, as a dict; {} if there is none."""
        return read_mark(one.path('store', 'mark'))

    # The hooks.

    def listen(self):
        path = f'{self.folder}/hook.sock'
        self.hook = f'{self.folder}/hook'
        with open(self.hook, 'w') as script:
            script.write(HOOK.format(path=path))
        os.chmod(self.hook, 0o755)
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        os.chmod(path, 0o777)
        server.listen(16)
        threading.Thread(target=self.serve, args=(server,),
                         daemon=True).start()

    def serve(self, server):
        while True:
            client = server.accept()[0]
            with client.makefile() as stream:
                line, _, text = stream.read().partition('\n')
            asked = client, line.split(), text
            if line.split()[-1] in ('rejoin', 'switch'):    # asks hooks itself
                threading.Thread(target=self.answer, args=asked,
                                 daemon=True).start()
            else:       # in this thread, for what it starts ends with it
                self.answer(*asked)

    def answer(self, client, words, text):
        name, what, *words = words
        try:
            status, said = getattr(self, f'do_{what}')(
                self.named(name), words, text)
        except Exception as error:      # the hook's caller is told
            status, said = 1, f'{error}\n'
        with client, contextlib.suppress(OSError):
            client.sendall(f'{status} {said}'.encode())

    def do_mark(self, _, words, text):
        verb, node = (words + [''])[:2]
        there = dict(line.partition('=')[::2] for line in
                     (self.third or '').split('\n'))
        if self.third_away:
            return 1, ''
        if verb == 'get':
            return 0, self.third or ''
        if self.third and there.get('lacks') != node:
            return 3, ''
        self.third = text if verb == 'set' else None
        return 0, ''

    def do_fence(self, one, words, _):
        name, verb = words
        target = self.named(name)
        self.asked.append(verb)
        if verb in self.hooks_fail:
            return 1, ''
        return getattr(self, f'do_fence_{verb}')(target)

    def do_fence_off(self, target):
        self.power_off(target)
        return 0, f'{target.name} has no power\n'

    def do_fence_stop(self, target):
        target.stop('postgresql', signal.SIGINT)
        return 0, ''

    def do_fence_rejoin(self, target):
        done = self.run(target, 'rejoin')
        return done.status, done.said

    def do_fence_switch(self, target):
        done = self.run(target, 'failover', '--switch')
        return done.status, done.said

    def power_off(self, one):
        if one.name in self.off:
            return
        self.unwatch(one)
        for part in reversed(list(one.groups)):
            one.stop(part, signal.SIGKILL)
        self.off.add(one.name)

    def do_server(self, one, words, _):
        verb, = words
        self.asked.append(verb)
        if verb in self.hooks_fail:
            return 1, ''
        return getattr(self, f'do_server_{verb}')(one)

    @staticmethod
    def data(one):
        return one.path('postgresql')

    def do_server_state(self, one):
        if not os.path.exists(f'{self.data(one)}/PG_VERSION'):
            return 0, 'running=no\nstandby=no\ntimeline=0\n'
        control = one.output([f'{postgresql_bin()}/pg_controldata', '-D',
                              self.data(one)])
        timeline = [line.split()[-1] for line in control.splitlines()
                    if 'checkpoint\'s TimeLineID' in line][0]
        running = 'yes' if one.pids('postgresql') else 'no'
        standby = 'yes' if os.path.exists(
            f'{self.data(one)}/standby.signal') else 'no'
        return 0, f'running={running}\nstandby={standby}\n' \
            f'timeline={timeline}\n'

    def do_server_forget(self, one):
        if one.pids('memcached'):
            one.stop('memcached')
        one.start('memcached')
        return 0, ''

    def do_server_stop(self, one):
        if one.pids('postgresql'):
            one.stop('postgresql', signal.SIGINT)
        return 0, ''

    def do_server_start(self, one):
        one.start('postgresql')
        return 0, ''

    def follow(self, one):
        """Be the other one's standby, and wait for it when promoted."""
        auto = f'{self.data(one)}/postgresql.auto.conf'
        with open(auto) as file:
            lines = [line for line in file if not line.startswith(
                ('synchronous_standby_names', 'primary_conninfo'))]
        conninfo = f'{self.peer(one).conninfo} application_name={one.name}'
        with open(auto, 'w') as file:
            file.writelines(lines + [f"primary_conninfo = '{conninfo}'\n"])
        one.output(['touch', f'{self.data(one)}/standby.signal'])

    def do_server_rewind(self, one):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f'{self.data(one)}/postmaster.pid')
        one.output([f'{postgresql_bin()}/pg_rewind', '-D', self.data(one),
                    f'--source-server={self.peer(one).conninfo}',
                    '--no-sync'])
        self.follow(one)
        return 0, ''

    def do_server_copy(self, one):
        shutil.rmtree(self.data(one), ignore_errors=True)
        os.mkdir(self.data(one), 0o700)
        one.give(self.data(one))
        one.output([f'{postgresql_bin()}/pg_basebackup', '-D',
                    self.data(one), '-d', self.peer(one).conninfo,
                    '--checkpoint=fast', '--no-sync'])
        self.follow(one)
        return 0, ''

    # What tests wait for.

    def power_on(self, one):
        """Whole again, but for its server."""
        for part, group in one.groups.items():
            if group.listen and group.listen.fileno() == -1:
                group.listen = one.listen_unix(part)
            if part not in ('postgresql', 'nginx'):
                one.keeper.start(group)
        one.start('nginx')
        self.off.discard(one.name)

    def is_sync(self, primary):
        return self.sql(primary, 'SELECT count(*) FROM pg_stat_replication '
                        "WHERE sync_state = 'sync'") == '1'

    def marks(self):
        """By place."""
        third = dict(line.partition('=')[::2] for line in
                     (self.third or '').split('\n') if '=' in line)
        return {'a': self.mark(self.a), 'b': self.mark(self.b),
                'third': third}

    def is_whole(self, primary):
        return self.is_sync(primary) and not any(self.marks().values())

    def wait_whole(self, primary):
        wait_until(f'{primary.name} has its replica',
                   lambda: self.is_whole(primary))


def read_mark(path):
    try:
        with open(path) as file:
            return dict(line.rstrip('\n').partition('=')[::2]
                        for line in file if '=' in line)
    except FileNotFoundError:
        return {}


@contextlib.contextmanager
def operated_pair(**options):
    with folder() as path:
        pair = OperatedPair(path, throwaway=True,
                            build=build_with_faults(), **options)
        try:
            pair.start()
            yield pair
        finally:
            pair.close()
