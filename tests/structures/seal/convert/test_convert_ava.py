import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures.seal import LabelMap, VideoRecord, read_seal_json, write_seal_json
from mmtube.structures.seal.convert import read_ava_csv, write_ava_csv

FILM = {'film': VideoRecord('web', 200, 100, 10.0, 60, 6.0, 'train')}
# Film `film` is 200 x 100 pixels: person 7 walks (action 1) in seconds 1 to 3 and 5, and lifts (4) in second 2.
TEXT = """\
film,0001,0.1,0.2,0.3,0.8,1,7
film,0002,0.15,0.2,0.35,0.8,1,7
film,0002,0.15,0.2,0.35,0.8,4,7
film,0003,0.2,0.2,0.4,0.8,1,7
film,0005,0.2,0.2,0.4,0.8,1,7
film,0002,0.5,0.5,0.75,1.0,3,2
"""


def csv(tmp_path, text=TEXT):
    (tmp_path / 'ava.csv').write_text(text)
    return tmp_path / 'ava.csv'


def test_boxes_stand_in_the_frame_of_the_key_time_in_pixels(tmp_path):
    found = read_ava_csv(csv(tmp_path), FILM)
    assert list(found.tubelets) == ['film.7', 'film.2']
    track = found.track('film.7')
    assert track.frame_inds.tolist() == [10, 20, 30, 50]
    np.testing.assert_allclose(track.boxes_px[0], [20, 20, 60, 80], atol=1e-5)
    assert found.track('film.2').boxes_px.tolist() == [[100, 50, 150, 100]]
    assert found.tubelets['film.7'].frame_range == (10, 51) and found.tubelets['film.7'].person_id == 7


def test_neighbouring_seconds_become_one_instance_of_a_class_counted_from_0(tmp_path, label_maps):
    found = read_ava_csv(csv(tmp_path), FILM, label_map=label_maps['atomic'])
    rows = zip(found.aa.tids, found.aa.labels, found.aa.groups, found.aa.start_s, found.aa.end_s)
    assert list(rows) == [
        ('film.7', 0, 'pose', 0.5, 3.5),
        ('film.7', 0, 'pose', 4.5, 5.5),
        ('film.7', 3, 'po', 1.5, 2.5),
        ('film.2', 2, 'pp', 1.5, 2.5),
    ]
    assert len(found.ca) == 0


def test_instances_are_cut_at_the_ends_of_the_film(tmp_path):
    found = read_ava_csv(csv(tmp_path, 'film,0,0,0,1,1,1,0\nfilm,6.0,0,0,1,1,1,0\n'), FILM)
    assert found.aa.start_s.tolist() == [0.0, 5.5] and found.aa.end_s.tolist() == [0.5, 6.0]
    assert found.track('film.0').frame_inds.tolist() == [0, 59]  # second 6 is the end of the last frame


def test_a_film_may_begin_at_another_timestamp(tmp_path):
    found = read_ava_csv(csv(tmp_path, 'film,0902,0,0,1,1,1,0\n'), FILM, start_s=900)
    assert found.track('film.0').frame_inds.tolist() == [20] and found.aa.start_s.tolist() == [1.5]
    with pytest.raises(InputError, match=r'line 1: timestamp 0902 is second 902 of a film of 6 s'):
        read_ava_csv(csv(tmp_path, 'film,0902,0,0,1,1,1,0\n'), FILM)


def test_without_the_column_of_persons_each_box_is_a_tubelet(tmp_path):
    text = 'film,1,0,0,.5,1,1\nfilm,1,.5,0,1,1,1\nfilm,2,0,0,.5,1,1\n'
    found = read_ava_csv(csv(tmp_path, text), FILM)
    assert [record.person_id for record in found.tubelets.values()] == [0, 1, 2] and len(found.aa) == 3


def test_a_row_of_film_and_time_says_that_nobody_is_there(tmp_path):
    found = read_ava_csv(csv(tmp_path, 'film,0001\n'), FILM)
    assert list(found.videos) == ['film'] and not found.tubelets


def test_films_without_a_row_are_not_taken(tmp_path):
    films = {**FILM, 'other': FILM['film']}
    assert list(read_ava_csv(csv(tmp_path), films).videos) == ['film']
    assert read_ava_csv(csv(tmp_path, ''), films).videos == {}


