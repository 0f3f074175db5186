import numpy as np
import pytest

from mmtube.structures import TubeletLook


def test_the_mean_is_of_the_good_boxes_and_has_unit_length():
    look = TubeletLook([0, 4, 9], [[1, 0], [0, 1], [-1, 0]], [True, True, False])
    np.testing.assert_allclose(look.mean(), np.sqrt([0.5, 0.5]), atol=1e-6)
    assert look.num_good == 2


def test_without_a_good_box_all_count():
    look = TubeletLook([0, 4], [[1, 0], [1, 0]], [False, False])
    assert look.mean().tolist() == [1, 0] and look.num_good == 0
    assert TubeletLook([], np.zeros((0, 2)), []).mean() is None


def test_a_span_is_half_open():
    look = TubeletLook([0, 4, 9], np.eye(3), [True, False, True])
    assert look.span(4, 9).frame_inds.tolist() == [4]
    assert look.span(0, 5).good.tolist() == [True, False]


@pytest.mark.parametrize(
    'columns',
    [
        ([0, 0], np.eye(2), [True, True]),
        ([0], np.eye(2), [True, True]),
        ([0, 1], np.eye(2), [True]),
        ([0, 1], [[np.nan, 0], [0, 1]], [True, True]),
    ],
)
def test_looks_that_do_not_fit_together_are_refused(columns):
    with pytest.raises(ValueError):
        TubeletLook(*columns)
