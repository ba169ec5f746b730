#!/usr/bin/python3
"""Negotiation against RFC 9110 section 12.5 and PEP 691, written down once more.

The model is the definition: each type has the q of the most specific range that
names it, the highest q wins, the server's order decides ties.
"""

import sys

import oracle

SIMPLE = "application/vnd.pypi.simple."
OURS = (("text/html",), (SIMPLE + "v1+html", SIMPLE + "latest+html"))
OURS += ((SIMPLE + "v1+json", SIMPLE + "latest+json"),)
RANGES = [name for names in OURS for name in names]
RANGES += ["*/*", "text/*", "application/*", "image/*", "application/json", SIMPLE + "v2+json"]
CODINGS = ("gzip", "x-gzip", "identity", "*", "br", "deflate", "zstd")
QS = ("0", "0.0", "0.000", "0.001", "0.2", "0.25", "0.5", "0.999", "1", "1.0", "1.000")
rng = oracle.rng


def pairs(names):
    """Each name once, some with a q."""
    count = rng.choice((1, 1, 2, 3, 4, 5))
    chosen = rng.sample(names, min(count, len(names)))
    return [(name, rng.choice(QS) if oracle.one_in(2) else None) for name in chosen]


def field(members):
    words = []
    for name, q in members:
        word = oracle.any_case(name)
        if oracle.one_in(12):
            word += ';charset="utf-8,;q=0"'
        if q is not None:
            word += rng.choice((";q=", "; q=", " ; Q=")) + q
        words.append(word)
    return rng.choice((",", ", ", " , ", ",, ")).join(words)


def q_of(q):
    return 1.0 if q is None else float(q)


def quality(ranges, names):
    exact = [q_of(q) for name, q in ranges if name in names]
    if exact:
        return max(exact)
    for wildcard in (names[0].split("/")[0] + "/*", "*/*"):
        found = [q_of(q) for name, q in ranges if name == wildcard]
        if found:
            return max(found)
    return 0.0


def format_of(ranges, param):
    for i, names in enumerate(OURS):
        if param.lower() in names:
            return str(i)
    if not ranges:
        return "0"
    qualities = [quality(ranges, names) for names in OURS]
    best = max(qualities)
    return str(qualities.index(best)) if best > 0 else "-"


def gzip_of(codings):
    found = {}
    for name, q in codings:
        found["gzip" if name == "x-gzip" else name] = q_of(q)
    gzip = found.get("gzip", found.get("*", 0.0))
    return int(gzip > 0 and gzip >= found.get("identity", 0.0))


WANT = {}


def make_case():
    ranges = [] if oracle.one_in(20) else pairs(RANGES)
    codings = [] if oracle.one_in(20) else pairs(CODINGS)
    if {"gzip", "x-gzip"} <= {name for name, _ in codings}:
        codings = codings[:1]
    param = oracle.any_case(rng.choice(RANGES)) if oracle.one_in(5) else ""
    case = field(ranges), field(codings), param
    WANT[case] = f"{format_of(ranges, param)} {gzip_of(codings)}"
    return case


def expected(*case):
    want = WANT[case]
    return want, not want.startswith("-")


sys.exit(oracle.check("negotiate", make_case, expected, 4))
