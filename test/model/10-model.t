#!/usr/bin/python3 -B
"""The protocol's models, verified by Spin, and each of its rules left out.

Every *.pml says itself, in its first comment, with which bounds it is verified
("check NAME=value ...") and which macro leaves out which rule ("mutant NAME:
what", with bounds before the colon where the model's own do not do).  A model
must hold; a mutant that holds too has survived, and that is a failure: the
model could not see what the rule is for.

V=1 prints what was explored and the shortest way to each breach.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f'{HERE}/../lib')

from tap import comment, skip_all  # noqa: E402 (found after the line above)

MEMORY_MB = 4000            # the largest search takes some hundred
DEPTH = 3000000             # steps; the longest path has some 100,000


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


class Run:
    """One search: a model, its bounds, and the rule that is left out."""

    def __init__(self, model, macros, mutant=None, what=''):
        self.model, self.macros, self.mutant = model, macros, mutant
        self.name = f'{model} with {" ".join(macros)}' if not mutant else \
            f'{model} breaks with {mutant}: {what}'
        self.error = self.trail = ''
        self.states = 0
        self.seconds = 0.0

    def search(self):
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix='tilsit-model-') as folder:
            try:
                self.search_in(folder)
            except subprocess.CalledProcessError as error:
                self.error = f'{error}\n{error.stdout}'
        self.seconds = time.monotonic() - started
        return self

    def search_in(self, folder):
        def call(*command):
            return subprocess.run(command, cwd=folder, check=True, text=True,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT).stdout

        spin = ['spin', *(f'-D{macro}' for macro in self.macros)]
        path = f'{HERE}/{self.model}.pml'
        # Breadth first finds the shortest way to a breach, and needs no
        # optimizer; for a whole search the compiler's time is well spent.
        call(*spin, '-a', path)
        call('gcc', '-w', '-DSAFETY', f'-DMEMLIM={MEMORY_MB}',
             *(['-O0', '-DBFS'] if self.mutant else ['-O2']),
             '-o', 'pan', 'pan.c')
        report = call('./pan', '-n', f'-m{DEPTH}')
        self.states = int(re.search(r'(\d+) states, stored', report)[1])
        found = re.search(r'errors: (\d+)', report)
        whole = 'Search not completed' not in report and \
            'max search depth too small' not in report
        if found[1] != '0':
            [trail] = glob.glob(f'{folder}/*.trail')
            self.trail = call(*spin, '-t', '-k', trail, path)
            self.trail = self.trail.split('#processes')[0]
        if self.mutant and 'assertion violated' not in report:
            self.error = 'the mutant survives\n' + report
        elif not self.mutant and (self.trail or not whole):
            self.error = report + self.trail

    def tell(self, number):
        print(f'{"not " if self.error else ""}ok {number} - {self.name}')
        if self.error:
            comment(self.error)
        elif os.environ.get('V'):
            comment(f'{self.states} states, {self.seconds:.1f} s')
            comment(self.trail)
        sys.stdout.flush()


def runs():
    for path in sorted(glob.glob(f'{HERE}/*.pml')):
        model, text = os.path.basename(path)[:-4], read(path)
        for bounds in re.findall(r'^ \* check (.*)$', text, re.M):
            yield Run(model, bounds.split())
        for name, bounds, what in re.findall(
                r'^ \* mutant (\w+)((?: \w+=\w+)*): (.*)$', text, re.M):
            yield Run(model, [name, *bounds.split()], name, what)


def undocumented(all_runs):
    """What of the mutants README.md, and the models' code, do not have."""
    readme = read(f'{HERE}/README.md')
    for run in all_runs:
        if run.mutant and f'`{run.mutant}`' not in readme:
            yield f'README.md does not tell of {run.mutant}'
        code = read(f'{HERE}/{run.model}.pml').split('*/', 1)[1]
        if run.mutant and not re.search(rf'\b{run.mutant}\b', code):
            yield f'{run.model}.pml does nothing with {run.mutant}'


def main():
    if os.environ.get('SAN'):
        skip_all('models have nothing to sanitize; the plain run has them')
    everything = list(runs())
    print(f'1..{len(everything) + 1}', flush=True)
    # Two at a time; the long ones are the first of each model.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(enumerate(pool.map(Run.search, everything), 1))
    for number, run in done:
        run.tell(number)
    missing = '\n'.join(undocumented(everything))
    print(f'{"not " if missing else ""}ok {len(everything) + 1} - '
          'README.md has every mutant, and every mutant its code')
    comment(missing)
    return 1 if missing or any(run.error for run in everything) else 0


if __name__ == '__main__':
    sys.exit(main())
