"""Fetching at FEC's size by eight jobs of a real SLURM cluster of one node.

    ./run python tests/benchmarks/fetch_on_slurm.py FOLDER WORK [--sample 6000 --compare]

FOLDER is what make_fec.py of the shared data writes with --photos 3250: photos/ and truth.csv with
3,900 faces. nginx serves it under 40 names of this machine (127.0.1.2 and on), chosen so that each
of eight shards has five hosts: 130,000 photos and 156,000 faces. Real hosts are not so even, and
FEC's photos are of far fewer. --compare fetches the same sample once more by one job without
SLURM, and compares all files byte for byte, but for the times in the ledger.

Everything is written below WORK: at 200 pixels 19 GB while the photos come, and 19 GB for the
array. The server's log then tells if a host had more requests at once than `per_host` allows.
"""

import argparse
import csv
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests")]

from fetch_vs_img2dataset import nginx  # noqa: E402
from slurm_cluster import slurm_cluster  # noqa: E402

from facesort.fetch.journal import bucket_of, buckets_of  # noqa: E402
from facesort.pages.costs import read_costs  # noqa: E402

HOSTS_A_SHARD = 5
FILES = ("faces.npy", "faces.parquet", "refused.parquet", "manifest.csv")
TARGETS = ("results/fetch/faces.npy", "results/figures/losses.png")


def write_csv(folder: Path, path: Path, shards: int) -> int:
    """A row of FEC for each three faces of every photo at every host. Returns the faces."""
    hosts: dict[int, list[str]] = {shard: [] for shard in range(shards)}
    for number in range(2, 255):
        name = f"127.0.1.{number}"
        shard = next(s for s in hosts if bucket_of(name) in buckets_of(s, shards))
        if len(hosts[shard]) < HOSTS_A_SHARD:
            hosts[shard].append(name)
    names = [name for each in hosts.values() for name in each]
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        known = list(csv.reader(file))[1:]
    faces = [
        f'"{url.replace("127.0.0.1", name)}",{",".join(box)}'
        for url, *box, _ in known
        for name in names
    ]
    random.Random(0).shuffle(faces)
    rows = zip(*(faces[slot::3] for slot in range(3)), strict=True)
    people = ",".join(f"{number},1" for number in range(6))
    path.write_text(
        "".join(f"{','.join(row)},ONE_CLASS_TRIPLET,{people}\n" for row in rows), encoding="utf-8"
    )
    return len(faces)


def snakemake(folder: Path, config: Path, environment: dict[str, str], *options: str) -> float:
    """Run the workflow in a folder of its own. Returns the wall seconds."""
    folder.mkdir(parents=True)
    began = time.monotonic()
    done = subprocess.run(
        [
            *("snakemake", "-s", ROOT / "Snakefile", "--directory", folder),
            *("--configfile", config, *options, "--", *TARGETS),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    (folder / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        raise SystemExit((done.stdout + done.stderr)[-5000:])
    return seconds


def profile(folder: Path) -> tuple[str, ...]:
    """The SLURM profile as a user edits it, asking soon whether a job has ended."""
    text = (ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8")
    settings = yaml.safe_load(
        text.replace("your_account", "lab").replace("your_partition", "batch")
    )
    settings |= {"slurm-init-seconds-before-status-checks": 3, "latency-wait": 20}
    # The node says that it has eight cores: so all shards run at once.
    settings |= {"set-threads": {"fetch_shard": 1}}
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return ("--workflow-profile", str(folder))


def told_by_server(log: Path) -> None:
    """Print how often photos were asked for, and how many connections a host had at once.

    Answers take less than the log's milliseconds. So connections count, from the first request
    on them to the last; on each is one request at a time.
    """
    asked: Counter[str] = Counter()
    used: dict[tuple[str, str], list[float]] = defaultdict(list)
    for line in log.read_text(encoding="utf-8").splitlines():
        ended, connection, host, path, status = line.split("|")
        if path.startswith("/photos/"):
            assert status in ("200", "499"), line  # 499: given up by who asked
            asked[host + path] += 1
            used[host, connection].append(float(ended))
    turns: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for (host, _), times in used.items():
        turns[host] += [(min(times), -1), (max(times), 1)]
    most = 0
    for each in turns.values():
        now = 0
        for _, change in sorted(each):  # of two at once, the beginning counts first
            now -= change
            most = max(most, now)
    print(
        f"the server: {len(asked):,} photos of {len(turns)} hosts, "
        f"{sum(count > 1 for count in asked.values())} of them asked for more than once; "
        f"at most {most} connections to a host at once"
    )


def same(ours: Path, others: Path) -> None:
    """Compare two runs' results of fetching; only the ledger's times may differ."""
    for name in FILES:
        one, other = (each / "results/fetch" / name for each in (ours, others))
        assert one.read_bytes() == other.read_bytes(), name
    ledgers = [
        pq.read_table(each / "results/fetch/ledger.parquet").drop_columns("fetched_at")
        for each in (ours, others)
    ]
    assert ledgers[0].equals(ledgers[1]), "ledger.parquet"
    print(f"equal to one job without SLURM: {', '.join(FILES)}, and the ledger but for its times")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path, help="must not be there yet")
    parser.add_argument("--port", type=int, default=8765, help="named in truth.csv (8765)")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--size", type=int, default=200, help="of a face, in pixels (200)")
    parser.add_argument("--sample", type=int, help="faces to choose; all without it")
    parser.add_argument("--compare", action="store_true")
    options = parser.parse_args()
    work = options.work.resolve()
    if work.exists():
        parser.error(f"{work} is there already; name a folder that is not")
    work.mkdir(parents=True)
    faces = write_csv(options.folder, work / "fec.csv", options.shards)
    print(f"{faces:,} faces in the CSV", flush=True)
    config = {
        "data": {"fec_csv": str(work / "fec.csv")},
        # As in the paper, an eighth of a face is its border, which no rule here looks at.
        "faces": {"size": options.size, "border": options.size // 8, "sample": options.sample},
        "fetch": {"shards": options.shards, "allow_private": True},
    }
    (work / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    config["fetch"] |= {"shards": 1}
    (work / "alone.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    log = "$msec|$connection|$host|$request_uri|$status"
    with nginx(options.folder.resolve(), work, options.port, "0.0.0.0", log):
        with slurm_cluster(work / "slurm") as environment:
            wall = snakemake(
                work / "run", work / "config.yaml", environment, *profile(work / "profile")
            )
            run = re.search(r"SLURM run ID: (\S+)", (work / "run/said.txt").read_text())
            assert run is not None
            fields = "JobID,Comment%45,State,AllocCPUS,ReqMem,ElapsedRaw,TotalCPU,MaxRSS"
            print(f"{wall:.0f} s of wall time")
            time.sleep(5)
            command = ["sacct", "--name", run[1], "--units=M", "-o", fields]
            print(subprocess.run(command, env=environment, capture_output=True, text=True).stdout)
        told_by_server(work / "access.log")
        print(read_costs(work / "run/results/logs").to_string(index=False))
        for path in (work / "run/results/logs").rglob("fetch_*.log"):
            print(path.stem, path.read_text(encoding="utf-8").strip().splitlines()[-3:])
        used = subprocess.run(
            ["du", "-sBM", *(work / "run/results/fetch").iterdir()], capture_output=True, text=True
        )
        print(used.stdout, flush=True)
        if options.compare:
            seconds = snakemake(
                work / "alone", work / "alone.yaml", dict(os.environ), "--cores", "2"
            )
            print(f"one job without SLURM: {seconds:.0f} s of wall time")
            same(work / "run", work / "alone")


if __name__ == "__main__":
    main()
