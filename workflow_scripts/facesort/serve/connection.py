"""HTTP connections of which a slow or senseless client holds none for long.

uvicorn waits without an end for a request's head, and for a client that does not read.
"""

import asyncio
import json
import sys
from http import HTTPStatus
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from facesort.serve.guard import HEADERS

# Seconds for a request's head, and in which a client is to read something of its answer.
HEAD: Final = 10.0
UNREAD: Final = 20.0
# After an answer to what is no HTTP, its client may go on so long before it is cut off.
LINGER: Final = 2.0


class Connection(H11Protocol):
    """uvicorn's, with an end to each wait."""

    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._waiting, self._unread):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        try:
            super().data_received(data)
        except h11.LocalProtocolError:  # an answer was under way already
            self.transport.abort()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait_for_head()

    def send_400_response(self, msg: str) -> None:
        """Answer, and let the client read it: it would not if what it still sends met no ear."""
        # Called where h11's error is handled: 431 of a head that is too large.
        status = getattr(sys.exception(), "error_status_hint", 400)
        self._say(status, "not a request as HTTP has it, or its head is too large")
        self._refused = True
        self.loop.call_later(LINGER, self.transport.close)

    def eof_received(self) -> None:
        if self._refused:
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread:
            self._unread.cancel()

    def _wait_for_reader(self) -> None:
        left = self.transport.get_write_buffer_size()

        def late() -> None:
            if self.transport.get_write_buffer_size() < left:
                self._wait_for_reader()
            else:
                self.transport.abort()

        self._unread = self.loop.call_later(UNREAD, late)

    def _wait_for_head(self) -> None:
        if self._waiting:
            self._waiting.cancel()
        self._waiting = self.loop.call_later(HEAD, self._head_is_late)

    def _head_is_late(self) -> None:
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._say(408, "no request came in time")
            self.transport.close()

    def _say(self, status: int, why: str) -> None:
        body = json.dumps({"error": why}).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
        headers += [(name.lower(), value) for name, value in HEADERS.items()]
        event = h11.Response(
            status_code=status,
            headers=[*headers, ("connection", "close")],
            reason=HTTPStatus(status).phrase,
        )
        self.transport.write((self.conn.send(event) or b"") + body)


def settings() -> dict[str, Any]:
    """What else uvicorn is to know of connections."""
    return {
        "http": Connection,
        "ws": "none",
        "limit_concurrency": 2_000,
        "timeout_keep_alive": 5,
        "timeout_graceful_shutdown": 5,
    }
