"""MARS and Market-1501 in miniature."""

import cv2
import numpy as np
import pytest
import scipy.io
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from mmtube.config import load_config
from mmtube.datasets import MARSSequences
from mmtube.errors import InputError

SEQUENCE = [dict(type='SampleSequence', length=6), dict(type='LoadSequence', size=(32, 16)), dict(type='PackSequence')]


def write_part(root, part, tracks):
    """Tracks of (pid, camera, images) in the layout of MARS; image k of tracklet t is grey of level 10 t + k."""
    names, info = [], []
    for number, (pid, camera, count) in enumerate(tracks):
        text = '00-1' if pid == -1 else f'{pid:04d}'
        (root / f'bbox_{part}' / text).mkdir(parents=True, exist_ok=True)
        info.append((len(names) + 1, len(names) + count, pid, camera))
        for image in range(count):
            names.append(f'{text}C{camera}T{number:04d}F{image + 1:03d}.jpg')
            grey = np.full((64, 32, 3), 10 * number + image, np.uint8)
            cv2.imwrite(str(root / f'bbox_{part}' / text / names[-1]), grey, [cv2.IMWRITE_JPEG_QUALITY, 100])
    (root / 'info').mkdir(exist_ok=True)
    (root / 'info' / f'{part}_name.txt').write_text('\n'.join(names) + '\n')
    scipy.io.savemat(root / 'info' / f'tracks_{part}_info.mat', {f'track_{part}_info': np.array(info, np.float64)})


@pytest.fixture
def mars(tmp_path):
    write_part(tmp_path, 'train', [(5, 1, 3), (9, 2, 8), (5, 3, 6), (70, 1, 2)])
    write_part(tmp_path, 'test', [(2, 1, 4), (2, 2, 7), (-1, 1, 5), (0, 4, 2), (3, 6, 14)])
    scipy.io.savemat(tmp_path / 'info' / 'query_IDX.mat', {'query_IDX': np.array([[1, 5]])})
    return tmp_path


def sequences(root, split='train', pipeline=(), **options):
    return MARSSequences(split=split, data_root=str(root), pipeline=list(pipeline), **options)


def test_tracklets_have_their_images_and_training_labels_without_gaps(mars):
    dataset = sequences(mars)
    items = [dataset[index] for index in range(len(dataset))]
    assert [item['pid'] for item in items] == [5, 9, 5, 70]
    assert [item['gt_label'] for item in items] == [0, 1, 0, 2]
    assert [item['camid'] for item in items] == [0, 1, 2, 0]
    assert [len(item['img_paths']) for item in items] == [3, 8, 6, 2]
    assert items[2]['img_paths'][5] == str(mars / 'bbox_train' / '0005' / '0005C3T0002F006.jpg')
    assert dataset.num_identities == 3 and dataset.identities().tolist() == [0, 1, 0, 2]


def test_queries_leave_the_gallery_and_junk_leaves_both(mars):
    query, gallery = sequences(mars, 'query'), sequences(mars, 'gallery')
    assert [(item['pid'], item['tracklet']) for item in query] == [(2, 0), (3, 4)]
    assert [(item['pid'], item['tracklet']) for item in gallery] == [(2, 1), (0, 3)]  # pid 0: distractors stay
    assert query[1]['gt_label'] == 3


def test_short_tracklets_can_be_dropped(mars):
    assert len(sequences(mars, min_images=3)) == 3


def levels(item):
    return [round(float(image.float().mean())) for image in item['inputs']]


def test_training_takes_six_random_images_in_the_order_of_time(mars):
    dataset = sequences(mars, pipeline=SEQUENCE)
    draws = [levels(dataset[1]) for _ in range(30)]
    assert all(len(set(draw)) == 6 and draw == sorted(draw) for draw in draws)
    assert {level for draw in draws for level in draw} == set(range(10, 18))


def test_a_short_tracklet_is_filled_with_repeats(mars):
    item = sequences(mars, pipeline=SEQUENCE)[3]
    assert item['inputs'].shape == (6, 3, 32, 16) and set(levels(item)) <= {30, 31}
    assert item['data_samples'].gt_label.tolist() == [2] and item['data_samples'].camid == 0


def test_a_packed_sequence_says_whether_it_is_asked_for_or_searched(mars):
    steps = [dict(type='SampleSequence', length=6, test_mode=True), *SEQUENCE[1:]]
    for split in ('query', 'gallery'):
        assert sequences(mars, split, steps, test_mode=True)[0]['data_samples'].role == split


