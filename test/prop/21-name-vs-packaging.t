#!/usr/bin/python3
"""Project names against packaging.utils and the core metadata specification."""

import re
import sys

import oracle
from packaging.utils import canonicalize_name

MAX_BYTES = 128  # NAME_MAX_BYTES
LETTERS = "abzABZ019ilIoOL-_.--__.."
VALID = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])", re.I | re.A)


def ascii_lower(text):
    return re.sub("[A-Z]+", lambda m: m.group().lower(), text)


def ultra(text):
    text = re.sub(r"[._-]", "", text)
    text = re.sub("[lLiI]", "1", text)
    return ascii_lower(re.sub("[oO]", "0", text))


def expected(text):
    valid = VALID.fullmatch(text) is not None and len(text) <= MAX_BYTES
    # canonicalize_name() lowers what Unicode lowers; no valid name has that.
    normal = canonicalize_name(text) if text.isascii() else ascii_lower(
        re.sub(r"[-_.]+", "-", text)
    )
    same = valid and normal == text
    return f"{valid:d} {same:d} '{normal}' '{ultra(text)}'", valid


def make_case():
    n = oracle.rng.choice((0, 1, 2, 3, 5, 8, 13, 127, 128, 129))
    letters = oracle.rng.choice((LETTERS, "abc-", "abc019"))
    text = "".join(oracle.rng.choice(letters) for _ in range(n))
    if oracle.one_in(4):
        text = oracle.mutate(text, LETTERS)
    return (text.replace("\n", "\r"),)


sys.exit(oracle.check("name", make_case, expected, 4))
