"""Wheels and the requests that upload them, made before the clock starts."""
import base64
import hashlib
import io
import zipfile

BOUNDARY = '8f2e1c0b7d'
LENGTH_DIGITS = 8       # as test/tool/load.c reads them


def metadata(name, version):
    return (f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n'
            'Summary: A package of the benchmark\nLicense: MIT\n'
            'Requires-Python: >=3.8\n'
            'Classifier: Programming Language :: Python :: 3\n').encode()


def digest(data):
    text = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return 'sha256=' + text.rstrip(b'=').decode()


def write_wheel(out, name, version, payload):
    """A wheel with one file of its own, into the file object out."""
    info = f'{name}-{version}.dist-info'
    members = {
        f'{name}.py': payload,
        f'{info}/METADATA': metadata(name, version),
        f'{info}/WHEEL': b'Wheel-Version: 1.0\nGenerator: bench\n'
                         b'Root-Is-Purelib: true\nTag: py3-none-any\n',
    }
    record = ''.join(f'{path},{digest(data)},{len(data)}\n'
                     for path, data in members.items())
    members[f'{info}/RECORD'] = f'{record}{info}/RECORD,,\n'.encode()
    with zipfile.ZipFile(out, 'w') as archive:
        for path, data in members.items():
            archive.writestr(path, data)


def wheel(name, version):
    out = io.BytesIO()
    write_wheel(out, name, version,
                f'"""{name} {version}"""\n'.encode() + b'x = 1\n' * 100)
    return out.getvalue()


def filename(name, version):
    return f'{name}-{version}-py3-none-any.whl'


def fields(name, version, sha256):
    """The form beside the file, as twine sends it."""
    return {':action': 'file_upload', 'protocol_version': '1',
            'filetype': 'bdist_wheel', 'pyversion': 'py3',
            'metadata_version': '2.1', 'name': name, 'version': version,
            'summary': 'A package of the benchmark', 'license': 'MIT',
            'requires_python': '>=3.8',
            'classifiers': 'Programming Language :: Python :: 3',
            'sha256_digest': sha256}


def authorization(token):
    return 'Basic ' + base64.b64encode(f'__token__:{token}'.encode()).decode()


def upload(token, name, version):
    """The bytes of one whole POST."""
    data = wheel(name, version)
    form = fields(name, version, hashlib.sha256(data).hexdigest())
    body = b''.join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n'
        f'\r\n{value}\r\n'.encode() for key, value in form.items())
    body += (f'--{BOUNDARY}\r\nContent-Disposition: form-data; '
             f'name="content"; filename="{filename(name, version)}"\r\n'
             'Content-Type: application/octet-stream\r\n\r\n').encode()
    body += data + f'\r\n--{BOUNDARY}--\r\n'.encode()
    return post('/legacy/', body,
                f'multipart/form-data; boundary={BOUNDARY}',
                f'Authorization: {authorization(token)}\r\n')


def post(path, body, content_type, headers=''):
    return (f'POST {path} HTTP/1.1\r\nHost: bench\r\n{headers}'
            f'Content-Type: {content_type}\r\n'
            f'Content-Length: {len(body)}\r\n\r\n').encode() + body


def get(path, headers=''):
    return f'GET {path} HTTP/1.1\r\nHost: bench\r\n{headers}\r\n'.encode()


def write_requests(path, requests):
    """A file for test/tool/load."""
    with open(path, 'wb') as out:
        for request in requests:
            out.write(f'{len(request):0{LENGTH_DIGITS}}'.encode() + request)
