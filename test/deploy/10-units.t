#!/usr/bin/python3 -B
# The units that are installed on a server: systemd takes them, hardened.
# (nginx's and PostgreSQL's files are what every live test runs on.)

import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from servers import TREE
from tap import cases, equal, say, skip_all

from instance import fill

VALUES = {'BIN': '/bin', 'ETC': '/etc/tilsit', 'RUN': '/run/tilsit',
          'STORE': '/var/lib/tilsit'}


def output(*argv, **env):
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, env={**os.environ, **env})
    say(done.stdout)
    return done.returncode, done.stdout


def install_units(folder):
    for name in os.listdir(TREE + '/deploy/systemd'):
        targets = [name]
        if name == 'hardening.conf':
            targets = [f'tilsit-{at}.service.d/{name}' for at in ('', '@')]
        for target in targets:
            # A program that exists stands for ours.
            text = fill(f'systemd/{name}', VALUES).replace(
                '/bin/tilsit-', '/bin/true tilsit-')
            os.makedirs(os.path.dirname(f'{folder}/{target}'), exist_ok=True)
            with open(f'{folder}/{target}', 'w') as out:
                out.write(text)


def test_systemd_takes_the_units():
    with tempfile.TemporaryDirectory() as folder:
        install_units(folder)
        units = ['tilsit.target', 'tilsit-runner.service',
                 'tilsit-watch.service'] + [
            f'tilsit-{pool}{end}' for pool in ('simple', 'upload', 'changelog',
                                            'peer')
            for end in ('.socket', '@1.service')]
        status, text = output('systemd-analyze', 'verify', '--man=no',
                              *(f'{folder}/{unit}' for unit in units),
                              SYSTEMD_UNIT_PATH=folder + ':')
        equal([line for line in text.splitlines() if 'tilsit' in line], [])
        equal(status, 0)


def test_services_are_hardened():
    with tempfile.TemporaryDirectory() as folder:
        install_units(folder)
        for unit in ('tilsit-runner.service', 'tilsit-watch.service',
                     'tilsit-upload@1.service'):
            status, text = output(
                'systemd-analyze', 'security', '--offline=yes',
                '--threshold=20', f'{folder}/{unit}',
                SYSTEMD_UNIT_PATH=folder + ':')
            equal(status, 0, text.strip().splitlines()[-1])


if __name__ == '__main__':
    if not shutil.which('systemd-analyze'):
        skip_all('systemd is not installed')
    cases(globals())
