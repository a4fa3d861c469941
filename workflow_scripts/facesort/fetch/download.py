"""From a sample of faces to a journal of crops: each photo fetched once, its faces cut out.

Fetching, decoding, cutting and storing are one pass: the event loop waits for the network, threads
decode. Photos arrive in any order; ``outputs`` puts them into the sample's.
"""

import asyncio
import gc
import hashlib
import random
from collections import Counter, deque
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from threading import get_ident
from typing import Any, Final

import numpy as np

from facesort.common.job import InputError, Progress
from facesort.common.open_files import count_open, raise_limit
from facesort.demo.host import ADDRESS, serve
from facesort.fetch.exclusions import read_exclusions
from facesort.fetch.http import LONGEST_WAIT, TIMED_OUT, Client, Elsewhere, Lost, Moved, Photo
from facesort.fetch.imaging import ImageError, cut_faces
from facesort.fetch.journal import Entry, Journal, bucket_of
from facesort.fetch.placeholders import find_placeholders
from facesort.fetch.queues import Frontier, Job
from facesort.fetch.urls import host_of, photo_key
from facesort.fetch.worklist import Wanted, WorkList

MOST_HOPS: Final = 5
# Seconds between requests that robots.txt asks for; if more, the host is not asked at all.
LONGEST_DELAY: Final = 60.0
BACKOFF_CAP: Final = 120.0
# Photos that may wait for each thread that decodes; a kill loses them.
QUEUED: Final = 4
# Photos that a thread cuts and stores together, if they wait.
TOGETHER: Final = 4
# Files that are open for a moment: looked-up names, kept photos.
SPARE: Final = 8
ON_LIST: Final = "exclusion list"
CHANGED: Final = "changed since the manifest"


