"""Does a history keep the promises C1 to C5?

A history is a list of records, one an answer, in any order.  Each is a dict
with 'begin' and 'end' (seconds of one monotonic clock: the request was sent,
the answer was there), 'what', and:

    page    project, form, serial, files {name: is it yanked}: one project's
            page.  A 404 is a page with serial 0 and no files.
    list    serial, projects {name: serial, None where it says none}: the root
            list, or list_packages_with_serial
    newest  serial: changelog_last_serial
    events  after, events [[serial, project, version, action], ...]: the
            changelog after a serial, to its end
    change  project, serial (None if the answer said none), adds and removes
            (names of files), acked: did the answer say that it is done?

A page or list with 'degraded' said of itself that it is not the primary's: it
may be old, and it may show what the primary has yet to show.  It promises
nothing and binds nobody, but must be what the journal says of its serial.
Records of other kinds (what failed, say) are not looked at.

The checker knows what the promises say and what journal entries mean, and
nothing of how they are kept.  breaches(history) gives a list of (rule, text).

"Later" is a request that began after the other's answer had ended.
"""
import bisect
import collections

KINDS = {'change': 'C1', 'page': 'C3', 'list': 'C2', 'newest': 'C2',
         'events': 'C2'}
RULES = {
    'C1': 'read your writes', 'C2': 'changelog causality',
    'C3': 'monotonic reads', 'C4': 'no gaps', 'C5': 'nothing lost',
}


def revealed(record):
    """(project, serial) pairs that an answer gives away."""
    what = record['what']
    if what == 'page' or (what == 'change' and record['acked']):
        if record['serial']:
            yield record['project'], record['serial']
    elif what == 'list':
        for project, serial in record['projects'].items():
            if serial is not None:
                yield project, serial
    elif what == 'events':
        for serial, project, _, _ in record['events']:
            yield project, serial


def newest_of(record):
    """The highest serial that an answer gives away, 0 if none."""
    own = record.get('serial') or 0 if record.get('acked', True) else 0
    return max([own, *(serial for _, serial in revealed(record))])


def in_order(history):
    """('end' or 'begin', record) by time; of equal times, begins first, for
    only what ended before a request counts."""
    moments = [(r['begin'], 0, i) for i, r in enumerate(history)]
    moments += [(r['end'], 1, i) for i, r in enumerate(history)]
    for _, is_end, i in sorted(moments):
        yield 'end' if is_end else 'begin', history[i]


def text_of(record):
    return (f"{record['what']} {record.get('project', '')} "
            f"{record.get('form', '')} serial {record.get('serial')} "
            f"({record['begin']:.6f} to {record['end']:.6f})")


class Serials:
    """C1, C2, C3: no later page with an older serial; lists likewise."""

    def __init__(self, found):
        self.found = found
        self.of = {}            # {project: {rule: (serial, record)}}
        self.newest = 0, None

    def begin(self, record):
        if record['what'] in ('page', 'list'):
            pages = [(record['project'], record['serial'])] \
                if record['what'] == 'page' else list(revealed(record))
            for project, serial in pages:
                self.compare(record, project, serial)
        if record['what'] in ('list', 'newest') and \
                record['serial'] < self.newest[0]:
            self.found.append(('C3', f'{text_of(record)} is older than '
                               f'{text_of(self.newest[1])}'))

    def compare(self, record, project, serial):
        for rule, (known, by) in self.of.get(project, {}).items():
            if serial < known:
                self.found.append((rule, f'{text_of(record)}: {project} at '
                                   f'{serial}, but {known} was in '
                                   f'{text_of(by)}'))

    def end(self, record):
        rule = KINDS[record['what']]
        for project, serial in revealed(record):
            known = self.of.setdefault(project, {})
            if serial > known.get(rule, (0,))[0]:
                known[rule] = serial, record
        if newest_of(record) > self.newest[0]:
            self.newest = newest_of(record), record


class Files:
    """C1, C2, C3 by what is shown: a file that was acknowledged, announced or
    shown stays on every later page, unless somebody set out to remove it."""

    def __init__(self, found, history):
        self.found = found
        self.known = collections.defaultdict(dict)  # {project: {file: rule}}
        self.removed = {name for r in history if r['what'] == 'change'
                        for name in r['removes']}

    def begin(self, record):
        if record['what'] != 'page' or record['files'] is None:
            return
        known = self.known[record['project']]
        for name in known.keys() - record['files'].keys():
            self.found.append((known[name], f'{text_of(record)} lacks {name}'))

    def end(self, record):
        if record['what'] == 'change' and record['acked']:
            self.add(record, record['project'], record['adds'])
        elif record['what'] == 'page':
            self.add(record, record['project'], record['files'] or {})
        elif record['what'] == 'events':
            for _, project, _, action in record['events']:
                self.add(record, project, added_by(action))

    def add(self, record, project, names):
        for name in set(names) - self.removed:
            self.known[project].setdefault(name, KINDS[record['what']])


