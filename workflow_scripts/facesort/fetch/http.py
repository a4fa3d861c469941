"""One polite HTTP request: a URL to bytes, to another URL, or to the reason why not.

aiohttp carries the requests: it streams bodies, so that they can be capped, limits time by phase,
and lets us look at each address before it is connected to; a kept connection that turns out closed
it opens again by itself. Protego reads robots.txt (RFC 9309), and
tenacity asks for it again. When and how often a photo is asked for is the business of ``queues``.
"""

import asyncio
import errno
import os
import re
import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp
from protego import Protego
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_result,
    stop_after_attempt,
    wait_exponential_jitter,
)
from yarl import URL

from facesort.common.job import InputError
from facesort.common.open_files import used_up
from facesort.fetch.headers import forbids_ai, parse_retry_after
from facesort.fetch.proxies import Proxies
from facesort.fetch.urls import host_of, is_public

# Statuses that may be others a moment later.
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
TIMED_OUT: Final = "timed out"
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
LONGEST_ROBOTS: Final = 512_000  # bytes; RFC 9309 asks for 500 KiB at least
MOST_ROBOTS_HOPS: Final = 5
MOST_ROBOTS: Final = 2000
MOST_NAMES: Final = 10_000
# What a host asks to wait, in seconds; if longer, its URLs count as failed.
LONGEST_WAIT: Final = 600.0


@dataclass(frozen=True)
class Photo:
    """The body of a successful answer."""

    body: bytes
    status: int


@dataclass(frozen=True)
class Moved:
    """A redirect; the URL is absolute, and not yet checked."""

    url: str


@dataclass(frozen=True)
class Lost:
    """Why there is no photo.

    Attributes:
        error: the cause in a few fixed words, then perhaps a colon and details.
        status: of the answer, if there was one.
        passing: whether another try may help.
        retry_after: seconds that the host asks to wait.
        excluded: whether it is our own decision not to take it.
    """

    error: str
    status: int | None = None
    passing: bool = False
    retry_after: float | None = None
    excluded: bool = False


@dataclass(frozen=True)
class Elsewhere:
    """A redirect of robots.txt leads to a host that is not this job's to ask."""


class AddressRefused(OSError):
    """The address is of a private network."""


class ProxyLost(OSError):
    """The proxy cannot be reached, or its name is unknown."""


class SchemeRefused(ValueError):
    """The URL is neither http nor https."""


