#!/usr/bin/python3
"""io/fcgi behind a real nginx: load, recycling, odd bodies, signals.

Starts nginx and fcgi_echo workers in a temporary folder, on Unix sockets and
one free port.  TAP on standard output.  Needs $BUILD/tool/fcgi_echo.
"""
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("BUILD", "build/plain")
ECHO = os.path.join(BUILD, "tool/fcgi_echo")
WAIT = 30       # seconds after which something that must happen has not

NGINX = """
daemon off;
worker_processes 2;
pid {dir}/nginx.pid;
error_log {dir}/error.log error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    fastcgi_temp_path {dir}/fastcgi;
    proxy_temp_path {dir}/proxy;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    client_max_body_size 100m;
    include /etc/nginx/fastcgi_params;
    fastcgi_buffer_size 64k;
    fastcgi_buffers 4 64k;
    fastcgi_busy_buffers_size 128k;
    upstream kept {{ server unix:{dir}/kept.sock; keepalive 64; }}
    upstream once {{ server unix:{dir}/once.sock; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ fastcgi_pass kept; fastcgi_keep_conn on; }}
        location /once/ {{
            rewrite ^/once(/.*)$ $1 break;
            fastcgi_param SCRIPT_NAME $uri;
            fastcgi_pass once;
        }}
        location /stream/ {{
            rewrite ^/stream(/.*)$ $1 break;
            fastcgi_request_buffering off;
            fastcgi_param SCRIPT_NAME $uri;
            fastcgi_pass once;
        }}
    }}
}}
"""

count = failed = 0


def ok(passed, what):
    global count, failed
    count += 1
    failed += not passed
    print(f"{'' if passed else 'not '}ok {count} - {what}", flush=True)
    return passed


def note(text):
    print("# " + str(text).replace("\n", "\n# "), flush=True)


def until(condition, what):
    end = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > end:
            note("gave up waiting until " + what)
            return False
        time.sleep(0.01)
    return True


def is_waiting(child):
    """Is it in fcgi_serve(), which blocks SIGTERM?"""
    try:
        with open(f"/proc/{child.pid}/status") as f:
            mask = re.search(r"SigBlk:\s*(\w+)", f.read()).group(1)
        return int(mask, 16) >> (signal.SIGTERM - 1) & 1
    except (AttributeError, OSError):
        return False


class Pool:
    """Workers on one listening socket; a worker that leaves is replaced."""

    def __init__(self, path, workers, max_requests, max_connections=512,
                 timeout_ms=30000):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(1024)
        os.chmod(path, 0o666)
        self.args = [ECHO, str(max_requests), str(max_connections),
                     str(timeout_ms)]
        self.open = True
        self.log = tempfile.TemporaryFile()
        self.codes = []
        self.children = [None] * workers
        self.threads = [threading.Thread(target=self.keep, args=(i,))
                        for i in range(workers)]
        for thread in self.threads:
            thread.start()

    def keep(self, i):
        while self.open:
            self.children[i] = subprocess.Popen(
                self.args, stdin=self.socket, stdout=self.log)
            self.codes.append(self.children[i].wait())

    def broken(self):
        """How many bodies did not arrive whole?"""
        return os.pread(self.log.fileno(), 4096, 0).count(b"broken\n")

    def replace(self, signo):
        """Signal all workers and see them go."""
        until(lambda: all(map(is_waiting, self.children)), "all workers run")
        go = len(self.codes) + len(self.children)
        for child in self.children:
            child.send_signal(signo)
        until(lambda: len(self.codes) >= go, "workers leave")

    def stop(self):
        self.open = False
        until(lambda: all(self.children), "workers start")
        while any(t.is_alive() for t in self.threads):
            for child in self.children:
                child.send_signal(signal.SIGTERM)
            time.sleep(0.02)
        self.socket.close()
        os.unlink(self.path)


def connect():
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(WAIT)
    return s


