"""A TLS front before an Instance, for mirrors that insist on https.

    with front() as tls, instance(settings={'external_url': tls.url}) as index:
        tls.serve(index)
        ... programs with tls.environment see the index at tls.url ...

The certificate is made on the spot and trusted by nobody else.
"""
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading

CHUNK_BYTES = 1 << 16


class Front:
    def __init__(self, folder):
        self.folder = folder
        self.certificate = os.path.join(folder, 'certificate.pem')
        self.key = os.path.join(folder, 'key.pem')
        subprocess.run([
            'openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
            '-days', '2', '-subj', '/CN=127.0.0.1', '-addext',
            'subjectAltName=IP:127.0.0.1', '-keyout', self.key, '-out',
            self.certificate], check=True, stderr=subprocess.DEVNULL)
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f'https://127.0.0.1:{self.port}'
        self.environment = {name: self.certificate for name in (
            'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE',
            'PIP_CERT')}

    def serve(self, index):
        """From now on, what comes in is passed on to the index."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)

        def accept():
            with contextlib.suppress(OSError):      # closed: the end
                while True:
                    raw = self.listener.accept()[0]
                    threading.Thread(target=self.relay, daemon=True, args=(
                        context, raw, index.port)).start()

        threading.Thread(target=accept, daemon=True).start()

    def relay(self, context, raw, port):
        with contextlib.suppress(OSError), \
                context.wrap_socket(raw, server_side=True) as outer, \
                socket.create_connection(('127.0.0.1', port)) as inner:
            back = threading.Thread(target=copy, args=(inner, outer),
                                    daemon=True)
            back.start()
            copy(outer, inner)
            back.join()

    def close(self):
        self.listener.close()


def copy(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def front():
    folder = tempfile.mkdtemp(prefix='tilsit-tls-')
    made = Front(folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
