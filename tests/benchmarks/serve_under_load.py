"""Clients that all send photos of 12 megapixels for minutes, then hostile requests: what the server
makes of it, and how much memory it takes.

    ./run python tests/benchmarks/serve_under_load.py --minutes 10 --hostile 10000

Starts a server of its own. What is found is printed; docs/serve.md has figures.
"""

import argparse
import io
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from http.client import HTTPException
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests")]

from made_photos import encoded, photo  # noqa: E402
from served import Server, form  # noqa: E402

PLACES = [(600, 500, 1400), (2300, 900, 1200)]
# Bytes of a slow body that are sent a second apart, and for how many requests one is slow.
SLOW, ONE_SLOW_IN = 5, 50


def photos(count):
    """JPEGs of 4000 x 3000 pixels, as grainy as those of phones."""
    rng = np.random.default_rng(0)
    for seed in range(count):
        picture = photo(PLACES, 4000, 3000, seed=seed).astype(np.int16)
        picture += rng.normal(0, 6, picture.shape).astype(np.int16)
        yield encoded(np.clip(picture, 0, 255).astype(np.uint8), quality=90)


def megabytes(server):
    """What the server and all of its processes hold of their own."""
    every = [psutil.Process(server.process.pid)]
    every += every[0].children(recursive=True)
    return sum(process.memory_full_info().pss for process in every) / 1e6


def load(server, clients, minutes, each):
    """Clients that send a photo each, and the next once it is answered."""
    end, taken, lost, memory = time.monotonic() + 60 * minutes, [], Counter(), []

    def client(number):
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                status, answer = server.send(("photo.jpg", each[number % len(each)]))
                good = status == 200 and len(answer["photos"][0]["faces"]) == len(PLACES)
                lost["answered rightly" if good else f"status {status}"] += 1
            except (OSError, HTTPException) as error:
                lost[type(error).__name__] += 1
            taken.append(time.monotonic() - began)

    def watch():
        while time.monotonic() < end:
            memory.append(megabytes(server))
            time.sleep(10)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    threads.append(threading.Thread(target=watch))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{clients} clients for {minutes:g} minutes: {dict(lost)}")
    print(f"{len(taken) / minutes / 60:.2f} photos a second; seconds until the answer:")
    print({share: round(float(np.quantile(taken, share / 100)), 2) for share in (50, 95, 99, 100)})
    print("megabytes, every 10 seconds:", [round(each) for each in memory], flush=True)


def hostile(generator, good):
    """What is sent, in parts; random, but of the kinds that do harm somewhere."""
    head = b"POST /v1/tags HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    kind = generator.randrange(12)
    if kind == 0:
        return [generator.randbytes(generator.randrange(1, 20_000)) + b"\r\n\r\n"]
    if kind == 1:
        return [b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * generator.randrange(70_000, 300_000)]
    if kind == 2:
        return [
            b"GET /../../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        ]
    if kind == 3:
        return [head + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"]
    if kind == 4:
        return [
            head + b"Content-Type: multipart/form-data; boundary=edge\r\n"
            b"Content-Length: 99999999999\r\n\r\n--edge"
        ]
    if kind == 5:
        return [head.replace(b"127.0.0.1", b"evil.example") + b"Content-Length: 0\r\n\r\n"]
    if kind == 6:
        return [head + b"Origin: http://evil.example\r\nContent-Length: 0\r\n\r\n"]
    data = {
        7: lambda: generator.randbytes(generator.randrange(20_000)),
        8: lambda: good[: generator.randrange(len(good))],
        9: lambda: bomb(generator.choice((9_000, 20_000))),
        10: lambda: damaged(generator, good),
        11: lambda: b"II*\x00" + generator.randbytes(500),
    }[kind]()
    about, body = form([("../../../x" + generator.choice((".jpg", ".dng", "\x00", "")), data)])
    head += f"Content-Type: {about}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    if generator.randrange(ONE_SLOW_IN) == 0:
        return [head, *(bytes([byte]) for byte in body[:SLOW])]
    return [head + body]


@cache
def bomb(side):
    """A PNG of few bytes and many pixels."""
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    return out.getvalue()


def damaged(generator, good):
    data = bytearray(good)
    for _ in range(generator.randrange(1, 50)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    return bytes(data)


def attack(server, count, good):
    """Hostile requests, 16 at a time; by status, or what came instead of an answer."""
    found, memory = Counter(), [megabytes(server)]

    def one(seed):
        generator = random.Random(seed)
        parts = hostile(generator, good)
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=90) as client:
                for part in parts:
                    client.sendall(part)
                    if len(parts) > 1:
                        time.sleep(1)
                answer = client.recv(64)
            found[answer.split(b" ")[1].decode() if answer else "nothing"] += 1
        except OSError as error:
            found[type(error).__name__] += 1
        if seed % 500 == 0:
            memory.append(megabytes(server))

    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(count)))
    print(f"{count:,} hostile requests in {time.monotonic() - began:.0f} s: {dict(found)}")
    print("megabytes:", [round(each) for each in memory])
    print("afterwards a photo is answered with", server.send(("photo.jpg", good))[0], flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--hostile", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wide = ("--max-bytes", 100_000_000, "--max-pixels", 100_000_000, "--max-seconds", 30)
        each, small = list(photos(2)), encoded(photo([(40, 60, 200)]))
        print(f"photos of {np.mean([len(data) for data in each]) / 1e6:.1f} MB")
        for side in (9_000, 20_000):
            bomb(side)
        server = Server(folder, *wide)
        try:
            load(server, options.clients, options.minutes, each)
            attack(server, options.hostile, small)
        finally:
            print(server.stop())
