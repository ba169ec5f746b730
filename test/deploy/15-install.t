#!/usr/bin/python3 -B
# What `make install` puts in place works from there, and what the manual pages
# and the READMEs say is so.

import contextlib
import glob
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from servers import TREE, folder
from tap import cases, contains, equal, ok, say

os.chdir(TREE)
BUILD = os.environ.get('BUILD', 'build/plain')
PROGRAMS = sorted(os.path.basename(path) for path in glob.glob(BUILD + '/bin/*'))
GUIDES = ['README.md', 'deploy/README.md', 'deploy/two-machines.md',
          'deploy/patroni/README.md', 'test/lab/README.md',
          *sorted(glob.glob(TREE + '/deploy/runbook/*.md'))]
PLAIN = {name: value for name, value in os.environ.items()
         if name not in ('TILSIT_CONFIG', 'MAKEFLAGS', 'MAKELEVEL')}


def output(*argv, status=0):
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, env=PLAIN)
    say(*argv)
    say(done.stdout)
    equal(done.returncode, status, f'status of {" ".join(argv)}')
    return done.stdout


def install(**words):
    """What `make install` runs once everything is built."""
    return output('env', *(f'{name}={value}' for name, value in words.items()),
                  'deploy/install', BUILD)


def text_of(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def page(name, section=8):
    """A manual page as read: without its markup."""
    source = text_of('deploy/man', f'{name}.{section}')
    source = re.sub(r'\b(Oo|Oc|Op|Ar|Ns|No|Li|Pa|Xr|Nm)\b ?', '', source)
    return source.replace('Fl Fl ', '--')


def commands():
    text = output(f'{BUILD}/bin/tilsit', '--help')
    return re.findall(r'^  ([a-z-]+(?: [a-z]+)?)(?: [A-Z\[]| {2})', text, re.M)


def test_each_program_has_help_version_and_a_manual_page():
    ok(len(PROGRAMS) >= 5, 'programs are built')
    for name in PROGRAMS:
        program = f'{BUILD}/bin/{name}'
        contains(output(program, '--help'), f'usage: {name} ')
        ok(re.fullmatch(name + r' \d+(\.\d+)*\S*\n',
                        output(program, '--version')), 'name and number')
        contains(page(name), '--help')
        for option in re.findall(r'^  (--[a-z-]+)', output(
                program, '--help'), re.M):
            contains(page(name), option)


def test_a_wrong_word_is_named():
    for name in PROGRAMS:
        contains(output(f'{BUILD}/bin/{name}', '--wrong', status=2),
                 "'--wrong'")
        contains(output(f'{BUILD}/bin/{name}', '--config', status=2),
                 'needs a file')


def test_help_fits_a_terminal():
    lines = output(f'{BUILD}/bin/tilsit', '--help').splitlines()
    equal([line for line in lines if len(line) > 80], [])


def test_each_command_and_option_is_in_the_manual():
    manual = page('tilsit')
    known = commands()
    ok(len(known) > 20, 'commands are found')
    for command in known:
        ok(re.search(r'^\.It Ic ' + command + r'\b', manual, re.M), command)
        entry = re.search(r'^\.It Ic ' + command + r'\b.*', manual, re.M)[0]
        usage = output(f'{BUILD}/bin/tilsit', *command.split(), '--help')
        for option in re.findall(r'\[(--[a-z-]+)', usage):
            contains(entry, option)
    for entry in re.findall(r'^\.It Ic ([a-z-]+(?: [a-z]+)?)(?= |$)',
                            manual, re.M):
        ok(entry in known or entry.split()[0] in known, entry)


def test_manual_pages_are_clean_and_complete():
    with tempfile.TemporaryDirectory() as place:
        install(DESTDIR=place)
        pages = glob.glob(place + '/usr/local/share/man/*/*')
        equal(len(pages), len(PROGRAMS) + 1)
        done = subprocess.run(['mandoc', '-T', 'lint', *pages], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        # Which other pages this machine has says nothing about ours.
        equal([line for line in done.stdout.splitlines()
               if 'referenced manual not found' not in line], [])
        names = {os.path.basename(path) for path in pages}
        for path in pages:
            for name, section in re.findall(r'^\.Xr (tilsit\S*) (\d)',
                                            text_of(path), re.M):
                ok(f'{name}.{section}' in names, f'{name}({section})')
        settings = text_of(place, 'usr/local/share/man/man5/tilsit.conf.5')
        for line in output(f'{BUILD}/bin/tilsit', 'example-config') \
                .splitlines():
            name = re.match(r'#([a-z_]+) = ', line)
            ok(not name or f'.It Ic {name[1]} =' in settings, line)


def test_verbs_of_the_guides_are_verbs_of_make():
    verbs = set(re.findall(r'^make ([a-z-]+%?)', output('make', 'help'), re.M))
    for guide in GUIDES:
        used = re.findall(r'(?:^    |`|&& )make ([a-z-]+)', text_of(guide),
                          re.M)
        for verb in used:
            ok(verb in verbs or verb.startswith('fuzz-'), f'{guide}: {verb}')


def test_links_of_the_guides_lead_somewhere():
    for guide in GUIDES:
        text = text_of(guide)
        heads = {re.sub(r'[^a-z0-9 -]', '', head.lower()).replace(' ', '-')
                 for head in re.findall(r'^#+ (.*)', text, re.M)}
        for target in re.findall(r'\]\(([^)]+)\)', text):
            where, _, head = target.partition('#')
            if '://' not in where:
                path = os.path.join(os.path.dirname(guide), where)
                ok(not where or os.path.exists(path), f'{guide}: {target}')
                ok(where or head in heads, f'{guide}: {target}')


def test_install_fills_in_every_word_and_runs_from_there():
    with folder() as place:
        output('make', '-s', 'install', f'DESTDIR={place}',
               *(['SAN=1'] if os.environ.get('SAN') else []))
        files = [os.path.join(at, name) for at, _, names in os.walk(place)
                 for name in names if '/bin' not in at]
        for path in files:
            equal(re.findall(r'@[A-Z_]{2,}@', text_of(path)), [], path)
            ok(place not in text_of(path), f'{path} does not name DESTDIR')
        config = place + '/etc/tilsit/tilsit.conf'
        tilsit = place + '/usr/local/bin/tilsit'
        contains(output(tilsit, '--config', config, 'check-config',
                        '--offline'), 'good')
        with open(config, 'a') as out:
            out.write(f'store_path = {place}\n')
        contains(output(f'{tilsit}-simple', '--config', config,
                        '--show-config'), f'store_path = {place}\n')


def test_install_keeps_what_the_operator_has():
    with tempfile.TemporaryDirectory() as place:
        install(DESTDIR=place)
        equal(install(DESTDIR=place), '')
        for path in ('/etc/tilsit/nginx/server.conf',
                     '/usr/local/share/tilsit/etc/nginx/server.conf'):
            equal(install(DESTDIR=place), '', 'nothing new to say')
            with open(place + path, 'a') as out:
                out.write('# mine, or an older version\n')
        contains(install(DESTDIR=place),
                 'kept /etc/tilsit/nginx/server.conf')
        contains(text_of(place, 'etc/tilsit/nginx/server.conf'), '# mine')
        equal(install(DESTDIR=place), '')


def post_2gb(path):
    """Announce a body by HTTP/2 that never comes; the answer's text.

    RFC 9113 by hand, for curl loses an answer that comes before it has sent.
    """
    def frame(kind, flags, stream, payload=b''):
        return struct.pack('>I', len(payload))[1:] + \
            struct.pack('>BBI', kind, flags, stream) + payload

    def field(name, value):     # RFC 7541: not indexed, name of its table
        number = bytes([name]) if name < 15 else bytes([15, name - 15])
        return number + bytes([len(value)]) + value

    head = b'\x83\x86' + field(4, b'/legacy/') + field(1, b'a.example') + \
        field(28, str(2 << 30).encode())        # POST, http, ...
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' +
                     frame(4, 0, 0) + frame(1, 4, 1, head))
        answer, text = sock.makefile('rb'), b''
        while True:
            size, kind, flags, stream = struct.unpack(
                '>IBBI', b'\0' + answer.read(9))
            payload = answer.read(size)
            if kind == 0:
                text += payload
            if stream == 1 and flags & 1:
                return text.decode()


@contextlib.contextmanager
def installed_nginx(place, listen):
    """nginx as installed below place, on its socket; no worker runs."""
    install(PREFIX=place + '/usr', SYSCONFDIR=place + '/etc')
    config = place + '/etc/tilsit/nginx'
    # The folders and the port of the whole machine are not ours to use.
    for path in glob.glob(config + '/*'):
        text = text_of(path)
        for theirs in '/var/log/nginx', '/var/lib/nginx', '/run/nginx':
            text = text.replace(theirs, place + '/nginx')
        with open(path, 'w') as out:
            out.write(text.replace('listen 80 ', listen + ' '))
    os.mkdir(place + '/nginx')
    os.chmod(place + '/nginx', 0o711)
    argv = ['nginx', '-c', config + '/nginx.conf', '-e', 'stderr']
    contains(output(*argv, '-t'), 'test is successful')
    output(*argv)
    try:
        yield
    finally:
        output(*argv, '-s', 'stop')


def test_nginx_serves_what_is_installed():
    with folder() as place, installed_nginx(
            place, f'listen unix:{place}/sock http2'):
        curl = ['curl', '-sS', '-i', '--http2-prior-knowledge',
                '--unix-socket', place + '/sock', 'http://a.example']
        contains(output(*curl), 'http://a.example/simple/')
        ok('HTTP/2 503' in output(*curl[:-1], curl[-1] + '/simple/'))
        contains(post_2gb(place + '/sock'), 'files of up to 1024 MB')


if __name__ == '__main__':
    cases(globals())
