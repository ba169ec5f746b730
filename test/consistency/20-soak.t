#!/usr/bin/python3 -B
# Load and faults for SECONDS (20); the history keeps C1 to C5.
#
# SEED draws the faults (1).  KEEP_HISTORY=FILE writes the history there.

import collections
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from actors import History
from checker import breaches
from load import run, soak_instance
from tap import cases, comment, equal, ok

SECONDS = float(os.environ.get('SECONDS') or 20)
SEED = os.environ.get('SEED') or '1'
SHOWN = 20      # breaches; a hundred more say no more
HISTORY = History()


def test_load_and_faults():
    with soak_instance() as index:
        run(index, HISTORY, SECONDS, SEED)


def test_something_happened():
    kinds = collections.Counter(r['what'] for r in HISTORY.records)
    comment(f'seed {SEED}: {dict(kinds)}, {HISTORY.refused} refused, '
            f'faults {dict(collections.Counter(HISTORY.faults))}')
    for kind in 'page', 'change', 'list', 'events', 'newest':
        ok(kinds[kind] > 10, f'{kind}: {kinds[kind]}')


def test_nobody_was_surprised():
    equal(HISTORY.surprises[:SHOWN], [])


def test_the_promises_were_kept():
    if os.environ.get('KEEP_HISTORY'):
        HISTORY.save(os.environ['KEEP_HISTORY'])
    found = breaches(HISTORY.records)
    comment('\n'.join(f'{rule}: {text}' for rule, text in found[:SHOWN]))
    equal(len(found), 0, 'breaches')


if __name__ == '__main__':
    cases(globals())
