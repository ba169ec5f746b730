"""Servers for live tests: an Instance in a temporary folder.

    from servers import instance

    with instance() as index:
        cases(globals())

The folder is removed at the end, except after a failure: then its logs stay,
and the way to them is printed as a comment.
"""
import contextlib
import os
import shutil
import sys
import tempfile

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TREE, 'deploy', 'local'))

from instance import Instance  # noqa: E402 (its folder is known only now)
from process import Failure  # noqa: E402,F401 (for those who catch it)


@contextlib.contextmanager
def folder():
    """A temporary folder that the instance's user can reach."""
    path = tempfile.mkdtemp(prefix='tilsit-')
    os.chmod(path, 0o711)
    try:
        yield path
    except BaseException as error:
        if not isinstance(error, SystemExit) or error.code:
            print(f'# logs: {keep_logs(path)}', flush=True)
        raise
    finally:
        shutil.rmtree(path, ignore_errors=True)


def keep_logs(path):
    """Copy the logs below path to where test/run looks for them."""
    kept = os.path.join(os.environ.get('KEEP_LOGS') or tempfile.gettempdir(),
                        os.path.basename(path) + '-logs')
    for parent, _, names in os.walk(path):
        for name in names:
            if name.endswith('.log'):
                os.makedirs(kept, exist_ok=True)
                flat = os.path.relpath(os.path.join(parent, name), path)
                shutil.copy(os.path.join(parent, name),
                            os.path.join(kept, flat.replace('/', '-')))
    return kept


@contextlib.contextmanager
def instance(kind=Instance, **options):
    """A running Instance, removed at the end; options are its own."""
    with folder() as path:
        index = kind(path, throwaway=True, **options)
        try:
            index.start()
            yield index
        finally:
            index.close()
