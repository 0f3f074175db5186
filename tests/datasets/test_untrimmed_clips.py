"""Clips of actions and gaps: where they lie, what they are labelled, and what is refused with its place."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmtube.config import load_config
from mmtube.datasets import UntrimmedClips
from mmtube.datasets.untrimmed_clips import gaps
from mmtube.errors import InputError
from mmtube.structures.io.features_npz import FeatureMeta, TubeletFeatures, write_features_npz
from mmtube.testing import make_film

META = FeatureMeta('tsp_frame', 15.0, 16, 16, 0.0, 4)


def film(duration, *segments, subset='training', **facts):
    """An entry of ActivityNet's JSON; segments are start, end and label."""
    notes = [{'segment': [start, end], 'label': label} for start, end, label in segments]
    return {'subset': subset, 'duration': duration, 'annotations': notes, **facts}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Films a of 8 s, b of 0.8 s and c of 4 s, with features of a and c."""
    root = tmp_path_factory.mktemp('films')
    (root / 'videos').mkdir()
    make_film(root / 'videos' / 'a.mp4', 200)
    make_film(root / 'videos' / 'b.mp4', 20)
    make_film(root / 'videos' / 'c.mkv', 120, (48, 64), 30)
    rows = {'a': [[1, 5, 0, 0], [9, 2, 0, 0], [3, 3, 8, 0]], 'c': [[0, 0, 0, 1]]}
    for name, values in rows.items():
        valid = np.arange(len(values)) != 1  # the second row of a does not count
        features = TubeletFeatures(np.array(values, np.float16), valid, 8 / 15, 0.0, 8.0)
        write_features_npz(root / 'features' / f'{name}.npz', META, {name: features})
    return root


@pytest.fixture
def clips(root, tmp_path):
    def make(database=None, document=None, **options):
        document = {'version': 'VERSION 1.3', 'database': database} if document is None else document
        (tmp_path / 'ann.json').write_text(json.dumps(document))
        options = {'pipeline': [], 'test_mode': True, 'data_prefix': dict(video=str(root / 'videos')), **options}
        return UntrimmedClips(ann_file=str(tmp_path / 'ann.json'), data_root=str(root), **options)

    return make


TWO = {
    # Gaps 0 to 2 and 6 to 8; the segments overlap, and the film has no gap between them.
    'a': film(8.0, (4.0, 6.0, 'run'), (2.0, 5.0, 'jump')),
    # A gap from 0 to 1.5 and one of a second, which is too short for a clip.
    'c': film(4.0, (1.5, 3.0, 'run')),
}


def rows(dataset):
    """Film, label and the beginning of each clip, by clip."""
    found = [dataset[number] for number in range(len(dataset))]
    return [(info['video_id'], info['label'], round(info['clip_start_s'], 6)) for info in found]


def test_each_action_and_gap_gives_clips_from_its_beginning_to_its_end(clips):
    dataset = clips(TWO, clip_s=1.0, clips_per_segment=3)
    assert dataset.metainfo['classes'] == ('jump', 'run') and dataset.metainfo['regions'][1] == 'foreground'
    jump, run, none = 0, 1, -1
    assert rows(dataset) == [
        *[('a', none, start) for start in (0.0, 0.5, 1.0)],
        *[('a', jump, start) for start in (2.0, 3.0, 4.0)],
        *[('a', run, start) for start in (4.0, 4.5, 5.0)],
        *[('a', none, start) for start in (6.0, 6.5, 7.0)],
        *[('c', none, start) for start in (0.0, 0.25, 0.5)],
        *[('c', run, start) for start in (1.5, 1.75, 2.0)],
        *[('c', none, start) for start in (3.0, 3.0, 3.0)],
    ]
    assert [dataset[number]['gt_region'] for number in (0, 3, 6, 9)] == [0, 1, 1, 0]
    info = dataset[4]
    assert info['segment_s'].tolist() == [2, 5] and (info['key_s'], info['clip_end_s']) == (3.5, 4.0)
    assert info['ori_shape'] == (48, 64) and dataset[12]['ori_shape'] == (64, 48)


def test_what_is_shorter_than_a_clip_gives_none(clips):
    dataset = clips({**TWO, 'b': film(0.8, (0.1, 0.7, 'run'))}, clip_s=1.2, clips_per_segment=1)
    # The last gap of c lasts a second. A single clip of a segment lies in its middle.
    assert rows(dataset) == [
        ('a', -1, 0.4),
        ('a', 0, 2.9),
        ('a', 1, 4.4),
        ('a', -1, 6.4),
        ('c', -1, 0.15),
        ('c', 1, 1.65),
    ]


def test_a_film_without_actions_is_background(clips):
    dataset = clips({**TWO, 'c': film(4.0)}, clip_s=1.0, clips_per_segment=2)
    assert rows(dataset)[-2:] == [('c', -1, 0.0), ('c', -1, 3.0)]


def test_in_training_clips_lie_anywhere_inside_and_move(clips):
    dataset = clips(TWO, clip_s=1.0, clips_per_segment=2, test_mode=False)
    starts = np.array([[dataset[number]['clip_start_s'] for number in range(len(dataset))] for _ in range(50)])
    segments = np.array([dataset[number]['segment_s'] for number in range(len(dataset))])
    assert (starts >= segments[:, 0]).all() and (starts + 1.0 <= segments[:, 1] + 1e-9).all()
    room = segments[:, 1] - segments[:, 0] - 1
    assert (np.ptp(starts, axis=0) >= 0.7 * room).all() and room.max() == 2
    assert len(np.unique(starts[:, 2])) == 50


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=6),
    st.integers(1, 12),
)
def test_gaps_are_what_no_action_covers(pieces, extra):
    segments = np.array([(start, start + length) for start, length in pieces], float).reshape(-1, 2)
    duration = int(segments.max(initial=0)) + extra
    seconds = np.arange(duration) + 0.5
    covered = ((segments[:, :1] < seconds) & (seconds < segments[:, 1:])).any(axis=0)
    found = gaps(segments, float(duration))
    free = ((found[:, :1] < seconds) & (seconds < found[:, 1:])).sum(axis=0)
    assert (free == ~covered).all() and (found[1:, 0] > found[:-1, 1]).all()


def test_splits_share_their_classes(clips):
    database = {'a': film(8.0, (2, 5, 'jump')), 'c': film(4.0, (1, 3, 'run'), subset='validation')}
    for split, label in (('train', 0), ('val', 1)):
        dataset = clips(database, split=split, clip_s=1.0)
        assert {row[1] for row in rows(dataset)} == {-1, label} and dataset.metainfo['classes'] == ('jump', 'run')
    with pytest.raises(InputError, match="no film of 'test', it has train, val"):
        clips(database, split='test')


def test_the_film_is_the_greatest_of_its_valid_rows(clips):
    dataset = clips(TWO, clip_s=1.0, features=dict(folder='features', stream='tsp_frame'))
    feature = dataset[0]['video_feature']
    assert feature.dtype == np.float32 and feature.tolist() == [3, 5, 8, 0]
    feature[:] = 7  # what a transform does to it stays there
    assert dataset[1]['video_feature'].tolist() == [3, 5, 8, 0]
    assert clips(TWO)[0]['video_feature'].shape == (0,)


def test_features_that_do_not_fit_are_refused(clips, root):
    with pytest.raises(InputError, match=r'a\.npz: stream is .tsp_frame., the config demands .other.'):
        clips(TWO, features=dict(folder='features', stream='other'))[0]
    database = {'b': film(2.0, (0, 2, 'run')), **TWO}
    with pytest.raises(InputError, match=r'features: has no feature file b\.npz, which .*ann\.json: database\["b"\]'):
        clips(database, features=dict(folder='features'))
    nothing = TubeletFeatures(np.zeros((0, 4), np.float16), np.zeros(0, bool), 0.5, 0.0, 0.8)
    write_features_npz(root / 'empty' / 'a.npz', META, {'a': nothing})
    with pytest.raises(InputError, match=r"empty/a\.npz: 'a' has no row"):
        clips({'a': TWO['a']}, features=dict(folder='empty'))[0]


@pytest.mark.parametrize(
    'database, told',
    [
        ({'a': film(8.0, (5, 4, 'run'))}, r'database\["a"\].annotations\[0\].segment: 5 to 4 s is no part'),
        ({'a': film(8.0, (1, 2, 'run'), (3, 9, 'run'))}, r'annotations\[1\].segment: 3 to 9 s is no part of .* 8 s'),
        ({'a': film(0.0)}, r'database\["a"\].duration: must be positive'),
        ({'no': film(8.0, (1, 4, 'run'))}, r"has no film 'no'.*, which .*ann.json: database\[\"no\"\] needs"),
        ({'b': film(0.8, (0, 0.8, 'run'))}, r'no action and no gap of its 1 films is as long as a clip of 1.067 s'),
        ({'a': film(8.0)}, r'ann.json: none of its 1 films has an action'),
        ({'a': {'subset': 'training'}}, '"duration" is missing'),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_place(clips, database, told):
    with pytest.raises(InputError, match=told) as raised:
        clips(database)
    assert '\n' not in str(raised.value)


def test_a_label_that_the_label_map_lacks_is_refused(clips, tmp_path):
    (tmp_path / 'map.json').write_text(json.dumps({'task': 'complex', 'names': ['run', 'swim']}))
    with pytest.raises(InputError, match=r"annotations\[1\].label: there is no class 'jump' in the label map"):
        clips(TWO, label_map=str(tmp_path / 'map.json'))
    dataset = clips({'c': TWO['c']}, label_map=str(tmp_path / 'map.json'), clip_s=1.0)
    assert dataset.metainfo['classes'] == ('run', 'swim') and {row[1] for row in rows(dataset)} == {-1, 0}


def test_films_that_cannot_be_used_may_be_left_out_as_a_whole(clips):
    database = {
        'gone': film(9.0, (1, 4, 'run')),
        'b': film(0.0, (0, 0.8, 'run')),
        'a': film(8.0, (1, 2, 'run'), (5, 4, 'jump')),  # where the wrong segment lies is no background
        'c': TWO['c'],
    }
    dataset = clips(database, strict=False, clip_s=1.0)
    assert {row[0] for row in rows(dataset)} == {'c'}
    with pytest.raises(InputError, match=r"no film can be used; 1 of 1 films are left out.*has no film 'gone'"):
        clips({'gone': database['gone']}, strict=False)


def test_files_may_be_named_otherwise_than_keys(clips, root, tmp_path):
    (tmp_path / 'videos').mkdir()
    (tmp_path / 'videos' / 'v_x.mp4').symlink_to(root / 'videos' / 'a.mp4')
    dataset = clips({'x': TWO['a']}, film_name='v_{vid}', data_prefix=dict(video=str(tmp_path / 'videos')))
    assert dataset[0]['film'].endswith('v_x.mp4') and dataset[0]['video_id'] == 'x'


def test_wrong_arguments_are_refused(clips):
    for options in (dict(clip_s=0), dict(clips_per_segment=0), dict(film_name='v_')):
        with pytest.raises(ValueError, match='must'):
            clips(TWO, **options)


@pytest.mark.parametrize('split', ['train', 'val'])
def test_the_pipeline_of_the_config_reads_the_clip(clips, split):
    """Numbered frames: the grey of frame i of a is 20 + 8 * (i % 25), and 15 frames a second are every 5/3rd."""
    cfg = load_config('tsp/tsp_r2plus1d34_activitynet')[f'{split}_dataloader'].dataset
    options = dict(pipeline=cfg.pipeline, features=dict(folder='features'), clips_per_segment=1, clip_s=cfg.clip_s)
    packed = clips({'a': film(8.0, (2.02, 5.02, 'jump'))}, **options)[1]  # the middle of it, from 2.987 s on
    pixels, sample = packed['inputs'], packed['data_samples']
    assert pixels.shape == (3, 16, 112, 112) and pixels.dtype == torch.uint8
    start_s = 2.02 + (3 - 16 / 15) / 2
    numbers = np.round((start_s + np.arange(16) / 15) * 25).astype(int)
    np.testing.assert_allclose(pixels.float().mean((0, 2, 3)).numpy(), 20 + 8 * (numbers % 25), atol=3)
    assert sample.gt_label.tolist() == [0] and sample.gt_region.tolist() == [1]
    assert sample.video_feature.tolist() == [3, 5, 8, 0] and sample.video_id == 'a'
    assert sample.clip_start_s == pytest.approx(start_s)
