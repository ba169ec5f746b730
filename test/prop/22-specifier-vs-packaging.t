#!/usr/bin/python3
"""Version specifiers and sets of them against packaging.specifiers."""

import sys

import oracle
from oracle import one_in, rng
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet

MAX_BYTES = 256  # VERSION_MAX_BYTES
OPERATORS = ("~=", "==", "!=", "<=", ">=", "<", ">", "===")
LETTERS = "0019.-_+!vabcrelphtposdi \n*<>=~!;,()"


def has_our_limits(text):
    """Is this piece of a set within what we take from packaging?"""
    text = text.strip()
    n = next((n for n in (3, 2, 1) if text[:n] in OPERATORS), 0)
    version = text[n:].strip()
    if len(oracle.encode(version)) > MAX_BYTES:
        return False
    if text[:n] == "===":
        # What is not UTF-8 is no text.
        return not any("\ud800" <= c <= "\udfff" for c in version)
    # As for versions: 23.0 ignores case as Unicode does, newer ones with ~=.
    return version.isascii()


def accepts(kind, text, pieces):
    if not all(has_our_limits(p) for p in pieces):
        return False
    try:
        kind(text)
        return True
    except InvalidSpecifier:
        return False


def expected(text):
    one = accepts(Specifier, text, [text])
    many = accepts(SpecifierSet, text, text.split(","))
    return f"{one:d} {many:d}", many


def make_specifier():
    text = oracle.version()
    if one_in(2):
        text = text.split("+")[0]
    if one_in(4):
        text = ".".join(oracle.digits() for _ in range(rng.randrange(1, 4))) + ".*"
    if one_in(5):
        text = oracle.mutate(text, LETTERS)
    return rng.choice(OPERATORS) + oracle.spaced(text)


def make_case():
    text = rng.choice((",", ",", ", ", " ,\n", ",,")).join(
        oracle.spaced(make_specifier()) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))
    )
    if one_in(5):
        text = oracle.mutate(text, LETTERS)
    return (text,)


sys.exit(oracle.check("specifier", make_case, expected, 5))
