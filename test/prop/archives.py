"""Archives for the tests of lib/pkg/archive: sound ones and forged ones.

    forge([Member('a.txt', b'abc', central={'crc': 1})], comment=b'x')

A Member writes itself twice, as a local header and as a directory entry; each
field of either can be overridden.  judge() asks our tool for its opinion.
"""

import io
import os
import struct
import subprocess
import tarfile
import tempfile
import zlib

BUILD = os.environ.get("BUILD", "build/plain")
FOLDER = tempfile.TemporaryDirectory(prefix="tilsit-archive-")

WHEEL = "demo-1.0-py3-none-any.whl"
SDIST = "demo-1.0.tar.gz"
ZIP_SDIST = "demo-1.0.zip"
METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


def field(text):
    data = text if isinstance(text, bytes) else text.encode()
    return data.hex() or "-"


def judge(kind, filename, data, limits=""):
    """The tool's answer: "ok ...", "bad ..." or "unavailable ..."."""
    path = os.path.join(FOLDER.name, "archive")
    with open(path, "wb") as f:
        f.write(data)
    return judge_file(kind, filename, path, limits)


def judge_file(kind, filename, path, limits=""):
    case = " ".join(map(field, (kind, path, filename, limits))) + "\n"
    done = subprocess.run([f"{BUILD}/tool/archive"], input=case.encode(),
                          capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    return done.stdout.decode(errors="replace").rstrip("\n")


def deflate(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(data) + c.flush()


class Member:
    """stored: without compression; packed: other compressed bytes than ours;
    tail: what stands between these and the next member; local, central: what
    header and directory say instead of the truth."""

    def __init__(self, name, data=b"", stored=False, packed=None, flags=0,
                 extra=b"", mode=0o100644, tail=b"", local=(), central=()):
        name = name if isinstance(name, bytes) else name.encode()
        self.packed = packed
        if packed is None:
            self.packed = data if stored else deflate(data)
        if not name.isascii():
            flags |= 0x800
        truth = {"name": name, "flags": flags, "method": 0 if stored else 8,
                 "crc": zlib.crc32(data), "packed": len(self.packed),
                 "size": len(data), "extra": extra, "disk": 0,
                 "mode": mode, "at": None, "sig": None}
        self.tail = tail
        self.local = {**truth, **dict(local)}
        self.central = {**truth, **dict(central)}

    def header(self):
        v = self.local
        return struct.pack(
            "<IHHHHHIIIHH", v["sig"] or 0x04034B50, 20, v["flags"],
            v["method"], 0, 0x5A21, v["crc"], v["packed"], v["size"],
            len(v["name"]), len(v["extra"])) + v["name"] + v["extra"]

    def body(self):
        return self.header() + self.packed + self.tail

    def entry(self, at):
        v = self.central
        return struct.pack(
            "<IHHHHHHIIIHHHHHII", v["sig"] or 0x02014B50, 0x0314, 20,
            v["flags"], v["method"], 0, 0x5A21, v["crc"], v["packed"],
            v["size"], len(v["name"]), len(v["extra"]), 0, v["disk"], 0,
            v["mode"] << 16, at if v["at"] is None else v["at"],
        ) + v["name"] + v["extra"]


def end_record(members, size, at, comment=b"", disk=0, comment_n=None):
    return struct.pack("<IHHHHIIH", 0x06054B50, disk, disk, members, members,
                       size, at, len(comment) if comment_n is None
                       else comment_n) + comment


def end64(members, size, at, end_at, locator_at=None):
    """zip64 end record, which stands at end_at, and its locator."""
    return struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, members,
                       members, size, at) + struct.pack(
        "<IIQI", 0x07064B50, 0,
        end_at if locator_at is None else locator_at, 1)


def forge(members, before=b"", between=b"", after=b"", end=None, zip64=None,
          comment=b"", hidden=0):
    """between: in front of the directory; hidden: how many of the members,
    the last ones, the directory leaves out; end: values of the end record;
    zip64: values of a zip64 end record."""
    body, entries = bytearray(before), bytearray()
    listed = len(members) - hidden
    for i, member in enumerate(members):
        if i < listed:
            entries += member.entry(len(body))
        body += member.body()
    body += between
    truth = {"members": listed, "size": len(entries), "at": len(body)}
    body += entries
    if zip64 is not None:
        body += end64(**{**truth, "end_at": len(body), **zip64})
    body += end_record(
        **{**truth, "comment": comment, **(end or {})}) + after
    return bytes(body)


def wheel_members(folder="demo-1.0.dist-info", metadata=METADATA):
    return [Member("demo.py", b"print('x')\n" * 20),
            Member(f"{folder}/METADATA", metadata),
            Member(f"{folder}/WHEEL", b"Wheel-Version: 1.0\n"),
            Member(f"{folder}/RECORD", b"")]


def wheel(*more, **options):
    """A sound wheel with more members, and forge()'s options."""
    return forge(wheel_members() + list(more), **options)


def judge_wheel(*more, **options):
    return judge("wheel", WHEEL, wheel(*more, **options))


def entry(name, data=b"", kind=tarfile.REGTYPE, link="", **values):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.type = kind
    info.linkname = link
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in values.items():
        setattr(info, key, value)
    return info, data


def folder(name):
    return entry(name, kind=tarfile.DIRTYPE)


def tar(entries, form=tarfile.PAX_FORMAT, **options):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, **options) as t:
        for info, data in entries:
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def gzip(data, level=6):
    c = zlib.compressobj(level, zlib.DEFLATED, 31)
    return c.compress(data) + c.flush()


def sdist_entries(top="demo-1.0"):
    return [folder(top), entry(f"{top}/PKG-INFO", METADATA),
            entry(f"{top}/setup.py", b"from setuptools import setup\n")]


def sdist(*more, **options):
    return gzip(tar(sdist_entries() + list(more), **options))


def judge_sdist(*more, **options):
    return judge("sdist", SDIST, sdist(*more, **options))
