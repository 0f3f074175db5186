from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mmtube.datasets.synthetic.direction.activities import COMPLEX_NAMES
from mmtube.datasets.synthetic.options import SPLITS, SetOptions, activity_weights, premieres


def test_popularity_is_zipfs():
    assert activity_weights(1.0)[:4] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert set(activity_weights(0.0)) == {1.0}
    assert activity_weights(2.0)[2] == pytest.approx(1 / 9)
    between = activity_weights(1.5)[1:]
    assert (between < activity_weights(1.0)[1:]).all() and (between > activity_weights(2.0)[1:]).all()
    assert (np.diff(activity_weights(0.3)) < 0).all()


@pytest.mark.parametrize('split', SPLITS)
def test_each_activity_has_its_first_night_within_eleven_films_and_a_second_one_in_training(split):
    counts = Counter(r.name for number in range(84) for r in premieres(SetOptions(), split, number))
    assert counts == Counter(COMPLEX_NAMES * (2 if split == 'train' else 1))
    assert {r.name for number in range(11) for r in premieres(SetOptions(), split, number)} == set(COMPLEX_NAMES)
    assert not premieres(SetOptions(), split, 21 if split == 'train' else 11)


def test_every_fifth_film_has_people_who_look_alike():
    assert [SetOptions().look_alike_of(n) for n in range(5)] == [0.2, 0.2, 0.2, 0.2, 0.9]
    assert SetOptions(look_alike=0.5).look_alike_of(4) == 0.5


def test_names_are_counted_within_each_split():
    names = [name for name, _, _ in SetOptions(films=(2, 1, 0)).film_names()]
    assert names == ['train_0000', 'train_0001', 'val_0000']


@pytest.mark.parametrize(
    'wrong',
    [
        {'seed': -1}, {'films': (1, 2)}, {'films': (1, -2, 0)}, {'seconds': (30, 20)}, {'seconds': (1, 2)},
        {'size': (321, 240)}, {'size': (320, 200)}, {'zipf': -1}, {'look_alike': 1.5}, {'shake': 9},
        {'crf': 60}, {'preset': 'quick'},
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SetOptions(**wrong)


def test_activities_of_two_have_their_premiere_before_those_of_one():
    for number in range(21):
        people = [recipe.people for recipe in premieres(SetOptions(), 'train', number)]
        assert people == sorted(people, reverse=True)
