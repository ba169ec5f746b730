#!/usr/bin/python3 -B
# Real installers: which release they choose, what they fetch for it, and
# that they check what they got.

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from clients import (Client, cases, client, digest, files, new_venv, put,
                     pypirc, requested, uv, wheel)
from servers import folder, instance
from tap import contains, equal, ok

INDEX = HOME = None             # the running instance, our home
BIG = 3 << 20                   # bytes: a lazy wheel pays only for large ones
LONG_AGO, FUTURE = '2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z'


def fill():
    """What all tests install from."""
    dist = f'{HOME}/dist'
    os.makedirs(dist)
    paths = [wheel(dist, 'lib-a', version) for version in
             ('1.0', '1.1', '1.2', '2.1rc1')]
    paths += [
        wheel(dist, 'lib-a', '2.0', python='>=3.99'),
        wheel(dist, 'app-b', '1.0', requires=['lib-a<1.1']),
        wheel(dist, 'app-b', '2.0', requires=['lib-a>=1.1'],
              more=f'\n{os.urandom(BIG // 2).hex()}\n'),
        wheel(dist, 'top-c', '1.0', requires=['app-b', 'lib-a==1.0']),
        wheel(dist, 'only-pre', '1.0a1'),
    ]
    client('twine', HOME).run('twine', 'upload', '--non-interactive',
                              '--disable-progress-bar', '-r', 'tilsit',
                              *paths)
    INDEX.tilsit('release', 'yank', 'lib-a', '1.2', '--reason', 'it <breaks>')


def simple():
    return INDEX.url + '/simple/'


def pip(venv, command, *words, fail=False):
    run = venv.fail if fail else venv.run
    return run('python', '-m', 'pip', command, '--index-url', simple(),
               *words)


def installed(venv, name):
    module = name.replace('-', '_')
    return venv.run('python', '-c', f'import {module}; print({module}.NAME)'
                    ).strip()


def fetched(since):
    """The files (method, name, status) asked for since that request."""
    return [(method, os.path.basename(path), status)
            for method, path, status, _ in requested(INDEX)[since:]
            if path.startswith('/packages/')]


def pip_chooses_well(which):
    venv = new_venv(which, HOME)
    for words, want in (
            (['lib-a'], 'lib-a 1.1'),       # not yanked, for this Python
            (['--pre', 'lib-a'], 'lib-a 2.1rc1'),
            (['lib.A==1.0'], 'lib-a 1.0'),  # by another spelling
            (['lib-a>=2.1rc1'], 'lib-a 2.1rc1'),
            (['only-pre'], 'only-pre 1.0a1')):  # nothing else is there
        pip(venv, 'install', '-q', '--force-reinstall', *words)
        equal(installed(venv, want.split()[0]), want)
    contains(pip(venv, 'install', 'lib-a==1.2'), 'it <breaks>')
    equal(installed(venv, 'lib-a'), 'lib-a 1.2')
    contains(pip(venv, 'install', 'lib-a==2.0', fail=True),
             'No matching distribution found for lib-a==2.0')


def test_pip_newest_chooses_well():
    pip_chooses_well('pip')


def test_pip_23_0_chooses_well():
    pip_chooses_well('pip-23.0')


def test_pip_22_2_chooses_well():
    pip_chooses_well('pip-22.2')


def test_pip_reads_metadata_and_fetches_no_wheel_in_vain():
    since, venv = len(requested(INDEX)), new_venv('pip', HOME)
    pip(venv, 'install', '--no-cache-dir', 'top-c')     # not app-b 2.0
    equal(installed(venv, 'app-b'), 'app-b 1.0')
    equal(installed(venv, 'lib-a'), 'lib-a 1.0')
    got = fetched(since)
    ok(('GET', 'app_b-2.0-py3-none-any.whl.metadata', 200) in got, got)
    equal(sorted(name for _, name, _ in got if name.endswith('.whl')),
          ['app_b-1.0-py3-none-any.whl', 'lib_a-1.0-py3-none-any.whl',
           'top_c-1.0-py3-none-any.whl'])


