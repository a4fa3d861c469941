"""Changed faces: seeded, within their limits, and nothing where nothing is asked for."""

import pytest
import torch

from facesort.train.augment import augment

ALL = {
    "flip": True,
    "shift": 0.1,
    "rotate": 15,
    "scale": 0.2,
    "brightness": 0.2,
    "contrast": 0.3,
    "gamma": 0.5,
    "light": 0.4,
    "blur": 0.8,
    "erase": 0.2,
}


@pytest.fixture
def faces():
    torch.manual_seed(0)
    return torch.rand(64, 3, 20, 24)


def dots(row, column, side=41):
    """64 black faces with a white dot of 3x3 pixels, and nothing near its edges."""
    faces = torch.zeros(64, 1, side, side)
    faces[:, :, row - 1 : row + 2, column - 1 : column + 2] = 1
    return faces


def places(faces):
    """Rows and columns of the centres of mass, float (B,) each, from the face's middle."""
    mass = faces[:, 0] / faces[:, 0].sum((1, 2), keepdim=True)
    along = torch.arange(faces.shape[-1]) - (faces.shape[-1] - 1) / 2
    return (mass.sum(2) * along).sum(1), (mass.sum(1) * along).sum(1)


@pytest.mark.parametrize("settings", [{}, dict.fromkeys(ALL, 0), {"flip": False}])
def test_nothing_asked_for_changes_nothing(faces, settings):
    assert augment(faces, settings, [1]) is faces


@pytest.mark.parametrize("settings", [ALL, *({key: ALL[key]} for key in ALL)], ids=str)
@pytest.mark.parametrize("channels", [3, 1])
def test_changes_keep_shape_and_range_and_come_again_with_the_seed(faces, settings, channels):
    faces = faces[:, :channels]
    before = faces.clone()
    changed = augment(faces, settings, [3, 8, 1, 5])
    assert changed.shape == faces.shape and changed.dtype == faces.dtype
    assert changed.min() >= 0 and changed.max() <= 1
    assert torch.equal(faces, before) and not torch.equal(changed, faces)
    assert torch.equal(augment(faces, settings, [3, 8, 1, 5]), changed)
    for other in ([3, 8, 1, 6], [3, 8, 2, 5], [4, 8, 1, 5]):
        assert not torch.equal(augment(faces, settings, other), changed)


def test_flips_mirror_about_half_of_the_faces_and_leave_the_others(faces):
    changed = augment(faces, {"flip": True}, [0])
    mirrored = (changed == faces.flip(3)).flatten(1).all(1)
    as_before = (changed == faces).flatten(1).all(1)
    assert (mirrored ^ as_before).all()
    assert 16 < mirrored.sum() < 48


def test_one_change_more_leaves_the_draws_of_the_others(faces):
    flipped = augment(faces, {"flip": True}, [0])
    both = augment(faces, {"flip": True, "erase": 0.3}, [0])
    whole = (both == flipped).flatten(1).all(1)
    assert whole.any() and (both == flipped).float().mean() > 0.7


def test_shifts_go_everywhere_up_to_their_share():
    rows, columns = places(augment(dots(20, 20), {"shift": 0.25}, [0]))
    for moved in (rows, columns):
        assert moved.min() < -7 and moved.max() > 7
        assert moved.abs().max() <= 0.25 * 41 + 0.1


def test_turns_keep_the_distance_from_the_middle():
    rows, columns = places(augment(dots(20, 35), {"rotate": 30}, [0]))
    torch.testing.assert_close(
        torch.hypot(rows, columns), torch.full((64,), 15.0), atol=0.3, rtol=0
    )
    degrees = torch.rad2deg(torch.atan2(rows, columns))
    assert degrees.min() < -20 and degrees.max() > 20
    assert degrees.abs().max() < 31


def test_scaling_moves_along_the_line_to_the_middle():
    rows, columns = places(augment(dots(20, 30), {"scale": 0.2}, [0]))
    assert rows.abs().max() < 0.1
    assert 8 < columns.min() < 9 and 11 < columns.max() < 12.1


def test_brightness_and_contrast_stay_within_their_share():
    faces = torch.full((64, 1, 8, 8), 0.5)
    faces[:, :, :4] = 0.4
    brighter = augment(faces, {"brightness": 0.2}, [0])
    more = brighter.mean((1, 2, 3)) - 0.45
    assert 0.15 < more.abs().max() <= 0.2001 and more.min() < 0 < more.max()
    torch.testing.assert_close(
        brighter[:, :, 4:] - brighter[:, :, :4], torch.full((64, 1, 4, 8), 0.1)
    )
    steps = augment(faces, {"contrast": 0.5}, [0])
    torch.testing.assert_close(steps.mean((1, 2, 3)), torch.full((64,), 0.45))
    factors = (steps[:, 0, 7, 0] - steps[:, 0, 0, 0]) / 0.1
    assert 0.5 <= factors.min() < 0.6 and 1.4 < factors.max() <= 1.5001


def test_half_of_the_faces_lose_a_rectangle_up_to_its_share(faces):
    changed = augment(faces, {"erase": 0.25}, [0])
    gone = (changed != faces).any(1)
    share = gone.float().mean((1, 2))
    assert 16 < (share > 0).sum() < 48
    assert 0.1 < share.max() < 0.25 + 0.1  # whole pixels
    for face in torch.nonzero(share > 0).flatten():
        rows, columns = gone[face].any(1).sum(), gone[face].any(0).sum()
        assert gone[face].sum() == rows * columns
        filled = changed[face][:, gone[face]]
        torch.testing.assert_close(filled, faces[face].mean().expand_as(filled))


def test_gamma_keeps_black_and_white_and_the_order_of_greys():
    ramp = torch.linspace(0, 1, 100).view(1, 1, 10, 10).repeat(64, 1, 1, 1)
    changed = augment(ramp, {"gamma": 0.7}, [0]).flatten(1)
    assert (changed[:, 0] == 0).all() and (changed[:, -1] == 1).all()
    assert (changed.diff(dim=1) >= 0).all()
    power = changed[:, 50].log() / ramp[:, 0].flatten(1)[:, 50].log()
    assert 0.49 < power.min() < 0.6 and 1.7 < power.max() < 2.02


def test_light_falls_off_to_any_side():
    grey = torch.full((64, 1, 21, 21), 0.5)
    changed = augment(grey, {"light": 0.4}, [0])
    assert torch.allclose(changed[:, :, 10, 10], torch.tensor(0.5))
    for side in (changed[:, 0, 10, -1] - changed[:, 0, 10, 0], changed[:, 0, -1, 10]):
        assert side.std() > 0.05
    assert changed.max() <= 0.5 * 1.81 and changed.min() >= 0.5 * 0.19


def test_blur_lowers_what_is_fine_and_keeps_what_is_flat():
    faces = torch.rand(64, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    changed = augment(faces, {"blur": 1.0}, [0])
    kept = changed.std((1, 2, 3)) / faces.std((1, 2, 3))
    assert kept.min() < 0.5 and kept.max() > 0.9
    flat = torch.full((64, 1, 20, 20), 0.3)
    assert torch.allclose(augment(flat, {"blur": 1.0}, [0]), flat)
