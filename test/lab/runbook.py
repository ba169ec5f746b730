"""The runbook's pages, typed as they stand: deploy/runbook/README.md says how
they are written.

    steps = read_page('deploy/runbook/replica-away.md')
    for step in steps:
        step.do(lab)            # raises Untrue where it says something else
"""
import os
import re
import time

from machine import Failure
from tap import Untrue

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PATIENCE_S = 90
FAULT = re.compile(r'^Fault: (.*)')
WHERE = re.compile(r'(?:^|[ ,;])[Oo]n (vm-a|vm-b|both):$')
ANSWER = re.compile(r'(says|refuses), within a minute:$|(says|refuses):$')


class Fault:
    """What is done to the machines: words of `lab`, in backticks."""

    def __init__(self, words):
        self.words = words.split()

    def __str__(self):
        return ' '.join(self.words)

    def do(self, lab):
        verb, *names = self.words
        if verb in ('cut', 'heal', 'slow', 'lossy'):
            getattr(lab, verb)(*names)
        elif verb == 'wait':
            time.sleep(int(names[0]))
        elif verb == 'damage':      # one file is gone, one has other bytes
            lab.machines[names[0]].run(
                'cd /var/lib/tilsit/packages\n'
                'set -- $(find . -name "*.whl")\n'
                'rm "$1"; echo >>"$2"')
        else:
            getattr(lab.machines[names[0]], verb)(*names[1:])


class Command:
    """A block for a machine, and what it then says."""

    def __init__(self, where, text):
        self.where, self.text = where, text
        self.says, self.refuses, self.again = None, False, False

    def __str__(self):
        return f'{self.where}: {self.text}'

    def do(self, lab):
        names = ('vm-a', 'vm-b') if self.where == 'both' else (self.where,)
        for name in names:
            self.do_on(lab.machines[name])

    def do_on(self, vm):
        end = time.monotonic() + PATIENCE_S
        while True:
            said = vm.run('(' + self.text + '\n)\necho "status $?"',
                          check=False, timeout=300)
            said, _, status = said.rstrip('\n').rpartition('status ')
            wrong = self.misfit(said, int(status))
            if not wrong:
                return
            if not self.again or time.monotonic() > end:
                raise Untrue(f'{vm.name}: {self.text}{wrong}\n{said}')
            time.sleep(1)

    def misfit(self, said, status):
        if (status != 0) != self.refuses:
            return f'ends with status {status}:'
        if self.says is not None and not fits(self.says, said):
            return f'does not say\n{self.says}\nbut'
        return ''


def fits(pattern, said):
    """'...' stands for words in a line, or, alone, for any lines."""
    parts = []
    for line in pattern.splitlines():
        if line.strip() == '...':
            parts.append(r'(?:.*\n)*')
        else:
            parts.append('.*'.join(map(re.escape, line.split('...'))) + r'\n')
    return re.fullmatch(''.join(parts), said.rstrip('\n') + '\n') is not None


def read_page(path):
    """The steps of a page, in order."""
    steps, where, answer, block = [], None, None, None
    with open(os.path.join(TREE, path)) as page:
        for line in page:
            line = line.rstrip('\n')
            if line.startswith('```'):
                if block is None:
                    block = []
                    continue
                text, block = '\n'.join(block), None
                if answer:
                    last = steps[-1]
                    last.says = text
                    last.refuses = answer.startswith('refuses')
                    last.again = 'within' in answer
                    answer = None
                elif where:
                    steps.append(Command(where, text))
                    where = None
                else:
                    raise Failure(f'{path}: a block for nobody: {text}')
            elif block is not None:
                block.append(line)
            elif found := FAULT.match(line):
                steps += [Fault(words) for words in
                          re.findall('`([^`]*)`', found[1])]
            elif found := WHERE.search(line):
                where = found[1]
            elif found := ANSWER.search(line):
                answer = found[0]
    return steps
