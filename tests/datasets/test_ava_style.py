"""AVA's csv for films of any rate and length, and what is refused with its row."""

import json
import pickle

import numpy as np
import pytest
from mmengine.registry import DefaultScope

from mmtube.config import load_config
from mmtube.datasets import AVAStyle
from mmtube.datasets.ava_table import read_ava_table
from mmtube.datasets.film_facts import film_record
from mmtube.errors import InputError
from mmtube.registry import DATASETS
from mmtube.testing import make_film

LABELS = 'item {\n  name: "walk"\n  id: 12\n}\nitem {\n  name: "talk"\n  id: 17\n}\n'
ROWS = """b,0001,0.0,0.0,0.5,1.0,17,4
b,0001,0.0,0.0,0.5,1.0,12,4
b,0001,0.5,0.0,1.0,1.0,12,6
a,0002,0.25,0.25,0.75,0.75,12,1
a,1.5,0.25,0.25,0.75,0.75,17,1
"""


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Two films: a of 5 s at 25 fps and 64x48, b of 3 s at 30 fps and 48x64."""
    root = tmp_path_factory.mktemp('ava')
    (root / 'videos').mkdir()
    make_film(root / 'videos' / 'a.mp4', 125)
    make_film(root / 'videos' / 'b.mkv', 90, (48, 64), 30)
    (root / 'labels.pbtxt').write_text(LABELS)
    return root


@pytest.fixture
def ava(root, tmp_path):
    def make(rows=ROWS, **options):
        (tmp_path / 'ava.csv').write_text(rows)
        options = {'label_file': 'labels.pbtxt', 'pipeline': [], **options}
        return AVAStyle(
            ann_file=str(tmp_path / 'ava.csv'), data_root=str(root), data_prefix=dict(video='videos'), **options
        )

    return make


def test_rows_become_key_times_and_people_with_their_labels(ava):
    dataset = ava()
    assert [dataset[i]['img_key'] for i in range(3)] == ['a,1.5', 'a,0002', 'b,0001']
    info = dataset[2]
    assert info['timestamp'] == 1 and info['key_s'] == 1.0 and info['fps'] == 30 and info['ori_shape'] == (64, 48)
    assert info['person_ids'].tolist() == [4, 6]
    assert info['gt_bboxes'].tolist() == [[0, 0, 24, 64], [24, 0, 48, 64]]
    assert info['gt_labels'].tolist() == [[True, True], [True, False]]  # walk, talk: the order of the file
    assert (info['clip_start_s'], info['clip_end_s'], info['duration_s']) == (0.0, 2.0, 3.0)
    assert dataset[0]['timestamp'] == 1.5 and dataset.metainfo['classes'] == ('walk', 'talk')


def test_clips_are_read_by_the_films_own_rates(ava):
    steps = [
        dict(type='SampleSEALClip', clip_len=4, frame_interval=1),
        dict(type='DecodeWindow'),
        dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
        dict(type='PackSEALClip'),
    ]
    dataset = ava(pipeline=steps, test_mode=True)
    for index, first in ((1, [48, 49, 50, 51]), (2, [28, 29, 30, 31])):
        grey = dataset[index]['inputs'].float().mean(dim=(0, 2, 3))
        times = dataset[index]['data_samples'].frame_times_s
        numbers = [round((float(level) - 20) / 8) for level in grey]
        if index == 1:
            assert numbers == [frame % 25 for frame in first]
        else:  # 0.92, 0.96, 1.0, 1.04 s at 30 fps: frames 27.6, 28.8, 30, 31.2
            np.testing.assert_allclose(times, [0.92, 0.96, 1.0, 1.04])
            assert numbers == [28 % 25, 29 % 25, 30 % 25, 31 % 25]


def test_timestamps_may_begin_elsewhere(ava):
    info = ava('a,0902,0,0,1,1,12,0\n', time_offset_s=900)[0]
    assert (info['img_key'], info['key_s']) == ('a,0902', 2.0)


def test_a_table_of_films_spares_opening_them(ava, tmp_path):
    record = dict(source='web', width=1000, height=500, fps=10, num_frames=1000, duration=100.0, split='train')
    (tmp_path / 'films.json').write_text(json.dumps({'x': record}))
    info = None
    with pytest.raises(InputError, match="no film 'x'"):  # the film itself is needed for its frames only
        info = ava('x,0050,0,0,0.5,1,12,0\n', videos=str(tmp_path / 'films.json'))[0]
    assert info is None
    dataset = ava('x,0050,0,0,0.5,1,12,0\n', videos=str(tmp_path / 'films.json'))
    assert len(dataset) == 1 and dataset.films['x'].width == 1000


def test_excluded_key_times_do_not_count(ava, tmp_path):
    (tmp_path / 'out.csv').write_text('a,0002\nb,0009\n')
    assert len(ava(exclude_file=str(tmp_path / 'out.csv'))) == 2
    (tmp_path / 'out.csv').write_text('a\n')
    with pytest.raises(InputError, match=r"out\.csv:1: 'a' is not video,timestamp"):
        ava(exclude_file=str(tmp_path / 'out.csv'))


def test_proposals_take_the_place_of_annotated_boxes(ava, tmp_path):
    content = {'a,0002': np.array([[0, 0, 0.5, 0.5, 0.95], [0, 0, 1, 1, 0.5]])}
    (tmp_path / 'p.pkl').write_bytes(pickle.dumps(content))
    dataset = ava(proposal_file=str(tmp_path / 'p.pkl'), test_mode=True)
    assert dataset[1]['proposals'].tolist() == [[0, 0, 32, 24]] and len(dataset[1]['gt_bboxes']) == 1
    assert dataset[2]['proposals'].shape == (0, 4)


def test_a_pickle_that_would_run_something_is_refused(ava, tmp_path):
    (tmp_path / 'p.pkl').write_bytes(pickle.dumps(print))
    with pytest.raises(InputError, match=r'builtins\.print'):
        ava(proposal_file=str(tmp_path / 'p.pkl'))


def test_labels_that_are_not_listed_can_be_dropped(ava):
    dataset = ava(ROWS + 'a,0003,0,0,1,1,80,1\n', unlisted_labels='drop')
    assert len(dataset) == 3


def test_labels_of_items_are_told_to_samplers(ava):
    offsets, labels = ava().item_labels()
    assert offsets.tolist() == [0, 1, 2, 4] and labels.tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ('row', 'told'),
    [
        ('a,0002,16,12,48,36,12,1', r'ava\.csv:2: box 16,12,48,36 is in pixels, fractions'),
        ('a,0002,0.5,0.5,0.5,0.75,12,1', r'ava\.csv:2: box .* has no area'),
        ('a,0002,-0.5,0.5,0.6,0.75,12,1', r'ava\.csv:2: box .* is outside'),
        ('a,0002,0.5,0.5,nan,0.75,12,1', r'ava\.csv:2: a number is not finite'),
        ('a,0002,0.5,0.5,0.6,0.75', r'ava\.csv:2: has 6 columns'),
        ('a,0002,0.5,0.5,0.6,0.75,walk,1', r"ava\.csv:2: could not convert string to float: 'walk'"),
        ('a,0002,0.5,0.5,0.6,0.75,1.5,1', r'ava\.csv:2: action 1\.5 is no whole number'),
        ('a,0002,0.5,0.5,0.6,0.75,13,1', r'ava\.csv:2: action 13 is not in labels\.pbtxt: it has 2 from 12 to 17'),
        ('c,0002,0.5,0.5,0.6,0.75,12,1', r"ava\.csv:2: film 'c': .*has no film 'c'"),
        ('a,0902,0.5,0.5,0.6,0.75,12,1', r"ava\.csv:2: timestamp 902 is outside of film 'a': it is 5 s long"),
    ],
)
def test_a_wrong_row_is_refused_with_its_cause(ava, row, told):
    with pytest.raises(InputError, match=told) as caught:
        ava(f'a,0001,0.1,0.1,0.9,0.9,12,1\n{row}\n')
    assert '\n' not in str(caught.value)


def test_a_file_that_counts_labels_from_0_is_told_so(ava, tmp_path):
    (tmp_path / 'names.txt').write_text('walk\ntalk\n')
    row = 'a,0001,0.1,0.1,0.9,0.9,0,1\n'
    with pytest.raises(InputError, match=r'ava\.csv:1: action 0 is not in .*: labels count from 1 .* first_label=0'):
        ava(row, label_file=str(tmp_path / 'names.txt'))
    dataset = ava(row, label_file=str(tmp_path / 'names.txt'), first_label=0)
    assert dataset[0]['gt_labels'].tolist() == [[True, False]]


def test_person_ids_may_be_absent_and_people_are_then_told_apart_by_their_boxes(ava):
    info = ava('a,0001,0,0,0.5,1,12\na,0001,0,0,0.5,1,17\na,0001,0.5,0,1,1,17,\n')[0]
    assert info['person_ids'].tolist() == [-1, -1]
    assert info['gt_labels'].tolist() == [[True, True], [False, True]]


def test_rows_without_people_and_empty_files_are_normal(ava, tmp_path):
    assert len(ava('a,0001,,,,,,\n\na,0002,0,0,1,1,12,1\n')) == 1
    assert len(ava('')) == 0
    assert len(read_ava_table(tmp_path / 'ava.csv')) == 0


def test_facts_of_a_film_come_from_its_container(root, tmp_path):
    record = film_record(root / 'videos' / 'b.mkv')
    assert (record.width, record.height, record.fps, record.num_frames) == (48, 64, 30, 90)
    assert record.duration_s == pytest.approx(3.0, abs=0.04)
    turned = film_record(make_film(tmp_path / 't.mp4', 5, rotation=90))
    assert (turned.width, turned.height) == (48, 64)


def test_the_base_config_serves(root, tmp_path):
    cfg = load_config('configs/_base_/datasets/ava_style.py')
    (tmp_path / 'ava.csv').write_text(ROWS)
    dataset = {**cfg.val_dataloader.dataset, 'ann_file': str(tmp_path / 'ava.csv'), 'data_root': str(root)}
    dataset.update(label_file='labels.pbtxt', exclude_file=None)
    with DefaultScope.overwrite_default_scope('mmtube'):
        item = DATASETS.build(dataset)[0]
    assert item['inputs'].shape == (3, 32, 48, 64)
