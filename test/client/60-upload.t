#!/usr/bin/python3 -B
# Real uploaders: each builds a project on the spot, uploads what it built,
# uploads it again; then pip installs it from the index.

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from clients import (PYTHON, Client, ask, built, cases, client, digest, files,
                     new_venv, outside, project, put, pypirc, setup_py, uv)
from servers import folder, instance
from tap import contains, equal, ok

INDEX = HOME = TOKEN = None     # the running instance, our home, ann's token
ALREADY = 'File already exists'
HATCHLING = {'backend': 'hatchling.build', 'requires': 'hatchling'}


def upload_url(path='/legacy/'):
    return INDEX.url + path


def build(where):
    """sdist and wheel by setuptools, as `python -m build` makes them."""
    client('build', HOME).run('python', '-m', 'build', '-n', '-q', where)
    equal(len(built(where)), 2)
    return built(where)


def with_setuptools(name, version='1.0'):
    return project(HOME, name, version, backend='setuptools.build_meta',
                   requires='setuptools')


def twine(which, *words, expect_failure=False):
    run = client(which, HOME)
    return (run.fail if expect_failure else run.run)(
        'twine', 'upload', '--non-interactive', '--disable-progress-bar',
        '-r', 'tilsit', *words)


def index_has(paths):
    """These very files are in the index, and nothing changed on the way."""
    name = os.path.basename(paths[0]).split('-')[0]
    listed = files(INDEX, name.replace('_', '-'))
    for path in paths:
        equal(listed[os.path.basename(path)]['hashes']['sha256'],
              digest(path), path)


def pip_installs(name, *words):
    venv = new_venv('pip', HOME)
    venv.run('python', '-m', 'pip', 'install', '-q', '--index-url',
             INDEX.url + '/simple/', name, *words)
    module = name.replace('-', '_')
    contains(venv.run('python', '-c', f'import {module}; print({module}'
                      f'.NAME)'), name)


def twine_works(which, name):
    paths = build(with_setuptools(name))
    twine(which, *paths)
    index_has(paths)
    pip_installs(name)
    twine(which, *paths)        # the same bytes: a success
    return paths


def changed(paths, name):
    """The same file names with other bytes."""
    where = with_setuptools(name)
    with open(f'{where}/README.md', 'a') as readme:
        readme.write('More.\n')
    return build(where)


def test_twine_newest():
    name = 'by-twine'
    other = changed(twine_works('twine', name), name)
    said = twine('twine', '--verbose', *other, expect_failure=True)
    contains(said, ALREADY)


def test_twine_newest_has_skip_existing_for_its_own_index_only():
    said = twine('twine', '--skip-existing',
                 *build(with_setuptools('by-twine')), expect_failure=True)
    contains(said, 'UnsupportedConfiguration')


def skips_existing(which, name):
    other = changed(twine_works(which, name), name)
    contains(twine(which, *other, expect_failure=True), '400')
    contains(twine(which, '--skip-existing', *other).lower(), 'skipping')


def test_twine_4_0_2_and_skip_existing():
    skips_existing('twine-4.0', 'by-twine4')


def test_twine_6_1_and_skip_existing():
    skips_existing('twine-6.1', 'by-twine61')


def test_twine_6_2_and_skip_existing():
    other = changed(twine_works('twine-6.2', 'by-twine62'), 'by-twine62')
    contains(twine('twine-6.2', '--verbose', *other, expect_failure=True),
             ALREADY)


def test_twine_is_told_what_is_wrong():
    paths = build(with_setuptools('by-twine-wrong'))
    for password, text in (
            ('wrong', 'is not a token of this index'),
            (TOKEN[:-1] + '_', '401 Unauthorized')):
        said = twine('twine', '--verbose', '-u', '__token__', '-p', password,
                     *paths, expect_failure=True)
        contains(said, text)
    said = twine('twine', '--verbose', '--repository-url',
                 upload_url('/nothing/'), '-u', '__token__', '-p', TOKEN,
                 *paths, expect_failure=True)
    contains(said, '404')


def setup_py_works(python, name, module, repository):
    where = project(HOME, name)
    setup_py(where, name, module=module)
    said = python.run('python', 'setup.py', 'register', '-r', repository,
                      cwd=where)
    contains(said, 'Server response (200): OK')
    equal(files(INDEX, name), {})
    said = python.run('python', 'setup.py', 'sdist', 'upload', '-r',
                      repository, cwd=where)
    contains(said, 'Server response (200): OK')
    index_has(built(where))
    return where


def debian_python():
    """The system's Python with its own distutils, not that of setuptools."""
    os.environ['SETUPTOOLS_USE_DISTUTILS'] = 'stdlib'
    where = os.path.join(HOME, 'debian')
    os.makedirs(f'{where}/bin', exist_ok=True)
    if not os.path.exists(f'{where}/bin/python'):
        os.symlink(PYTHON, f'{where}/bin/python')
    return Client(where, HOME)


def test_distutils_registers_and_uploads():
    setup_py_works(debian_python(), 'bydistutils', 'distutils.core',
                   'tilsit')


def test_distutils_registers_and_uploads_to_the_old_address():
    where = setup_py_works(debian_python(), 'byolddistutils',
                           'distutils.core', 'old')
    with open(f'{where}/README.md', 'a') as readme:
        readme.write('More.\n')
    said = debian_python().fail('python', 'setup.py', 'sdist', 'upload',
                                '-r', 'old', cwd=where)
    contains(said, 'Upload failed (400): ' + ALREADY)


