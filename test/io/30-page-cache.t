#!/usr/bin/python3
"""lib/io/page_cache with real memcached, and with one that misbehaves."""
import contextlib
import os
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from bare import Folder, Memcached, Tool, wait_until   # noqa: E402
from tap import cases, equal, ok                       # noqa: E402

FOLDER = Folder()
LONG_MS = 10000     # for what must not time out, however busy the machine
SHORT_MS = 300      # for what will
NODE = Memcached(FOLDER)


def cache(servers=None, fence_s=600, page_s=600, timeout_ms=LONG_MS):
    return Tool('page_cache', servers or NODE.server, fence_s, page_s,
                timeout_ms)


def look(tool, project, form='html'):
    """valid or miss, the generation, the page's serial, its first bytes."""
    words = tool.ask(f'get {project} {form}').split(' ')
    return words[0], words[1], int(words[2]), words[4] if words[4:] else ''


def filled(tool, project, serial=7, page='hello'):
    """Put a page into the cache; its generation."""
    generation = look(tool, project)[1]
    tool.ask(f'put {project} html {serial} {page}')
    equal(look(tool, project), ('valid', generation, serial, page))
    return generation


class Fake:
    """A memcached that does as it is told: rules are pairs of how a command
    begins and what is answered: bytes, None for silence, or 'close'."""

    def __init__(self, *rules):
        self.rules = list(rules)
        self.commands = []
        self.connections = 0
        self.socket = socket.socket(socket.AF_UNIX)
        path = f'{FOLDER.path}/fake-{id(self)}.sock'
        self.socket.bind(path)
        self.socket.listen(8)
        self.server = f'unix:{path}'
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.socket.accept()
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            while True:
                command = connection.recv(65536)
                if not command or command == b'quit\r\n':
                    break
                self.commands.append(command)
                answer = next((what for how, what in self.rules
                               if command.startswith(how)), b'ERROR\r\n')
                if answer == 'close':
                    break
                if answer is not None:
                    connection.sendall(answer)


def test_a_page_is_valid_until_its_fence_is_dropped():
    tool = cache()
    first = filled(tool, 'a')
    equal(tool.ask('drop a'), 'dropped')
    kind, second, _, _ = look(tool, 'a')
    equal(kind, 'miss')
    ok(second not in ('-', first), 'a fresh generation')
    equal(tool.ask('drop a'), 'dropped')
    equal(tool.ask('drop never-seen'), 'dropped', 'NOT_FOUND is as good')
    equal(tool.close(), ('', 0))


def test_each_format_is_a_page_under_the_same_fence():
    tool = cache()
    generation = filled(tool, 'formats')
    equal(look(tool, 'formats', 'json')[:2], ('miss', generation))
    tool.ask('put formats json 8 {}')
    equal(look(tool, 'formats', 'json'), ('valid', generation, 8, '{}'))
    equal(look(tool, 'formats')[3], 'hello')


def test_a_page_of_another_generation_is_a_miss():
    tool, other = cache(), cache()
    before = look(tool, 'late')[1]
    equal(other.ask('drop late'), 'dropped')
    after = look(other, 'late')[1]
    ok(before != after, 'generations differ')
    tool.ask('put late html 7 old')     # R4 comes late: harmless
    equal(look(tool, 'late'), ('miss', after, 0, ''))
    other.ask('put late html 8 new')
    equal(look(tool, 'late'), ('valid', after, 8, 'new'))


def test_two_processes_share_one_fence():
    tool, other = cache(), cache()
    equal(look(tool, 'shared')[1], look(other, 'shared')[1])


def fence_of(project, generation, age_s=0):
    """A fence as memcached answers it: generation, and when it was made."""
    made = int((time.time() - age_s) * 1000000).to_bytes(8, 'big')
    return f'VALUE f:{project} 0 24\r\n'.encode() + generation + made + b'\r\n'


def test_a_fence_that_came_in_between_is_taken():
    """R2: NOT_STORED, then get the fence once more."""
    fence = fence_of('p', bytes(range(16))) + b'END\r\n'
    fake = Fake((b'get f:p p:p:html', b'END\r\n'),
                (b'add f:p', b'NOT_STORED\r\n'), (b'get f:p\r', fence))
    tool = cache(fake.server)
    equal(look(tool, 'p')[:2], ('miss', bytes(range(16)).hex()))
    equal(len(fake.commands), 3)


