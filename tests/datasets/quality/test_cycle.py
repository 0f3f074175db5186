"""Classes that become one, and where annotators look first."""

from dataclasses import replace

import numpy as np
import pytest
from drafts import LABEL_MAPS, Draft

from mmtube.datasets.clip_index import clip_index
from mmtube.datasets.quality import Doubt, check_annotations, merge_classes, relabel_queue
from mmtube.errors import InputError
from mmtube.structures.seal import InstanceTable, LabelMap

MAP = LabelMap('atomic', ('walk', 'stroll', 'run', 'hug', 'lift'), {'pose': (0, 3), 'pp': (3, 4), 'po': (4, 5)})


def table(annotations):
    aa = annotations.aa
    return list(zip(aa.tids, aa.labels, aa.start_s, aa.end_s))


def merged(rows, name, into):
    annotations = Draft().annotations()
    annotations.aa = InstanceTable.from_rows(
        [(tid, label, MAP.group_of(label), start_s, end_s) for tid, label, start_s, end_s in rows]
    )
    return merge_classes(annotations, MAP, name, into)


def test_a_class_goes_and_those_behind_it_move_up():
    rows = [('t1', 0, 0.5, 1.5), ('t1', 1, 2.0, 3.0), ('t1', 2, 2.0, 3.0), ('t2', 3, 2.5, 3.5), ('t2', 4, 2.5, 3.5)]
    annotations, label_map = merged(rows, 'stroll', 'walk')
    assert label_map.names == ('walk', 'run', 'hug', 'lift')
    assert label_map.groups == {'pose': (0, 2), 'pp': (2, 3), 'po': (3, 4)}
    assert table(annotations) == [
        ('t1', 0, 0.5, 1.5),
        ('t1', 0, 2.0, 3.0),
        ('t1', 1, 2.0, 3.0),
        ('t2', 2, 2.5, 3.5),
        ('t2', 3, 2.5, 3.5),
    ]
    annotations, label_map = merged(rows, 'walk', 'run')
    assert label_map.names == ('stroll', 'run', 'hug', 'lift')
    assert annotations.aa.labels.tolist() == [1, 0, 1, 2, 3]


def test_instances_that_overlap_or_touch_become_one_and_others_stay():
    rows = [
        *(('t1', 1, 1.0, 2.0), ('t1', 0, 0.5, 1.5), ('t1', 0, 2.0, 2.5), ('t1', 0, 2.6, 3.0)),
        *(('t2', 0, 2.2, 3.0), ('t1', 2, 1.0, 2.0), ('t1', 2, 1.5, 2.5)),
    ]
    annotations, _ = merged(rows, 'stroll', 'walk')
    assert table(annotations) == [
        ('t1', 0, 0.5, 2.5),
        ('t1', 0, 2.6, 3.0),
        ('t2', 0, 2.2, 3.0),
        ('t1', 1, 1.0, 2.0),
        ('t1', 1, 1.5, 2.5),
    ]


def test_a_merged_set_is_as_clean_as_before():
    draft = Draft()
    draft.aa = [[tid, 4 if label == 2 else label * 3, *rest] for tid, label, *rest in draft.aa]
    draft.aa.append(['t1', 1, 'pose', 0.5, 2.0])
    annotations, label_map = merge_classes(draft.annotations(), MAP, 'stroll', 'walk')
    maps = {'atomic': label_map, 'complex': LABEL_MAPS['complex']}
    assert check_annotations(annotations, label_maps=maps).findings == [] and len(annotations.aa) == 6


@pytest.mark.parametrize(
    ('name', 'into', 'cause'),
    [
        ('jog', 'walk', "no class 'jog'"),
        ('walk', 'walk', 'with itself'),
        ('hug', 'walk', "'hug' is a class of 'pp' and 'walk' of 'pose'"),
    ],
)
def test_what_cannot_be_merged_is_refused(name, into, cause):
    with pytest.raises(InputError, match=cause):
        merged([('t1', 0, 0.5, 1.5)], name, into)
    with pytest.raises(InputError, match=r'train\.json: atomic instance 0 .*label 9 is not below 5 classes'):
        merged([('t1', 9, 0.5, 1.5)], 'stroll', 'walk')


def test_activities_are_merged_too():
    label_map = LABEL_MAPS['complex']
    annotations, label_map = merge_classes(Draft().annotations(), label_map, 'party', 'move house')
    assert label_map.names == ('move house',) and annotations.ca.labels.tolist() == [0, 0, 0]
    assert annotations.aa is not None and len(annotations.aa) == 6


def test_neighbouring_clips_with_one_mistake_are_one_place():
    draft = Draft()
    draft.tubelets['t2'] = replace(draft.tubelets['t2'], vid='v2', person_id=5)
    index = clip_index(draft.annotations(), num_classes=3)
    rows = {
        (index.tids[tube], index.clip_starts_s[clip]): row
        for row, (tube, clip) in enumerate(zip(index.row_tubelets, index.row_clips))
    }
    wanted = [
        (1, rows['t1', 1.0], 0, 2, 0.5),
        (0, rows['t1', 2.0], 0, 2, 0.5),  # another pair
        (1, rows['t1', 0.0], 0, 2, 0.75),
        (1, rows['t2', 2.0], 0, 2, 0.9),  # another tubelet
        (1, rows['t2', 3.0], 0, 1, 0.8),  # another mistake
    ]
    samples = np.array([line[:4] for line in wanted])
    doubts = relabel_queue(draft.annotations(), index, samples, np.array([line[4] for line in wanted]))
    assert doubts == [
        Doubt(1, 'v1', 't1', 0, 2.0, 4.0, 0, 2, 1, 0.5),
        Doubt(2, 'v2', 't2', 5, 2.0, 4.0, 0, 2, 1, 0.9),
        Doubt(2, 'v2', 't2', 5, 3.0, 5.0, 0, 1, 1, 0.8),
        Doubt(2, 'v1', 't1', 0, 0.0, 3.0, 0, 2, 2, 0.625),
    ]
    assert relabel_queue(draft.annotations(), index, samples[:0], np.zeros(0)) == []


def test_clips_with_a_hole_between_them_are_two_places():
    index = clip_index(Draft().annotations(), num_classes=3)
    tube = index.tids.index('t5')
    rows = np.flatnonzero(index.row_tubelets == tube)
    starts = index.clip_starts_s[index.row_clips[rows]]
    assert starts.tolist()[:3] == [0, 1, 2]
    index.window_s = 1.5  # so that clips at 0 s and 2 s neither overlap nor touch
    samples = np.array([[0, rows[0], 0, 1], [0, rows[2], 0, 1]])
    doubts = relabel_queue(Draft().annotations(), index, samples, np.array([0.5, 0.6]))
    assert [(doubt.start_s, doubt.end_s, doubt.clips) for doubt in doubts] == [(2.0, 3.5, 1), (0.0, 1.5, 1)]
