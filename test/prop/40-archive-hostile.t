#!/usr/bin/python3
"""Archives made to deceive: each is refused, with a text that says why."""

import bz2
import io
import lzma
import os
import struct
import sys
import tarfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import archives  # noqa: E402
from archives import (METADATA, SDIST, WHEEL, ZIP_SDIST, Member, deflate,
                      entry, folder, forge, gzip, judge, judge_sdist,
                      judge_wheel, sdist, sdist_entries, tar, wheel,
                      wheel_members)  # noqa: E402
from tap import cases, contains, ok  # noqa: E402


def refused(answer, why):
    ok(answer.startswith("bad "), answer)
    contains(answer, why)


def accepted(answer):
    ok(answer.startswith("ok "), answer)


# What the forger makes is sound until it is told to forge.


def test_a_forged_wheel_without_forgery_is_taken():
    accepted(judge_wheel())
    accepted(judge_wheel(comment=b"made by hand"))
    accepted(judge_wheel(Member("demo.data/\u00e9.txt", b"x", stored=True)))
    accepted(judge_wheel(Member("pkg/"), Member("pkg/a.py", b"1")))
    with zipfile.ZipFile(io.BytesIO(wheel())) as z:
        ok(z.testzip() is None)


def test_a_forged_sdist_without_forgery_is_taken():
    accepted(judge_sdist())
    accepted(judge("sdist", ZIP_SDIST, forge(
        [Member("demo-1.0/PKG-INFO", METADATA)])))


# Not the format that the name says.


def test_other_files_are_no_wheels():
    for data in (b"", b"PK", b"\0" * 1000, os.urandom(3000), sdist(),
                 tar(sdist_entries())):
        refused(judge("wheel", WHEEL, data), "File is not a zipfile")


def test_other_files_are_no_sdists():
    for data in (b"", b"\x1f", b"\0" * 1000, tar(sdist_entries()),
                 bz2.compress(tar(sdist_entries()))):
        refused(judge("sdist", SDIST, data), "File is not a tarfile")
    refused(judge("sdist", SDIST, wheel()), "File is a zip, or both")
    refused(judge("sdist", ZIP_SDIST, sdist()), "File is not a zipfile")
    refused(judge("sdist", "demo-1.0.tar.bz2", sdist()), "not a tarfile")
    refused(judge("sdist", "demo-1.0.tar.xz", sdist()), "not a tarfile")
    refused(judge("sdist", "demo-1.0.tar.Z", sdist()), "An sdist ends in")


def test_gzip_without_a_tar_within_is_no_sdist():
    for data in (b"", b"x" * 5000, b"\0" * 5000, wheel()):
        refused(judge("sdist", SDIST, gzip(data)), "File is not a tarfile")
    refused(judge("sdist", SDIST, gzip(sdist())), "File is not a tarfile")


def test_a_tar_with_a_zip_behind_it_is_refused():
    refused(judge("sdist", SDIST, sdist() + wheel()), "both a zip and a tar")
    refused(judge("sdist", SDIST, sdist() + forge([])), "both a zip and a tar")
    refused(judge("sdist", SDIST, sdist() + wheel(
        zip64={}, end={"members": 0xFFFF})), "both a zip and a tar")


def test_a_zip_that_begins_as_a_tar_is_refused():
    # The first member's name and extra field fill a tar header; where that
    # has its checksum (148 to 155), the extra field has it.
    def first(checksum):
        extra = struct.pack("<HH", 0x9999, 396) + b"\0" * 14
        extra += checksum + b"\0" * 374
        return Member("p" * 100, stored=True, extra=extra)

    block = forge([first(b" " * 8)])[:512]
    polyglot = forge([first(b"%06o\0 " % sum(block))] + wheel_members())
    refused(judge("wheel", WHEEL, polyglot), "File is both a zip and a tar")
    accepted(judge("wheel", WHEEL, forge(
        [first(b"000001\0 ")] + wheel_members())))


# Where the parts of a zip archive lie.


def test_data_around_a_zip_are_refused():
    refused(judge_wheel(after=b"x"), "data behind the end record")
    refused(judge_wheel(after=b"\0" * 70000), "File is not a zipfile")
    refused(judge_wheel(before=b"#!/bin/sh\n"), "data before the first")
    refused(judge_wheel(between=b"x"), "data between two members")
    refused(judge_wheel(between=b"x" * 1000), "data between two members")
    shift = wheel()
    refused(judge("wheel", WHEEL, b"MZ" + shift), "directory does not reach")