def test_pip_22_2_without_metadata_reads_ranges():
    since = len(requested(INDEX))
    venv = new_venv('pip-22.2', HOME)
    pip(venv, 'install', '--no-cache-dir', '--use-feature=fast-deps', 'app-b')
    got = fetched(since)
    ok(('HEAD', 'app_b-2.0-py3-none-any.whl', 200) in got, got)
    ok(('GET', 'app_b-2.0-py3-none-any.whl', 206) in got, got)


def test_pip_newest_with_fast_deps():
    venv = new_venv('pip', HOME)
    pip(venv, 'install', '--no-cache-dir', '--use-feature=fast-deps', 'app-b')
    equal(installed(venv, 'app-b'), 'app-b 2.0')


def test_pip_checks_hashes():
    listed = files(INDEX, 'lib-a')['lib_a-1.1-py3-none-any.whl']
    good = listed['hashes']['sha256']
    equal(good, digest(f'{HOME}/dist/lib_a-1.1-py3-none-any.whl'))
    venv = new_venv('pip', HOME)
    for digits, fail in (('0' * 64, True), (good, False)):
        put(f'{HOME}/hashed.txt', f'lib-a==1.1 --hash=sha256:{digits}\n')
        said = pip(venv, 'download', '--require-hashes', '-d', f'{HOME}/got',
                   '-r', f'{HOME}/hashed.txt', '--no-cache-dir', fail=fail)
        ok(fail == ('DO NOT MATCH' in said), said)
    equal(digest(f'{HOME}/got/lib_a-1.1-py3-none-any.whl'), good)


def test_pip_index_versions():
    for which in 'pip', 'pip-23.0', 'pip-22.2':
        said = client(which, HOME).run('python', '-m', 'pip', 'index',
                                       'versions', 'lib-a', '--index-url',
                                       simple())
        contains(said, '1.1, 1.0')


def test_pip_uploaded_prior_to():
    venv = new_venv('pip', HOME)
    pip(venv, 'install', '--uploaded-prior-to', LONG_AGO, 'lib-a', fail=True)
    pip(venv, 'install', '--uploaded-prior-to', FUTURE, 'lib-a')
    equal(installed(venv, 'lib-a'), 'lib-a 1.1')


def test_pip_sees_a_new_release_at_once():
    venv = new_venv('pip', HOME)
    for number in '1.0', '1.1', '1.2':
        client('twine', HOME).run(
            'twine', 'upload', '--non-interactive', '--disable-progress-bar',
            '-r', 'tilsit', wheel(f'{HOME}/dist', 'fresh-d', number))
        pip(venv, 'install', '-q', '-U', 'fresh-d')
        equal(installed(venv, 'fresh-d'), f'fresh-d {number}')


def test_pip_is_told_that_there_is_no_such_project():
    for which in 'pip', 'pip-22.2':
        contains(pip(new_venv(which, HOME), 'install', 'no-such', fail=True),
                 'No matching distribution found for no-such')


def uv_run(*words, fail=False, cwd=None):
    run = Client(os.path.dirname(os.path.dirname(uv())), HOME)
    return (run.fail if fail else run.run)('uv', *words, cwd=cwd)


def uv_install(venv, *words, fail=False):
    return uv_run('pip', 'install', '-p', venv.folder, '--default-index',
                  simple(), *words, fail=fail)


def test_uv_pip_chooses_well():
    for words, want in ((['lib-a'], '1.1'), (['--pre', 'lib-a'], '2.1rc1'),
                        (['lib-a==1.2'], '1.2')):
        venv = new_venv('pip', HOME)
        said = uv_install(venv, *words)
        equal(installed(venv, 'lib-a').split()[1], want, words)
    contains(said, 'it <breaks>')


