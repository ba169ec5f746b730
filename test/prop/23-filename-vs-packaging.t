#!/usr/bin/python3
"""File names of wheels and sdists against packaging.utils."""

import re
import sys

import oracle
from oracle import one_in, rng
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

MAX_BYTES = 240  # FILENAME_MAX_BYTES
VERSION_MAX_BYTES = 256
LETTERS = "aB0019.-_+!-.-..__"
FILE = re.compile(r"(?![.-])(?!.*\.\.)[A-Za-z0-9._+!-]+", re.A)
NAME = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])", re.I | re.A)
SDIST = re.compile(r"(.*)(\.tar\.gz|\.tgz|\.tar\.bz2|\.tar\.xz|\.zip)", re.A)

# Warehouse's rules (protocols: its upload check no. 18), written as it has
# them: lists of names and expressions.
LINUX = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"
MACOS = "ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2"
PLATFORM = re.compile(
    "any|win32|win_(amd64|arm64|ia64)|linux_armv[67]l|manylinux(1|2010)_(x86_64|i686)"
    "|manylinux2014_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)"
    rf"|manylinux_\d+_\d+_({LINUX}|ppc64)|musllinux_\d+_\d+_({LINUX})"
    rf"|macosx_(10_\d+|(11|12|13|14|15|26)_0)_({MACOS})"
    r"|ios_\d+_\d+_(arm64|x86_64)_(iphoneos|iphonesimulator)"
    r"|android_\d+_(armeabi_v7a|arm64_v8a|x86|x86_64)|pyemscripten_\d+_\d+_wasm32",
    re.I | re.A,
)


def is_file(text):
    return FILE.fullmatch(text) is not None and len(text) <= MAX_BYTES


def wheel(text):
    if not is_file(text):
        return "invalid"
    try:
        name, version, build, tags = parse_wheel_filename(text)
    except (InvalidWheelFilename, InvalidVersion):
        return "invalid"
    parts = text[:-4].split("-")
    python, abi, platform = parts[-3:]
    # packaging 23.0 lets these three through; newer ones do not.
    if not parts[0] or any("" in p.split(".") for p in parts[-3:]):
        return "invalid"
    if not all(p.isidentifier() for p in python.split(".")):
        return "invalid"
    accepted = all(PLATFORM.fullmatch(t.platform) for t in tags)
    written = parts[2] if build else "-"
    return f"{name} {version} {written} {python} {abi} {platform} {accepted:d}"


def splits(stem, project):
    """Every way to read a stem as the project's name and a version."""
    for dash in re.finditer("-", stem):
        name, version = stem[: dash.start()], stem[dash.end() :]
        if not NAME.fullmatch(name) or canonicalize_name(name) != project:
            continue
        try:
            yield name, version, Version(version)
        except InvalidVersion:
            pass


def sdist(text, project):
    m = SDIST.fullmatch(text)
    if not is_file(text) or m is None:
        return "invalid"
    found = list(splits(m.group(1), project))
    if len(found) != 1:
        return "invalid" if not found else "ambiguous"
    name, written, version = found[0]
    modern = text == f"{project.replace('-', '_')}-{version}.tar.gz"
    return f"{project} {version} {written} {modern:d} {m.group(2)}"


def agrees_with_packaging(text, project):
    """Where packaging reads this as a file of the project, so must we."""
    try:
        name, version = parse_sdist_filename(text)
    except (InvalidSdistFilename, InvalidVersion):
        return True
    written = text[: text.rindex("-")]
    if name != project or not NAME.fullmatch(written) or not is_file(text):
        return True
    return sdist(text, project).startswith(f"{name} {version} ")


def expected(text, project):
    if not agrees_with_packaging(text, project):
        return "packaging reads it in another way", False
    want = wheel(text), sdist(text, project)
    return ", ".join(want), want != ("invalid", "invalid")


def name():
    words = ("a", "zope", "Foo", "bar2", "1", "x")
    text = rng.choice(words)
    for _ in range(rng.choice((0, 0, 1, 2))):
        text += rng.choice("-_._-") + rng.choice(words)
    return text


def platform():
    x, y = rng.randrange(30), rng.choice((0, 0, 1, 17))
    arch = rng.choice((LINUX + "|" + MACOS + "|amd64|armv6l|ia64|wasm32|arm64_v8a").split("|"))
    return rng.choice(
        ("any", "any", "win32", f"win_{arch}", f"linux_{arch}", f"manylinux1_{arch}",
         f"manylinux2010_{arch}", f"manylinux2014_{arch}", f"manylinux_{x}_{y}_{arch}",
         f"musllinux_{x}_{y}_{arch}", f"macosx_{x}_{y}_{arch}", f"macosx_10_{y}_{arch}",
         f"ios_{x}_{y}_{arch}_iphoneos", f"android_{x}_{arch}",
         f"pyemscripten_{x}_{y}_{arch}")
    )  # fmt: skip


def tags(choose):
    return ".".join(oracle.any_case(choose()) for _ in range(rng.choice((1, 1, 1, 2, 3))))


def make_wheel():
    parts = [name().replace("-", "_"), oracle.version().replace("-", "_")]
    if one_in(4):
        parts.append(rng.choice(("1", "0", "12abc", "1_2", "x1", "")))
    parts.append(tags(lambda: rng.choice(("py2", "py3", "cp311", "pp39", "3", "_"))))
    parts.append(tags(lambda: rng.choice(("none", "abi3", "cp311", "cp27mu"))))
    parts.append(tags(platform))
    return "-".join(parts) + ".whl", "a"


def make_sdist():
    project = name()
    written = project
    if one_in(2):
        written = re.sub("[-_.]", lambda m: rng.choice("-_."), project)
    extension = rng.choice((".tar.gz", ".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar"))
    version = oracle.version() if not one_in(2) else rng.choice(("1.0", "2.3.post1", "1-1"))
    return f"{written}-{version}{extension}", canonicalize_name(project)


def make_case():
    text, project = rng.choice((make_wheel, make_sdist))()
    if one_in(4):
        text = oracle.mutate(text, LETTERS)
    return text, project


sys.exit(oracle.check("filename", make_case, expected, 3))
