from dataclasses import replace

import numpy as np
import pytest

from mmtube.structures.seal import InstanceTable, LabelMap, TubeletRecord, table_findings


def rules(annotations, label_maps=None):
    return [(finding.row, finding.rule) for finding in table_findings(annotations, label_maps)]


def test_the_sample_keeps_all_rules(sample, label_maps):
    assert table_findings(sample, label_maps) == []


@pytest.mark.parametrize(
    'change, rule, cause',
    [
        ({'fps': 0.0}, 'video-fps', 'fps is 0.0, it must be positive'),
        ({'fps': float('nan')}, 'video-fps', 'fps is nan'),
        ({'fps': float('inf')}, 'video-fps', 'fps is inf'),
        ({'width': 0}, 'video-size', 'the frame is 0x50 pixels'),
        ({'height': -1}, 'video-size', 'the frame is 100x-1 pixels'),
        ({'duration_s': 0.0}, 'video-length', 'has 40 frames in 0.0 s'),
        ({'duration_s': float('nan')}, 'video-length', 'in nan s'),
        ({'duration_s': 4.51}, 'video-duration', 'duration is 4.51 s, but there are 40 frames at 10 fps'),
        ({'shots': ((0, 30), (31, 40))}, 'video-shots', 'must follow one another within 0 to 40'),
        ({'shots': ((0, 30), (30, 41))}, 'video-shots', 'must follow one another'),
        ({'shots': ((-1, 30), (30, 40))}, 'video-shots', 'must follow one another'),
        ({'shots': ((30, 40), (0, 30))}, 'video-shots', 'must follow one another'),
    ],
)
def test_rules_of_a_film(sample, change, rule, cause):
    sample.videos['street'] = replace(sample.videos['street'], **change)
    (finding,) = [found for found in table_findings(sample) if found.row.startswith('videos')]
    assert (finding.row, finding.rule) == ('videos["street"]', rule) and cause in finding.cause


def test_a_film_without_frames_is_told_once_besides_its_tubelets(sample):
    sample.videos['park'] = replace(sample.videos['park'], num_frames=0)
    assert rules(sample) == [('videos["park"]', 'video-length')]


def test_a_duration_may_differ_by_half_a_second_or_two_frames(sample):
    sample.videos['street'] = replace(sample.videos['street'], duration_s=4.5)
    assert rules(sample) == []
    sample.videos['park'] = replace(sample.videos['park'], fps=1.0, num_frames=2, duration_s=4.0)
    assert rules(sample) == []


@pytest.mark.parametrize(
    'change, rule, cause',
    [
        ({'vid': 'beach'}, 'unknown-video', "the video 'beach' is not in the file"),
        ({'frame_range': (0, 41)}, 'tubelet-range', 'frames 0 to 41 go beyond the 40 of the video'),
        ({'frame_range': (5, 5)}, 'tubelet-range', 'frames 5 to 5 are no range'),
        ({'frame_range': (-1, 5)}, 'tubelet-range', 'frames -1 to 5 are no range'),
        ({'person_id': -1}, 'person-id', 'person_id is -1'),
        ({'stage': 0}, 'stage', 'stage is 0, it must be one of (1, 2, 3, 4)'),
        ({'box_key': 'x'}, 'no-boxes', "the box file has no key 'x'"),
        ({'box_key': 'street.1'}, 'shared-boxes', "has the boxes 'street.1' of tubelet 'street.1'"),
    ],
)
def test_rules_of_a_tubelet(sample, change, rule, cause):
    sample.tubelets['street.2'] = replace(sample.tubelets['street.2'], **change)
    (finding,) = table_findings(sample)
    assert (finding.row, finding.rule) == ('tubelets["street.2"]', rule) and cause in finding.cause


