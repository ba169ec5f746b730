"""How the benchmark measures: wrk, load, nginx as the ruler, strace, memory."""
import contextlib
import os
import re
import signal
import subprocess
import time
import urllib.request

from instance import listener
from process import command, environment

RULER = """
worker_processes auto;
pid {folder}/ruler.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
	sendfile on;
	tcp_nopush on;
	access_log off;
	keepalive_requests 10000;
	default_type text/html;
	client_body_temp_path {folder}/body;
	fastcgi_temp_path {folder}/fastcgi;
	proxy_temp_path {folder}/proxy;
	scgi_temp_path {folder}/scgi;
	uwsgi_temp_path {folder}/uwsgi;
	server {{
		listen 127.0.0.1:{port};
		root {folder}/files;
	}}
}}
"""
UNITS_MS = {'us': 0.001, 'ms': 1.0, 's': 1000.0, 'm': 60000.0}
READY_S = 30


class Ruler:
    """nginx with Debian's defaults and no log, serving static files."""

    def __init__(self, folder):
        self.folder, self.files = folder, os.path.join(folder, 'files')
        os.makedirs(self.files)
        for path in (folder, self.files):
            os.chmod(path, 0o777)       # its own user makes folders in it
        sock = listener(0)
        self.port = sock.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'
        config = os.path.join(folder, 'nginx.conf')
        with open(config, 'w') as out:
            out.write(RULER.format(folder=folder, port=self.port))
        fd = sock.fileno()
        self.process = subprocess.Popen(
            command(['nginx', '-c', config, '-p', folder, '-e', 'stderr',
                     '-g', 'daemon off;'], signal.SIGTERM),
            env=environment({'NGINX': f'{fd};'}), pass_fds=(fd,),
            stderr=subprocess.DEVNULL)
        sock.close()

    def put(self, name, data):
        """A file to serve; its path."""
        path = os.path.join(self.files, name)
        with open(path, 'wb') as out:
            out.write(data)
        os.chmod(path, 0o644)
        return '/' + name

    def pids(self):
        return family(self.process.pid)

    def close(self):
        self.process.terminate()
        self.process.wait()


def wrk(url, connections, seconds, headers=(), script=None):
    """(requests a second, p50 ms, p99 ms, requests)."""
    argv = ['wrk', '-t', str(min(2, connections)), '-c', str(connections),
            '-d', f'{seconds}s', '--latency']
    for header in headers:
        argv += ['-H', header]
    if script:
        argv += ['-s', script]
    text = subprocess.run([*argv, url], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    if 'Non-2xx' in text:
        raise RuntimeError(f'{url}: not all answers were good:\n{text}')
    rate = float(re.search(r'Requests/sec:\s+([\d.]+)', text)[1])
    percentiles = {
        p: float(number) * UNITS_MS[unit] for p, number, unit
        in re.findall(r'^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)$', text, re.M)}
    n = int(re.search(r'(\d+) requests in', text)[1])
    return rate, percentiles['50'], percentiles['99'], n


def load(program, port, connections, file):
    """What test/tool/load prints: a dictionary."""
    words = subprocess.run([program, str(port), str(connections), file],
                           check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    names = ('n', 'seconds', 'rate', 'p50', 'p99', 'max', 'bad')
    return dict(zip(names, map(float, words)))


def fetch(url, headers=None):
    """(headers, body), of whatever encoding it came in."""
    with urllib.request.urlopen(urllib.request.Request(
            url, headers=headers or {})) as answer:
        return answer.headers, answer.read()


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as file:
        return [int(word) for word in file.read().split()]


def family(pid):
    return [pid] + [p for child in children(pid) for p in family(child)]


def memory_kb(pid):
    """(resident, its share of what is shared) of a process."""
    found = {}
    with open(f'/proc/{pid}/smaps_rollup') as file:
        for line in file:
            word = line.split()
            if word[0] in ('Rss:', 'Pss:'):
                found[word[0]] = int(word[1])
    return found['Rss:'], found['Pss:']


def cpu_us(pids):
    """Processor time that processes have used, in all their threads."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            for task in os.listdir(f'/proc/{pid}/task'):
                with open(f'/proc/{pid}/task/{task}/schedstat') as file:
                    total += int(file.read().split()[0])
    return total / 1000


@contextlib.contextmanager
def syscalls(pids):
    """A dictionary, filled at the end: {system call: how often}."""
    counts = {}
    argv = ['strace', '-c', '-f', '-U', 'calls,name']
    for pid in pids:
        argv += ['-p', str(pid)]
    strace = subprocess.Popen(argv, text=True, stderr=subprocess.PIPE)
    end = time.monotonic() + READY_S
    while not all(is_traced(pid) for pid in pids):
        if time.monotonic() > end or strace.poll() is not None:
            raise RuntimeError('strace does not attach')
        time.sleep(0.01)
    yield counts
    strace.send_signal(signal.SIGINT)
    for line in strace.communicate()[1].split('\n'):
        word = line.split()
        if len(word) == 2 and word[0].isdigit() and word[1] != 'total':
            counts[word[1]] = int(word[0])


def is_traced(pid):
    with open(f'/proc/{pid}/status') as file:
        return not re.search(r'^TracerPid:\s+0$', file.read(), re.M)
