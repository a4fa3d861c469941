"""How long the paper's twelve cells should take on one GPU with 16 cores: a schedule from parts.

    ./run python tests/benchmarks/paper_schedule.py

Nothing is trained: this is an estimate. Rates of training were measured on an H100, one model at a
time. How much of that time the card stands idle was not, so two guesses are tried. Seconds of other
jobs are CPU seconds of two AMD EPYCs (docs/training.md says which were measured). Jobs start as
Snakemake starts them: what is ready, by priority, within the cores and the shares of the card.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

VARIANTS = ("rgb", "grayscale", "cropped")
# Images a second of a training on an H100, batch 32, for each variant.
RATES = {
    "stacked": (3303, 5952, 4796),
    "convolutional": (4700, 4030, 5148),
    "semi_supervised": (1394, 1416, 2967),
    "head": (4006, 4054, 7073),  # the classifier of semi_supervised
    "supervised": (2194, 2169, 3352),
}
# Milliseconds of a step that do not grow with weights or pixels, by the rates of stacked and
# supervised. A guess: the card stands idle in them, in every model.
WAITING = 3.0
BATCH = 32
# By configs/paper.yaml; 12,000 labelled faces may teach, a fifth of all the classifier.
SEEN = {
    "stacked": (250_000,) * 3,
    "convolutional": (250_000, 250_000, 100_000),
    "semi_supervised": (125_000,) * 3,
    "head": (15_000,) * 3,
    "supervised": (60_000,) * 3,
}
START = 1.5  # seconds until a job's own work begins: Snakemake and a process
TRAINING = 30  # per cent of the card, as in rules/train.smk
APPLYING = 10


@dataclass
class Job:
    """Seconds on the CPU, then on the card if alone there, where it is busy to a share of them."""

    name: str
    cpu: float
    card: float = 0.0
    busy: float = 1.0
    cores: int = 1
    percent: int = 0
    priority: int = 0
    needs: tuple[str, ...] = ()
    began: float = -1.0
    ended: float = -1.0


def front() -> Iterator[Job]:
    """From the files of faces to the arrays that models see."""
    yield Job("read_faces", 16, cores=2)
    yield Job("read_labelled", 11, cores=2)
    yield Job("find_duplicates", 23, needs=("read_labelled",))
    yield Job("find_leaks", 55, needs=("read_faces", "read_labelled"))
    yield Job("split", 2, needs=("find_duplicates",))
    for variant in VARIANTS:
        for name, cause, seconds in (("pool", "find_leaks", 12), ("labelled", "read_labelled", 6)):
            yield Job(f"{variant} {name}", seconds, priority=1, needs=(cause,))
        yield Job(f"{variant} landmarks", 190, cores=2, needs=(f"{variant} pool",))
        yield Job(f"{variant} movements", 20, cores=2, needs=(f"{variant} landmarks",))


def training(model: str, place: int) -> tuple[float, float]:
    """Seconds on the card of a training alone, and the share of them in which the card is busy."""
    parts = ("semi_supervised", "head") if model == "semi_supervised" else (model,)
    seconds = sum(SEEN[part][place] / RATES[part][place] for part in parts)
    steps = sum(SEEN[part][place] / BATCH for part in parts)
    return seconds, 1 - steps * WAITING / 1000 / seconds


def cell(model: str, place: int) -> Iterator[Job]:
    """A cell's training, and what follows to its pages."""
    variant = VARIANTS[place]
    name = f"{variant} {model}"
    clustered = model in ("stacked", "convolutional")
    wide = model == "convolutional"
    sees = (f"{variant} labelled", "split") if not clustered else (f"{variant} pool",)
    sees += (f"{variant} pool",) if model == "semi_supervised" else ()
    card, busy = training(model, place)
    first = 2 if clustered else 1
    yield Job(f"{name} train", 12, card, busy, 1, TRAINING, first, sees)
    trained = (f"{name} train",)
    both = (f"{variant} pool", f"{variant} labelled")
    yield Job(f"{name} embed", 22 if wide else 10, 5, 1, 1, APPLYING, 2, trained + both)
    embedded = (f"{name} embed",)
    yield Job(f"{name} map", 140 if wide else 75, needs=(*embedded, "split"))
    if clustered:
        yield Job(f"{name} cluster", 11 if wide else 5, cores=2, needs=embedded)
        named = (f"{name} cluster", f"{variant} movements", "split")
        yield Job(f"{name} names", 3, needs=named)
        yield Job(f"{name} predict", 45 if wide else 12, needs=(f"{name} names", *embedded))
        yield Job(f"{name} naming page", 20, needs=(f"{name} names", f"{name} map"))
    else:
        yield Job(f"{name} classify", 3, 3, 1, 1, APPLYING, 0, (*trained, both[1]))
        yield Job(f"{name} predict", 15, needs=(f"{name} classify", *embedded))
    seen = (f"{name} predict", f"{name} map", f"{variant} movements")
    yield Job(f"{name} map page", 20, needs=seen)