@pytest.mark.parametrize(
    'row, cause',
    [
        ('film,1,0,0,1,1,1', 'has 7 columns, not 8'),
        ('film,1,0,0,1,1,1,0,9', 'has 9 columns, not 8'),
        ('film,one,0,0,1,1,1,0', "could not convert string to float: 'one'"),
        ('film,1,0,0,nan,1,1,0', 'a value is not a finite number'),
        ('film,1,20,20,60,80,1,0', 'the box 20,20,60,80 is not in fractions of the frame'),
        ('film,1,-0.1,0,1,1,1,0', 'is not in fractions of the frame'),
        ('film,1,0.5,0,0.5,1,1,0', 'the box has no area'),
        ('film,1,0.5,0,0.4,1,1,0', 'the box has no area'),
        ('film,1,1,0,1.0005,1,1,0', 'the box has no area'),
        ('film,1,0,0,1,1,0,0', 'there is no action 0, the first one is 1'),
        ('film,1,0,0,1,1,5,0', 'there is no action 5'),
        ('film,1,0,0,1,1,1.5,0', 'invalid literal'),
        ('film,1,0,0,1,1,,0', 'invalid literal'),
        ('film,1,0,0,1,1,1,-1', 'there is no person -1'),
        ('film,1,0,0,1,1,1,0.93', 'there is no person 0.93'),
        ('beach,1,0,0,1,1,1,0', "the film 'beach' is not in the table of films"),
        ('beach,1', "the film 'beach' is not in the table of films"),
        ('film,6.1,0,0,1,1,1,0', 'timestamp 6.1 is second 6.1 of a film of 6 s'),
        ('film,-1,0,0,1,1,1,0', 'timestamp -1 is second -1'),
        ('film,0002,0.1,0.2,0.35,0.8,2,7', 'person 7 has another box at this time already'),
        ('film,0002,0.15,0.2,0.35,0.8,4,7', 'person 7 has this action at this time already'),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(tmp_path, label_maps, row, cause):
    path = csv(tmp_path, f'{TEXT}\n{row}\n')
    with pytest.raises(InputError) as caught:
        read_ava_csv(path, FILM, label_map=label_maps['atomic'])
    assert str(caught.value).startswith(f'{path}: line 8: ') and cause in str(caught.value)
    findings = []
    found = read_ava_csv(path, FILM, label_map=label_maps['atomic'], findings=findings)
    assert [finding.row for finding in findings] == ['line 8'] and len(found.aa) == 4


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path):
    with pytest.raises(InputError, match='cannot be read'):
        read_ava_csv(tmp_path / 'ava.csv', FILM)
    (tmp_path / 'ava.csv').write_bytes(b'\xff\xfe')
    with pytest.raises(InputError, match='is not a UTF-8 text file'):
        read_ava_csv(tmp_path / 'ava.csv', FILM)


def test_what_is_written_are_the_actions_at_the_key_times(tmp_path, sample):
    losses = write_ava_csv(sample, tmp_path / 'ava.csv')
    # Key times of a film of 4 s are seconds 1, 2 and 3. Person 1 walks in [0.5, 2.5) and lifts in [2, 3.5).
    assert (tmp_path / 'ava.csv').read_text().splitlines() == [
        'street,0001,0.205,0.2,0.305,0.805,1,1',
        'street,0001,0.6,0.1,0.8,0.9,3,2',
        'street,0002,0.305,0.2,0.405,0.805,1,1',
        'street,0002,0.305,0.2,0.405,0.805,4,1',
        'street,0003,0.405,0.2,0.505,0.805,4,1',
    ]
    assert losses == {'boxes': 55 - 4, 'complex instances': 1}


def test_options_of_writing(tmp_path, sample):
    losses = write_ava_csv(sample, tmp_path / 'a.csv', first_id=0, start_s=900, window_s=0, stride_s=2)
    assert [line.split(',')[1::5] for line in (tmp_path / 'a.csv').read_text().splitlines()] == [
        ['0900', '2'],
        ['0902', '0'],
        ['0902', '3'],
    ]
    assert 'atomic instances between key times' not in losses


def test_a_short_action_between_key_times_is_counted_as_lost(tmp_path, sample):
    sample.aa.start_s[1], sample.aa.end_s[1] = 2.1, 2.9
    assert write_ava_csv(sample, tmp_path / 'a.csv')['atomic instances between key times'] == 1


def test_an_action_that_ends_at_the_key_time_is_over(tmp_path, sample):
    sample.aa.start_s[0], sample.aa.end_s[0] = 1.0, 2.0  # the walk has begun at second 1 and is over at second 2
    write_ava_csv(sample, tmp_path / 'a.csv')
    lines = [line.split(',') for line in (tmp_path / 'a.csv').read_text().splitlines()]
    assert [line[1] for line in lines if line[6] == '1'] == ['0001']


def test_a_box_more_than_a_frame_away_is_not_there_and_one_beside_the_frame_is_not_either(tmp_path, sample):
    sample.boxes.frame_inds[7:15] = np.arange(100, 108)  # frames 7 to 14 of person 1 have no box: second 1 is frame 10
    sample.boxes.frame_inds[:35].sort()
    sample.boxes.boxes_px[35:] = [100, 5, 120, 45]  # person 2 has left the frame of 100 pixels
    write_ava_csv(sample, tmp_path / 'a.csv')
    assert [line[:11] for line in (tmp_path / 'a.csv').read_text().splitlines()] == [
        'street,0002',
        'street,0002',
        'street,0003',
    ]


def test_a_person_in_two_places_is_refused(tmp_path, sample):
    record = sample.tubelets['street.2']
    sample.tubelets['street.2'] = record.__class__(**{**vars(record), 'person_id': 1})
    with pytest.raises(InputError, match=r"a\.csv: not written, person 1 of 'street' has a box in .* at 1 s"):
        write_ava_csv(sample, tmp_path / 'a.csv')
    assert not (tmp_path / 'a.csv').exists()


def test_what_comes_back_are_boxes_at_key_times_and_whole_seconds(tmp_path, sample, label_maps):
    write_ava_csv(sample, tmp_path / 'a.csv')
    again = read_ava_csv(tmp_path / 'a.csv', sample.videos, label_map=label_maps['atomic'])
    assert again.track('street.1').frame_inds.tolist() == [10, 20, 30]
    expected = sample.track('street.1').boxes_px[[10, 15, 25]]
    np.testing.assert_allclose(again.track('street.1').boxes_px, expected, atol=1e-4)
    assert again.aa.labels.tolist() == [0, 3, 2]
    assert again.aa.start_s.tolist() == [0.5, 1.5, 0.5] and again.aa.end_s.tolist() == [2.5, 3.5, 1.5]
    write_ava_csv(again, tmp_path / 'b.csv')
    assert (tmp_path / 'b.csv').read_bytes() == (tmp_path / 'a.csv').read_bytes()


def test_the_sample_of_ava_is_read_and_comes_back(tmp_path, shared_data):
    path = shared_data / 'eval/mmaction2_tests/ava_dataset/ava_sample.csv'
    films = {'0f39OWEqJ24': VideoRecord('ava', 640, 360, 25.0, 22500, 900.0, 'train')}
    films |= {'_-Z6wFjXtGQ': films['0f39OWEqJ24']}
    found = read_ava_csv(path, films, start_s=900)
    assert list(found.tubelets) == ['0f39OWEqJ24.0', '_-Z6wFjXtGQ.0']
    # Timestamps 902 and 903 are seconds 2 and 3 of the cut: action 12 is class 11.
    rows = list(zip(found.aa.labels.tolist(), found.aa.start_s.tolist(), found.aa.end_s.tolist()))
    assert (11, 1.5, 3.5) in rows and found.track('0f39OWEqJ24.0').frame_inds.tolist() == [50, 75]
    write_seal_json(found, tmp_path / 'ava.json')
    write_ava_csv(read_seal_json(tmp_path / 'ava.json'), tmp_path / 'ava.csv', start_s=900)

    def rows_of(file):
        lines = (line.split(',') for line in file.read_text().splitlines() if line)
        return sorted((line[0], line[1], *map(float, line[2:])) for line in lines)

    assert rows_of(tmp_path / 'ava.csv') == rows_of(path)


def test_a_label_map_says_how_many_actions_there_are(tmp_path):
    with pytest.raises(InputError, match='there is no action 4'):
        read_ava_csv(csv(tmp_path), FILM, label_map=LabelMap('atomic', ('a', 'b', 'c')))