def test_testing_takes_all_images_in_chunks(mars):
    steps = [dict(type='SampleSequence', length=6, test_mode=True), *SEQUENCE[1:]]
    item = sequences(mars, 'query', steps, test_mode=True)[1]
    assert levels(item) == list(range(40, 54)) and item['data_samples'].chunks == [6, 6, 2]


def test_an_image_that_is_not_there_is_named(mars):
    (mars / 'bbox_train' / '0070' / '0070C1T0003F001.jpg').unlink()
    (mars / 'bbox_train' / '0070' / '0070C1T0003F002.jpg').unlink()
    with pytest.raises(InputError, match=r'0070C1T0003F00[12]\.jpg: is no image'):
        sequences(mars, pipeline=SEQUENCE)[3]


def test_lists_that_do_not_fit_are_refused(mars):
    (mars / 'info' / 'train_name.txt').write_text('one.jpg\n')
    with pytest.raises(InputError, match='tracks_train_info'):
        sequences(mars)
    scipy.io.savemat(mars / 'info' / 'query_IDX.mat', {'query_IDX': np.array([[1, 99]])})
    with pytest.raises(InputError, match=r'query_IDX\.mat: row 99 is not in .* which has 5'):
        sequences(mars, 'query')
    scipy.io.savemat(mars / 'info' / 'query_IDX.mat', {'other': np.array([[1]])})
    with pytest.raises(InputError, match='no numbers'):
        sequences(mars, 'query')
    (mars / 'info' / 'query_IDX.mat').write_bytes(b'no mat')
    with pytest.raises(InputError, match=r'query_IDX\.mat: is no MATLAB file'):
        sequences(mars, 'query')
    (mars / 'info' / 'query_IDX.mat').unlink()
    with pytest.raises(InputError, match=r'query_IDX\.mat: no such file'):
        sequences(mars, 'query')


def test_market_is_sequences_of_one_image(tmp_path):
    for folder, names in (
        ('bounding_box_train', ['0002_c1s1_000451_03.jpg', '0007_c3s3_077419_03.jpg', 'Thumbs.db']),
        ('bounding_box_test', ['-1_c1s1_000401_03.jpg', '0000_c2s1_000401_03.jpg', '0002_c6s1_000401_03.jpg']),
    ):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_bytes(b'')
    train, gallery = (sequences(tmp_path, split, layout='market') for split in ('train', 'gallery'))
    assert [(item['pid'], item['gt_label'], item['camid']) for item in train] == [(2, 0, 0), (7, 1, 2)]
    assert [item['pid'] for item in gallery] == [0, 2]
    assert train[0]['img_paths'] == [str(tmp_path / 'bounding_box_train' / '0002_c1s1_000451_03.jpg')]
    with pytest.raises(InputError, match='query: there is no such folder'):
        sequences(tmp_path, 'query', layout='market')
    (tmp_path / 'query').mkdir()
    (tmp_path / 'query' / 'someone.jpg').write_bytes(b'')
    with pytest.raises(InputError, match=r'someone\.jpg: must be named like'):
        sequences(tmp_path, 'query', layout='market')


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match='split must be'):
        MARSSequences(split='val', lazy_init=True)


def test_the_base_config_makes_batches_of_identities(mars):
    cfg = load_config('configs/_base_/datasets/mars.py')
    part = cfg.train_dataloader
    part.update(batch_size=4, num_workers=0, persistent_workers=False)
    part.sampler.update(num_identities=2, num_sequences=2)
    part.dataset.data_root = str(mars)
    with DefaultScope.overwrite_default_scope('mmtube'):
        batch = next(iter(Runner.build_dataloader(part, seed=0)))
    labels = [int(sample.gt_label) for sample in batch['data_samples']]
    assert labels[0] == labels[1] != labels[2] == labels[3]
    assert batch['inputs'][0].shape == (6, 3, 256, 128)
    part = cfg.val_dataloader
    part.update(num_workers=0, persistent_workers=False)
    for dataset in part.dataset.datasets:
        dataset.data_root = str(mars)
    with DefaultScope.overwrite_default_scope('mmtube'):
        pids = [batch['data_samples'][0].pid for batch in Runner.build_dataloader(part, seed=0)]
    assert pids == [2, 3, 2, 0]  # queries, then the gallery
