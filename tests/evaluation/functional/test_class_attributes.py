"""Classes tagged from their names, and errors laid to what differs."""

import numpy as np
import pytest

from mmtube.evaluation.functional.attributes import FINEGYM, OTHER, errors_by_attribute, tag_classes

NAMES = [
    '(FX) salto forward tucked',
    '(FX) salto backward tucked',
    '(FX) double salto backward tucked',
    '(FX) salto forward piked with 1 twist',
    '(BB) salto forward tucked',
]


def errors(pairs, names=NAMES):
    confusion = np.zeros((len(names), len(names) + 1), int)
    for true, predicted, count in pairs:
        confusion[true, predicted] = count
    return errors_by_attribute(confusion, tag_classes(names, FINEGYM))


def only(found):
    return dict(zip(found.names, found.only.tolist()))


def test_element_names_of_finegym_are_tagged():
    tags = tag_classes(['(UB) Giant circle backward with 1.5 turns to handstand', '(BB) sheep jump'], FINEGYM)
    assert tags.names == ('apparatus', 'turns', 'saltos', 'direction', 'position', OTHER)
    assert tags.values[0] == ('ub', '1.5', '', 'backward', '', 'giant circle to handstand')
    assert tags.values[1] == ('bb', '', '', '', '', 'sheep jump')


def test_two_counts_in_a_name_are_both_kept():
    name = '(VT) round-off, flic-flac with 0.5 turn on, stretched salto forward with 1.5 turn off'
    assert tag_classes([name], FINEGYM).values[0][:5] == ('vt', '0.5 + 1.5', '', 'forward', 'stretch')


def test_an_error_is_laid_to_the_one_attribute_that_differs():
    found = errors([(0, 1, 5), (1, 2, 3), (0, 4, 2)])
    assert only(found) == {'apparatus': 2, 'turns': 0, 'saltos': 3, 'direction': 5, 'position': 0, OTHER: 0}
    assert found.total == 10


def test_two_attributes_that_differ_are_neither_alone():
    found = errors([(0, 3, 4)])
    assert sum(found.only) == 0
    assert dict(zip(found.names, found.differs.tolist())) == {
        'apparatus': 0,
        'turns': 4,
        'saltos': 0,
        'direction': 0,
        'position': 4,
        OTHER: 0,
    }
    assert found.masks.tolist() == [[False, True, False, False, True, False]]


def test_right_and_missing_predictions_are_no_errors():
    found = errors([(0, 0, 9), (1, len(NAMES), 7)])
    assert (found.total, len(found.masks)) == (0, 0)


def test_other_words_keep_attributes_from_being_blamed():
    found = errors([(0, 1, 1)], ['(FX) salto forward', '(FX) leap backward'])
    assert only(found)['direction'] == 0
    assert dict(zip(found.names, found.differs.tolist()))[OTHER] == 1


def test_a_turn_in_another_place_is_other_words_and_equal_names_are_nothing():
    names = ['with 1 turn on, salto off', 'on, salto with 1 turn off', 'leap', 'LEAP ']
    found = errors([(0, 1, 2), (2, 3, 5)], names)
    assert only(found)[OTHER] == 2
    assert (found.same, found.total) == (5, 7)


def test_combinations_come_with_the_most_frequent_first():
    found = errors([(0, 4, 1), (0, 1, 6), (1, 2, 3)])
    assert found.counts.tolist() == [6, 3, 1]
    assert [found.names[mask.argmax()] for mask in found.masks] == ['direction', 'saltos', 'apparatus']


def test_own_expressions_are_used_and_wrong_ones_refused():
    assert tag_classes(['kick left', 'kick right'], {'side': 'left|right'}).values == [
        ('left', 'kick'),
        ('right', 'kick'),
    ]
    with pytest.raises(ValueError, match='not a regular expression'):
        tag_classes(['a'], {'broken': '('})
    with pytest.raises(ValueError, match='what remains'):
        tag_classes(['a'], {OTHER: 'a'})


def test_categories_of_gym99_are_told_apart(shared_data):
    from mmtube.evaluation.readers.sample_labels import read_class_names

    names = read_class_names(shared_data / 'finegym/gym99_categories.txt')
    found = errors_by_attribute(np.ones((99, 99), int), tag_classes(names, FINEGYM))
    assert found.total == 99 * 98
    assert found.same == 2  # classes 58 and 70 have one name
