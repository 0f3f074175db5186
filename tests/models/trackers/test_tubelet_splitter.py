import numpy as np
import pytest

from mmtube.models.trackers import TubeletSplitter
from mmtube.models.trackers.tubelet_splitter import parted_pairs
from mmtube.structures import Tube, TubeletLook, TubeletSplit

RED, BLUE = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])


def walk(track_id, frames, x, looks_like, jump_at=None):
    """A tubelet that goes right by a pixel a frame, and its look: a row in every frame."""
    frames = np.arange(*frames)
    left = np.asarray(x + frames, np.float64)
    if jump_at is not None:
        left[frames >= jump_at] += 12
    boxes = np.stack([left, np.full(len(frames), 50.0), left + 30, np.full(len(frames), 130.0)], axis=1)
    rows = np.stack([looks_like(frame) for frame in frames])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    tube = Tube(track_id, frames, frames / 25, boxes, embedding=rows[0])
    return tube, TubeletLook(frames, rows, np.ones(len(frames), bool))


def part(*films, **kwargs):
    return TubeletSplitter(**kwargs)([tube for tube, _ in films], {tube.track_id: look for tube, look in films})


def mixed(share):
    """A look between red and blue."""
    return (1 - share) * RED + share * BLUE


def test_a_tubelet_is_parted_where_its_box_jumps_to_another_person():
    tubes, looks, splits = part(walk(3, (0, 60), 0, lambda f: RED if f < 24 else BLUE, jump_at=24))
    assert splits == [TubeletSplit(3, 4, 24, 1.0, None)]
    assert [(tube.track_id, tube.frame_inds[0], tube.frame_inds[-1]) for tube in tubes] == [(3, 0, 23), (4, 24, 59)]
    assert tubes[1].tubelet_ids.tolist() == [4] * 36
    np.testing.assert_allclose(tubes[1].embedding, BLUE)
    assert looks[4].frame_inds.tolist() == list(range(24, 60))


def test_one_person_stays_whole():
    rng = np.random.default_rng(0)
    tubes, _, splits = part(walk(3, (0, 60), 0, lambda f: RED + 0.2 * rng.random(3)))
    assert len(tubes) == 1 and splits == []


def test_a_small_change_needs_a_tubelet_beside_it_that_explains_it():
    # The second part is a shade of red that is 0.2 away, less than max_distance.
    shade = mixed(0.43)
    one = walk(3, (0, 60), 0, lambda f: RED if f < 24 else shade, jump_at=24)
    assert 0.1 < 1 - float(shade @ RED) / np.linalg.norm(shade) < 0.5
    assert part(one)[2] == []
    beside = walk(5, (0, 60), 10, lambda f: shade if f < 24 else RED)
    splits = part(one, beside)[2]
    assert splits[0].frame_ind == 24 and splits[0].earlier_id == 3 and splits[0].partner_id == 5
    far = walk(5, (0, 60), 500, lambda f: shade if f < 24 else RED)
    assert [split.earlier_id for split in part(one, far)[2]] == []


def test_a_tubelet_that_ends_where_the_change_is_explains_it():
    shade = mixed(0.43)
    one = walk(3, (0, 60), 0, lambda f: RED if f < 24 else shade, jump_at=24)
    ended = walk(5, (0, 23), 12, lambda f: shade)
    assert part(one, ended)[2] == [TubeletSplit(3, 6, 24, pytest.approx(0.2, abs=0.05), 5)]


def test_short_switches_are_left_to_the_correction_of_runs():
    assert part(walk(3, (0, 60), 0, lambda f: BLUE if f < 6 else RED))[2] == []
    assert len(part(walk(3, (0, 60), 0, lambda f: BLUE if f < 7 else RED))[2]) == 1


def test_a_tubelet_of_three_people_is_parted_twice():
    green = np.array([0, 0, 1.0])
    tubes, _, splits = part(walk(1, (0, 90), 0, lambda f: (RED, BLUE, green)[f // 30]))
    assert [tube.frame_inds[0] for tube in sorted(tubes, key=lambda t: t.frame_inds[0])] == [0, 30, 60]
    pairs = parted_pairs(splits)
    begin = {tube.track_id: tube.frame_inds[0] for tube in tubes}
    assert [(begin[a], begin[b]) for a, b in pairs] == [(0, 30), (30, 60)]


def test_tubelets_of_another_time_are_not_looked_at(monkeypatch):
    """Else a long film takes time by the square of its tubelets."""
    one = walk(3, (0, 60), 0, lambda f: RED if f < 24 else mixed(0.43), jump_at=24)
    others = [walk(10 + number, (200 * number, 200 * number + 60), 12, lambda f: RED) for number in range(1, 30)]
    looked_at = []
    rows = Tube.rows
    monkeypatch.setattr(Tube, 'rows', lambda self, keep: looked_at.append(self.track_id) or rows(self, keep))
    assert part(one, *others)[2] == [] and set(looked_at) == {3}


def test_without_good_boxes_nothing_is_parted():
    tube, look = walk(3, (0, 60), 0, lambda f: RED if f < 24 else BLUE)
    weak = TubeletLook(look.frame_inds, look.rows, np.zeros(60, bool))
    assert TubeletSplitter()([tube], {3: weak})[2] == []
    assert TubeletSplitter()([tube], {})[0] == [tube]
    assert TubeletSplitter()([], {}) == ([], {}, [])


@pytest.mark.parametrize('bad', [{'min_distance': 0.6}, {'min_rows': 0}, {'near_frames': -1}, {'min_distance': -0.1}])
def test_limits_of_a_splitter_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError):
        TubeletSplitter(**bad)
