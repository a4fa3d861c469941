"""A loopback HTTP server for the rendered photos, so that they are fetched like any others."""

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from facesort.common.job import InputError
from facesort.common.open_files import used_up

ADDRESS: Final = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Serves the files below one folder, and nothing else: no listings, no links out of it."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any, photos: Path, **kwargs: Any) -> None:
        self.photos = photos
        super().__init__(*args, directory=str(photos.parent), **kwargs)

    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path)).resolve()
        if not path.is_relative_to(self.photos) or not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(photos: Path, port: int, patience: float = 60.0) -> Iterator[None]:
    """Serve a folder's files on 127.0.0.1 as ``/<its name>/<path>`` while the context lasts.

    Args:
        photos: the folder.
        port: to listen on.
        patience: seconds to wait for the port, which another run may hold for a moment.

    Raises:
        InputError: if the port stays taken.
    """
    handler = partial(_Handler, photos=photos.resolve())
    deadline = time.monotonic() + patience
    while True:
        try:
            server = ThreadingHTTPServer((ADDRESS, port), handler)
            break
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                told = used_up(error) or error.strerror
                raise InputError(f"port {port} of {ADDRESS}: {told}") from None
            if time.monotonic() >= deadline:
                raise InputError(
                    f"port {port} of {ADDRESS}: {error.strerror}; set demo.port in the config to a "
                    "free one"
                ) from None
            time.sleep(min(1.0, patience))
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
