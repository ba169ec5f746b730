#!/usr/bin/python3
"""Real wheels and sdists are taken, and read as Python reads them."""

import glob
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from archives import (METADATA, SDIST, Member, entry, folder, forge, gzip,
                      judge, judge_file, sdist_entries, tar)  # noqa: E402
from tap import cases, equal, ok, say  # noqa: E402

WHEELS = sorted(glob.glob("/usr/share/python-wheels/*.whl"))
SETUP = """
from setuptools import setup
setup(name="demo.pkg", version="1.0", py_modules=["demo"],
      description="a demonstration", license_files=["LICENSE"])
"""


def facts(answer):
    ok(answer.startswith("ok "), answer)
    _, top, metadata, members = answer.split(" ")
    return top, bytes.fromhex(metadata), int(members)


def test_debians_wheels_are_read_as_zipfile_reads_them():
    ok(WHEELS, "there are wheels in /usr/share/python-wheels")
    for path in WHEELS:
        top, metadata, members = facts(
            judge_file("wheel", os.path.basename(path), path))
        say(path, top)
        with zipfile.ZipFile(path) as z:
            equal(metadata, z.read(f"{top}/METADATA"))
            equal(members, len(z.namelist()))


def make_sdists(form):
    """What setuptools makes, in one of distutils' formats."""
    with tempfile.TemporaryDirectory() as home:
        for name, text in (("setup.py", SETUP), ("demo.py", "x = 1\n"),
                           ("LICENSE", "as you like\n")):
            with open(f"{home}/{name}", "w", encoding="ascii") as f:
                f.write(text)
        subprocess.run([sys.executable, "setup.py", "-q", "sdist",
                        f"--formats={form}"], cwd=home, check=True,
                       capture_output=True)
        [path] = glob.glob(f"{home}/dist/*")
        with open(path, "rb") as f:
            return os.path.basename(path), f.read()


def check_sdist(form):
    filename, data = make_sdists(form)
    say(filename)
    top, metadata, _ = facts(judge("sdist", filename, data))
    ok(top.endswith("-1.0"), top)
    ok(b"\nName: demo" in metadata, metadata)


def test_setuptools_tar_gz_is_taken():
    check_sdist("gztar")


def test_setuptools_zip_is_taken():
    check_sdist("zip")


def test_setuptools_tar_bz2_and_tar_xz_are_taken():
    check_sdist("bztar")
    check_sdist("xztar")


def sdist_of(entries, **options):
    return judge("sdist", SDIST, gzip(tar(entries, **options)))


def test_every_form_of_tar_is_taken():
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT,
                 tarfile.PAX_FORMAT):
        equal(facts(sdist_of(sdist_entries(), form=form)),
              ("demo-1.0", METADATA, 3))


def test_long_and_non_ascii_names_are_taken():
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        more = [entry("demo-1.0/" + "long/" * 60 + "x", b"1"),
                entry("demo-1.0/\u00e9\u4e2d", b"2"),
                entry("demo-1.0/\u00e9\u4e8c", b"3")]
        equal(facts(sdist_of(sdist_entries() + more, form=form))[2], 6)
    # As written before 2004, in Latin-1.
    more = [entry("demo-1.0/\u00e9", b"1"), entry("demo-1.0/\u00e8", b"2")]
    equal(facts(sdist_of(sdist_entries() + more, form=tarfile.USTAR_FORMAT,
                         encoding="latin-1"))[2], 5)


def test_names_with_a_dot_in_front_are_taken():
    entries = [folder("."), folder("./demo-1.0"),
               entry("./demo-1.0/PKG-INFO", METADATA)]
    equal(facts(sdist_of(entries))[:2], ("demo-1.0", METADATA))


def test_the_global_header_of_git_archive_is_taken():
    equal(facts(sdist_of(sdist_entries(),
                         pax_headers={"comment": "0" * 40}))[2], 3)


def test_a_tar_without_folders_of_its_own_is_taken():
    equal(facts(sdist_of(sdist_entries()[1:]))[:2], ("demo-1.0", METADATA))


def test_gnu_tar_is_taken_whatever_its_format():
    with tempfile.TemporaryDirectory() as home:
        os.mkdir(f"{home}/demo-1.0")
        with open(f"{home}/demo-1.0/PKG-INFO", "wb") as f:
            f.write(METADATA)
        os.symlink("PKG-INFO", f"{home}/demo-1.0/link")
        os.link(f"{home}/demo-1.0/PKG-INFO", f"{home}/demo-1.0/twin")
        for form in ("v7", "oldgnu", "gnu", "ustar", "pax"):
            out = subprocess.run(
                ["tar", "-C", home, "--sort=name", f"--format={form}", "-cz",
                 "demo-1.0"], check=True, capture_output=True).stdout
            equal(facts(judge("sdist", SDIST, out)),
                  ("demo-1.0", METADATA, 4))


def test_a_zip_of_many_members_is_taken():
    many = [Member("demo-1.0/PKG-INFO", METADATA)]
    many += [Member(f"demo-1.0/{i}", b"x", stored=True)
             for i in range(70000)]
    data = forge(many, zip64={}, end={"members": 0xFFFF})
    equal(facts(judge("sdist", "demo-1.0.zip", data))[2], 70001)


def test_metadata_are_the_very_bytes():
    odd = b"Name: demo\r\n\xff\x00\n\n  \xef\xbb\xbf" + os.urandom(100)
    entries = [entry("demo-1.0/PKG-INFO", odd)]
    equal(facts(sdist_of(entries))[1], odd)


if __name__ == "__main__":
    cases(globals())
