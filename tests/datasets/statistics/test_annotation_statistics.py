"""Every statistic against a literal count on small random sets, and on cases that can be counted by hand."""

import json
import math
from itertools import combinations

import numpy as np
import pytest

from mmtube.datasets.clip_index import clip_index
from mmtube.datasets.quality import Columns
from mmtube.datasets.statistics import annotation_statistics, class_names, merge_annotations, table_text
from mmtube.datasets.statistics import geometry as geometry_module
from mmtube.datasets.statistics.geometry import box_sizes, center_offsets
from mmtube.datasets.statistics.synergy import (
    different_people_pairs,
    group_coverage,
    ranked_pairs,
    same_person_pairs,
)
from mmtube.datasets.statistics.tables import clips_row, label_lengths, per_tube, tubes_row, zipf_fit
from mmtube.errors import InputError
from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
)

CLASSES = 6
GROUPS = ['pose', 'pose', 'pose', 'pp', 'po', 'po']
NAN = float('nan')


def random_set(seed, num_videos=4, num_tubelets=12):
    """Films of 6 to 9 s at 10 or 25 fps with tubelets that have holes, some with a box that is not finite."""
    rng = np.random.default_rng(seed)
    videos = {}
    for number in range(num_videos):
        fps = float(rng.choice([10, 25]))
        num_frames = int(rng.integers(6, 10) * fps)
        width, height = rng.integers(100, 400, 2)
        videos[f'v{number}'] = VideoRecord('web', int(width), int(height), fps, num_frames, num_frames / fps, 'train')
    tubelets, tracks, rows = {}, {}, ([], [])
    for number in range(num_tubelets):
        vid = f'v{rng.integers(num_videos)}'
        video = videos[vid]
        frames = np.flatnonzero(rng.random(video.num_frames) < rng.choice([0.2, 0.95]))
        frames = frames[(frames < 20) | (frames > rng.integers(20, 60))]
        corner = rng.random((len(frames), 2)) * [video.width / 2, video.height / 2]
        boxes = np.concatenate(
            [corner, corner + rng.random((len(frames), 2)) * [video.width / 2, video.height]], axis=1
        )
        if number % 5 == 0 and len(boxes):
            boxes[rng.integers(len(boxes)), 2] = NAN
        tid = f't{number}'
        span = (int(frames[0]), int(frames[-1]) + 1) if len(frames) else (0, 1)
        tubelets[tid] = TubeletRecord(vid, int(rng.integers(3)), span, tid)
        tracks[tid] = (frames, boxes, np.ones(len(frames)), np.zeros(len(frames)))
        for table in rows:
            for _ in range(rng.integers(0, 5)):
                start, end = np.sort(rng.integers(0, video.num_frames, 2)) / video.fps
                label = int(rng.integers(CLASSES))
                table.append((tid, label, GROUPS[label] if table is rows[0] else '', float(start), float(end) + 0.1))
    return SEALAnnotations(videos, tubelets, *map(InstanceTable.from_rows, rows), BoxTable.from_tracks(tracks))


def people_of(index):
    """Literal form of the clips: for each clip, (person, labels) of those with a box at the key time."""
    clips = []
    for clip in range(len(index)):
        rows = range(index.row_offsets[clip], index.row_offsets[clip + 1])
        clips.append(
            [
                (index.person_ids[row], index.labels[index.label_offsets[row] : index.label_offsets[row + 1]].tolist())
                for row in rows
                if index.key_valid[row]
            ]
        )
    return clips


