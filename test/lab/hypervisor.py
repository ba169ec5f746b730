"""Who can act on a machine from outside: the lab's stand-in for a hypervisor.

It listens on STATE/hypervisor/sock, which every machine has as
/run/hypervisor/sock, and is what fence_command asks (lab-fence):

    POST /off/NAME      answers once that machine runs nothing any more
    POST /stop/NAME     and the others of COMMANDS: runs that command there

200 if it was done; anything else, with the reason, if not.  With .deaf set it
answers nobody, as a management network does that is down.
"""
import contextlib
import http.server
import os
import socketserver
import threading

from process import Failure

COMMANDS = {
    'stop': '/usr/local/share/tilsit/failover/postgresql stop',
    'rejoin': 'tilsit rejoin',
    'switch': 'tilsit failover --switch',
}


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

    def act(self, verb, name):
        """(HTTP status, what there is to say)"""
        one = self.lab.machines.get(name)
        if not one or verb not in ('off', *COMMANDS):
            return 404, f'no machine {name}, or no verb {verb}\n'
        try:
            if verb != 'off':
                return 200, one.run(COMMANDS[verb], timeout=600)
            one.lose()
            return 200, f'{name} is off\n'
        except Failure as failure:
            return 500, f'{failure}\n'


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        if self.server.deaf:
            return
        status, text = self.server.act(*self.path.split('/')[1:3])
        self.send_response(status)
        self.send_header('Content-Length', len(text.encode()))
        with contextlib.suppress(OSError):      # who asked may be off too
            self.end_headers()
            self.wfile.write(text.encode())

    def address_string(self):
        return 'a machine'      # a unix socket's peer has no address

    def log_message(self, *_):
        pass
