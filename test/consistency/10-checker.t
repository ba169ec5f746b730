#!/usr/bin/python3 -B
# The checker finds one planted breach of each kind, and none where none is.

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from checker import breaches
from tap import cases, equal, ok

A, B = 'p-1-py3-none-any.whl', 'p-2-py3-none-any.whl'
EVENTS = [[1, 'p', None, 'create'], [2, 'p', None, 'add Owner alice'],
          [3, 'p', '1', 'new release'], [4, 'p', '1', f'add py3 file {A}'],
          [5, 'p', '2', 'new release'], [6, 'p', '2', f'add py3 file {B}']]
OLD, NEW = {A: False}, {A: False, B: False}


def at(begin, end, what, **more):
    return {'begin': begin, 'end': end, 'what': what, **more}


def page(begin, end, serial, files, project='p'):
    return at(begin, end, 'page', project=project, form='html',
              serial=serial, files=files)


def events(begin, end, after=0, upto=6, found=EVENTS):
    return at(begin, end, 'events', after=after,
              events=[e for e in found if after < e[0] <= upto])


def change(begin, end, serial, adds=(), removes=(), acked=True):
    return at(begin, end, 'change', project='p', serial=serial,
              adds=list(adds), removes=list(removes), acked=acked)


def root(begin, end, serial, of_p):
    return at(begin, end, 'list', serial=serial, projects={'p': of_p})


END = events(100, 101)      # the whole journal, as every history closes
GOOD = [change(0, 2, 4, [A]), page(1, 3, 4, OLD), change(4, 8, 6, [B]),
        page(5, 6, 4, OLD), page(5, 9, 6, NEW), events(7, 9, 4),
        root(10, 11, 6, 6), page(10, 11, 6, NEW), END]


def rules(*planted, base=GOOD):
    return {rule for rule, _ in breaches([*base, *planted])}


def test_a_sound_history_has_none():
    equal(breaches(GOOD), [])
    equal(breaches([]), [])


def test_an_old_page_beside_a_change_is_none():
    equal(rules(page(7, 20, 4, OLD), base=[GOOD[0], GOOD[2], END]), set())


def test_C1_an_old_page_after_the_answer():
    equal(rules(page(8.5, 9, 4, OLD), base=[GOOD[0], GOOD[2], END]), {'C1'})


def test_C1_a_missing_page_after_the_answer():
    ok('C1' in rules(page(3, 4, 0, {}), base=[GOOD[0], END]))


def test_C1_a_file_that_is_missing_though_the_serial_is_right():
    ok('C1' in rules(page(9, 10, 6, OLD), base=[GOOD[2], END]))


def test_C1_an_answer_without_a_serial_counts_too():
    equal(rules(page(9, 10, 4, OLD),
                base=[change(4, 8, None, [B]), END]), {'C1'})


def test_C2_an_old_page_after_the_changelog():
    ok('C2' in rules(page(9.5, 10, 4, OLD), base=[events(7, 9), END]))


def test_C2_an_old_page_after_the_root_list():
    equal(rules(page(12, 13, 4, OLD), base=[root(10, 11, 6, 6), END]), {'C2'})


def test_C3_an_old_page_after_a_new_one():
    equal(rules(page(12, 13, 4, OLD), base=[page(10, 11, 6, NEW), END]),
          {'C3'})


def test_C3_an_old_root_list():
    ok('C3' in rules(root(12, 13, 4, 4)))
    ok('C3' in rules(at(12, 13, 'newest', serial=5)))


def test_C3_a_page_that_is_not_what_its_serial_says():
    ok('C3' in rules(page(7, 8, 4, NEW), base=[GOOD[0], END]))
    ok('C3' in rules(page(12, 13, 6, {A: False, B: True})))


def test_C4_an_event_that_appears_late():
    gap = at(7, 9, 'events', after=2, events=[EVENTS[2], EVENTS[5]])
    equal(rules(gap, base=[END]), {'C4'})


def test_C4_an_event_that_a_page_revealed_is_missing():
    equal(rules(events(12, 13, 4, upto=5), base=[page(10, 11, 6, NEW), END]),
          {'C4'})


def test_C4_what_was_revealed_stays():
    equal(rules(events(200, 201, upto=4)), {'C4'})


def test_C4_events_out_of_order():
    equal(rules(at(7, 9, 'events', after=4,
                   events=[EVENTS[5], EVENTS[4]])), {'C4'})


def test_C5_an_acknowledged_upload_that_is_lost():
    lost = change(20, 21, None, ['p-3-py3-none-any.whl'])
    ok('C5' in rules(lost))


def test_C5_an_acknowledged_serial_that_is_lost():
    ok('C5' in rules(change(20, 21, 7, [B])))


def test_C5_one_serial_for_two_events():
    other = [6, 'q', '2', 'new release']
    ok('C5' in rules(at(20, 21, 'events', after=5, events=[other])))
    ok('C5' in rules(change(4, 8, 6, ['p-9-py3-none-any.whl'])))


def test_a_refused_change_promises_nothing():
    equal(rules(change(20, 21, None, ['x.whl'], acked=False)), set())


def test_a_file_that_somebody_removes_may_be_missing():
    gone = [7, 'p', '2', f'remove file {B}']
    history = [GOOD[0], GOOD[2], change(12, 14, 7, removes=[B]),
               page(15, 16, 7, OLD), events(100, 101, upto=7,
                                            found=[*EVENTS, gone])]
    equal(breaches(history), [])


def degraded(record):
    return {**record, 'degraded': 'replica'}


def test_a_degraded_page_may_be_old():
    equal(rules(degraded(page(12, 13, 4, OLD)), degraded(root(12, 13, 4, 4))),
          set())


def test_a_degraded_page_binds_nobody():
    equal(rules(page(12, 13, 4, OLD),
                base=[GOOD[0], degraded(page(10, 11, 6, NEW)), END]), set())


def test_C3_a_degraded_page_that_never_was():
    ok('C3' in rules(degraded(page(12, 13, 4, NEW))))


def test_what_failed_promises_nothing():
    equal(rules(at(9, 10, 'failed', why='503')), set())


if __name__ == '__main__':
    cases(globals())
