"""What an index shows, from the outside, and whether it agrees with itself.

    page = read(client, 'demo', 'json')     # .status .serial .files .no_store
    agree(client)                           # every page, list and feed
"""
import hashlib
import html.parser
import json
import re
import urllib.parse
import xml.etree.ElementTree
import xmlrpc.client

from client import V1_HTML, V1_JSON
from tap import equal, ok

FEED_ITEMS = 40         # the newest releases of a project
JSON, HTML = 'application/json', 'text/html'
FORMS = {                       # path, Accept
    'html': ('/simple/{}/', HTML),
    'v1html': ('/simple/{}/', V1_HTML),
    'v1json': ('/simple/{}/', V1_JSON),
    'json': ('/pypi/{}/json', JSON),
    'rss': ('/rss/project/{}/releases.xml', 'text/xml'),
}
FILE_FORMS = ('html', 'v1html', 'v1json', 'json')   # those that name files
ROOTS = {'html': HTML, 'v1html': V1_HTML, 'v1json': V1_JSON}


class Links(html.parser.HTMLParser):
    """The links of a simple page: {text: attributes}."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open = dict(attrs) if tag == 'a' else None

    def handle_data(self, data):
        if self.open is not None:
            self.found[data.strip()] = self.open
            self.open = None


def files_of_html(text):
    return {name: 'data-yanked' in attrs
            for name, attrs in Links(text).found.items()}


def files_of_v1_json(page):
    return {file['filename']: file['yanked'] is not False
            for file in page['files']}


def files_of_json(page):
    return {file['filename']: file['yanked']
            for files in page['releases'].values() for file in files}


def versions_of_rss(text):
    """The versions that a project's feed names."""
    root = xml.etree.ElementTree.fromstring(text)
    return {item.findtext('title').split()[-1] for item in root.iter('item')}


class Page:
    """One form of one project's page: what it reveals."""

    def __init__(self, form, answer):
        self.status = answer.status
        self.no_store = 'no-store' in (answer['Cache-Control'] or '')
        self.etag = answer['ETag']
        self.serial, self.files, self.versions = None, None, None
        if answer.status != 200:
            return
        self.serial = int(answer['X-PyPI-Last-Serial'])
        text = answer.identity.decode()
        if form in ('html', 'v1html'):
            self.files = files_of_html(text)
        elif form == 'rss':
            self.versions = versions_of_rss(text)
        else:
            self.read_json(form, answer.identity)

    def read_json(self, form, data):
        page = json.loads(data)
        if form == 'v1json':
            self.files = files_of_v1_json(page)
            equal(page['meta']['_last-serial'], self.serial)
        else:
            self.files = files_of_json(page)
            equal(page['last_serial'], self.serial)


def read(client, project, form='html', gzip=False):
    path, accept = FORMS[form]
    return Page(form, client.get(
        path.format(project), Accept=accept,
        Accept_Encoding='gzip' if gzip else 'identity'))


def read_all(client, project):
    """Every form, plain and gzipped: {(form, gzip): Page}."""
    return {(form, gzip): read(client, project, form, gzip)
            for form in FORMS for gzip in (False, True)}


def rpc(client):
    return xmlrpc.client.ServerProxy(client.index.url + '/pypi',
                                     allow_none=True)


def roots(client):
    """The root list in each form: {form: (serial, {name: serial or None})}."""
    found = {}
    for form, accept in ROOTS.items():
        answer = client.get('/simple/', Accept=accept)
        equal(answer.status, 200)
        if form == 'v1json':
            page = answer.json
            names = {p['name']: p['_last-serial'] for p in page['projects']}
            equal(page['meta']['_last-serial'],
                  int(answer['X-PyPI-Last-Serial']))
        else:
            names = {urllib.parse.unquote(
                a['href'].strip('/').split('/')[-1]): None
                for a in Links(answer.words).found.values()}
        found[form] = int(answer['X-PyPI-Last-Serial']), names
    return found


def normal(name):
    return re.sub('[-_.]+', '-', name).lower()


class Replayed:
    """What the changelog's events add up to, one project's share."""

    def __init__(self):
        self.serial, self.is_there = 0, True
        self.releases = {}      # {version: is it yanked?}
        self.own = {}           # {file: (version, is it yanked by itself?)}

    @property
    def files(self):
        """{file: is it yanked?}, by itself or with its release."""
        return {name: yanked or self.releases[version]
                for name, (version, yanked) in self.own.items()}

    def apply(self, version, action, serial):
        words = action.split()
        if action == 'remove project':
            self.__init__()
        self.serial, self.is_there = serial, action != 'remove project'
        if action == 'new release':
            self.releases[version] = False
        elif action == 'remove release':
            del self.releases[version]
            self.own = {name: of for name, of in self.own.items()
                        if of[0] != version}
        elif action in ('yank release', 'unyank release'):
            self.releases[version] = action == 'yank release'
        elif words[0] == 'add' and words[2:3] == ['file']:
            self.own[words[3]] = version, False
        elif words[:2] == ['remove', 'file']:
            del self.own[words[2]]
        elif words[1:2] == ['file']:
            self.own[words[2]] = version, words[0] == 'yank'


def replay(events):
    """{project: Replayed} of changelog events, and that serials are in order
    without a gap: one is drawn only by a change that commits."""
    projects, last = {}, 0
    for name, version, _, action, serial in events:
        equal(serial, last + 1, 'serials without a gap')
        last = serial
        projects.setdefault(normal(name), Replayed()).apply(
            version, action, serial)
    return projects, last


def agree(client, acked=()):
    """Everything that the index shows says the same, and the files are there.

    acked: names of files whose uploads were answered by 200.
    """
    index = rpc(client)
    projects, last = replay(index.changelog_since_serial(0))
    equal(index.changelog_last_serial(), last)
    there = {name for name, project in projects.items() if project.is_there}
    listed = {normal(name): serial for name, serial
              in index.list_packages_with_serial().items()}
    equal(listed, {name: projects[name].serial for name in there})
    for form, (serial, names) in roots(client).items():
        equal(serial, last, f'serial of the root list as {form}')
        equal({normal(name) for name in names}, there, form)
        if form == 'v1json':
            equal({normal(name): of for name, of in names.items()}, listed)
    for name in there:
        agree_project(client, name, projects[name])
    shown = {file for name in there for file in projects[name].files}
    equal(set(acked) - shown, set(), 'acknowledged and not shown')
    client.index.tilsit('fsck')


def agree_project(client, name, project):
    for (form, gzip), page in read_all(client, name).items():
        what = f'{name} as {form}{" gzipped" if gzip else ""}'
        equal(page.status, 200, what)
        equal(page.serial, project.serial, what)
        if form == 'rss':
            equal(page.versions - set(project.releases), set(), what)
            equal(len(page.versions), min(len(project.releases), FEED_ITEMS))
        else:
            equal(page.files, project.files, what)
    for file in client.project(name)['files']:
        data = client.get(file['url']).text
        equal(hashlib.sha256(data).hexdigest(), file['hashes']['sha256'])
        ok(len(data) == file['size'], 'the size of the file')