def added_by(action):
    words = action.split()
    return words[3:4] if words[0] == 'add' and words[2:3] == ['file'] else []


class Journal:
    """All events that anybody saw: {serial: (project, version, action)}."""

    def __init__(self, found, history):
        self.events = {}
        for record in history:
            if record['what'] != 'events':
                continue
            serials = [event[0] for event in record['events']]
            if serials != sorted(set(serials)) or \
                    (serials and serials[0] <= record['after']):
                found.append(('C4', f'{text_of(record)}: not in order'))
            for serial, *event in record['events']:
                if self.events.setdefault(serial, event) != event:
                    found.append(('C5', f'serial {serial} is {event} and '
                                  f'{self.events[serial]}'))
        self.serials = sorted(self.events)

    def between(self, after, upto):
        return self.serials[bisect.bisect_right(self.serials, after):
                            bisect.bisect_right(self.serials, upto)]


class Gaps:
    """C4: an answer has every event up to the newest serial known before it,
    or named in it, that anybody ever saw."""

    def __init__(self, found, journal):
        self.found, self.journal = found, journal
        self.newest = 0

    def begin(self, record):
        if record['what'] != 'events':
            return
        shown = {event[0] for event in record['events']}
        upto = max([self.newest, *shown])
        for serial in self.journal.between(record['after'], upto):
            if serial not in shown:
                self.found.append(('C4', f'{text_of(record)} after '
                                   f"{record['after']} lacks {serial}, and "
                                   f'{upto} was known'))

    def end(self, record):
        self.newest = max(self.newest, newest_of(record))


class State:
    """What a project's events add up to."""

    def __init__(self):
        self.own, self.yanked = {}, set()

    def apply(self, version, action):
        words = action.split()
        if action == 'remove release':
            self.own = {n: of for n, of in self.own.items()
                        if of[0] != version}
            self.yanked.discard(version)
        elif action == 'yank release':
            self.yanked.add(version)
        elif action == 'unyank release':
            self.yanked.discard(version)
        elif added_by(action):
            self.own[words[3]] = version, False
        elif words[:2] == ['remove', 'file']:
            self.own.pop(words[2], None)
        elif words[1:2] == ['file']:
            self.own[words[2]] = version, words[0] == 'yank'

    def files(self):
        return {name: yanked or version in self.yanked
                for name, (version, yanked) in self.own.items()}


def states(journal):
    """{project: {serial: files}} after each event; one change may write
    several, of which only the last is ever shown."""
    now, after = {}, collections.defaultdict(dict)
    for serial in journal.serials:
        project, version, action = journal.events[serial]
        now.setdefault(project, State()).apply(version, action)
        after[project][serial] = now[project].files()
    return after


def check_contents(found, history, journal):
    """What a page shows is what the journal says of its serial."""
    after = states(journal)
    for record in history:
        if record['what'] != 'page' or not record['serial'] or \
                record['files'] is None:
            continue
        want = after[record['project']].get(record['serial'])
        if want is None:
            found.append(('C5', f'{text_of(record)}: there is no such event'))
        elif want != record['files']:
            wrong = set(want.items()) ^ set(record['files'].items())
            found.append(('C3', f'{text_of(record)} is not what the journal '
                          f'says of its serial: {sorted(wrong)}'))


def check_acked(found, history, journal):
    """C5: each acknowledged change is in the journal, under its serial."""
    there = {name for event in journal.events.values()
             for name in added_by(event[2])}
    owner = {}
    for record in history:
        if record['what'] != 'change' or not record['acked']:
            continue
        for name in set(record['adds']) - there:
            found.append(('C5', f'{text_of(record)}: {name} is lost'))
        serial = record['serial']
        if not serial:
            continue
        if journal.events.get(serial, [None])[0] != record['project']:
            found.append(('C5', f'{text_of(record)}: is lost, its serial is '
                          f'{journal.events.get(serial)}'))
        if owner.setdefault(serial, record) is not record and \
                record['adds'] != owner[serial]['adds']:
            found.append(('C5', f'{text_of(record)}: its serial is also '
                          f'that of {text_of(owner[serial])}'))


def breaches(history):
    """Every breach, as (rule, text)."""
    found, history = [], [r for r in history if r['what'] in KINDS]
    journal = Journal(found, history)
    watchers = [Serials(found), Files(found, history), Gaps(found, journal)]
    for moment, record in in_order(
            [r for r in history if not r.get('degraded')]):
        for watcher in watchers:
            getattr(watcher, moment)(record)
    check_contents(found, history, journal)
    check_acked(found, history, journal)
    return found
