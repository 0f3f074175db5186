"""Boxes of people a little larger or smaller: by how much, whose, and what stays as it is."""

import random

import numpy as np
import pytest

from mmtube.datasets.transforms import DecodeWindow, JitterBoxes, PackSEALClip, SampleSEALClip
from mmtube.testing import make_film


def people(boxes, tubes=None, **more):
    boxes = np.array(boxes, np.float32)
    results = dict(gt_bboxes=boxes, proposals=boxes.copy(), proposals_are_gt=True, ori_shape=(400, 600), **more)
    if tubes is not None:
        results['tube_boxes'] = np.array(tubes, np.float32)
    return results


def moved(boxes, rounds=4000, **options):
    """Outward moves of x1, y1, x2, y2 as shares of the width or height: (rounds, 4) of one box."""
    random.seed(0)
    transform, box = JitterBoxes(**options), np.array(boxes[0], float)
    found = np.array([transform(people(boxes))['proposals'][0] for _ in range(rounds)])
    sides = np.tile(box[2:] - box[:2], 2)
    return (found - box) * [-1, -1, 1, 1] / sides


def test_edges_move_by_the_shares_of_alphaction():
    shares = moved([[200, 100, 300, 300]])
    # Outward up to 0.2 and inward up to 0.1 of the width; 0.1 and 0.05 of the height; all values as likely.
    np.testing.assert_allclose(shares.max(axis=0), [0.2, 0.1, 0.2, 0.1], atol=1e-3)
    np.testing.assert_allclose(shares.min(axis=0), [-0.1, -0.05, -0.1, -0.05], atol=1e-3)
    np.testing.assert_allclose(shares.mean(axis=0), [0.05, 0.025, 0.05, 0.025], atol=5e-3)
    assert np.abs(np.corrcoef(shares.T) - np.eye(4)).max() < 0.05, 'edges move each on its own'


def test_shares_are_options():
    shares = moved([[200, 100, 300, 300]], 500, horizontal=(0, 0.3), vertical=(0.4, 0))
    assert shares[:, ::2].max() <= 0 and -0.3 - 1e-6 <= shares[:, ::2].min() < -0.29
    assert shares[:, 1::2].min() >= 0 and 0.39 < shares[:, 1::2].max() <= 0.4 + 1e-6


def test_boxes_are_cut_at_the_frame():
    random.seed(0)
    for _ in range(50):
        box = JitterBoxes()(people([[0, 0, 600, 400]]))['proposals'][0]
        assert box.min() >= 0 and box[2] <= 600 and box[3] <= 400


def test_boxes_of_a_person_over_time_move_alike_and_those_of_another_person_do_not():
    random.seed(0)
    key = [[100, 100, 200, 200], [300, 100, 400, 200]]
    tubes = [[[100, 100, 200, 200], [150, 100, 200, 200]], [[300, 100, 400, 200], [0, 0, 0, 0]]]
    found = JitterBoxes()(people(key, tubes))
    move = found['proposals'] - key
    np.testing.assert_allclose(found['tube_boxes'][:, 0], found['proposals'])
    np.testing.assert_allclose((found['tube_boxes'][0, 1] - tubes[0][1]), move[0] * [0.5, 1, 0.5, 1], rtol=1e-4)
    assert found['tube_boxes'][1, 1].tolist() == [0, 0, 0, 0], 'no box stays no box'
    assert np.abs(move[0] - move[1]).min() > 0
    assert found['proposals'].dtype == found['tube_boxes'].dtype == np.float32


def test_boxes_with_labels_and_those_of_a_detector_stay():
    boxes = [[100.0, 100, 200, 200]]
    tubes = [[[100.0, 100, 200, 200]]]
    found = JitterBoxes()(people(boxes, tubes))
    assert found['gt_bboxes'].tolist() == boxes and found['gt_tube_boxes'].tolist() == tubes
    assert found['proposals'].tolist() != boxes and found['tube_boxes'].tolist() != tubes
    detected = JitterBoxes()({**people(boxes, tubes), 'proposals_are_gt': False})
    assert detected['proposals'].tolist() == boxes and 'gt_tube_boxes' not in detected


def test_nobody_is_normal():
    found = JitterBoxes()(people(np.zeros((0, 4)), np.zeros((0, 8, 4))))
    assert found['proposals'].shape == (0, 4) and found['tube_boxes'].shape == (0, 8, 4)


def test_what_is_packed_has_the_truth_as_drawn_beside_the_moved_boxes(tmp_path):
    film = make_film(tmp_path / 'v.mp4', 50)
    box, tubes = [[10, 8, 20, 40]], [[[10, 8, 20, 40], [12, 8, 22, 40]]]
    more = dict(key_s=1.0, clip_start_s=0.0, clip_end_s=2.0, duration_s=2.0, film=str(film), img_key='v,0001')
    more.update(gt_labels=np.ones((1, 3), bool), person_ids=np.array([4]), tube_valid=np.ones((1, 2), bool))
    results = {**people(box, tubes, **more), 'ori_shape': (48, 64)}
    random.seed(0)
    for step in (JitterBoxes(), SampleSEALClip(4, 2), DecodeWindow(short_side=24)):
        results = step(results)
    with pytest.raises(ValueError, match='before DecodeWindow'):
        JitterBoxes()(results)
    results['imgs'] = np.stack(results['imgs'])
    sample = PackSEALClip()(results)['data_samples']
    assert sample.gt_instances.bboxes.tolist() == [[5, 4, 10, 20]]
    assert sample.gt_instances.tube_boxes.tolist() == [[[5, 4, 10, 20], [6, 4, 11, 20]]]
    assert sample.gt_instances.tube_valid.tolist() == sample.proposals.tube_valid.tolist() == [[True, True]]
    assert (sample.proposals.bboxes != sample.gt_instances.bboxes).all()
    move = sample.proposals.tube_boxes - sample.gt_instances.tube_boxes
    np.testing.assert_allclose(move[0, 0], move[0, 1], atol=1e-4)
    np.testing.assert_allclose(move[0, 0], (sample.proposals.bboxes - sample.gt_instances.bboxes)[0], atol=1e-4)


@pytest.mark.parametrize('options', [dict(horizontal=(0.2, 0.5)), dict(vertical=(-0.1, 0)), dict(horizontal=(0.1,))])
def test_shares_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match='shares must be'):
        JitterBoxes(**options)
