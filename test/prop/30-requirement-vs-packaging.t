#!/usr/bin/python3
"""Requirements against packaging.requirements: verdict and meaning."""

import re
import sys

import oracle
from oracle import one_in, rng
from packaging._parser import parse_requirement
from packaging.markers import Variable
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import canonicalize_name

NAMES = ("a", "Foo", "foo.bar", "foo_bar", "A-b", "x1", "f__o", "1", "and", "in")
EXTRAS = ("", "", "", "[]", "[a]", "[ a , B ]", "[a.b,a-b]")
OPERATORS = ("==", ">=", "<=", "<", ">", "!=", "~=")
VARIABLES = (
    "python_version", "python_full_version", "os_name", "os.name",
    "sys_platform", "sys.platform", "platform_release", "platform_system",
    "platform.version", "platform_machine", "platform_python_implementation",
    "python_implementation", "platform.python_implementation",
    "implementation_name", "implementation_version",
)
VALUES = ("'3.8'", '"nt"', "'win32'", "''", "'a\"b'", '"it\'s"', "'\u00e9'")
OPS = ("==", ">=", "<", " in ", " not  in ", "===", "~=", "!=", "in", "not in")
URLS = ("https://example.org/a.whl", "git+https://example.org/a@b#c=d;e")
SPACES = ("", "", "", " ", "  ", "\t")
NOISE = "ab1 .-_;,()[]<>=!~@'\"*+\t"


def space():
    return rng.choice(SPACES)


def make_specifier():
    text = oracle.version()
    if one_in(2):
        text = text.split("+")[0]
    return rng.choice(OPERATORS) + space() + text + space()


def make_set():
    text = ("," + space()).join(
        make_specifier() for _ in range(rng.choice((0, 1, 1, 2, 3)))
    )
    return rng.choice(("%s", "%s", "(%s)", "( %s )")) % text


def make_comparison():
    if one_in(3):
        sides = ["extra", rng.choice(("'x'", '"Foo_Bar"', "'a.b'"))]
    else:
        sides = [rng.choice(VARIABLES), rng.choice(VALUES)]
    rng.shuffle(sides)
    return space() + sides[0] + space() + rng.choice(OPS) + space() + sides[1] + space()


def make_marker(depth=0):
    text = ""
    for i in range(rng.choice((1, 1, 1, 2, 3))):
        if i:
            text += rng.choice(("and", "or")) + rng.choice(("", " ", " "))
        if depth < 4 and one_in(3):
            text += space() + "(" + make_marker(depth + 1) + ")" + space()
        else:
            text += make_comparison()
    return text


def make_requirement():
    text = space() + rng.choice(NAMES) + space() + rng.choice(EXTRAS) + space()
    if one_in(10):
        text += "@" + space() + rng.choice(URLS) + rng.choice((" ", ""))
    else:
        text += make_set() + space()
    if not one_in(3):
        text += ";" + make_marker()
    return oracle.mutate(text, NOISE) if one_in(3) else text


def is_in_dispute(text):
    """Is the verdict another in release 23.0 than in newer ones, or in both
    another than ours for a reason that does not matter?

    23.0 wants a scheme and a host in a URL, where newer ones take any text,
    and takes what follows a comma for a part of the version behind "===".
    Both know the lower case of letters beyond ASCII in the name of an extra.
    """
    head = text.split(";")[0]
    url = re.match(r"[^;'\"<>=~!@]*@\s*(\S+)", text)
    return (
        "===" in head
        or any(c.lower() != c for c in text if c > "\x7f")
        or url is not None
        and not (
            head.isascii()
            and re.fullmatch(r"(git\+)?https://[\w.]+(/[\w./@#=;-]*)?", url.group(1))
        )
    )


def make_case():
    text = make_requirement()
    while is_in_dispute(text):
        text = make_requirement()
    return (text,)


def has_our_limits(text):
    """Names and specifiers are ASCII, versions have VERSION_MAX_BYTES at most,
    and there are no control characters."""
    head = text.split(";")[0]
    return (
        head.isascii()
        and not re.search(r"[^\s,()<>=~]{257}", head)
        and not re.search("[\x00-\x08\x0a-\x1f\ud800-\udfff]", text)
    )


def marker_text(item, outermost=False):
    """One form for each marker, made from packaging's parse."""
    if isinstance(item, str):
        return item
    if isinstance(item, list):
        if len(item) == 1:
            return marker_text(item[0], outermost)
        text = " ".join(marker_text(part) for part in item)
        return text if outermost else f"({text})"
    left, op, right = item
    return f"{side(left, right)} {op.value} {side(right, left)}"


def side(this, other):
    if isinstance(this, Variable):
        return this.value
    value = this.value
    if isinstance(other, Variable) and other.value == "extra":
        value = canonicalize_name(value)
    quote = "'" if '"' in this.value else '"'
    return quote + value + quote


def canonical(text):
    parsed = parse_requirement(text)
    extras = sorted({canonicalize_name(extra) for extra in parsed.extras})
    specifiers = {"".join(one.split()) for one in parsed.specifier.split(",")}
    out = canonicalize_name(parsed.name)
    out += f"[{','.join(extras)}]" if extras else ""
    out += ",".join(sorted(specifiers - {""}))
    out += f" @ {parsed.url}" if parsed.url else ""
    if parsed.marker:
        out += " ; " if parsed.url else "; "
        out += marker_text(parsed.marker, True)
    return out


def expected(text):
    if not has_our_limits(text):
        return "INVALID", False
    try:
        Requirement(text)
    except (InvalidRequirement, InvalidSpecifier, SyntaxError):
        return "INVALID", False
    return "OK " + canonical(text), True


sys.exit(oracle.check("requirement", make_case, expected, 4))
