#!/usr/bin/python3
"""Every statement of sql/query/ against a database of the newest schema: it
can be prepared, and takes and gives what its header says."""
import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../lib")
from bare import Folder, Postgres                           # noqa: E402

BUILD = os.environ.get("BUILD", "build/plain")

with Folder() as folder:
    pg = Postgres(folder)
    # What `tilsit migrate` keeps its own account in.
    pg.sql("CREATE TABLE schema_migration (name text PRIMARY KEY)")
    for path in sorted(glob.glob(f"{HERE}/../../sql/schema/*.sql")):
        pg.sql(open(path, encoding="utf-8").read(), "-1")
    code = subprocess.run([f"{BUILD}/tool/catalogue", pg.conninfo]).returncode
sys.exit(code)
