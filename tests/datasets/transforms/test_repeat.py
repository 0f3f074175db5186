"""Several samples out of one reading."""

import random

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform

from mmtube.datasets.collate import repeat_collate
from mmtube.datasets.transforms import RepeatTransforms
from mmtube.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PaintForTest(BaseTransform):
    """Change the picture in place, as transforms do, or refuse the sample."""

    def __init__(self, refuse=0.0):
        self.refuse = refuse

    def transform(self, results):
        if random.random() < self.refuse:
            return None
        results['imgs'][0] += 1
        results['boxes'][0] = random.random()
        return dict(inputs=torch.from_numpy(results['imgs'][0].copy()), data_samples=results['boxes'].tolist())


def sample():
    return dict(imgs=[np.zeros((2, 3), np.uint8)], boxes=np.zeros(1))


def test_each_time_begins_with_the_sample_as_it_was():
    random.seed(3)
    found = RepeatTransforms([dict(type='mmtube.PaintForTest')], times=3)(sample())
    assert [item['inputs'].unique().tolist() for item in found] == [[1], [1], [1]]
    assert len({item['data_samples'][0] for item in found}) == 3


def test_a_sample_of_which_nothing_is_left_is_none():
    assert RepeatTransforms([dict(type='mmtube.PaintForTest', refuse=1.0)], times=2)(sample()) is None
    random.seed(0)
    counts = {
        len(RepeatTransforms([dict(type='mmtube.PaintForTest', refuse=0.5)], times=2)(sample()) or ())
        for _ in range(40)
    }
    assert counts == {0, 1, 2}


def test_the_batch_has_all_samples_of_all_items_in_order():
    items = [[dict(inputs=number, data_samples=str(number)) for number in part] for part in ([1, 2], [3], [4, 5])]
    assert repeat_collate(items) == dict(inputs=[1, 2, 3, 4, 5], data_samples=['1', '2', '3', '4', '5'])


def test_times_must_be_positive():
    with pytest.raises(ValueError, match='times must be at least 1, got 0'):
        RepeatTransforms([], times=0)