class Client:
    """Asks for photos as the config's block ``fetch`` says; an asynchronous context manager.

    Args:
        settings: the block ``fetch``.
        loopback: (address, port) pairs that may be asked although they are private; never by a
            proxy.
        ours: whether a host is this job's to ask.
        keep: whether connections stay open for the next request.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        loopback: Collection[tuple[str, int]] = (),
        ours: Callable[[str], bool] = lambda host: True,
        keep: bool = True,
    ) -> None:
        self.settings, self.ours, self.keep = settings, ours, keep
        self.loopback = frozenset(loopback)
        self.proxies = Proxies(self.loopback)
        self._private: dict[str, bool] = {}
        self.product = settings["user_agent"].partition("/")[0].strip()
        self._robots: dict[str, asyncio.Task[Protego | Lost | Elsewhere]] = {}

    async def __aenter__(self) -> "Client":
        # The proxy itself may have a private address.
        self._direct, self._by_proxy = self._session(self._make_socket), self._session(None)
        return self

    def _session(self, make_socket: Callable[[Any], socket.socket] | None) -> aiohttp.ClientSession:
        settings = self.settings
        contact = f" (+{settings['contact']})" if settings["contact"] else ""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                ttl_dns_cache=300,
                socket_factory=make_socket,
                force_close=not self.keep,
            ),
            headers={
                "User-Agent": settings["user_agent"] + contact,
                "Accept": "image/jpeg,image/png,image/gif,image/webp,image/*;q=0.5",
                # Images are compressed already, and a compressed body could be a bomb.
                "Accept-Encoding": "identity",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=self._timeout(),
        )

    async def __aexit__(self, *_: object) -> None:
        for task in self._robots.values():
            task.cancel()
        await self._direct.close()
        await self._by_proxy.close()

    @asynccontextmanager
    async def _answer(
        self, url: URL, timeout: aiohttp.ClientTimeout | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A host's answer to one request, made directly or by the environment's proxy."""
        proxy = self.proxies.of(url)
        if proxy is not None and not self.settings["allow_private"]:
            await self._refuse_private(url.raw_host or "")
        try:
            async with (self._direct if proxy is None else self._by_proxy).get(
                url, proxy=proxy, allow_redirects=False, timeout=timeout or self._timeout()
            ) as response:
                yield response
        except (aiohttp.ClientProxyConnectionError, aiohttp.ClientConnectorDNSError) as error:
            if proxy is None:
                raise
            raise ProxyLost(_details(error.os_error)) from error

    async def _refuse_private(self, host: str) -> None:
        """Refuse a host that a proxy would be asked for, if it is of a private network.

        The proxy connects, so its view of a name counts, and here is only ours. A name that this
        machine cannot look up, as where all names are looked up by the proxy, is left to it.
        """
        if host not in self._private:
            if len(self._private) >= MOST_NAMES:
                self._private.clear()
            lookup = asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
            try:
                found = await asyncio.wait_for(lookup, self.settings["connect_timeout"])
            except (OSError, UnicodeError):
                found = []
            self._private[host] = not all(is_public(str(info[4][0])) for info in found)
        if self._private[host]:
            raise AddressRefused("address of a private network")

    def _make_socket(self, info: Any) -> socket.socket:
        """Make the socket for an address that is about to be connected to, or refuse it.

        Names, literal addresses and redirects all come to here, unless a proxy is asked; a name
        that resolves to another address the second time does too.
        """
        family, kind, protocol, _, address = info
        if not (
            self.settings["allow_private"]
            or is_public(address[0])
            or tuple(address[:2]) in self.loopback
        ):
            raise AddressRefused("address of a private network")
        return socket.socket(family, kind, protocol)

    async def crawl_delay(self, url: str) -> float:
        """Seconds between requests that the host's robots.txt asks for; 0 if it says nothing."""
        if not self.settings["obey_robots"]:
            return 0.0
        rules = await self._rules(url)
        return rules.crawl_delay(self.product) or 0.0 if isinstance(rules, Protego) else 0.0

    async def get(
        self, url: str, patience: float | None = None
    ) -> Photo | Moved | Lost | Elsewhere:
        """Ask for a URL once. Never raises for what a server does, or fails to do.

        Args:
            patience: seconds to wait for the next bytes; None for the settings' read_timeout.

        Raises:
            InputError: if this machine is at fault: too many open files, a wrong proxy.
        """
        if self.settings["obey_robots"]:
            rules = await self._rules(url)
            if not isinstance(rules, Protego):
                return rules
            if not rules.can_fetch(url, self.product):
                return Lost("robots.txt forbids", excluded=True)
        try:
            return await self._ask(url, self._timeout(patience))
        except Exception as error:
            return _reason(error)

    def _timeout(self, patience: float | None = None) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=self.settings["total_timeout"],
            sock_connect=self.settings["connect_timeout"],
            sock_read=patience or self.settings["read_timeout"],
        )

    async def _ask(self, url: str, timeout: aiohttp.ClientTimeout) -> Photo | Moved | Lost:
        async with self._answer(_checked(url), timeout) as response:
            status = response.status
            if status in REDIRECTS:
                target = _location(response)
                return (
                    Moved(urljoin(url, target)) if target else Lost("redirect to nowhere", status)
                )
            if status != 200:
                wait = parse_retry_after(response.headers.get("Retry-After"))
                return Lost(f"status {status}", status, status in PASSING, wait)
            if self.settings["obey_noai"] and forbids_ai(response.headers, self.product):
                return Lost("noai header", status, excluded=True)
            body = await _read(response, self.settings["max_bytes"])
            return Photo(body, status) if body is not None else Lost("too many bytes", status)

    async def _rules(self, url: str) -> Protego | Lost | Elsewhere:
        """The rules of a URL's host, asked for once however many wait for them."""
        try:
            robots = _checked(url).origin() / "robots.txt"
        except ValueError as error:
            return _reason(error)
        key = str(robots)
        if key not in self._robots:
            # The oldest are forgotten, lest a list of very many hosts fill the memory.
            for old in list(self._robots)[: max(0, len(self._robots) - MOST_ROBOTS)]:
                if self._robots[old].done():
                    del self._robots[old]
            self._robots[key] = asyncio.create_task(self._read_rules(robots))
        task = self._robots[key]
        return task.result() if task.done() else await asyncio.shield(task)

    async def _read_rules(self, robots: URL) -> Protego | Lost | Elsewhere:
        """Read a robots.txt. A host without one (4xx) allows all; one that cannot tell, nothing."""
        backoff = wait_exponential_jitter(multiplier=self.settings["backoff"], max=30)
        tries = AsyncRetrying(
            stop=stop_after_attempt(self.settings["attempts"]),
            wait=lambda state: max(backoff(state), _asked(state)),
            retry=retry_if_result(lambda found: isinstance(found, Lost) and found.passing),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        found: str | Lost | Elsewhere = await tries(self._ask_rules, robots)
        if isinstance(found, Lost):
            # What happened is the cause; that it happened to robots.txt is a detail, or what an
            # answer was to.
            if found.status is not None:
                return Lost(f"robots.txt {found.error}", found.status)
            mark = "," if ":" in found.error else ":"
            return replace(found, error=f"{found.error}{mark} asked for robots.txt", passing=False)
        return Protego.parse(found) if isinstance(found, str) else found

    async def _ask_rules(self, robots: URL) -> str | Lost | Elsewhere:
        try:
            at = robots
            for _ in range(MOST_ROBOTS_HOPS + 1):
                if not self.ours(host_of(str(at))):
                    return Elsewhere()
                async with self._answer(at) as response:
                    if response.status in PASSING or response.status >= 500:
                        wait = parse_retry_after(response.headers.get("Retry-After"))
                        passing = (wait or 0.0) <= LONGEST_WAIT
                        return Lost(f"status {response.status}", response.status, passing, wait)
                    target = _location(response)
                    if response.status in REDIRECTS and target:
                        at = _checked(urljoin(str(at), target))
                        continue
                    if response.status != 200:
                        return ""
                    text = await _read(response, LONGEST_ROBOTS, cut=True) or b""
                    return text.decode("utf-8", errors="replace")
            return ""  # too many redirects: as RFC 9309 says (2.3.1.2)
        except Exception as error:
            return _reason(error)


def _location(response: aiohttp.ClientResponse) -> str | None:
    """Where a redirect leads; bytes that are no UTF-8 are percent-encoded, as browsers do it."""
    target = response.headers.get("Location")
    # aiohttp keeps such a byte as a surrogate, which can be neither stored nor encoded.
    return target and re.sub("[\udc80-\udcff]", lambda m: f"%{ord(m[0]) - 0xDC00:02X}", target)


def _asked(state: RetryCallState) -> float:
    """Seconds that the last answer asks to wait."""
    last = state.outcome.result() if state.outcome else None
    return last.retry_after or 0.0 if isinstance(last, Lost) else 0.0


async def _read(response: aiohttp.ClientResponse, most: int, cut: bool = False) -> bytes | None:
    """Read a body of at most so many bytes; a longer one is cut, or None."""
    if (response.content_length or 0) > most and not cut:
        return None
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            return bytes(body[:most]) if cut else None
    return bytes(body)


def _checked(url: str) -> URL:
    """A URL as it was written, not quoted anew, if it is http or https.

    Raises:
        ValueError: if it is not.
    """
    parsed = URL(url, encoded=url.isascii() and url.isprintable() and " " not in url)
    if parsed.scheme not in ("http", "https"):
        raise SchemeRefused(parsed.scheme)
    if not parsed.host:
        raise ValueError("no host")
    return parsed


def _reason(error: Exception) -> Lost:
    """What went wrong, in few words that can be counted.

    Raises:
        InputError: if nothing is wrong with the host: this machine is at fault.
    """
    if isinstance(error, InputError):
        raise error
    if isinstance(error, OSError) and (told := used_up(getattr(error, "os_error", error))):
        raise InputError(f"{told}, or lower fetch.concurrency in the config") from None
    match error:
        case SchemeRefused():
            return Lost(f"scheme refused: {str(error)[:20] or 'none'}")
        case aiohttp.ConnectionTimeoutError():
            return Lost(f"no connection: {TIMED_OUT}", passing=True)
        case TimeoutError():
            return Lost(TIMED_OUT, passing=True)
        case aiohttp.ClientConnectorCertificateError(certificate_error=found):
            return Lost(f"bad certificate: {getattr(found, 'verify_message', found)}")
        case aiohttp.ClientSSLError():
            return Lost(f"no secure connection: {getattr(error.os_error, 'reason', 'unknown')}")
        case ProxyLost():
            return Lost(f"no connection to the proxy: {error}", passing=True)
        case aiohttp.ClientHttpProxyError():
            return Lost(f"proxy status {error.status}", passing=error.status in PASSING)
        case aiohttp.ClientConnectorDNSError():
            known = error.os_error.errno != socket.EAI_AGAIN
            return Lost("unknown host" if known else "name not looked up", passing=True)
        case AddressRefused() | aiohttp.ClientConnectorError(os_error=AddressRefused()):
            return Lost("private address refused")
        case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.ECONNREFUSED)):
            return Lost("connection refused", passing=True)
        case aiohttp.ClientConnectorError():
            return Lost(f"no connection: {_details(error.os_error)}", passing=True)
        case ValueError():  # also aiohttp.InvalidURL, UnicodeError
            return Lost("not a URL")
        case aiohttp.ClientResponseError():
            return Lost(f"unreadable answer: {type(error).__name__}", passing=True)
        case aiohttp.ClientError() | OSError():
            return Lost(f"broken off: {_details(error)}", passing=True)
        case _:  # a server found a way that we did not think of
            return Lost(f"unreadable answer: {type(error).__name__}")


def _details(error: Exception) -> str:
    """What an error says of itself, without the host's name."""
    number = getattr(error, "errno", None) or 0
    if number > 0:
        return os.strerror(number)
    return getattr(error, "strerror", None) or type(error).__name__
