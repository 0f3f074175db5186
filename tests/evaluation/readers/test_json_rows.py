import json

import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers.json_rows import Row, RowBuffer, parse_json
from mmtube.evaluation.readers.segments import read_activitynet_predictions

ROW = {'segment': [1.5, 4], 'label': 'run', 'score': 0.9}


def parsed(rows):
    buffer = RowBuffer()
    return parse_json('a.json', json.dumps({'rows': rows}), buffer).value['rows'], buffer


def test_a_row_of_the_usual_form_is_a_number_in_the_document_and_can_be_had_again():
    rows, buffer = parsed([ROW, {'score': 1, 'segment': [0, 2.5]}])
    assert rows == [0, 1] and {type(row) for row in rows} == {Row}
    assert buffer.row(0) == ROW and buffer.row(1) == {'segment': [0, 2.5], 'score': 1}
    segments, scores, labels, names = buffer.columns()
    assert segments.tolist() == [[1.5, 4], [0, 2.5]] and scores.tolist() == [0.9, 1]
    assert labels.tolist() == [0, 1] and names == ['run', None]


@pytest.mark.parametrize(
    'other',
    [
        {**ROW, 'task': 'atomic'},
        {**ROW, 'segment': [1, 2, 3]},
        {**ROW, 'segment': ['1', 2]},
        {**ROW, 'segment': 3},
        {**ROW, 'score': True},
        {**ROW, 'score': None},
        {**ROW, 'score': 10**400},
        {**ROW, 'label': 3},
        {**ROW, 'label': None},
        {'label': 'run', 'score': 0.5},
    ],
)
def test_a_row_of_another_form_stays_as_it_is(other):
    rows, buffer = parsed([other, ROW])
    assert rows[0] == other and type(rows[1]) is Row and len(buffer) == 1


def test_numbers_in_the_place_of_rows_are_no_rows(tmp_path):
    (tmp_path / 'p.json').write_text(json.dumps({'results': {'a': [0]}, 'other': [ROW]}))
    with pytest.raises(InputError, match=r'results\["a"\]\[0\]'):
        read_activitynet_predictions(tmp_path / 'p.json', ['run'])


def test_rows_outside_of_the_results_are_not_read(tmp_path):
    (tmp_path / 'p.json').write_text(json.dumps({'other': [{**ROW, 'score': 0.1}], 'results': {'a': [ROW], 'b': []}}))
    table = read_activitynet_predictions(tmp_path / 'p.json', ['run'])
    assert table.videos == ['a', 'b'] and table.scores.tolist() == [0.9]


def test_both_ways_of_reading_give_one_table(tmp_path):
    rows = [{'segment': [n, n + 1.5], 'label': 'ab'[n % 2], 'score': n / 10} for n in range(7)]
    tables = []
    for more in ({}, {'task': 'atomic'}):
        document = {'results': {'v': [{**row, **more} for row in rows[:4]], 'w': rows[4:]}}
        (tmp_path / 'p.json').write_text(json.dumps(document))
        tables.append(read_activitynet_predictions(tmp_path / 'p.json', ['b', 'a'], task='atomic'))
    for name in ('video', 'labels', 'scores', 'segments_s'):
        assert getattr(tables[0], name).tolist() == getattr(tables[1], name).tolist()
    assert tables[0].place(5) == tables[1].place(5) == 'results["w"][1]'


def test_an_unknown_label_is_named_with_its_row(tmp_path):
    (tmp_path / 'p.json').write_text(json.dumps({'results': {'v': [ROW, {**ROW, 'label': 'fly'}]}}))
    with pytest.raises(InputError, match=r'results\["v"\]\[1\]: label "fly" is none of 1 classes'):
        read_activitynet_predictions(tmp_path / 'p.json', ['run'])
