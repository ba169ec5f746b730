"""Who can switch a machine off: the lab's stand-in for a hypervisor.

It listens on STATE/hypervisor/sock, which every machine has as
/run/hypervisor/sock, and knows one thing: POST /off/NAME answers 200 once
that machine runs nothing any more.  With .deaf set it answers nobody, as a
management network does that is down.
"""
import contextlib
import http.server
import os
import socketserver
import threading


class Hypervisor(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, lab):
        self.lab, self.deaf = lab, False
        path = lab.path('hypervisor', 'sock')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        super().__init__(path, Handler)
        os.chmod(path, 0o666)
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        lab, name = self.server.lab, self.path.removeprefix('/off/')
        if self.server.deaf:
            return
        status = 200 if name in lab.machines else 404
        if status == 200:
            lab.power_off(name)
        text = f'{name} is off\n' if status == 200 else 'no such machine\n'
        self.send_response(status)
        self.send_header('Content-Length', len(text))
        self.end_headers()
        with contextlib.suppress(OSError):      # who asked may be off too
            self.wfile.write(text.encode())

    def address_string(self):
        return 'a machine'      # a unix socket's peer has no address

    def log_message(self, *_):
        pass
