"""A model taught one phase, as rule train does it: what tests of models share."""

from facesort.train.checkpoints import Checkpoint
from facesort.train.devices import choose_device
from facesort.train.engine import fit


def learn(model, phase, folder, batch_size):
    """Train in float32 on one thread; the history."""
    return fit(
        model,
        [phase],
        choose_device({"precision": "float32", "sharding": True}, 1),
        batch_size=batch_size,
        seed=0,
        checkpoint=Checkpoint(folder / "c", "", 60),
        label="",
    )
