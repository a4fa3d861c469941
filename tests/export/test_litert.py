"""MediaPipe's networks by torch: the same numbers as LiteRT's, for several faces at a time."""

import numpy as np
import pytest
import torch

from facesort.common.job import InputError
from facesort.export.litert import LiteRT
from facesort.faces import face_blendshapes, face_mesh


def test_the_mesh_gives_what_litert_gives():
    faces = np.random.default_rng(0).random((2, 256, 256, 3), dtype=np.float32)
    with torch.inference_mode():
        points, logits, *_ = LiteRT(face_mesh.MODEL, True)(torch.tensor(faces).permute(0, 3, 1, 2))
    network = face_mesh.network(face_mesh.MODEL)
    for row, face in enumerate(faces):
        network.set_tensor(network.get_input_details()[0]["index"], face[None])
        network.invoke()
        own = [network.get_tensor(each["index"]) for each in network.get_output_details()]
        assert np.allclose(points[row].flatten(), own[0].ravel(), atol=1e-3)
        assert logits[row].item() == pytest.approx(own[1].item(), abs=1e-3)


def test_the_blendshapes_are_what_litert_gives():
    points = np.random.default_rng(1).random((3, 478, 3), dtype=np.float32) * 200
    with torch.inference_mode():
        (told,) = LiteRT(face_blendshapes.MODEL, False)(
            torch.tensor(points[:, face_blendshapes.SEEN, :2])
        )
    assert np.allclose(told[:, 1:], face_blendshapes.blendshapes(points), atol=1e-4)


def test_a_damaged_file_and_an_unknown_operator_are_named(tmp_path, monkeypatch):
    damaged = tmp_path / "mesh.tflite"
    damaged.write_bytes(face_mesh.MODEL.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"mesh.tflite: not a readable model"):
        LiteRT(damaged, True)
    monkeypatch.delattr(LiteRT, "prelu")
    with pytest.raises(InputError, match="operator PRELU is not known"):
        LiteRT(face_mesh.MODEL, True)
