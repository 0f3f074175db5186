"""Charts of evaluations: they show the numbers that they are given, gaps are gaps, broken documents are refused."""

import copy
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.scoring.detad import score_detad
from mmtube.evaluation.tables import SegmentTable
from mmtube.visualization.evaluation import draw_result
from mmtube.visualization.evaluation_detad import COLORS
from mmtube.visualization.figure import BLUE, GREEN, ORANGE

KINDS = ['true positive', 'double detection', 'wrong label', 'localization', 'confusion', 'background']


def pixels_of(path, color):
    """How many pixels have exactly this colour."""
    rgb = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    return int((cv2.imread(str(path))[..., ::-1] == rgb).all(axis=-1).sum())


def texts_of(path):
    """All texts of an SVG."""
    texts = [''.join(node.itertext()).strip() for node in ElementTree.parse(path).iter() if node.tag.endswith('}text')]
    return [text for text in texts if text]


def curve(x, y):
    return {'x': x, 'y': y, 'x_label': 'temporal IoU', 'y_label': 'mAP'}


def result(protocol='example', **parts):
    return {'protocol': protocol, **parts}


def only(files):
    assert len(files) == 1
    return next(iter(files.values()))


def of_detad():
    """An analysis with round numbers."""
    return {
        'kinds': KINDS,
        'profile': [[0.5, 0.1, 0.1, 0.1, 0.1, 0.1], [0, 0, 0, 0.25, 0.25, 0.5], [None] * 6],
        'profile_counts': [10, 4, 0],
        'gains_mAP_N': dict(zip(KINDS[1:], [0.01, 0.02, 0.08, 0.04, 0.0])),
        'average_mAP_N': 0.4,
        'average_mAP_N_of_all_predictions': 0.5,
        'missed_share': 0.25,
        'characteristics': {
            'characteristic': ['coverage', 'coverage', 'length', 'length'],
            'bin': ['S', 'M', 'S', 'M'],
            'range': ['up to 0.5', 'over 0.5', 'up to 30 s', 'over 30 s'],
            'num_gt': [3, 5, 8, 0],
            'missed': [0.5, 0.25, 0.25, None],
            'average_mAP_N': [0.5, 0.25, 0.8, None],
        },
    }


def test_a_document_without_anything_to_draw_gives_nothing(tmp_path):
    assert draw_result(result(), tmp_path / 'plots') == {}
    empty = result(curves={'a': curve([], [])}, tables={'classes': {}, 'worst': {'video': []}}, details={})
    assert draw_result(empty, tmp_path / 'plots') == {}
    assert not (tmp_path / 'plots').exists()


def test_every_curve_is_a_file_whose_title_names_the_protocol(tmp_path):
    document = result(curves={'a/b': curve([0, 1], [0.5, 0.25]), 'a b': curve([0, 1], [0.5, 0.25])})
    files = draw_result(document, tmp_path, '.svg')
    assert {title: path.name for title, path in files.items()} == {
        'example: a/b': 'example_a_b.svg',
        'example: a b': 'example_a_b_2.svg',
    }
    texts = texts_of(files['example: a/b'])
    assert {'example: a/b', 'temporal IoU', 'mAP', '0.500', '0.250'} <= set(texts)


def test_a_missing_value_of_a_curve_is_a_gap(tmp_path):
    x, y = list(range(30)), 30 * [0.5]
    holey = [None if 10 <= place <= 20 else value for place, value in enumerate(y)]
    whole, gap = (
        pixels_of(only(draw_result(result(curves={name: curve(x, values)}), tmp_path)), BLUE)
        for name, values in (('whole', y), ('gap', holey))
    )
    assert gap / whole == pytest.approx(17 / 29, rel=0.05)  # 12 of 29 steps touch a missing value


def test_a_curve_of_missing_values_is_drawn_empty(tmp_path):
    path = only(draw_result(result(curves={'none': curve([1, 2], [None, None])}), tmp_path))
    assert pixels_of(path, BLUE) == 0


