"""TAP for Python tests, in the words of test/tap.h.

    sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
    from tap import cases, equal, ok, skip_all

    def test_the_moon_is_round():
        equal(shape('moon'), 'round')

    if __name__ == '__main__':
        cases(globals())

cases() runs every function whose name begins with test_, in the order of the
source, and prints one line for each: its name as a sentence.  A test fails at
its first untrue ok() or equal(), or by any exception; the next one still runs.
skip() ends one that this machine does not permit.
Within a test say() tells what is going on, seen only when a test fails.
"""
import os
import sys
import traceback


class Untrue(Exception):
    """What a test claimed is not so."""


class Skipped(Exception):
    """This machine does not permit the test."""


SAID = []


def ok(claim, text='the claim'):
    if not claim:
        raise Untrue(f'untrue: {text}')


def equal(got, want, text=''):
    if got != want:
        raise Untrue(f'{text}\n     got: {got!r}\nexpected: {want!r}'.strip())


def contains(text, part):
    if part not in text:
        raise Untrue(f'{part!r} is not in:\n{text}')


def say(*words):
    SAID.append(' '.join(str(word) for word in words))


def comment(text):
    for line in text.rstrip().splitlines():
        print('#', line)


def skip_all(why):
    """End the whole file: it cannot be run here."""
    print(f'1..0 # SKIP {why}', flush=True)
    sys.exit(0)


def skip(why):
    raise Skipped(why)


def run_one(number, name, test):
    SAID.clear()
    try:
        test()
    except Skipped as why:
        print(f'ok {number} - {name} # SKIP {why}')
        return True
    except Exception as error:  # a failed test, not the end of the others
        print(f'not ok {number} - {name}')
        comment(str(error) if isinstance(error, Untrue)
                else ''.join(traceback.format_exception(error)))
        if isinstance(error, Untrue):
            frame = traceback.extract_tb(error.__traceback__)[1]
            comment(f'at {os.path.basename(frame.filename)}:{frame.lineno}')
        for line in SAID:
            comment(line)
        return False
    print(f'ok {number} - {name}')
    return True


def cases(names):
    """Run the tests among names (a module's globals()); exits."""
    tests = [(name[5:].replace('_', ' '), value)
             for name, value in names.items()
             if name.startswith('test_') and callable(value)]
    print(f'1..{len(tests)}', flush=True)
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        failed += not run_one(number, name, test)
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
