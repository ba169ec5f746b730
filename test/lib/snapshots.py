"""The snapshot of an Instance, looked at from below.

    caught_up(index, serial)        # waits until it shows all up to serial
    check_whole(index)              # no page is half, none is behind
"""
import contextlib
import glob
import os

from faults import sql, wait_until
from servers import Instance, instance
from tap import equal, ok, skip_all

MODULE = '/usr/lib/nginx/modules/ngx_http_js_module.so'
DOCUMENTS = ['html', 'html.gz', 'json', 'json.gz']


@contextlib.contextmanager
def snapshot_instance(kind=Instance, **options):
    if not os.path.exists(MODULE):
        skip_all('libnginx-mod-http-js is not installed')
    with instance(kind, snapshot=True, **options) as index:
        yield index


def position(index):
    try:
        with open(os.path.join(index.snapshot, 'position')) as file:
            return int(file.read().split()[0])
    except FileNotFoundError:
        return 0


def edition(index, item):
    """[serial, written, round, four ETags, four ETags]; None: not shown."""
    try:
        target = os.readlink(os.path.join(index.snapshot, item, 'now'))
    except FileNotFoundError:
        return None
    outer, inner = target.split('/')
    return [*map(int, outer.split('.')[:3]), *outer.split('.')[3:],
            *inner.split('.')]


def shown_serial(index, item):
    shown = edition(index, item)
    return shown[0] if shown else 0


def caught_up(index, serial):
    wait_until(f'the snapshot is at {serial}', lambda: (
        position(index) >= serial and shown_serial(index, 'root') >= serial))


def documents(index, item):
    """{name: bytes} of what is shown, all of one edition."""
    while True:
        shown, found = edition(index, item), {}
        for path in glob.glob(os.path.join(index.snapshot, item, 'now', '*')):
            with contextlib.suppress(FileNotFoundError), \
                    open(path, 'rb') as file:
                found[os.path.basename(path)] = file.read()
        if edition(index, item) == shown:
            return found


def items(index):
    """The names of the projects that are shown."""
    folder = os.path.join(index.snapshot, 'project')
    return {name for name in os.listdir(folder)
            if os.path.lexists(os.path.join(folder, name, 'now'))}


def check_behind(index):
    """At any moment: what is shown is whole, and as new as the position."""
    before = position(index)
    rows = sql(index, 'SELECT normalized_name, max(serial) FROM journal '
                      f'WHERE serial <= {before} GROUP BY 1')
    for row in rows.splitlines():
        name, serial = row.split('|')
        shown = shown_serial(index, f'project/{name}')
        ok(shown >= int(serial) or not shown and sql(
            index, 'SELECT count(*) FROM project WHERE normalized_name = '
            f"'{name}' AND last_serial <= {before}") == '0',
           f'{name} is shown at {shown}, the position is {before}, '
           f'and it changed at {serial}')
    for name in items(index):
        found = documents(index, f'project/{name}')
        if found:       # else it went between two looks
            ok(set(DOCUMENTS) <= set(found), f'{name}: {sorted(found)}')


def check_whole(index, client, forms):
    """Nobody is at work: it is what the workers answer, and nothing else."""
    names = sql(index, 'SELECT normalized_name FROM project').splitlines()
    equal(items(index), set(names))
    for name in names:
        serial, _, _, *etags = edition(index, f'project/{name}')
        answers = [client.get(path.format(name), Accept=accept,
                              Accept_Encoding=coding)
                   for path, accept in forms for coding in ('', 'gzip')]
        equal([f'"{etag}"' for etag in etags], [a['ETag'] for a in answers])
        equal({int(a['X-PyPI-Last-Serial']) for a in answers}, {serial})
        shown = documents(index, f'project/{name}')
        equal([shown[file] for file in ('html', 'html.gz', 'html', 'html.gz',
                                        'json', 'json.gz', 'pypi', 'pypi.gz')],
              [a.text for a in answers])
        equal(len(os.listdir(os.path.join(index.snapshot, 'project', name))),
              2, 'nothing is left over')
