"""Numbers of reports: fractions times 100, counts and units as they are."""

import pytest

from mmtube.visualization.report.numbers import column_style, is_number, metric_style


@pytest.mark.parametrize(
    ('name', 'value', 'shown', 'unit'),
    [
        ('mAP@0.5', 0.39714, '39.71', '%'),
        ('mAP@0.5', 1.0, '100.00', '%'),
        ('MOTA', -1.25, '−125.00', '%'),
        ('IDSW', 1234, '1,234', ''),
        ('videos', 1, '1', ''),
        ('median_error_s', 1.23456, '1.235', 's'),
        ('mean_shift_px', 12.0, '12.000', 'px'),
    ],
)
def test_headline_numbers(name, value, shown, unit):
    style = metric_style(name, value)
    assert (style(value), style.unit) == (shown, unit)


@pytest.mark.parametrize(
    ('name', 'values', 'shown', 'unit'),
    [
        ('ap', [0.5, None], ['50.00', '–'], '%'),
        ('gain', [-0.1, 0.0], ['−10.00', '0.00'], '%'),
        ('ap', [0.00001], ['0.00'], '%'),
        ('num_gt', [1000, 0], ['1,000', '0'], ''),
        ('num_gt', [10, None], ['10', '–'], ''),
        ('threshold', [0.5, 0.75], ['0.500', '0.750'], ''),
        ('score', [0.93], ['0.930'], ''),
        ('length_s', [0.25], ['0.25'], 's'),
        ('x1', [10.4], ['10'], 'px'),
        ('MOTA', [-3.5, 0.25], ['−3.500', '0.250'], ''),
    ],
)
def test_columns(name, values, shown, unit):
    style = column_style(name, values)
    assert ([style(value) for value in values], style.unit) == (shown, unit)


def test_a_column_with_the_name_of_a_headline_number_is_a_fraction_though_it_leaves_the_unit_interval():
    assert column_style('MOTA', [-3.5, 0.25], {'MOTA'})(-3.5) == '−350.00'


def test_columns_with_text_or_nothing_are_text():
    assert column_style('bin', ['a', 'b']) is None
    assert column_style('bin', ['a', 1]) is None
    assert column_style('bin', [None, None]) is None
    assert column_style('flag', [True, False]) is None
    assert not is_number(True) and is_number(1) and is_number(0.5) and not is_number('1')


def test_a_number_that_rounds_to_nothing_has_no_sign():
    style = metric_style('mAP', 0.5)
    assert [style(value, sign=True) for value in (0.1, -0.1, -0.000001, 0.000001)] == [
        '+10.00',
        '−10.00',
        '0.00',
        '0.00',
    ]
