#!/usr/bin/python3 -B
# tilsit-watch: a replica that goes and comes; each step killed and done again.

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import wheel
from faults import wait_until
from operated import operated_pair
from tap import cases, contains, equal, ok

LEAVING = ['M-away', 'M-peer', 'M-third', 'M-own', 'M-names', 'M-alone']
JOINING = ['M-reset', 'M-sync', 'M-confirmed', 'M-clearing', 'M-cleared']
PAIR = CLIENT = None
N = 0


def upload():
    global N
    N += 1
    return CLIENT.upload(*wheel('demo', str(N))).status


def names():
    return PAIR.sql(PAIR.a, 'SHOW synchronous_standby_names')


def away():
    PAIR.b.stop('postgresql', signal.SIGINT)


def is_marked():
    """Before commits wait for nobody, two places know it."""
    marks = PAIR.marks()
    return marks['a'].get('lacks') == 'vm-b' and \
        'vm-b' in (marks['b'].get('lacks'), marks['third'].get('lacks'))


def alone():
    wait_until('a is alone', lambda: names() == '')
    ok(is_marked(), str(PAIR.marks()))


def back():
    if not PAIR.b.pids('postgresql'):
        PAIR.b.start('postgresql')
    PAIR.wait_whole(PAIR.a)
    equal(names(), '"vm-b"')


def dies(child):
    wait_until('the watch is killed', lambda: child.poll() is not None)


def test_a_replica_goes_and_comes():
    PAIR.watch(PAIR.a)
    away()
    alone()
    equal(upload(), 200)
    back()
    equal(upload(), 200)


def leaving_killed_at(step):
    back()
    child = PAIR.watch(PAIR.a, fault=f'{step}:kill')
    away()
    dies(child)
    ok(names() != '' or is_marked(), 'marked before it is alone')
    PAIR.watch(PAIR.a)
    alone()
    equal(upload(), 200)
    back()


def left_killed_and_back_at(step):
    back()
    child = PAIR.watch(PAIR.a, fault=f'{step}:kill')
    away()
    dies(child)
    PAIR.b.start('postgresql')
    PAIR.watch(PAIR.a)
    back()
    equal(upload(), 200)


def joining_killed_at(step):
    PAIR.watch(PAIR.a)
    back()
    away()
    alone()
    child = PAIR.watch(PAIR.a, fault=f'{step}:kill')
    PAIR.b.start('postgresql')
    dies(child)
    ok(any(PAIR.marks().values()) or names() != '', 'marked while alone')
    PAIR.watch(PAIR.a)
    back()
    equal(upload(), 200)


for _step in LEAVING:
    globals()[f'test_killed_at_{_step}_it_leaves'] = \
        lambda step=_step: leaving_killed_at(step)
    globals()[f'test_killed_at_{_step}_it_stays_if_the_replica_is_back'] = \
        lambda step=_step: left_killed_and_back_at(step)
for _step in JOINING:
    globals()[f'test_killed_at_{_step}_it_joins'] = \
        lambda step=_step: joining_killed_at(step)


def test_with_no_place_for_a_mark_it_does_not_go_on():
    PAIR.watch(PAIR.a)
    back()
    PAIR.third_away = True
    PAIR.b.stop('nginx')
    away()
    wait_until('it says so', lambda: 'could be left nowhere else'
               in PAIR.watch_log(PAIR.a))
    time.sleep(3)       # it goes on trying
    ok(names() != '', 'commits wait')
    PAIR.unwatch(PAIR.a)
    done = PAIR.run(PAIR.a, 'replica', 'leave')
    equal(done.status, 1)
    contains(done.said, '--unmarked "vm-b must not be promoted"')
    done = PAIR.run(PAIR.a, 'replica', 'leave', '--unmarked',
                    'vm-b must not be promoted')
    equal(done.status, 0, done.said)
    equal(upload(), 200)
    PAIR.third_away = False
    PAIR.b.start('nginx')
    PAIR.watch(PAIR.a)
    wait_until('told later', lambda: all(PAIR.marks().values()))


def test_what_the_operator_left_only_the_operator_joins():
    PAIR.b.start('postgresql')
    wait_until('streaming', lambda: PAIR.sql(
        PAIR.a, 'SELECT count(*) FROM pg_stat_replication') == '1')
    time.sleep(3)       # it could, and must not
    equal(names(), '')
    contains(PAIR.run(PAIR.a, 'replica', 'status').said,
             'until `tilsit replica join`')
    PAIR.unwatch(PAIR.a)
    done = PAIR.run(PAIR.a, 'replica', 'join')
    equal(done.status, 0, done.said)
    PAIR.wait_whole(PAIR.a)


def test_a_replica_that_was_built_anew_has_no_mark():
    PAIR.watch(PAIR.a)
    back()
    done = PAIR.run(PAIR.b, 'rejoin', '--copy')
    equal(done.status, 0, done.said)
    back()


def test_a_mark_against_it_keeps_it_waiting():
    PAIR.watch(PAIR.a)
    back()
    PAIR.third = 'tilsit-mark\nlacks=vm-a\nserial=1\nend\n'
    away()
    wait_until('it says so', lambda: 'this machine must not go on alone'
               in PAIR.watch_log(PAIR.a))
    ok(names() != '', 'commits wait')
    PAIR.third = None
    alone()
    back()


def test_a_replica_that_receives_and_never_applies_is_away():
    PAIR.watch(PAIR.a)
    back()
    PAIR.sql(PAIR.b, 'SELECT pg_wal_replay_pause()')
    PAIR.sql(PAIR.a, 'SELECT pg_switch_wal()')
    alone()
    PAIR.sql(PAIR.b, 'SELECT pg_wal_replay_resume()')
    back()


if __name__ == '__main__':
    with operated_pair() as PAIR:
        CLIENT = PAIR.clients()[0]
        equal(upload(), 200)
        cases(globals())