def all_jobs() -> list[Job]:
    """Every job of some length of a run of the twelve cells."""
    jobs = list(front())
    for model in ("stacked", "convolutional", "semi_supervised", "supervised"):
        for place in range(len(VARIANTS)):
            jobs += cell(model, place)
    predicted = tuple(job.name for job in jobs if job.name.endswith("predict"))
    pages = tuple(job.name for job in jobs if job.name.endswith("page"))
    jobs.append(Job("tables", 30, needs=predicted))
    jobs.append(Job("summary", 10, needs=("tables", *pages)))
    return jobs


def schedule(jobs: list[Job], cores: int, percent: int, overlap: bool) -> float:
    """Give each job its begin and end, and return the last.

    Args:
        percent: of the card, that jobs may take together.
        overlap: whether another training uses the card while one leaves it idle. If not, two at
            once take as long as one after the other.
    """
    for job in jobs:
        job.cpu += START
    ended: set[str] = set()
    running: list[Job] = []
    waiting = sorted(jobs, key=lambda job: (-job.priority, -job.cores, -job.card - job.cpu))
    now = 0.0
    while waiting or running:
        for job in list(waiting):
            free = cores - sum(each.cores for each in running)
            left = percent - sum(each.percent for each in running)
            if ended.issuperset(job.needs) and job.cores <= free and job.percent <= left:
                job.began = now
                running.append(job)
                waiting.remove(job)
        on_card = [job for job in running if job.cpu <= 0]
        load = sum(job.busy if overlap else 1 for job in on_card)
        speed = 1 / max(1, load)
        step = min(job.card / speed if job.cpu <= 0 else job.cpu for job in running)
        now += step
        for job in running:
            if job.cpu > 0:
                job.cpu -= step
            else:
                job.card -= step * speed
        for job in [job for job in running if job.cpu < 1e-9 and job.card < 1e-9]:
            job.ended = now
            ended.add(job.name)
            running.remove(job)
    return now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=16)
    chosen = parser.parse_args()
    jobs = all_jobs()
    together = sum(job.cores * job.cpu for job in jobs)
    card = sum(job.card for job in jobs)
    print(f"{card:.0f} s of the card, one job after another; {together:.0f} s of CPU beside it\n")
    print("| trainings at once | card idle time is used | card done, s | all done, s |")
    print("| --- | --- | --- | --- |")
    for percent in (30, 60, 100, 130):
        for overlap in (False, True):
            jobs = all_jobs()
            end = schedule(jobs, chosen.cores, percent, overlap)
            on_card = max(job.ended for job in jobs if job.percent)
            used = "yes" if overlap else "no"
            print(f"| {percent // 30} | {used} | {on_card:.0f} | {end:.0f} |")
            if percent == 100:
                longest = jobs
    print("\n| job | begins | ends |\n| --- | --- | --- |")
    for job in sorted(longest, key=lambda job: job.began):
        print(f"| {job.name} | {job.began:.0f} | {job.ended:.0f} |")


if __name__ == "__main__":
    main()