def test_bars_are_as_high_as_their_numbers_and_missing_ones_are_gaps(tmp_path):
    table = {
        'bin': ['0 to 2 s', '2 to 5 s'],
        'num_gt': [7, 0],
        'AR@1': [0.2, None],
        'AR@10': [0.4, None],
        'AR': [0.8, 0.0],
    }
    document = result(tables={'by_duration': table})
    path = only(draw_result(document, tmp_path))
    legend = 500  # pixels of a legend's sample
    blue, orange, green = (pixels_of(path, color) - legend for color in (BLUE, ORANGE, GREEN))
    assert orange / blue == pytest.approx(2, rel=0.1) and green / blue == pytest.approx(4, rel=0.1)
    texts = texts_of(only(draw_result(document, tmp_path, '.svg')))
    assert {'0.200', '0.400', '0.800', '0.000', 'AR@1', 'AR@10', 'AR', 'bin', '0 to 2 s (7)', '2 to 5 s (0)'} <= set(
        texts
    )
    assert 'example: by duration (in brackets: ground truths)' in texts and 'nan' not in texts


def test_tables_whose_first_columns_are_texts_are_bars_of_one_unit(tmp_path):
    table = {
        'true': ['open the cupboard door'],
        'predicted': ['close it'],
        'mean_length_s': [8.5],
        'count': [3],
        'share': [0.25],
    }
    texts = texts_of(only(draw_result(result(tables={'confused': table}), tmp_path, '.svg')))
    assert {'open the cupboard door / close it', '0.250', 'share', 'true / predicted'} <= set(texts)
    assert '8.5' not in texts and '3' not in texts
    lengths = {key: table[key] for key in ('true', 'mean_length_s')}
    assert 'mean length in seconds' in texts_of(only(draw_result(result(tables={'a': lengths}), tmp_path, '.svg')))


@pytest.mark.parametrize(
    'table',
    [
        {'frame': [1, 2], 'share': [0.5, 0.2]},
        {'name': ['a'], 'note': ['b']},
        {'name': ['a'], 'share': [None]},
        {'name': [f'{number}' for number in range(41)], 'share': [0.5] * 41},
        {'name': ['a'], 'right': [True]},
    ],
)
def test_other_tables_are_not_drawn(tmp_path, table):
    assert draw_result(result(tables={'some': table}), tmp_path) == {}


def classes_of(number):
    return {
        'class': [f'class {place}' for place in range(number)],
        'num_gt': [place + 1 for place in range(number)],
        'num_pred': [5] * number,
        'ap': [place / number for place in range(number)],
    }


def test_classes_are_drawn_over_their_count_and_sorted(tmp_path):
    files = draw_result(result(tables={'classes': classes_of(4)}), tmp_path, '.svg')
    over, bars = map(texts_of, files.values())
    assert {'class 0', 'class 3', 'AP', 'ground truths of the class (logarithmic)'} <= set(over)
    names = [text for text in bars if text.startswith('class')]
    assert names == ['class 3 (4)', 'class 2 (3)', 'class 1 (2)', 'class 0 (1)']


def test_classes_with_one_count_are_not_drawn_over_it(tmp_path):
    files = draw_result(result(tables={'classes': classes_of(4) | {'num_gt': [2] * 4}}), tmp_path)
    assert list(files) == ['example: AP of each class']


def test_the_first_number_of_classes_is_drawn_and_of_recalls_the_last(tmp_path):
    table = classes_of(3)
    for keys, title in ((['recall', 'ap'], 'recall'), (['AR@1', 'AR@100', 'mean_iou'], 'AR@100')):
        some = {key: table[key] for key in ('class', 'num_gt')} | dict.fromkeys(keys, table['ap'])
        files = draw_result(result(tables={'classes': some}), tmp_path)
        assert list(files)[1] == f'example: {title} of each class'


def test_of_many_classes_the_best_and_the_worst_are_named(tmp_path):
    files = draw_result(result(tables={'classes': classes_of(172)}), tmp_path, '.svg')
    bars = texts_of(files['example: AP of each class'])
    names = [text for text in bars if text.startswith('class')]
    assert names[0] == 'class 171 (172)' and names[-1] == 'class 0 (1)' and len(names) == 40
    assert {'the 20 best of 172', 'the 20 worst'} <= set(bars)


