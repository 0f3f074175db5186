"""Appearances written in the layout of MARS and read back by the data set."""

import csv

import cv2
import numpy as np
import pytest

from mmtube.datasets import MARSSequences
from mmtube.datasets.appearances import Appearance
from mmtube.datasets.mars_writer import query_rows, write_mars
from mmtube.errors import InputError
from mmtube.testing import make_film, numbered_frames


def appear(vid, person, number, frames, box=(4, 8, 20, 40)):
    return Appearance(vid, person, number, np.array(frames), np.tile(np.float32(box), (len(frames), 1)))


PARTS = {
    'train': [appear('a', 0, 1, [0, 1, 2, 3]), appear('a', 5, 1, [2, 3, 4, 5]), appear('b', 0, 1, [7, 8, 9, 10])],
    'test': [
        appear('c', 0, 1, [0, 1, 2, 3]),
        appear('c', 0, 2, [10, 11, 12, 13]),
        appear('c', 1, 1, [0, 1, 2, 3]),  # appears once: in the gallery, and always wrong
        appear('d', 0, 1, [4, 5, 6, 7]),
        appear('d', 0, 2, [14, 15, 16]),
        appear('d', 0, 3, [20]),
    ],
}


@pytest.fixture
def videos(tmp_path):
    (tmp_path / 'videos').mkdir()
    for vid in 'abcd':
        make_film(tmp_path / 'videos' / f'{vid}.mp4')
    return tmp_path / 'videos'


def read(root, split):
    dataset = MARSSequences(split=split, data_root=str(root), pipeline=[], test_mode=True)
    return [dataset[index] for index in range(len(dataset))]


def test_what_is_written_is_what_the_data_set_reads(tmp_path, videos):
    counts = write_mars(tmp_path / 'out', PARTS, videos, suffix='.png')
    train, query, gallery = (read(tmp_path / 'out', split) for split in ('train', 'query', 'gallery'))
    # The same ID in two films is two people, and people of the test split are nobody of training.
    assert [(item['pid'], item['gt_label']) for item in train] == [(1, 0), (2, 1), (3, 2)]
    assert [(item['pid'], item['camid']) for item in query] == [(4, 0), (6, 0)]
    assert [(item['pid'], item['camid']) for item in gallery] == [(4, 1), (5, 0), (6, 1), (6, 2)]
    assert counts == dict(
        queries=2,
        train_identities=3,
        train_tracklets=3,
        train_images=12,
        test_identities=3,
        test_tracklets=6,
        test_images=20,
    )
    # Grey tells the frame: the crops are of the frames and in the order of the appearance.
    greys = {number: int(frame[0, 0, 0]) for number, frame in enumerate(numbered_frames(25))}
    images = [cv2.imread(path) for path in gallery[0]['img_paths']]
    assert [image.shape for image in images] == [(32, 16, 3)] * 4
    np.testing.assert_allclose([image.mean() for image in images], [greys[frame] for frame in range(10, 14)], atol=2)


def test_an_appearance_is_never_its_own_answer_and_others_of_the_person_are(tmp_path, videos):
    write_mars(tmp_path / 'out', PARTS, videos)
    query, gallery = (read(tmp_path / 'out', split) for split in ('query', 'gallery'))
    for item in query:
        answers = [other for other in gallery if other['pid'] == item['pid'] and other['camid'] != item['camid']]
        assert answers and not {*item['img_paths']} & {path for other in gallery for path in other['img_paths']}


def test_a_table_says_where_each_sequence_comes_from(tmp_path, videos):
    write_mars(tmp_path / 'out', PARTS, videos)
    rows = list(csv.DictReader((tmp_path / 'out' / 'info' / 'appearances.csv').open()))
    assert len(rows) == 9
    assert rows[7] == dict(
        zip(
            ('part', 'tracklet', 'role', 'pid', 'camera', 'vid', 'person_id', 'first_frame', 'last_frame', 'images'),
            ('test', '4', 'gallery', '6', '2', 'd', '0', '14', '16', '3'),
        )
    )
    assert [row['role'] for row in rows if row['part'] == 'test'].count('query') == 2


def test_queries_are_the_first_appearances_and_one_stays_in_the_gallery():
    assert query_rows(PARTS['test']).tolist() == [0, 3]
    assert query_rows(PARTS['test'], 2).tolist() == [0, 3, 4]
    assert query_rows(PARTS['test'], 99).tolist() == [0, 3, 4]


def test_names_are_those_of_mars(tmp_path, videos):
    write_mars(tmp_path / 'out', PARTS, videos)
    names = (tmp_path / 'out' / 'info' / 'test_name.txt').read_text().split()
    assert names[4] == '0004C2T0002F001.jpg' and (tmp_path / 'out' / 'bbox_test' / '0004' / names[4]).is_file()


def test_each_film_is_decoded_once_and_no_further_than_needed(tmp_path, videos):
    seen = []
    write_mars(tmp_path / 'out', PARTS, videos, on_frame=lambda done, total: seen.append((done, total)))
    needed = 6 + 11 + 14 + 21  # the last frame with a box in each film, and one
    assert seen == [(done, needed) for done in range(1, needed + 1)]


def test_only_one_part_can_be_written(tmp_path, videos):
    write_mars(tmp_path / 'out', {'train': PARTS['train']}, videos)
    assert len(read(tmp_path / 'out', 'train')) == 3 and not (tmp_path / 'out' / 'info' / 'query_IDX.mat').exists()


def test_nothing_is_left_behind_when_a_film_is_too_short(tmp_path, videos):
    parts = {'train': [appear('a', 0, 1, [23, 24, 25, 26])]}
    with pytest.raises(InputError, match=r'a\.mp4: has no frame 25, in which somebody has a box'):
        write_mars(tmp_path / 'out', parts, videos)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['videos']


def test_what_cannot_be_written_is_refused_before_films_are_decoded(tmp_path):
    nowhere = tmp_path / 'nowhere'
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'file').write_text('')
    with pytest.raises(InputError, match='not empty'):
        write_mars(tmp_path / 'full', PARTS, nowhere)
    with pytest.raises(InputError, match='nobody in the test split appears twice'):
        write_mars(tmp_path / 'out', {'test': PARTS['test'][2:3]}, nowhere)
    with pytest.raises(InputError, match='the train split has no appearance'):
        write_mars(tmp_path / 'out', {'train': []}, nowhere)
    crowd = [appear('a', person, 1, [0]) for person in range(10000)]
    with pytest.raises(InputError, match='10000 people'):
        write_mars(tmp_path / 'out', {'train': crowd}, nowhere)
    with pytest.raises(InputError, match='nowhere'):
        write_mars(tmp_path / 'out', PARTS, nowhere)


def test_a_box_outside_of_its_frame_is_named(tmp_path, videos):
    with pytest.raises(InputError, match=r'a\.mp4: frame 3: a box lies outside'):
        write_mars(tmp_path / 'out', {'train': [appear('a', 0, 1, [3], box=(900, 0, 950, 60))]}, videos)
