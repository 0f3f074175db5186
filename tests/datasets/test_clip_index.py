"""Clips, people, boxes and labels against hand-worked cases and a literal slow reference."""

import itertools
import math

import numpy as np
import pytest

from mmtube.datasets.box_sampler import BoxSampler
from mmtube.datasets.clip_index import clip_index
from mmtube.errors import InputError
from mmtube.structures.seal import BoxTable, InstanceTable, SEALAnnotations, TubeletRecord, VideoRecord


def film(duration_s=10.0, fps=25.0, shots=()):
    return VideoRecord('mini', 320, 240, fps, round(duration_s * fps), duration_s, 'train', shots)


def moving(frames):
    """A box that is at x = frame index, so that a box tells its time."""
    frames = np.asarray(frames)
    boxes = np.stack([frames, 0 * frames, frames + 10, 0 * frames + 20], 1)
    return frames, boxes, np.ones(len(frames)), np.zeros(len(frames))


def annotations(tracks, aa=(), videos=None, ca=()):
    """One film ``v`` and tubelets ``{tid: frames}`` of the people 0, 1, 2, ..."""
    videos = videos or {'v': film()}
    vid = next(iter(videos))
    tubelets = {
        tid: TubeletRecord(vid, person, (int(min(frames, default=0)), int(max(frames, default=0)) + 1), tid)
        for person, (tid, frames) in enumerate(tracks.items())
    }
    boxes = BoxTable.from_tracks({tid: moving(frames) for tid, frames in tracks.items()})
    make = InstanceTable.from_rows
    rows = [
        [(tid, label, group, start, end) for tid, label, start, end in part] for part, group in ((aa, 'pose'), (ca, ''))
    ]
    return SEALAnnotations(videos, tubelets, make(rows[0]), make(rows[1]), boxes)


def labels_by_clip(index, tid):
    number = index.tids.index(tid)
    rows = np.flatnonzero(index.row_tubelets == number)
    hot = index.multi_hot(rows)
    return {
        float(index.clip_starts_s[index.row_clips[row]]): np.flatnonzero(hot[i]).tolist() for i, row in enumerate(rows)
    }


# --- clips ---


@pytest.mark.parametrize(
    ('duration_s', 'starts'), [(10.0, 9), (9.99, 8), (2.0, 1), (1.96, 0), (3.0, 2), (2.9999999, 2)]
)
def test_clips_run_from_0_to_the_duration_less_2(duration_s, starts):
    index = clip_index(annotations({}, videos={'v': film(duration_s)}))
    assert index.clip_starts_s.tolist() == list(range(starts))
    assert index.key_s.tolist() == [start + 1 for start in range(starts)]


def test_window_and_stride_are_options():
    index = clip_index(annotations({}, videos={'v': film(5.0)}), window_s=1.0, stride_s=0.5)
    assert index.clip_starts_s.tolist() == [0.5 * number for number in range(9)]
    assert index.key_s[0] == 0.5


def test_films_follow_one_another_and_rows_know_their_clip():
    videos = {'a': film(3.0), 'b': film(4.0)}
    data = annotations({'t0': range(75), 't1': range(75)}, videos=videos)
    data.tubelets['t1'] = TubeletRecord('b', 7, (0, 75), 't1')
    index = clip_index(data)
    assert [index.vids[film] for film in index.clip_films] == ['a', 'a', 'b', 'b', 'b']
    assert index.row_clips.tolist() == [0, 1, 2, 3, 4]
    assert index.person_ids.tolist() == [0, 0, 7, 7, 7]
    assert index.row_offsets.tolist() == [0, 1, 2, 3, 4, 5]


# --- people ---


@pytest.mark.parametrize(
    ('frames', 'starts'),
    [
        ([25], [0.0]),  # at the key time of clip 0
        ([26], [0.0]),  # one frame off
        ([27], []),  # two frames off, and a box near two of eight times
        (range(50, 75), [1.0, 2.0]),  # 2 s to 3 s: clip 1 by its key time 2 s, clip 2 by the key time 3 s (frame 74)
        ([*range(10), *range(36, 46)], [0.0]),  # a hole at the key time, but boxes near half of the times
    ],
)
def test_a_person_is_in_a_clip_by_the_key_time_or_by_half_of_the_times(frames, starts):
    index = clip_index(annotations({'t': frames}))
    assert index.clip_starts_s[index.row_clips].tolist() == starts


def test_people_and_key_boxes_do_not_depend_on_the_box_rate():
    rng = np.random.default_rng(0)
    tracks = {f't{i}': np.flatnonzero(rng.random(250) < 0.2) for i in range(6)}
    one, four = (clip_index(annotations(tracks), boxes_per_s=rate) for rate in (1, 4))
    assert one.row_tubelets.tolist() == four.row_tubelets.tolist() and one.num_rows > 20
    np.testing.assert_array_equal(one.key_boxes_px, four.key_boxes_px)
    np.testing.assert_array_equal(one.boxes_px[:, 0], one.key_boxes_px)
    assert one.boxes_px.shape[1] == 1 and four.boxes_px.shape[1] == 8