def test_a_fence_that_came_and_went_gives_no_generation():
    fake = Fake((b'get', b'END\r\n'), (b'add f:p', b'NOT_STORED\r\n'))
    tool = cache(fake.server)
    equal(look(tool, 'p')[:2], ('miss', '-'))


def test_an_add_of_unknown_outcome_is_not_trusted():
    for answer in (None, 'close', b'SERVER_ERROR out of memory\r\n',
                   b'ERROR\r\n', b'CLIENT_ERROR bad\r\n', b'EXISTS\r\n',
                   b'NOT_FOUND\r\n', b'nonsense\r\n'):
        fake = Fake((b'get', b'END\r\n'), (b'add', answer))
        tool = cache(fake.server, timeout_ms=SHORT_MS if answer is None
                     else LONG_MS)
        equal(look(tool, 'p')[:2], ('miss', '-'), str(answer))
        tool.ask('put p html 7 page')
        adds = [c for c in fake.commands if c.startswith(b'add')]
        equal(len(adds), 1, f'{answer}: never sent again')
        ok(not any(c.startswith(b'set') for c in fake.commands),
           'and nothing is stored')
        equal(tool.close(), ('', 0))


def test_a_delete_of_unknown_outcome_says_so():
    for answer in (None, b'ERROR\r\n', b'SERVER_ERROR x\r\n', b'STORED\r\n',
                   b'END\r\n', b'NOT_STORED\r\n', b'\r\n',
                   b'nonsense\r\n'):
        fake = Fake((b'delete', answer))
        tool = cache(fake.server, timeout_ms=SHORT_MS if answer is None
                     else LONG_MS)
        equal(tool.ask('drop p'), 'unknown', str(answer))
        equal(tool.close(), ('', 0))


def test_a_new_connection_that_closes_leaves_a_delete_unknown():
    fake = Fake((b'delete', 'close'))
    tool = cache(fake.server)
    equal(tool.ask('drop p'), 'unknown')
    equal(fake.connections, 1)


def test_an_answer_that_is_late_is_not_taken_for_anothers():
    fake = Fake((b'delete f:a', None), (b'delete f:b', b'DELETED\r\n'),
                (b'get', None))
    tool = cache(fake.server, timeout_ms=SHORT_MS)
    for number in (1, 2, 3):
        equal(tool.ask('drop a'), 'unknown')
        equal(tool.ask('drop b'), 'dropped')
        equal(fake.connections, number + 1, 'the first one is closed')
    wait_until('the end of the pause',
               lambda: not look(tool, 'a')[0] == 'valid' and
               any(c.startswith(b'get') for c in fake.commands))
    equal(tool.ask('drop b'), 'dropped')
    equal(fake.connections, 5, 'a get is no other')


def test_a_fence_that_outlived_its_time_is_none():
    """A memcached that was frozen: its clock stood still."""
    page = (b'VALUE p:p:html 0 41\r\nTls1' + bytes(16) + bytes(8) +
            (5).to_bytes(8, 'big') + b'hello\r\nEND\r\n')
    for age_s, want in ((0, 'valid'), (601, 'valid'), (901, 'miss'),
                        (-299, 'valid'), (-301, 'miss'), (1e9, 'miss')):
        fake = Fake((b'get', fence_of('p', bytes(16), age_s) + page))
        kind, generation, _, _ = look(cache(fake.server), 'p')
        equal(kind, want, f'{age_s} s old, its life is 600 s')
        equal(generation == '-', want == 'miss')


def test_cut_answers_are_misses():
    whole = (fence_of('p', bytes(16)) +
             b'VALUE p:p:html 0 41\r\nTls1' + bytes(16) + bytes(8) +
             (5).to_bytes(8, 'big') + b'hello\r\nEND\r\n')
    tool = cache(Fake((b'get', whole)).server)
    equal(look(tool, 'p')[3], 'hello', 'uncut')
    for at in range(0, len(whole), 7):
        fake = Fake((b'get', whole[:at]))
        tool = cache(fake.server, timeout_ms=50)
        equal(look(tool, 'p')[:2], ('miss', '-'), f'cut at {at}')
        equal(tool.close(), ('', 0))


