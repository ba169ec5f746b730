#!/usr/bin/python3 -B
# memcached that neither answers nor refuses: changes wait, then they go on,
# though the runner looks after holds meanwhile (W2h).

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import WAIT_S, Client, wheel
from servers import instance
from tap import cases, contains, equal, ok

from instance import postgresql_bin

FENCE_S = 3
RUNNER_S = 5        # app/runner/chores.c: between two looks at the holds


def holds():
    """Ages of all holds, in seconds."""
    done = subprocess.run(
        [f'{postgresql_bin()}/psql', '-AtX', '-d', index.conninfo, '-c',
         'SELECT extract(epoch FROM clock_timestamp() - since) '
         'FROM cache_hold'], stdout=subprocess.PIPE, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def wait_until(what):
    end = time.monotonic() + WAIT_S
    while not what():
        ok(time.monotonic() < end, 'this takes too long')
        time.sleep(0.1)


def test_a_change_goes_on_after_two_fences():
    equal(client.upload(*wheel('demo', '1.0')).status, 200)
    equal(client.get('/simple/demo/').status, 200)
    index.freeze('memcached')
    refused = client.upload(*wheel('demo', '2.0'))
    equal(refused.status, 503)
    # Late, as people are: the runner has looked at the hold more than once.
    wait_until(lambda: holds()[0] > 2 * FENCE_S + 2 * RUNNER_S)
    equal(client.upload(*wheel('demo', '2.0')).status, 200)
    equal(len(holds()), 1, 'it stays, for memcached does')
    equal(client.upload(*wheel('beside', '1.0')).status, 200)
    contains(client.get('/simple/demo/').text, b'demo-2.0-')


def test_the_runner_ends_a_hold_once_memcached_answers():
    index.resume('memcached')
    wait_until(lambda: not holds())
    equal(client.upload(*wheel('demo', '3.0')).status, 200)
    contains(client.get('/simple/demo/').text, b'demo-3.0-')


if __name__ == '__main__':
    with instance(settings={'fence_ttl_s': f'{FENCE_S}s',
                            'page_ttl_s': f'{FENCE_S}s'}) as index:
        client = Client(index)
        cases(globals())
