"""Real clients, each in a virtual environment of its own.

    twine = client('twine')             # of test/client/requirements-twine.txt
    twine.run('twine', 'upload', ...)   # its output, or the test fails

What was once fetched is kept in build/clients (CLIENTS=): one uv that makes
the environments, one folder for each of them, and caches of what they came
from.  A requirements file pins the client; what the client itself needs is
held by NEWEST, so that every run has the same.  Its first line may name the
Python it needs: "# python: >=3.12".

A client that cannot be had (no network, no such Python) ends its tests as
skipped, by its name.
"""
import base64
import contextlib
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))

import tap                          # noqa: E402
from servers import TREE            # noqa: E402
from tap import Untrue, say, skip   # noqa: E402

KEPT = os.path.join(TREE, os.environ.get('CLIENTS') or 'build/clients')
PYTHON = '/usr/bin/python3'
NEWEST = '2026-11-20'           # nothing younger is installed
RUN_S = 180                     # a client that takes longer hangs
FETCH_S = 600

# Settings of the machine's owner that would change what a client does.
FOREIGN = ('PIP_', 'UV_', 'TWINE_', 'POETRY_', 'HATCH_', 'PDM_', 'FLIT_',
           'PYTHON', 'VIRTUAL_ENV', 'XDG_', 'DEVPI')


def cache(name):
    return os.path.join(KEPT, 'cache', name)


def outside():
    """The environment of what fetches from the public index."""
    return {**os.environ, 'UV_CACHE_DIR': cache('uv'),
            'UV_EXCLUDE_NEWER': NEWEST, 'UV_LINK_MODE': 'hardlink',
            'PIP_CACHE_DIR': cache('pip'), 'PATH': search_path()}


def search_path():
    """PATH, and the Pythons that pyenv keeps beside it."""
    return os.pathsep.join([os.environ['PATH'], *sorted(
        glob.glob(os.path.expanduser('~/.pyenv/versions/*/bin')))])


def inside(home):
    """The environment of what asks our index, and nobody else."""
    return {**{name: value for name, value in os.environ.items()
               if not name.startswith(FOREIGN)},
            'HOME': home, 'NO_PROXY': '127.0.0.1', 'no_proxy': '127.0.0.1',
            'PIP_DISABLE_PIP_VERSION_CHECK': '1', 'PIP_NO_INPUT': '1',
            'PIP_ROOT_USER_ACTION': 'ignore', 'COLUMNS': '500',
            'NO_COLOR': '1', 'TERM': 'dumb', 'PYTHONWARNINGS': 'ignore',
            'PYTHON_KEYRING_BACKEND': 'keyring.backends.null.Keyring',
            'POETRY_VIRTUALENVS_IN_PROJECT': 'true',
            'PDM_CHECK_UPDATE': '0', 'UV_CACHE_DIR': f'{home}/uv-cache',
            'UV_PYTHON': PYTHON, 'UV_PYTHON_DOWNLOADS': 'never'}


def execute(argv, cwd=None, env=None, timeout_s=RUN_S, data=''):
    """Run a command to its end; its exit status and all that it said."""
    begun = time.monotonic()
    try:
        done = subprocess.run(argv, cwd=cwd, env=env, input=data, text=True,
                              errors='replace', stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout_s)
        status, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        status, said = -1, (late.stdout or b'').decode(errors='replace') + \
            f'\n(no end within {timeout_s} s)'
    say(f'$ {" ".join(argv)}   [{status}, {time.monotonic() - begun:.1f} s]')
    say(said)
    return status, said