def test_data_between_members_are_refused():
    refused(judge_wheel(Member("a", b"a", tail=b"?"), Member("b", b"b")),
            "data between two members")
    refused(judge_wheel(Member("a", b"a", tail=b"?" * 16), Member("b")),
            "data between two members")


def test_a_member_that_the_directory_leaves_out_is_refused():
    refused(judge_wheel(Member("hidden.py", b"evil"), hidden=1),
            "data between two members")
    refused(judge("wheel", WHEEL, forge(
        [Member("demo.py", b"evil")] + wheel_members(), end=None,
        hidden=0)), "duplicate name 'demo.py'")


def test_more_than_one_end_record_is_refused():
    fake = archives.end_record(0, 0, 0)
    refused(judge_wheel(comment=fake), "more than one end record")
    refused(judge_wheel(comment=b"x" + fake + b"y"), "data behind the end")
    refused(judge_wheel(comment=fake[:4]), "data behind the end")
    inner = wheel()
    refused(judge_wheel(comment=inner), "more than one end record")
    # One that a search from the front finds, within the directory.
    sly = Member("sly", central={"extra": struct.pack("<HH", 0x9999, 22) +
                                 archives.end_record(0, 0, 0, comment_n=22)})
    refused(judge_wheel(sly), "more than one end record")


def test_an_end_record_with_wrong_numbers_is_refused():
    refused(judge_wheel(end={"members": 3}), "more than 3 members")
    refused(judge_wheel(end={"members": 5}), "fewer members than 5")
    refused(judge_wheel(end={"members": 60000}), "too small")
    refused(judge_wheel(end={"at": 0}), "directory does not reach")
    refused(judge_wheel(end={"size": 10}), "directory does not reach")
    refused(judge_wheel(end={"size": 0x7FFFFFFF}), "does not reach")
    refused(judge_wheel(end={"disk": 1}), "one part of several")


def test_zip64_that_says_something_else_is_refused():
    accepted(judge_wheel(zip64={}))
    accepted(judge_wheel(zip64={}, end={"members": 0xFFFF, "at": 0xFFFFFFFF,
                                        "size": 0xFFFFFFFF}))
    refused(judge_wheel(zip64={"members": 3}), "end record differ")
    refused(judge_wheel(zip64={"at": 0}), "end record differ")
    refused(judge_wheel(zip64={"locator_at": 5}), "locator does not point")
    refused(judge_wheel(end={"members": 0xFFFF}), "no zip64 end record")
    refused(judge_wheel(end={"at": 0xFFFFFFFF}), "no zip64 end record")
    refused(judge_wheel(zip64={"members": 1 << 62}, end={"members": 0xFFFF}),
            "over 200000 members")
    refused(judge_wheel(zip64={"size": 1 << 63, "at": 1 << 63},
                        end={"size": 0xFFFFFFFF, "at": 0xFFFFFFFF}),
            "does not reach")


