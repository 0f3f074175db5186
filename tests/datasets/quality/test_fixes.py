"""What can only be meant in one way is repaired, everything else stays; twice is the same as once."""

from dataclasses import replace

import numpy as np
import pytest
from drafts import LABEL_MAPS, Draft
from test_quality_rules import FAULTS, NAN

from mmtube.datasets.quality import check_annotations, fix_annotations
from mmtube.structures.seal import write_seal_json


def fixed(spoil):
    draft = Draft()
    spoil(draft)
    annotations, changes = fix_annotations(draft.annotations())
    return annotations, [str(change) for change in changes]


def same(first, second, folder):
    """Whether two sets make equal files."""
    for name, annotations in (('a', first), ('b', second)):
        (folder / name).mkdir()
        write_seal_json(annotations, folder / name / 'train.json')
    return all(
        (folder / 'a' / name).read_bytes() == (folder / 'b' / name).read_bytes()
        for name in ('train.json', 'train_boxes.npz')
    )


def test_a_clean_set_stays_as_it_is(tmp_path):
    annotations, changes = fixed(lambda draft: None)
    assert changes == [] and same(annotations, Draft().annotations(), tmp_path)


@pytest.mark.parametrize(
    ('row', 'told', 'expected', 'change'),
    [
        (2, (3.5, 2.5), (2.5, 3.5), 'aa[2]: 3.5 to 2.5 s -> 2.5 to 3.5 s'),
        (2, (-1.0, 3.5), (0.0, 3.5), 'aa[2]: -1 to 3.5 s -> 0 to 3.5 s'),
        (3, (10.8, 4.0), (4.0, 10.0), 'aa[3]: 10.8 to 4 s -> 4 to 10 s'),
        (3, (4.0, 4.0), None, 'aa[3]: 4 to 4 s -> dropped'),
        (3, (10.2, 10.9), None, 'aa[3]: 10.2 to 10.9 s -> dropped'),
        (3, (NAN, 4.0), None, 'aa[3]: nan to 4 s -> dropped'),
    ],
)
def test_segments(row, told, expected, change):
    annotations, changes = fixed(lambda draft: draft.aa[row].__setitem__(slice(3, 5), told))
    clean = [tuple(line[3:]) for line in Draft().aa]
    clean[row : row + 1] = [expected] if expected else []
    assert list(zip(annotations.aa.start_s, annotations.aa.end_s)) == clean
    assert changes == [change]


def test_an_instance_far_over_the_end_of_its_film_may_be_a_slip_of_a_digit_and_stays():
    annotations, changes = fixed(lambda draft: draft.aa[3].__setitem__(slice(3, 5), (4.0, 32.0)))
    assert changes == [] and (annotations.aa.start_s[3], annotations.aa.end_s[3]) == (4.0, 32.0)


def test_the_second_of_two_equal_instances_goes_and_an_overlapping_one_stays():
    annotations, changes = fixed(
        lambda draft: draft.aa.extend([['t1', 2, 'po', 3.0, 1.0], ['t1', 2, 'po', 1.0, 2.9], ['t2', 2, 'po', 1.0, 3.0]])
    )
    assert changes == ['aa[6]: class 2 at 1 to 3 s twice -> dropped']
    assert annotations.aa.end_s[6:].tolist() == [2.9, 3.0]


def test_boxes_are_cut_at_the_frame_or_go():
    def spoil(draft):
        boxes = draft.tracks['t4'][1]
        boxes[0] = [-5.0, -1, 60, 250]
        boxes[1] = [400.0, 20, 420, 40]
        boxes[2] = [10.0, NAN, 20, 40]
        boxes[3] = [10.0, 40, 20, 40]
        boxes[49] = [10.0, 40, 5, 50]

    annotations, changes = fixed(spoil)
    track = annotations.track('t4')
    assert track.frame_inds.tolist() == [150, *range(154, 199)]
    assert track.boxes_px[0].tolist() == [0, 0, 60, 240]
    assert track.boxes_px[1:].tolist() == Draft().tracks['t4'][1][4:49]
    assert annotations.tubelets['t4'].frame_range == (150, 199)
    assert changes == [
        'boxes["t4"] frame 150: (-5, -1, 60, 250) -> (0, 0, 60, 240)',
        'boxes["t4"] frame 151: (400, 20, 420, 40) -> dropped',
        'boxes["t4"] frame 152: (10, nan, 20, 40) -> dropped',
        'boxes["t4"] frame 153: (10, 40, 20, 40) -> dropped',
        'boxes["t4"] frame 199: (10, 40, 5, 50) -> dropped',
        'tubelets["t4"]: frame_range [150, 200] -> [150, 199]',
    ]


