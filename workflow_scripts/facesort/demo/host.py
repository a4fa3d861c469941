"""A loopback HTTP server for the rendered photos, so that they are fetched like any others."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from facesort.job import InputError


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(photos: Path, port: int, patience: float = 60.0) -> Iterator[None]:
    """Serve a folder on 127.0.0.1 as ``/<its name>/`` while the context lasts.

    Args:
        patience: seconds to wait for the port, which another run may hold for a moment.

    Raises:
        InputError: if the port stays taken.
    """
    handler = partial(_Handler, directory=str(photos.parent))
    deadline = time.monotonic() + patience
    while True:
        try:
            server = ThreadingHTTPServer(("127.0.0.1", port), handler)
            break
        except OSError as error:
            if time.monotonic() > deadline:
                raise InputError(
                    f"port {port} of 127.0.0.1: {error.strerror}; set demo.port in the config to "
                    "a free one"
                ) from None
            time.sleep(1)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