@contextlib.contextmanager
def locked(name):
    """Two test files may want the same environment at once."""
    os.makedirs(KEPT, exist_ok=True)
    with open(os.path.join(KEPT, name + '.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_made(folder, recipe):
    try:
        with open(os.path.join(folder, 'recipe')) as made:
            return made.read() == recipe
    except FileNotFoundError:
        return False


def set_made(folder, recipe):
    with open(os.path.join(folder, 'recipe'), 'w') as made:
        made.write(recipe)


def requirements(name):
    path = os.path.join(HERE, f'requirements-{name}.txt')
    with open(path) as text:
        return path, text.read()


def uv():
    """The path of the uv that makes all other environments."""
    path, text = requirements('uv')
    folder = os.path.join(KEPT, 'uv')
    with locked('uv'):
        if not is_made(folder, text):
            fetch('uv', [PYTHON, '-m', 'venv', '--clear', folder])
            fetch('uv', [f'{folder}/bin/pip', 'install', '-q', '-r', path])
            set_made(folder, text)
    return f'{folder}/bin/uv'


def fetch(name, argv):
    status, said = execute(argv, env=outside(), timeout_s=FETCH_S)
    if status != 0:
        lines = said.strip().splitlines() or ['']
        skip(f'{name} cannot be had here: {lines[-1].strip()}')


class Client:
    """An environment: its programs run in home, against our index only."""

    def __init__(self, folder, home):
        self.folder, self.home = folder, home

    def program(self, name):
        return os.path.join(self.folder, 'bin', name)

    def try_run(self, program, *words, cwd=None, env=None, data=''):
        """The exit status and the output of a program."""
        return execute([self.program(program), *words], cwd or self.home,
                       {**inside(self.home),
                        'PATH': f'{self.folder}/bin:{os.environ["PATH"]}',
                        **(env or {})}, data=data)

    def run(self, program, *words, **how):
        """The output of a program that must succeed."""
        status, said = self.try_run(program, *words, **how)
        if status != 0:
            raise Untrue(f'{program} ended with {status}:\n{said}')
        return said

    def fail(self, program, *words, **how):
        """The output of a program that must not succeed."""
        status, said = self.try_run(program, *words, **how)
        if status == 0:
            raise Untrue(f'{program} ended well:\n{said}')
        return said

    def version(self, project):
        """The installed version of a project."""
        found = glob.glob(f'{self.folder}/lib/python*/site-packages/'
                          f'{project.replace("-", "_")}-*.dist-info')
        return os.path.basename(found[0])[:-10].split('-')[1]


def client(name, home):
    """The environment of requirements-NAME.txt, made when it is missing."""
    path, text = requirements(name)
    first = text.splitlines()[0]
    python = first[10:] if first.startswith('# python: ') else PYTHON
    folder = os.path.join(KEPT, 'client', name)
    made_by = uv()
    with locked(name):
        if not is_made(folder, text + NEWEST):
            fetch(name, [made_by, 'venv', '-q', '--clear', '-p', python,
                         folder])
            fetch(name, [made_by, 'pip', 'install', '-q', '-p', folder,
                         '--compile-bytecode', '-r', path])
            set_made(folder, text + NEWEST)
    return Client(folder, home)


def new_venv(name, home):
    """An empty environment that a test may fill, with pip of client NAME."""
    folder = tempfile.mkdtemp(prefix='venv-', dir=home)
    source = client(name, home).folder
    status, said = execute([uv(), 'venv', '-q', '--clear', '-p', PYTHON,
                            folder], env=outside())
    if status != 0:
        raise Untrue(said)
    for path in glob.glob(f'{source}/lib/python*/site-packages/pip*'):
        shutil.copytree(path, path.replace(source, folder))
    return Client(folder, home)


def digest(path, name='sha256'):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, name).hexdigest()


# Projects made on the spot.

PYPROJECT = """\
[build-system]
requires = ["{requires}"]
build-backend = "{backend}"

[project]
name = "{name}"
version = "{version}"
description = "A project for the tests of an index & its <clients>"
readme = "README.md"
requires-python = ">=3.8"
keywords = ["index", "test"]
license = {{ text = "MIT" }}
authors = [{{ name = "Ännchen Müller", email = "ann@example.org" }}]
classifiers = ["Programming Language :: Python :: 3"]
dependencies = []
{more}
[project.urls]
Homepage = "https://example.org/{name}"
"""

SETUP = """\
from {module} import setup
setup(name='{name}', version='{version}', py_modules=['{name}'],
      description='A project for the tests of an index & its <clients>',
      long_description=open('README.md').read(), author='Ann',
      author_email='ann@example.org', url='https://example.org/',
      license='MIT', keywords='index test', platforms=['any'],
      classifiers=['Programming Language :: Python :: 3'])
"""


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as out:
        out.write(text)


def project(home, name, version='1.0', *, backend=None, requires='', more=''):
    """A folder with a small project: pyproject.toml if backend is given."""
    folder = tempfile.mkdtemp(prefix=f'{name}-', dir=home)
    module = name.replace('-', '_')
    put(f'{folder}/{module}.py', f'"""The module of {name}."""\n'
        f'__version__ = NAME = "{name} {version}"\n')
    put(f'{folder}/README.md', f'# {name}\n\nÜber *alles*.\n')
    if backend:
        put(f'{folder}/pyproject.toml', PYPROJECT.format(
            name=name, version=version, backend=backend, more=more,
            requires=requires))
    return folder


def setup_py(folder, name, version='1.0', module='distutils.core'):
    put(f'{folder}/setup.py', SETUP.format(
        name=name, version=version, module=module))
    put(f'{folder}/MANIFEST.in', 'include README.md\n')


def wheel(folder, name, version, *, requires=(), python='', more=''):
    """The path of a wheel written by hand, which takes no time to build."""
    module = name.replace('-', '_')
    info = f'{module}-{version}.dist-info'
    members = {
        f'{module}.py': f'NAME = "{name} {version}"\n',
        f'{info}/METADATA': 'Metadata-Version: 2.1\n'
        f'Name: {name}\nVersion: {version}\n' +
        ''.join(f'Requires-Dist: {each}\n' for each in requires) +
        (f'Requires-Python: {python}\n' if python else '') + more,
        f'{info}/WHEEL': 'Wheel-Version: 1.0\nGenerator: test\n'
        'Root-Is-Purelib: true\nTag: py3-none-any\n',
    }
    members[f'{info}/RECORD'] = ''.join(
        f'{path},{record_hash(text)},{len(text)}\n'
        for path, text in members.items()) + f'{info}/RECORD,,\n'
    path = os.path.join(folder, f'{module}-{version}-py3-none-any.whl')
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as out:
        for member, text in members.items():
            out.writestr(member, text)
    return path


def record_hash(text):
    raw = hashlib.sha256(text.encode()).digest()
    return 'sha256=' + base64.urlsafe_b64encode(raw).decode().rstrip('=')


def built(folder):
    """The distributions of a project, sdist last."""
    return sorted(glob.glob(f'{folder}/dist/*.whl')) + sorted(
        path for path in glob.glob(f'{folder}/dist/*')
        if path.endswith(('.tar.gz', '.zip')))


def pypirc(home, index, token):
    """What twine, flit and distutils read in $HOME."""
    put(f'{home}/.pypirc', '[distutils]\nindex-servers =\n    tilsit\n    '
        f'old\n\n[tilsit]\nrepository = {index.url}/legacy/\n'
        f'username = __token__\npassword = {token}\n\n[old]\n'
        f'repository = {index.url}/pypi\n'
        f'username = __token__\npassword = {token}\n')


# Asking the index.

def ask(index, path, accept='application/vnd.pypi.simple.v1+json'):
    """The answer to a GET, its JSON in .json if it is some."""
    request = urllib.request.Request(index.url + path,
                                     headers={'Accept': accept})
    with urllib.request.urlopen(request) as answer:
        answer.body = answer.read()
    answer.json = json.loads(answer.body) \
        if 'json' in answer.headers['Content-Type'] else None
    return answer


def files(index, name):
    """The file names of a project's page, each with its entry."""
    return {entry['filename']: entry
            for entry in ask(index, f'/simple/{name}/').json['files']}


def requested(index):
    """(method, path, status, agent) of every request, from nginx's log.

    For an Instance with access_log='': then each line is written at once.
    """
    with open(index.path('log', 'access.log')) as log:
        return [(method, path, int(status), agent)
                for status, method, path, agent in re.findall(
                    r' (\d{3}) ([A-Z]+) "(\S+)" .*agent="(.*)"\n',
                    log.read())]


# Running.

def cases(names):
    """tap.cases(), with the time of each test in build/clients/times."""
    run_one = tap.run_one

    def timed(number, name, test):
        begun = time.monotonic()
        passed = run_one(number, name, test)
        with open(os.path.join(KEPT, 'times'), 'a') as out:
            out.write(f'{time.monotonic() - begun:6.1f} s  '
                      f'{os.path.basename(sys.argv[0])}  {name}\n')
        return passed

    tap.run_one = timed
    tap.cases(names)
