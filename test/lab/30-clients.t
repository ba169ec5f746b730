#!/usr/bin/python3 -B
# twine and pip, as users run them, while each fault of outages.py happens once.
#
# FAULTS names some of them, SEED draws how long and which machine (1).
# KEEP=FOLDER keeps what the calls that failed said.

import contextlib
import hashlib
import os
import random
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
sys.path.insert(0, HERE)

import outages
from client import V1_JSON, Remote, wheel
from clients import Clients
from lab import VMS, raised, wait_until
from process import Failure
from servers import folder
from tap import cases, comment, equal, ok

SEED = os.environ.get('SEED') or '1'
FILES = 200             # at least
PROBES = int(os.environ.get('PROBES') or 500)
RELAYS = 20             # projects of these
COPIES_S = 60           # for files that the other machine lacks

# The defaults, but for a fence's life: a node that cannot be reached would cost
# two minutes else.
SETTINGS = {'fence_ttl_s': '5s', 'page_ttl_s': '5s'}

# What happens to clients, fault by fault.
UNKNOWN = ('503: the home of some pages cannot be told to forget them; twine '
           'asks five times at once, and gives up before that is waited out '
           '(two fence lives)')
GONE = ('what the machine had begun is cut off, or waited for in vain; a fence '
        'there is waited out, too')
WAITS = 'uploads wait for the primary; pages come from caches or the replica'
REPLICA = 'uploads wait for the replica, ten seconds at most'
REASONS = {
    'nothing': 'nothing fails',
    'kill_workers': 'twine and nginx ask again, and what is there already is '
                    'a success',
    'freeze_workers': 'the others work, or all wait',
    'kill_runner': 'nobody waits for it',
    'restart_nginx': 'new connections are refused while old ones end: twine '
                     'may give up at once, pip waits; an operator reloads',
    'stop_keepalived': 'connections go on where they are',
    'restart_memcached': 'pages are made anew',
    'empty_memcached': 'pages are made anew',
    'stop_memcached': 'who refuses connections has forgotten all',
    'freeze_memcached': UNKNOWN,
    'restart_primary': WAITS,
    'kill_primary': WAITS,
    'freeze_primary': WAITS,
    'kill_replica': REPLICA,
    'stop_replica': REPLICA,
    'freeze_replica': REPLICA,
    'cut_machines': 'both have the address, and one gives it up; ' + UNKNOWN,
    'cut_one_way': 'as when both ways are cut',
    'cut_memcached': UNKNOWN,
    'cut_files': 'the copy comes later',
    'cut_third_machine': 'nobody needs it now',
    'slow_wire': UNKNOWN,
    'lossy_wire': UNKNOWN,
    'cut_client': 'they wait',
    'fill_disk': '503: no room; who needs none goes on',
    'lose_replica': GONE,
    'lose_primary_for_a_moment': GONE,
    'lose_primary': GONE,
    'lose_both': 'nobody is there: twine gives up at once, pip after some '
                 'eight seconds',
    'rolling_restart': 'as when nginx is restarted',
}

# Where a call may fail; nowhere else does one.  A page that is cut off is asked
# for again by pip, a file that is cut off in the middle is not.
LOSSES = {'lose_replica', 'lose_primary_for_a_moment', 'lose_primary',
          'lose_both'}
MAY_FAIL = {
    'twine': LOSSES | {
        'restart_nginx', 'rolling_restart', 'fill_disk', 'freeze_memcached',
        'cut_memcached', 'cut_machines', 'cut_one_way', 'slow_wire',
        'lossy_wire'},
    'pip': LOSSES,
}

def run_faults():
    rng = random.Random(SEED)
    names = os.environ.get('FAULTS', '').split() or list(outages.FAULTS)
    with raised(settings=SETTINGS) as lab, folder() as path:
        with Clients(lab, path) as clients:
            for name in names:
                begin = time.monotonic()
                clients.during(name, lambda: once(lab, clients, name, rng))
                print(f'# {name.replace("_", " ")}: '
                      f'{time.monotonic() - begin:.0f} s', flush=True)
            wait_until(f'{FILES} files',
                       lambda: len(clients.published) >= FILES)
        outages.calm(lab)
        return clients, pages(lab), disks(lab, clients), handed_over(lab)


