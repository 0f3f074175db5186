"""Names of subsets of classes."""

import pytest

from mmtube.structures.seal import parse_subset, subset_classes


def test_top_50_to_100_are_the_ranks_after_the_first_50():
    order = list(range(200))[::-1]
    assert subset_classes('top50', order) == tuple(range(199, 149, -1))
    assert subset_classes('top50-100', order) == tuple(range(149, 99, -1))
    assert set(subset_classes('top50', order)) | set(subset_classes('top50-100', order)) == set(
        subset_classes('top100', order)
    )


@pytest.mark.parametrize('name', ['50', 'top', 'top-5', 'top5-', 'top1.5', 'Top50', 'top0', 'top9-9', 'top9-3'])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match='subset'):
        parse_subset(name)


def test_a_subset_does_not_go_beyond_the_list():
    assert subset_classes('top3', (2, 0, 1)) == (2, 0, 1)
    with pytest.raises(ValueError, match='goes to rank 4, the list has 3'):
        subset_classes('top4', (2, 0, 1))
