"""From a sample of faces to arrays: each photo fetched once, its faces cut out, all accounted for.

Fetching, decoding, cutting and storing are one pass: the event loop waits for the network, threads
decode. Photos arrive in any order; the arrays are written at the end, in the sample's.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import get_ident
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.arrays import create_array, write_index
from facesort.frontier import Frontier, Job
from facesort.http import Client, Lost, Moved, Photo, host_of
from facesort.imaging import Box, ImageError, cut_faces
from facesort.job import InputError, Progress
from facesort.journal import Entry, Journal

MOST_HOPS: Final = 5
# What a host asks to wait, in seconds; if longer, its URLs count as failed.
LONGEST_WAIT: Final = 600.0
LONGEST_DELAY: Final = 60.0
BACKOFF_CAP: Final = 120.0
ON_LIST: Final = "exclusion list"


def read_exclusions(path: str | Path | None) -> set[str]:
    """Read the URLs that must not be asked for, one a line, as keys to compare URLs by.

    Blank lines, and those that begin with #, are skipped. http and https are the same photo.

    Raises:
        InputError: if the file cannot be read, or a line is no URL.
    """
    if path is None:
        return set()
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error} (config: fetch.exclude)") from None
    keys = set()
    for row, line in enumerate(map(str.strip, lines), start=1):
        if line and not line.startswith("#"):
            if not line.lower().startswith(("http://", "https://")):
                raise InputError(f"{path}, row {row}: not a URL (config: fetch.exclude)")
            keys.add(_key(line))
    return keys


def _key(url: str) -> str:
    """What two spellings of one photo's URL have in common."""
    _, _, rest = url.partition("://")
    host, slash, path = rest.partition("#")[0].partition("/")
    return host.lower() + slash + path


class Fetching:
    """One job's work: the photos of a sample that a journal lacks.

    Args:
        sample: a row a face: face_id, url, left, right, top, bottom.
        journal: where photos and failures are kept.
        settings: the config's block ``fetch``.
        workers: threads that decode.
        loopback: (address, port) pairs that may be asked although they are private.
    """

    def __init__(
        self,
        sample: pd.DataFrame,
        journal: Journal,
        settings: dict[str, Any],
        workers: int,
        loopback: Collection[tuple[str, int]] = (),
    ) -> None:
        self.sample, self.journal, self.settings = sample, journal, settings
        self.workers, self.loopback = workers, loopback
        self.rows: dict[str, np.ndarray] = dict(sample.groupby("url", sort=False).indices)  # type: ignore[arg-type]
        self.ids = sample["face_id"].to_numpy()
        self.boxes = sample[["left", "right", "top", "bottom"]].to_numpy(np.float64)
        self.excluded = read_exclusions(settings["exclude"])
        self.causes: Counter[str] = Counter()
        self.closed: set[str] = set()

    def todo(self) -> list[str]:
        """The URLs to ask for, in the sample's order; excluded ones are settled on the way."""
        if self.settings["retry_failed"]:
            self.journal.forget_lost()
        stored, outcomes = self.journal.crop_ids(), self.journal.outcomes()
        urls = []
        for url, rows in self.rows.items():
            outcome, error = outcomes.get(url, ("", None))
            if _key(url) in self.excluded:
                self.journal.drop(self.ids[rows].tolist())
                self.journal.add(Entry(url, "excluded", error=ON_LIST), {})
            elif outcome == "failed" or (outcome == "excluded" and self._lasts(error)):
                continue
            elif outcome != "fetched" or not stored.issuperset(self.ids[rows]):
                urls.append(url)
        return urls

    def _lasts(self, error: str | None) -> bool:
        """Whether an exclusion stands without asking the host for the photo again."""
        return error == "noai header" and self.settings["obey_noai"]

    async def run(self) -> None:
        """Ask for every photo that is missing, until each is fetched, failed or excluded.

        Raises:
            InputError: if the journal cannot be written.
        """
        urls = self.todo()
        faces = sum(len(self.rows[url]) for url in urls)
        total = len(self.sample)
        self.progress = Progress(total, "fetching", start=total - faces)
        self.frontier = Frontier(urls, self.settings["per_host"], self.settings["rate_per_host"])
        self.loop = asyncio.get_running_loop()
        self.wake = asyncio.Event()
        with ThreadPoolExecutor(self.workers) as self.pool:
            async with Client(self.settings, self.loopback) as self.client:
                await self._drive()
        self.progress.close()

    async def _drive(self) -> None:
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                while len(running) < self.settings["concurrency"]:
                    if (job := self.frontier.take(self.loop.time())) is None:
                        break
                    task = asyncio.create_task(self._work(job))
                    running.add(task)
                    task.add_done_callback(lambda _: self.wake.set())
                due = self.frontier.next_due()
                if not running and due is None:
                    return
                self.wake.clear()
                free = len(running) < self.settings["concurrency"]
                timeout = max(0.0, due - self.loop.time()) if due is not None and free else None
                try:
                    async with asyncio.timeout(timeout):
                        await self.wake.wait()
                except TimeoutError:
                    pass
                for task in [task for task in running if task.done()]:
                    running.remove(task)
                    task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _work(self, job: Job) -> None:
        """Ask once, and either store the outcome or put the job back."""
        delay = min(await self.client.crawl_delay(job.at), LONGEST_DELAY)
        if self.frontier.space(job, delay):
            self.frontier.release(job)
            self.frontier.put_back(job)
            return
        answer: Photo | Moved | Lost
        if _key(job.at) in self.excluded:
            answer = Lost(ON_LIST, excluded=True)
        elif host_of(job.at) in self.closed:
            answer = Lost("host asks to come back later")
        else:
            answer = await self.client.get(job.at)
        self.frontier.release(job)
        self.wake.set()
        if isinstance(answer, Moved):
            job.hops += 1
            if job.hops <= MOST_HOPS:
                job.at = answer.url
                self.frontier.put_back(job)
                return
            answer = Lost("too many redirects")
        job.attempts, job.hops = job.attempts + 1, 0
        if isinstance(answer, Lost) and (answer.status == 429 or answer.retry_after is not None):
            self._slow_down(job, answer)
        else:
            self.frontier.praise(job)
        if isinstance(answer, Lost) and (wait := self._wait(job, answer)) is not None:
            self.frontier.put_back(job, self.loop.time() + wait)
            return
        entry = await self.loop.run_in_executor(self.pool, self._store, job, answer)
        if entry.error is not None:
            self.causes[entry.error.partition(":")[0]] += 1
        self.progress.update(len(self.rows[job.url]), **dict(self.causes.most_common(4)))

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

    def _store(self, job: Job, answer: Photo | Lost) -> Entry:
        """Cut the faces out of a photo and keep them, or keep the reason why there is none."""
        entry = Entry(job.url, "failed", answer.status, job.attempts)
        crops: dict[str, np.ndarray] = {}
        if isinstance(answer, Lost):
            outcome = "excluded" if answer.excluded else "failed"
            entry = replace(entry, outcome=outcome, error=answer.error)
        else:
            digest = hashlib.sha256(answer.body).hexdigest()
            entry = replace(entry, bytes=len(answer.body), sha256=digest)
            rows = self.rows[job.url]
            boxes: list[Box] = [tuple(box) for box in self.boxes[rows].tolist()]
            try:
                cut = cut_faces(answer.body, boxes, self.journal.size, self.settings["max_pixels"])
            except ImageError as error:
                entry = replace(entry, error=str(error))
            else:
                entry = replace(entry, outcome="fetched", width=cut.width, height=cut.height)
                crops = dict(zip(self.ids[rows].tolist(), cut.faces, strict=True))
                if self.settings["keep_photos"]:
                    _keep(Path(self.settings["keep_photos"]), digest, answer.body)
        self.journal.add(entry, crops)
        return entry


