"""What tests share: a finished small run, a browser, a certificate, clusters with known truth."""

import os
import shutil
import subprocess
import time

import numpy as np
import pytest
from filelock import FileLock
from small_run import copy_project, snakemake

# Two workers on two cores: threads that wait for one another by spinning take the other's time.
# Set before anything loads OpenMP, which reads it once.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
DRIVER = shutil.which("chromedriver")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Whatever proxy this machine uses, the servers of tests are asked directly."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 and photos.example that nobody has signed, and its key."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("certificate")
    paths = folder / "certificate.pem", folder / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=photos.example", "-out", paths[0], "-keyout", paths[1]]
    command += ["-addext", "subjectAltName=DNS:photos.example,IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return paths


@pytest.fixture(scope="session")
def project(tmp_path_factory, worker_id):
    """A copy of the project, run once at a small size. Whoever changes it puts it back."""
    # One worker runs it, in the folder above its own, and each has a copy; "master" works alone.
    own = tmp_path_factory.getbasetemp()
    finished = (own if worker_id == "master" else own.parent) / "finished façade"
    with FileLock(f"{finished}.lock"):
        if not finished.exists():
            unfinished = finished.with_name("unfinished façade")
            shutil.rmtree(unfinished, ignore_errors=True)
            snakemake(copy_project(unfinished))
            unfinished.rename(finished)
    return shutil.copytree(finished, tmp_path_factory.mktemp("a project") / "façade")


@pytest.fixture
def browser(tmp_path):
    """A headless Chromium that saves downloads in tmp_path and reaches this machine alone."""
    if not (BROWSER and DRIVER):
        pytest.skip("needs chromium and chromedriver on the path (Debian: chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        f"user-data-dir={tmp_path / 'profile'}",
        "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        # A camera that shows a moving pattern, and no question whether it may be used.
        "use-fake-device-for-media-stream",
        "use-fake-ui-for-media-stream",
        "window-size=1400,1000",
    ):
        options.add_argument(f"--{argument}")
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    errors = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    driver.quit()
    assert errors == []


@pytest.fixture
def saved():
    """Wait for a file that the browser saves."""

    def wait(path, seconds=60):
        end = time.monotonic() + seconds
        # Chromium holds the name with an empty file, and moves the whole one there when it is done.
        while not (path.is_file() and path.stat().st_size):
            assert time.monotonic() < end, f"{path} was not saved"
            time.sleep(0.1)
        return path

    return wait


@pytest.fixture(scope="module")
def planted():
    """Eight clear groups: embeddings, the emotion of each face, a clustering of half of them."""
    from facesort.cluster.kmeans import fit_clusters

    rng = np.random.default_rng(0)
    labels = np.arange(400) % 8
    embeddings = (rng.normal(0, 1, (8, 5))[labels] * 10 + rng.normal(0, 0.1, (400, 5))).astype("f4")
    clustering = fit_clusters(embeddings[:200], embeddings, clusters=8, starts=3, seed=0)
    return embeddings, labels, clustering


@pytest.fixture(scope="module")
def template():
    """A symmetric shape of 478 points: float (478, 3)."""
    import made_landmarks

    return made_landmarks.template()


@pytest.fixture(scope="module")
def landmarks():
    """200 faces: the template with an open mouth or not, and noise; float32 (200, 478, 3)."""
    import made_landmarks

    return made_landmarks.landmarks()
