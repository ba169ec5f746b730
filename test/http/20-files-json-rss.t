#!/usr/bin/python3 -B
# What was uploaded comes back: files and their .metadata byte for byte, the
# JSON pages, the feeds.

import email.utils
import hashlib
import json
import os
import re
import sys
from xml.etree import ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

from client import Client, metadata, sdist, wheel
from servers import instance
from tap import cases, contains, equal, ok

CLIENT = None
FIELDS = {
    'Summary': 'All of it: <b>&amp; "more"', 'Author': 'Jörg Ähem',
    'Author-email': 'Jörg <joerg@example.org>', 'Maintainer': 'Ms. M',
    'Maintainer-email': 'm@example.org', 'License': 'MIT & others',
    'Home-page': 'https://example.org/?a=b&c=d',
    'Download-URL': 'https://example.org/dl', 'Keywords': 'one,two',
    'Description-Content-Type': 'text/markdown; charset=UTF-8',
    'Requires-Python': '>=3.8', 'Platform': 'any',
}
LISTS = {
    'Classifier': ['Programming Language :: Python :: 3',
                   'Operating System :: OS Independent'],
    'Requires-Dist': ['requests>=2; python_version < "4"', 'six'],
    'Provides-Extra': ['test', 'dev'],
    'Project-URL': ['Docs, https://example.org/docs',
                    'Source Code, https://example.org/src'],
}
BODY = '# Full\n\nA description\twith <script>alert(1)</script> \u2713\n'


def full(version):
    lines = [f'{name}: {value}' for name, value in FIELDS.items()]
    lines += [f'{name}: {value}' for name, values in LISTS.items()
              for value in values]
    meta = metadata('Full.Name', version, *lines, body=BODY)
    return meta, wheel('Full.Name', version, meta=meta)


def form(version):
    form = {name.lower().replace('-', '_'): value
            for name, value in FIELDS.items()}
    return {**form, 'name': 'Full.Name', 'description': BODY,
            'classifiers': LISTS['Classifier'],
            'requires_dist': LISTS['Requires-Dist'],
            'provides_extra': LISTS['Provides-Extra'],
            'project_urls': LISTS['Project-URL'], 'comment': 'a comment'}


def put(made, **changes):
    answer = CLIENT.upload(*made, **changes)
    equal(answer.status, 200, answer.words)
    return int(answer['X-PyPI-Last-Serial'])


def file_of(project, filename):
    return [file for file in CLIENT.project(project)['files']
            if file['filename'] == filename][0]


def test_a_file_comes_back_byte_for_byte_under_its_digest():
    for made in wheel('bytes', '1'), sdist('bytes', '1'):
        put(made)
        file = file_of('bytes', made[0])
        digest = hashlib.blake2b(made[1], digest_size=32).hexdigest()
        equal(file['url'], f'/packages/{digest[:2]}/{digest[2:4]}/'
              f'{digest[4:]}/{made[0]}')
        equal(file['hashes'], {'sha256': hashlib.sha256(made[1]).hexdigest()})
        equal(file['size'], len(made[1]))
        for headers in {}, {'Accept-Encoding': 'gzip, deflate, br'}:
            answer = CLIENT.ask('GET', file['url'], None, headers)
            equal((answer.status, answer.text), (200, made[1]))
            equal(answer['Content-Encoding'], None)


def test_ranges_of_a_real_file_are_what_pip_and_uv_need():
    name, data = wheel('ranges', '1')
    put((name, data))
    url = file_of('ranges', name)['url']
    head = CLIENT.ask('HEAD', url, None, {'Accept-Encoding': 'identity'})
    equal((head.status, head['Accept-Ranges']), (200, 'bytes'))
    equal(head['Content-Length'], str(len(data)))
    for asked, want in (('bytes=-100', data[-100:]), ('bytes=10-19',
                        data[10:20]), ('bytes=10-', data[10:])):
        part = CLIENT.get(url, Range=asked, Cache_Control='no-cache')
        equal((part.status, part.text), (206, want), asked)
        contains(part['Content-Range'], f'/{len(data)}')
    tag, date = head['ETag'], head['Last-Modified']
    for condition, status in ((tag, 206), (date, 206), ('"other"', 200),
                              ('Thu, 01 Jan 1970 00:00:00 GMT', 200)):
        equal(CLIENT.get(url, Range='bytes=0-9', If_Range=condition).status,
              status, condition)
    equal(CLIENT.get(url, If_None_Match=tag).status, 304)
    equal(CLIENT.get(url, If_Modified_Since=date).status, 304)
    equal(CLIENT.get(url, Range=f'bytes={len(data)}-').status, 416)


