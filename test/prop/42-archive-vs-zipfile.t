#!/usr/bin/python3
"""Wheels damaged at random: none breaks our reader, and whichever it takes,
Python's zipfile reads as it does.  CASES=n (2,000), SEED=n."""

import io
import os
import random
import subprocess
import sys
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from archives import (BUILD, FOLDER, WHEEL, Member, field, wheel,
                      wheel_members)  # noqa: E402
from tap import SAID, cases, equal, ok, say  # noqa: E402

CASES = int(os.environ.get("CASES", "2000"))
rng = random.Random(int(os.environ.get("SEED", "1")))
BYTES = (0, 1, 3, 6, 7, 8, 0x7F, 0x80, 0xFF, ord("/"), ord("."))


def seeds():
    yield wheel()
    yield wheel(Member("a/"), Member("a/\u00e9", b"x", stored=True),
                comment=b"PK")
    yield wheel(zip64={}, end={"members": 0xFFFF})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for member in wheel_members():
            z.writestr(member.local["name"].decode(), b"x" * 50)
    yield out.getvalue()


def damage(data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(data))
        kind = rng.randrange(6)
        if kind == 0:
            del data[at:at + rng.choice((1, 4, 22, 46))]
        elif kind == 1:
            data[at:at] = bytes(rng.choice((1, 2, 4, 22)))
        elif kind == 2:
            n = rng.choice((4, 22, 30, 46, 100))
            data[at:at] = data[rng.randrange(len(data)):][:n]
        elif kind == 3:
            data[at] ^= 1 << rng.randrange(8)
        else:
            data[at] = rng.choice(BYTES)
    return bytes(data)


def answers(archives):
    lines = []
    for i, data in enumerate(archives):
        path = os.path.join(FOLDER.name, str(i))
        with open(path, "wb") as f:
            f.write(data)
        lines.append(" ".join(map(field, ("wheel", path, WHEEL))))
    done = subprocess.run([f"{BUILD}/tool/archive"], capture_output=True,
                          input="\n".join(lines).encode(), check=False)
    equal(done.returncode, 0, done.stderr.decode(errors="replace"))
    return done.stdout.split(b"\n")[:-1]


def test_what_we_take_zipfile_reads_alike():
    sound = list(seeds())
    archives = sound + [damage(rng.choice(sound)) for _ in range(CASES)]
    taken = 0
    for data, answer in zip(archives, answers(archives)):
        if not answer.startswith(b"ok "):
            ok(answer.startswith(b"bad "), answer)
            continue
        taken += 1
        _, top, metadata, members = answer.split(b" ")
        SAID.clear()
        say(data.hex())
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            equal(z.testzip(), None)
            equal(len(z.namelist()), int(members))
            equal(z.read(f"{top.decode()}/METADATA").hex(),
                  metadata.decode())
    ok(taken > len(sound) + CASES // 50, f"only {taken} were taken")


if __name__ == "__main__":
    cases(globals())
