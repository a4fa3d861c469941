"""Environments: how ./run makes its own, what it leaves alone; those of envs/, and containers."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from small_run import ROOT, copy_project, snakemake

# In place of Python: makes a folder like an environment, with a uv that may fail.
PYTHON = """#!/bin/sh
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" &&
        printf '#!/bin/sh\\n[ ! -e "%s" ] && touch "%s"\\n' "$UV_FAILS" "$3/made" >"$3/bin/uv" &&
        chmod +x "$3/bin/uv" ;;
    *_base_executable*) echo "$0" ;;
esac
"""


@pytest.fixture
def shared(tmp_path):
    """A project with ./run and a lock, and a way to call it: its status and what it said."""
    folder = tmp_path / "a project"
    folder.mkdir()
    shutil.copy(ROOT / "run", folder)
    (folder / "uv.lock").write_text('[[package]]\nname = "uv"\nversion = "1.0"\n')
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "python3").write_text(PYTHON)
    (tools / "python3").chmod(0o755)

    def run(*words, **env):
        env = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(tmp_path), "UV_FAILS": "/none", **env}
        env = {key: value for key, value in env.items() if value is not None}
        command = [folder / "run", *(words or ("echo", "it runs"))]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    return folder, run


def refused(answer, *words):
    status, printed, said = answer
    assert status == 1 and printed == "" and len(said.splitlines()) == 1, said
    assert said.startswith("error: ") and all(word in said for word in words), said
    return True


def test_an_environment_is_made_once_and_anew_for_another_lock(shared):
    folder, run = shared
    venv = folder / ".venv"
    status, printed, said = run()
    assert (status, printed) == (0, "it runs\n") and "Making the environment" in said
    assert (venv / "made").exists()
    (venv / "kept").touch()
    assert run() == (0, "it runs\n", "") and (venv / "kept").exists()
    with (folder / "uv.lock").open("a") as lock:
        lock.write("\n")
    # Also where the Python that is found is the one of the environment.
    status, _, said = run(PATH=f"{venv}/bin:{folder.parent}/bin:/usr/bin:/bin")
    assert status == 0 and "Making the environment" in said and not (venv / "kept").exists()


def test_a_set_up_that_was_broken_off_is_begun_again(shared):
    folder, run = shared
    (folder / "fails").touch()
    assert run(UV_FAILS=str(folder / "fails"))[0]
    assert (folder / ".venv/made-from.lock").read_text() == ""
    assert run()[:2] == (0, "it runs\n")
    assert (folder / ".venv/made-from.lock").read_text() == (folder / "uv.lock").read_text()


def test_an_environment_whose_python_does_not_start_here_is_left_alone(shared):
    """Another user's, or another kind of machine's."""
    folder, run = shared
    run()
    (folder / ".venv/bin/python").write_text("#!/no/such/python\n")
    before = sorted(folder.rglob("*"))
    assert refused(run(), f"{folder}/.venv", "does not start here", "copy of the project")
    assert sorted(folder.rglob("*")) == before


def test_a_folder_of_that_name_that_is_a_persons_is_left_alone(shared):
    folder, run = shared
    (folder / ".venv").mkdir()
    assert run()[0] == 0, "an empty folder is nobody's"
    shutil.rmtree(folder / ".venv")
    (folder / ".venv/lib").mkdir(parents=True)
    (folder / ".venv/lib/precious.py").touch()
    assert refused(run(), f"{folder}/.venv", "delete or rename")
    assert (folder / ".venv/lib/precious.py").exists()


def test_where_it_cannot_be_made_it_says_so(shared):
    """A file in the way stands for a folder that cannot be written, which root always can."""
    folder, run = shared
    (folder / ".venv").symlink_to("/proc/nobody")
    assert refused(run(), f"{folder}/.venv", "cannot be written by you")


def test_by_a_link_it_finds_its_own_folder(shared):
    folder, run = shared
    run()
    place = folder.parent / "place"
    (place / ".venv").mkdir(parents=True)
    (place / "facesort").symlink_to(folder / "run")
    done = subprocess.run([place / "facesort", "echo", "it runs"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "it runs\n", "")
    assert list((place / ".venv").iterdir()) == []


def test_caches_lie_where_they_can_be_written(shared):
    """Without a home folder nothing is written to /.cache, which root could."""
    folder, run = shared
    words = ("sh", "-c", 'echo "${XDG_CACHE_HOME-none} ${XDG_CONFIG_HOME-none}"')
    assert run(*words)[1] == "none none\n"
    own = f"{folder}/.venv/cache"
    for home in (None, "", "/proc/nobody"):
        assert run(*words, HOME=home)[1] == f"{own} {own}\n"
        assert run("sh", "-c", 'echo "$HOME"', HOME=home)[1] == f"{home or own}\n"
    (folder / ".venv/cache").rmdir()
    (folder / ".venv/cache").touch()
    cache = f"{folder.parent}/.snakemake/cache"
    assert run(*words, HOME=None)[1] == f"{cache} {cache}\n"
    assert run(*words, XDG_CACHE_HOME=f"{folder}/c")[1] == f"{folder}/c none\n"


def test_another_pythons_home_does_not_count(shared):
    """With it the environment's Python would not start, and be called another user's."""
    _, run = shared
    words = ("sh", "-c", 'echo "${PYTHONHOME-none}"')
    assert run(*words, PYTHONHOME="/opt/python2.7")[1] == "none\n"


def test_a_user_without_a_name_gets_one(shared):
    """As in containers: libraries ask for one, and end in a traceback without."""
    folder, run = shared
    words = ("sh", "-c", 'echo "${LOGNAME-none}"')
    assert run(*words)[1] == "none\n"
    nameless = folder.parent / "bin/id"
    nameless.write_text('#!/bin/sh\n[ "$1" != -un ] && echo 4711\n')
    nameless.chmod(0o755)
    assert run(*words)[1] == "uid4711\n"


OFFLINE = re.compile(r"NewConnection|NameResolution|ConnectTimeout|ProxyError|Max retries")


# The largest always; the others, whose pins are of the same lock, with the slow tests.
ENVIRONMENTS = [
    pytest.param(path, id=path.stem, marks=() if path.stem == "export" else pytest.mark.slow)
    for path in sorted((ROOT / "envs").glob("*.yaml"))
]


@pytest.mark.parametrize("path", ENVIRONMENTS)
def test_pip_takes_the_pins_of_each_environment(path, tmp_path):
    """As --use-conda does. uv, from whose lock they are, forgives what pip refuses.

    Pins of other platforms are left out, as pip does by their markers.
    """
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if python is None:
        pytest.skip("needs Python 3.11, which the environments have")
    made = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert made["channels"] == ["conda-forge"]
    assert made["dependencies"][:2] == ["python=3.11", "pip"]
    pins = tmp_path / "pins.txt"
    pins.write_text("\n".join(made["dependencies"][2]["pip"]))
    command = [python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--retries", "1"]
    done = subprocess.run(
        [*command, "--report", tmp_path / "report.json", "--quiet", "--requirement", pins],
        env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode and OFFLINE.search(done.stderr):
        pytest.skip("needs a package index")
    assert done.returncode == 0, done.stderr[-2000:]
    # Nothing but the pins is needed, so nothing can drift.
    report = json.loads((tmp_path / "report.json").read_text())["install"]
    pinned = {pin.partition("==")[0] for pin in made["dependencies"][2]["pip"]}
    assert {canonical(each["metadata"]["name"]) for each in report} <= pinned


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


# In place of Apptainer: notes how it is called, and runs the command without a container.
APPTAINER = """#!/bin/sh
[ "$1" = --version ] && echo "apptainer version 1.3.0" && exit
echo "$*" >>"$CALLS"
while [ $# -gt 3 ]; do shift; done
exec "$@"
"""


def test_rules_run_in_the_image_that_the_config_names(project, tmp_path):
    folder = copy_project(tmp_path / "project", rendered=project)
    (tmp_path / "apptainer").write_text(APPTAINER)
    (tmp_path / "apptainer").chmod(0o755)
    (folder / "mine.sif").touch()
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": f"{tmp_path}/calls"}
    words = ("--config", "container=mine.sif", "--sdm", "apptainer", "--")
    snakemake(folder, *words, "results/rgb/labelled.npy", env=env)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 2 and all(re.search(r"exec .*mine\.sif \w+ -c .*script", x) for x in calls)


def test_without_an_image_no_rule_runs_outside_of_one_unnoticed(tmp_path):
    folder = copy_project(tmp_path / "project")
    printed = snakemake(folder, "-n", "--sdm", "apptainer", expect=1)
    assert "no image of facesort is published" in printed and "Traceback" not in printed


def test_an_image_of_all_environments_can_be_built(tmp_path):
    """As far as Snakemake writes a Dockerfile; there is no Docker to build it."""
    if shutil.which("conda") is None:
        pytest.skip("needs conda, which Snakemake asks for its settings")
    printed = snakemake(copy_project(tmp_path / "project"), "--containerize")
    for path in (ROOT / "envs").glob("*.yaml"):
        assert f"COPY envs/{path.name} /conda-envs/" in printed