@pytest.mark.parametrize('seed', range(5))
def test_pairs_and_coverage_agree_with_a_literal_count(seed):
    index = clip_index(random_set(seed), num_classes=CLASSES)
    same, others = np.zeros((2, CLASSES, CLASSES), int)
    boxes, covered = 0, dict.fromkeys(['pose', 'pp', 'po', 'none'], 0)
    for people in people_of(index):
        pairs = set()
        for _, labels in people:
            boxes += 1
            for a, b in combinations(labels, 2):
                same[a, b] += 1
            for group in set(covered) - {'none'}:
                covered[group] += any(GROUPS[label] == group for label in labels)
            covered['none'] += not labels
        for (person, labels), (other, other_labels) in combinations(people, 2):
            pairs |= {tuple(sorted((a, b))) for a in labels for b in other_labels if a != b and person != other}
        for a, b in pairs:
            others[a, b] += 1
    assert same.sum() > 3 and others.sum() > 3
    assert (same_person_pairs(index) == same).all()
    assert (different_people_pairs(index) == others).all()
    assert group_coverage(index, GROUPS) == pytest.approx({group: n / boxes for group, n in covered.items()})


def literal_offsets(annotations, window_s=1.0):
    result = []
    for key in annotations.boxes:
        track = annotations.boxes[key]
        fps = annotations.videos[annotations.tubelets[key].vid].fps
        centers = [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in track.boxes_px.astype(float)]
        for frame, center in zip(track.frame_inds, centers):
            near = [c for f, c in zip(track.frame_inds, centers) if abs(int(f) - int(frame)) <= window_s * fps / 2]
            near = [c for c in near if np.isfinite(c).all()]
            far = max((math.dist(a, b) for a, b in combinations(near, 2)), default=0.0)
            result.append(far if np.isfinite(center).all() else NAN)
    return np.array(result)


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('block', [7, 1 << 15])
def test_how_far_people_move_agrees_with_a_literal_count(seed, block, monkeypatch):
    monkeypatch.setattr(geometry_module, 'BLOCK', block)
    annotations = random_set(seed)
    found, expected = center_offsets(Columns(annotations)), literal_offsets(annotations)
    assert np.isnan(expected).sum() > 0 and (expected > 50).any()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_a_person_who_walks_4_pixels_a_frame_moves_96_in_a_second_and_half_of_it_at_the_ends():
    frames = np.arange(50)
    boxes = np.stack([4 * frames, 0 * frames, 4 * frames + 10, 0 * frames + 20], axis=1)
    track = {'t': (frames, boxes, np.ones(50), np.zeros(50))}
    annotations = SEALAnnotations(
        {'v': VideoRecord('web', 300, 400, 25.0, 50, 2.0, 'train')},
        {'t': TubeletRecord('v', 0, (0, 50), 't')},
        boxes=BoxTable.from_tracks(track),
    )
    offsets = center_offsets(Columns(annotations))
    assert offsets[[0, 12, 30, 49]].tolist() == [48, 96, 96, 48]
    statistics = annotation_statistics(annotations)
    assert statistics.moved() == {
        'over_50_px': pytest.approx(48 / 50),
        'median_px': 96,
        'median_share': pytest.approx(96 / 500),
    }


def test_boxes_are_measured_beside_their_frame(monkeypatch):
    boxes = [[0, 0, 50, 100], [0, 0, 50, 95], [10, 10, 30, 60], [0, 0, NAN, 10], [-50, 0, 100, 100]]
    annotations = SEALAnnotations(
        {'v': VideoRecord('web', 100, 100, 25.0, 50, 2.0, 'train')},
        {'t': TubeletRecord('v', 0, (0, 5), 't')},
        boxes=BoxTable.from_tracks({'t': (range(5), boxes, np.ones(5), np.zeros(5))}),
    )
    counts, told = box_sizes(Columns(annotations), bins=10)
    assert counts.sum() == 4, 'the one that is not finite is left out'
    assert counts[9, 5] == 2 and counts[5, 2] == 1 and counts[9, 9] == 1
    assert told == {
        'mean_width': pytest.approx((0.5 + 0.5 + 0.2 + 1.5) / 4),
        'mean_height': pytest.approx((1 + 0.95 + 0.5 + 1) / 4),
        'full_height': 0.75,
    }


