#!/usr/bin/python3 -B
# Load through both machines and the floating address for SECONDS (150) while
# each fault of outages.py happens; the histories keep C1 to C5.
#
# SEED draws the faults (1), FAULTS names some of them.  KEEP=FOLDER keeps the
# histories and the machines' logs.

import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
sys.path.insert(0, os.path.join(HERE, '../consistency'))

import outages
import report
import traffic
from checker import breaches
from lab import raised
from servers import folder
from tap import cases, comment, equal, ok

SECONDS = float(os.environ.get('SECONDS') or 150)
SEED = os.environ.get('SEED') or '1'
SHOWN = 20      # breaches; a hundred more say no more


def run_load():
    with raised(settings=traffic.SETTINGS) as lab, folder() as path:
        run = traffic.Run(lab, path, SEED)
        with run:
            run.go(SECONDS, lambda text: print('#', text, flush=True))
        outages.calm(lab)
        run.close()
        records = run.records()
        fsck = [vm.tilsit('fsck --peer', check=False) for vm in
                lab.vm.values()]
        if os.environ.get('KEEP'):
            keep(lab, run, path, records)
        return run, records, fsck


def keep(lab, run, path, records):
    kept = os.environ['KEEP']
    shutil.copytree(path, kept, dirs_exist_ok=True)
    with open(os.path.join(kept, 'sums.json'), 'w') as out:
        json.dump(report.sums(records, run.faults, breaches(records)), out)
    os.environ['KEEP_LOGS'] = kept
    lab.keep_logs()


def test_something_happened():
    kinds = {record['what'] for record in RECORDS}
    equal(kinds - {'failed'}, {'page', 'change', 'list', 'events', 'newest'})
    for via in 'vm-a', 'vm-b', report.FLOATING:
        seen = sum(1 for r in RECORDS if r.get('via') == via)
        ok(seen > 100, f'{seen} answers of {via}')


def test_nobody_was_surprised():
    equal(RUN.surprises()[:SHOWN], [])


def test_the_machines_got_well_again_by_themselves():
    equal(RUN.troubles[:SHOWN], [])


def test_the_promises_were_kept():
    found = breaches(RECORDS)
    comment(report.text(report.sums(RECORDS, RUN.faults, found)))
    comment('\n'.join(f'{rule}: {text}' for rule, text in found[:SHOWN]))
    equal(len(found), 0, 'breaches')


def test_both_machines_have_every_file():
    for said in FSCK:
        ok(said.rstrip().endswith('fine') or ' 0 ' in said, said[-300:])


if __name__ == '__main__':
    if os.environ.get('FAULTS'):
        outages.FAULTS = {name: outages.FAULTS[name]
                         for name in os.environ['FAULTS'].split()}
    RUN, RECORDS, FSCK = run_load()
    cases(globals())
