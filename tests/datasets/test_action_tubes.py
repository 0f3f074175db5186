"""UCF101-24, JHMDB and MultiSports pickles as key frames."""

import pickle

import numpy as np
import pytest

from mmtube.datasets import ActionTubes
from mmtube.errors import InputError
from mmtube.testing import make_film


@pytest.fixture
def root(tmp_path):
    """One film of 20 frames in each split; frames in the pickle count from 1."""
    (tmp_path / 'videos' / 'sport').mkdir(parents=True)
    for name in ('v1', 'v2'):
        make_film(tmp_path / 'videos' / 'sport' / f'{name}.mp4', 20, fps=10)
    steps = np.arange(4, dtype=np.float32)[:, None]
    first = np.concatenate([steps + 3, np.tile([8, 4, 24, 44], (4, 1)) + steps], axis=1)  # frames 3 to 6 from 1
    second = np.array([[5, 30, 4, 50, 44]], np.float32)
    document = {
        'labels': ['run', 'jump'],
        'gttubes': {'sport/v1': {0: [first], 1: [second]}, 'sport/v2': {1: [second]}},
        'nframes': {'sport/v1': 20, 'sport/v2': 20},
        'resolution': {'sport/v1': (48, 64), 'sport/v2': (48, 64)},
        'train_videos': [['sport/v1']],
        'test_videos': [['sport/v2']],
    }
    (tmp_path / 'gt.pkl').write_bytes(pickle.dumps(document, protocol=2))
    return tmp_path


def tubes(root, **options):
    return ActionTubes('gt.pkl', data_root=str(root), data_prefix=dict(video='videos'), **{'pipeline': [], **options})


def test_each_annotated_frame_is_an_item_with_the_people_of_that_frame(root):
    dataset = tubes(root)
    assert [dataset[i]['frame_index'] for i in range(len(dataset))] == [2, 3, 4, 5]
    info = dataset[2]
    assert info['img_key'] == 'sport/v1,0005' and info['timestamp'] == 5
    assert info['key_s'] == pytest.approx(0.4) and info['fps'] == 10  # the film's own rate
    assert info['gt_bboxes'].tolist() == [[10, 6, 26, 46], [30, 4, 50, 44]]
    assert info['gt_labels'].tolist() == [[True, False], [False, True]]
    assert info['film'] == str(root / 'videos' / 'sport' / 'v1.mp4')
    assert dataset.metainfo['classes'] == ('run', 'jump') and len(dataset.annotations.tubelets) == 2
    assert dataset.item_labels()[0].tolist() == [0, 1, 2, 4, 5]


def test_splits_and_steps_are_options(root):
    assert len(tubes(root, split='test')) == 1 and tubes(root, split='test')[0]['video_id'] == 'sport/v2'
    assert [item['frame_index'] for item in tubes(root, frame_interval=2)] == [2, 4]
    assert tubes(root, fps=20.0)[0]['key_s'] == pytest.approx(0.1)


def test_key_frames_are_decoded_at_their_place(root):
    steps = [
        dict(type='SampleSEALClip', clip_len=3, frame_interval=1, fps=10),
        dict(type='DecodeWindow'),
        dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
        dict(type='PackSEALClip'),
    ]
    item = tubes(root, pipeline=steps)[2]
    grey = item['inputs'].float().mean(dim=(0, 2, 3))
    assert [round((float(level) - 20) / 8) for level in grey] == [3, 4, 5]
    assert item['data_samples'].gt_instances.bboxes.tolist() == [[10, 6, 26, 46], [30, 4, 50, 44]]


def test_a_film_that_is_not_there_is_refused(root):
    (root / 'videos' / 'sport' / 'v1.mp4').unlink()
    with pytest.raises(InputError, match="has no film 'v1'"):
        tubes(root)


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match='split must be'):
        ActionTubes(split='val', lazy_init=True)
