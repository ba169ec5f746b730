#!/usr/bin/python3 -B
# XML-RPC as mirrors speak it, through Python's own client, and as nobody
# should: bombs, lies about types, other methods of HTTP.

import datetime
import os
import sys
import time
import xmlrpc.client

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import Client, sdist, wheel
from servers import instance
from tap import cases, contains, equal, ok

CLIENT = None
RPC = None
PARSE, NO_METHOD, PARAMETERS, APPLICATION = -32700, -32601, -32602, -32500
LIMIT_BYTES = 1 << 20


def put(made, **changes):
    answer = CLIENT.upload(*made, **changes)
    equal(answer.status, 200, answer.words)
    return int(answer['X-PyPI-Last-Serial'])


def fault(call, code, *texts):
    try:
        got = call()
    except xmlrpc.client.Fault as error:
        equal(error.faultCode, code, error.faultString)
        for text in texts:
            contains(error.faultString, text)
    else:
        ok(False, f'no fault but {got!r}')


def post(body, path='/pypi', kind='text/xml'):
    return CLIENT.ask('POST', path, body, {'Content-Type': kind})


def fault_of(body, **options):
    answer = post(body, **options)
    equal(answer.status, 200, answer.words)
    equal(answer['Content-Type'], 'text/xml')
    try:
        xmlrpc.client.loads(answer.words)
    except xmlrpc.client.Fault as error:
        return error.faultCode
    return None


def test_an_empty_index_has_a_serial_and_no_events():
    equal(RPC.changelog_last_serial(), 0)
    equal(RPC.changelog_since_serial(0), [])
    equal(RPC.list_packages(), [])
    equal(RPC.list_packages_with_serial(), {})
    equal(RPC.updated_releases(0), [])


def test_an_upload_is_told_as_mirrors_expect():
    before = int(time.time())
    serial = put(sdist('First.Project', '1.0'), name='First.Project')
    events = RPC.changelog_since_serial(0)
    equal([event[0] for event in events], ['First.Project'] * 4)
    equal([event[1] for event in events], [None, None, '1.0', '1.0'])
    equal([event[3] for event in events],
          ['create', 'add Owner alice', 'new release',
           'add source file first_project-1.0.tar.gz'])
    equal([event[4] for event in events], [1, 2, 3, 4])
    equal(serial, 4)
    for event in events:
        ok(before <= event[2] <= time.time() + 1, 'seconds since 1970')
    equal(RPC.changelog_last_serial(), 4)
    equal(RPC.changelog_since_serial(3), events[3:])
    equal(RPC.changelog_since_serial(4), [])
    equal(RPC.changelog_since_serial(2**31 - 1), [])
    equal(RPC.changelog_since_serial(-1), events)


def test_changelog_tells_time_and_serial_if_asked():
    events = RPC.changelog_since_serial(0)
    since = events[0][2] - 1
    equal(RPC.changelog(since), [event[:4] for event in events])
    equal(RPC.changelog(since, False), [event[:4] for event in events])
    equal(RPC.changelog(since, True), events)
    equal(RPC.changelog(events[-1][2] + 5), [])
    equal(RPC.updated_releases(since), [['First.Project', '1.0']])
    equal(RPC.changed_packages(since), ['First.Project'])


def test_lists_name_every_project_with_its_serial():
    serial = put(wheel('second', '2'))
    equal(RPC.list_packages(), ['First.Project', 'second'])
    equal(RPC.list_packages_with_serial(),
          {'First.Project': 4, 'second': serial})


def test_releases_come_newest_first_and_yanked_ones_if_asked():
    for version in '1.0', '1.10', '1.9', '2.0rc1':
        put(wheel('many', version))
    CLIENT.index.tilsit('release', 'yank', 'many', '1.9')
    equal(RPC.package_releases('many'), ['2.0rc1', '1.10', '1.0'])
    equal(RPC.package_releases('Many', True), ['2.0rc1', '1.10', '1.9', '1.0'])
    equal(RPC.package_releases('MANY', False), ['2.0rc1', '1.10', '1.0'])
    for nobody in 'nobody', '', '-', 'a b', 'é':
        equal(RPC.package_releases(nobody), [])


def test_release_urls_have_the_fields_and_types_of_old():
    name, data = wheel('urls', '1.0')
    put((name, data), comment='a comment')
    put(sdist('urls', '1.0'))
    for call in RPC.release_urls, RPC.package_urls:
        files = call('urls', '1.0')
        equal([file['filename'] for file in files],
              [name, 'urls-1.0.tar.gz'])
        file = files[0]
        for key, kind in (('packagetype', str), ('python_version', str),
                          ('comment_text', str), ('md5_digest', str),
                          ('sha256_digest', str), ('digests', dict),
                          ('size', int), ('has_sig', bool),
                          ('downloads', int), ('url', str),
                          ('upload_time', xmlrpc.client.DateTime)):
            equal(type(file[key]), kind, key)
        equal((file['size'], file['comment_text']), (len(data), 'a comment'))
        ok(file['url'].endswith('/packages/' + file['path']))
        when = datetime.datetime.strptime(file['upload_time'].value,
                                          '%Y%m%dT%H:%M:%S')
        age = datetime.datetime.utcnow() - when
        ok(abs(age.total_seconds()) < 600, f'{age} ago, in UTC')
    equal(len(RPC.release_urls('URLS', '1')), 2)
    equal(RPC.release_urls('urls', '9'), [])
    equal(RPC.release_urls('urls', 'dog'), [])