def test_uv_reads_metadata_and_fetches_no_wheel_in_vain():
    since, venv = len(requested(INDEX)), new_venv('pip', HOME)
    uv_install(venv, '--no-cache', 'top-c')
    equal(installed(venv, 'app-b'), 'app-b 1.0')
    ok('app_b-2.0-py3-none-any.whl' not in
       [name for _, name, _ in fetched(since)], fetched(since))


def test_uv_exclude_newer():
    venv = new_venv('pip', HOME)
    uv_install(venv, '--exclude-newer', LONG_AGO, 'lib-a', fail=True)
    uv_install(venv, '--exclude-newer', FUTURE, 'lib-a')
    equal(installed(venv, 'lib-a'), 'lib-a 1.1')


def consumer(name, more):
    """A folder with a project that will need top-c."""
    where = f'{HOME}/{name}'
    put(f'{where}/pyproject.toml', f'[project]\nname = "{name}"\n'
        'version = "1"\nrequires-python = ">=3.11,<4"\n'
        f'dependencies = []\n{more}')
    return where


def test_uv_locks_and_syncs_with_hashes():
    where = consumer('by-uv', '[[tool.uv.index]]\nname = "tilsit"\n'
                     f'url = "{simple()}"\ndefault = true\n')
    uv_run('add', 'top-c', cwd=where)
    with open(f'{where}/uv.lock') as lock:
        text = lock.read()
    entry = files(INDEX, 'app-b')['app_b-1.0-py3-none-any.whl']
    contains(text, f'hash = "sha256:{entry["hashes"]["sha256"]}", '
             f'size = {entry["size"]}')
    contains(text, 'upload-time = "2')
    uv_run('lock', '--check', cwd=where)
    uv_run('sync', '--locked', '--reinstall', '--no-cache', cwd=where)
    equal(installed(Client(f'{where}/.venv', HOME), 'app-b'), 'app-b 1.0')
    put(f'{where}/uv.lock', text.replace(entry['hashes']['sha256'], '0' * 64))
    contains(uv_run('sync', '--frozen', '--reinstall', '--no-cache',
                    cwd=where, fail=True), 'Hash mismatch')


def test_poetry_adds():
    where = consumer('by-poetry', '[tool.poetry]\npackage-mode = false\n'
                     '[[tool.poetry.source]]\nname = "tilsit"\n'
                     f'url = "{simple()}"\npriority = "primary"\n')
    client('poetry', HOME).run('poetry', 'add', '-n', 'top-c', cwd=where)
    equal(installed(Client(f'{where}/.venv', HOME), 'app-b'), 'app-b 1.0')
    with open(f'{where}/poetry.lock') as lock:
        contains(lock.read(), files(INDEX, 'app-b')
                 ['app_b-1.0-py3-none-any.whl']['hashes']['sha256'])


def test_pdm_adds():
    where = consumer('by-pdm', '[tool.pdm]\ndistribution = false\n'
                     '[[tool.pdm.source]]\nname = "pypi"\n'
                     f'url = "{simple()}"\n')
    client('pdm', HOME).run('pdm', 'add', 'top-c', cwd=where)
    equal(installed(Client(f'{where}/.venv', HOME), 'app-b'), 'app-b 1.0')
    with open(f'{where}/pdm.lock') as lock:
        contains(lock.read(), files(INDEX, 'app-b')
                 ['app_b-1.0-py3-none-any.whl']['hashes']['sha256'])


def test_easy_install_of_setuptools_79():
    old, where = client('setuptools-79', HOME), f'{HOME}/eggs'
    os.makedirs(where)
    old.run('python', '-c', 'import setuptools as s; s.setup(py_modules=[])',
            'easy_install', '--index-url', simple(), '-d', where,
            'Lib_A==1.1', env={'PYTHONPATH': where})
    ok(os.path.exists(f'{where}/lib_a-1.1-py3.11.egg'), os.listdir(where))


if __name__ == '__main__':
    with folder() as HOME, instance(access_log='') as INDEX:
        pypirc(HOME, INDEX, INDEX.token('ann'))
        fill()
        cases(globals())
