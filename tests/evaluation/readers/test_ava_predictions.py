"""Predictions in AVA's csv: the same boxes joined, and each wrong row named."""

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers.ava_predictions import read_ava_predictions

ROWS = [
    'film b,0002,0.1,0.2,0.5,0.6,1,0.25',
    'film b,0002,0.1,0.2,0.5,0.6,3,0.75',
    '"film, a",1.5,0.0,0.0,1.0,1.0,2,1.0,7',
    '',
    'film b,2.0,0.1,0.2,0.5,0.6,3,0.5',
]


def write(tmp_path, rows):
    path = tmp_path / 'pred.csv'
    path.write_text('\n'.join(rows) + '\n')
    return path


def test_rows_of_one_box_are_one_entry(tmp_path):
    found = read_ava_predictions(write(tmp_path, ROWS), 3)
    assert found.vids == ['film b', 'film, a'] and found.video.tolist() == [0, 1]
    assert found.key_s.tolist() == [2.0, 1.5]
    assert found.boxes.tolist() == [[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1]]
    assert found.scores.tolist() == [[0.25, 0, 0.75], [0, 1, 0]], 'of two scores the higher one'


def test_actions_may_be_counted_from_0(tmp_path):
    assert read_ava_predictions(write(tmp_path, ROWS[:1]), 3, first_id=0).scores.tolist() == [[0, 0.25, 0]]


def test_an_empty_file_has_no_predictions(tmp_path):
    found = read_ava_predictions(write(tmp_path, []), 3)
    assert found.scores.shape == (0, 3) and found.boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ('row', 'cause'),
    [
        ('film b,0003,0.1,0.2,0.5,0.6,4,0.5', 'the action is none of 1 to 3'),
        ('film b,0003,0.1,0.2,0.5,0.6,1.5,0.5', 'the action is no whole number'),
        ('film b,0003,0.1,0.2,0.5,0.6,1,1.5', r'the score is outside \[0, 1\]'),
        ('film b,0003,0.1,0.2,0.5,0.6,1,nan', 'a value is not a finite number'),
        ('film b,0003,0.5,0.2,0.5,0.6,1,0.5', 'the box has no area'),
        ('film b,0003,10,20,50,60,1,0.5', 'the box is not in fractions'),
        ('film b,0003,0.1,0.2,0.5,0.6,walk,0.5', 'action_id is no number'),
        ('film b,0003,0.1,0.2,0.5,0.6,1', 'has 7 columns, needed are video'),
    ],
)
def test_a_wrong_row_is_named(tmp_path, row, cause):
    with pytest.raises(InputError, match=f'pred.csv: line 3: {cause}'):
        read_ava_predictions(write(tmp_path, [ROWS[0], '', row, ROWS[2]]), 3)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match='cannot be read'):
        read_ava_predictions(tmp_path / 'none.csv', 3)
    (tmp_path / 'bytes.csv').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(InputError, match='not a UTF-8'):
        read_ava_predictions(tmp_path / 'bytes.csv', 3)


def test_many_rows_are_read_in_order(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f'v{n % 3},{n % 5},0.{n % 7 + 1},0.1,0.9,0.9,{rng.integers(1, 4)},0.5' for n in range(500)]
    found = read_ava_predictions(write(tmp_path, rows), 3)
    assert len(found.scores) == 3 * 5 * 7
    keys = list(zip(found.video, found.key_s, found.boxes[:, 0]))
    assert keys == sorted(keys)
