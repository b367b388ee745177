"""Serves the repositories below a folder with dulwich: git's protocol over TCP, and over HTTP.

Usage: dulwich.py FOLDER TCP-PORT HTTP-PORT
"""

import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import make_server

from dulwich.server import FileSystemBackend, TCPGitServer
from dulwich.web import WSGIRequestHandlerLogger, WSGIServerLogger, make_wsgi_chain


class Daemon(ThreadingMixIn, TCPGitServer):
    daemon_threads = True


class Web(ThreadingMixIn, WSGIServerLogger):
    daemon_threads = True


class Below(FileSystemBackend):
    """Paths of URLs are below the folder, whatever slash they begin with."""

    def open_repository(self, path):
        path = path.decode() if isinstance(path, bytes) else path
        return super().open_repository(path.lstrip("/"))


folder, tcp, http = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
backend = Below(folder)
threading.Thread(target=Daemon(backend, "127.0.0.1", tcp).serve_forever, daemon=True).start()
make_server(
    "127.0.0.1",
    http,
    make_wsgi_chain(backend),
    handler_class=WSGIRequestHandlerLogger,
    server_class=Web,
).serve_forever()
