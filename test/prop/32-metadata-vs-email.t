#!/usr/bin/python3
"""METADATA files against Python's email parser: every field's values.

Reads the METADATA and PKG-INFO files of this machine's Python packages (or
those given as arguments) and generated ones.
"""

import email.parser
import email.policy
import glob
import json
import os
import re
import sys

import oracle
from oracle import one_in, rng

SCALARS = """Metadata-Version Name Version Summary Description
Description-Content-Type Author Author-email Maintainer Maintainer-email
License License-Expression Home-page Download-URL Requires-Python""".split()
LISTS = """Keywords License-File Project-URL Classifier Platform
Supported-Platform Requires-Dist Requires-External Provides-Extra Provides-Dist
Obsoletes-Dist Requires Provides Obsoletes Dynamic Import-Name
Import-Namespace""".split()
FIELDS = {name.lower(): name for name in SCALARS + LISTS}
ASCII_SPACE = " \t\n\r\v\f"
OLD = ("1.", "2.0")      # then what is not UTF-8 is Latin-1

VALUES = ["a", " b ", "UNKNOWN", "", "\t", "J\u00e9r\u00f4me", "x: y", "1.0",
          "caf\udce9", "\u2028", "a\x0bb", "a\x85b", "\udcff"]
FOLDS = ["", "", "", "\n c", "\n        d", "\n       |e", "\n\tf", "\n ",
         "\n  UNKNOWN", "\r\n  g\r\n h"]
ODD_LINES = ["X-Other: 1\n two", ": none", "Name : a", "nonsense", " lost",
             "N\u00e4me: a", "", "Description-Content-Type", "X:"]
BODIES = ["", "\n", "text\n\nmore", "UNKNOWN", " \n\t", "caf\udce9", "a\r\nb"]


def generated():
    text = ""
    for _ in range(rng.randrange(12)):
        if one_in(10):
            line = rng.choice(ODD_LINES)
        else:
            name = rng.choice(SCALARS + LISTS)
            line = rng.choice([name, name, name.lower(), name.upper()]) + ":"
            value = rng.choice(VALUES)
            # Python versions differ on a Description that begins folded.
            if name == "Description" and not value.strip():
                value = "d"
            line += rng.choice(["", " ", "\t"]) + value + rng.choice(FOLDS)
        text += line + rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
    if one_in(2):
        text += rng.choice(["\n", "\r\n"]) + rng.choice(BODIES)
    return text.encode("utf-8", "surrogateescape")


def unfolded(name, value):
    lines = re.split(r"\r\n|\r|\n", value.strip("\r\n"))
    lines[0] = lines[0].strip(ASCII_SPACE)
    if name != "Description":
        lines = [line.strip(ASCII_SPACE) for line in lines]
        return " ".join(line for line in lines if line)
    return "\n".join(lines[:1] + [
        line[8:] if line.startswith((" " * 8, " " * 7 + "|")) else line
        for line in lines[1:]]).strip("\r\n") if len(lines) > 1 else lines[0]


def expected(data):
    """Values by field, and the number of findings, from Python's parser."""
    message = email.parser.BytesParser(
        policy=email.policy.compat32).parsebytes(data)
    values, findings = {}, 0

    def add(name, value):
        nonlocal findings
        raw = value.encode("ascii", "surrogateescape")
        try:
            value = raw.decode("utf-8")
        except UnicodeDecodeError:
            if not values.get("Metadata-Version", [""])[0].startswith(OLD):
                findings += 1
                return
            value = re.sub("[\x80-\x9f]", "\ufffd", raw.decode("latin-1"))
        if name in SCALARS and name in values:
            findings += 1
        elif value != "UNKNOWN" and (value or name == "Import-Name"):
            values.setdefault(name, []).append(value)

    for name, value in message.raw_items():
        name = FIELDS.get(name.lower())
        if name:
            add(name, unfolded(name, value))
    body = message._payload
    if body.strip(ASCII_SPACE):
        if "Description" in values:
            findings += 1
        else:
            add("Description", body)
    return values, findings


def differs(name, data, answer):
    values, findings = expected(data)
    got = answer["values"]
    wrong = [
        f"{name}: {key} is {got.get(key)!r}, not {values.get(key)!r}"
        for key in sorted(set(values) | set(got))
        if got.get(key) != values.get(key)
    ]
    if (answer["status"] == "OK") != (findings == 0):
        wrong.append(f"{name}: status {answer['status']}, {findings} findings")
    return wrong


def report(number, what, files):
    cases = [(data.decode("utf-8", "surrogateescape"),) for _, data in files]
    answers = [json.loads(answer) for answer in oracle.ask("metadata", cases)]
    wrong = [
        line
        for (name, data), answer in zip(files, answers)
        for line in differs(name, data, answer)
    ]
    for line in wrong[: oracle.SHOWN]:
        print("# " + ascii(line))
    print(f"{'not ' if wrong else ''}ok {number} - {what}")
    return len(wrong)


def real_files():
    top = "/usr/lib/python3/dist-packages/"
    paths = sys.argv[1:] or sorted(
        glob.glob(top + "*/METADATA")
        + glob.glob(top + "*/PKG-INFO")
        + glob.glob(top + "*.egg-info")
    )
    for path in filter(os.path.isfile, paths):
        with open(path, "rb") as file:
            yield path, file.read()


def main():
    real = list(real_files())
    made = [(ascii(data), data) for data in (generated() for _ in range(oracle.CASES))]
    print("1..2")
    failed = report(1, f"{len(real)} files of this machine", real)
    failed += report(2, f"{len(made)} generated files", made)
    return failed > 0


sys.exit(main())