def test_a_tubelet_without_boxes_is_in_no_clip():
    index = clip_index(annotations({'none': [], 't': range(50)}, aa=[('none', 0, 0.0, 2.0)]))
    assert set(index.row_tubelets.tolist()) == {1}
    assert len(index.labels) == 0


# --- boxes ---


def test_four_boxes_per_second_lie_in_the_middle_of_each_quarter():
    index = clip_index(annotations({'t': range(250)}), boxes_per_s=4)
    assert index.box_offsets_s.tolist() == [0.125, 0.375, 0.625, 0.875, 1.125, 1.375, 1.625, 1.875]
    # 0.125 s is frame 3.125, 0.375 s is 9.375, 0.625 s is 15.625, 0.875 s is 21.875 and so on.
    assert index.boxes_px[0, :, 0].tolist() == [3, 9, 16, 22, 28, 34, 41, 47]
    assert index.valid.all()
    assert index.key_boxes_px[3, 0] == 100


def sampled(frames, times_s, shots=(), **options):
    data = annotations({'t': frames}, videos={'v': film(shots=shots)})
    found = BoxSampler(data, **options)(np.zeros(len(times_s), int), np.array(times_s))
    return [float(box[0]) if valid else None for box, valid in zip(found.boxes_px, found.valid)]


def test_a_time_takes_the_nearest_box_within_a_quarter_of_a_second():
    # Boxes at frames 0 and 20 (0.8 s): 0.25 s is the last time of the first, 0.55 s the first of the second.
    assert sampled([0, 20], [0.2, 0.25, 0.28, 0.5, 0.55, 1.05, 1.06]) == [0, 0, None, None, 20, 20, None]


def test_of_two_boxes_as_near_the_earlier_is_taken():
    assert sampled([10, 12], [11 / 25]) == [10]


def test_where_no_box_is_near_the_neighbours_are_interpolated_over_a_gap():
    # Frames 0 and 12 are 0.48 s apart; at 0.16 s, a third of the way, the box is at 4.
    assert sampled([0, 12], [0.16], nearest_s=0.1) == [pytest.approx(4)]
    assert sampled([0, 13], [0.2], nearest_s=0.1) == [None]  # 0.52 s apart
    assert sampled([0, 13], [0.2], nearest_s=0.1, gap_s=0.6) == [pytest.approx(5)]
    assert sampled([0, 12], [0.6], nearest_s=0.03) == [None]  # after the last box there is nothing to go to


def test_a_box_has_the_score_of_the_nearest_one_that_is_annotated():
    data = annotations({'t': [0, 12]})
    data.boxes.scores[:] = [0.25, 0.75]
    times_s = np.array([0, 0.05, 0.16, 0.4, 0.48, 5])  # 0.16 s and 0.4 s lie between the two boxes
    found = BoxSampler(data, nearest_s=0.1)(np.zeros(6, int), times_s)
    assert found.scores.tolist() == [0.25, 0.25, 0.25, 0.75, 0.75, 0] and found.valid[:5].all()
    assert BoxSampler(annotations({}))(np.zeros(0, int), np.zeros(0)).scores.shape == (0,)


def test_people_of_a_clip_have_the_score_of_their_key_box():
    data = annotations({'a': range(250), 'b': range(44)})
    data.boxes.scores[:] = np.append(np.arange(250), np.arange(44)) / 512
    index = clip_index(data, boxes_per_s=4)
    assert index.key_scores[index.rows(0)].tolist() == [25 / 512, 25 / 512]
    # In clip 1, b has boxes at 4 of 8 times and none within a quarter of a second of the key time, frame 50.
    assert index.key_valid[index.rows(1)].tolist() == [True, False]
    assert index.key_scores[index.rows(1)].tolist() == [50 / 512, 0]


def test_no_box_is_taken_across_a_shot_change():
    shots = ((0, 10), (10, 250))
    assert sampled([9, 11], [9 / 25, 10 / 25, 11 / 25], shots) == [9, 11, 11]
    assert sampled([9], [10 / 25, 9 / 25], shots) == [None, 9]
    assert sampled([4, 14], [9 / 25], shots, nearest_s=0.1) == [None]  # no interpolation either
    assert sampled([4, 14], [9 / 25], nearest_s=0.1) == [9]


