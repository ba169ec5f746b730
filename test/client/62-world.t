#!/usr/bin/python3 -B
# Real files of well-known projects, small and huge, new and twenty years old:
# all of them move in, and what is installed from here is what was meant.

import csv
import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import world
from clients import (ask, cases, client, digest, files, new_venv, outside,
                     pypirc)
from servers import folder, instance
from tap import equal, ok

INDEX = HOME = None             # the running instance, our home
PATHS = []                      # of the real files
SAMPLE = ('requests', 'Flask', 'numpy', 'lxml', 'python-dateutil', 'PyYAML',
          'ruamel.yaml', 'zope.interface', 'rich', 'backports.tarfile')


def twine(which, path):
    """None, or why twine did not upload it."""
    status, said = client(which, HOME).try_run(
        'twine', 'upload', '--non-interactive', '--disable-progress-bar',
        '--verbose', '-r', 'tilsit', path)
    return said if status else None


def upload_all(which, paths):
    """In one run as long as nothing is refused; {path: why} of the rest."""
    status, _ = client(which, HOME).try_run(
        'twine', 'upload', '--non-interactive', '--disable-progress-bar',
        '-r', 'tilsit', *paths)
    return {path: why for path in paths if status
            if (why := twine(which, path))}


def test_real_files_move_in():
    PATHS.extend(world.fetch(HOME))
    ok(len(PATHS) > 70, f'{len(PATHS)} files')
    # twine 7 refuses by itself what distutils of old wrote into PKG-INFO.
    new = [path for path in PATHS if path.endswith('.whl')]
    refused = upload_all('twine', new)
    refused |= upload_all('twine-4.0', [*set(PATHS) - set(new)])
    equal(refused, {})


def test_each_is_listed_with_its_digest_and_comes_back_whole():
    listed = {}
    for entry in ask(INDEX, '/simple/').json['projects']:
        listed |= files(INDEX, entry['name'])
    equal(sorted(listed), sorted(map(os.path.basename, PATHS)))
    for path in PATHS:
        entry = listed[os.path.basename(path)]
        equal(entry['hashes']['sha256'], digest(path), path)
        equal(entry['size'], os.path.getsize(path), path)


def test_each_has_its_json():
    for entry in ask(INDEX, '/simple/').json['projects']:
        info = ask(INDEX, f'/pypi/{entry["name"]}/json', '*/*').json['info']
        equal(info['name'], entry['name'])
        ok(info['version'], entry['name'])


def records(venv):
    """{path: hash} of what is installed, by the RECORD of each project."""
    found = {}
    for path in glob.glob(f'{venv.folder}/lib/python*/site-packages/'
                          '*.dist-info/RECORD'):
        if '/pip-' in path:
            continue
        with open(path, newline='') as text:
            found |= {row[0]: row[1] for row in csv.reader(text)
                      if '/bin/' not in row[0]}     # scripts name their venv
    return {name: value for name, value in found.items()
            if not name.endswith('.dist-info/REQUESTED')}


def test_a_sample_installs_as_from_the_public_index():
    ours, theirs = new_venv('pip', HOME), new_venv('pip', HOME)
    ours.run('python', '-m', 'pip', 'install', '-q', '--no-compile',
             '--index-url', INDEX.url + '/simple/', *SAMPLE)
    frozen = ours.run('python', '-m', 'pip', 'freeze').split()
    ok(len(frozen) >= len(SAMPLE), frozen)
    theirs.run('python', '-m', 'pip', 'install', '-q', '--no-compile',
               '--no-deps', *frozen, env={
                   name: value for name, value in outside().items()
                   if name.startswith('PIP_')})
    equal(records(ours), records(theirs))


def test_old_sdists_install_with_what_the_index_has_to_build_them():
    venv = new_venv('pip', HOME)
    venv.run('python', '-m', 'pip', 'install', '-q', '--index-url',
             INDEX.url + '/simple/', 'docopt', 'termcolor==1.1.0')
    venv.run('python', '-c', 'import docopt, termcolor')


if __name__ == '__main__':
    with folder() as HOME, instance() as INDEX:
        pypirc(HOME, INDEX, INDEX.token('ann'))
        cases(globals())
