"""Whole videos as tubelets: times of rows, streams, subsets, windows, and what is refused."""

import json

import numpy as np
import pytest
import torch

from mmtube.datasets import VideoFeatures, tubelet_collate
from mmtube.datasets.transforms import LoadVideoFeatures
from mmtube.errors import InputError
from mmtube.structures.feature_grid import rows_to_seconds
from mmtube.structures.io import FeatureMeta, TubeletFeatures, write_features_npz

PIPELINE = [dict(type='LoadVideoFeatures'), dict(type='PackTubelet')]
TSP = dict(folder='tsp', file='v_{vid}.npy', fps=15, window=16, stride=16)
STEP_S = 7.3


def centres(duration_s, fps, window, stride):
    count = int((duration_s * fps - window) // stride) + 1
    return (np.arange(count) * stride + window / 2) / fps


def values(times_s):
    """A step at 7.3 s, and the time."""
    return np.stack([times_s >= STEP_S, times_s], 1).astype(np.float32)


def video(duration_s, *segments, subset='training', **facts):
    notes = [dict(segment=[start, end], label=label) for start, end, label in segments]
    return dict(subset=subset, duration=duration_s, annotations=notes, **facts)


DATABASE = {
    'a': video(32.0, (STEP_S, 20.0, 'run'), (1.0, 3.0, 'jump'), fps=30.0),
    'b': video(16.0, (2.0, 4.0, 'Ambiguous'), (5.0, 9.0, 'run'), fps=25.0),
    'c': video(20.0, (4.0, 9.0, 'swim'), subset='Validation'),
    'd': video(12.0, subset='Validation'),
}


@pytest.fixture
def root(tmp_path):
    for vid, entry in DATABASE.items():
        times_s = centres(entry['duration'], 15, 16, 16)
        rows = {'tsp/v_{}.npy': values(times_s), 'turned/{}.npy': values(times_s).T}
        parts = (np.arange(100) + 0.5) * entry['duration'] / 100
        rows |= {'parts/{}.npy': values(parts)}
        fine_s = centres(entry['duration'], 30, 32, 4)
        rows |= {'fine/{}.npy': values(fine_s)}
        for name, found in rows.items():
            path = tmp_path / name.format(vid)
            path.parent.mkdir(exist_ok=True)
            np.save(path, found)
        np.savetxt(tmp_path / 'parts' / f'{vid}.csv', values(parts), delimiter=',', header='f0,f1', comments='')
        torch.save(torch.from_numpy(values(times_s)), tmp_path / 'tsp' / f'{vid}.pt')
        own = TubeletFeatures(values(fine_s), np.ones(len(fine_s)), fine_s[0], 0.0, entry['duration'])
        write_features_npz(tmp_path / 'own' / f'{vid}.npz', FeatureMeta('slow', 30, 32, 4, 0, 2), {vid: own})
    return tmp_path


@pytest.fixture
def videos(root):
    def make(*streams, database=DATABASE, **options):
        (root / 'a.json').write_text(json.dumps({'database': database} if database is DATABASE else database))
        options = {'subset': 'training', 'pipeline': PIPELINE, 'aside': 'Ambiguous', **options}
        return VideoFeatures('a.json', streams or (TSP,), data_root=str(root), **options)

    return make


STREAMS = {
    'npy': TSP,
    'turned': dict(TSP, folder='turned', file='{vid}.npy', channels_first=True),
    'pt': dict(TSP, file='{vid}.pt'),
    'parts': dict(folder='parts', rescaled=True),
    'csv': dict(folder='parts', file='{vid}.csv', rescaled=True),
    'npz': dict(folder='own', file='{vid}.npz', stream='slow'),
    'own rate': dict(folder='fine', window=32, stride=4),  # a is 30 frames per second
}


@pytest.mark.parametrize('name', STREAMS)
@pytest.mark.parametrize('steps', [[], [dict(type='TubeletRescale', rows=128)]])
def test_a_step_at_7_3_s_comes_back_within_a_row(videos, name, steps):
    item = videos(STREAMS[name], pipeline=[PIPELINE[0], *steps, PIPELINE[1]])[0]
    sample, row = item['data_samples'], item['inputs'].numpy()
    width = max(1 / sample.rate, 32 / 30 if name in ('npy', 'turned', 'pt') else 32 / 100)
    crossing = np.flatnonzero(row[0] > 0.5)[0] - 0.5
    assert abs(rows_to_seconds(crossing, sample.offset_s, sample.rate) - STEP_S) <= width
    times_s = rows_to_seconds(np.arange(row.shape[1]), sample.offset_s, sample.rate)
    inside = slice(2, -2)  # beyond the first and last row of the file these stay
    np.testing.assert_allclose(row[1, inside], times_s[inside], atol=0.02)
    found = rows_to_seconds(sample.gt_instances.segments.numpy(), sample.offset_s, sample.rate)
    np.testing.assert_allclose(found, [[STEP_S, 20], [1, 3]], atol=1e-4)


def test_an_item_is_that_of_a_tubelet(videos):
    dataset = videos()
    assert dataset.metainfo['classes'] == ('jump', 'run', 'swim') and len(dataset) == 2
    info = dataset.get_data_info(1)
    assert (info['tid'], info['video_id'], info['t0_s'], info['t1_s'], info['duration_s']) == ('b', 'b', 0, 16, 16)
    assert info['gt_labels'].tolist() == [-1, 1] and info['feature_files'][0].endswith('tsp/v_b.npy')
    batch = tubelet_collate([dataset[0], dataset[1]])
    assert batch['inputs']['features'].shape == (2, 2, 30) and batch['inputs']['mask'].sum(1).tolist() == [30, 15]
    second = batch['data_samples'][1]  # ambiguous segments stay in the ground truth, nothing is trained on them
    assert second.gt_instances.labels.tolist() == [1] and second.gt_labels.tolist() == [-1, 1]
    assert second.duration_s == 16 and second.dims == [2]
    offsets, labels = dataset.item_labels()
    assert offsets.tolist() == [0, 2, 3] and labels.tolist() == [0, 1, 1]


def test_streams_stand_on_the_rows_of_the_first(videos):
    item = videos(TSP, STREAMS['npz'], STREAMS['parts'])[0]
    assert item['inputs'].shape == (6, 30) and item['data_samples'].dims == [2, 2, 2]
    times_s = item['inputs'][1].numpy()
    np.testing.assert_allclose(item['inputs'][3], times_s, atol=0.02)  # float16 in the file
    np.testing.assert_allclose(item['inputs'][5], times_s, atol=1e-4)


def test_subsets_are_named_in_any_case_and_testing_keeps_empty_videos(videos):
    assert [len(videos(subset='validation', test_mode=test)) for test in (False, True)] == [1, 2]
    assert len(videos(subset=('training', 'validation'))) == 3 and len(videos(subset=None)) == 3
    with pytest.raises(InputError, match=r"a\.json: has no subset 'testing', it has Validation, training"):
        videos(subset='testing')


def test_testing_cuts_windows_of_rows(videos):
    pipeline = [PIPELINE[0], dict(type='TubeletWindow', rows=16), PIPELINE[1]]
    dataset = videos(test_mode=True, window_rows=16, pipeline=pipeline)
    samples = [dataset[index]['data_samples'] for index in range(len(dataset))]
    assert [(x.tid, x.row_range) for x in samples] == [('a', (0, 16)), ('a', (8, 24)), ('a', (14, 30)), ('b', (0, 16))]
    assert samples[1].offset_s == pytest.approx(8 * 16 / 15 + 8 / 15)


def test_rescaled_rows_cover_the_frames_that_mmaction2_says(videos):
    flat = {
        'a': dict(duration_second=40, duration_frame=1000, feature_frame=800, annotations=DATABASE['a']['annotations'])
    }
    item = videos(STREAMS['parts'], database=flat, subset=None)[0]['data_samples']
    assert item.rate == pytest.approx(100 / 32) and item.duration_s == 40


def test_missing_files_are_refused_or_skipped_and_counted(videos, root, caplog):
    (root / 'tsp' / 'v_b.npy').unlink()
    with pytest.raises(InputError, match=r'tsp: has no feature file v_b\.npy, which .*a\.json needs\. Get them'):
        videos(hint='Get them')
    dataset = videos(missing='skip')
    assert [dataset.get_data_info(i)['tid'] for i in range(len(dataset))] == ['a']
    with pytest.raises(InputError, match=r'nowhere: has no feature file v_a\.npy \(and 1 more\)'):
        videos(dict(TSP, folder='nowhere'), missing='skip')


def test_broken_segments_are_refused_with_their_place_or_skipped(videos):
    for segment, told in (((9, 9, 'run'), '9 to 9 s'), ((16.5, 18, 'run'), '16.5 to 18 s')):
        database = {'database': {**DATABASE, 'b': video(16.0, (5.0, 9.0, 'run'), segment)}}
        with pytest.raises(InputError, match=rf'database\["b"\]\.annotations\[1\]: {told} is no part of 16 s'):
            videos(database=database)
        assert videos(database=database, broken='skip').get_data_info(1)['gt_segments_s'].tolist() == [[5, 9]]


def test_class_names_come_from_a_file(videos, root):
    (root / 'names.txt').write_text('swim\nrun\njump\n')
    (root / 'map.json').write_text(json.dumps(dict(task='complex', names=['run', 'jump'])))
    assert videos(label_map='names.txt').get_data_info(0)['gt_labels'].tolist() == [1, 2]
    assert videos(label_map='map.json').get_data_info(0)['gt_labels'].tolist() == [0, 1]
    with pytest.raises(
        InputError, match=r"c\"\]\.annotations\[0\]: label 'swim' is none of the 2 classes of map\.json"
    ):
        videos(label_map='map.json', subset='validation')


@pytest.mark.parametrize(
    ('stream', 'told'),
    [
        (dict(TSP, dim=3), r'v_a\.npy: has 30 rows of 2 numbers, the config demands 3$'),
        (dict(TSP, dim=30), 'channels_first=True would turn it'),
        (dict(TSP, stride=4), r'v_a\.npy: 30 rows, 3\.75 per second, end at 8\.4 s of a video of 32\.0 s'),
        (dict(STREAMS['npz'], stream='other'), r"a\.npz: stream is 'slow', the config demands 'other'"),
    ],
)
def test_files_that_do_not_fit_are_refused(videos, stream, told):
    with pytest.raises(InputError, match=told):
        videos(stream)[0]


def test_numbers_that_cannot_be_used_are_refused(videos, root):
    rows = values(centres(32.0, 15, 16, 16))
    for found, told in (
        (np.where(np.arange(30)[:, None] == 4, np.nan, rows), 'row 4 has a number that is not finite'),
        (rows[:0], 'has no rows|end at'),
        (rows[:, 0], r'its shape is \(30,\)'),
        (rows.astype(str), 'not numbers'),
    ):
        np.save(root / 'tsp' / 'v_a.npy', found)
        with pytest.raises(InputError, match=rf'v_a\.npy: .*({told})'):
            videos()[0]
    (root / 'tsp' / 'v_a.npy').write_bytes(b'\x93NUMPY')
    with pytest.raises(InputError, match=r'v_a\.npy: cannot be used'):
        videos()[0]


def test_wrong_arguments_are_refused():
    for wrong in (
        dict(missing='ignore'),
        dict(window_rows=0),
        dict(features=[dict(file='{vid}.npy', stride=1)]),
        dict(features=[dict(folder='x')]),
        dict(features=[dict(folder='x', rescaled=True, fps=3)]),
        dict(features=[dict(folder='x', file='a.npy', stride=1)]),
        dict(features=[dict(folder='x', file='{vid}.npz', rescaled=True)]),
        dict(features=[dict(folder='x', stride=1, checkpoint='x')]),
    ):
        with pytest.raises(ValueError):
            VideoFeatures(lazy_init=True, **wrong)
    with pytest.raises(ValueError, match='tolerance'):
        LoadVideoFeatures(tolerance=-1)


def test_the_samples_of_mmaction2_are_read(shared_data):
    dataset = VideoFeatures(
        'annotations/action_test_anno.json',
        [dict(folder='activitynet_features', file='{vid}.csv', rescaled=True, dim=400)],
        data_root=str(shared_data / 'eval/mmaction2_tests'),
        pipeline=[PIPELINE[0], dict(type='TubeletRescale', rows=100), PIPELINE[1]],
    )
    batch = tubelet_collate([dataset[0], dataset[1]])
    assert batch['inputs']['features'].shape == (2, 400, 100) and dataset.metainfo['classes'][0] == 'Drinking beer'
    # 0.3 to 0.6 s of 1 s, and 1 to 2 s of 2 s.
    for sample, segment in zip(batch['data_samples'], ([29.5, 59.5], [49.5, 99.5])):
        np.testing.assert_allclose(sample.gt_instances.segments, [segment], atol=1e-4)
