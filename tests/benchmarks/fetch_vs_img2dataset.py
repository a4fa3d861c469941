"""Throughput of fetching beside img2dataset 1.47: the same photos from the same server, in turn.

    ./run python tests/benchmarks/fetch_vs_img2dataset.py FOLDER

FOLDER is what make_fec.py of the shared data writes: photos/ and fec.csv. Debian's nginx serves it
on 127.0.0.1. img2dataset gets an environment of its own, made on the first call. Each round runs
both; ours fetches, cuts all faces at 200 pixels, and writes ledger, tables and arrays; img2dataset
resizes each photo to 200 pixels and writes JPEG files. Both are timed from process start to end.
Other work on the machine slows both, so read the ratio, and that of CPU seconds.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from facesort.common.arrays import write_index  # noqa: E402
from facesort.fetch.fec import sample_faces  # noqa: E402

NGINX = """
worker_processes 1; daemon off; pid {work}/nginx.pid; error_log {work}/error.log;
events {{ worker_connections 1024; }}
http {{
    {log} sendfile on; types {{ image/jpeg jpg; }}
    client_body_temp_path {work}/a; proxy_temp_path {work}/b; fastcgi_temp_path {work}/c;
    uwsgi_temp_path {work}/d; scgi_temp_path {work}/e;
    server {{ listen {address}:{port}; root {folder}; }}
}}
"""
OURS = """
import json, sys
from pathlib import Path
from facesort.fetch.download import fetch
from facesort.fetch.outputs import write_faces, write_ledger
from facesort.fetch.journal import Journal
from facesort.fetch.worklist import WorkList
sample, folder = sys.argv[1], Path(sys.argv[2])
with Journal(folder / "state", 200) as journal, WorkList(sample) as worklist:
    fetch(worklist, journal, json.loads(sys.argv[3]), 2)
    counts = write_ledger(worklist, journal, {}, folder / "ledger.parquet")
    names = ("faces.npy", "faces.parquet", "refused.parquet", "manifest.csv")
    faces, lost = write_faces(sample, journal, {}, *(folder / name for name in names))
assert counts["fetched"] == worklist.photos and not lost, counts
"""


@contextmanager
def nginx(folder: Path, work: Path, port: int, address: str = "127.0.0.1", log: str = ""):
    """Serve a folder; with a log format, requests are logged in WORK/access.log."""
    # nginx's workers are another user, who must be able to go through the folders.
    work.chmod(0o755)
    config = work / "nginx.conf"
    logging = f"log_format f '{log}'; access_log {work}/access.log f;" if log else "access_log off;"
    config.write_text(
        NGINX.format(folder=folder, work=work, port=port, address=address, log=logging)
    )
    server = subprocess.Popen(["nginx", "-c", config, "-p", work])
    time.sleep(1)
    if server.poll() is not None:
        raise SystemExit(f"nginx has not started; is port {port} in use?")
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def timed(command: list[str | Path], **environment: str) -> tuple[float, float]:
    """Wall and CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    result = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - began
    if result.returncode:
        raise SystemExit(result.stdout[-2000:] + result.stderr[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, sum(after[:2]) - sum(before[:2])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8765, help="named in fec.csv (8765)")
    parser.add_argument("--photos", type=int, help="take only the first so many")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=32, help="of each img2dataset process (32)")
    parser.add_argument(
        "--venv", type=Path, default=Path(tempfile.gettempdir()) / "img2dataset-1.47"
    )
    options = parser.parse_args()
    tool = options.venv / "bin" / "img2dataset"
    if not tool.exists():
        subprocess.run([sys.executable, "-m", "venv", options.venv], check=True)
        pip = options.venv / "bin" / "pip"
        subprocess.run([pip, "install", "--quiet", "img2dataset==1.47"], check=True)
    work = Path(tempfile.mkdtemp(prefix="fetch-benchmark-"))
    faces, _ = sample_faces(options.folder / "fec.csv", None, 0)
    urls = faces["url"].drop_duplicates()[: options.photos]
    faces = faces[faces["url"].isin(urls)]
    write_index(faces, work / "sample.parquet")
    urls.to_frame().to_parquet(work / "urls.parquet", index=False)
    settings = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["fetch"]
    settings |= {"allow_private": True, "per_host": 32}
    out = work / "out"
    commands = {
        "img2dataset": [
            tool,
            f"--url_list={work / 'urls.parquet'}",
            "--input_format=parquet",
            "--url_col=url",
            f"--output_folder={out}",
            "--output_format=files",
            "--processes_count=2",
            f"--thread_count={options.threads}",
            "--image_size=200",
            "--encode_format=jpg",
            "--number_sample_per_shard=1000",
        ],
        "facesort": [
            *(sys.executable, "-c", OURS, work / "sample.parquet", out),
            json.dumps(settings),
        ],
    }
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    print(f"{len(urls):,} photos, {len(faces):,} faces")
    with nginx(options.folder.resolve(), work, options.port):
        for number in range(options.rounds):
            for name, command in commands.items():
                shutil.rmtree(out, ignore_errors=True)
                wall, cpu = timed(command, PYTHONPATH=str(ROOT / "workflow_scripts"))
                figures[name].append((len(urls) / wall, 1000 * cpu / len(urls)))
                print(
                    f"round {number + 1}, {name}: {len(urls) / wall:.0f} photos a second, "
                    f"{1000 * cpu / len(urls):.2f} ms of CPU a photo",
                    flush=True,
                )
    shutil.rmtree(work)
    rate = {name: median(f[0] for f in figures[name]) for name in commands}
    cpu = {name: median(f[1] for f in figures[name]) for name in commands}
    print(f"medians: {rate} photos a second, {cpu} ms of CPU a photo")
    print(
        f"facesort : img2dataset = {rate['facesort'] / rate['img2dataset']:.2f} in photos a "
        f"second, {cpu['img2dataset'] / cpu['facesort']:.2f} in photos a CPU second"
    )


if __name__ == "__main__":
    main()