def test_metadata_is_the_wheels_own_to_the_last_byte():
    odd = metadata('odd', '1', 'X-Unknown: kept', 'Summary:   spaces  ',
                   body='no newline at the end \u00e9').replace(
                       b'\n', b'\r\n', 3)
    made = wheel('odd', '1', meta=odd)
    put(made)
    file = file_of('odd', made[0])
    answer = CLIENT.get(file['url'] + '.metadata')
    equal((answer.status, answer.text), (200, odd))
    equal(file['core-metadata'],
          {'sha256': hashlib.sha256(odd).hexdigest()})
    contains(CLIENT.get('/simple/odd/').words,
             'data-core-metadata="sha256=' + hashlib.sha256(odd).hexdigest())


def test_an_sdist_has_no_metadata_beside_it():
    made = sdist('plainsdist', '1')
    put(made)
    file = file_of('plainsdist', made[0])
    equal(file['core-metadata'], False)
    equal(CLIENT.get(file['url'] + '.metadata').status, 404)


def test_the_json_page_says_what_was_uploaded():
    meta, made = full('1.0')
    serial = put(made, **form('1.0'))
    page = CLIENT.get('/pypi/full-name/json')
    equal(page['Content-Type'], 'application/json')
    ok(page.words.endswith('\n'))
    page = page.json
    equal(set(page), {'info', 'last_serial', 'ownership', 'releases', 'urls',
                      'vulnerabilities'})
    equal(page['last_serial'], serial)
    equal(page['vulnerabilities'], [])
    equal(page['ownership'], {'organization': None, 'roles': [
        {'role': 'Owner', 'user': 'alice'}]})
    info = page['info']
    for name, want in FIELDS.items():
        equal(info[name.lower().replace('-', '_')], want, name)
    equal(info['name'], 'Full.Name')
    equal(info['version'], '1.0')
    equal(info['description'], BODY)
    equal(info['classifiers'], LISTS['Classifier'])
    equal(info['requires_dist'], LISTS['Requires-Dist'])
    equal(info['provides_extra'], LISTS['Provides-Extra'])
    equal(info['project_urls'], {'Docs': 'https://example.org/docs',
                                 'Source Code': 'https://example.org/src'})
    equal((info['yanked'], info['yanked_reason']), (False, None))
    for key in 'bugtrack_url', 'docs_url':
        equal(info[key], None)
    equal(info['downloads'], {'last_day': -1, 'last_week': -1,
                              'last_month': -1})
    equal(page['releases'], {'1.0': page['urls']})
    check_file(page['urls'][0], made, meta)


def check_file(file, made, meta):
    name, data = made
    equal((file['filename'], file['size']), (name, len(data)))
    equal(file['digests'], {
        'md5': hashlib.md5(data).hexdigest(),
        'sha256': hashlib.sha256(data).hexdigest(),
        'blake2b_256': hashlib.blake2b(data, digest_size=32).hexdigest()})
    equal(file['md5_digest'], file['digests']['md5'])
    equal((file['packagetype'], file['python_version']),
          ('bdist_wheel', 'py3'))
    equal((file['requires_python'], file['comment_text']),
          ('>=3.8', 'a comment'))
    equal((file['has_sig'], file['downloads']), (False, -1))
    equal(file['core-metadata'], {'sha256': hashlib.sha256(meta).hexdigest()})
    ok(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d', file['upload_time']),
       file['upload_time'])
    ok(file['upload_time_iso_8601'].startswith(file['upload_time']))
    ok(file['upload_time_iso_8601'].endswith('Z'))
    equal((file['yanked'], file['yanked_reason']), (False, None))
    equal(CLIENT.get(file['url']).text, data)


def test_a_release_has_a_page_under_every_spelling_of_its_version():
    put(sdist('Full.Name', '2.0'), name='Full.Name')
    for version in '1.0', '1', '1.0.0', 'v1.0', '1.0%20':
        page = CLIENT.get(f'/pypi/full-name/{version}/json')
        equal(page.status, 200, version)
        equal(page.json['info']['version'], '1.0')
        equal([file['filename'] for file in page.json['urls']],
              ['full_name-1.0-py3-none-any.whl'])
        ok('releases' not in page.json)
    for version in '3', '1.0.dev1', 'dog', '1.0+x', '':
        equal(CLIENT.get(f'/pypi/full-name/{version}/json').status, 404)


