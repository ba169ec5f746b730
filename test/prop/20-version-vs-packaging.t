#!/usr/bin/python3
"""Versions against packaging.version: valid or not, forms, order of pairs."""

import sys

import oracle
from oracle import one_in
from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

MAX_BYTES = 256  # VERSION_MAX_BYTES
LETTERS = "0019.-_+!vabcrelphtposdi \n*"


def parse(text):
    if len(oracle.encode(text)) > MAX_BYTES:
        return None
    # packaging 23.0 ignores case as Unicode does: "1.0po\u017ft1" is a version
    # to it.  PEP 440, and packaging from 26.0 on, have ASCII only.
    if not text.strip().isascii():
        return None
    try:
        v = Version(text)
    except InvalidVersion:
        return None
    return v if len(str(v)) <= MAX_BYTES else None


def describe(v):
    if v is None:
        return "invalid"
    local = v.local is not None
    return f"{v} {canonicalize_version(v)} {v.is_prerelease:d} {local:d}"


def expected(text, other):
    v, w = parse(text), parse(other)
    want = describe(v) + ", " + describe(w)
    if v is not None and w is not None:
        order = (v > w) - (v < w)
        want += f", {order} {order}"
    return want, v is not None and w is not None


def make_case():
    release = oracle.release()
    text = release + oracle.suffix()
    # A close relative of the first compares equal for longer.
    kind = oracle.rng.randrange(4)
    if kind == 0:
        other = oracle.version()
    elif kind == 1:
        other = release + oracle.rng.choice(("", ".0", ".0.1")) + oracle.suffix()
    elif kind == 2:
        other = text + oracle.rng.choice((".0", "a0", ".dev0", "-0", "+0", ".0a"))
    else:
        other = oracle.mutate(text, LETTERS)
    if one_in(4):
        text = oracle.mutate(text, LETTERS)
    return oracle.spaced(text), oracle.spaced(other)


sys.exit(oracle.check("version", make_case, expected, 4))
