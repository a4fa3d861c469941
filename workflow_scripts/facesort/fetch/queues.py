"""What to ask for next: URLs queued by host, so that each host is asked politely.

A host gets at most so many requests at once, and so many a second; one that is slow, or asks to
wait, holds up its own URLs and no others. A URL that waits for another try occupies nothing; one
that timed out waits until its host has no other left. Since all limits are by host, work can be
shared out by host too, and they still hold.

The queues themselves lie on disk, in a ``WorkList``; here are their heads.
"""

import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from facesort.fetch.urls import host_of
from facesort.fetch.worklist import WorkList

# After this many answers in a row that ask to slow down, the whole host is left alone for a while;
# a single one may be about its own URL.
STRIKES: Final = 2
# Seconds that even a quick host is given to answer.
SHORTEST_PATIENCE: Final = 3.0
# URLs read from a host's queue at once.
HEAD: Final = 32
# Hosts that take turns; more are opened only while none of these may be asked.
OPEN: Final = 256


@dataclass(slots=True)
class Job:
    """A photo to fetch.

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
    name: str
    interval: float
    queue: deque[Job] = field(default_factory=deque)
    more: bool = True
    active: int = 0
    waiting: int = 0
    free_at: float = 0.0
    strikes: int = 0
    usual: float = 0.0
    listed: bool = False


class Frontier:
    """Queues of URLs by host. Times are seconds of any one clock.

    Args:
        worklist: the queues; asked for in their order, hosts taking turns.
        per_host: requests to one host at once.
        rate: requests to one host a second; None for no limit.
    """

    def __init__(self, worklist: WorkList, per_host: int, rate: float | None) -> None:
        self.worklist, self.per_host = worklist, per_host
        self.interval = 1 / rate if rate else 0.0
        self.hosts: dict[str, _Host] = {}
        self._place: int | None = 0
        self._turns: deque[_Host] = deque()
        self._timers: list[tuple[float, int, _Host, Job | None]] = []
        self._count = itertools.count()
        self._limit = OPEN

    def take(self, now: float) -> Job | None:
        """The next job that may start, or None if all must wait; ``release`` it in the end."""
        while self._timers and self._timers[0][0] <= now:
            _, _, host, job = heapq.heappop(self._timers)
            host.waiting -= 1
            if job is not None:
                host.queue.appendleft(job)
            self._offer(host)
        if len(self.hosts) >= self._limit:
            self._forget_idle(now)
        while True:
            while self._place is not None and (len(self.hosts) < OPEN or not self._turns):
                self._open()
            if not self._turns:
                return None
            host = self._turns.popleft()
            host.listed = False
            if host.free_at > now:
                self._wake(host.free_at, host, None)
                continue
            job = host.queue.popleft()
            job.interval = host.interval
            host.active += 1
            host.free_at = now + host.interval
            self._offer(host)
            return job

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

    def put_last(self, job: Job) -> bool:
        """Ask for the job's URL again after all others of its host.

        Returns:
            Whether there are any; else nothing is done.
        """
        host = self._host(job.url)
        if not host.queue and not host.more:
            return False
        self.worklist.requeue(job.url, job.attempts)
        host.more = True
        self._offer(host)
        return True

    def space(self, job: Job, interval: float) -> bool:
        """Leave at least this many seconds between requests to the job's host.

        Returns:
            Whether the job was taken under a shorter interval, and should be put back.
        """
        host = self._host(job.at)
        host.interval = max(host.interval, interval)
        return job.interval < host.interval

    def patience(self, job: Job, most: float) -> float:
        """Seconds without a byte after which the job's request should be given up, at most so many.

        A first try is given up early on a host that is usually quick, so that the few photos that
        never come do not fill all its places; later tries, after all other photos, are not.
        """
        if job.attempts:
            return most
        return min(most, max(SHORTEST_PATIENCE, 20 * self._host(job.at).usual))

    def praise(self, job: Job, seconds: float) -> None:
        """The job's host did not ask to slow down, and took so many seconds to answer."""
        host = self._host(job.at)
        host.strikes = 0
        host.usual += 0.2 * (seconds - host.usual)

    def doubt(self, job: Job, patience: float) -> None:
        """The job's host did not answer in so many seconds: be more patient, until it does."""
        self._host(job.at).usual = patience / 10

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

    def _open(self) -> None:
        """Begin with the next host of the list."""
        if self._place is None or (found := self.worklist.host_after(self._place)) is None:
            self._place = None
            return
        self._place, name = found
        self._offer(self._named(name))

    def _host(self, url: str) -> _Host:
        return self._named(host_of(url))

    def _named(self, name: str) -> _Host:
        if name not in self.hosts:
            self.hosts[name] = _Host(name, self.interval)
        return self.hosts[name]

    def _forget_idle(self, now: float) -> None:
        """Forget hosts of which nothing is wanted any more."""
        for name, host in list(self.hosts.items()):
            busy = host.listed or host.queue or host.more or host.active or host.waiting
            if not busy and host.free_at <= now:
                del self.hosts[name]
        self._limit = max(OPEN, 2 * len(self.hosts))

    def _offer(self, host: _Host) -> None:
        """Give the host a turn if it may be asked for something."""
        if host.listed or host.active >= self.per_host:
            return
        if not host.queue and host.more:
            found = self.worklist.dequeue(host.name, HEAD)
            host.queue.extend(Job(url, url, attempts) for url, attempts in found)
            host.more = len(found) == HEAD
        if host.queue:
            host.listed = True
            self._turns.append(host)

    def _wake(self, time: float, host: _Host, job: Job | None) -> None:
        host.waiting += 1
        heapq.heappush(self._timers, (time, next(self._count), host, job))