def test_the_newest_good_release_stands_for_the_project():
    def latest():
        return CLIENT.get('/pypi/latest/json').json['info']['version']
    tilsit = CLIENT.index.tilsit
    put(wheel('latest', '1.0a1'))
    put(wheel('latest', '1.0a2'))
    equal(latest(), '1.0a2')
    put(wheel('latest', '0.9'))
    equal(latest(), '0.9')
    put(wheel('latest', '0.10'))
    equal(latest(), '0.10')
    tilsit('release', 'yank', 'latest', '0.10')
    equal(latest(), '0.9')
    tilsit('release', 'yank', 'latest', '0.9')
    equal(latest(), '1.0a2')
    tilsit('release', 'yank', 'latest', '1.0a2')
    tilsit('release', 'yank', 'latest', '1.0a1')
    equal(latest(), '1.0a2')


def test_two_spellings_of_a_version_are_one_release():
    put(wheel('spelled', '1.0'))
    put(sdist('spelled', '1.0.0'))
    page = CLIENT.get('/pypi/spelled/json').json
    equal(list(page['releases']), ['1.0'])
    equal(len(page['urls']), 2)
    equal(CLIENT.project('spelled')['versions'], ['1.0'])


def feed(path):
    page = CLIENT.get(path)
    equal(page.status, 200)
    equal(page['Content-Type'], 'text/xml; charset=UTF-8')
    root = ElementTree.fromstring(page.text)
    equal((root.tag, root.get('version')), ('rss', '2.0'))
    channel = root.find('channel')
    ok(channel.findtext('title') and channel.findtext('description'))
    ok(channel.findtext('link') != '#', 'a link that leads somewhere')
    items = [{child.tag: child.text for child in item}
             for item in channel.iter('item')]
    for item in items:
        ok(email.utils.parsedate_to_datetime(item['pubDate']))
    ids = [item['guid'] for item in items]
    equal(len(set(ids)), len(ids), 'no two items are one to a reader')
    return items


def test_feeds_are_well_formed_whatever_was_uploaded():
    nasty = '<![CDATA[ ]]> &lt; <script> \' " \u2713'
    put(wheel('nasty', '1', f'Summary: {nasty}'), summary=nasty)
    item = feed('/rss/updates.xml')[0]
    equal((item['title'], item['description']), ('nasty 1', nasty))
    equal(feed('/rss/packages.xml')[0]['title'], 'nasty added')
    equal(feed('/rss/project/nasty/releases.xml')[0]['title'], '1')


def test_feeds_name_one_author_by_a_bare_address():
    authors = 'Ann <ann@example.org>, bob@example.org'
    put(wheel('authors', '1', f'Author-email: {authors}'),
        author_email=authors)
    for path in '/rss/updates.xml', '/rss/project/authors/releases.xml':
        equal(feed(path)[0]['author'], 'ann@example.org')


def test_a_late_release_of_an_old_line_is_the_newest():
    for version in '2.0', '1.9':
        put(wheel('lines', version))
    equal([item['title'] for item in feed('/rss/project/lines/releases.xml')],
          ['1.9', '2.0'])


def test_feeds_list_the_newest_first_and_not_too_many():
    for number in range(45):
        put(wheel('feed', f'1.{number}'))
    releases = feed('/rss/project/feed/releases.xml')
    equal([item['title'] for item in releases],
          [f'1.{number}' for number in range(44, 4, -1)])
    titles = [item['title'] for item in feed('/rss/updates.xml')]
    equal(titles[:45], [f'feed 1.{number}' for number in range(44, -1, -1)])
    ok(len(titles) <= 100)
    equal(feed('/rss/packages.xml')[0]['title'], 'feed added')


def test_json_pages_are_not_html():
    put(wheel('xss', '1', 'Summary: </script><script>alert(1)</script>'),
        summary='</script><script>alert(1)</script>')
    page = CLIENT.get('/pypi/xss/json')
    equal(page['X-Content-Type-Options'], 'nosniff')
    equal(json.loads(page.text)['info']['summary'],
          '</script><script>alert(1)</script>')


if __name__ == '__main__':
    with instance() as index:
        CLIENT = Client(index)
        cases(globals())