def request(path, body=None, method=None):
    """Status, fields, body of one request on a connection of its own."""
    method = method or ("GET" if body is None else "POST")
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    if body is not None:
        head += f"Content-Length: {len(body)}\r\n"
    with connect() as s:
        s.sendall(head.encode() + b"\r\n" + (body or b""))
        return parse(s)


def parse(s):
    data = b""
    try:
        while chunk := s.recv(65536):
            data += chunk
    except ConnectionError:
        pass
    head, _, body = data.partition(b"\r\n\r\n")
    words = head.split()
    return int(words[1]) if len(words) > 1 else 0, body


def wrk(path, seconds=3, connections=64, script=None):
    args = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s"]
    if script:
        args += ["-s", script]
    return subprocess.Popen(args + [f"http://127.0.0.1:{port}{path}"],
                            stdout=subprocess.PIPE, text=True)


def load_passed(process, what):
    """No failed request.  wrk prints a line only if there was one."""
    out = process.communicate()[0]
    bad = re.search(r"Non-2xx.*|Socket errors.*", out)
    done = re.search(r"(\d+) requests in", out)
    if not ok(not bad and done and int(done.group(1)) > 0, what):
        note(out)
    return int(done.group(1)) if done else 0


def test_load_while_workers_recycle():
    pool = Pool(f"{top}/kept.sock", 2, 500)
    once = Pool(f"{top}/once.sock", 2, 500)
    done = load_passed(wrk("/read"), "64 connections, no request fails "
                       "while workers recycle every 500")
    ok(len(pool.codes) >= 2 and not any(pool.codes),
       "workers were replaced, and left in order")
    note(f"{done} requests, {len(pool.codes)} workers came and went")
    post = f"{top}/post.lua"
    with open(post, "w") as f:
        f.write('wrk.method = "POST"\nwrk.body = string.rep("b", 20000)\n')
    load_passed(wrk("/once/read", 2, 32, post),
                "POST on connections that are not kept")
    load_passed(wrk("/big", 2, 32), "300 KB answers while workers recycle")
    once.stop()
    pool.stop()


def test_signals_under_load():
    pool = Pool(f"{top}/kept.sock", 2, 0)
    for signo in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1,
                  signal.SIGINT):
        load = wrk("/read", 1)
        for _ in range(4):
            pool.replace(signo)
        load_passed(load, f"{signo.name} under load fails no request")
    ok(not any(pool.codes), "workers left with exit status 0")
    pool.stop()


def test_idle_connections_starve_nobody():
    pool = Pool(f"{top}/kept.sock", 2, 0, max_connections=8)
    until(lambda: request("/read")[0] == 200, "a worker answers")
    load_passed(wrk("/read", 1), "64 connections at 8 kept in each worker")
    answers = [request("/read")[0] for _ in range(50)]
    ok(answers == [200] * 50, "single requests right after a load")
    idle = []
    for _ in range(40):
        s = socket.socket(socket.AF_UNIX)
        s.connect(f"{top}/kept.sock")
        idle.append(s)
    ok(request("/read")[0] == 200,
       "40 connections that say nothing hold up nobody")
    for s in idle:
        s.close()
    pool.stop()


def sockets_of(child):
    """Its sockets, as the kernel numbers them."""
    folder = f"/proc/{child.pid}/fd"
    names = [os.readlink(f"{folder}/{n}") for n in os.listdir(folder)]
    return tuple(sorted(n for n in names if n.startswith("socket:")))


def test_bodies():
    pool = Pool(f"{top}/kept.sock", 1, 0)
    mega = b"m" * 20_000_000
    ok(request("/read", mega)[1].startswith(b"20000000 "), "20 MB body")
    ok(request("/read", b"")[1].startswith(b"0 "), "empty body")
    ok(request("/skip", b"s" * 100)[1].startswith(b"-2 "),
       "a small body that nobody reads")
    statuses = [request("/skip", mega)[0] for _ in range(10)]
    ok(statuses == [200] * 10, "large bodies that nobody reads")
    ok(len(request("/big")[1]) == 300000, "a large answer")
    ok(request("/read", method="HEAD") == (200, b""), "HEAD")
    ok(request("/304")[0] == 304, "304")
    with connect() as s:    # one client: one of nginx's two processes
        seen = set()
        for _ in range(20):
            s.sendall(b"GET /304 HTTP/1.1\r\nHost: x\r\n\r\n")
            while not s.recv(4096).endswith(b"\r\n\r\n"):
                pass
            seen.add(sockets_of(pool.children[0]))
    ok(len(seen) == 1, "304 does not cost the kept connection")
    with connect() as s:
        s.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\n"
                  b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                  b"5\r\nhello\r\n0\r\n\r\n")
        ok(parse(s)[1].startswith(b"5 "), "chunked body")
    pool.stop()


