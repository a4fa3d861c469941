"""The command line of the application: ``./run serve`` and ``./run watch``."""

import argparse
import ipaddress
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from facesort.common.job import InputError
from facesort.common.open_files import raise_limit
from facesort.serve.limits import Limits

PORT: Final = 8918
# A token of fewer characters is guessed.
LEAST_TOKEN: Final = 16


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it; errors end in one line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # What stands behind "--" is Snakemake's.
    at = given.index("--") if "--" in given else len(given)
    options = parser().parse_args(given[:at], argparse.Namespace(more=given[at + 1 :]))
    try:
        options.run(options)
    except InputError as error:
        raise SystemExit(f"error: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def parser() -> argparse.ArgumentParser:
    limits = Limits()
    commands = argparse.ArgumentParser(prog="./run", description=__doc__.replace("``", ""))
    both = commands.add_subparsers(required=True, metavar="serve | watch")
    one = both.add_parser("serve", help="a page and an interface that tag photos (docs/serve.md)")
    one.set_defaults(run=serve)
    add = one.add_argument
    add("--host", default="127.0.0.1", help="address to be reached at (this machine alone)")
    add("--port", type=int, default=PORT, help="(%(default)s; 0: any that is free)")
    add("--name", action="append", default=[], help="a name that others call this machine by")
    add("--token-file", type=Path, help="its first line is asked for by all but the page")
    add("--certificate", type=Path, help="for https: a PEM file, with --key")
    add("--key", type=Path, help="the certificate's key")
    add("--keep", type=Path, metavar="FOLDER", help="keep photos and tags there (nothing is kept)")
    add("--archive", metavar="FOLDER", help="results/archive of a run, whose thresholds count")
    add("--workers", type=int, default=os.cpu_count() or 1, help="processes (%(default)s)")
    for name, words in (
        ("bytes", "of a request"),
        ("photos", "of a request"),
        ("pixels", "of a photo"),
        ("seconds", "to read one photo"),
        ("held", "bytes of all requests in memory"),
    ):
        value = getattr(limits, name)
        add(f"--max-{name}", type=type(value), default=value, help=f"{words} (%(default)s)")
    two = both.add_parser("watch", help="tag what arrives in a folder (docs/serve.md)")
    two.set_defaults(run=watch)
    two.add_argument("folder", type=Path, help="its photos are tagged into results/archive")
    two.add_argument("--every", type=float, default=5.0, help="seconds (%(default)s)")
    two.add_argument("--cores", default="all", help="as Snakemake's (%(default)s)")
    two.add_argument("--once", action="store_true", help="end once nothing is left to tag")
    two.epilog = "Behind -- stand further arguments of Snakemake, such as --configfile mine.yaml"
    return commands


def serve(options: argparse.Namespace) -> None:
    """Start the server, and print its address once it answers."""
    # A process each, and one thread in each.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import uvicorn

    from facesort.serve.application import application
    from facesort.serve.connection import settings

    limits = Limits(**{name: getattr(options, f"max_{name}") for name in vars(Limits())})
    for name, value in {**vars(limits), "workers": options.workers}.items():
        if not value > 0:
            raise InputError(f"{name}: {value} is not above 0")
    raise_limit()
    listening = listen(options.host, options.port)
    address, port = listening.getsockname()[:2]
    near = ipaddress.ip_address(address).is_loopback
    token = read_token(options.token_file) if options.token_file else None
    if not near and not token:
        token = secrets.token_urlsafe(32)
    scheme = "https" if options.certificate else "http"
    shown = f"[{address}]" if ":" in address else address
    if ipaddress.ip_address(address).is_unspecified:
        shown = socket.gethostname()
    secret = f"#token={token}" if token and not options.token_file else ""

    def ready() -> None:
        print(f"{scheme}://{shown}:{port}/{secret}", flush=True)
        if not near and scheme == "http":
            print(
                "warning: photos and token go over the network unencrypted; see --certificate",
                file=sys.stderr,
            )

    names = {name.lower() for name in options.name}
    if not near:
        names |= {socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}
    app = application(
        limits,
        workers=options.workers,
        names=frozenset(names),
        token=token,
        archive=options.archive,
        kept=folder_to_keep(options.keep) if options.keep else None,
        ready=ready,
    )
    tls = {"ssl_certfile": options.certificate, "ssl_keyfile": options.key}
    try:
        config = uvicorn.Config(
            app, log_level="critical", access_log=False, server_header=False, **settings(), **tls
        )
        config.load()
    except OSError as error:
        raise InputError(f"{options.certificate}: no certificate ({error})") from None
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    if not server.started:
        raise SystemExit(1)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; of port 0 at any that is free.

    Raises:
        InputError: if it cannot be had.
    """
    try:
        if not 0 <= port < 65536:
            raise OSError("no such port")
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        if port:
            # So that a new start need not wait for the last one's connections. Of port 0 it would
            # let two servers have one port.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # At once: from now on nobody else has the port.
        listening.listen(2048)
    except OSError as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"--host {host} --port {port}: {why}; choose another") from None
    return listening


def read_token(path: Path) -> str:
    """The first line of a file.

    Raises:
        InputError: if it is none that could stand in a header, or others may read the file.
    """
    try:
        about, text = path.stat(), path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path}: no token in it ({error})") from None
    token = text.partition("\n")[0].strip()
    if len(token) < LEAST_TOKEN or not token.isprintable() or " " in token:
        raise InputError(f"{path}: the first line is to be {LEAST_TOKEN} or more signs, no space")
    if about.st_mode & 0o077:
        raise InputError(f"{path}: others may read it; `chmod 600` it")
    return token


def folder_to_keep(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--keep {path}: {error.strerror}") from None
    return path.resolve()


def watch(options: argparse.Namespace) -> None:
    from facesort.serve.watching import watch as watch_folder

    if {"--config", "-C"} & {word.partition("=")[0] for word in options.more}:
        raise InputError("--config: say it in a file, and name that with --configfile")
    watch_folder(options.folder, options.every, options.cores, options.more, once=options.once)


if __name__ == "__main__":
    main()
