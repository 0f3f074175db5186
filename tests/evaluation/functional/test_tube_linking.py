import numpy as np
import pytest

from mmtube.evaluation.functional.tube_linking import link_boxes
from mmtube.evaluation.tables import BoxTable

SHORT = dict(min_frames=1)


def boxes_of(rows, videos=('a', 'b')):
    """Table of (video, frame, label, score, x1, y1, x2, y2)."""
    rows = np.asarray(rows, float).reshape(-1, 8)
    video, frame, label = (rows[:, column].astype(np.int64) for column in (0, 1, 2))
    return BoxTable(list(videos), video, label, rows[:, 3].copy(), 'boxes', frames=frame, boxes=rows[:, 4:].copy())


def person(first, last, score, x=0, video=0, label=0, size=10):
    return [(video, frame, label, score, x, 0, x + size, size) for frame in range(first, last + 1)]


def tubes_of(table):
    """(video, label, first, last, x1 of the first box, score rounded), sorted."""
    begin, end = table.offsets[:-1], table.offsets[1:] - 1
    columns = (table.video, table.labels, table.frames[begin], table.frames[end], table.boxes_px[begin, 0])
    return sorted(zip(*(column.tolist() for column in columns), table.scores.round(4).tolist()))


def test_two_people_are_two_tubes_with_their_mean_scores():
    scores = [0.2, 0.4]
    rows = person(1, 20, 0.9) + [(0, frame, 0, scores[frame % 2], 50, 0, 60, 10) for frame in range(3, 23)]
    assert tubes_of(link_boxes(boxes_of(rows))) == [(0, 0, 1, 20, 0, 0.9), (0, 0, 3, 22, 50, 0.3)]


def test_videos_and_classes_are_joined_apart():
    rows = person(1, 2, 0.9) + person(3, 4, 0.9, label=1) + person(5, 6, 0.9, video=1)
    found = [tube[:4] for tube in tubes_of(link_boxes(boxes_of(rows), **SHORT))]
    assert found == [(0, 0, 1, 2), (0, 1, 3, 4), (1, 0, 5, 6)]
    found = [
        tube[:4] for tube in tubes_of(link_boxes(boxes_of(person(0, 2, 0.9) + person(0, 2, 0.9, label=1)), **SHORT))
    ]
    assert found == [(0, 0, 0, 2), (0, 1, 0, 2)]


def test_a_tube_ends_where_its_box_is_missing_for_one_frame():
    found = [tube[2:4] for tube in tubes_of(link_boxes(boxes_of(person(1, 20, 0.9) + person(22, 40, 0.9))))]
    assert found == [(1, 20), (22, 40)]


def test_short_and_unlikely_tubes_are_dropped():
    rows = person(1, 14, 0.9) + person(1, 15, 0.004, x=50) + person(1, 15, 0.005, x=100)
    assert [tube[4] for tube in tubes_of(link_boxes(boxes_of(rows)))] == [100]
    assert [tube[4] for tube in tubes_of(link_boxes(boxes_of(rows), min_frames=14, min_score=0.0))] == [0, 50, 100]


def test_a_box_goes_on_with_an_overlap_of_a_half_and_not_below():
    # 10 wide, moved by 10 / 3: 6.67 / 13.33 = 0.5; moved by 4: 6 / 14.
    rows = [(0, 1, 0, 0.9, 0, 0, 12, 10), (0, 2, 0, 0.9, 4, 0, 16, 10), (0, 3, 0, 0.9, 8.5, 0, 20.5, 10)]
    assert [tube[2:4] for tube in tubes_of(link_boxes(boxes_of(rows), **SHORT))] == [(1, 2), (3, 3)]


def test_the_tube_with_the_higher_mean_score_chooses_first_and_takes_the_more_confident_box():
    # Both tubes reach both boxes of frame 2; boxes overlap by less than the 0.6 of the thinning out.
    rows = [(0, 1, 0, 0.6, 0, 0, 20, 10), (0, 1, 0, 0.9, 6, 0, 26, 10)]
    rows += [(0, 2, 0, 0.5, 6, 0, 26, 10), (0, 2, 0, 0.8, 0, 0, 20, 10)]
    assert tubes_of(link_boxes(boxes_of(rows), nms_iou=0.9, **SHORT)) == [
        (0, 0, 1, 2, 0, 0.55),
        (0, 0, 1, 2, 6, 0.85),
    ]


def test_overlapping_boxes_lose_score_or_are_dropped():
    # Inclusive pixels: 10 x 10 and 10 x 8 of them, IoU 0.8.
    rows = [(0, 1, 0, 0.9, 0, 0, 9, 9), (0, 1, 0, 0.5, 0, 0, 9, 7)]
    assert [tube[5] for tube in tubes_of(link_boxes(boxes_of(rows), **SHORT))] == [0.1, 0.9]
    assert [tube[5] for tube in tubes_of(link_boxes(boxes_of(rows), nms='hard', **SHORT))] == [0.9]
    assert [tube[5] for tube in tubes_of(link_boxes(boxes_of(rows), nms_iou=0.8, **SHORT))] == [0.5, 0.9]