def test_garbage_in_memcached_is_a_miss():
    tool = cache()
    generation = filled(tool, 'garbage')
    good = NODE.get('p:garbage:html')
    for bad in (b'', b'x', good[:4], good[:35], good[:-1], good + b'x',
                b'Tls2' + good[4:], good[:4] + bytes(16) + good[20:],
                good[:28] + b'\xff' * 8 + good[36:], os.urandom(100)):
        NODE.ask(f'set p:garbage:html 0 0 {len(bad)}', bad)
        equal(look(tool, 'garbage')[0], 'miss', repr(bad))
    NODE.ask(f'set p:garbage:html 0 0 {len(good)}', good)
    equal(look(tool, 'garbage')[:2], ('valid', generation))
    for bad in (b'', b'short', bytes(17)):
        NODE.ask(f'set f:garbage 0 0 {len(bad)}', bad)
        equal(look(tool, 'garbage')[:2], ('miss', '-'), repr(bad))


def test_a_page_over_the_item_size_is_not_kept_and_does_no_harm():
    tool = cache()
    generation = filled(tool, 'large')
    tool.ask('put large html 9 xy*1000000')
    equal(look(tool, 'large'), ('miss', generation, 0, ''))
    tool.ask('put large html 9 xy*400000')
    equal(tool.ask('get large html').split(' ')[3], '800000')


def test_what_is_no_key_reaches_nobody():
    fake = Fake((b'', b'DELETED\r\n'))
    tool = cache(fake.server)
    for name in ('a\tb', 'a\rflush_all', 'x' * 300, 'é', '\x7f'):
        equal(look(tool, name)[:2], ('miss', '-'))
        equal(tool.ask(f'drop {name}'), 'dropped')
    equal(fake.commands, [])


def test_flushed():
    tool = cache()
    before = filled(tool, 'flushed')
    NODE.ask('flush_all')
    kind, after, _, _ = look(tool, 'flushed')
    equal(kind, 'miss')
    ok(after not in ('-', before), 'a fresh generation')


def test_hits_do_not_renew_a_fence():
    tool = cache(fence_s=2)
    generation = filled(tool, 'expires')
    wait_until('expiry while it is being hit',
               lambda: look(tool, 'expires')[:2] != ('valid', generation))
    ok(look(tool, 'expires')[1] != generation, 'a fresh generation')


def test_killed_is_refused_and_so_is_a_socket_that_is_gone():
    node = Memcached(FOLDER, 'killed')
    tool, idle = cache(node.server), cache(node.server)
    filled(tool, 'a')
    look(idle, 'a')
    node.signal(signal.SIGKILL)
    equal(tool.ask('drop a'), 'dropped', 'over a connection that broke')
    equal(look(idle, 'a')[:2], ('miss', '-'))
    for _ in range(10):     # no retry timer makes it another error
        equal(tool.ask('drop a'), 'dropped')
        equal(look(tool, 'a')[:2], ('miss', '-'))
    os.unlink(node.socket)
    equal(tool.ask('drop a'), 'dropped')
    equal(cache(node.server).ask('drop a'), 'dropped')
    node.start()
    filled(tool, 'a')


def test_restarted_in_between():
    node = Memcached(FOLDER, 'restarted')
    tool, reader = cache(node.server), cache(node.server)
    before = filled(tool, 'a')
    equal(look(reader, 'a')[0], 'valid')
    node.signal(signal.SIGKILL)
    node.start()
    equal(tool.ask('drop a'), 'dropped')
    look(reader, 'a')       # finds its connection broken
    kind, after, _, _ = look(reader, 'a')
    equal(kind, 'miss')
    ok(after not in ('-', before), 'a fresh generation')


def test_stopped_in_a_delete_which_then_comes_late():
    node = Memcached(FOLDER, 'stopped')
    tool = cache(node.server, timeout_ms=SHORT_MS)
    for connect in (False, True):
        other = cache(node.server)
        generation = filled(other, 'a')
        if not connect:
            tool.ask('get a html')
        node.signal(signal.SIGSTOP)
        equal(tool.ask('drop a'), 'unknown')
        equal(tool.ask('drop a'), 'unknown', 'again')
        node.signal(signal.SIGCONT)
        wait_until('the late delete', lambda: node.get('f:a') is None)
        ok(look(other, 'a')[1] != generation, 'a fresh generation')
        equal(tool.ask('drop a'), 'dropped')