def test_release_data_is_the_metadata_or_an_empty_struct():
    lines = ['Summary: a <summary> & more', 'Author: Ärger', 'License: MIT',
             'Keywords: a,b', 'Classifier: Topic :: Utilities',
             'Requires-Dist: six']
    put(wheel('data', '1', *lines, body='text\n'),
        summary='a <summary> & more', author='Ärger', license='MIT',
        keywords='a,b', classifiers=['Topic :: Utilities'],
        requires_dist=['six'], description='text\n')
    for call in RPC.release_data, RPC.package_data:
        data = call('Data', '1.0')
        equal((data['name'], data['version']), ('data', '1'))
        equal(data['summary'], 'a <summary> & more')
        equal(data['author'], 'Ärger')
        equal(data['classifiers'], ['Topic :: Utilities'])
        equal(data['requires_dist'], ['six'])
        equal((data['keywords'], data['description']), ('a,b', 'text\n'))
        for forgotten in 'bugtrack_url', 'docs_url', 'stable_version':
            equal(data[forgotten], None)
        equal(data['_pypi_hidden'], False)
        equal(data['downloads'],
              {'last_day': -1, 'last_week': -1, 'last_month': -1})
    for name, version in ('data', '2'), ('nobody', '1'), ('data', 'dog'):
        equal(RPC.release_data(name, version), {})


def test_control_characters_become_nothing_that_breaks_xml():
    text = 'bell \x07 tab \t del \x7f'
    put(wheel('control', '1', body=text + '\n'))
    contains(RPC.release_data('control', '1')['description'], 'bell')


def test_times_that_no_calendar_has_are_the_first_and_the_last():
    for method in 'changelog', 'updated_releases', 'changed_packages':
        for seconds, there in ((-2**63, True), (-10**13, True),
                               (10**13, False), (2**63 - 1, False)):
            answer = CLIENT.ask('POST', '/pypi', (
                f'<methodCall><methodName>{method}</methodName><params><param>'
                f'<value><i8>{seconds}</i8></value></param></params>'
                '</methodCall>').encode(), {'Content-Type': 'text/xml'})
            got = xmlrpc.client.loads(answer.text)[0][0]
            equal(len(got) > 0, there, f'{method} {seconds}')


def test_roles_are_told_both_ways():
    tilsit = CLIENT.index.tilsit
    tilsit('user', 'add', 'bob', '--password-stdin')
    tilsit('role', 'set', 'data', 'bob', 'Maintainer')
    equal(RPC.package_roles('DATA'),
          [['Owner', 'alice'], ['Maintainer', 'bob']])
    equal(RPC.user_packages('bob'), [['Maintainer', 'data']])
    equal(RPC.package_roles('nobody'), [])
    equal(RPC.user_packages('nobody'), [])


def test_browse_finds_releases_with_all_classifiers():
    both = ['Topic :: Utilities', 'Framework :: Pytest']
    put(wheel('browsed', '1', *(f'Classifier: {c}' for c in both)),
        classifiers=both)
    equal(RPC.browse(both), [['browsed', '1']])
    equal(RPC.browse(both[:1]), [['browsed', '1'], ['data', '1']])
    equal(RPC.browse(['No :: Such']), [])
    fault(lambda: RPC.browse([]), APPLICATION, 'at least one')
    fault(lambda: RPC.browse([1]), APPLICATION)


def test_what_is_gone_says_so():
    fault(lambda: RPC.search({'name': ['x'], 'summary': ['x']}, 'or'),
          APPLICATION, 'RuntimeError', "pip search")
    fault(lambda: RPC.top_packages(5), APPLICATION, 'RuntimeError')
    fault(lambda: RPC.top_packages(), APPLICATION)
    multi = xmlrpc.client.MultiCall(RPC)
    multi.list_packages()
    fault(multi, APPLICATION, 'MultiCall requests have been deprecated')


def test_methods_are_listed_and_others_are_not_found():
    contains(RPC.system.listMethods(), 'changelog_since_serial')
    for name in ('nothing', 'changelog_since_seria', 'system.exec',
                 'release_downloads'):
        fault(getattr(RPC, name), NO_METHOD, 'requested method not found')


