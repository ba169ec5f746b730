"""What a raised lab's disks look like, kept for the next one.

Raising a lab from nothing takes half a minute, nearly all of it for what
comes out the same each time.  So the disks of a lab that has just been
raised are copied, and the next lab of the same programs, settings and
network boots these copies.  At most KEPT of them stay, below build/.
"""
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time

KEPT = 3
KEPT_S = 20 * 86400      # certificates are good for 30 days
FILES = ('ca.pem', 'ca.key', 'fullchain.pem', 'privkey.pem', 'token')


def copy(source, target):
    subprocess.run(['cp', '--sparse=always', '--reflink=auto', '--preserve',
                    source, target], check=True)


class Shelf:
    """tree is the source tree; what tells one lab from another is words."""

    def __init__(self, tree, build, words):
        self.folder = os.path.join(tree, 'build', 'lab-shelf')
        key = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
        for path in files(tree, build):
            with open(path, 'rb') as source:
                key.update(path.encode() + hashlib.file_digest(
                    source, 'sha256').digest())
        self.path = os.path.join(self.folder, key.hexdigest()[:32])

    def take(self, lab):
        """Copy what is kept to a lab's folder; is there anything?"""
        if not os.path.isdir(self.path):
            return False
        made = os.path.getmtime(os.path.join(self.path, FILES[0]))
        if time.time() - made > KEPT_S:
            shutil.rmtree(self.path)
            return False
        os.utime(self.path)
        for name in FILES:
            copy(os.path.join(self.path, name), lab.path(name))
        for name in lab.machines:
            os.makedirs(lab.path(name))
            copy(os.path.join(self.path, name), lab.path(name, 'disk.img'))
        return True

    def put(self, lab):
        """Keep a lab's disks as they are at this moment.

        The replica's first: it must not know more than the primary.
        """
        os.makedirs(self.folder, exist_ok=True)
        new = tempfile.mkdtemp(dir=self.folder)
        for name in FILES:
            copy(lab.path(name), os.path.join(new, name))
        for name in sorted(lab.machines, reverse=True):
            with lab.machines[name].still():
                copy(lab.path(name, 'disk.img'), os.path.join(new, name))
        with contextlib.suppress(OSError):      # another lab was faster
            os.rename(new, self.path)
        shutil.rmtree(new, ignore_errors=True)
        self.clear()

    def clear(self):
        with contextlib.suppress(FileNotFoundError):    # of another's clear()
            kept = sorted((os.path.join(self.folder, name)
                           for name in os.listdir(self.folder)),
                          key=os.path.getmtime)
            for path in kept[:-KEPT]:
                shutil.rmtree(path, ignore_errors=True)


def files(tree, build):
    """All that goes into a machine, or says how."""
    yield '/var/lib/dpkg/status'
    for top in ('deploy', 'test/lab', 'www/static',
                os.path.join(build, 'bin')):
        for folder, names, members in os.walk(os.path.join(tree, top)):
            names.sort()
            for name in sorted(members):
                if not name.endswith(('.t', '.pyc')):
                    yield os.path.join(folder, name)