def two_films():
    """A hand-worked set: films of 10 and 20 s; three tubelets, the third without instances."""
    videos = {
        'a': VideoRecord('web', 100, 100, 10.0, 100, 10.0, 'train'),
        'b': VideoRecord('web', 100, 100, 10.0, 200, 20.0, 'train'),
    }
    tubelets = {
        't1': TubeletRecord('a', 0, (0, 100), 't1'),
        't2': TubeletRecord('b', 0, (0, 100), 't2'),
        't3': TubeletRecord('b', 1, (0, 50), 't3'),
    }
    aa = [
        ('t1', 0, 'pose', 0.0, 2.0),
        ('t1', 0, 'pose', 4.0, 8.0),
        ('t1', 4, 'po', 1.0, 1.5),  # too short to count
        ('t2', 4, 'po', 2.0, 3.0),
    ]
    ca = [('t1', 1, '', 0.0, 3.0), ('t1', 1, '', 2.0, 6.0), ('t1', 2, '', 7.0, 8.0)]
    tracks = {
        tid: (
            range(*record.frame_range),
            [[0, 0, 10, 20]] * record.frame_range[1],
            *np.zeros((2, record.frame_range[1])),
        )
        for tid, record in tubelets.items()
    }
    return SEALAnnotations(
        videos, tubelets, InstanceTable.from_rows(aa), InstanceTable.from_rows(ca), BoxTable.from_tracks(tracks)
    )


def test_rows_of_table_1_by_hand():
    annotations = two_films()
    assert tubes_row(annotations, 'atomic') == {
        'videos': 2,
        'tubes': 2,
        'all_tubes': 3,
        'classes': 2,
        'instances': 3,
        'mean_instance_s': pytest.approx((2 + 4 + 1) / 3),
        'mean_video_s': pytest.approx((7 + 10) / 2),  # t1 is 7 s within activities, t2 has none and lasts 10 s
    }
    assert tubes_row(annotations, 'complex') == {
        'videos': 1,
        'tubes': 1,
        'all_tubes': 3,
        'classes': 2,
        'instances': 3,
        'mean_instance_s': pytest.approx((3 + 4 + 1) / 3),
        'mean_video_s': 10.0,
    }
    index = clip_index(annotations, num_classes=CLASSES)
    row = clips_row(annotations, index)
    # 9 windows of 2 s in film a and 19 in film b; t1 is in 9, t2 in those with key times 1 to 10 s, t3 in 1 to 5 s.
    assert (row['videos'], row['windows'], row['boxes']) == (2, 28, 250)
    assert (row['clips'], row['person_clips']) == (9 + 10, 9 + 10 + 5)
    assert row['labels'] == len(index.labels) > 0 and row['classes'] == 2


def test_lengths_and_numbers_by_hand():
    annotations = two_films()
    mean_s, counts = label_lengths(annotations.aa, CLASSES, min_s=0.6)
    np.testing.assert_array_equal(mean_s, [3, NAN, NAN, NAN, 1, NAN])
    assert counts.tolist() == [2, 0, 0, 0, 1, 0]
    assert per_tube(annotations, 'atomic', 0.6).tolist() == [2, 1, 0]
    assert per_tube(annotations, 'complex').tolist() == [3, 0, 0]


@pytest.mark.parametrize('seed', range(3))
def test_lengths_and_numbers_agree_with_a_literal_count(seed):
    annotations = random_set(seed)
    table = annotations.aa
    mean_s, counts = label_lengths(table, CLASSES, 0.6)
    for label in range(CLASSES):
        lengths = [e - s for c, s, e in zip(table.labels, table.start_s, table.end_s) if c == label and e - s > 0.6]
        assert counts[label] == len(lengths)
        assert mean_s[label] == pytest.approx(np.mean(lengths) if lengths else NAN, nan_ok=True)
    tubes = per_tube(annotations, 'atomic', 0.6)
    for number, tid in enumerate(annotations.tubelets):
        assert tubes[number] == sum(t == tid and e - s > 0.6 for t, s, e in zip(table.tids, table.start_s, table.end_s))


