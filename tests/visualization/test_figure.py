"""What all figures share: a file that is the same each time, and names as people read them."""

import pytest

from mmtube.errors import InputError
from mmtube.visualization.figure import figure, readable, short_name


@pytest.mark.parametrize('suffix', ['.png', '.svg'])
def test_the_same_figure_has_the_same_bytes(tmp_path, suffix):
    for name in 'ab':
        with figure(tmp_path / f'{name}{suffix}', (2, 1)) as axes:
            axes.set_title('$x$_1 & <b>')
    first, second = ((tmp_path / f'{name}{suffix}').read_bytes() for name in 'ab')
    assert first == second and len(first) > 500
    if suffix == '.svg':
        assert b'$x$_1 &amp; &lt;b&gt;' in first


def test_a_figure_that_fails_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), figure(tmp_path / 'a.png', (2, 1), columns=2) as (left, _):
        left.plot([1 / 0])
    assert not list(tmp_path.iterdir())
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='file'), figure(tmp_path / 'file' / 'a.png', (2, 1)):
        assert not (tmp_path / 'file').is_dir()


def test_names_have_their_unit_in_words_or_none_in_a_table():
    assert readable('mean_length_s') == 'mean length in seconds' and readable('offset_px') == 'offset in pixels'
    assert readable('time_s', units=False) == 'time' and readable('_s') == '_s'


def test_names_are_words_and_symbols_stay():
    names = ('num_gt', 'duration_bins', 'x1', 'gain_mAP_N', 'ap@0.50', 'ap', 'main_error')
    told = ('ground truth', 'duration bins', 'x1', 'gain mAP_N', 'AP@0.50', 'AP', 'main error')
    assert tuple(map(readable, names)) == told


def test_long_names_are_cut():
    assert short_name('abcdef', 4) == 'abc…' and short_name('abcd', 4) == 'abcd'
