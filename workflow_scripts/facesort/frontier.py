"""What to ask for next: URLs queued by host, so that each host is asked politely.

A host gets at most so many requests at once, and so many a second; one that is slow, or asks to
wait, holds up its own URLs and no others. A URL that waits for another try occupies nothing. Since
all limits are by host, work can be shared out by host too, and they still hold.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from facesort.http import host_of

# After this many answers in a row that ask to slow down, the whole host is left alone for a while;
# a single one may be about its own URL.
STRIKES: Final = 2


@dataclass(slots=True)
class Job:
    """A photo to be had.

    Attributes:
        url: as the sample names it.
        at: where it is asked for next: another URL after a redirect.
        attempts: made so far; redirects do not count.
        hops: redirects followed since the last attempt.
        interval: of its host when the job was taken.
    """

    url: str
    at: str
    attempts: int = 0
    hops: int = 0
    interval: float = 0.0


@dataclass(slots=True)
class _Host:
    interval: float
    queue: deque[str | Job] = field(default_factory=deque)
    active: int = 0
    free_at: float = 0.0
    strikes: int = 0
    listed: bool = False


class Frontier:
    """Queues of URLs by host. Times are seconds of any one clock.

    Args:
        urls: asked for in this order, hosts taking turns.
        per_host: requests to one host at once.
        rate: requests to one host a second; None for no limit.
    """

    def __init__(self, urls: Iterable[str], per_host: int, rate: float | None) -> None:
        self.per_host = per_host
        self.interval = 1 / rate if rate else 0.0
        self.hosts: dict[str, _Host] = {}
        self._turns: deque[_Host] = deque()
        self._timers: list[tuple[float, int, _Host, Job | None]] = []
        self._count = itertools.count()
        for url in urls:
            self._host(url).queue.append(url)
        for host in self.hosts.values():
            self._offer(host)

    def take(self, now: float) -> Job | None:
        """The next job that may start, or None if all must wait; ``release`` it in the end."""
        while self._timers and self._timers[0][0] <= now:
            _, _, host, job = heapq.heappop(self._timers)
            if job is not None:
                host.queue.appendleft(job)
            self._offer(host)
        while self._turns:
            host = self._turns.popleft()
            host.listed = False
            if host.free_at > now:
                self._wake(host.free_at, host, None)
                continue
            entry = host.queue.popleft()
            job = entry if isinstance(entry, Job) else Job(entry, entry)
            job.interval = host.interval
            host.active += 1
            host.free_at = now + host.interval
            self._offer(host)
            return job
        return None

    def next_due(self) -> float | None:
        """When something that waits may start."""
        return self._timers[0][0] if self._timers else None

    def release(self, job: Job) -> None:
        """The job's request is over."""
        host = self._host(job.at)
        host.active -= 1
        self._offer(host)

    def put_back(self, job: Job, due: float | None = None) -> None:
        """Ask for the job's URL again, at once or not before it is due."""
        host = self._host(job.at)
        if due is None:
            host.queue.appendleft(job)
            self._offer(host)
        else:
            self._wake(due, host, job)

    def space(self, job: Job, interval: float) -> bool:
        """Leave at least this many seconds between requests to the job's host.

        Returns:
            Whether the job was taken under a shorter interval, and should be put back.
        """
        host = self._host(job.at)
        host.interval = max(host.interval, interval)
        return job.interval < host.interval

    def praise(self, job: Job) -> None:
        """The job's host did not ask to slow down."""
        self._host(job.at).strikes = 0

    def scold(self, job: Job, until: float) -> bool:
        """The job's host asked to slow down: if repeatedly, it is left alone for a while.

        Returns:
            Whether it is.
        """
        host = self._host(job.at)
        host.strikes += 1
        if host.strikes < STRIKES:
            return False
        host.free_at = max(host.free_at, until)
        return True

    def _host(self, url: str) -> _Host:
        name = host_of(url)
        if name not in self.hosts:
            self.hosts[name] = _Host(self.interval)
        return self.hosts[name]

    def _offer(self, host: _Host) -> None:
        if not host.listed and host.queue and host.active < self.per_host:
            host.listed = True
            self._turns.append(host)

    def _wake(self, time: float, host: _Host, job: Job | None) -> None:
        heapq.heappush(self._timers, (time, next(self._count), host, job))