def test_stopped_in_a_get_and_an_add():
    node = Memcached(FOLDER, 'stopped2')
    tool, other = cache(node.server, timeout_ms=SHORT_MS), cache(node.server)
    filled(other, 'a', 7, 'page-a')
    filled(other, 'b', 8, 'page-b')
    equal(look(tool, 'a')[3], 'page-a')
    node.signal(signal.SIGSTOP)
    equal(look(tool, 'a')[:2], ('miss', '-'))
    tool.ask('put a html 9 wrong')
    node.signal(signal.SIGCONT)
    wait_until('its return', lambda: look(tool, 'b')[0] == 'valid')
    for _ in range(5):
        equal(look(tool, 'b')[3], 'page-b')
        equal(look(tool, 'a')[3], 'page-a')


def test_with_one_node_dead_no_key_moves():
    nodes = [Memcached(FOLDER, f'two-{i}') for i in (0, 1)]
    tool = cache(','.join(node.server for node in nodes))
    names = [f'project-{i}' for i in range(40)]
    for name in names:
        filled(tool, name)
    homes = {name: [node.get(f'f:{name}') is not None for node in nodes]
             for name in names}
    ok(all(sum(home) == 1 for home in homes.values()), 'one home each')
    lost = [name for name in names if homes[name][1]]
    ok(5 < len(lost) < 35, f'{len(lost)} of 40 on the second')
    nodes[1].signal(signal.SIGKILL)
    for name in names:
        equal(look(tool, name)[0], 'miss' if name in lost else 'valid')
        tool.ask(f'put {name} html 9 moved')
    ok(not any(nodes[0].get(f'f:{name}') for name in lost), 'none moved')
    nodes[1].start()
    for name in lost:
        filled(tool, name)
        ok(nodes[1].get(f'f:{name}'), 'home again')
    ok(all(look(tool, name)[0] == 'valid' for name in names), 'all are valid')


def test_a_page_and_its_fence_have_the_same_home():
    nodes = [Memcached(FOLDER, f'home-{i}') for i in (0, 1)]
    tool = cache(','.join(node.server for node in nodes))
    for i in range(20):
        filled(tool, f'p{i}')
        for node in nodes:
            equal(node.get(f'f:p{i}') is None,
                  node.get(f'p:p{i}:html') is None)


def test_global_pages_carry_the_serial_they_were_made_at():
    tool = cache()
    equal(tool.ask('gget root'), 'miss - 0 0')
    tool.ask('gput root 9 list')
    equal(tool.ask('gget root'), 'valid - 9 4 list')
    tool.ask('gput root 10 longer')
    equal(tool.ask('gget root'), 'valid - 10 6 longer')
    equal(tool.ask('gget other'), 'miss - 0 0')


def test_over_tcp():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
        refusing = cache(f'127.0.0.1:{port}')
        equal(refusing.ask('drop a'), 'dropped', 'bound, not listening')
        s.listen(1)
        silent = cache(f'127.0.0.1:{port}', timeout_ms=SHORT_MS)
        equal(silent.ask('drop a'), 'unknown', 'listening, not answering')


def test_servers_that_are_none():
    for servers in (',', 'localhost:11211', '127.0.0.1', '127.0.0.1:0',
                    '127.0.0.1:65536', '127.0.0.1:x', '::1:1', '[::1]',
                    'unix:', 'unix:relative', 'unix:/' + 'x' * 200,
                    '127.0.0.1:1,', ','.join(['127.0.0.1:1'] * 17)):
        equal(Tool('page_cache', servers, 1, 1, 1).answer(), 'bad servers',
              servers)
    equal(Tool('page_cache', '', 1, 1, 1).ask('drop a'), 'dropped',
          'without memcached there is no page to forget')
    for servers in ('[::1]:1', ' 127.0.0.1:1 , unix:/x',
                    ','.join(['127.0.0.1:1'] * 16)):
        equal(Tool('page_cache', servers, 1, 1, 1).ask('drop a'), 'dropped',
              servers)


if __name__ == '__main__':
    cases(globals())