@pytest.mark.parametrize(
    'row, rule, cause',
    [
        (('nobody', 0, 'pose', 0.0, 1.0), 'unknown-tubelet', "the tubelet 'nobody' is not in the file"),
        (('street.1', 0, 'pose', np.nan, 1.0), 'not-a-number', 'the segment is nan to 1.0 s'),
        (('street.1', 0, 'pose', 0.0, np.inf), 'not-a-number', 'the segment is 0.0 to inf s'),
        (('street.1', 0, 'pose', 2.0, 1.0), 'reversed-segment', 'ends at 1 s before it starts at 2 s'),
        (('street.1', 0, 'pose', 1.0, 1.0), 'empty-segment', 'starts and ends at 1 s'),
        (('street.1', 0, 'pose', -0.5, 1.0), 'segment-outside-video', '-0.5 to 1 s is outside the video of 4 s'),
        (('street.1', 0, 'pose', 3.0, 4.01), 'segment-outside-video', '3 to 4.01 s is outside the video of 4 s'),
        (('street.1', -1, 'pose', 0.0, 1.0), 'unknown-class', 'class -1 is not in the label map'),
        (('street.1', 4, 'pose', 0.0, 1.0), 'unknown-class', 'class 4 is not in the label map'),
        (('street.1', 0, 'pp', 0.0, 1.0), 'wrong-group', "class 0 is not of group 'pp'"),
        (('street.1', 0, '', 0.0, 1.0), 'wrong-group', "class 0 is not of group ''"),
    ],
)
def test_rules_of_an_instance(sample, label_maps, row, rule, cause):
    sample.aa = InstanceTable.from_rows([('street.1', 0, 'pose', 0.0, 1.0), row])
    (finding,) = table_findings(sample, label_maps)
    assert (finding.row, finding.rule, finding.file) == ('aa[1]', rule, 'annotations') and cause in finding.cause


def test_an_end_may_exceed_the_film_by_a_microsecond(sample):
    sample.aa = InstanceTable.from_rows([('street.1', 0, 'pose', 0.0, 4.0 + 5e-7)])
    assert rules(sample) == []


def test_without_a_label_map_only_negative_classes_and_unknown_groups_are_told(sample):
    sample.aa = InstanceTable.from_rows(
        [('street.1', 999, 'po', 0, 1), ('street.1', -1, '', 0, 1), ('street.1', 0, 'hand', 0, 1)]
    )
    assert rules(sample) == [('aa[1]', 'unknown-class'), ('aa[2]', 'wrong-group')]


def test_one_instance_may_break_several_rules_and_activities_have_theirs(sample):
    sample.ca = InstanceTable.from_rows([('street.1', -1, '', 3.0, 2.0)])
    assert rules(sample) == [('ca[0]', 'reversed-segment'), ('ca[0]', 'unknown-class')]


def test_activities_have_no_group_though_the_map_of_actions_has(sample, label_maps):
    sample.ca = InstanceTable.from_rows([('street.1', 1, 'pose', 0.0, 1.0)])
    assert rules(sample, {'complex': LabelMap('complex', ('a', 'b'))}) == []


def test_findings_stand_in_the_order_of_the_file(sample):
    sample.videos['park'] = replace(sample.videos['park'], width=0)
    sample.tubelets['street.3'] = TubeletRecord('street', 3, (0, 1), 'none')
    sample.aa = InstanceTable.from_rows([('street.1', 0, 'pose', 1.0, 1.0), ('street.9', 0, 'pose', 2.0, 1.0)])
    assert rules(sample) == [
        ('videos["park"]', 'video-size'),
        ('tubelets["street.3"]', 'no-boxes'),
        ('aa[0]', 'empty-segment'),
        ('aa[1]', 'unknown-tubelet'),
        ('aa[1]', 'reversed-segment'),
    ]


def test_a_finding_is_one_line(sample):
    sample.videos['a\nb'] = replace(sample.videos['park'], fps=-1.0)
    (finding,) = table_findings(sample)
    assert str(finding) == 'annotations: videos["a b"]: fps is -1.0, it must be positive [video-fps]'
