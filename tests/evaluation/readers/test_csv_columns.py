"""Csv by columns: the same numbers whatever the form of the rows, and each wrong row named."""

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers import csv_columns
from mmtube.evaluation.readers.csv_columns import read_columns

LAYOUT = 'video,time,score'


def write(tmp_path, text):
    path = tmp_path / 'rows.csv'
    path.write_bytes(text.encode())
    return path


def test_columns_of_rows_with_names_in_front(tmp_path):
    rows = read_columns(write(tmp_path, 'b,1,0.5\na, 2 ,1e-3\nb,3,nan\n'), LAYOUT)
    assert rows.names == ['b', 'a'] and rows.name.tolist() == [0, 1, 0]
    assert rows.values[:2].tolist() == [[1, 0.5], [2, 0.001]] and np.isnan(rows.values[2, 1])
    assert rows.lines.tolist() == [1, 2, 3]


def test_comments_in_front_blank_lines_marks_and_quotes_do_not_count(tmp_path):
    text = '\ufeff# video,time,score\r\n\r\n"film, 1",1,2\r\n   \r\n#film,3,4\r\nplain,5,6'
    rows = read_columns(write(tmp_path, text), LAYOUT)
    assert rows.names == ['film, 1', '#film', 'plain'], 'a name may begin with # once rows have begun'
    assert rows.values.tolist() == [[1, 2], [3, 4], [5, 6]] and rows.lines.tolist() == [3, 5, 6]


@pytest.mark.parametrize('chunk', [1, 2, 3, 100])
def test_rows_of_different_forms_are_read_as_those_of_one_form(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(csv_columns, 'CHUNK', chunk)
    text = 'a,1,0.5\n\na,2\na,3,\na,4,0.25\nb\nb,7,1,extra\n'.replace('b\n', '')
    rows = read_columns(write(tmp_path, text), LAYOUT, optional=1, further=True)
    assert rows.values[:, 0].tolist() == [1, 2, 3, 4, 7]
    assert np.isnan(rows.values[:, 1]).tolist() == [False, True, True, False, False]
    assert rows.lines.tolist() == [1, 3, 4, 5, 6]


def test_rows_without_people_are_left_out_where_it_is_asked_for(tmp_path):
    path = write(tmp_path, 'a,1,0.5\nonly b,2\nonly b,3,\n')
    rows = read_columns(path, LAYOUT, bare=1)
    assert rows.lines.tolist() == [1] and rows.names == ['a']
    with pytest.raises(InputError, match='line 2: has 2 columns, needed are video,time,score'):
        read_columns(path, LAYOUT)


def test_an_empty_file_has_no_rows(tmp_path):
    for text in ('', '\n \n', '# nothing\n'):
        rows = read_columns(write(tmp_path, text), LAYOUT)
        assert len(rows) == 0 and rows.values.shape == (0, 2) and rows.names == []


@pytest.mark.parametrize(
    ('row', 'cause'),
    [
        ('a,1', 'line 2: has 2 columns, needed are video,time,score'),
        ('a,1,2,3', 'line 2: has 4 columns'),
        ('a,x,2', "line 2: time is no number: 'x'"),
        ('a,1,', "line 2: score is no number: ''"),
        ('a,1,2x', "line 2: score is no number: '2x'"),
        ('a', 'line 2: has 2 columns'),
    ],
)
def test_a_wrong_row_is_named_with_its_line(tmp_path, row, cause):
    with pytest.raises(InputError, match=f'rows.csv: {cause}'):
        read_columns(write(tmp_path, f'a,1,2\n{row}\na,3,4\n'), LAYOUT)


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / 'bytes.csv').write_bytes(b'a,1,2\n\xff\xfe\x00')
    with pytest.raises(InputError, match='not a UTF-8'):
        read_columns(tmp_path / 'bytes.csv', LAYOUT)
    with pytest.raises(InputError, match='cannot be read'):
        read_columns(tmp_path / 'none.csv', LAYOUT)


def test_refuse_names_the_first_of_several(tmp_path):
    rows = read_columns(write(tmp_path, 'a,1,2\n\na,3,4\na,5,6\n'), LAYOUT)
    with pytest.raises(InputError, match=r'rows.csv: line 3: too late \(and 1 more\)$'):
        rows.refuse(rows.values[:, 0] > 2, 'too late')
    rows.refuse(rows.values[:, 0] > 9, 'too late')
