"""Who may ask, and from where: checked before anything else of a request is looked at.

A page of another site that a person has open can send requests to this machine too: its browser
then names that site (Origin, Sec-Fetch-Site), or, where a name of its own was made to lead here
(DNS rebinding), that name (Host).
"""

import asyncio
import ipaddress
import secrets
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facesort.serve.limits import Refused

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# The page has a policy of its own, within this one.
POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# What is left of a refused request's body is read for so long, or its client would not get to read
# the answer.
LINGER: Final = 5.0


class Guard:
    """Refuses what is not to be answered, and puts headers on what is.

    Args:
        app: what answers.
        names: of this machine, by which it may be called, beside addresses.
        token: that all but the page and the description ask for, if any.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str], token: str | None) -> None:
        self.app, self.names, self.token = app, names | {"localhost"}, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        more = True

        async def receiving() -> Message:
            nonlocal more
            message = await receive()
            more = message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Content-Security-Policy", POLICY)
            elif more and not message.get("more_body"):
                await send({**message, "more_body": True})
                with suppress(TimeoutError):
                    async with asyncio.timeout(LINGER):
                        while more:
                            await receiving()
                message = {**message, "body": b""}
            await send(message)

        try:
            self.check(scope["method"], scope["path"], Headers(scope=scope))
        except Refused as refused:
            await error(refused)(scope, receiving, sending)
        else:
            await self.app(scope, receiving, sending)

    def check(self, method: str, path: str, headers: Headers) -> None:
        """Raises Refused if a request is not to be answered."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise Refused(421, f"this server is not called {host[:100]!r} (see --name)")
        if method not in ("GET", "HEAD"):
            # Browsers send both; other programs none.
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                raise Refused(403, "a page of another site may not ask")
            origin = headers.get("origin")
            if origin is not None and origin.partition("://")[2].lower() != host.lower():
                raise Refused(403, "a page of another site may not ask")
        if self.token and path.startswith("/v1/"):
            given = headers.get("authorization", "")
            wanted = f"Bearer {self.token}"
            if not secrets.compare_digest(given.encode("latin-1"), wanted.encode("latin-1")):
                raise Refused(401, "send the token that the server was started with")

    def _is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        if name.lower() in self.names:
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True


def error(refused: Refused) -> JSONResponse:
    """The answer to a request that is refused."""
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}
    return JSONResponse({"error": refused.why}, refused.status, headers.get(refused.status))
