"""Who can switch a machine off: the lab's stand-in for a hypervisor.

It listens on STATE/hypervisor/sock, which every machine has as
/run/hypervisor/sock, and knows one thing: POST /off/NAME answers 200 once
that machine runs nothing any more.  With .deaf set it answers nobody, as a
management network does that is down.
"""
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
        self.send_response(status)
        self.end_headers()
        self.wfile.write(f'{name} is off\n'.encode() if status == 200
                         else b'no such machine\n')

    def address_string(self):
        return 'a machine'      # a unix socket's peer has no address

    def log_message(self, *_):
        pass