def test_no_box_is_taken_from_another_tubelet():
    data = annotations({'a': range(100, 111), 'b': range(113, 121), 'c': range(123, 130)})
    for limits in ({}, {'nearest_s': 0.05}):
        found = BoxSampler(data, **limits)(np.array([1, 1, 1]), np.array([110, 112, 122]) / 25)
        near = [113, 113, 120] if not limits else [0, 113, 0]  # 110 and 122 are more than 0.05 s away
        assert found.boxes_px[:, 0].tolist() == near
        assert found.valid.tolist() == [x > 0 for x in near]


def test_boxes_sparser_than_frames_still_count_at_one_frame():
    data = annotations({'t': [0, 1]}, videos={'v': film(10.0, fps=2.0)})
    found = BoxSampler(data)(np.zeros(3, int), np.array([0.25, 0.9, 1.1]))
    assert found.valid.tolist() == [True, True, False]  # a frame lasts half a second here


def test_frames_in_any_order_give_the_same():
    frames = np.random.default_rng(1).permutation(250)
    one, other = (clip_index(annotations({'t': f}), boxes_per_s=4) for f in (frames, range(250)))
    np.testing.assert_array_equal(one.boxes_px, other.boxes_px)


# --- labels ---


def test_overlap_counts_against_the_shorter_of_instance_and_clip():
    aa = [('t', 0, 2.0, 4.0), ('t', 1, 3.5, 4.1), ('t', 2, 0.0, 9.0)]
    found = labels_by_clip(clip_index(annotations({'t': range(250)}, aa)), 't')
    # Class 0 of 2 s: clips 1 and 3 share 1 s of 2 s, exactly half. Class 1 of 0.6 s: clip 2 shares 0.5 s, clip 3 all of
    # it, clip 4 0.1 s. Class 2: clip 8 shares 1 s of 2 s.
    assert found == {0: [2], 1: [0, 2], 2: [0, 1, 2], 3: [0, 1, 2], 4: [2], 5: [2], 6: [2], 7: [2], 8: [2]}


def test_keytime_counts_where_the_instance_covers_it():
    aa = [('t', 0, 2.0, 4.0), ('t', 1, 3.5, 4.1)]
    found = labels_by_clip(clip_index(annotations({'t': range(250)}, aa), label_rule='keytime'), 't')
    # Key times are 1, 2, ...: class 0 covers 2 and 3 and ends at 4; class 1 covers 4.
    assert {start: labels for start, labels in found.items() if labels} == {1: [0], 2: [0], 3: [1]}


def test_labels_go_to_their_own_tubelet_and_stand_once():
    aa = [('b', 1, 0.0, 2.0), ('b', 1, 0.0, 1.9), ('b', 0, 0.0, 2.0), ('gone', 2, 0.0, 2.0)]
    index = clip_index(annotations({'a': range(50), 'b': range(50)}, aa, {'v': film(2.0)}))
    assert labels_by_clip(index, 'a') == {0: []}
    assert labels_by_clip(index, 'b') == {0: [0, 1]}
    assert index.labels.tolist() == [0, 1] and index.class_counts().tolist() == [1, 1, 0]


def test_an_instance_of_no_length_is_no_label():
    assert len(clip_index(annotations({'t': range(250)}, [('t', 0, 3.0, 3.0)])).labels) == 0


def test_complex_activities_can_be_the_labels():
    data = annotations({'t': range(250)}, [('t', 0, 0.0, 2.0)], ca=[('t', 5, 0.0, 2.0)])
    index = clip_index(data, task='complex')
    assert index.num_classes == 6 and set(index.labels.tolist()) == {5}


def test_a_label_beyond_the_classes_is_refused_by_row():
    with pytest.raises(
        InputError, match=r'annotations: atomic instance 1 \(tubelet t\): label 9 is not below 9 classes'
    ):
        clip_index(annotations({'t': range(9)}, [('t', 8, 0, 1), ('t', 9, 0, 1)]), num_classes=9)


