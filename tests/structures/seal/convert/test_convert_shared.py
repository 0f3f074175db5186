"""What the converters share: tables of films, what is left out, results as files."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.structures.io import write_result_json
from mmtube.structures.seal import InstanceTable, TubeletRecord, convert, table_findings, write_seal_json
from mmtube.structures.seal.convert import (
    own_boxes,
    read_results,
    read_videos,
    result_label_maps,
    without_broken,
    write_act_pkl,
    write_activitynet,
    write_ava_csv,
    write_cvat,
    write_mot,
    write_results,
)
from mmtube.structures.seal.convert._common import frames_of


def test_a_table_of_films_may_stand_alone_or_in_an_annotation_file(tmp_path, sample):
    write_seal_json(sample, tmp_path / 'set.json')
    assert read_videos(tmp_path / 'set.json') == sample.videos
    (tmp_path / 'v.json').write_text(json.dumps(json.loads((tmp_path / 'set.json').read_text())['videos']))
    assert read_videos(tmp_path / 'v.json') == sample.videos


@pytest.mark.parametrize(
    'change, cause',
    [
        ({'fps': 0}, 'videos["a"]: fps is 0.0, it must be positive'),
        ({'width': 'wide'}, '["a"]: cannot be read: width must be a whole number, not "wide"'),
        ({'split': None}, '["a"]: cannot be read: split must be a text'),
    ],
)
def test_a_wrong_film_of_a_table_is_named(tmp_path, change, cause):
    film = {'source': 'web', 'width': 10, 'height': 10, 'fps': 5, 'num_frames': 10, 'duration': 2.0, 'split': 'val'}
    (tmp_path / 'v.json').write_text(json.dumps({'a': {**film, **change}}))
    with pytest.raises(InputError) as caught:
        read_videos(tmp_path / 'v.json')
    assert cause in str(caught.value)
    del film['fps']
    (tmp_path / 'v.json').write_text(json.dumps({'a': film}))
    with pytest.raises(InputError, match="'fps' is missing"):
        read_videos(tmp_path / 'v.json')


def test_what_is_broken_is_left_out_with_all_that_belongs_to_it(sample):
    sample.videos['street'] = replace(sample.videos['street'], fps=-1.0)
    sample.tubelets['park.1'] = TubeletRecord('park', 1, (0, 5), 'none')
    assert [list(part) for part in (without_broken(sample).videos, without_broken(sample).tubelets)] == [['park'], []]
    assert len(without_broken(sample).aa) == len(without_broken(sample).ca) == 0


def test_broken_instances_are_left_out_alone(sample):
    rows = [('street.1', 0, 'pose', 1.0, 0.5), ('street.2', 2, 'pp', 0.0, 1.5), ('ghost', 2, 'pp', 0.0, 1.5)]
    sample.aa = InstanceTable.from_rows(rows)
    kept = without_broken(sample)
    assert kept.aa.tids.tolist() == ['street.2'] and list(kept.tubelets) == list(sample.tubelets)
    assert table_findings(kept) == [] and len(sample.aa) == 3


def test_boxes_of_other_films_are_not_counted_as_lost(tmp_path, sample):
    park = sample.only({'park'})
    assert not own_boxes(park).any() and own_boxes(sample).all()
    sample.boxes.scores[:], sample.boxes.flags[:] = 0.5, 2
    for write, name in ((write_cvat, 'cvat'), (write_mot, 'mot'), (write_ava_csv, 'a.csv'), (write_act_pkl, 'a.pkl')):
        assert write(park, tmp_path / name) == {}
    assert write_activitynet(park, tmp_path / 'a.json') == {}


def test_edges_go_to_the_nearest_frame_and_there_is_one_frame_at_least():
    first, end = frames_of(np.array([0.0, 0.14, 1.0]), np.array([0.96, 0.26, 1.0]), 10.0)
    assert first.tolist() == [0, 1, 10] and end.tolist() == [10, 3, 11]


def test_results_become_tubelets_of_the_first_stage_and_come_back(tmp_path):
    info = VideoInfo('street.mp4', 640, 480, 25.0, 50, 2.0)
    tube = Tube(3, [4, 5], [4 / 25, 5 / 25], [[1, 2, 30, 40]] * 2, segments=[Segment(0.2, 0.8, 1)])
    write_result_json(VideoResult(info, [tube], label_maps={'atomic': ['walk', 'run']}), tmp_path / 'in' / 'a.json')
    maps = result_label_maps(tmp_path / 'in')
    found = read_results(tmp_path / 'in', split='val')
    assert maps['atomic'].names == ('walk', 'run') and found.videos['street'].split == 'val'
    assert found.tubelets['street.3'].stage == 1 and found.aa.labels.tolist() == [1]
    assert write_results(found, tmp_path / 'out', label_maps=maps) == {}
    again = read_results(tmp_path / 'out' / 'street.json', split='val')
    assert again.tubelets == found.tubelets and again.videos == found.videos
    assert again.aa.start_s.tolist() == [0.2]


def test_results_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(InputError, match=r'has no result \(\.json\)'):
        read_results(tmp_path)
    for name, labels in (('a', ['walk']), ('b', ['run'])):
        info = VideoInfo(f'{name}.mp4', 640, 480, 25.0, 50, 2.0)
        write_result_json(VideoResult(info, label_maps={'atomic': labels}), tmp_path / f'{name}.json')
    with pytest.raises(InputError, match=r'b\.json: its atomic classes are not those of the results before it'):
        result_label_maps(tmp_path)


def test_origins_and_joined_tubelets_of_results_are_counted(tmp_path, sample):
    sample.tubelets['street.2'] = replace(sample.tubelets['street.2'], person_id=1)
    sample.boxes.frame_inds[:35] += 100
    # Of 55 boxes 34 show the head, one is interpolated, which results hold.
    marks = {'marks of edited boxes and visible heads': 34}
    assert write_results(sample, tmp_path) == {'tubelets joined to people': 1, 'origins of tubelets': 1, **marks}


def test_groups_of_results_come_from_a_label_map(tmp_path, sample, label_maps):
    write_results(sample, tmp_path, label_maps=label_maps)
    found = read_results(tmp_path, label_map=label_maps['atomic'])
    assert sorted(zip(found.aa.labels.tolist(), found.aa.groups.tolist())) == [(0, 'pose'), (2, 'pp'), (3, 'po')]
    assert found.ca.groups.tolist() == [''] and set(read_results(tmp_path).aa.groups.tolist()) == {''}
    assert table_findings(found, label_maps) == []


def test_every_function_and_format_is_named_on_the_page_of_formats():
    root = Path(__file__).parents[4]
    page = (root / 'docs' / 'formats.md').read_text(encoding='utf-8').partition('## Data sets')[2]
    assert [name for name in convert.__all__ if name not in page] == []
    tool = (root / 'tools' / 'data' / 'convert.py').read_text(encoding='utf-8')
    formats = re.search(r'^FORMATS = \((.*)\)$', tool, re.MULTILINE)[1].replace("'", '').split(', ')
    assert len(formats) == 7 and [name for name in formats if f'(`{name}`)' not in page] == []