def test_distutils_is_told_of_a_wrong_password():
    where = project(HOME, 'bydistutils')
    setup_py(where, 'bydistutils')
    home = f'{HOME}/stranger'
    os.makedirs(home, exist_ok=True)
    pypirc(home, INDEX, 'wrong')
    said = debian_python().fail('python', 'setup.py', 'sdist', 'upload',
                                '-r', 'tilsit', cwd=where,
                                env={'HOME': home})
    contains(said, 'Upload failed (40')


def test_setuptools_41_registers_and_uploads_with_a_wheel():
    old = client('setuptools-41', HOME)
    where = setup_py_works(old, 'byoldsetuptools', 'setuptools', 'tilsit')
    contains(old.run('python', 'setup.py', 'bdist_wheel', 'upload', '-r',
                     'tilsit', cwd=where), 'Server response (200): OK')
    equal(len(files(INDEX, 'byoldsetuptools')), 2)
    pip_installs('byoldsetuptools')


def uv_publish(where, *words, fail=False):
    run = Client(os.path.dirname(os.path.dirname(uv())), HOME)
    return (run.fail if fail else run.run)(
        'uv', 'publish', '--publish-url', upload_url(), '--token', TOKEN,
        *words, *built(where))


def test_uv_publish_and_check_url():
    name, check = 'by-uv', ('--check-url', INDEX.url + '/simple/')
    where = with_setuptools(name)
    paths = build(where)
    uv_publish(where)
    index_has(paths)
    pip_installs(name)
    uv_publish(where)                           # the same bytes
    contains(uv_publish(where, *check), 'already exists, skipping')
    other = os.path.dirname(os.path.dirname(changed(paths, name)[0]))
    contains(uv_publish(other, fail=True), ALREADY)
    contains(uv_publish(other, *check, fail=True), 'do not match')


def classifiers():
    return ask(INDEX, '/pypi?:action=list_classifiers', '*/*').body.decode()


def test_flit_publish():
    flit, where = client('flit', HOME), project(
        HOME, 'by-flit', backend='flit_core.buildapi', requires='flit_core')
    with open(f'{where}/pyproject.toml', 'a') as out:
        out.write('\n[tool.flit.module]\nname = "by_flit"\n')
    put(f'{HOME}/.cache/flit/classifiers.lst', classifiers())
    for _ in range(2):                          # its builds are reproducible
        flit.run('flit', 'publish', '--repository', 'tilsit',
                 '--no-use-vcs', cwd=where)
        index_has(built(where))
    pip_installs('by-flit')


def test_poetry_publish_and_skip_existing():
    poetry, where = client('poetry', HOME), project(
        HOME, 'by-poetry', backend='poetry.core.masonry.api',
        requires='poetry-core')
    env = {'POETRY_REPOSITORIES_TILSIT_URL': upload_url(),
           'POETRY_HTTP_BASIC_TILSIT_USERNAME': '__token__',
           'POETRY_HTTP_BASIC_TILSIT_PASSWORD': TOKEN}

    def publish(how, *words):
        return how('poetry', 'publish', '--build', '-n', '-r', 'tilsit',
                   *words, cwd=where, env=env)

    publish(poetry.run)
    index_has(built(where))
    pip_installs('by-poetry')
    with open(f'{where}/README.md', 'a') as readme:
        readme.write('More.\n')
    contains(publish(poetry.fail), '400')
    contains(publish(poetry.run, '--skip-existing'), 'Skipping')


def test_hatch_publish():
    hatch = client('hatch', HOME)
    where = project(HOME, 'by-hatch', **HATCHLING)
    hatch.run('python', '-m', 'hatchling', 'build', cwd=where)
    for _ in range(2):      # it looks for what is there, and passes over it
        said = hatch.run('hatch', 'publish', '-n', '-r', upload_url(),
                         '-u', '__token__', '-a', TOKEN, cwd=where)
        index_has(built(where))
    pip_installs('by-hatch')


def test_pdm_publish():
    pdm = client('pdm', HOME)
    where = project(HOME, 'by-pdm', backend='pdm.backend',
                    requires='pdm-backend')
    pdm.run('pdm', 'build', cwd=where, env={
        name: value for name, value in outside().items()
        if name.startswith(('PIP_', 'SSL_', 'REQUESTS_'))})
    for _ in range(2):
        pdm.run('pdm', 'publish', '--no-build', '--repository', upload_url(),
                '-u', '__token__', '-P', TOKEN, cwd=where)
    index_has(built(where))
    pip_installs('by-pdm')


def test_a_foreign_project_is_closed():
    paths = build(with_setuptools('by-twine', '2.0'))
    said = twine('twine', '--verbose', '-p', INDEX.token('bob'), *paths,
                 expect_failure=True)
    contains(said, '403')
    contains(said, "isn't allowed to upload to project 'by-twine'")


def test_the_index_lists_the_classifiers():
    ok('Programming Language :: Python :: 3' in classifiers().split('\n'))


if __name__ == '__main__':
    with folder() as HOME, instance(access_log='') as INDEX:
        TOKEN = INDEX.token('ann')
        pypirc(HOME, INDEX, TOKEN)
        cases(globals())
