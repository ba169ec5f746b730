#!/usr/bin/python3 -B
# Failover: each refusal, each step killed and run again, and the way back.

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import wheel
from faults import wait_until
from operated import operated_pair
from tap import cases, contains, equal, ok

STEPS = ['F-begun', 'F-fenced', 'F-marked', 'M-names', 'F-alone',
         'F-unfollowed', 'F-promoted', 'F-claiming', 'F-claimed']
PAIR = CLIENTS = None
N = 0


def upload(where):
    """A new release at a machine; the answer's status."""
    global N
    N += 1
    return CLIENTS[where.name].upload(*wheel('demo', str(N))).status


def serial(where):
    return int(CLIENTS[where.name].get('/simple/demo/')[
        'X-PyPI-Last-Serial'])


def primary():
    """Of two the one that was promoted last."""
    found = [one for one in (PAIR.a, PAIR.b) if one.pids('postgresql') and
             PAIR.sql(one, 'SELECT pg_is_in_recovery()') == 'f']
    return max(found, key=lambda one: int(PAIR.sql(
        one, 'SELECT timeline FROM primary_state')))


def whole_again():
    """Whoever is the primary, the other one is its synchronous replica."""
    first = primary()
    second = PAIR.peer(first)
    PAIR.hooks_fail, PAIR.third_away = set(), False
    if second.name in PAIR.off:
        PAIR.power_on(second)
    done = PAIR.run(second, 'rejoin')
    equal(done.status, 0, done.said)
    for one in (first, second):
        PAIR.watch(one)
    PAIR.wait_whole(first)
    return first, second


def test_status_shows_both_and_the_marks():
    done = PAIR.run(PAIR.a, 'replica', 'status')
    contains(done.said, 'vm-a: primary, timeline 1')
    contains(done.said, 'vm-b: standby')
    contains(done.said, 'synchronous')
    contains(done.said, 'mark, the third place: none')


def test_a_dry_run_changes_nothing():
    before = PAIR.sql(PAIR.b, 'SELECT pg_is_in_recovery()'), PAIR.marks()
    done = PAIR.run(PAIR.b, 'failover', '--dry-run')
    equal(done.status, 0, done.said)
    contains(done.said, 'lost: nothing')
    equal((PAIR.sql(PAIR.b, 'SELECT pg_is_in_recovery()'), PAIR.marks()),
          before)
    equal(PAIR.asked, [])


def test_it_refuses_while_the_old_primary_answers():
    PAIR.set(PAIR.b, fence_command='')
    done = PAIR.run(PAIR.b, 'failover', '--fenced', 'vm-a is off')
    equal(done.status, 1)
    contains(done.said, 'still answers as the primary')
    PAIR.set(PAIR.b, fence_command=f'{PAIR.hook} vm-b fence')


def test_it_refuses_on_the_primary_itself():
    done = PAIR.run(PAIR.a, 'failover')
    equal(done.status, 0, done.said)
    contains(done.said, 'nothing to do')


def test_rejoin_refuses_on_the_primary():
    done = PAIR.run(PAIR.a, 'rejoin')
    equal(done.status, 1, done.said)
    contains(done.said, 'is a standby')


def killed_at(step):
    first, second = whole_again()
    equal(upload(first), 200)
    before = serial(second)
    done = PAIR.run(second, 'failover', fault=f'{step}:kill')
    equal(done.status, -signal.SIGKILL, done.said)
    done = PAIR.run(second, 'failover')
    equal(done.status, 0, done.said)
    equal(PAIR.sql(second, 'SELECT value FROM serial_counter'),
          str(before + 1000000), done.said)
    equal(upload(second), 200)
    ok(serial(second) > before + 1000000, 'the serials jumped')


for _step in STEPS:
    globals()[f'test_killed_at_{_step}_it_goes_on'] = \
        lambda step=_step: killed_at(step)


def test_a_mark_ends_it():
    first, second = whole_again()
    second.stop('postgresql', signal.SIGINT)
    wait_until('alone', lambda: PAIR.third)
    wait_until('alone', lambda: PAIR.sql(
        first, 'SHOW synchronous_standby_names') == '')
    equal(upload(first), 200)
    PAIR.unwatch(first)
    first.stop('postgresql', signal.SIGKILL)
    second.start('postgresql')
    done = PAIR.run(second, 'failover')
    equal(done.status, 1, done.said)
    contains(done.said, f'{second.name} lacks changes')
    contains(done.said, 'is lost')
    PAIR.power_on(first)
    first.start('postgresql')
    PAIR.watch(first)
    PAIR.wait_whole(first)


