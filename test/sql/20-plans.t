#!/usr/bin/python3
"""Every statement of sql/query/ on an index of 100,000 projects: as a worker
runs it, it reads the rows that it is about and not a table.

Rows are counted, not scans named: an index can be walked from end to end, too.
Each statement is prepared and executed seven times, for the server plans the
first five with the values and may plan the later ones without.
"""
import glob
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../lib")
from bare import Folder, Postgres                           # noqa: E402

PROJECTS = 100_000
RELEASES_OF_ONE = 1000      # the project that most values below name
CHUNK = 256
RUNS = 7

# Rows that one statement may look at, counted at every table and index.
ROWS_MOST = 500

# What is larger by its nature, and what it may cost.
LARGER = {
    "account/list": 2 * PROJECTS,           # operators only, all rows
    "copy/count_missing": 1000,             # operators only
    "copy/forget_gone": 2000,               # each of those that are missing
    "file/every": 3000,                     # fsck, a batch
    "file/discard_project": 3 * RELEASES_OF_ONE,
    "journal/changed_packages": 3000,
    "journal/since_serial": 1000,
    "journal/since_time": 1000,
    "journal/updated_releases": 3000,
    "page/browse": 5000,
    "page/files": 5 * RELEASES_OF_ONE,
    "page/new_releases": 1000,
    "page/project_releases": 3 * RELEASES_OF_ONE,
    "page/releases": 5 * RELEASES_OF_ONE,
    "page/simple_project": 5 * RELEASES_OF_ONE,
    "project/list": 5 * PROJECTS,           # operators only
    "project/remove": 3 * RELEASES_OF_ONE,
    "project/shown": 2 * PROJECTS,          # list_packages
    "root/chunks": 1000,
    "root/grown": PROJECTS + 2000,          # each counted once
    "root/projects": 2 * CHUNK,
    "root/split": 3 * CHUNK,
    "token/list": 3 * PROJECTS,             # operators only
}

FILL = f"""
INSERT INTO account (name)
SELECT 'user' || n FROM generate_series(1, 20000) n;
INSERT INTO token (account_id, secret_hash, label, is_limited)
SELECT 1 + n % 20000, sha256(int8send(n)), 't', n % 2 = 0
  FROM generate_series(1, 40000) n;
INSERT INTO token_project (token_id, project)
SELECT n, 'project-' || to_char(n, 'FM000000')
  FROM generate_series(2, 40000, 2) n;
INSERT INTO project (name, normalized_name, ultra_name, last_serial,
                     created_at)
SELECT p, p, translate(p, '-oil', '011'), 4 * n,
       timestamptz '2020-01-01' + n * interval '1 minute'
  FROM (SELECT n, 'project-' || to_char(n, 'FM000000') AS p
          FROM generate_series(1, {PROJECTS}) n) named;
INSERT INTO role SELECT id, 1 + id % 20000, 'Owner' FROM project;
INSERT INTO release (project_id, version, canonical, sort_key, is_prerelease,
                     metadata, created_at)
SELECT p, v || '.1', v || '.1', int4send(v), false,
       jsonb_build_object('summary', 'a project', 'classifiers',
           jsonb_build_array('Topic :: ' || p % 2000)),
       timestamptz '2020-01-01' + p * interval '1 minute'
  FROM (SELECT id AS p, 1 AS v FROM project
         UNION ALL
        SELECT {PROJECTS // 2}, v FROM generate_series(2, {RELEASES_OF_ONE}) v
       ) AS pairs;
INSERT INTO file (project_id, release_id, filename, packagetype,
                  python_version, requires_python, comment_text, size, sha256,
                  md5, blake2b_256, uploaded_at)
SELECT project_id, id, 'project-' || id || '-' || version || kind, 'sdist',
       'source', '', '', 1, sha256(int8send(id)), '',
       sha256((id || kind)::bytea), created_at
  FROM release, unnest(ARRAY['.tar.gz', '.zip']) AS kind;
INSERT INTO used_filename SELECT filename FROM file;
INSERT INTO journal (serial, project, normalized_name, version, action,
                     account, at)
SELECT n, p, p, CASE WHEN n % 4 > 1 THEN '1.1' END, 'add source file x', '',
       timestamptz '2020-01-01' + n * interval '15 seconds'
  FROM (SELECT n, 'project-' || to_char(n / 4 % {PROJECTS}, 'FM000000') AS p
          FROM generate_series(1, {4 * PROJECTS}) n) named;
UPDATE serial_counter SET value = {4 * PROJECTS};
INSERT INTO root_chunk
SELECT normalized_name, last_serial FROM project WHERE id % {CHUNK} = 0;
INSERT INTO cache_hold VALUES ('192.0.2.1:11211', 'one', now());
INSERT INTO discarded_file
SELECT 'x', sha256(int8send(n)), 'gone-' || n, now() - interval '2 days'
  FROM generate_series(1, 100) n;
INSERT INTO missing_copy (node, blake2b_256, filename, last_error)
SELECT 'x', blake2b_256, filename, '' FROM file WHERE id % 1000 = 0;
CREATE TABLE schema_migration (name text PRIMARY KEY);
ANALYZE;
"""

