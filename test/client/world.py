"""Real files: which, and how they are fetched.

Each row of FETCHES is one run of `pip download`: its options, then what to
fetch.  Wheels are named without a version where the newest will do, for what
is new in the world is what we want to meet; sdists are named by version, for
the old ones are here because they are odd.
"""
import glob
import os

from clients import FETCH_S, HERE, cache, client, execute, outside
from tap import skip

WHEELS, SDISTS = ['--only-binary', ':all:'], ['--no-binary', ':all:']


def foreign(platform, python, *more):
    return [*WHEELS, '--platform', platform, '--python-version', python,
            *more]


FETCHES = [
    (WHEELS, '''pip setuptools wheel six requests urllib3 certifi idna
        charset-normalizer Jinja2 MarkupSafe click Flask Django pytest attrs
        packaging typing-extensions pytz python-dateutil docutils Pygments
        numpy cryptography lxml PyYAML zope.interface zope.event ruamel.yaml
        backports.tarfile jaraco.text protobuf psycopg2-binary tzdata
        importlib-metadata zipp apache-airflow rich moto hatchling
        poetry-core flit-core blinker itsdangerous Werkzeug markdown-it-py
        mdurl'''),
    (foreign('win_amd64', '3.13'), 'MarkupSafe==3.0.2'),
    (foreign('win32', '3.13'), 'MarkupSafe==3.0.2'),
    (foreign('macosx_11_0_arm64', '3.13'), 'MarkupSafe==3.0.2'),
    (foreign('manylinux2014_aarch64', '3.13'), 'MarkupSafe==3.0.2'),
    (foreign('musllinux_1_2_x86_64', '3.13'), 'MarkupSafe==3.0.2'),
    (foreign('manylinux1_x86_64', '2.7', '--implementation', 'cp', '--abi',
             'cp27mu'), 'PyYAML==5.4.1 cffi==1.14.0'),
    (SDISTS, '''docopt==0.6.2 future==0.18.3 termcolor==1.1.0 PyYAML==3.13
        pytz==2004b zope.interface==3.5.0 ruamel.yaml==0.15.50
        backports.ssl_match_hostname==3.5.0.1 python-dateutil==1.5
        docutils==0.6 wsgiref==0.1.2 mock==0.7.2 nose==1.3.7 enum34==1.0
        unittest2==0.5.1 anyjson==0.3.3 web.py==0.37 Paste==1.7.5.1
        zc.buildout==1.7.1 MarkupSafe==0.23 Jinja2==2.6 Markdown==2.0.3
        BeautifulSoup==3.2.1 SQLAlchemy==0.5.8 six==1.0.0 setuptools==0.7.2
        pip==0.8.2 MySQL-python==1.2.5 Genshi==0.6 Django==1.4.22
        feedparser==5.1.3 pyparsing==1.5.7'''),
]


def is_done(path, recipe):
    try:
        with open(path) as done:
            return done.read() == recipe
    except FileNotFoundError:
        return False


def fetch(home):
    """The paths of all files, from the cache or the public index."""
    kept = cache('world')
    os.makedirs(kept, exist_ok=True)
    pip = client('pip', home)
    for number, (options, names) in enumerate(FETCHES):
        done = os.path.join(kept, f'{number}.done')
        recipe = ' '.join([*options, *names.split()])
        if is_done(done, recipe):
            continue
        status, said = execute(
            [pip.program('python'), '-m', 'pip', 'download', '-q',
             '--no-deps', '--no-build-isolation', '-d', kept, *options,
             *names.split()], timeout_s=FETCH_S, env={
                 **outside(), 'PYTHONPATH': os.path.join(HERE, 'inert')})
        if status != 0:
            lines = said.strip().splitlines() or ['']
            skip(f'real files cannot be had here: {lines[-1].strip()}')
        with open(done, 'w') as out:
            out.write(recipe)
    return sorted(path for path in glob.glob(f'{kept}/*')
                  if path.endswith(('.whl', '.tar.gz', '.zip')))