def test_an_unknown_mark_ends_it():
    first, second = whole_again()
    PAIR.third_away = True
    PAIR.power_off(first)
    done = PAIR.run(second, 'failover')
    equal(done.status, 1, done.said)
    contains(done.said, 'may have taken')
    PAIR.third_away = False
    done = PAIR.run(second, 'failover')
    equal(done.status, 0, done.said)
    equal(upload(second), 200)


def test_a_fence_that_fails_ends_it():
    first, second = whole_again()
    PAIR.hooks_fail = {'off'}
    PAIR.power_off(first)
    done = PAIR.run(second, 'failover')
    equal(done.status, 1, done.said)
    contains(done.said, 'ends with status 1')
    done = PAIR.run(second, 'failover', '--fenced', f'{first.name} is OFF')
    equal(done.status, 1, done.said)
    done = PAIR.run(second, 'failover', '--fenced', f'{first.name} is off')
    equal(done.status, 0, done.said)


def test_an_old_primary_that_returns_serves_nobody():
    first, second = whole_again()
    PAIR.power_off(first)
    done = PAIR.run(second, 'failover')
    equal(done.status, 0, done.said)
    done = PAIR.run(first, 'may-start', first.path('postgresql'))
    equal(done.status, 1, done.said)
    contains(done.said, 'tilsit rejoin')
    PAIR.power_on(first)
    first.start('postgresql')           # all the same
    PAIR.watch(first)
    equal(upload(first), 200)           # at the new primary
    equal(PAIR.sql(first, 'SHOW synchronous_standby_names'),
          f'"{second.name}"')


def test_a_switch_loses_nothing_and_comes_back():
    first, second = whole_again()
    equal(upload(first), 200)
    before = serial(second)
    done = PAIR.run(second, 'failover', '--drill')
    equal(done.status, 0, done.said)
    equal(primary().name, first.name)
    equal(serial(first), before)
    equal(upload(second), 200)


def test_a_mark_keeps_the_fence_from_being_asked():
    first, second = whole_again()
    PAIR.third = f'tilsit-mark\nlacks={second.name}\nserial=7\nend\n'
    PAIR.asked.clear()
    first.stop('postgresql', signal.SIGKILL)
    done = PAIR.run(second, 'failover')
    equal(done.status, 1, done.said)
    contains(done.said, 'what it took after serial 7 is lost')
    equal(PAIR.asked, [])
    done = PAIR.run(second, 'failover', '--fenced', f'{first.name} is off, '
                    'and what it took after serial 7 is lost')
    equal(done.status, 0, done.said)
    equal(PAIR.marks()['third']['lacks'], first.name)


def test_what_somebody_else_promoted_is_let_in():
    first, second = whole_again()
    equal(PAIR.run(second, 'failover', '--promoted').status, 1)
    PAIR.power_off(first)
    PAIR.unwatch(second)
    PAIR.promote(second)
    PAIR.sql(second, "ALTER SYSTEM SET synchronous_standby_names = ''")
    PAIR.sql(second, 'SELECT pg_reload_conf()')
    before = int(PAIR.sql(second, 'SELECT value FROM serial_counter'))
    for _ in range(2):
        done = PAIR.run(second, 'failover', '--promoted')
        equal(done.status, 0, done.said)
    equal(PAIR.sql(second, 'SELECT value FROM serial_counter'),
          str(before + 1000000))
    equal(PAIR.mark(second), {})


def test_rejoin_by_copy():
    first, second = whole_again()
    PAIR.power_off(first)
    equal(PAIR.run(second, 'failover').status, 0)
    PAIR.power_on(first)
    PAIR.hooks_fail = {'rewind'}
    done = PAIR.run(first, 'rejoin')
    equal(done.status, 0, done.said)
    contains(done.said, '4 copy')


if __name__ == '__main__':
    with operated_pair() as PAIR:
        at_a, at_b = PAIR.clients()
        CLIENTS = {'vm-a': at_a, 'vm-b': at_b}
        equal(upload(PAIR.a), 200)
        PAIR.watch(PAIR.a)
        PAIR.watch(PAIR.b)
        cases(globals())