class Fetching:
    """One job's work: the photos of a work list that a journal lacks.

    Attributes:
        missing: photos still to be asked for when the work began.
        cutting: photos that have come and are not stored yet.
        postponed: photos left to a later job, since a redirect leads to another job's host.

    Args:
        worklist: the photos.
        journal: where photos and failures are kept; of the same buckets.
        settings: the config's block ``fetch``.
        workers: threads that decode.
        loopback: (address, port) pairs that may be asked although they are private.
    """

    def __init__(
        self,
        worklist: WorkList,
        journal: Journal,
        settings: dict[str, Any],
        workers: int,
        loopback: Collection[tuple[str, int]] = (),
    ) -> None:
        self.worklist, self.journal, self.settings = worklist, journal, settings
        self.workers, self.loopback = workers, loopback
        self.excluded = read_exclusions(settings["exclude"])
        self.causes: Counter[str] = Counter()
        self.closed: set[str] = set()
        self.missing = self.postponed = self.cutting = self._faces = 0
        if settings["retry_failed"]:
            self._forget_lost()
        for photos in worklist.batches():
            todo = self._todo(photos)
            worklist.enqueue(photo.url for photo in todo)
            self.missing += len(todo)
            self._faces += sum(len(photo.face_ids) for photo in todo)
        worklist.sort_hosts()

    def _forget_lost(self) -> None:
        """Forget what gave no photo, or a placeholder, so that it is asked for again."""
        self.journal.forget_lost()
        found = find_placeholders(self.worklist, self.journal, self.settings["placeholders"])
        for photos in self.worklist.batches() if found else ():
            entries = self.journal.entries(photo.url for photo in photos)
            for photo in photos:
                if photo.url in entries and entries[photo.url].sha256 in found:
                    self.journal.drop(photo.url, photo.face_ids)

    def _todo(self, photos: list[Wanted]) -> list[Wanted]:
        """Those of some photos to ask for; excluded ones are settled on the way."""
        entries = self.journal.entries(photo.url for photo in photos)
        stored = self.journal.stored(
            (face_id, photo.url) for photo in photos for face_id in photo.face_ids
        )
        todo = []
        for photo in photos:
            entry = entries.get(photo.url)
            if photo_key(photo.url) in self.excluded:
                self.journal.drop(photo.url, photo.face_ids)
                self.journal.add(Entry(photo.url, "excluded", error=ON_LIST), {})
            elif entry is None or not self._stands(entry, photo, stored):
                todo.append(photo)
        return todo

    def _stands(self, entry: Entry, photo: Wanted, stored: dict[str, str]) -> bool:
        """Whether what became of a photo earlier holds without asking its host again."""
        same_bytes = photo.sha256 in (None, entry.sha256)
        if entry.outcome == "fetched":
            return same_bytes and all(
                stored.get(face_id) == entry.sha256 for face_id in photo.face_ids
            )
        if entry.outcome == "excluded":
            return entry.error == "noai header" and self.settings["obey_noai"]
        return entry.error != CHANGED or not same_bytes

    async def run(self) -> None:
        """Ask for every photo that is missing, until each is fetched, failed or excluded.

        Photos that a redirect leads to another job's host are left to a later job.

        Raises:
            InputError: if the journal cannot be written, or too few files may be open.
        """
        total = self.worklist.faces
        self.progress = Progress(total, "fetching", start=total - self._faces)
        settings = self.settings
        self.frontier = Frontier(self.worklist, settings["per_host"], settings["rate_per_host"])
        self.loop = asyncio.get_running_loop()
        self.wake = asyncio.Event()
        self.arrived: deque[tuple[Job, Photo | Lost, asyncio.Future[tuple[Entry, int]]]] = deque()
        self.given = 0
        connections = _connections(self.journal.files_to_come())
        self.most = min(settings["concurrency"], connections)
        if self.most < settings["concurrency"]:
            print(f"{self.most:,} requests at once: the limit of open files (`ulimit -n`) is low")
        # Connections wait for their host's next request only where those of all hosts may.
        keep = self.worklist.most_connections(settings["per_host"]) <= connections
        with ThreadPoolExecutor(self.workers) as self.pool:
            async with Client(self.settings, self.loopback, self._ours, keep) as self.client:
                await self._drive()
        self.progress.close()

    def _ours(self, host: str) -> bool:
        return bucket_of(host) in self.journal.buckets

    async def _drive(self) -> None:
        running: set[asyncio.Task[None]] = set()
        ended: list[asyncio.Task[None]] = []

        def end(task: asyncio.Task[None]) -> None:
            ended.append(task)
            self.wake.set()

        try:
            while True:
                while self._room(running):
                    if (job := self.frontier.take(self.loop.time())) is None:
                        break
                    task = asyncio.create_task(self._work(job))
                    running.add(task)
                    task.add_done_callback(end)
                due = self.frontier.next_due()
                if not running and due is None:
                    return
                alarm = None
                if due is not None and self._room(running):
                    alarm = self.loop.call_at(due, self.wake.set)
                await self.wake.wait()
                self.wake.clear()
                if alarm is not None:
                    alarm.cancel()
                while ended:
                    task = ended.pop()
                    running.remove(task)
                    task.result()
        finally:
            self.arrived.clear()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _room(self, running: Collection[object]) -> bool:
        """Whether to ask for another photo: not if those that have come wait to be cut."""
        return len(running) < self.most and self.cutting < QUEUED * self.workers

    async def _work(self, job: Job) -> None:
        """Ask once, and either store the outcome or put the job back."""
        delay = await self.client.crawl_delay(job.at)
        if delay <= LONGEST_DELAY and self.frontier.space(job, delay):
            self.frontier.release(job)
            self.frontier.put_back(job)
            return
        patience = self.frontier.patience(job, self.settings["read_timeout"])
        began = self.loop.time()
        answer: Photo | Moved | Lost | Elsewhere
        if photo_key(job.at) in self.excluded:
            answer = Lost(ON_LIST, excluded=True)
        elif delay > LONGEST_DELAY:
            answer = Lost("robots.txt asks for too few requests", excluded=True)
        elif host_of(job.at) in self.closed:
            answer = Lost("host asks to come back later")
        else:
            answer = await self.client.get(job.at, patience)
        self.frontier.release(job)
        self.wake.set()
        if isinstance(answer, Moved):
            job.hops += 1
            if job.hops <= MOST_HOPS and self._ours(host_of(answer.url)):
                job.at = answer.url
                self.frontier.put_back(job)
                return
            over = job.hops > MOST_HOPS
            answer = Lost("too many redirects") if over else Elsewhere()
        if isinstance(answer, Elsewhere):
            self.postponed += 1
            return
        job.attempts, job.hops = job.attempts + 1, 0
        late = isinstance(answer, Lost) and answer.error.endswith(TIMED_OUT)
        if isinstance(answer, Lost) and (answer.status == 429 or answer.retry_after is not None):
            self._slow_down(job, answer)
        elif late:
            self.frontier.doubt(job, patience)
        else:
            self.frontier.praise(job, self.loop.time() - began)
        if isinstance(answer, Lost) and (wait := self._wait(job, answer)) is not None:
            if not (late and self.frontier.put_last(job)):
                self.frontier.put_back(job, self.loop.time() + wait)
            return
        self.cutting += 1
        entry, faces = await self._stored(job, answer)
        self.cutting -= 1
        if entry.error is not None:
            self.causes[entry.error.partition(":")[0]] += 1
        self.progress.update(faces, **dict(self.causes.most_common(4)))

    def _slow_down(self, job: Job, lost: Lost) -> None:
        """Leave the job's host alone for as long as it asks, or for good if that is very long."""
        wait = lost.retry_after or 0.0
        if wait <= LONGEST_WAIT:
            self.frontier.scold(job, self.loop.time() + wait)
        elif self.frontier.scold(job, 0.0):
            self.closed.add(host_of(job.at))

    def _wait(self, job: Job, lost: Lost) -> float | None:
        """Seconds before a job is tried again, or None to give up."""
        asked = lost.retry_after or 0.0
        if not lost.passing or job.attempts >= self.settings["attempts"] or asked > LONGEST_WAIT:
            return None
        backoff = min(self.settings["backoff"] * 2 ** (job.attempts - 1), BACKOFF_CAP)
        # Jitter, so that what failed together does not come back together.
        return max(asked, backoff) + random.uniform(0, backoff)

    async def _stored(self, job: Job, answer: Photo | Lost) -> tuple[Entry, int]:
        """Have a photo's faces cut out and stored: what is kept of it, and how many faces."""
        stored: asyncio.Future[tuple[Entry, int]] = self.loop.create_future()
        self.arrived.append((job, answer, stored))
        self._hand_out()
        return await stored

    def _hand_out(self) -> None:
        """Give threads what has come, so that each has work waiting when it is done."""
        while self.arrived and self.given < 2 * self.workers:
            some = [self.arrived.popleft() for _ in range(min(TOGETHER, len(self.arrived)))]
            self.given += 1
            done = self.loop.run_in_executor(self.pool, self._store, [each[:2] for each in some])
            done.add_done_callback(partial(self._take_back, [each[2] for each in some]))

    def _take_back(
        self,
        waiting: list[asyncio.Future[tuple[Entry, int]]],
        done: asyncio.Future[list[tuple[Entry, int]]],
    ) -> None:
        self.given -= 1
        self._hand_out()
        error = done.exception()
        for number, each in enumerate(waiting):
            if each.cancelled():
                continue
            if error is not None:
                each.set_exception(error)
            else:
                each.set_result(done.result()[number])

    def _store(self, some: list[tuple[Job, Photo | Lost]]) -> list[tuple[Entry, int]]:
        """Cut the faces out of photos and keep them, or keep the reasons why there are none."""
        photos = self.worklist.with_faces([job.url for job, _ in some])
        stored = [
            self._cut(job, answer, photo) for (job, answer), photo in zip(some, photos, strict=True)
        ]
        self.journal.add_all(stored)
        return [
            (entry, len(photo.face_ids)) for (entry, _), photo in zip(stored, photos, strict=True)
        ]

    def _cut(
        self, job: Job, answer: Photo | Lost, photo: Wanted
    ) -> tuple[Entry, dict[str, np.ndarray]]:
        """What to keep of a photo: its row in the ledger, and its faces by ``face_id``."""
        # No table names what is on the exclusion list.
        listed = isinstance(answer, Lost) and answer.error == ON_LIST
        final_url = job.at if job.at != job.url and not listed else None
        entry = Entry(job.url, "failed", answer.status, job.attempts, final_url=final_url)
        crops: dict[str, np.ndarray] = {}
        if isinstance(answer, Lost):
            outcome = "excluded" if answer.excluded else "failed"
            entry = entry._replace(outcome=outcome, error=answer.error)
        else:
            digest = hashlib.sha256(answer.body).hexdigest()
            entry = entry._replace(bytes=len(answer.body), sha256=digest)
            try:
                if photo.sha256 not in (None, digest):
                    raise ImageError(CHANGED)
                cut = cut_faces(
                    answer.body, photo.boxes, self.journal.size, self.settings["max_pixels"]
                )
            except ImageError as error:
                entry = entry._replace(error=str(error))
            else:
                entry = entry._replace(outcome="fetched", width=cut.width, height=cut.height)
                crops = dict(zip(photo.face_ids, cut.faces, strict=True))
                if self.settings["keep_photos"]:
                    _keep(Path(self.settings["keep_photos"]), digest, answer.body)
        return entry, crops