@pytest.mark.parametrize('options', [{'window_s': 0}, {'label_rule': 'most'}, {'min_overlap': 0}, {'boxes_per_s': 0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match='must be'):
        clip_index(annotations({}), **options)


# --- against the rules, literally ---


def reference_box(data, tid, time_s, nearest_s=0.25, gap_s=0.5):
    record, track = data.tubelets[tid], data.track(tid)
    video = data.videos[record.vid]

    def shot(frame):
        return next((number for number, (begin, end) in enumerate(video.shots) if begin <= frame < end), -1)

    here = shot(math.floor(time_s * video.fps + 0.5))
    known = [
        (frame / video.fps, box.astype(np.float64))
        for frame, box in sorted(zip(track.frame_inds.tolist(), track.boxes_px), key=lambda pair: pair[0])
        if shot(frame) == here
    ]
    if not known:
        return None, math.inf
    nearest = min(known, key=lambda pair: (round(abs(pair[0] - time_s), 9), pair[0]))
    away = abs(nearest[0] - time_s)
    if away <= max(nearest_s, 1 / video.fps) + 1e-6:
        return nearest[1], away
    before = [pair for pair in known if pair[0] <= time_s]
    after = [pair for pair in known if pair[0] > time_s]
    # The neighbours must be those of the whole track: none of another shot stands in between.
    if before and after and after[0][0] - before[-1][0] <= gap_s + 1e-6:
        share = (time_s - before[-1][0]) / (after[0][0] - before[-1][0])
        return before[-1][1] + share * (after[0][1] - before[-1][1]), away
    return None, away


def reference_rows(data, rate, label_rule, window_s, stride_s, **limits):
    rows = []
    for vid, video in data.videos.items():
        clip = 0
        while clip * stride_s + window_s <= video.duration_s + 1e-6:
            begin = clip * stride_s
            for tid, record in data.tubelets.items():
                if record.vid != vid:
                    continue
                key_box, away = reference_box(data, tid, begin + window_s / 2, **limits)
                times = [begin + (j + 0.5) / 4 for j in range(max(round(window_s * 4), 1))]
                seen = [reference_box(data, tid, time, **limits)[0] is not None for time in times]
                if not (key_box is not None and away <= 1 / video.fps + 1e-6) and sum(seen) < len(seen) / 2:
                    continue
                steps = [begin + (j + 0.5) / rate for j in range(max(round(window_s * rate), 1))]
                boxes = [key_box] if rate == 1 else [reference_box(data, tid, t, **limits)[0] for t in steps]
                labels = set()
                for owner, label, start, end in zip(data.aa.tids, data.aa.labels, data.aa.start_s, data.aa.end_s):
                    if owner != tid:
                        continue
                    shared = min(begin + window_s, end) - max(begin, start)
                    key = begin + window_s / 2
                    if label_rule == 'keytime':
                        taken = start <= key + 1e-6 and key < end - 1e-6
                    else:
                        taken = shared > 0 and shared / min(end - start, window_s) >= 0.5 - 1e-6
                    if taken:
                        labels.add(int(label))
                rows.append((vid, begin, tid, boxes, key_box, sorted(labels)))
            clip += 1
    return rows


@pytest.mark.parametrize('seed', range(8))
def test_the_index_equals_the_rules_written_out(seed):
    rng = np.random.default_rng(seed)
    videos, tubelets, tracks, aa = {}, {}, {}, []
    for v in range(3):
        fps = [25.0, 30.0, 30000 / 1001, 10.0][rng.integers(4)]
        count = int(rng.integers(20, 260))
        cuts = [0, *sorted(rng.choice(np.arange(1, count), rng.integers(0, 4), replace=False).tolist()), count]
        videos[f'v{v}'] = VideoRecord(
            'mini', 320, 240, fps, count, count / fps, 'train', tuple(itertools.pairwise(cuts))
        )
        for t in range(3):
            frames = np.flatnonzero(rng.random(count) < rng.choice([0.05, 0.2, 0.9]))
            tid = f'v{v}.{t}'
            tracks[tid] = (frames, rng.random((len(frames), 4)) * 200, np.ones(len(frames)), np.zeros(len(frames)))
            tubelets[tid] = TubeletRecord(f'v{v}', t, (0, count), tid)
            for _ in range(4):
                start = float(rng.integers(0, 4 * count / fps)) / 4
                aa.append((tid, int(rng.integers(5)), 'pose', start, start + float(rng.integers(2, 20)) / 4))
    data = SEALAnnotations(videos, tubelets, InstanceTable.from_rows(aa), boxes=BoxTable.from_tracks(tracks))
    rate, rule = [1, 4, 2, 4][seed % 4], ['overlap', 'keytime'][seed // 4]
    window_s, stride_s = [(2.0, 1.0), (1.0, 0.5)][seed % 2]
    limits = [{}, {'nearest_s': 0.1, 'gap_s': 0.6}][seed // 2 % 2]
    index = clip_index(data, window_s, stride_s, rate, rule, num_classes=5, **limits)
    expected = reference_rows(data, rate, rule, window_s, stride_s, **limits)
    assert index.num_rows == len(expected) > 10
    hot = index.multi_hot(slice(None))
    for row, (vid, begin, tid, boxes, key_box, labels) in enumerate(expected):
        clip = index.row_clips[row]
        assert (index.vids[index.clip_films[clip]], index.clip_starts_s[clip]) == (vid, begin)
        assert index.tids[index.row_tubelets[row]] == tid
        assert index.valid[row].tolist() == [box is not None for box in boxes]
        for found, box in zip(index.boxes_px[row], boxes):
            np.testing.assert_allclose(found, 0 if box is None else box, atol=1e-3)
        assert bool(index.key_valid[row]) == (key_box is not None)
        np.testing.assert_allclose(index.key_boxes_px[row], 0 if key_box is None else key_box, atol=1e-3)
        assert np.flatnonzero(hot[row]).tolist() == labels
