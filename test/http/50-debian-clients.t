#!/usr/bin/python3 -B
# Debian's own clients, as their users run them: twine, distutils' upload and
# register, pip and easy_install.  Newer ones are in test/client.

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import Client, wheel
from servers import instance
from tap import cases, contains, equal, ok, say

PYTHON = '/usr/bin/python3'
WHEELS = '/usr/share/python-wheels'     # python3-pip-whl and its like
SETUP = '''\
from distutils.core import setup
setup(name={name!r}, version={version!r}, description='A demo',
      long_description='Some\\n\\nlines', author='Ann', author_email='a@x.org',
      url='https://example.org', classifiers=['Topic :: Utilities'],
      py_modules=['{module}'])
'''
CLIENT = None
HOME = None


def run(*words, cwd=None, fails=False, data=''):
    """A command as a user with a ~/.pypirc runs it; all that it prints."""
    env = {'HOME': HOME, 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8',
           'PIP_CONFIG_FILE': '/dev/null', 'PIP_DISABLE_PIP_VERSION_CHECK':
           '1', 'PYTHONWARNINGS': 'ignore', 'SETUPTOOLS_USE_DISTUTILS':
           'stdlib', 'PIP_ROOT_USER_ACTION': 'ignore'}
    done = subprocess.run(words, cwd=cwd or HOME, env=env, text=True,
                          input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    say(' '.join(words), done.stdout)
    equal(done.returncode != 0, fails, f'{words} ended with {done.returncode}')
    return done.stdout


def pip(*words, **options):
    whl = [name for name in os.listdir(WHEELS) if name.startswith('pip-')][0]
    return run(PYTHON, f'{WHEELS}/{whl}/pip', *words, **options)


def twine(*words, **options):
    return run('twine', words[0], '--non-interactive',
               '--disable-progress-bar', '-r', 'tilsit', *words[1:],
               **options)


def save(made, folder=None):
    path = os.path.join(folder or HOME, made[0])
    with open(path, 'wb') as out:
        out.write(made[1])
    return path


def source(name, version):
    """A folder with an old-fashioned setup.py."""
    folder = tempfile.mkdtemp(dir=HOME)
    module = re.sub(r'\W', '_', name.lower())
    with open(f'{folder}/setup.py', 'w') as out:
        out.write(SETUP.format(name=name, version=version, module=module))
    with open(f'{folder}/{module}.py', 'w') as out:
        out.write(f'VERSION = {version!r}\n')
    return folder


def install(*what, options=(), fails=False):
    folder = tempfile.mkdtemp(dir=HOME)
    text = pip('install', '--no-cache-dir', '--target', folder,
               '--index-url', CLIENT.index.url + '/simple/', *options, *what,
               fails=fails)
    return folder, text


def test_twine_uploads_what_debian_ships():
    for name in sorted(os.listdir(WHEELS)):
        if name.startswith(('pip-', 'setuptools-', 'wheel-')):
            twine('upload', f'{WHEELS}/{name}')
            page = CLIENT.project(name.split('-')[0])
            equal([file['filename'] for file in page['files']], [name])
            ok(page['files'][0]['core-metadata'], 'metadata')


def test_twine_uploads_a_wheel_and_an_sdist_together():
    folder = source('two-kinds', '1.0')
    run(PYTHON, 'setup.py', '-q', 'sdist', cwd=folder)
    made = save(wheel('two-kinds', '1.0'))
    twine('upload', f'{folder}/dist/two-kinds-1.0.tar.gz', made)
    equal(len(CLIENT.project('two-kinds')['files']), 2)


def test_twine_skips_what_is_there():
    made = wheel('skipped', '1')
    path = save(made)
    twine('upload', path)
    twine('upload', path)       # the same bytes: no error
    save(wheel('skipped', '1', files=[('x.py', b'')]))
    text = twine('upload', path, fails=True)
    contains(text, 'File already exists')
    contains(text, '400 ')
    text = twine('upload', '--skip-existing', path)
    contains(text, 'Skipping skipped-1-py3-none-any.whl because it appears '
             'to already exist')
    equal(CLIENT.get(CLIENT.project('skipped')['files'][0]['url']).text,
          made[1])


def test_twine_shows_why():
    text = twine('upload', save(wheel('nosuch', '1',
                                      'Classifier: No :: Such')), fails=True)
    contains(text, "'No :: Such' is not a valid classifier")
    text = run('twine', 'upload', '--non-interactive', '-u', '__token__',
               '-p', 'pypi-wrong', '--repository-url',
               CLIENT.index.url + '/legacy/', save(wheel('x', '1')),
               fails=True)
    contains(text, "begin with 'tilsit-'")


def test_twine_registers():
    twine('register', save(wheel('twine-registered', '1')))
    equal(CLIENT.project('twine-registered')['files'], [])


def test_setup_py_uploads_and_pip_installs_that():
    folder = source('Old.School', '1.0')
    text = run(PYTHON, 'setup.py', 'sdist', 'upload', '-r', 'tilsit',
               cwd=folder)
    contains(text, 'Server response (200): OK')
    page = CLIENT.project('old-school')
    equal([file['filename'] for file in page['files']],
          ['Old.School-1.0.tar.gz'])
    info = CLIENT.get('/pypi/old-school/json').json['info']
    equal((info['name'], info['author'], info['home_page']),
          ('Old.School', 'Ann', 'https://example.org'))
    text = run(PYTHON, 'setup.py', 'sdist', 'upload', '-r', 'tilsit',
               cwd=source('Old.School', '1.0'), fails=True)
    contains(text, 'already exists')


def test_setup_py_registers_after_the_challenge():
    folder = source('register-me', '1.0')
    text = run(PYTHON, 'setup.py', 'register', '-r', 'tilsit', cwd=folder)
    contains(text, 'Server response (200): OK')
    equal(CLIENT.project('register-me')['files'], [])
    equal(CLIENT.get('/pypi/register-me/json').status, 404)
    text = run(PYTHON, 'setup.py', 'register', '-r', 'tilsit', '--strict',
               cwd=folder)
    contains(text, '200')
    log = open(CLIENT.index.path('log', 'upload.log')).read()
    contains(log, 'status=401')


def test_setup_py_verifies_with_list_classifiers():
    folder = source('verify-me', '1.0')
    text = run(PYTHON, 'setup.py', 'register', '-r', 'tilsit',
               '--list-classifiers', cwd=folder)
    contains(text, 'Topic :: Utilities')


def test_pip_installs_a_wheel_and_what_it_requires():
    twine('upload', save(wheel('needed', '1.5', files=[
        ('needed.py', b'X = 1\n')])),
        save(wheel('needing', '1', 'Requires-Dist: needed>=1,<2', files=[
            ('needing.py', b'import needed\n')])),
        save(wheel('needed', '2.0')))
    folder, text = install('needing')
    ok(os.path.exists(folder + '/needed.py'), 'both are there')
    contains(text, 'Successfully installed needed-1.5 needing-1')


def test_pip_checks_hashes():
    file = CLIENT.project('needed')['files'][0]
    requirements = os.path.join(HOME, 'requirements.txt')
    with open(requirements, 'w') as out:
        out.write('needed==1.5 --hash=sha256:' + file['hashes']['sha256'])
    install('-r', requirements, options=['--require-hashes'])


def test_pip_uses_ranges_for_lazy_wheels():
    folder, text = install('needing', options=['--use-feature=fast-deps'])
    ok(os.path.exists(folder + '/needing.py'))


def test_pip_passes_over_yanked_releases():
    twine('upload', *(save(wheel('yanked', version, files=[
        ('yanked.py', b'')])) for version in ('1', '2')))
    CLIENT.index.tilsit('release', 'yank', 'yanked', '2', '--reason',
                        'it burns')
    contains(install('yanked')[1], 'Successfully installed yanked-1')
    text = install('yanked==2')[1]
    contains(text, 'it burns')


def test_pip_lists_versions_newest_first():
    text = pip('index', 'versions', 'needed', '--index-url',
               CLIENT.index.url + '/simple/')
    contains(text, 'Available versions: 2.0, 1.5')


def test_pip_keeps_away_from_wrong_pythons():
    twine('upload', save(wheel('pythonic', '1', files=[
        ('pythonic.py', b'')])),
        save(wheel('pythonic', '2', 'Requires-Python: >=99')))
    contains(install('pythonic')[1], 'Successfully installed pythonic-1')


def test_pip_says_that_there_is_no_such_project():
    contains(install('nobody-has-this', fails=True)[1],
             'No matching distribution found')


def test_pip_searches_in_vain():
    contains(pip('search', 'x', '--index', CLIENT.index.url + '/pypi',
                 fails=True), 'does not support')


def test_pip_downloads_its_own_wheel_whole():
    folder = tempfile.mkdtemp(dir=HOME)
    pip('download', '--no-deps', '--no-cache-dir', '-d', folder,
        '--index-url', CLIENT.index.url + '/simple/', 'setuptools')
    name = os.listdir(folder)[0]
    with open(f'{folder}/{name}', 'rb') as got, \
            open(f'{WHEELS}/{name}', 'rb') as want:
        ok(got.read() == want.read(), 'byte for byte')


def test_easy_install_finds_old_sdists():
    folder = tempfile.mkdtemp(dir=HOME)
    run(PYTHON, '-c', 'import setuptools; setuptools.setup()',
        'easy_install', '-i', CLIENT.index.url + '/simple/', '--install-dir',
        folder, '-m', 'Old.School', cwd=tempfile.mkdtemp(dir=HOME))
    ok([name for name in os.listdir(folder) if name.startswith('Old.School')],
       os.listdir(folder))


if __name__ == '__main__':
    with instance() as index, tempfile.TemporaryDirectory() as HOME:
        CLIENT = Client(index)
        with open(HOME + '/.pypirc', 'w') as out:
            out.write('[distutils]\nindex-servers = tilsit\n\n[tilsit]\n'
                      f'repository = {index.url}/legacy/\n'
                      f'username = __token__\npassword = {CLIENT.token}\n')
        cases(globals())