def test_classes_without_ground_truth_or_without_number_are_left_out(tmp_path):
    table = classes_of(5)
    table['num_gt'][1], table['ap'][2] = 0, None
    files = draw_result(result(tables={'classes': table}), tmp_path, '.svg')
    for path in files.values():
        texts = ' '.join(texts_of(path))
        assert 'class 0' in texts and 'class 1' not in texts and 'class 2' not in texts


def test_names_of_classes_are_text_whatever_is_in_them(tmp_path):
    table = classes_of(3) | {'class': ['<script>x</script>', 'cut & "slice"', 'pay $5_a^b and $6']}
    for path in draw_result(result(tables={'classes': table}), tmp_path, '.svg').values():
        texts = ' '.join(texts_of(path))
        assert '<script>x</script>' in texts and 'cut & "slice"' in texts and 'pay $5_a^b and $6' in texts
        assert '<script' not in path.read_text()


def test_names_do_not_cover_one_another(tmp_path):
    # All classes nearly at one place: there is room for a name at each side and not for all of them.
    table = classes_of(8) | {'num_gt': [10] * 7 + [11], 'ap': [0.5 + place / 1e5 for place in range(8)]}
    files = draw_result(result(tables={'classes': table}), tmp_path, '.svg')
    names = [text for text in texts_of(next(iter(files.values()))) if text.startswith('class')]
    assert 1 <= len(names) <= 6 and len(set(names)) == len(names)


def test_the_profile_shows_the_shares(tmp_path):
    path = draw_result(result('detad', details={'detad': of_detad()}), tmp_path)['detad: error profile']
    counts = np.array([pixels_of(path, color) for color in COLORS]) - 440  # a sample of the legend
    np.testing.assert_allclose(counts / counts.sum(), [0.25, 0.05, 0.05, 0.175, 0.175, 0.3], atol=0.012)


def test_the_gains_and_the_bins_show_their_numbers(tmp_path):
    files = draw_result(result('detad', details={'detad': of_detad()}), tmp_path, '.svg')
    texts = {title: set(texts_of(path)) for title, path in files.items()}
    assert {'+1.00', '+2.00', '+8.00', '+4.00', '+0.00', 'localization'} <= texts['detad: gain by deleting errors']
    missed = texts['detad: missed ground truth']
    assert {'0.50', '0.25', '≤ 0.5', '> 30 s', '(8)', '(0)', '(dashed: of all 0.250)'} <= missed and 'nan' not in missed
    assert {'0.50', '0.80', '(dashed: of all 0.500)'} <= texts['detad: sensitivity of average mAP_N']


def test_rows_of_one_name_have_the_number_beside_it(tmp_path):
    table = {'video': ['a', 'a', 'b'], 'person': [0, 1, 0], 'boxes': [9, 8, 7], 'completeness': [0.5, 1.0, 0.25]}
    texts = texts_of(only(draw_result(result(tables={'people': table}), tmp_path, '.svg')))
    assert {'a / 0', 'a / 1', 'b / 0', 'video / person', 'completeness'} <= set(texts)
    assert not draw_result(result(tables={'people': {'video': ['a', 'a'], 'share': [0.5, 0.75]}}), tmp_path / 'none')


def test_names_without_a_space_lie_where_they_would_touch(tmp_path):
    names = [f'train_{number:04d}' for number in range(9)]
    table = {'video': names, 'share': [0.5] * 9}
    draw_result(result(tables={'films': table}), tmp_path)
    high, wide = cv2.imread(str(next(tmp_path.iterdir()))).shape[:2]
    assert wide == round(7.4 * 150)  # as lying bars
    table = {'video': [name[-4:] for name in names], 'share': [0.5] * 9}
    draw_result(result(tables={'others': table}), tmp_path / 'short')
    assert cv2.imread(str(next((tmp_path / 'short').iterdir()))).shape[0] == round(4.2 * 150) != high


def test_the_tables_of_detad_are_not_drawn_twice(tmp_path):
    tables = {'characteristics': of_detad()['characteristics'], 'errors': {'error': ['background'], 'share': [0.5]}}
    files = draw_result(result('detad', details={'detad': of_detad()}, tables=tables), tmp_path)
    assert len(files) == 4
    assert len(draw_result(result(tables=tables), tmp_path)) == 2


