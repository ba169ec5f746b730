#!/usr/bin/python3 -B
# The root list is made of chunks: whole, right after each change, and cheap.

import concurrent.futures
import gzip
import http.client
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import V1_JSON, Client, wheel
from servers import instance
from tap import cases, equal, ok

PROJECTS = 3000
CLIENT = None

FILL = f"""
    WITH taken AS (
        UPDATE serial_counter SET value = value + {PROJECTS}
        RETURNING value - {PROJECTS} AS base
    )
    INSERT INTO project (name, normalized_name, ultra_name, last_serial)
    SELECT 'Project.' || to_char(n, 'FM00000'),
           'project-' || to_char(n, 'FM00000'), 'u' || n, base + n
      FROM taken, generate_series(1, {PROJECTS}) AS n;
    UPDATE root_chunk SET serial = (SELECT value FROM serial_counter);
"""


def sql(text):
    return CLIENT.index.output(
        ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', CLIENT.index.conninfo,
         '-c', text])


def listed(**headers):
    """The JSON list as {name: serial}, and its own serial."""
    page = CLIENT.get('/simple/', Accept=V1_JSON, **headers)
    equal(page.status, 200)
    got = page.json
    serial = got['meta']['_last-serial']
    equal(page['X-PyPI-Last-Serial'], str(serial))
    names = [entry['name'] for entry in got['projects']]
    equal(len(names), len(set(names)), 'no project twice')
    return {entry['name']: entry['_last-serial']
            for entry in got['projects']}, serial


def names_of_html(page):
    return re.findall(r'<a href="/simple/([^/]+)/">', page)


def test_an_empty_index_has_an_empty_list():
    equal(listed(), ({}, 0))
    equal(names_of_html(CLIENT.get('/simple/').words), [])


def test_a_large_index_is_cut_into_chunks():
    sql(FILL)
    CLIENT.index.restart('runner')      # which cuts as it starts
    deadline = time.monotonic() + 30
    while int(sql('SELECT count(*) FROM root_chunk')) < 2:
        ok(time.monotonic() < deadline, 'the runner cuts chunks')
        time.sleep(0.05)
    largest = int(sql("""
        SELECT max(n) FROM (
            SELECT (SELECT count(*) FROM project p
                     WHERE p.normalized_name >= c.first_name
                       AND (c.next IS NULL OR p.normalized_name < c.next)
                   ) AS n
              FROM (SELECT first_name, lead(first_name)
                             OVER (ORDER BY first_name) AS next
                      FROM root_chunk) AS c) AS sizes"""))
    ok(largest <= 512, f'{largest} projects in the largest chunk')


def test_every_form_has_every_project_in_order():
    projects, serial = listed()
    equal(len(projects), PROJECTS)
    equal(serial, PROJECTS)
    want = [f'project-{n:05}' for n in range(1, PROJECTS + 1)]
    page = CLIENT.get('/simple/')
    equal(names_of_html(page.words), want)
    packed = CLIENT.get('/simple/', **{'Accept-Encoding': 'gzip'})
    equal(packed['Content-Encoding'], 'gzip')
    equal(gzip.decompress(packed.text), page.text)
    json = CLIENT.get('/simple/', Accept=V1_JSON)
    packed = CLIENT.get('/simple/', Accept=V1_JSON,
                        **{'Accept-Encoding': 'gzip'})
    equal(gzip.decompress(packed.text), json.text)
    ok(packed['ETag'] != json['ETag'], 'forms have tags of their own')


def test_the_list_is_not_sent_to_whoever_has_it():
    for headers in ({}, {'Accept': V1_JSON}, {'Accept-Encoding': 'gzip'}):
        tag = CLIENT.get('/simple/', **headers)['ETag']
        again = CLIENT.get('/simple/', **headers, **{'If-None-Match': tag})
        equal((again.status, again.text), (304, b''))


def test_head_has_the_headers_and_no_body():
    head = CLIENT.ask('HEAD', '/simple/')
    equal((head.status, head.text), (200, b''))
    equal(head['X-PyPI-Last-Serial'], str(CLIENT.serial()))


