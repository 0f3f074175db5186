"""Tubelets with features: times, streams, subsets, windows, padding."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from mmtube.config import load_config
from mmtube.datasets import SEALTubes, tubelet_collate
from mmtube.datasets.transforms import LoadTubeletFeatures, PackTubelet, TubeletRescale, TubeletWindow
from mmtube.errors import InputError
from mmtube.structures.feature_grid import FeatureGrid, rows_to_seconds
from mmtube.structures.io import FeatureMeta, TubeletFeatures, write_features_npz
from mmtube.structures.seal import (
    ClassRank,
    InstanceTable,
    LabelMap,
    read_seal_json,
    write_class_rank,
    write_label_map,
    write_seal_json,
)

GRID = FeatureGrid(30, 32, 4)
PIPELINE = [dict(type='LoadTubeletFeatures'), dict(type='PackTubelet')]


def write_stream(root, name, dim=2, fps=30, window=32, stride=4, shift_s=0.0, fewer=0, skip=()):
    """Features of the films of ``seal_set``: the first number is 1 from 3 s of the film on, the second the time."""
    grid = FeatureGrid(fps, window, stride)
    films = {'a25': {'a.0': (0.0, 6.0), 'a.1': (3.0, 5.0)}, 'b30': {'b.0': (0.0, 2.0)}}
    for vid, spans in films.items():
        tubelets = {}
        for tid, (t0, t1) in spans.items():
            first, end = grid.windows(t0, t1, grid.num_windows(int(6 * fps)))
            centres = grid.center_s(np.arange(first, end - fewer))
            features = np.zeros((len(centres), dim))
            features[:, 0] = centres >= 3
            features[:, -1] = centres
            tubelets[tid] = TubeletFeatures(features, np.ones(len(centres)), centres[0] + shift_s, t0, t1)
        meta = FeatureMeta(name, fps, window, stride, 4, dim)
        if vid not in skip:
            write_features_npz(root / name / f'{vid}.npz', meta, tubelets)
    return dict(folder=str(root / name), stream=name)


@pytest.fixture
def stream(tmp_path):
    return write_stream(tmp_path, 'one')


def tubes(seal_set, features, **options):
    options = {'ann_file': 'train.json', 'data_root': str(seal_set), 'pipeline': PIPELINE, **options}
    return SEALTubes(features=features if isinstance(features, list) else [features], **options)


def seconds(sample):
    """Segments of a sample in seconds of the film."""
    return rows_to_seconds(sample.gt_instances.segments.numpy(), sample.offset_s, sample.rate)


# --- items ---


def test_training_serves_tubelets_with_instances_and_testing_all(seal_set, stream):
    train, test = tubes(seal_set, stream), tubes(seal_set, stream, test_mode=True)
    assert [train.get_data_info(i)['tid'] for i in range(len(train))] == ['a.0', 'a.1']
    assert [test.get_data_info(i)['tid'] for i in range(len(test))] == ['a.0', 'a.1', 'b.0']
    info = test.get_data_info(1)
    assert (info['video_id'], info['person_id'], info['t0_s'], info['t1_s']) == ('a25', 5, 3.0, 5.0)
    assert info['gt_segments_s'].tolist() == [[3.0, 5.0]] and info['gt_labels'].tolist() == [1]
    assert test.get_data_info(2)['gt_segments_s'].shape == (0, 2)


def test_a_sample_has_rows_by_time_and_segments_in_rows(seal_set, stream):
    item = tubes(seal_set, stream)[0]
    sample = item['data_samples']
    assert item['inputs'].shape == (2, 38) and item['inputs'].dtype == torch.float32  # (180 - 32) / 4 + 1
    np.testing.assert_allclose(item['inputs'][1], sample.offset_s + np.arange(38) / sample.rate, atol=2e-3)
    # Class 0 from 0 to 4 s: 0 s is 4 rows before row 0 at 0.533 s, so the segment begins half a row before row 0.
    np.testing.assert_allclose(sample.gt_instances.segments, [[-0.5, 26], [11, 26]], atol=1e-4)
    assert sample.gt_instances.labels.tolist() == [0, 2]
    assert sample.valid.all() and sample.gt_segments_s.tolist() == [[0, 4], [2, 4]]


def test_a_step_comes_back_at_its_time_in_a_tubelet_that_begins_mid_film(seal_set, tmp_path):
    # The tubelet a.1 begins at 3 s; plant a step at 3.7 s of the film.
    stream = write_stream(tmp_path, 'one')
    first, end = GRID.windows(3.0, 5.0, 38)
    centres = GRID.center_s(np.arange(first, end))
    features = TubeletFeatures((centres >= 3.7)[:, None], np.ones(len(centres)), centres[0], 3.0, 5.0)
    write_features_npz(
        tmp_path / 'one' / 'a25.npz', FeatureMeta('one', 30, 32, 4, 4, 1), {'a.0': features, 'a.1': features}
    )
    for steps in ([], [dict(type='TubeletRescale', rows=64)], [dict(type='TubeletWindow', rows=9)]):
        item = tubes(seal_set, stream, pipeline=[PIPELINE[0], *steps, PIPELINE[1]])[1]
        sample, row = item['data_samples'], item['inputs'][0].numpy()
        assert row.min() < 0.5 < row.max() or steps
        if row.min() < 0.5 < row.max():
            crossing = np.flatnonzero(row > 0.5)[0] - 0.5
            assert abs(rows_to_seconds(crossing, sample.offset_s, sample.rate) - 3.7) <= 1 / 15 + 1e-6, steps


def test_segments_come_back_to_seconds_whatever_was_done_to_the_rows(seal_set, stream):
    for steps in ([], [dict(type='TubeletRescale', rows=100)], [dict(type='TubeletRescale', rows=7)]):
        dataset = tubes(seal_set, stream, pipeline=[PIPELINE[0], *steps, PIPELINE[1]])
        found = seconds(dataset[0]['data_samples'])
        np.testing.assert_allclose(found[1], [2, 4], atol=1e-5)
        np.testing.assert_allclose(
            found[0], [dataset[0]['data_samples'].offset_s - 0.5 / dataset[0]['data_samples'].rate, 4], atol=1e-5
        )


# --- streams ---


def test_a_segment_where_no_window_fits_is_not_trained_on(seal_set, stream, tmp_path):
    # The last window of 6 s ends with the film; its middle is at 5.467 s, and half a row more is 5.533 s.
    annotations = read_seal_json(seal_set / 'train.json')
    rows = [('a.0', 0, 'pose', 5.54, 6.0), ('a.0', 1, 'pp', 5.5, 6.0)]
    write_seal_json(replace(annotations, aa=InstanceTable.from_rows(rows)), tmp_path / 'a.json')
    sample = tubes(seal_set, stream, ann_file=str(tmp_path / 'a.json'))[0]['data_samples']
    assert sample.gt_instances.labels.tolist() == [1]
    np.testing.assert_allclose(sample.gt_instances.segments, [[37.25, 37.5]], atol=1e-4)
    assert sample.gt_labels.tolist() == [0, 1] and sample.gt_segments_s.tolist() == [[5.54, 6.0], [5.5, 6.0]]


def test_a_class_beyond_the_label_map_is_refused_by_row(seal_set, stream, tmp_path):
    write_label_map(LabelMap('atomic', ('stand up', 'hug')), tmp_path / 'map.json')
    with pytest.raises(InputError, match=r'train\.json: atomic instance 1 \(tubelet a\.0\): label 2 is not below 2'):
        len(tubes(seal_set, stream, label_map=str(tmp_path / 'map.json')))


def test_two_streams_stand_side_by_side_on_the_same_rows(seal_set, tmp_path):
    # 30 and 15 fps with the windows of SEAL: the same centres. The second is one row shorter.
    streams = [write_stream(tmp_path, 'slowfast_t', 3), write_stream(tmp_path, 'tsp_t', 2, 15, 16, 2, fewer=1)]
    item = tubes(seal_set, streams)[0]
    assert item['inputs'].shape == (5, 37) and item['data_samples'].dims == [3, 2]
    np.testing.assert_allclose(item['inputs'][2], item['inputs'][4])


@pytest.mark.parametrize(
    ('other', 'told'),
    [
        (dict(fewer=2), 'tubelet a.0: has 36 rows, .* has 38'),
        (dict(shift_s=0.1), r'tubelet a.0: row 0 is at 0\.6333 s, in .* at 0\.5333 s'),
        (dict(stride=8), 'tubelet a.0: has 3.75 rows per second, .* has 7.5'),
    ],
)
def test_streams_on_other_rows_are_refused(seal_set, tmp_path, stream, other, told):
    with pytest.raises(InputError, match=told):
        tubes(seal_set, [stream, write_stream(tmp_path, 'two', **other)])[0]


def test_a_row_is_valid_where_all_streams_are(seal_set, tmp_path):
    paths = []
    for name, hole in (('one', 1), ('two', 3)):
        valid = np.ones(5, bool)
        valid[hole] = False
        write_features_npz(
            tmp_path / name / 'a25.npz',
            FeatureMeta(name, 30, 32, 4, 4, 1),
            {'a.1': TubeletFeatures(np.ones((5, 1)), valid, 3.2, 3.0, 5.0)},
        )
        paths.append(str(tmp_path / name / 'a25.npz'))
    info = dict(
        tid='a.1', feature_files=paths, demanded=[{}, {}], gt_segments_s=np.zeros((0, 2)), gt_labels=np.zeros(0)
    )
    assert LoadTubeletFeatures()(info)['valid'].tolist() == [True, False, True, False, True]


def test_a_film_without_features_is_refused_before_training(seal_set, tmp_path):
    stream = write_stream(tmp_path, 'one', skip=('a25',))
    with pytest.raises(InputError, match=r'one: has no feature file a25\.npz, which .*train\.json needs'):
        tubes(seal_set, stream)


def test_features_of_another_extractor_are_refused(seal_set, stream):
    with pytest.raises(InputError, match=r'a25\.npz: stride is 4, the config demands 16'):
        tubes(seal_set, {**stream, 'stride': 16})[0]


# --- subsets ---


def test_a_subset_keeps_the_instances_of_its_classes(seal_set, stream, tmp_path):
    write_class_rank(ClassRank.count('atomic', [2, 2, 1], 3, 'a test'), tmp_path / 'rank.json')
    dataset = tubes(seal_set, stream, class_rank=str(tmp_path / 'rank.json'), subset='top1')
    assert len(dataset) == 1 and dataset.get_data_info(0)['gt_labels'].tolist() == [2]
    both = tubes(seal_set, stream, class_rank=str(tmp_path / 'rank.json'), subset='top1-3')
    assert [both.get_data_info(i)['gt_labels'].tolist() for i in range(2)] == [[0], [1]]
    write_class_rank(ClassRank.count('complex', [0], 1, 'a test'), tmp_path / 'other.json')
    with pytest.raises(InputError, match='ranks complex classes, not atomic'):
        tubes(seal_set, stream, class_rank=str(tmp_path / 'other.json'), subset='top1')


def test_labels_of_items_are_told_to_samplers(seal_set, stream):
    offsets, labels = tubes(seal_set, stream, test_mode=True).item_labels()
    assert offsets.tolist() == [0, 2, 3, 3] and labels.tolist() == [0, 2, 1]


# --- rescaling ---


def rows(values, valid=None, segments=((0.0, 1.0),), offset_s=10.0, rate=2.0):
    values = np.asarray(values, np.float32)
    segments = np.array(segments, np.float64).reshape(-1, 2)
    return dict(
        features=values[:, None],
        valid=np.ones(len(values), bool) if valid is None else np.array(valid, bool),
        offset_s=offset_s,
        rate=rate,
        num_rows=len(values),
        segments_s=offset_s + segments / rate,
        segments=segments.astype(np.float32),
        labels=np.arange(len(segments)),
    )


def test_rescaling_to_twice_the_rows_lies_between_them():
    results = TubeletRescale(8)(rows([0, 1, 2, 3], segments=[(-0.5, 3.5), (1, 2)]))
    # New rows lie at -0.25, 0.25, 0.75, ... of the old ones; beyond the ends the first and last stay.
    np.testing.assert_allclose(results['features'][:, 0], [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])
    np.testing.assert_allclose(results['segments'], [[-0.5, 7.5], [2.5, 4.5]])
    assert results['rate'] == 4 and results['offset_s'] == 10 - 0.25 / 2


def test_rescaling_goes_over_rows_without_a_person():
    results = TubeletRescale(4)(rows([0, 99, 99, 3], valid=[1, 0, 0, 1]))
    np.testing.assert_allclose(results['features'][:, 0], [0, 1, 2, 3], atol=1e-6)
    assert results['valid'].all()


def test_rescaling_a_single_row_or_none_valid():
    assert TubeletRescale(3)(rows([5]))['features'][:, 0].tolist() == [5, 5, 5]
    results = TubeletRescale(3)(rows([5, 5], valid=[0, 0]))
    assert results['features'][:, 0].tolist() == [0, 0, 0] and not results['valid'].any()


# --- windows ---


def test_a_random_window_keeps_what_is_inside_by_three_quarters():
    draws = [TubeletWindow(10)(rows(np.arange(40), segments=[(5, 13)])) for _ in range(200)]
    for results in draws:
        begin = int(results['features'][0, 0])
        inside = (min(begin + 9.5, 13) - max(begin - 0.5, 5)) / 8
        assert len(results['labels']) == (inside >= 0.75)
        assert results['offset_s'] == 10 + begin / 2 and results['num_rows'] == 10
        if inside >= 0.75:
            expected = np.clip([5 - begin, 13 - begin], -0.5, 9.5)
            np.testing.assert_allclose(results['segments'][0], expected, atol=1e-5)
    assert sum(len(results['labels']) for results in draws) > 120  # empty ones are drawn again


def test_a_short_tubelet_is_not_cut():
    assert TubeletWindow(10)(rows(np.arange(10)))['num_rows'] == 10


def test_testing_cuts_overlapping_windows_that_cover_the_tubelet(seal_set, stream):
    pipeline = [PIPELINE[0], dict(type='TubeletWindow', rows=16), PIPELINE[1]]
    dataset = tubes(seal_set, stream, pipeline=pipeline, test_mode=True, window_rows=16)
    samples = [dataset[index]['data_samples'] for index in range(len(dataset))]
    # a.0 has 38 rows: windows at 0, 8, 16 and the last at 22; a.1 and b.0 have fewer than 16.
    assert [(sample.tid, sample.row_range) for sample in samples[:4]] == [('a.0', (b, b + 16)) for b in (0, 8, 16, 22)]
    assert [sample.tid for sample in samples[4:]] == ['a.1', 'b.0']
    np.testing.assert_allclose(samples[3].offset_s, 8 / 15 + 22 * 2 / 15)
    np.testing.assert_allclose(dataset[3]['inputs'][1, 0], samples[3].offset_s, atol=2e-3)
    # Class 2 from 2 to 4 s is rows 11 to 26: in the window from row 8 it is seen from row 3 to its end.
    second = samples[1].gt_instances
    np.testing.assert_allclose(second.segments[second.labels == 2], [[3, 15.5]], atol=1e-4)


def test_options_out_of_range_are_refused():
    for wrong in (dict(window_rows=0), dict(window_overlap=1.0), dict(subset='top1')):
        with pytest.raises(ValueError, match=r'window|subset'):
            SEALTubes(lazy_init=True, **wrong)


# --- batches ---


def packed(count):
    info = {**rows(np.arange(count)), 'tid': f't{count}'}
    info['valid'][0] = False
    return PackTubelet()(info)


def test_a_batch_is_padded_and_says_which_rows_are_real():
    batch = tubelet_collate([packed(3), packed(5)])
    assert batch['inputs']['features'].shape == (2, 1, 5)
    assert batch['inputs']['features'][0, 0].tolist() == [0, 1, 2, 0, 0]
    assert batch['inputs']['mask'].int().tolist() == [[0, 1, 1, 0, 0], [0, 1, 1, 1, 1]]
    assert [sample.tid for sample in batch['data_samples']] == ['t3', 't5']
    assert tubelet_collate([packed(3)], multiple=4)['inputs']['mask'].shape == (1, 4)
    assert tubelet_collate([packed(3)], rows=10)['inputs']['mask'].shape == (1, 10)


def test_the_base_config_serves_batches(seal_set, tmp_path):
    cfg = load_config('configs/_base_/datasets/seal_tubes.py')
    folder = write_stream(tmp_path, 'slowfast_t', 4)['folder']
    for part in (cfg.train_dataloader, cfg.val_dataloader):
        part.num_workers, part.persistent_workers = 0, False
        part.dataset.update(data_root=str(seal_set), ann_file='train.json', label_map='map.json')
        part.dataset.features = [dict(part.dataset.features[0], folder=folder, dim=4)]
        with DefaultScope.overwrite_default_scope('mmtube'):
            batch = next(iter(Runner.build_dataloader(part, seed=0)))
        assert batch['inputs']['features'].shape[1:] == (4, 38)


def test_both_tasks_at_once_have_labels_one_after_the_other(seal_set, stream):
    maps = ['label_map_atomic.json', 'label_map_complex.json']
    names = {}
    for task, name in zip(('atomic', 'complex'), maps):
        count = 1 + int(read_seal_json(seal_set / 'train.json').instances(task).labels.max(initial=1))
        names[task] = tuple(f'{task} {label}' for label in range(count))
        write_label_map(LabelMap(task, names[task]), seal_set / name)
    both = tubes(seal_set, stream, task='joint', label_map=maps, test_mode=True)
    assert both.metainfo['classes'] == (*names['atomic'], *names['complex'])
    parts = [tubes(seal_set, stream, task=task, test_mode=True) for task in ('atomic', 'complex')]
    for item in range(len(both)):
        found, (atomic, activity) = both.get_data_info(item), (part.get_data_info(item) for part in parts)
        assert found['gt_labels'].tolist() == [
            *atomic['gt_labels'].tolist(),
            *(activity['gt_labels'] + len(names['atomic'])).tolist(),
        ]
        times_s = np.concatenate([atomic['gt_segments_s'], activity['gt_segments_s']])
        assert found['gt_segments_s'].tolist() == times_s.tolist()
    with pytest.raises(ValueError, match='joint needs 2 label maps'):
        tubes(seal_set, stream, task='joint', lazy_init=True)
