"""Polite, bounded HTTP: one URL to bytes, or the reason why not.

aiohttp carries the connections, because its resolver can be replaced: an address is checked where
it is connected to. tenacity waits between tries; Protego reads robots.txt as Google documents it.
"""

import asyncio
import email.utils
import ipaddress
import socket
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from protego import Protego
from tenacity import AsyncRetrying, RetryCallState, RetryError, retry_if_result, stop_after_attempt
from tenacity.wait import wait_random_exponential
from yarl import URL

MAX_REDIRECTS: Final = 5
PASSING: Final = {408, 425, 429, 500, 502, 503, 504}
LONGEST_WAIT: Final = 120.0


@dataclass
class Answer:
    """What became of a URL. ``body`` is None unless it was fetched; ``error`` says why not."""

    body: bytes | None = None
    status: int | None = None
    error: str | None = None
    passing: bool = False
    retry_after: float | None = None
    attempts: int = 1


class _Refused(OSError):
    pass


def public(address: str) -> bool:
    """Whether an IP address belongs to the open internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global and not ip.is_multicast


class _PublicResolver(AbstractResolver):
    """Resolves names, and refuses private addresses."""

    def __init__(self) -> None:
        self.inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self.inner.resolve(host, port, family)
        if not (allowed := [entry for entry in found if public(entry["host"])]):
            raise _Refused(f"{host} is an address of a private network")
        return allowed

    async def close(self) -> None:
        await self.inner.close()


class Client:
    """Fetches URLs within the limits of the config's block ``fetch``; an async context manager."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        contact = settings["contact"]
        self.agent = settings["user_agent"] + (f" ({contact})" if contact else "")
        self.slots: dict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(settings["per_host"])
        )
        self.next_turn: dict[str, float] = defaultdict(float)
        self.robots: dict[str, asyncio.Task[Protego | str]] = {}

    async def __aenter__(self) -> "Client":
        resolver = None if self.settings["allow_private"] else _PublicResolver()
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, resolver=resolver),
            headers={"User-Agent": self.agent, "Accept": "image/*"},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=self.settings["total_timeout"],
                sock_connect=self.settings["connect_timeout"],
                sock_read=self.settings["read_timeout"],
            ),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def fetch(self, url: str) -> Answer:
        """Fetch a URL, trying again what may pass. Never raises for what a server does."""
        attempt = 0

        def wait(state: RetryCallState) -> float:
            answer = state.outcome.result() if state.outcome else Answer()
            jittered = wait_random_exponential(self.settings["backoff"], LONGEST_WAIT)(state)
            return min(LONGEST_WAIT, max(jittered, answer.retry_after or 0))

        try:
            async for tries in AsyncRetrying(
                retry=retry_if_result(lambda answer: answer.passing),
                stop=stop_after_attempt(self.settings["attempts"]),
                wait=wait,
            ):
                with tries:
                    attempt = tries.retry_state.attempt_number
                    answer = await self._once(url)
                tries.retry_state.set_result(answer)
        except RetryError as error:
            answer = error.last_attempt.result()
        answer.attempts = attempt
        return answer

    async def _once(self, url: str) -> Answer:
        try:
            async with asyncio.timeout(self.settings["total_timeout"]):
                return await self._follow(URL(url))
        except _Refused as error:
            return Answer(error=str(error))
        except (aiohttp.InvalidURL, ValueError, UnicodeError) as error:
            return Answer(error=f"not a URL: {error}")
        except TimeoutError:
            return Answer(error="timed out", passing=True)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _Refused):
                return Answer(error=str(error.os_error))
            return Answer(error=f"no connection: {error.os_error}", passing=True)
        except (aiohttp.ClientError, OSError) as error:
            return Answer(error=f"broken off: {type(error).__name__}", passing=True)

    async def _follow(self, url: URL) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            if url.scheme not in ("http", "https") or not url.host:
                return Answer(error=f"refused: {url.scheme or 'no'} scheme")
            if not self.settings["allow_private"] and _is_ip(url.host) and not public(url.host):
                return Answer(error=f"{url.host} is an address of a private network")
            if self.settings["obey_robots"] and (reason := await self._forbidden(url)):
                return Answer(error=reason)
            async with self.slots[url.host]:
                await self._wait_for_turn(url.host)
                async with self.session.get(url, allow_redirects=False) as response:
                    if response.status in (301, 302, 303, 307, 308):
                        url = url.join(URL(response.headers.get("Location", "")))
                        continue
                    return await self._read(response)
        return Answer(error=f"more than {MAX_REDIRECTS} redirects")

    async def _read(self, response: aiohttp.ClientResponse) -> Answer:
        status = response.status
        if status != 200:
            return Answer(
                status=status,
                error=f"HTTP {status}",
                passing=status in PASSING,
                retry_after=retry_after(response.headers.get("Retry-After")),
            )
        tags = ",".join(response.headers.getall("X-Robots-Tag", [])).lower()
        if self.settings["obey_noai"] and ("noai" in tags or "noimageai" in tags):
            return Answer(status=status, error="its owner forbids this use (X-Robots-Tag)")
        body = bytearray()
        async for chunk in response.content.iter_chunked(1 << 16):
            body += chunk
            if len(body) > self.settings["max_bytes"]:
                response.close()
                return Answer(status=status, error="more than max_bytes")
        return Answer(bytes(body), status)

    async def _wait_for_turn(self, host: str) -> None:
        if rate := self.settings["rate_per_host"]:
            now = time.monotonic()
            turn = max(now, self.next_turn[host])
            self.next_turn[host] = turn + 1 / rate
            await asyncio.sleep(turn - now)

    async def _forbidden(self, url: URL) -> str | None:
        origin = str(url.origin())
        if origin not in self.robots:
            self.robots[origin] = asyncio.ensure_future(self._read_robots(url.origin()))
        rules = await asyncio.shield(self.robots[origin])
        if isinstance(rules, str):
            return rules
        return None if rules.can_fetch(str(url), self.agent) else "robots.txt forbids it"

    async def _read_robots(self, origin: URL) -> Protego | str:
        """Read a host's robots.txt as RFC 9309 says: 4xx allows all, 5xx nothing."""
        try:
            async with self.session.get(origin / "robots.txt", max_redirects=5) as response:
                if response.status >= 500:
                    return f"robots.txt: HTTP {response.status}"
                if response.status != 200:
                    return Protego.parse("")
                text = await response.content.read(500_000)
                return Protego.parse(text.decode("utf-8", errors="replace"))
        except (TimeoutError, aiohttp.ClientError, OSError):
            return Protego.parse("")  # the URL itself will tell what is wrong with the host


def retry_after(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, which gives seconds or a date."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
