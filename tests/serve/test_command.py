"""The command line: what is wrong is told in one line, and what is printed leads to the page."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from served import ENVIRONMENT, ONE, Server
from small_run import ROOT

from facesort.common.job import InputError
from facesort.serve import watching
from facesort.serve.command import listen, main, parser, read_token


def said(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([*map(str, arguments)])
    return str(ended.value)


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text("x" * 32 + "\n")
    path.chmod(0o600)
    return path


def test_a_token_is_read_from_the_first_line(token):
    assert read_token(token) == "x" * 32


@pytest.mark.parametrize("text", ["", "short", "with a space in its midst", "ü" * 20])
def test_what_is_no_token_is_refused(token, text):
    token.write_text(text)
    with pytest.raises(InputError, match="token: "):
        read_token(token)


def test_a_token_that_others_may_read_is_refused(token):
    token.chmod(0o644)
    assert said("serve", "--token-file", token, "--port", 0).endswith("`chmod 600` it")


def test_an_address_that_cannot_be_had_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = said("serve", "--port", port)
    assert re.fullmatch(rf"error: --host 127.0.0.1 --port {port}: .*; choose another", words)
    assert "choose another" in said("serve", "--port", 99999999)
    assert "choose another" in said("serve", "--host", "no.such.name.invalid")
    assert "not above 0" in said("serve", "--workers", 0)
    assert "not above 0" in said("serve", "--max-seconds", -1)
    (tmp_path / "file").touch()
    assert said("serve", "--port", 0, "--keep", tmp_path / "file" / "x").startswith("error: --keep")
    assert "no certificate" in said("serve", "--port", 0, "--certificate", tmp_path / "none")


def test_the_command_line_tells_its_options():
    words = parser().format_help()
    assert "serve" in words and "watch" in words


def test_what_stands_behind_two_lines_is_for_snakemake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = []
    monkeypatch.setattr(watching, "watch", lambda *told, **how: given.append((told, how)))
    main(["watch", "photos", "--cores", "2", "--", "--configfile", "mine.yaml", "-n"])
    assert given == [
        ((Path("photos"), 5.0, "2", ["--configfile", "mine.yaml", "-n"]), {"once": False})
    ]
    assert said("watch", "photos", "--", "--config", "seeds=[1]").startswith("error: --config: ")


def test_run_starts_it():
    """The last lines of the script, in the environment that is there."""
    text = (ROOT / "run").read_text()
    ending = "set -eu\nroot=$1; shift\n" + text[text.index("# The application") :]
    done = subprocess.run(
        ["sh", "-c", ending, "run", ROOT, "serve", "--help"],
        env=ENVIRONMENT | {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert "--token-file" in done.stdout, done.stderr


def test_where_other_machines_reach_it_a_token_is_made_and_printed(tmp_path):
    server = Server(tmp_path, "--workers", 1, "--host", "0.0.0.0", "--name", "Photos.Example")
    try:
        address = urlsplit(server.address)
        name, secret = address.fragment.split("=")
        assert name == "token" and len(secret) > 40 and address.hostname == socket.gethostname()
        assert server.send(("one.jpg", ONE))[0] == 401
        for host, status in (("photos.example", 200), ("localhost", 200), ("other.example", 421)):
            headers = {"Authorization": f"Bearer {secret}", "Host": host}
            assert server.send(("one.jpg", ONE), headers=headers)[0] == status
    finally:
        assert "unencrypted" in server.stop()


def test_it_speaks_tls(tmp_path, certificate):
    import ssl

    pem, key = certificate
    server = Server(tmp_path, "--workers", 1, "--certificate", pem, "--key", key)
    try:
        assert server.address.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=pem)
        with (
            socket.create_connection(("127.0.0.1", server.port)) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
        ):
            client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
    finally:
        server.stop()


def test_a_free_port_is_nobody_elses_from_the_start():
    """Of many that are bound at once; and who connects early waits, and is not refused."""
    many = [listen("127.0.0.1", 0) for _ in range(200)]
    ports = [each.getsockname()[1] for each in many]
    assert len(set(ports)) == len(ports)
    socket.create_connection(("127.0.0.1", ports[0]), timeout=5).close()
    with pytest.raises(InputError, match="choose another"):
        listen("127.0.0.1", ports[0])
    for each in many:
        each.close()
    listen("127.0.0.1", ports[0]).close()


def test_an_image_holds_all_that_the_application_needs(tmp_path):
    """As far as it can be tried without Docker: its files, groups and command, beside this."""
    text = (ROOT / "envs/Dockerfile").read_text().replace("\\\n", "")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line[:1].isupper()]
    for what, rest in steps:
        if what == "COPY":
            *sources, _ = rest.split()
            for source in sources:
                copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
                copy(ROOT / source, tmp_path / source)
    lock = tomllib.loads((tmp_path / "uv.lock").read_text())
    (uv,) = (package["version"] for package in lock["package"] if package["name"] == "uv")
    assert f"pip install --no-cache-dir uv=={uv} " in text
    groups = tomllib.loads((tmp_path / "pyproject.toml").read_text())["dependency-groups"]
    assert {"archive", "torch", "serve"} <= {*re.findall(r"--group (\w+)", text)} <= {*groups}
    (command,) = (json.loads(rest) for what, rest in steps if what == "CMD")
    assert command[0] == "python"
    command = [sys.executable, *command[1:], "--port", "0", "--workers", "1"]
    environment = ENVIRONMENT | {"PYTHONPATH": str(tmp_path / "workflow_scripts")}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert "#token=" in server.stdout.readline()
        server.send_signal(signal.SIGINT)


def test_a_long_folder_for_temporary_files_keeps_nobody_out(tmp_path):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    server = Server(long, "--workers", 1)
    try:
        assert server.ask("GET", "/")[0] == 200
    finally:
        assert server.stop() == ""
