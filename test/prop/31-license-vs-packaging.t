#!/usr/bin/python3
"""Licence expressions against a table of what packaging.licenses answers.

The table is data/license.tsv, made by data/make-license: Debian's packaging
is older than that module.
"""

import os
import sys

import oracle

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data/license.tsv")


def report(number, what, wrong):
    for line in wrong[: oracle.SHOWN]:
        print(f"# {ascii(line)}")
    print(f"{'not ' if wrong else ''}ok {number} - {what}")
    return len(wrong)


def main():
    with open(TABLE, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line[0] != "#"]
    answers = oracle.ask("license", [(text,) for text, _ in rows])
    good = [answer for answer in answers if answer != "INVALID"]
    again = oracle.ask("license", [(text,) for text in good])
    print("1..2")
    failed = report(
        1,
        f"{len(rows)} expressions as in the table",
        [(row, got) for row, got in zip(rows, answers) if row[1] != got],
    )
    failed += report(
        2,
        "canonical twice is canonical once",
        [pair for pair in zip(good, again) if pair[0] != pair[1]],
    )
    return failed > 0


sys.exit(main())