def test_zip64_extra_fields_are_read_strictly():
    def wide(*values):
        return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)

    data = b"abc"
    ones = {"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}
    sizes = wide(3, len(deflate(data)))
    accepted(judge_wheel(Member("a", data, extra=sizes, local=ones,
                                central=ones)))
    accepted(judge_wheel(Member("a", data, local={**ones, "extra": sizes})))
    refused(judge_wheel(Member("a", data, central=ones)), "too short")
    refused(judge_wheel(Member("a", data, central={"extra": sizes})),
            "too long")
    refused(judge_wheel(Member("a", data, extra=wide(4, 5), local=ones,
                               central=ones)), "zip not accepted")
    refused(judge_wheel(Member("a", data, extra=sizes * 2, local=ones,
                               central=ones)), "two zip64 extra fields")
    huge = wide(1 << 63, 1 << 63)
    refused(judge_wheel(Member("a", data, extra=huge, local=ones,
                               central=ones)), "over 2^63")
    refused(judge_wheel(Member("a", data, central={
        "at": 0xFFFFFFFF, "extra": wide(1 << 40)})), "reaches into")


def test_header_and_directory_must_agree():
    for name, value in (("crc", 1), ("packed", 1), ("size", 1),
                        ("method", 0), ("flags", 0x800)):
        refused(judge_wheel(Member("a", b"abc", local={name: value})),
                "a header and the directory differ")
    for name in (b"b", b"aa", b""):
        refused(judge_wheel(Member("a", b"abc", local={"name": name})),
                "differ in a name")
    refused(judge_wheel(Member("a", b"abc", local={"sig": 0x04034B51})),
            "no header where the directory says")
    refused(judge_wheel(Member("a", b"abc", central={"sig": 0x02014B51})),
            "damaged directory")


def test_contents_must_match_size_and_checksum():
    both = {"crc": 7}
    refused(judge_wheel(Member("a", b"abc", local=both, central=both)),
            "does not match its size or checksum")
    both = {"size": 2}
    refused(judge_wheel(Member("a", b"abc", local=both, central=both)),
            "unpacks to more than its header says")
    both = {"size": 4}
    refused(judge_wheel(Member("a", b"abc", local=both, central=both)),
            "does not match its size or checksum")
    refused(judge_wheel(Member("a", b"abc", stored=True, local=both,
                               central=both)), "stored, but has two sizes")


def test_deflated_bytes_must_end_where_they_should():
    whole = deflate(b"abc" * 100)
    refused(judge_wheel(Member("a", b"abc" * 100, packed=whole + b"x")),
            "data behind the compressed stream")
    refused(judge_wheel(Member("a", b"abc" * 100, packed=whole[:-1])),
            "end in the middle")
    refused(judge_wheel(Member("a", b"abc" * 100, packed=b"\xff" * 9)),
            "damaged compressed data")
    refused(judge_wheel(Member("a", b"", packed=b"")), "end in the middle")


def test_overlapping_members_are_refused():
    refused(judge_wheel(Member("a", b"abc"), Member("b", b"abc", central={
        "at": 0})), "zip not accepted")
    # A quine's trick: one stored member whose bytes are the next one.
    inner = Member("inner.py", b"evil", stored=True)
    outer = Member("outer.bin", inner.body(), stored=True)
    at = len(outer.header()) + sum(len(m.body()) for m in wheel_members())
    refused(judge("wheel", WHEEL, forge(wheel_members() + [outer, Member(
        "inner.py", b"evil", stored=True, central={"at": at})], hidden=0)),
        "zip not accepted")


def test_a_member_may_not_reach_into_the_directory():
    refused(judge_wheel(Member("a", b"abc", central={"packed": 1 << 30})),
            "reaches into the directory")
    refused(judge_wheel(Member("a", b"abc", central={"at": 1 << 30})),
            "reaches into the directory")


def descriptor(data, wide=False, signed=True, crc=None):
    import zlib
    packed = len(deflate(data))
    body = struct.pack("<I", zlib.crc32(data) if crc is None else crc)
    body += struct.pack("<QQ" if wide else "<II", packed, len(data))
    return (struct.pack("<I", 0x08074B50) if signed else b"") + body


def test_data_descriptors_must_agree():
    nothing = {"crc": 0, "packed": 0, "size": 0}
    for wide in (False, True):
        for signed in (False, True):
            tail = descriptor(b"abc", wide, signed)
            accepted(judge_wheel(Member("a", b"abc", flags=8, tail=tail,
                                        local=nothing)))
            accepted(judge_wheel(Member("a", b"abc", flags=8, tail=tail)))
    refused(judge_wheel(Member("a", b"abc", flags=8, local=nothing)),
            "data between two members")
    refused(judge_wheel(Member("a", b"abc", flags=8, local=nothing,
                               tail=descriptor(b"abc", crc=1))),
            "a data descriptor and the directory differ")
    refused(judge_wheel(Member("a", b"abc", flags=8, local=nothing,
                               tail=b"?" * 16)), "damaged data descriptor")
    refused(judge_wheel(Member("a", b"abc", flags=8, stored=True,
                               local=nothing, tail=descriptor(b"abc"))),
            "stored, but its size follows it")


def test_a_zip_cut_short_is_refused():
    whole = wheel()
    for n in range(0, len(whole), 7):
        answer = judge("wheel", WHEEL, whole[:n])
        ok(answer.startswith("bad "), f"{n} of {len(whole)} bytes: {answer}")


# What may be in a zip archive.


def test_names_that_lead_elsewhere_are_refused():
    for name, why in ((b"../x", "'..'"), (b"a/../../x", "'..'"),
                      (b"a/..", "'..'"), (b"/etc/passwd", "absolute path"),
                      (b"C:x", "absolute path"), (b"\\x", "absolute path"),
                      (b"a\\..\\x", "'..'"), (b"a\\b", "backslash"),
                      (b"a\0.py", "control character"),
                      (b"a\nb", "control character"),
                      (b"a\x7f", "control character"),
                      (b"./a", "between slashes"), (b"a//b", "between"),
                      (b"a/./b", "between slashes"), (b"a//", "between"),
                      (b"", "no name"), (b"a" * 4097, "over 4096 bytes")):
        refused(judge_wheel(Member(name, b"x")), why)


def test_names_must_be_marked_as_utf_8_if_they_are():
    latin = Member("\u00e9".encode("latin-1"), b"x", local={"flags": 0x800},
                   central={"flags": 0x800})
    refused(judge_wheel(latin), "is not UTF-8")
    unmarked = Member("\u00e9", b"x", local={"flags": 0},
                      central={"flags": 0})
    refused(judge_wheel(unmarked), "not marked as UTF-8")


def test_duplicate_names_are_refused():
    refused(judge_wheel(Member("a", b"1"), Member("a", b"2")),
            "duplicate name 'a'")
    refused(judge_wheel(Member("a", b"1"), Member("a/")), "duplicate name")
    refused(judge_wheel(Member("demo-1.0.dist-info/METADATA", b"x")),
            "duplicate name 'demo-1.0.dist-info/METADATA'")


def test_a_second_name_in_an_extra_field_is_refused():
    extra = struct.pack("<HHBI", 0x7075, 6, 1, 0) + b"b"
    refused(judge_wheel(Member("a", b"x", extra=extra)), "a second name")
    refused(judge_wheel(Member("a", b"x", local={"extra": extra})),
            "a second name")


def test_damaged_extra_fields_are_refused():
    for extra in (b"x", b"xxx", struct.pack("<HH", 9, 5) + b"1234"):
        refused(judge_wheel(Member("a", b"x", extra=extra)),
                "damaged extra field")
        refused(judge_wheel(Member("a", b"x", local={"extra": extra})),
                "damaged extra field")


def test_only_stored_and_deflated_members_are_read():
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        out = io.BytesIO(wheel())
        with zipfile.ZipFile(out, "a", method) as z:
            z.writestr("a", b"abc" * 100)
        refused(judge("wheel", WHEEL, out.getvalue()), "compression method")


def test_encrypted_members_are_refused():
    for flags in (1, 0x20, 0x40, 0x2000):
        refused(judge_wheel(Member("a", b"abc", flags=flags)),
                "encrypted or patched")


def test_links_and_devices_in_a_zip_are_refused():
    for mode in (0o120777, 0o020644, 0o060644, 0o010644, 0o140644):
        refused(judge_wheel(Member("a", b"/etc/passwd", mode=mode)),
                "a link or device")


def test_a_folder_with_bytes_is_refused():
    refused(judge_wheel(Member("a/", b"abc")), "a folder with bytes in it")


def test_a_member_that_needs_a_later_version_is_refused():
    member = Member("a", b"abc")
    entry_of = member.entry
    member.entry = lambda at: entry_of(at)[:6] + b"\x40" + entry_of(at)[7:]
    refused(judge_wheel(member), "needs version 6.4")


def test_a_member_on_another_disk_is_refused():
    refused(judge_wheel(Member("a", central={"disk": 1})), "another disk")


# What makes a wheel of a zip archive.


def without(name):
    return [m for m in wheel_members()
            if not m.local["name"].endswith(name)]


def test_a_wheel_needs_its_three_files():
    for name in (b"METADATA", b"WHEEL", b"RECORD"):
        refused(judge("wheel", WHEEL, forge(without(name))),
                f"does not contain the required {name.decode()} file: "
                f"demo-1.0.dist-info/{name.decode()}")
    answer = judge("wheel", WHEEL, forge(
        [Member("demo-1.0.dist-info/INSTALLER", b"pip")]))
    for name in ("METADATA", "WHEEL", "RECORD"):
        refused(answer, f"required {name} file")


def test_a_folder_of_the_name_is_not_the_file():
    refused(judge("wheel", WHEEL, forge(without(b"METADATA") + [
        Member("demo-1.0.dist-info/METADATA/")])), "required METADATA file")
    refused(judge("wheel", WHEEL, forge(without(b"METADATA") + [
        Member("demo-1.0.dist-info/x/METADATA", METADATA)])),
        "required METADATA file")


def test_a_wheel_has_exactly_one_dist_info_folder():
    refused(judge("wheel", WHEEL, forge([Member("demo.py", b"x")])),
            "has no .dist-info folder")
    refused(judge("wheel", WHEEL, forge([])), "has no .dist-info folder")
    refused(judge_wheel(Member("other-1.0.dist-info/METADATA", b"x")),
            "more than one .dist-info folder")


def test_the_dist_info_folder_is_that_of_the_file_name():
    def with_folder(name, filename=WHEEL):
        return judge("wheel", filename, forge(wheel_members(name)))

    for name in ("other-1.0.dist-info", "demo-1.1.dist-info",
                 "demo.dist-info", "demo-.dist-info", "-1.0.dist-info",
                 ".dist-info"):
        refused(with_folder(name), "not that of its name and version")
    accepted(with_folder("Demo-1.0.0.dist-info"))
    accepted(with_folder("a.B_c-1.0rc1.dist-info",
                         "A_b_C-1.0.rc.1-py3-none-any.whl"))


def test_metadata_over_the_limit_are_refused():
    big = forge(wheel_members(metadata=METADATA + b"\n" + b"x" * 2000))
    refused(judge("wheel", WHEEL, big, "10,100000,1000,50"),
            "METADATA' is over 1000 bytes")
    accepted(judge("wheel", WHEEL, big, "10,100000,3000,50"))
    big = gzip(tar([entry("demo-1.0/PKG-INFO", METADATA + b"x" * 2000)]))
    refused(judge("sdist", SDIST, big, "10,100000,1000,50"),
            "PKG-INFO' is over 1000 bytes")


# Bombs.


def fast_xz(data):
    return lzma.compress(data, preset=0)


def test_too_many_members_are_refused():
    many = [Member(f"{i}", stored=True) for i in range(200)]
    refused(judge("wheel", WHEEL, wheel(*many), "100,100000,9999,50"),
            "over 100 members")
    many = [entry(f"demo-1.0/{i}") for i in range(200)]
    refused(judge("sdist", SDIST, sdist(*many), "100,9999999,9999,50"),
            "over 100 members")
    deep = [entry("demo-1.0/" + f"{i}/" * 30 + "x") for i in range(20)]
    refused(judge("sdist", SDIST, sdist(*deep), "100,9999999,9999,50"),
            "over 100 folders")


def test_too_many_unpacked_bytes_are_refused():
    zeros = b"\0" * 100000
    for kind, name, data in (("wheel", WHEEL, wheel(Member("z", zeros))),
                             ("sdist", SDIST, sdist(entry("demo-1.0/z",
                                                          zeros)))):
        refused(judge(kind, name, data, "100,50000,9999,50"),
                "over 50000 bytes unpacked")
        accepted(judge(kind, name, data, "100,500000,9999,50"))


def test_a_compression_ratio_over_50_is_refused_past_64_mib():
    zeros = b"\0" * (65 << 20)
    refused(judge_wheel(Member("z", zeros)), "compression ratio of 50")
    refused(judge_sdist(entry("demo-1.0/z", zeros)),
            "compression ratio of 50")
    for pack, name in ((bz2.compress, "tar.bz2"), (fast_xz, "tar.xz")):
        refused(judge("sdist", "demo-1.0." + name, pack(tar(
            sdist_entries() + [entry("demo-1.0/z", zeros)]))),
            "compression ratio of 50")
    accepted(judge_wheel(Member("z", zeros[:32 << 20])))
    accepted(judge_sdist(entry("demo-1.0/z", zeros[:32 << 20])))


def test_a_bomb_behind_the_end_of_the_tar_is_counted():
    data = gzip(tar(sdist_entries()) + b"\0" * (65 << 20))
    refused(judge("sdist", SDIST, data), "compression ratio of 50")


def test_one_piece_of_data_cannot_be_many_members():
    # David Fifield's bomb: many entries for one kernel of bytes.
    kernel = Member("k", b"\0" * 100000)
    copies = [Member(f"c{i}", b"\0" * 100000, central={
        "at": sum(len(m.body()) for m in wheel_members())})
        for i in range(3)]
    for copy in copies:
        copy.body = lambda: b""
    refused(judge_wheel(kernel, *copies), "zip not accepted")


# Damage to a tar.gz.


def test_a_tar_cut_short_is_refused():
    whole = sdist(entry("demo-1.0/r", os.urandom(3000)))
    for n in range(0, len(whole), 61):
        answer = judge("sdist", SDIST, whole[:n])
        ok(answer.startswith("bad "), f"{n} of {len(whole)} bytes: {answer}")
    for n in range(1, 9):
        refused(judge("sdist", SDIST, whole[:-n]), "cut short")
    plain = tar(sdist_entries() + [entry("demo-1.0/r", os.urandom(3000))])
    inside = plain.index(b"demo-1.0/r") + 1000
    refused(judge("sdist", SDIST, gzip(plain[:inside])), "tar not accepted")
    for pack, name in ((bz2.compress, "tar.bz2"), (lzma.compress, "tar.xz")):
        whole = pack(plain)
        accepted(judge("sdist", "demo-1.0." + name, whole))
        for n in (1, 10, 100, len(whole) // 2):
            refused(judge("sdist", "demo-1.0." + name, whole[:-n]), "")


def test_a_gzip_stream_with_a_wrong_checksum_is_refused():
    whole = bytearray(sdist())
    whole[-1] ^= 1
    refused(judge("sdist", SDIST, bytes(whole)), "incorrect length check")
    whole = bytearray(sdist())
    whole[-7] ^= 1
    refused(judge("sdist", SDIST, bytes(whole)), "incorrect data check")


def test_data_behind_the_gzip_stream_are_refused():
    refused(judge("sdist", SDIST, sdist() + b"x"), "data behind the gzip")
    refused(judge("sdist", SDIST, sdist() + b"\0\0x"), "data behind the gzip")
    accepted(judge("sdist", SDIST, sdist() + b"\0" * 1000))
    plain = tar(sdist_entries())
    accepted(judge("sdist", SDIST, gzip(plain[:700]) + gzip(plain[700:])))


def test_members_behind_the_end_of_the_tar_are_refused():
    more = tar([entry("demo-1.0/hidden.py", b"evil")])
    refused(judge("sdist", SDIST, gzip(tar(sdist_entries()) + more)),
            "data behind its end")
    refused(judge("sdist", SDIST, sdist() + gzip(more)),
            "data behind its end")


def test_a_damaged_tar_header_is_refused():
    plain = bytearray(tar(sdist_entries()))
    at = plain.index(b"demo-1.0/setup.py")
    plain[at] ^= 1
    refused(judge("sdist", SDIST, gzip(bytes(plain))), "tar not accepted")


def test_endless_extended_headers_are_refused():
    head = tarfile.TarInfo("x")
    head.type = tarfile.XHDTYPE
    block = head.tobuf()
    refused(judge("sdist", SDIST, gzip(tar(sdist_entries())[:-10240 + 2048]
                                       + block * 100000)),
            "")
    refused(judge("sdist", SDIST, gzip(block * 100000)), "")


# What may be in a tar.


def test_tar_names_that_lead_elsewhere_are_refused():
    for name, why in (("../x", "'..'"), ("demo-1.0/../../x", "'..'"),
                      ("/etc/passwd", "absolute path"), ("C:\\x", "absolute"),
                      ("demo-1.0\\..\\..\\x", "'..'"),
                      ("demo-1.0/a\nb", "control character"),
                      ("demo-1.0/" + "a/" * 2500 + "x", "over 4096 bytes")):
        refused(judge_sdist(entry(name, b"x")), why)
        refused(judge_sdist(entry(name, b"x"), form=tarfile.GNU_FORMAT), why)


def test_devices_and_fifos_are_refused():
    for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
        refused(judge_sdist(entry("demo-1.0/dev", kind=kind)),
                "a device, FIFO or socket")


def symlink(name, target):
    return entry(name, kind=tarfile.SYMTYPE, link=target)


def hardlink(name, target):
    return entry(name, kind=tarfile.LNKTYPE, link=target)


def test_symbolic_links_that_stay_inside_are_taken():
    for name, target in (("demo-1.0/l", "setup.py"), ("demo-1.0/l", "."),
                         ("demo-1.0/a/l", "../setup.py"),
                         ("demo-1.0/a/b/l", "../.."),
                         ("./demo-1.0/a/l", ".././setup.py")):
        accepted(judge_sdist(symlink(name, target)))


def test_symbolic_links_that_leave_are_refused():
    for name, target in (("demo-1.0/l", "/etc/passwd"), ("demo-1.0/l", ".."),
                         ("demo-1.0/l", "../demo-1.0/setup.py"),
                         ("demo-1.0/a/l", "../../x"), ("l", "demo-1.0"),
                         ("demo-1.0/l", "a/../../x"), ("demo-1.0/l", ""),
                         ("demo-1.0/a/l", "b/.."), ("demo-1.0/l", "//x"),
                         ("demo-1.0/l", "a/../setup.py")):
        refused(judge_sdist(symlink(name, target)), "leads outside")
    refused(judge_sdist(symlink("demo-1.0/l", "C:\\x")), "absolute path")
    refused(judge_sdist(symlink("demo-1.0/l", "..\\x")), "'..'")


def test_members_below_a_symbolic_link_are_refused():
    # a/b/s leads to the top; from there, three up is outside.
    refused(judge_sdist(symlink("demo-1.0/a/b/s", "../.."),
                        symlink("demo-1.0/a/b/s/l", "../..")),
            "lies below a symbolic link")
    refused(judge_sdist(entry("demo-1.0/s/x", b"1"),
                        symlink("demo-1.0/s", "a")),
            "lies below a symbolic link")


def test_hard_links_stay_inside_and_lead_to_files():
    accepted(judge_sdist(hardlink("demo-1.0/l", "demo-1.0/setup.py")))
    for target in ("/etc/passwd", "../x", "demo-1.0/../x", "other/x",
                   "setup.py"):
        answer = judge_sdist(hardlink("demo-1.0/l", target))
        refused(answer, "the hard link 'demo-1.0/l'")
    refused(judge_sdist(symlink("demo-1.0/a/b/s", "../.."),
                        hardlink("demo-1.0/s", "demo-1.0/a/b/s")),
            "a hard link leads to one")


def test_two_files_of_one_name_are_refused():
    refused(judge_sdist(entry("demo-1.0/setup.py", b"evil")),
            "two files of the same name")
    refused(judge_sdist(entry("./demo-1.0//PKG-INFO", b"evil")),
            "two files of the same name")
    refused(judge_sdist(symlink("demo-1.0/setup.py", "PKG-INFO")),
            "two files of the same name")
    accepted(judge_sdist(folder("demo-1.0"), folder("demo-1.0/")))


def test_sparse_files_are_refused():
    info, data = entry("demo-1.0/s", b"x" * 512)
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1",
                        "GNU.sparse.map": "1073741312,512",
                        "GNU.sparse.size": "1073741824",
                        "GNU.sparse.numblocks": "1"}
    refused(judge_sdist((info, data)), "sparse file")


# What makes an sdist of a tar or zip.


def test_an_sdist_has_one_top_folder():
    why = "Incorrect number of top-level directories in sdist"
    refused(judge_sdist(entry("other/x", b"1")), why)
    refused(judge_sdist(entry("setup.py", b"1")), why)
    refused(judge_sdist(folder("other")), why)
    refused(judge("sdist", SDIST, gzip(tar([entry("PKG-INFO", METADATA)]))),
            why)
    for names in (["demo-1.0/PKG-INFO", "x"], ["a/PKG-INFO", "b/PKG-INFO"],
                  ["PKG-INFO"], []):
        refused(judge("sdist", ZIP_SDIST, forge(
            [Member(name, METADATA) for name in names])), why)


def test_pkg_info_must_be_a_file_in_the_top_folder():
    why = "PKG-INFO not found at demo-1.0/PKG-INFO"
    top = folder("demo-1.0")
    for more in ([], [entry("demo-1.0/a/PKG-INFO", METADATA)],
                 [folder("demo-1.0/PKG-INFO")],
                 [entry("demo-1.0/pkg-info", METADATA)],
                 [symlink("demo-1.0/PKG-INFO", "a/PKG-INFO")],
                 [entry("demo-1.0/a", METADATA),
                  hardlink("demo-1.0/PKG-INFO", "demo-1.0/a")]):
        refused(judge("sdist", SDIST, gzip(tar([top] + more))), why)
    refused(judge("sdist", ZIP_SDIST, forge([Member("demo-1.0/a", b"1")])),
            why)


if __name__ == "__main__":
    cases(globals())
