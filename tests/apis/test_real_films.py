"""The main job on real films: every person one tube, and nothing else."""

import csv
from pathlib import Path

import numpy as np
import pytest

from mmtube.apis import TubeInferencer
from mmtube.ops.boxes import box_iou

LABELS = Path(__file__).parents[1] / 'labels' / 'basketball_two_people.csv'


@pytest.fixture(scope='module')
def inferencer():
    return TubeInferencer()


def read_labels():
    """Hand-typed boxes: {player: {frame: xyxy}}."""
    labels = {}
    with LABELS.open() as file:
        for row in csv.DictReader(line for line in file if not line.startswith('#')):
            box = [float(row[key]) for key in ('x1', 'y1', 'x2', 'y2')]
            labels.setdefault(row['player'], {})[int(row['frame'])] = box
    return labels


def id_at(tubes, frame, box):
    """The tube that covers a hand-typed box best, by IoU >= 0.5; None where none does."""
    found = []
    for tube in tubes:
        rows = np.flatnonzero(tube.frame_inds == frame)
        found += [(box_iou(np.array([box]), tube.boxes_px[rows])[0, 0], tube.track_id) for _ in rows]
    iou, track_id = max(found, default=(0, None))
    return track_id if iou >= 0.5 else None


@pytest.mark.slow
def test_basketball_two_players_are_the_two_longest_tubes_and_nothing_is_furniture(inferencer, shared_data):
    result = inferencer(shared_data / 'videos' / 'basketball_two_people.mp4')
    assert result.video.num_frames == 300
    assert result.shots == [(0, 300)]  # the camera pans and zooms, but does not cut
    labels = read_labels()
    assert sum(map(len, labels.values())) == 38
    longest = sorted(result.tubes, key=len)[-2:]
    main = {}
    for player, boxes in labels.items():
        ids = [id_at(result.tubes, frame, box) for frame, box in boxes.items()]
        main[player] = max(set(ids) - {None}, key=ids.count)
        print(f'{player}: ID {main[player]} covers {ids.count(main[player])} of {len(boxes)} hand-labelled frames')
        assert ids.count(main[player]) >= 0.85 * len(boxes), (player, dict(zip(boxes, ids)))
    assert set(main.values()) == {tube.track_id for tube in longest}
    print('tubes:', [(t.track_id, len(t), round(t.duration_s, 1), round(t.mean_score, 2)) for t in result.tubes])
    # Whatever else lasts longer than a second must be a person: in every labelled frame it covers one of the two.
    for tube in result.tubes:
        if tube.track_id in main.values() or tube.duration_s <= 1:
            continue
        near = [id_at([tube], frame, box) for boxes in labels.values() for frame, box in boxes.items()]
        assert any(near), f'tube {tube.track_id} from {tube.start_s:.1f} to {tube.end_s:.1f} s covers no person'


@pytest.mark.slow
def test_hug_two_men_are_two_tubes_all_the_way(inferencer, shared_data):
    result = inferencer(shared_data / 'videos' / 'hug_two_people_1080p.mp4')
    assert [len(tube) for tube in result.tubes] == [72, 72]
    assert result.video.num_frames == 72
    left, right = sorted(result.tubes, key=lambda tube: tube.boxes_px[0, 0])
    # The man on the left stays on the left, the hug included, so a swap of IDs would show.
    assert (left.boxes_px[:, 0] < right.boxes_px[:, 0]).all()
    assert (left.boxes_px[:, 2] < right.boxes_px[:, 2]).all()
