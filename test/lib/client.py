"""A client that is as polite or as rude as a test wants, and what it uploads.

    client = Client(index)                  # an Instance with a first token
    name, data = wheel('demo', '1.0')
    answer = client.upload(name, data)      # .status .reason .text .headers
    answer = client.get('/simple/demo/', Accept='text/html')
    answer = client.raw(b'GET / HTTP/1.0\r\n\r\n')

Archives are made here, of the same bytes for the same arguments, so that a
test can say what it expects of them.
"""
import base64
import gzip
import hashlib
import http.client
import io
import json
import re
import socket
import ssl
import tarfile
import urllib.parse
import xmlrpc.client
import zipfile

WAIT_S = 120        # for what should take a second or two; then it hangs
BOUNDARY = b'c0ffee0123456789c0ffee0123456789'
V1_JSON = 'application/vnd.pypi.simple.v1+json'
V1_HTML = 'application/vnd.pypi.simple.v1+html'
TYPES = {'sdist': 'source', 'bdist_wheel': 'py3'}


def normal(name):
    return re.sub(r'[-_.]+', '-', name).lower()


def metadata(name, version, *lines, body='', core='2.1'):
    """A METADATA file; lines are further fields, "Name: value"."""
    head = [f'Metadata-Version: {core}', f'Name: {name}',
            f'Version: {version}', *lines]
    return '\n'.join(head + ['', body]).encode()


def wheel(name, version, *lines, tag='py3-none-any', files=(), body='',
          core='2.1', meta=None):
    """(file name, bytes) of a sound wheel; files: more (path, bytes)."""
    stem = f"{normal(name).replace('-', '_')}-{version}"
    info = f'{stem}.dist-info'
    out = io.BytesIO()
    members = [*files,
               (f'{info}/METADATA', meta if meta is not None else
                metadata(name, version, *lines, body=body, core=core)),
               (f'{info}/WHEEL', f'Wheel-Version: 1.0\nTag: {tag}\n'.encode())]
    record = ''.join(
        f'{path},sha256={urlsafe(hashlib.sha256(data).digest())},{len(data)}\n'
        for path, data in members) + f'{info}/RECORD,,\n'
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        for path, data in [*members, (f'{info}/RECORD', record.encode())]:
            archive.writestr(zipfile.ZipInfo(path), data)
    return f'{stem}-{tag}.whl', out.getvalue()


def urlsafe(digest):
    return base64.urlsafe_b64encode(digest).rstrip(b'=').decode()


def sdist(name, version, *lines, body='', core='2.1', files=()):
    """(file name, bytes) of a sound sdist."""
    stem = f"{normal(name).replace('-', '_')}-{version}"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as archive:
        for path, data in [('PKG-INFO', metadata(name, version, *lines,
                                                 body=body, core=core)),
                           ('setup.py', b'import setuptools\n'), *files]:
            entry = tarfile.TarInfo(f'{stem}/{path}')
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return f'{stem}.tar.gz', gzip.compress(out.getvalue(), mtime=0)


def digests(data):
    return {'sha256_digest': hashlib.sha256(data).hexdigest(),
            'md5_digest': hashlib.md5(data).hexdigest(),
            'blake2_256_digest':
                hashlib.blake2b(data, digest_size=32).hexdigest()}


def fields_for(filename, data, **changes):
    """The form of an upload, as a list of (name, value); a change to None
    leaves the field out, one to a list sends it several times."""
    kind = 'bdist_wheel' if filename.endswith('.whl') else 'sdist'
    stem = filename[:-7] if filename.endswith('.tar.gz') else filename
    name, version = (stem.split('-') + [''])[:2]
    fields = {':action': 'file_upload', 'protocol_version': '1',
              'metadata_version': '2.1', 'name': name, 'version': version,
              'filetype': kind, 'pyversion': TYPES[kind], **digests(data),
              'content': (filename, data)}
    fields.update({key.replace('__action', ':action'): value
                   for key, value in changes.items()})
    pairs = []
    for key, value in fields.items():
        if value is not None:
            pairs += [(key, one) for one in
                      (value if isinstance(value, list) else [value])]
    return pairs


def to_bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


def part_header(name, value, eol):
    head = b'Content-Disposition: form-data; name="' + to_bytes(name) + b'"'
    if isinstance(value, tuple):
        head += b'; filename="' + to_bytes(value[0]) + b'"'
        if len(value) < 3:
            head += eol + b'Content-Type: application/octet-stream'
        elif value[2]:
            head += eol + b'Content-Type: ' + to_bytes(value[2])
    return head + eol + eol


def multipart(pairs, boundary=BOUNDARY, eol=b'\r\n', before=b'', after=b''):
    """A form's body.  A value is text, bytes or (file name, bytes[, type])."""
    out = [before]
    for name, value in pairs:
        data = value[1] if isinstance(value, tuple) else value
        out += [b'--', boundary, eol, part_header(name, value, eol),
                to_bytes(data), eol]
    return b''.join(out + [b'--', boundary, b'--', eol, after])


def basic(user, secret):
    return 'Basic ' + base64.b64encode(f'{user}:{secret}'.encode()).decode()


class Answer:
    """What came back: .status, .reason, .headers, .text (bytes)."""

    def __init__(self, response):
        self.status, self.reason = response.status, response.reason
        self.headers = response.headers
        self.version = response.version
        self.text = response.read()

    def __getitem__(self, name):
        """A header field, None if there is none."""
        return self.headers[name]

    @property
    def words(self):
        return self.text.decode('utf-8')

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def identity(self):
        """The body without its gzip."""
        return gzip.decompress(self.text) \
            if self['Content-Encoding'] == 'gzip' else self.text