def test_zipf_by_hand():
    law = zipf_fit(np.array([10, 0, 1000, 100]) * 1)
    x, y = np.log10([1, 2, 3]), np.array([3.0, 2, 1])
    slope, intercept = np.polyfit(x, y, 1)
    assert law['slope'] == pytest.approx(slope) and law['intercept'] == pytest.approx(intercept)
    assert law['r2'] == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)
    exact = zipf_fit(np.array([1000, 500, 250, 125, 1000 / 3, 200]))
    assert exact['slope'] == pytest.approx(-1.0, abs=0.2)
    assert zipf_fit(1000 / np.arange(1, 50) ** 2)['slope'] == pytest.approx(-2)
    assert zipf_fit(1000 / np.arange(1, 50) ** 2)['r2'] == pytest.approx(1)
    assert np.isnan(zipf_fit(np.array([5, 0]))['slope'])
    assert zipf_fit(np.array([5, 5]))['r2'] == 1


def test_pairs_are_ranked_by_count_then_by_class():
    pairs = np.zeros((4, 4), int)
    pairs[0, 3], pairs[1, 2], pairs[0, 1] = 5, 5, 9
    assert ranked_pairs(pairs) == [(0, 1, 9), (0, 3, 5), (1, 2, 5)]
    assert ranked_pairs(pairs, top=1) == [(0, 1, 9)]


def test_files_are_counted_as_one_set():
    parts = [random_set(1), random_set(2)]
    for number, part in enumerate(parts):
        part.videos = {f'{number}{vid}': video for vid, video in part.videos.items()}
        part.tubelets = {
            tid: TubeletRecord(f'{number}{record.vid}', record.person_id, record.frame_range, record.box_key)
            for tid, record in part.tubelets.items()
        }
    both = merge_annotations(parts)
    assert len(both.boxes) == sum(len(part.boxes) for part in parts)
    for number, part in enumerate(parts):
        for tid in part.tubelets:
            np.testing.assert_array_equal(both.track(f'{number}:{tid}').boxes_px, part.track(tid).boxes_px)
    first, second, joined = (same_person_pairs(clip_index(item, num_classes=CLASSES)) for item in (*parts, both))
    assert (first + second == joined).all()
    moved = [center_offsets(Columns(item)) for item in (*parts, both)]
    np.testing.assert_array_equal(np.concatenate(moved[:2]), moved[2])
    with pytest.raises(InputError, match='is in another of the files too'):
        merge_annotations([parts[0], parts[0]])
    assert merge_annotations(parts[:1]) is parts[0]


def test_everything_is_json_and_text():
    statistics = annotation_statistics(random_set(0), name='set A')
    document = json.loads(json.dumps(statistics.to_json(), allow_nan=False))
    assert sum(document['figure_4']['atomic_seconds']['counts']) == statistics.table['atomic']['instances']
    assert sum(document['figure_5b']['pixels']['counts']) == len(statistics.offsets_px)
    lengths = [entry['mean_s'] for entry in document['figure_2']['atomic']]
    assert lengths == sorted(lengths, reverse=True) and document['figure_2']['atomic'][0]['group'] in GROUPS
    text = table_text(statistics.table, 'set A')
    assert text.count('  set A') == 3 and '13,174 / 19,050' in text


def test_an_empty_set_has_no_statistics_and_breaks_nothing():
    empty = annotation_statistics(SEALAnnotations({}, {}))
    assert json.dumps(empty.to_json(), allow_nan=False) and table_text(empty.table, 'nothing')
    assert empty.table['atomic']['instances'] == 0 and empty.moved()['over_50_px'] == 0


def test_names_and_groups_come_from_the_label_map_else_from_the_instances():
    annotations = two_films()
    names, groups = class_names(annotations, {})
    assert names['atomic'] == [f'class {label}' for label in range(5)] and groups == ['pose', '', '', '', 'po']
    label_map = LabelMap('atomic', tuple('abcdef'), {'pose': (0, 3), 'pp': (3, 4), 'po': (4, 6)})
    assert class_names(annotations, {'atomic': label_map}) == (
        {'atomic': list('abcdef'), 'complex': ['class 0', 'class 1', 'class 2']},
        GROUPS,
    )
    with pytest.raises(InputError, match='label 4 is not below 3 classes'):
        annotation_statistics(annotations, {'atomic': LabelMap('atomic', ('a', 'b', 'c'))})
