#!/usr/bin/python3
"""Forms against Python's cgi.FieldStorage, which indexes used for 20 years.

Well-formed forms of every client's making must come out as cgi reads them,
whatever the pieces they arrive in.  Damaged ones may be refused; those that are
not must come out the same, too.
"""

import io
import re
import sys
import warnings

import oracle

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cgi

BOUNDARIES = (
    b"--------------GHSKFJDLGDS7543FJKLFHRE75642756743254",
    b"0123456789abcdef0123456789abcdef",
    b"3b9aca00-0123456789abcdef-0123456789abcdef-0123456789abcdef",
    b"----WebKitFormBoundary7MA4YWxkTrZu0gW",
    b"X",
    b"-",
    b"--",
    b"a b'()+_,./:=?c",
    b"x" * 70,
)
NAMES = (b"name", b":action", b"content", b"a b", b"a;b=c", b"\xc3\xa9", b'q"q', b"b\\c", b"=")
TYPES = (b"", b"", b"text/plain", b"application/octet-stream", b"text/plain; charset=utf-8")
CASES = oracle.CASES // 3  # of each kind; cgi is slow
rng = oracle.rng


def one_of(*things):
    return rng.choice(things)


def is_delimiter(line, boundary):
    """As cgi sees it: any white space may follow."""
    return line.strip() in (b"--" + boundary, b"--" + boundary + b"--")


def value(boundary):
    if oracle.one_in(300):
        size = rng.randrange(60000, 140000)
        text = rng.randbytes(size) if oracle.one_in(2) else b"x" * size
    else:
        near = b"--" + boundary
        pieces = (b"\r", b"\n", b"\r\n", b"-", b"--", near, near + b"x", near[:-1], b"\r\n" + near)
        pieces += (near + b"-\r\n", b" ", b"\t", b"\0", b"\xff", b"text", b"UNKNOWN")
        text = b"".join(one_of(*pieces) for _ in range(rng.choice((0, 0, 1, 1, 2, 5, 20))))
    if any(is_delimiter(line, boundary) for line in text.split(b"\n")):
        return value(boundary)
    return text


def quoted(name):
    plain = re.fullmatch(rb"[a-z:]+", name)
    if plain and oracle.one_in(3):
        return name
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def header(newline):
    disposition = one_of(b"Content-Disposition: ", b"content-disposition:") + b"form-data"
    params = [b"name=" + quoted(one_of(*NAMES))]
    if oracle.one_in(3):
        params.append(b"filename=" + quoted(one_of(b"", b"a-1.0.tar.gz", *NAMES)))
    if oracle.one_in(9):
        params.append(b"x=y")
    rng.shuffle(params)
    semicolon = one_of(b"; ", b"; ", b";", b" ;  ")
    lines = [disposition + semicolon + semicolon.join(params)]
    type_ = one_of(*TYPES)
    if type_:
        lines.append(b"Content-Type: " + type_)
    if oracle.one_in(9):
        lines.append(b"X-Other: \xc3\xa9")
    rng.shuffle(lines)
    return b"".join(line + newline() for line in lines) + newline()


def form():
    """A well-formed form: its type and its body."""
    boundary = one_of(*BOUNDARIES)
    newlines = one_of((b"\r\n",), (b"\r\n",), (b"\n",), (b"\r\n", b"\n"))

    def newline():
        return rng.choice(newlines)

    def delimiter(end=b""):
        return b"--" + boundary + end + (one_of(b" ", b"\t \t") if oracle.one_in(20) else b"")

    body = one_of(b"", b"", newline(), b"preamble" + newline(), b"-" + newline())
    for _ in range(rng.choice((1, 1, 2, 3, 10))):
        body += delimiter() + newline() + header(newline) + value(boundary) + newline()
    body += delimiter(b"--") + one_of(b"", newline(), newline() + b"epilogue")
    needs_quotes = re.search(rb"[^A-Za-z0-9'+_.-]", boundary)
    if needs_quotes or oracle.one_in(5):
        boundary = b'"' + boundary + b'"'
    type_ = b"multipart/form-data; boundary=" + boundary
    if oracle.one_in(5):
        type_ += b"; charset=utf-8"
    return type_, body


def damaged(body):
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(body) + 1)
        c = one_of(b"\r", b"\n", b"-", b'"', b";", b":", b"=", b" ", b"\\", b"x", b"\0", b"\r\n")
        body = one_of(
            body[:at] + c + body[at:],
            body[:at] + c + body[at + 1 :],
            body[:at] + body[at + 1 :],
            body[:at] + body[max(0, at - 9) :],
        )
    return body


def text(data):
    return data.decode("utf-8", "surrogateescape")


def case(make_body):
    type_, body = form()
    return text(type_), text(make_body(body)), str(one_of(1, 2, 7, 100, 5000, 10**6))


def as_bytes(string):
    return string if isinstance(string, bytes) else string.encode("latin-1")


def cgi_answer(type_, body):
    found = cgi.FieldStorage(
        fp=io.BytesIO(oracle.encode(body)),
        headers={"content-type": type_},
        environ={"REQUEST_METHOD": "POST"},
        keep_blank_values=True,
        encoding="latin-1",
    )
    answer = "OK"
    for item in found.list:
        kind = item.headers.get("content-type", "").strip()
        answer += f" '{as_bytes(item.name or '').hex()}'"
        answer += " -" if item.filename is None else f" '{as_bytes(item.filename).hex()}'"
        answer += f" '{as_bytes(kind).hex()}' '{as_bytes(item.value).hex()}'"
    return answer


def is_comparable(type_, body):
    """Not where cgi takes for a delimiter what RFC 2046 does not.

    Nor where a quoted text ends in a backslash: cgi misses the end of it.
    """
    if '\\\\"' in body:
        return False
    boundary = oracle.encode(cgi.parse_header(type_)[1]["boundary"])
    strict = re.compile(rb"--%s(--)?[ \t]*\r?" % re.escape(boundary))
    return all(
        strict.fullmatch(line)
        for line in oracle.encode(body).split(b"\n")
        if is_delimiter(line, boundary)
    )


def show(case_, got, want):
    print(f"# {ascii(case_)[:2000]}\n#  got: {got[:2000]}\n# want: {want[:2000]}")


def compare(make_body, may_refuse):
    """How many answers were wrong, and how many cases were accepted."""
    wrong = accepted = 0
    for start in range(0, CASES, 1000):
        count = min(1000, CASES - start)
        cases = [case(make_body) for _ in range(count)]
        for case_, got in zip(cases, oracle.ask("multipart", cases)):
            if may_refuse and (got in ("INVALID", "OK") or not is_comparable(*case_[:2])):
                continue
            accepted += 1
            want = cgi_answer(*case_[:2])
            if got == want:
                continue
            wrong += 1
            if wrong <= oracle.SHOWN:
                show(case_, got, want)
    return wrong, accepted


print("1..3")
wrong, _ = compare(lambda body: body, False)
print(f"{'not ' if wrong else ''}ok 1 - {CASES} well-formed forms, {wrong} wrong")
damage, accepted = compare(damaged, True)
print(f"{'not ' if damage else ''}ok 2 - {accepted} damaged forms accepted, {damage} wrong")
balanced = CASES // 20 <= accepted < CASES
print(f"{'' if balanced else 'not '}ok 3 - {accepted} of {CASES} damaged ones accepted")
sys.exit(bool(wrong or damage or not balanced))