def test_a_suppressed_box_suppresses_nothing():
    # In a row, each overlaps its neighbour only: the third stays.
    rows = [(0, 1, 0, score, x, 0, x + 99, 9) for score, x in ((0.9, 0), (0.8, 20), (0.7, 40))]
    found = tubes_of(link_boxes(boxes_of(rows), nms='hard', **SHORT))
    assert [tube[4] for tube in found] == [0, 40]


def test_only_the_best_boxes_of_a_frame_are_kept():
    rows = [(0, 1, 0, 0.1 + x / 1000, x, 0, x + 5, 5) for x in range(0, 240, 20)]
    assert [tube[4] for tube in tubes_of(link_boxes(boxes_of(rows), **SHORT))] == list(range(40, 240, 20))
    assert len(link_boxes(boxes_of(rows), keep=3, **SHORT)) == 3


def test_nothing_gives_nothing():
    assert len(link_boxes(boxes_of([]))) == 0


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match='soft'):
        link_boxes(boxes_of([]), nms='soft')
    with pytest.raises(ValueError, match='yowo'):
        link_boxes(boxes_of([]), compat='yowo')


def crowd(rng, num_people=5, frames=30):
    rows = []
    for _ in range(num_people):
        video, label, first = int(rng.integers(2)), int(rng.integers(2)), int(rng.integers(1, 10))
        x, y = rng.random(2) * 40
        for frame in range(first, first + int(rng.integers(5, frames))):
            x, y = np.add((x, y), rng.normal(0, 2, 2))
            if rng.random() < 0.95:
                rows.append((video, frame, label, rng.random(), x, y, x + 30 + rng.random(), y + 40))
            if rng.random() < 0.3:
                rows.append((video, frame, label, rng.random(), x + 5, y + 3, x + 34, y + 44))
    return rows


@pytest.mark.parametrize('seed', range(8))
def test_the_order_of_the_rows_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    rows = [(*row[:3], round(row[3], 1), *row[4:]) for row in crowd(rng)]  # many ties
    first = tubes_of(link_boxes(boxes_of(rows), min_frames=3))
    assert len(first) > 2
    for _ in range(3):
        assert tubes_of(link_boxes(boxes_of([rows[i] for i in rng.permutation(len(rows))]), min_frames=3)) == first


def mmaction_tubes(rows, min_frames, repaired, monkeypatch):
    upstream = pytest.importorskip('mmaction.evaluation.functional.multisports_utils')
    if repaired:

        def each_with_its_own_score(self):
            self.vid_det = {}
            for video, frame, label, score, *box in self.frm_alldets:
                frames = self.vid_det.setdefault(
                    self.video_list[int(video)],
                    {n: {c: np.empty((0, 5)) for c in range(2)} for n in range(1, 100)},
                )
                frames[int(frame)][int(label)] = np.vstack([frames[int(frame)][int(label)], [*box, score]])
            return self.vid_det

        monkeypatch.setattr(upstream.Dataset, 'get_vid_dets', each_with_its_own_score)
    facts = {'test_videos': [['a', 'b']], 'nframes': {'a': 90, 'b': 90}, 'labels': ['p', 'q']}
    tubes = upstream.link_tubes(facts, np.array(rows), len_thre=min_frames)
    return sorted(
        ('ab'.index(video), label, tube[0, 0], tube[-1, 0], round(float(tube[0, 1]), 3), round(float(score), 4))
        for label, found in tubes.items()
        for video, score, tube in found
    )


@pytest.mark.parametrize('seed', range(12))
@pytest.mark.parametrize('repaired', [True, False])
def test_it_joins_as_mmaction_does_with_its_slip_repaired_or_repeated(seed, repaired, monkeypatch):
    rows = crowd(np.random.default_rng(50 + seed), num_people=8)
    found = link_boxes(boxes_of(rows), min_frames=4, compat=None if repaired else 'mmaction2')
    ours = sorted((*tube[:4], round(tube[4], 3), tube[5]) for tube in tubes_of(found))
    theirs = mmaction_tubes(rows, 4, repaired, monkeypatch)
    assert len(theirs) > 3
    assert [tube[:4] for tube in ours] == [tube[:4] for tube in theirs]
    np.testing.assert_allclose([tube[4:] for tube in ours], [tube[4:] for tube in theirs], atol=2e-3)


@pytest.mark.parametrize(
    'option', [{'nms_iou': 2.0}, {'min_iou': np.nan}, {'min_score': np.nan}, {'keep': 0}, {'min_frames': -1}]
)
def test_options_with_which_nothing_could_be_linked_are_refused(option):
    none = np.zeros(0, np.int64)
    with pytest.raises(ValueError, match=f'got .*{next(iter(option))}'):
        link_boxes(BoxTable([], none, none, np.zeros(0)), **option)
