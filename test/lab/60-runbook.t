#!/usr/bin/python3 -B
# Every page of the runbook, typed as it stands, in the lab.

import glob
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import TREE, raised
from client import BOUNDARY, fields_for, multipart, wheel
from runbook import fits, read_page
from tap import cases, equal, ok, say

LAB = None
PATIENCE_S = 120
STATUS = 'tilsit replica status'


def upload(version):
    filename, data = wheel('demo', version)
    with open(LAB.path('body'), 'wb') as out:
        out.write(multipart(fields_for(filename, data)))
    done = subprocess.run(
        ['curl', '-s', '--cacert', LAB.ca, '-u', f'__token__:{LAB.token}',
         '-H', 'Content-Type: multipart/form-data; boundary=' +
         BOUNDARY.decode(), '--data-binary', '@' + LAB.path('body'),
         '-w', '%{http_code}', f'{LAB.floating_url}/legacy/'],
        stdout=subprocess.PIPE, text=True)
    equal(done.stdout[-3:], '200')


def is_whole(said, primary):
    return f'{primary}: primary' in said and 'synchronous' in said and \
        said.count(': none') == 3


def whole():
    """Where a page begins: vm-a has the primary, and nothing is away."""
    end = time.monotonic() + PATIENCE_S
    while not is_whole(said := LAB.machines['vm-a'].run(
            STATUS, check=False), 'vm-a'):
        if is_whole(said, 'vm-b'):
            LAB.machines['vm-a'].tilsit('failover --switch')
        ok(time.monotonic() < end, f'whole within {PATIENCE_S} s:\n{said}')
        time.sleep(1)


def page(path):
    whole()
    for step in read_page(path):
        say(step)
        step.do(LAB)
    whole()


def test_dots_stand_for_words_and_lines():
    ok(fits('a ... d', 'a b c d\n'), 'words')
    ok(not fits('a ... d', 'a b\nc d'), 'but no lines')
    ok(fits('a\n...\nd', 'a\nb\nc\nd'), 'lines')
    ok(fits('a\n...\nd', 'a\nd'), 'or none')
    ok(not fits('a\n...', 'b'), 'the rest counts')


for _path in sorted(glob.glob(f'{TREE}/deploy/runbook/*.md')):
    _name = os.path.basename(_path)[:-3]
    if _name != 'README':
        globals()['test_' + _name.replace('-', '_')] = \
            lambda path=_path: page(path)


def test_the_readme_leads_to_each_page():
    with open(f'{TREE}/deploy/runbook/README.md') as readme:
        text = readme.read()
    names = {os.path.basename(path) for path in
             glob.glob(f'{TREE}/deploy/runbook/*.md')} - {'README.md'}
    equal({name for name in names if f']({name})' not in text}, set())


if __name__ == '__main__':
    with raised() as LAB:
        for _version in '1', '2', '3':
            upload(_version)
        cases(globals())
