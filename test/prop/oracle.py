"""What the tests against Python's packaging have in common.

A test makes random cases, asks our tool (test/tool/NAME.c) for its answers
and computes what they should be:

    oracle.check("version", make_case, expected, labels)

CASES=n says how many (10,000), SEED=n which ones (1).  The same seed gives
the same cases on every machine.
"""

import os
import random
import subprocess

CHUNK = 50000  # cases for one run of the tool, so that memory stays bounded
SHOWN = 10  # mismatches that are printed

CASES = int(os.environ.get("CASES", "10000"))
rng = random.Random(int(os.environ.get("SEED", "1")))

SPACES = " \t\n\r\v\f\x1c\x1f\x85\xa0\u1680\u2003\u2028\u3000"

# Characters that some function somewhere takes for a letter, a digit, a case
# variant or a space of ASCII; and two bytes that are not UTF-8.
EXOTIC = (
    "\u0661\u0967\uff11\U0001d7d9\xb2\u2460\u017f\u212a\u0130\u0131\u00df"
    "\ufb01\u200b\u00ad\u2010\u2024\uff0e\uff0b\ufeff\x00\x1c\x7f\u0085"
    "\U0010ffff\udcff\udc80"
)


def encode(text):
    return text.encode("utf-8", "surrogateescape")


def one_in(n):
    return rng.randrange(n) == 0


def digits():
    """A number as people write them, sometimes a huge one."""
    roll = rng.randrange(40)
    if roll == 0:
        return "0" * rng.randrange(1, 4) + str(rng.randrange(12))
    if roll == 1:
        return str(rng.randrange(10 ** rng.randrange(1, 30)))
    if roll == 2:
        return rng.choice("019") * rng.randrange(1, 270)
    return str(rng.choice((0, 0, 0, 1, 1, 2, 3, 9, 10, 11, 99, 2024)))


def any_case(word):
    if one_in(4):
        return "".join(rng.choice((c.lower(), c.upper())) for c in word)
    return word


def letter_part(words):
    sep = ("", "", ".", "-", "_")
    number = digits() if not one_in(5) else ""
    return rng.choice(sep) + any_case(rng.choice(words)) + rng.choice(sep) + number


PRE = ("a", "b", "c", "rc", "alpha", "beta", "pre", "preview")
POST = ("post", "rev", "r")


def local_part():
    return rng.choice((digits(), "abc", "ubuntu", "Abc", "a1", "1a", "0a"))


def release():
    text = any_case("v") if one_in(10) else ""
    if one_in(8):
        text += digits() + "!"
    return text + ".".join(digits() for _ in range(rng.choice((1, 2, 2, 3, 3, 4))))


def suffix():
    text = ""
    if one_in(3):
        text += letter_part(PRE)
    if one_in(4):
        text += "-" + digits() if one_in(3) else letter_part(POST)
    if one_in(4):
        text += letter_part(("dev",))
    if one_in(5):
        parts = [local_part() for _ in range(rng.randrange(1, 4))]
        text += "+" + rng.choice(".-_").join(parts)
    return text


def version():
    """A valid version, if it is not too long."""
    return release() + suffix()


def mutate(text, letters):
    """The same with one to three small changes."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(text) + 1)
        c = rng.choice(letters) if not one_in(6) else rng.choice(EXOTIC + SPACES)
        text = rng.choice(
            (
                text[:at] + c + text[at:],
                text[:at] + c + text[at + 1 :],
                text[:at] + text[at + 1 :],
                text[:at] + text[at:][::-1],
                text[:at] + text[max(0, at - 3) :],
            )
        )
    return text


def spaced(text):
    if one_in(10):
        return rng.choice(SPACES) * rng.randrange(3) + text + rng.choice(SPACES)
    return text


def ask(tool, cases):
    program = os.path.join(os.environ.get("BUILD", "build/plain"), "tool", tool)
    lines = [" ".join(encode(f).hex() or "-" for f in case) for case in cases]
    run = subprocess.run(
        [program], input="\n".join(lines).encode() + b"\n", stdout=subprocess.PIPE, check=True
    )
    answers = run.stdout.split(b"\n")[:-1]
    if len(answers) != len(cases):
        raise SystemExit(f"Bail out! {len(cases)} cases, {len(answers)} answers")
    return [a.decode("utf-8", "surrogateescape") for a in answers]


def check(tool, make_case, expected, least_valid):
    """Compare answers to all cases with expected(), as one TAP test.

    A second test sees that the cases are worth something: at least one in
    least_valid of the answers is not a mere refusal, and so are some.
    """
    wrong = valid = 0
    for start in range(0, CASES, CHUNK):
        cases = [make_case() for _ in range(min(CHUNK, CASES - start))]
        for case, got in zip(cases, ask(tool, cases)):
            want, is_valid = expected(*case)
            valid += is_valid
            if got == want:
                continue
            wrong += 1
            if wrong <= SHOWN:
                print(f"# {ascii(case)}\n#  got: {ascii(got)}\n# want: {ascii(want)}")
    print("1..2")
    print(f"{'not ' if wrong else ''}ok 1 - {tool}: {CASES} answers, {wrong} wrong")
    balanced = CASES // least_valid <= valid < CASES
    print(f"{'' if balanced else 'not '}ok 2 - {tool}: {valid} of the cases are valid")
    return 1 if wrong or not balanced else 0