def test_a_new_project_appears_and_costs_one_chunk():
    before, _ = listed()
    tag = CLIENT.get('/simple/', Accept=V1_JSON)['ETag']
    answer = CLIENT.upload(*wheel('project.01500.extra', '1.0'))
    equal(answer.status, 200)
    serial = CLIENT.serial()
    page = CLIENT.get('/simple/', Accept=V1_JSON, **{'If-None-Match': tag})
    equal(page.status, 200, 'the old tag no longer holds')
    after, newest = listed()
    equal(newest, serial)
    equal({name: after[name] for name in after
           if before.get(name) != after[name]},
          {'project_01500_extra': serial})
    equal(len(after), len(before) + 1)
    rows = rows_of_last(r'route=/simple/ .*status=200')
    ok(rows[-2] < 1000, f'{rows[-2]} rows for one change, of {PROJECTS}')
    ok(rows[-1] < 100, f'{rows[-1]} rows for none')


def rows_of_last(pattern):
    with open(CLIENT.index.path('log', 'simple.log')) as log:
        lines = [line for line in log if re.search(pattern, line)]
    return [int(re.search(r'rows=(\d+)', line)[1]) for line in lines]


# Keeps everybody from the projects until one has waited for them in vain.
NO_PROJECTS = """
    BEGIN;
    LOCK TABLE project IN ACCESS EXCLUSIVE MODE;
    DO $$ BEGIN
        FOR i IN 1..6000 LOOP
            EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted);
            PERFORM pg_sleep(0.01);
        END LOOP;
        FOR i IN 1..6000 LOOP
            EXIT WHEN NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted);
            PERFORM pg_sleep(0.01);
        END LOOP;
    END $$;
    COMMIT
"""
LOCKED = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'"


def test_a_list_that_breaks_off_is_not_taken_for_a_whole_one():
    whole = CLIENT.get('/simple/').text     # now all chunks are in the cache
    sql("""UPDATE root_chunk SET serial = serial + 1 WHERE first_name =
               (SELECT max(first_name) FROM root_chunk)""")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        other = pool.submit(sql, NO_PROJECTS)
        while sql(LOCKED).strip() == '0':
            ok(not other.done(), 'the other has the lock first')
        try:
            answer = CLIENT.get('/simple/')
            equal(answer.status, 503, f'{len(answer.text)} of {len(whole)}')
        except http.client.IncompleteRead as cut:
            ok(whole.startswith(cut.partial), 'the beginning of the list')
        other.result()
    equal(CLIENT.get('/simple/').text, whole)


def test_a_project_in_each_chunk_can_go_and_the_first_one_too():
    for name in ('project-00001', 'project-01500', 'project-03000'):
        CLIENT.index.tilsit('project', 'delete', name, '--yes')
    projects, serial = listed()
    equal(serial, CLIENT.serial())
    for gone in ('Project.00001', 'Project.01500', 'Project.03000'):
        ok(gone not in projects, f'{gone} is gone')
    equal(len(projects), PROJECTS - 2)
    equal(len(names_of_html(CLIENT.get('/simple/').words)), PROJECTS - 2)


def test_quarantine_hides_and_release_shows():
    CLIENT.index.tilsit('project', 'status', 'project-00002', 'quarantined')
    ok('Project.00002' not in listed()[0])
    CLIENT.index.tilsit('project', 'status', 'project-00002', 'active')
    ok('Project.00002' in listed()[0])


def test_the_whole_first_chunk_may_be_empty():
    last = sql('SELECT first_name FROM root_chunk ORDER BY 1 LIMIT 1 '
               'OFFSET 1').strip()
    sql(f"""
        BEGIN;
        DELETE FROM project WHERE normalized_name < '{last}';
        UPDATE serial_counter SET value = value + 1;
        UPDATE root_chunk SET serial = (SELECT value FROM serial_counter)
         WHERE first_name = '';
        COMMIT""")
    projects, _ = listed()
    ok(0 < len(projects) < PROJECTS, 'and the list is still JSON')
    packed = CLIENT.get('/simple/', Accept=V1_JSON,
                        **{'Accept-Encoding': 'gzip'})
    equal(gzip.decompress(packed.text),
          CLIENT.get('/simple/', Accept=V1_JSON).text)


def test_without_memcached_the_list_is_the_same():
    want = CLIENT.get('/simple/', Accept=V1_JSON).text
    CLIENT.index.stop('memcached')
    equal(CLIENT.get('/simple/', Accept=V1_JSON).text, want)
    CLIENT.index.start('memcached')
    equal(CLIENT.get('/simple/', Accept=V1_JSON).text, want)


with instance() as index:
    CLIENT = Client(index)
    cases(globals())