def fetch(
    worklist: WorkList,
    journal: Journal,
    settings: dict[str, Any],
    workers: int,
    photos: str | Path | None = None,
    port: int = 0,
) -> Fetching:
    """Ask for every photo of a work list that a journal lacks.

    Args:
        settings: the config's block ``fetch``.
        workers: threads that decode.
        photos: folder of rendered photos. They are fetched like any others, from this machine:
            it is served on this port, which alone may be asked then.
    """
    loopback = [(ADDRESS, port)] if photos else []
    fetching = Fetching(worklist, journal, settings, workers, loopback)
    if fetching.missing:
        # What lives now lives on: it need not be searched for garbage again and again.
        gc.freeze()
        with serve(Path(photos), port) if photos else nullcontext():
            asyncio.run(fetching.run())
    return fetching


def _connections(files: int) -> int:
    """How many connections this process may have beside so many files that it will open.

    Raises:
        InputError: if it may have none.
    """
    limit = raise_limit()
    free = limit - count_open() - files - SPARE
    if free < 1:
        raise InputError(
            f"no more than {limit:,} files may be open at once, and fetching needs "
            f"{limit - free + 1:,}; raise the limit (`ulimit -n`)"
        )
    return free


def _keep(folder: Path, digest: str, body: bytes) -> None:
    """Keep a photo under the digest of its bytes: names in URLs repeat."""
    path, part = folder / digest, folder / f"{digest}.{get_ident()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(body)
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror} (config: fetch.keep_photos)") from None
