"""Training images a second beside Keras 3 on TensorFlow, by turns in one run.

The paper's four models at its size (200x200 rgb, batch 32), ours and Keras's by turns in one run,
each turn in a process of its own. Keras trains in float32, and in mixed_bfloat16 where ours takes
bfloat16; the faster counts. (Where a CPU has no bfloat16, Keras emulates it, many times slower.)
TensorFlow is no dependency of this project: it goes into an environment in a temporary folder.
Prints a table in Markdown.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("stacked", "convolutional", "semi_supervised", "supervised")
BATCH, SIDE = 32, 200
TENSORFLOW = ("tensorflow-cpu==2.21.*", "keras>=3,<4")


def environment(folder: Path) -> Path:
    """Python of an environment with Keras and TensorFlow, made once."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run(["uv", "venv", "--quiet", "--clear", "--python", "3.11", folder], check=True)
        packages = ["uv", "pip", "install", "--quiet", "--python", str(python), *TENSORFLOW]
        subprocess.run(packages, check=True)
        (folder / "done").touch()
    return python


def settings() -> dict[str, Any]:
    """The models' blocks of the config under configs/paper.yaml, for rgb."""
    import yaml

    sys.path.insert(0, str(ROOT / "workflow_scripts"))
    from facesort.common.config import model_settings

    def merge(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
        both = {k: merge(a[k], v) for k, v in b.items() if isinstance(v, dict) and a.get(k)}
        return a | b | both

    default, paper = (
        yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
        for name in ("config.yaml", "configs/paper.yaml")
    )
    config = merge(default, paper)
    return {model: model_settings(config, model, "rgb") for model in MODELS}


def precisions(ours: str) -> tuple[str, ...]:
    """Those in which Keras trains, where ours does as told."""
    from facesort.train.devices import choose_device

    half = choose_device({"precision": ours, "sharding": False}, 1).bfloat16
    return ("float32", "mixed_bfloat16") if half else ("float32",)


class Worker:
    """A process that trains one model for as many seconds as it is told."""

    def __init__(self, python: str | Path, *arguments: str) -> None:
        command = [str(python), __file__, "--worker", *arguments]
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=os.environ | quiet,
        )
        self.about = self.ask("about")

    def ask(self, question: str) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("answer "):
                return json.loads(line.removeprefix("answer "))
        self.errors.seek(0)
        raise SystemExit(f"{self.process.args}: ended:\n{self.errors.read()[-2000:]}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def rate(step: Any, seconds: float) -> tuple[float, float]:
    """Images a second of whole steps, at least two: by the clock, and by CPU time of one core."""
    began, cpu, steps = time.perf_counter(), time.process_time(), 0
    while steps < 2 or time.perf_counter() - began < seconds:
        step()
        steps += 1
    images = BATCH * steps
    return images / (time.perf_counter() - began), images / (time.process_time() - cpu)


def serve(step: Any, about: dict[str, Any], matrix: Any = None) -> None:
    """Answer the questions of ``Worker.ask`` until the process is killed."""
    # Both sides' first steps wait for memory, and build what later ones reuse.
    began, steps = time.perf_counter(), 0
    while steps < 1 or (steps < 3 and time.perf_counter() - began < 30):
        step()
        steps += 1
    for question in sys.stdin:
        words = question.split()
        answer: Any = about
        if words[0] == "train":
            answer = rate(step, float(words[1]))
        elif words[0] == "matrix":
            answer = matrix()
        print("answer", json.dumps(answer), flush=True)


def faces_and_labels() -> tuple[Any, Any]:
    import numpy as np

    generator = np.random.default_rng(0)
    shape = (4 * BATCH, SIDE, SIDE, 3)
    return generator.integers(0, 256, shape, np.uint8), np.arange(len(range(shape[0]))) % 8


def ours(model_name: str, how: dict[str, Any], threads: int, precision: str) -> None:
    import numpy as np
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from facesort.train.batches import read_batches, shuffled_batches
    from facesort.train.devices import choose_device
    from facesort.train.engine import Phase, batch_loss, new_optimizer
    from facesort.train.models import build

    device = choose_device({"precision": precision, "sharding": True}, threads)
    faces, labels = faces_and_labels()
    torch.manual_seed(0)
    model = build(model_name, (SIDE, SIDE, 3), how)
    name, phase_settings = next(iter(how["phases"].items()))
    phase = Phase(
        name,
        faces,
        np.arange(len(faces)),
        labels if name == "classify" else None,
        **phase_settings,
    )
    with torch.device("meta"):
        skeleton = build(model_name, (SIDE, SIDE, 3), how)
        answer = getattr(skeleton, name)
        with FlopCounterMode(display=False) as counter:
            answer(torch.empty(1, 3, SIDE, SIDE)).sum().backward()
    model.to(device.device, memory_format=torch.channels_last)
    optimizer = new_optimizer(model, phase)

    def batches() -> Any:
        while True:
            todo = shuffled_batches(phase.rows, BATCH, [0])
            yield from read_batches(faces, todo, device.device)

    source = batches()

    def step() -> None:
        rows, x = next(source)
        loss, _ = batch_loss(model, phase, rows, x, device)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()

    a = torch.randn(4096, 4096, dtype=torch.bfloat16 if device.bfloat16 else torch.float32)

    def matrix() -> float:
        """FLOP/s of a large matrix product in the precision of the training."""
        times = []
        for _ in range(5):
            began = time.perf_counter()
            a @ a
            times.append(time.perf_counter() - began)
        return 2 * 4096**3 / min(times)

    about = {"flops": counter.get_total_flops(), "version": f"torch {torch.__version__}, {device}"}
    serve(step, about, matrix)


def theirs(model_name: str, how: dict[str, Any], threads: int, precision: str) -> None:
    """The model in Keras's own words; its start weights and losses are Keras's defaults."""
    import keras
    import tensorflow as tf
    from keras import layers

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    keras.mixed_precision.set_global_policy(precision)
    keras.utils.set_random_seed(0)
    faces, labels = faces_and_labels()
    name, phase = next(iter(how["phases"].items()))
    x = start = keras.Input((SIDE, SIDE, 3))
    x = layers.Rescaling(1 / 255)(x)
    if model_name == "stacked":
        x = layers.Flatten()(x)
        for width in (*how["widths"], *how["widths"][-2::-1]):
            x = layers.Dense(width, activation="selu")(x)
        x = layers.Dense(SIDE * SIDE * 3, activation=how["output"], dtype="float32")(x)
        x = layers.Reshape((SIDE, SIDE, 3))(x)
    elif model_name == "supervised":
        for number, count in enumerate(how["blocks"]):
            if number:
                x = layers.MaxPooling2D(2)(x)
            for _ in range(count):
                x = layers.Conv2D(how["filters"], 3, padding="same", activation="relu")(x)
        x = layers.Dense(how["dense"], activation="selu")(layers.Flatten()(x))
        x = layers.Dense(8, activation="softmax", dtype="float32")(x)
    else:
        filters, pools = how["filters"], how["pools"]
        for number, count in enumerate(filters):
            x = layers.Conv2D(count, 3, padding="same", activation="selu")(x)
            if number % 2:
                x = layers.MaxPooling2D(pools[number // 2])(x)
        for number in reversed(range(len(filters))):
            last = number == 0
            x = layers.Conv2DTranspose(
                3 if last else filters[number - 1],
                3,
                strides=pools[number // 2] if number % 2 else 1,
                padding="same",
                activation=how["output"] if last else "selu",
                dtype="float32" if last else None,
            )(x)
    model = keras.Model(start, x)
    optimizer = {"adam": keras.optimizers.Adam, "adamax": keras.optimizers.Adamax}
    model.compile(
        optimizer[phase["optimizer"]](phase["learning_rate"]),
        loss="sparse_categorical_crossentropy" if name == "classify" else "binary_crossentropy",
    )
    if name == "classify":
        data = tf.data.Dataset.from_tensor_slices((faces, labels)).repeat().batch(BATCH)
    else:
        data = tf.data.Dataset.from_tensor_slices(faces).repeat().batch(BATCH)
        data = data.map(lambda batch: (batch, tf.cast(batch, tf.float32) / 255))
    # What `fit` runs for each batch, without its callbacks.
    source = iter(data.prefetch(2))
    model.make_train_function()
    step = lambda: float(model.train_on_batch(*next(source)))  # noqa: E731
    serve(step, {"version": f"Keras {keras.__version__}, TensorFlow {tf.__version__}"})


def compare(chosen: argparse.Namespace, python: Path) -> None:
    print("| model | ours | Keras | precision of Keras | ratio | by CPU time | of a matmul |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    versions: dict[str, None] = {}
    of_keras = precisions(chosen.precision)
    for model in chosen.models:
        common = ("--models", model, "--threads", str(chosen.threads))
        sides = {
            "ours": (sys.executable, *common, "--precision", chosen.precision),
            **{each: (python, *common, "--keras", each) for each in of_keras},
        }
        rates: dict[str, list[list[float]]] = {side: [] for side in sides}
        matrix = 0.0
        for _ in range(chosen.rounds):
            for side, command in sides.items():
                # One at a time: two stacked autoencoders with their Adam would fill 18 GB.
                worker = Worker(*command)
                rates[side].append(worker.ask(f"train {chosen.seconds}"))
                versions[worker.about["version"]] = None
                if side == "ours":
                    matrix = max(matrix, worker.ask("matrix"))
                    flops = worker.about["flops"]
                worker.close()
        median, cpu = (
            {side: statistics.median(turn[kind] for turn in turns) for side, turns in rates.items()}
            for kind in (0, 1)
        )
        best = max(of_keras, key=lambda precision: median[precision])
        us, them = median["ours"], median[best]
        print(
            f"| {model} | {us:.2f} | {them:.2f} | {best} | {us / them:.2f} | "
            f"{cpu['ours'] / cpu[best]:.2f} | "
            f"{100 * us * flops / matrix:.0f}% of {matrix / 1e12:.2f} TFLOP/s |",
            flush=True,
        )
    print(f"\nImages a second (median turn), {chosen.threads} threads; {'; '.join(versions)}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seconds", type=float, default=15, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--precision",
        default="auto",
        choices=("auto", "float32"),
        help="float32: as where a CPU has no bfloat16",
    )
    parser.add_argument("--environment", type=Path, help="where TensorFlow is or shall be")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--keras", help=argparse.SUPPRESS)
    parser.add_argument("--settings", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if not chosen.worker:
        folder = chosen.environment or Path(tempfile.gettempdir()) / "facesort-keras"
        SETTINGS.write_text(json.dumps(settings()), encoding="utf-8")
        compare(chosen, environment(folder))
        return
    sys.path.insert(0, str(ROOT / "workflow_scripts"))
    how = json.loads(SETTINGS.read_text(encoding="utf-8"))[chosen.models[0]]
    if chosen.keras:
        theirs(chosen.models[0], how, chosen.threads, chosen.keras)
    else:
        ours(chosen.models[0], how, chosen.threads, chosen.precision)


# Keras's environment has no YAML reader, so the settings go there as JSON.
SETTINGS = Path(tempfile.gettempdir()) / "facesort-keras-settings.json"

if __name__ == "__main__":
    main()
