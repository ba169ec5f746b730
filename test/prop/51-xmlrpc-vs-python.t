#!/usr/bin/python3
"""XML-RPC against Python's xmlrpc.client, in both directions.

A call that Python writes goes through our reader and our writer and is read by
Python again.  Damaged calls may be refused; those that are not must mean to us
what they mean to Python.
"""

import sys
import xmlrpc.client
from xmlrpc.client import Binary, DateTime, Fault

import oracle

# Python writes no more than 32 bits, but reads any number; so do we, to 64.
xmlrpc.client.MAXINT = 2**63 - 1
xmlrpc.client.MININT = -(2**63)

LETTERS = "ab<>&'\" \t\n\r]]>\xe9\u2028\U0001f40d%s\\0\x7f\x85"
NUMBERS = (0, 1, -1, 7, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63))
rng = oracle.rng


def word():
    return "".join(rng.choice(LETTERS) for _ in range(rng.choice((0, 1, 2, 5, 40))))


def scalar():
    return rng.choice(
        (
            lambda: rng.choice(NUMBERS),
            lambda: rng.randrange(-(2**63), 2**63),
            lambda: oracle.one_in(2),
            word,
            lambda: rng.choice((0.0, -1.5, 1e300, 1e-300, rng.random())),
            lambda: DateTime(rng.randrange(2**31)),
            lambda: Binary(rng.randbytes(rng.choice((0, 1, 2, 3, 100)))),
            lambda: None,
        )
    )()


def value(depth):
    roll = rng.randrange(4) if depth else 3
    if roll == 0:
        return [value(depth - 1) for _ in range(rng.randrange(4))]
    if roll == 1:
        return {word(): value(depth - 1) for _ in range(rng.randrange(4))}
    return scalar()


def call():
    params = tuple(value(3) for _ in range(rng.randrange(4)))
    name = rng.choice(("changelog", "system.multicall", "a_b:c/d.9"))
    return xmlrpc.client.dumps(params, name, allow_none=True)


def damaged():
    text = call()
    tags = ("<value>", "</value>", "<int>", "<nil/>", "<string>", "&lt;", "<!-- -->", "]]>")
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(text) + 1)
        new = rng.choice(("", "", " ", "x", "1", "<", "&", *tags))
        text = text[:at] + new + text[at + rng.choice((0, 0, 1, len(new))) :]
    return text


def as_written(thing):
    """What comes back of a value: our writer knows no double, no base64."""
    if isinstance(thing, list):
        return [as_written(item) for item in thing]
    if isinstance(thing, dict):
        return {key: as_written(item) for key, item in thing.items()}
    if isinstance(thing, float):
        return "%.17g" % thing
    if isinstance(thing, DateTime):
        return str(thing)
    if isinstance(thing, Binary):
        return thing.data.decode("utf-8", "surrogateescape")
    return thing


def is_writable(thing):
    """Base64 of what is no text cannot go out as a string."""
    if isinstance(thing, (list, tuple)):
        return all(is_writable(item) for item in thing)
    if isinstance(thing, dict):
        return all(is_writable(item) for item in thing.values())
    if isinstance(thing, Binary):
        return all(32 <= c < 127 for c in thing.data)
    return True


def got_of(answer):
    status, _, answer = answer.partition(" ")
    return xmlrpc.client.loads(bytes.fromhex(answer))[0][0] if status == "OK" else status


def want_of(text):
    params, name = xmlrpc.client.loads(text)
    return [name, *as_written(list(params))], is_writable(params)


def same(got, want):
    # True == 1 for Python, but not for us.
    return got == want and ascii(got) == ascii(want)


def compare(make, may_refuse):
    wrong = accepted = 0
    for start in range(0, oracle.CASES, 5000):
        cases = [(make(),) for _ in range(min(5000, oracle.CASES - start))]
        for (text,), answer in zip(cases, oracle.ask("xmlrpc", cases)):
            got = got_of(answer)
            if may_refuse and got in ("INVALID", "TOO_LARGE"):
                continue
            want, writable = want_of(text)
            if not writable:
                continue
            accepted += 1
            if same(got, want):
                continue
            wrong += 1
            if wrong <= oracle.SHOWN:
                print(f"# {ascii(text)}\n#  got: {ascii(got)}\n# want: {ascii(want)}")
    return wrong, accepted


print("1..3")
wrong, accepted = compare(call, False)
print(f"{'not ' if wrong else ''}ok 1 - {accepted} calls of Python, {wrong} wrong")
damage, accepted = compare(damaged, True)
print(f"{'not ' if damage else ''}ok 2 - {accepted} damaged calls accepted, {damage} wrong")
balanced = oracle.CASES // 20 <= accepted < oracle.CASES
print(f"{'' if balanced else 'not '}ok 3 - {accepted} of {oracle.CASES} damaged ones accepted")
sys.exit(bool(wrong or damage or not balanced))