def _keep(folder: Path, digest: str, body: bytes) -> None:
    """Keep a photo under the digest of its bytes: names in URLs repeat."""
    path, part = folder / digest, folder / f"{digest}.{get_ident()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(body)
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror} (config: fetch.keep_photos)") from None


def assemble(
    sample: pd.DataFrame,
    journal: Journal,
    faces_path: str | Path,
    index_path: str | Path,
    refused_path: str | Path,
) -> pd.DataFrame:
    """Write the fetched faces in the sample's order, and a table of the lost ones.

    Args:
        faces_path: for uint8 (faces, size, size, 3), RGB.
        index_path: for the sample's columns with width and height (pixels) and sha256 of the photo.
        refused_path: for the lost faces: face_id, url, row, slot and cause.

    Returns:
        The ledger: a row a URL of the sample, so that requested = fetched + failed + excluded.

    Raises:
        InputError: if not one face was fetched. Failures are then forgotten: the next run asks
            again.
    """
    ledger = journal.ledger(sample["url"])
    stored = sample["face_id"].isin(journal.crop_ids())
    if not stored.any():
        journal.forget_lost()
        causes = losses(ledger).groupby("cause", sort=False)["urls"].sum().nlargest(5)
        told = ", ".join(f"{cause} ({urls:,})" for cause, urls in causes.items())
        raise InputError(f"not one of {len(ledger):,} photos could be had: {told or 'no faces'}")
    index = sample[stored].reset_index(drop=True)
    photos = []
    with create_array(faces_path, (len(index), *[journal.size] * 2, 3), "uint8") as out:
        for row, crop in enumerate(journal.crops(index["face_id"].tolist())):
            out[row] = crop.pixels
            photos.append((crop.width, crop.height, crop.sha256))
    index[["width", "height", "sha256"]] = photos
    write_index(index, index_path)
    lost = sample.loc[~stored, ["face_id", "url", "row", "slot"]]
    causes_of = ledger.set_index("url")["error"]
    write_index(lost.assign(cause=lost["url"].map(causes_of)), refused_path)
    return ledger


def losses(ledger: pd.DataFrame) -> pd.DataFrame:
    """Count what was not fetched, by host, outcome and cause (``error`` up to its colon).

    Returns:
        Columns host, outcome, cause and urls, the largest counts first.
    """
    lost = ledger[ledger["outcome"] != "fetched"]
    table = pd.DataFrame(
        {
            "host": lost["url"].map(host_of).astype("str"),
            "outcome": lost["outcome"],
            "cause": lost["error"].str.split(":").str[0],
        }
    )
    counts = table.value_counts().rename("urls").reset_index()
    return counts.sort_values(["urls", "host", "cause"], ascending=[False, True, True])
