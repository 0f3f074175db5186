"""mmdet's sampler of batches sees which clips are upright."""

import numpy as np
from mmdet.datasets.samplers import AspectRatioBatchSampler
from mmengine.dataset import DefaultSampler

from mmtube.datasets.clip_dataset import ClipDataset
from mmtube.datasets.samplers import ClassBalancedSampler
from mmtube.structures.seal import VideoRecord


class Films:
    """Clips of ten films, every third of them upright."""

    def __len__(self):
        return 10

    def item_labels(self):
        return np.arange(11), np.array([0] * 9 + [1])

    def get_data_info(self, idx):
        width, height = (360, 640) if idx % 3 == 0 else (640, 360)
        return ClipDataset.moment(None, 'a film', VideoRecord('web', width, height, 25.0, 50, 2.0, 'train'), 1.0, 2.0)


def test_upright_and_wide_clips_are_in_batches_of_their_own():
    sampler = DefaultSampler(Films(), shuffle=True, seed=0)
    batches = list(AspectRatioBatchSampler(sampler, batch_size=2))
    assert sorted(idx for batch in batches for idx in batch) == list(range(10)) and len(batches) == 5
    kinds = [{idx % 3 == 0 for idx in batch} for batch in batches]
    assert all(len(kind) == 1 for kind in kinds) and {True} in kinds and {False} in kinds


def test_clips_with_rare_labels_come_more_often_and_still_apart():
    sampler = ClassBalancedSampler(Films(), threshold=0.4, seed=0)
    drawn = [idx for batch in AspectRatioBatchSampler(sampler, batch_size=2) for idx in batch]
    assert drawn.count(9) == 2 and set(drawn) == set(range(10))