class Client:
    """Speaks to an Instance; user and token are what it uploads with, a new
    account's unless there is a token already."""

    def __init__(self, index, user='alice', token=None):
        self.index = index
        self.user = user
        self.token = token or index.token(user)

    def ask(self, method, path, body=None, headers=None):
        server = http.client.HTTPConnection('127.0.0.1', self.index.port,
                                            timeout=WAIT_S)
        try:
            server.request(method, path, body, headers or {})
            return Answer(server.getresponse())
        finally:
            server.close()

    def call(self, method, *args):
        """What an XML-RPC method gives; its errors are xmlrpc.client's."""
        body = xmlrpc.client.dumps(args, method, allow_none=True)
        answer = self.ask('POST', '/pypi', body, {'Content-Type': 'text/xml'})
        if answer.status != 200:
            raise xmlrpc.client.ProtocolError(
                '/pypi', answer.status, answer.reason, answer.headers)
        return xmlrpc.client.loads(answer.text)[0][0]

    def get(self, path, **headers):
        return self.ask('GET', path, headers={
            name.replace('_', '-'): value for name, value in headers.items()})

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.index.port),
                                        WAIT_S)

    def raw(self, request, method='GET'):
        """The answer to these very bytes."""
        with self.connect() as sock:
            sock.sendall(request)
            return self.read_answer(sock, method)

    @staticmethod
    def read_answer(sock, method='GET'):
        response = http.client.HTTPResponse(sock, method=method)
        response.begin()
        return Answer(response)

    def auth(self):
        return {'Authorization': basic('__token__', self.token)}

    def post(self, pairs, path='/legacy/', headers=None, **form):
        """Send a form, as this client's user unless headers say otherwise;
        a header of None is left out."""
        boundary = form.get('boundary', BOUNDARY)
        all_headers = {'Content-Type': 'multipart/form-data; boundary='
                       + boundary.decode(), **self.auth(), **(headers or {})}
        return self.ask('POST', path, multipart(pairs, **form), {
            name: value for name, value in all_headers.items()
            if value is not None})

    def upload(self, filename, data, headers=None, path='/legacy/',
               **changes):
        return self.post(fields_for(filename, data, **changes), path, headers)

    def project(self, name):
        """The JSON page of a project."""
        return self.get(f'/simple/{normal(name)}/', Accept=V1_JSON).json

    def serial(self):
        return int(self.get('/simple/', Accept=V1_JSON)['X-PyPI-Last-Serial'])


class Quick:
    """An answer read from a socket's file by hand: a fifth of the time that
    http.client takes, which a history of a million answers is glad of."""

    reason = version = None

    def __init__(self, stream, method):
        head = self.line(stream).split(None, 2)
        self.status, self.fields = int(head[1]), {}
        while line := self.line(stream):
            name, _, value = line.partition(b':')
            self.fields[name.decode().lower()] = value.strip().decode()
        if method == 'HEAD' or self.status in (204, 304):
            self.text = b''
        elif self['Transfer-Encoding'] == 'chunked':
            self.text = b''.join(self.chunks(stream))
        else:
            self.text = self.exactly(stream, int(self['Content-Length'] or 0))

    def __getitem__(self, name):
        return self.fields.get(name.lower())

    headers = property(lambda self: self.fields)
    json, identity = Answer.json, Answer.identity

    @staticmethod
    def line(stream):
        line = stream.readline()
        if not line.endswith(b'\n'):
            raise ConnectionResetError('cut off')
        return line.rstrip(b'\r\n')

    @staticmethod
    def exactly(stream, n):
        data = stream.read(n)
        if len(data) < n:
            raise ConnectionResetError('cut off')
        return data

    def chunks(self, stream):
        while n := int(self.line(stream), 16):
            yield self.exactly(stream, n)
            self.line(stream)
        self.line(stream)


class Remote(Client):
    """Speaks to an index at a URL over one connection that it keeps; after a
    failure over a new one.  ca: the file of the certificates that it trusts.
    For one thread."""

    def __init__(self, name, url, token, ca=None, wait_s=WAIT_S):
        self.name, self.token, self.wait_s = name, token, wait_s
        where = urllib.parse.urlsplit(url)
        self.host = where.netloc
        self.address = where.hostname, where.port or (443 if ca else 80)
        self.tls = ssl.create_default_context(cafile=ca) if ca else None
        self.sock = self.stream = None

    def connect(self):
        sock = socket.create_connection(self.address, self.wait_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            sock = self.tls.wrap_socket(sock, server_hostname=self.address[0])
        self.sock, self.stream = sock, sock.makefile('rb')

    def ask(self, method, path, body=None, headers=None):
        is_old = self.sock is not None
        try:
            if not is_old:
                self.connect()
            self.sock.sendall(self.request(method, path, body, headers))
            return self.read_answer(method)
        except (BrokenPipeError, ConnectionResetError):
            # A kept connection may end between two requests; what reads
            # may be asked again, as every client does.
            self.close()
            if not is_old or method != 'GET':
                raise
        except BaseException:
            self.close()
            raise
        return self.ask(method, path, body, headers)

    def request(self, method, path, body, headers):
        lines = [f'{method} {path} HTTP/1.1', f'Host: {self.host}']
        lines += [f'{name}: {value}' for name, value in
                  (headers or {}).items()]
        body = to_bytes(body or b'')
        if body:
            lines.append(f'Content-Length: {len(body)}')
        return '\r\n'.join([*lines, '', '']).encode() + body

    def read_answer(self, method):
        answer = Quick(self.stream, method)
        if answer['Connection'] == 'close':
            self.close()
        return answer

    def close(self):
        if self.sock:
            self.stream.close()
            self.sock.close()
        self.sock = self.stream = None
