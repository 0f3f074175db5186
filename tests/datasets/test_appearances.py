"""Tubelets cut into appearances: holes, cuts, boxes that cannot be used."""

import numpy as np
import pytest

from mmtube.datasets.appearances import evenly_spaced, find_appearances
from mmtube.structures.seal import BoxTable, SEALAnnotations, TubeletRecord, VideoRecord


def annotations(tracks, shots=((0, 1000),)):
    """People of one film: ``{tid: (person, frames, boxes)}``, boxes one for all or one each."""
    videos = {'a': VideoRecord('mini', 320, 240, 25.0, 1000, 40.0, 'test', shots)}
    tubelets, boxes = {}, {}
    for tid, (person, frames, box) in tracks.items():
        tubelets[tid] = TubeletRecord('a', person, (min(frames), max(frames) + 1), tid)
        rows = np.broadcast_to(np.asarray(box, np.float32), (len(frames), 4))
        boxes[tid] = (frames, rows, np.ones(len(frames)), np.zeros(len(frames)))
    return SEALAnnotations(videos, tubelets, boxes=BoxTable.from_tracks(boxes))


BOX = [10, 10, 50, 110]
AWAY = [200, 10, 240, 110]


def spans(found):
    return [(item.person_id, item.number, item.frame_inds.tolist()) for item in found]


def test_an_appearance_ends_where_the_person_is_not_seen():
    frames = [*range(5), *range(8, 12)]
    assert spans(find_appearances(annotations({'t': (7, frames, BOX)}))) == [(7, 1, frames[:5]), (7, 2, frames[5:])]


def test_an_appearance_ends_at_a_cut():
    found = find_appearances(annotations({'t': (0, range(10), BOX)}, shots=((0, 4), (4, 10))))
    assert spans(found) == [(0, 1, [0, 1, 2, 3]), (0, 2, [4, 5, 6, 7, 8, 9])]


def test_sparse_annotation_has_holes_unless_the_gap_is_allowed():
    frames = range(0, 40, 5)
    assert find_appearances(annotations({'t': (0, frames, BOX)})) == []
    assert spans(find_appearances(annotations({'t': (0, frames, BOX)}), max_gap=5)) == [(0, 1, list(frames))]


def test_tubelets_of_one_person_are_one_and_a_person_is_numbered_for_itself():
    tracks = {'a': (1, range(20, 26), BOX), 'b': (1, range(20), BOX), 'c': (0, range(30, 34), AWAY)}
    found = find_appearances(annotations(tracks))
    assert spans(found) == [(0, 1, [30, 31, 32, 33]), (1, 1, list(range(26)))]


def test_low_boxes_are_not_used_but_do_not_end_an_appearance():
    boxes = [BOX] * 4 + [[10, 10, 50, 30]] * 3 + [BOX] * 4
    assert spans(find_appearances(annotations({'t': (0, range(11), boxes)}))) == [(0, 1, [0, 1, 2, 3, 7, 8, 9, 10])]


def test_a_box_that_another_person_covers_too_much_is_not_used():
    # The other stands over 60 % of the small box, which is 6 % of its own.
    tracks = {'small': (0, range(8), [0, 0, 20, 50]), 'large': (1, range(4), [8, 0, 108, 100])}
    assert spans(find_appearances(annotations(tracks))) == [(0, 1, [4, 5, 6, 7]), (1, 1, [0, 1, 2, 3])]
    everything = find_appearances(annotations(tracks), max_hidden=0.6)
    assert spans(everything)[0] == (0, 1, list(range(8)))


def test_boxes_that_are_no_numbers_or_have_no_width_are_left_out():
    boxes = [BOX, [np.nan, 0, 5, 100], BOX, BOX, [10, 10, 10, 110], BOX]
    found = find_appearances(annotations({'t': (0, range(6), boxes)}), max_gap=2)
    assert spans(found) == [(0, 1, [0, 2, 3, 5])]


def test_short_appearances_are_dropped_before_they_are_numbered():
    frames = [*range(3), *range(10, 14)]
    assert spans(find_appearances(annotations({'t': (0, frames, BOX)}))) == [(0, 1, [10, 11, 12, 13])]


def test_a_person_with_one_box_is_an_appearance_of_one_image_where_that_is_allowed():
    assert spans(find_appearances(annotations({'t': (3, [5], BOX)}), min_images=1)) == [(3, 1, [5])]


def test_long_appearances_keep_evenly_spaced_boxes():
    (item,) = find_appearances(annotations({'t': (0, range(101), BOX)}), max_images=5)
    assert item.frame_inds.tolist() == [0, 25, 50, 75, 100] and item.boxes_px.shape == (5, 4)


@pytest.mark.parametrize('count, most', [(1, 1), (7, 7), (8, 7), (1000, 32), (9, 1)])
def test_evenly_spaced_indices_rise_and_reach_both_ends(count, most):
    chosen = evenly_spaced(count, most)
    assert len(chosen) == min(count, most) and (np.diff(chosen) > 0).all()
    assert chosen[0] == 0 and (most == 1 or chosen[-1] == count - 1)


def test_a_film_without_people_has_no_appearance():
    assert find_appearances(annotations({})) == []


def test_options_out_of_range_are_refused():
    for wrong in (dict(max_gap=0), dict(max_hidden=2), dict(min_images=9, max_images=8), dict(min_images=0)):
        with pytest.raises(ValueError, match='must be positive'):
            find_appearances(annotations({}), **wrong)
