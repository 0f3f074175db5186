import numpy as np

from mmtube.datasets.samplers import ClassBalancedSampler


class Five:
    def item_labels(self):
        return np.arange(6), np.array([0, 0, 0, 0, 1])


def test_without_shuffling_the_order_is_that_of_the_data_set():
    drawn = list(ClassBalancedSampler(Five(), threshold=0.8, seed=3, shuffle=False))
    assert drawn == sorted(drawn) and set(drawn) == set(range(5)) and drawn.count(4) == 2
    assert list(ClassBalancedSampler(Five(), threshold=0.8, seed=3)) != drawn