def test_tracks_are_sorted_with_all_their_columns():
    def spoil(draft):
        draft.tracks['t2'][2] = np.linspace(0, 1, 100).tolist()
        draft.tracks['t2'] = [column[::-1] for column in draft.tracks['t2']]

    annotations, changes = fixed(spoil)
    track = annotations.track('t2')
    assert track.frame_inds.tolist() == list(range(50, 150))
    assert track.boxes_px.tolist() == Draft().tracks['t2'][1]
    assert track.flags.tolist() == Draft().tracks['t2'][3]
    assert track.scores.tolist() == np.linspace(0, 1, 100).astype(np.float16).tolist()
    assert changes == ['boxes["t2"]: 99 frames out of order -> sorted']


def test_of_two_boxes_in_a_frame_an_equal_one_goes_and_another_stays():
    def spoil(draft):
        for column in draft.tracks['t2']:
            column[11], column[21] = column[10], column[20]
        draft.tracks['t2'][1][21] = [100.0, 20, 160, 200]

    annotations, changes = fixed(spoil)
    frames = annotations.track('t2').frame_inds.tolist()
    assert len(frames) == 99 and frames.count(60) == 1 and frames.count(70) == 2
    assert changes == ['boxes["t2"] frame 60: (112.5, 20, 172.5, 200) twice -> dropped']


@pytest.mark.parametrize(
    ('values', 'num_frames', 'duration_s'),
    [(dict(duration_s=0.0), 250, 10.0), (dict(duration_s=NAN), 250, 10.0), (dict(num_frames=0), 250, 10.0)],
)
def test_the_length_of_a_film_follows_from_what_is_there(values, num_frames, duration_s):
    annotations, _ = fixed(lambda draft: draft.videos.update(v2=replace(draft.videos['v2'], **values)))
    assert (annotations.videos['v2'].num_frames, annotations.videos['v2'].duration_s) == (num_frames, duration_s)


def test_a_length_that_contradicts_the_frames_stays():
    annotations, changes = fixed(lambda draft: draft.videos.update(v2=replace(draft.videos['v2'], duration_s=12.0)))
    assert changes == [] and annotations.videos['v2'].duration_s == 12


@pytest.mark.parametrize('name', FAULTS)
def test_repairing_twice_changes_nothing_and_breaks_no_rule(name, tmp_path):
    draft = Draft()
    FAULTS[name][0](draft)
    broken = draft.annotations()
    once, _ = fix_annotations(broken)
    twice, changes = fix_annotations(once)
    assert changes == [] and same(once, twice, tmp_path)
    before, after = (check_annotations(annotations, label_maps=LABEL_MAPS).counts for annotations in (broken, once))
    assert set(after) <= set(before), 'a repair must not break another rule'


@pytest.mark.parametrize(
    'name',
    [
        *('no length', 'reversed segment', 'empty segment', 'segment not a number', 'an instance twice'),
        *('box not a number', 'infinite box', 'box without width', 'reversed box', 'box outside the frame'),
        *('box over the edge', 'frames out of order', 'range longer than the boxes', 'box outside the range'),
        *('range ends before it begins', 'segment before the film'),
    ],
)
def test_safe_faults_are_gone_after_the_repair(name):
    draft = Draft()
    FAULTS[name][0](draft)
    annotations, changes = fix_annotations(draft.annotations())
    report = check_annotations(annotations, label_maps=LABEL_MAPS)
    assert changes and not report.counts, report.findings