def half_body(path):
    s = connect()
    s.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n"
              "Content-Length: 1000000\r\n\r\n".encode() + b"h" * 500_000)
    return s


def test_half_bodies():
    pool = Pool(f"{top}/once.sock", 1, 0, timeout_ms=500)
    buffered = half_body("/once/read")
    ok(request("/once/read")[0] == 200,
       "half a body that nginx buffers holds up nobody")
    buffered.close()
    streamed = half_body("/stream/read")
    ok(until(lambda: pool.broken() == 1, "the worker gives up"),
       "half a body ends at the time-out")
    ok(request("/once/read")[0] == 200, "and the worker goes on")
    streamed.close()
    skipped = half_body("/stream/skip")
    ok(b" 200 " in skipped.recv(4096), "an answer before the body's end")
    ok(request("/once/read")[0] == 200, "and the worker goes on at once")
    skipped.close()
    gone = half_body("/stream/read")
    gone.close()
    ok(until(lambda: pool.broken() == 2,
             "the worker notices"), "a client that goes away mid-body")
    ok(request("/once/read")[0] == 200, "and the worker goes on again")
    pool.stop()


def record(kind, content, request_id=1):
    return struct.pack(">BBHHBx", 1, kind, request_id, len(content),
                       0) + content


def test_what_is_not_fastcgi():
    path = f"{top}/kept.sock"
    pool = Pool(path, 1, 0, timeout_ms=500)
    begin = record(1, b"\0\1\1\0\0\0\0\0")
    for what, data in {
            "noise": b"\xff" * 100,
            "HTTP": b"GET / HTTP/1.1\r\n\r\n",
            "a wrong role": record(1, b"\0\x09\1\0\0\0\0\0"),
            "parameters that end early": begin + record(4, b"\x09\x09abc")
            + record(4, b""),
            "a record cut in half": begin + record(4, b"abcdef")[:10],
            "an abort": begin + record(2, b""),
    }.items():
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(WAIT)
            s.connect(path)
            s.sendall(data)
            try:
                ended = s.recv(4096) == b""
            except ConnectionError:
                ended = True
            ok(ended, f"{what}: the connection is closed")
    ok(request("/read")[0] == 200, "the worker has survived all that")
    pool.stop()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_nginx():
    global port
    port = free_port()
    with open(f"{top}/nginx.conf", "w") as f:
        f.write(NGINX.format(dir=top, port=port))
    process = subprocess.Popen(
        ["nginx", "-p", top, "-e", f"{top}/error.log", "-c",
         f"{top}/nginx.conf"])

    def answers():
        try:
            connect().close()
            return True
        except OSError:
            return False
    until(answers, "nginx answers")
    return process


if not all(map(shutil.which, ("nginx", "wrk"))):
    print("1..0 # SKIP nginx and wrk are needed")
    sys.exit()
top = tempfile.mkdtemp(prefix="tilsit-fcgi-")
os.chmod(top, 0o755)
nginx = start_nginx()
try:
    for test in (test_load_while_workers_recycle, test_signals_under_load,
                 test_idle_connections_starve_nobody, test_bodies,
                 test_half_bodies, test_what_is_not_fastcgi):
        test()
finally:
    nginx.terminate()
    nginx.wait()
    if failed:
        with open(f"{top}/error.log") as f:
            note(f.read()[-3000:])
    shutil.rmtree(top)
print(f"1..{count}")
sys.exit(failed > 0)