def test_wrong_arguments_are_named():
    fault(RPC.changelog_since_serial, PARAMETERS, 'argument 1', 'Missing')
    fault(lambda: RPC.changelog_since_serial('5'), PARAMETERS,
          'should be a valid integer')
    fault(lambda: RPC.changelog_since_serial(True), PARAMETERS, 'integer')
    fault(lambda: RPC.changelog_since_serial(1.5), PARAMETERS, 'integer')
    fault(lambda: RPC.changelog_since_serial(1, 2), PARAMETERS, 'Unexpected')
    fault(lambda: RPC.list_packages(1), PARAMETERS, 'Unexpected')
    fault(lambda: RPC.package_roles(['data']), PARAMETERS, 'string')
    fault(lambda: RPC.release_urls('data'), PARAMETERS, 'argument 2')
    fault(lambda: RPC.browse('x'), PARAMETERS, 'array')


def number(text):
    return (f'<methodCall><methodName>changelog_since_serial</methodName>'
            f'<params><param><value>{text}</value></param></params>'
            '</methodCall>')


def test_integers_end_where_they_must():
    for text in ('<int>1</int>', '<i4>-1</i4>', '<int>2147483647</int>',
                 '<i8>9223372036854775807</i8>', '<int> 1 </int>'):
        equal(fault_of(number(text)), None, text)
    for text in ('<int>9223372036854775808</int>', '<int>1e3</int>',
                 '<int></int>', '<int>0x1</int>', '<int>1 2</int>',
                 '<i8>' + '9' * 1000 + '</i8>'):
        equal(fault_of(number(text)), PARSE, text)


def test_broken_calls_are_faults():
    call = number('<int>1</int>')
    for body in ('', 'x', '<methodCall>', call[:-5], '<a/>', call + 'x',
                 call + call, call.replace('int', 'struct'),
                 call.replace('methodName', 'MethodName'),
                 number('<array><data><value>1</value>'),
                 '\0' + call, call.replace('1', '\x01'),
                 '<?xml version="1.0" encoding="utf-16"?>' + call,
                 '<methodCall><params/></methodCall>'):
        equal(fault_of(body.encode()), PARSE, body[:60])
    for encoding in 'UTF-8', 'ISO-8859-1', 'us-ascii':
        equal(fault_of(f'<?xml version="1.0" encoding="{encoding}"?>{call}'),
              None)


def test_bombs_and_entities_are_refused_at_once():
    call = number('<int>1</int>')
    entities = ''.join(f'<!ENTITY x{n} "{f"&x{n-1};" * 10}">'
                       for n in range(1, 20))
    for prologue in (f'<!DOCTYPE m [<!ENTITY x0 "ha">{entities}]>',
                     '<!DOCTYPE m SYSTEM "file:///etc/passwd">',
                     '<!DOCTYPE m [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
                     '<!DOCTYPE m>'):
        equal(fault_of(prologue + call), PARSE, prologue[:40])
    equal(fault_of(number('&x19;')), PARSE)
    deep = '<array><data><value>' * 20000 + '</value></data></array>' * 20000
    equal(fault_of(number(deep)[:LIMIT_BYTES]), PARSE)
    equal(fault_of(number('<array><data>' + '<value>1</value>' * 60000 +
                          '</data></array>')[:LIMIT_BYTES]), PARSE)
    equal(fault_of('<methodCall ' + 'a="b" ' * 5000 + '/>'), PARSE)


def test_a_call_over_a_megabyte_is_413():
    for path in '/pypi', '/pypi/', '/RPC2':
        equal(post(b' ' * (LIMIT_BYTES + 1), path).status, 413)
    answer = CLIENT.raw(
        b'POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n'
        b'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n' +
        b'10000\r\n' + b' ' * 0x10000 + b'\r\n' + (
            b'10000\r\n' + b' ' * 0x10000 + b'\r\n') * 16 + b'0\r\n\r\n')
    equal(answer.status, 413)


def test_the_media_type_decides_who_answers():
    call = number('<int>9</int>')
    for kind in 'text/xml', 'text/xml; charset=utf-8', 'Text/XML':
        for path in '/pypi', '/pypi/', '/RPC2':
            equal(fault_of(call, path=path, kind=kind), None, kind)
    equal(post(call, kind='application/xml').status, 401)
    answer = CLIENT.get('/RPC2')
    equal((answer.status, answer['Allow']), (405, 'POST, OPTIONS'))


def test_answers_are_never_kept():
    answer = post(number('<int>9</int>'))
    equal(answer['Cache-Control'], 'no-store')
    ok(answer['Content-Length'], 'its length')


def test_names_are_data_and_nothing_else():
    for name in ("'; DROP TABLE project; --", '<b>', '&amp;', '%00', '\\',
                 '../..', 'a\nb', '\u2028', 'x' * 100000):
        for call in (RPC.package_releases, RPC.package_roles,
                     RPC.user_packages):
            equal(call(name), [])
        equal(RPC.release_data(name, name), {})
        equal(RPC.release_urls(name, name), [])
    ok('data' in RPC.list_packages())


if __name__ == '__main__':
    with instance() as index:
        CLIENT = Client(index)
        RPC = xmlrpc.client.ServerProxy(index.url + '/pypi', allow_none=True)
        cases(globals())