def once(lab, clients, name, rng):
    try:
        outages.FAULTS[name](lab, rng)
        outages.calm(lab)
    except Exception:
        clients.troubles.append(f'{name}: {traceback.format_exc()}')
        with contextlib.suppress(Exception):
            outages.mend(lab)
            outages.calm(lab)


# What is there at the end.

def remotes(lab):
    return {name: Remote(name, lab.url(name), lab.token, lab.ca)
            for name in VMS}


def pages(lab):
    """{machine: {file name: sha256}} as its pages show them."""
    found = {}
    for name, remote in remotes(lab).items():
        found[name] = {}
        listed = remote.get('/simple/', Accept=V1_JSON).json['projects']
        for project in listed:
            for file in remote.project(project['name'])['files']:
                found[name][file['filename']] = file['hashes']['sha256']
    return found


def sums_on_disk(vm):
    """sha256 of every package file that a machine has."""
    said = vm.run('find /var/lib/tilsit/packages -type f ! -name "*.metadata" '
                  '-exec sha256sum {} +')
    return {line.split()[0] for line in said.splitlines()}


def disks(lab, clients):
    """The same, once missing copies had their time to come."""
    wanted = {digest(data) for data in clients.published.values()}
    found = {}
    for name, vm in lab.vm.items():
        with contextlib.suppress(Failure):
            wait_until(f'all files on {name}',
                       lambda: wanted <= sums_on_disk(vm), COPIES_S)
        found[name] = sums_on_disk(vm)
    return found


def digest(data):
    return hashlib.sha256(data).hexdigest()


# From one machine to the other.

def handed_over(lab):
    """Upload through one machine, look through the other at once, where the
    page from before was cached a moment ago.

    [seconds until the first answer that has it], how many answers had not"""
    a, b = remotes(lab).values()
    took, stale = [], 0
    for number in range(PROBES):
        project = f'relay-{number % RELAYS}'
        name, data = wheel(project, f'1.{number}')
        b.get(f'/simple/{project}/', Accept=V1_JSON)
        answer = a.upload(name, data)
        acked = time.monotonic()
        equal(answer.status, 200, answer.text)
        while name.encode() not in b.get(f'/simple/{project}/',
                                         Accept=V1_JSON).text:
            stale += 1
        took.append(time.monotonic() - acked)
        a, b = b, a
    return took, stale


def test_every_fault_happened_and_was_survived():
    comment(CLIENTS.table(REASONS))
    comment('\n'.join(CLIENTS.failures('twine') + CLIENTS.failures('pip')))
    keep()
    equal(CLIENTS.troubles, [])
    ok(len(CLIENTS.published) >= FILES, f'{len(CLIENTS.published)} files')


def keep():
    """Every failed call, with all that it printed."""
    if os.environ.get('KEEP'):
        os.makedirs(os.environ['KEEP'], exist_ok=True)
        with open(os.path.join(os.environ['KEEP'], 'calls'), 'w') as out:
            for call in CLIENTS.calls:
                if call.failed:
                    out.write(f'{CLIENTS.fault_of(call)} '
                              f'{call.seconds:.1f} s\n{call.said}\n\n')


def test_uploads_fail_only_where_that_is_right():
    equal(CLIENTS.failures('twine', MAY_FAIL['twine']), [])


def test_installs_fail_only_where_that_is_right():
    equal(CLIENTS.failures('pip', MAY_FAIL['pip']), [])


def test_what_twine_called_done_is_shown_by_both_machines():
    for name in VMS:
        equal({file: SHOWN[name].get(file) for file in CLIENTS.published},
              {file: digest(data)
               for file, data in CLIENTS.published.items()}, name)


def test_its_bytes_are_on_both_machines():
    for name in VMS:
        equal([file for file, data in CLIENTS.published.items()
               if digest(data) not in KEPT[name]], [], name)


def test_the_other_machine_shows_an_upload_at_once():
    took, stale = RELAYED
    took.sort()
    comment(f'{len(took)} uploads, through one machine and then the other: '
            f'{stale} answers were stale; shown after '
            f'{took[len(took) // 2] * 1000:.1f} ms (median), '
            f'{took[-1] * 1000:.1f} ms at most')
    equal(stale, 0)


if __name__ == '__main__':
    CLIENTS, SHOWN, KEPT, RELAYED = run_faults()
    cases(globals())