def test_the_result_of_the_protocol_is_drawn(tmp_path):
    rng = np.random.default_rng(0)
    video, labels, start = rng.integers(0, 3, 30), rng.integers(0, 4, 30), rng.uniform(0, 50, 30)
    segments_s = np.stack([start, start + 5], 1)
    truth = SegmentTable(list('abc'), video, labels, segments_s=segments_s, durations_s=np.full(3, 60.0))
    found = SegmentTable(list('abc'), video, rng.permutation(labels), rng.random(30), segments_s=segments_s + 1)
    document = score_detad(truth, found, ['walk', 'run', 'sit', 'lie'], [0.5, 0.75]).document()
    files = draw_result(document, tmp_path)
    assert len(files) == 8 and all(cv2.imread(str(path)) is not None for path in files.values())
    none = score_detad(truth, found.rows(np.zeros(30, bool)), ['walk', 'run', 'sit', 'lie']).document()
    assert len(draw_result(none, tmp_path / 'none')) == 8


def test_svg_needs_nothing_from_outside_and_has_the_same_bytes_again(tmp_path):
    document = result(
        'detad',
        details={'detad': of_detad()},
        tables={'classes': classes_of(172)},
        curves={'mAP': curve(list(range(500)), list(np.linspace(0, 1, 500)))},
    )
    one, two = (draw_result(document, tmp_path / name, '.svg') for name in 'ab')
    assert len(one) == 7
    for title, path in one.items():
        assert path.read_bytes() == two[title].read_bytes()
        assert path.stat().st_size < 100_000
        for node in ElementTree.parse(path).iter():
            assert not node.tag.endswith('}image')
            links = [value for key, value in node.attrib.items() if key.endswith('href')]
            assert all(value.startswith('#') for value in links)


@pytest.mark.parametrize(
    ('change', 'cause'),
    [
        (lambda d: d.update(protocol=3), 'name of its protocol'),
        (lambda d: d.update(tables=[1]), 'tables: must be an object'),
        (lambda d: d['tables'].update(some=3), r'tables\.some: must be columns'),
        (lambda d: d['tables'].update(some={'a': 'text'}), r'tables\.some: must be columns'),
        (lambda d: d['tables'].update(some={'a': ['x'], 'b': []}), r'tables\.some: columns must have one length'),
        (lambda d: d['curves'].update(some=[1]), r'curves\.some: must be an object'),
        (lambda d: d['curves']['roc'].pop('x_label'), r"curves\.roc: 'x_label' is missing"),
        (lambda d: d['curves']['roc'].update(y=[1, 'a']), r'curves\.roc\.y: must be a list of numbers'),
        (lambda d: d['curves']['roc'].update(y=[1]), r'curves\.roc: has 2 x and 1 y'),
        (lambda d: d['details'].update(detad=[1]), 'detad: must be an object'),
        (lambda d: d['details']['detad'].pop('profile'), r"details\.detad: 'profile' is missing"),
        (lambda d: d['details']['detad']['profile'].append([0.5]), r'profile: every slice must have one share'),
        (lambda d: d['details']['detad']['profile_counts'].pop(), r'profile_counts: every slice must have one'),
        (lambda d: d['details']['detad']['profile'][0].__setitem__(0, 'a'), r'details\.detad: holds no numbers where'),
        (lambda d: d['details']['detad'].update(gains_mAP_N=[0.1]), r'details\.detad: holds no numbers where'),
        (lambda d: d['details']['detad']['characteristics'].pop('range'), r"characteristics: 'range' is missing"),
        (lambda d: d['details']['detad']['characteristics']['bin'].pop(), r'characteristics: columns must have one'),
    ],
)
def test_a_broken_document_is_refused_and_nothing_is_drawn(tmp_path, change, cause):
    document = result('detad', details={'detad': of_detad()}, tables={}, curves={'roc': curve([0, 1], [0, 1])})
    broken = copy.deepcopy(document)
    change(broken)
    with pytest.raises(InputError, match=cause):
        draw_result(broken, tmp_path / 'plots')
    assert not (tmp_path / 'plots').exists()


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(ValueError, match='suffix'):
        draw_result(result(), tmp_path, '.gif')


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='file'):
        draw_result(result(curves={'a': curve([0, 1], [0, 1])}), tmp_path / 'file')
