"""What a run of the lab came to, as a table for test/lab/README.md.

A fault is (name, begin, end): from the moment at which something was broken
until it was whole again.  A stall is the longest time, touching a fault, in
which not one answer of a kind came.
"""
import bisect
import collections

FLOATING = 'floating'
COLUMNS = ['fault', 'times', 'any page', 'fresh page', 'upload']


def moments(records):
    """{column: sorted times of success}."""
    found = {'any page': [], 'fresh page': [], 'upload': []}
    for record in records:
        if record['what'] == 'page' and record.get('via') == FLOATING:
            found['any page'].append(record['end'])
            if not record.get('degraded'):
                found['fresh page'].append(record['end'])
        elif record['what'] == 'change' and record['acked'] and \
                record['adds']:
            found['upload'].append(record['end'])
    return {column: sorted(times) for column, times in found.items()}


def stall(times, begin, end):
    """The longest gap between two of these times that touches begin to end."""
    first = max(0, bisect.bisect_left(times, begin) - 1)
    last = bisect.bisect_right(times, end) + 1
    near = times[first:last]
    return max((later - sooner for sooner, later in zip(near, near[1:])),
               default=0)


def stalls(records, faults):
    """{fault: {column: longest stall, 'times': how often}}."""
    times, found = moments(records), collections.defaultdict(dict)
    for name, begin, end in faults:
        row = found[name]
        row['times'] = row.get('times', 0) + 1
        for column, when in times.items():
            row[column] = max(row.get(column, 0), stall(when, begin, end))
    return found


def counts(records, breaches):
    """{what: how many}."""
    found = collections.Counter()
    for record in records:
        if record['what'] == 'failed':
            found['answers of failure'] += 1
        elif record['what'] == 'change':
            found['uploads acknowledged'] += bool(record['acked'] and
                                                  record['adds'])
        else:
            found['reads'] += 1
        if record.get('degraded'):
            found[f'degraded reads ({record["degraded"]})'] += 1
    return {**found, 'breaches': len(breaches)}


def sums(records, faults, breaches):
    """All of it, for text(); may be written as JSON and added up."""
    return {'counts': counts(records, breaches),
            'faults': stalls(records, faults)}


def text(all_of_it):
    """Markdown: what was counted, and the longest stall by fault, seconds."""
    lines = [', '.join(f'{count:,} {name}' for name, count
                       in all_of_it['counts'].items()) + '.', '',
             '| ' + ' | '.join(COLUMNS) + ' |',
             '| --- ' * len(COLUMNS) + '|']
    for name, row in sorted(all_of_it['faults'].items()):
        cells = [name.replace('_', ' '), str(row['times'])]
        cells += [f'{row[column]:.1f}' for column in COLUMNS[2:]]
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)
