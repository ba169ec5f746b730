"""Two machines on this one: Instances a and b, whose PostgreSQL is one pair.

    with two_machines() as pair:            # kind=FaultyInstance, ...
        at_a, at_b = pair.clients()
        at_a.upload(name, data)
        pair.sql(pair.b, 'SELECT pg_is_in_recovery()')      # 't'
        pair.a.stop('postgresql', signal.SIGKILL)
        pair.promote(pair.b)

a has the primary and b its hot standby, which a's changes wait for; each has
its own nginx, workers, runner, memcached and store, and all settings of a pair
of machines.  What crosses from one to the other uses unix sockets and the
loopback address: links that can be cut are test/lab's.
"""
import contextlib
import secrets

from client import Client
from faults import sql, wait_until
from servers import Instance, folder


class Pair:
    """See the top of this file.  options are those of an Instance; settings
    among them go to both."""

    def __init__(self, path, kind=Instance, **options):
        settings = options.pop('settings', {})
        self.a, self.b = (
            kind(f'{path}/{name}', settings=dict(settings), paired=True,
                 **options)
            for name in ('a', 'b'))
        self.a.name, self.b.name = 'vm-a', 'vm-b'

    def peer(self, instance):
        return self.b if instance is self.a else self.a

    def start(self, workers=True):
        """Both whole; returns when they are ready and b is synchronous."""
        self.a.open()
        self.a.start('postgresql')
        self.b.standby_of = f'{self.a.conninfo} application_name=vm-b'
        self.b.open()
        self.configure()
        self.b.start('postgresql')
        for instance in (self.a, self.b):
            instance.start('memcached')
        self.a.migrate()
        self.wait_for(self.a, 'vm-b')
        self.wait_synchronous()
        for instance in (self.a, self.b) if workers else ():
            instance.start_workers()

    def close(self):
        """b first: a primary that stops waits for its standby."""
        self.b.close()
        self.a.close()

    def configure(self):
        """The settings that need both: after both know their ports."""
        secret = secrets.token_hex(32)
        sockets = [f"unix:{one.path('run', 'memcached.sock')}"
                   for one in (self.a, self.b)]
        for one, its_peer in ((self.a, self.b), (self.b, self.a)):
            one.settings = {
                'memcached': ', '.join(sockets), 'external_url': self.a.url,
                'node': one.name, 'peer_node': its_peer.name,
                'peer_database': its_peer.conninfo,
                'peer_memcached': sockets[its_peer is self.b],
                'peer_url': its_peer.peer_url, 'peer_secret': secret,
                'mark_path': one.path('store', 'mark'),
                **one.settings}
            one.write_configuration()

    def clients(self, user='alice'):
        """One account's, at a and at b."""
        at_a = Client(self.a, user)
        return at_a, Client(self.b, user, at_a.token)

    # What tests do to the servers.

    @staticmethod
    def sql(instance, text):
        """Run a statement on an instance's own server; the rows as lines."""
        return sql(instance, text)

    def wait_for(self, instance, name):
        """Whose confirmation an instance's commits need; '' is nobody's."""
        names = f'"{name}"' if name else ''
        self.sql(instance, 'ALTER SYSTEM SET synchronous_standby_names = '
                           f"'{names}'")
        self.sql(instance, 'SELECT pg_reload_conf()')
        wait_until('the setting holds', lambda: self.sql(
            instance, 'SHOW synchronous_standby_names') == names)

    def wait_synchronous(self):
        """Until a's PostgreSQL waits for b's, and b's has all."""
        wait_until('b is synchronous', lambda: self.sql(
            self.a, 'SELECT count(*) FROM pg_stat_replication WHERE '
                    "sync_state = 'sync' AND replay_lsn >= sent_lsn") == '1')

    def promote(self, instance):
        """Make an instance's standby a primary that waits for nobody.  Fence
        the other one before: nothing here does."""
        self.sql(instance, 'SELECT pg_promote()')
        wait_until('promoted', lambda: self.sql(
            instance, 'SELECT pg_is_in_recovery()') == 'f')


@contextlib.contextmanager
def two_machines(workers=True, **options):
    """A running Pair, removed at the end; options are a Pair's.  Without
    workers: PostgreSQL and memcached only."""
    with folder() as path:
        pair = Pair(path, throwaway=True, **options)
        try:
            pair.start(workers)
            yield pair
        finally:
            pair.close()