ONE = "project-%06d" % (PROJECTS // 2)
# Values by the parameter's name, where its type alone would name nothing.
VALUES = {
    "account": "'user77'", "account_id": "77", "project_id":
    str(PROJECTS // 2), "normalized_name": f"'{ONE}'", "project": f"'{ONE}'",
    "canonical": "'7.1'", "release_id": "77", "at_most": "100",
    "classifiers": "ARRAY['Topic :: 77']",
    "serial": str(4 * PROJECTS - 100), "ultra_name": "'pr0ject0000077'",
    "since_s": f"extract(epoch FROM timestamptz '2020-01-01')::int8 + "
               f"{(4 * PROJECTS - 100) * 15}",
    "first_name": f"'project-{CHUNK * 100:06d}'",
    "next_name": f"'project-{CHUNK * 101:06d}'",
    "every": "50", "token_id": "78", "older_than_s": "3600",
    "filename": "'project-77-1.1.zip'", "packagetype": "'sdist'",
    "role": "'Owner'", "status": "'archived'",
    "versions": "ARRAY['']", "actions": "ARRAY['create']",
}
BY_STATEMENT = {
    ("account/add", "name"): "'somebody'",
    ("account/find", "name"): "'user77'",
    ("file/add", "filename"): "'new-1.zip'",
    ("project/add", "normalized_name"): "'new'",
    ("release/add", "canonical"): "'new'",
    ("token/add", "projects"): "ARRAY['a', 'b']",
    ("token/add", "secret_hash"): "'new'",
    ("root/grown", "serial"): "0",
    ("token/list", "account"): "''",
}
BY_TYPE = {"int8": "77", "text": "'x'", "bytea": "sha256(int8send(77))",
           "bool": "true", "jsonb": "'{}'", "text[]": "ARRAY['x']"}


def parameters(name, text):
    """The types and some values of what a statement takes."""
    line = re.search(r"^-- takes: (.*)$", text, re.M)
    types, values = [], []
    for word in line.group(1).split(", ") if line else []:
        what, kind = word.split()[:2]
        types.append(kind)
        values.append(BY_STATEMENT.get((name, what)) or VALUES.get(what)
                      or BY_TYPE[kind])
    return types, values


def script(name, text):
    """Prepare and explain it, in a transaction that leaves no trace."""
    types, values = parameters(name, text)
    takes = f"({', '.join(types)})" if types else ""
    gives = f"({', '.join(values)})" if values else ""
    run = (f"SAVEPOINT s;\nEXPLAIN (ANALYZE, TIMING off, FORMAT json) "
           f"EXECUTE q{gives};\nROLLBACK TO s;\n")
    return f"BEGIN;\nPREPARE q{takes} AS {text}\n{run * RUNS}ROLLBACK;\n"


def rows_read(node):
    """Rows that the plan's scans looked at, and what did it."""
    n = 0
    if "Scan" in node["Node Type"] and "Relation Name" in node:
        n = sum(node.get(key, 0) for key in (
            "Actual Rows", "Rows Removed by Filter",
            "Rows Removed by Index Recheck")) * node["Actual Loops"]
    return n + sum(rows_read(child) for child in node.get("Plans", []))


def scans(node):
    own = [f"{node['Node Type']} on {node['Relation Name']}"] \
        if "Relation Name" in node else []
    return own + [s for child in node.get("Plans", []) for s in scans(child)]


def plans(output):
    """psql's output: one JSON array after the other."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(output):
        plan, at = decoder.raw_decode(output, at)
        yield plan[0]["Plan"]
        while at < len(output) and output[at].isspace():
            at += 1


def prepared_database(folder):
    pg = Postgres(folder, {"autovacuum": "off", "shared_buffers": "128MB",
                           "maintenance_work_mem": "64MB"})
    for path in sorted(glob.glob(f"{HERE}/../../sql/schema/*.sql")):
        pg.sql(open(path, encoding="utf-8").read(), "-1")
    pg.sql(FILL, "-1")
    return pg


def check(pg, number, name, path):
    """One line of TAP for one statement; is it good?"""
    with open(path, encoding="utf-8") as file:
        found = list(plans(pg.sql(script(name, file.read()))))
    worst = max(found, key=rows_read)
    most = LARGER.get(name, ROWS_MOST)
    good = len(found) == RUNS and rows_read(worst) <= most
    print("ok" if good else "not ok", number, "-", name, "reads few rows")
    if not good:
        print(f"# {rows_read(worst)} rows, {most} at most: "
              + ", ".join(scans(worst)))
    return good


with Folder() as folder:
    pg = prepared_database(folder)
    # Commands, and what is said to the server itself, read no table of ours.
    paths = [path for path in sorted(glob.glob(f"{HERE}/../../sql/query/*/*"))
             if not {"transaction", "pair"} & set(path.split("/"))]
    print(f"1..{len(paths)}", flush=True)
    good = [check(pg, number + 1, "/".join(path.split("/")[-2:])[:-4], path)
            for number, path in enumerate(paths)]
sys.exit(0 if all(good) else 1)
