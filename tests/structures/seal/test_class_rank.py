import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmtube.errors import InputError
from mmtube.structures.seal import ClassRank, read_class_rank, write_class_rank

RANK = ClassRank.count('atomic', [2, 0, 2, 3, 3, 2], num_classes=5, source='six labels')


def test_classes_are_ranked_by_count_and_then_by_number():
    assert RANK.order == (2, 3, 0, 1, 4) and RANK.counts == (3, 2, 1, 0, 0)
    assert RANK.subset(0, 2) == (2, 3) and RANK.subset(2, 60) == (0, 1, 4)


@given(st.lists(st.integers(0, 9)))
def test_the_rank_is_the_literal_one(labels):
    rank = ClassRank.count('complex', labels, 10, 'any')
    assert list(rank.order) == sorted(range(10), key=lambda label: (-labels.count(label), label))
    assert list(rank.counts) == [labels.count(label) for label in rank.order]


def test_a_rank_comes_back(tmp_path):
    write_class_rank(RANK, tmp_path / 'r.json')
    assert read_class_rank(tmp_path / 'r.json') == RANK


def test_a_frozen_rank_is_not_changed_unless_told(tmp_path):
    other = ClassRank.count('atomic', [0], 5, 'another count')
    write_class_rank(RANK, tmp_path / 'r.json')
    with pytest.raises(InputError, match=r'r\.json: holds another order of classes'):
        write_class_rank(other, tmp_path / 'r.json')
    assert read_class_rank(tmp_path / 'r.json') == RANK
    write_class_rank(RANK, tmp_path / 'r.json')  # the same order may be written again
    write_class_rank(other, tmp_path / 'r.json', replace=True)
    assert read_class_rank(tmp_path / 'r.json') == other


@pytest.mark.parametrize(
    'change, cause',
    [
        ({'order': [0, 0, 1, 2, 3]}, 'order must hold each class once'),
        ({'order': [1, 2, 3, 4, 5]}, 'order must hold each class once'),
        ({'counts': [1, 2, 3, 0, 0]}, 'counts must not increase'),
        ({'counts': [3, 2]}, 'counts must not increase and must be as many'),
        ({'order': 'x'}, 'order'),
        ({'order': [0, 1.5]}, 'order'),
        ({'task': 3}, 'task'),
    ],
)
def test_a_rank_that_contradicts_itself_is_refused(tmp_path, change, cause):
    write_class_rank(RANK, tmp_path / 'r.json')
    document = {**json.loads((tmp_path / 'r.json').read_text()), **change}
    (tmp_path / 'r.json').write_text(json.dumps(document))
    with pytest.raises(InputError, match=cause) as caught:
        read_class_rank(tmp_path / 'r.json')
    assert str(caught.value).startswith(str(tmp_path / 'r.json')) and '\n' not in str(caught.value)
