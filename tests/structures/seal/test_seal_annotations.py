import numpy as np
import pytest

from mmtube.structures import Segment
from mmtube.structures.seal import BoxTable, InstanceTable, SEALAnnotations, TubeletRecord


def test_a_tubelet_becomes_a_tube_with_its_segments(sample):
    tube = sample.tube('street.1')
    assert tube.track_id == 1 and len(tube) == 35
    assert tube.frame_inds[[0, 14, 15]].tolist() == [0, 14, 20]
    np.testing.assert_array_equal(tube.times_s, tube.frame_inds / 10)
    assert tube.boxes_px[1].tolist() == [11.5, 10, 21.5, 40.25]
    assert tube.segments == [
        Segment(0.5, 2.5, 0),
        Segment(2.0, 3.5, 3),
        Segment(0.5, 3.5, 1, task='complex'),
    ]


def test_an_interpolated_box_is_not_observed(sample):
    observed = sample.tube('street.1').observed
    assert not observed[-1] and observed[:-1].all()


def test_a_tube_may_have_another_number(sample):
    assert sample.tube('street.1', track_id=0).track_id == 0


def test_a_tube_does_not_share_its_boxes_with_the_file(sample):
    sample.tube('street.1').boxes_px[:] = 0
    assert sample.boxes.boxes_px[0].tolist() == [10.5, 10, 20.5, 40.25]


def test_a_tubelet_without_boxes_has_an_empty_track(sample):
    sample.tubelets['ghost'] = TubeletRecord('park', 0, (0, 50), 'ghost')
    track = sample.track('ghost')
    assert len(track.frame_inds) == 0 and track.boxes_px.shape == (0, 4)
    assert len(sample.tube('ghost')) == 0


def test_a_box_without_area_is_refused_by_the_tube(sample):
    sample.boxes.boxes_px[3] = [5, 5, 5, 6]
    with pytest.raises(ValueError, match='no area'):
        sample.tube('street.1')


def test_films_without_tubelets_are_listed_too(sample):
    assert sample.tids_by_video() == {'street': ['street.1', 'street.2'], 'park': []}


def test_rows_by_tubelet_are_in_the_order_of_the_file(sample):
    sample.aa = InstanceTable.from_rows(
        [('b', 0, '', 2.0, 3.0), ('a', 1, '', 0.0, 1.0), ('b', 2, '', 0.0, 1.0), ('b', 3, '', 1.0, 2.0)]
    )
    rows = sample.rows_by_tubelet('atomic')
    assert {tid: found.tolist() for tid, found in rows.items()} == {'a': [1], 'b': [0, 2, 3]}
    assert sample.rows_by_tubelet('atomic') is rows
    assert SEALAnnotations({}, {}).rows_by_tubelet('complex') == {}


def test_rows_by_tubelet_covers_each_row_once():
    generator = np.random.default_rng(0)
    tids = generator.integers(0, 30, 500).astype(str)
    table = InstanceTable(tids, np.zeros(500), np.full(500, ''), np.zeros(500), np.ones(500))
    rows = SEALAnnotations({}, {}, table).rows_by_tubelet('atomic')
    assert sorted(row for found in rows.values() for row in found.tolist()) == list(range(500))
    assert all((tids[found] == tid).all() and (np.diff(found) > 0).all() for tid, found in rows.items())


def test_only_keeps_what_belongs_to_the_films_and_shares_the_boxes(sample):
    street, park = sample.only({'street'}), sample.only({'park'})
    assert list(street.videos) == ['street'] and len(street.aa) == 3 and len(street.ca) == 1
    assert list(park.videos) == ['park'] and not park.tubelets and len(park.aa) == len(park.ca) == 0
    assert park.boxes is sample.boxes and street.name == sample.name
    assert sample.only({'beach'}).videos == {}


def test_the_tables_of_the_tasks(sample):
    assert sample.instances('atomic') is sample.aa and sample.instances('complex') is sample.ca
    with pytest.raises(ValueError, match='task must be one of'):
        sample.instances('clip')


def test_an_instance_table_is_columns_of_one_length():
    table = InstanceTable.from_rows([('t', 3, 'po', 0.5, 2.0), ('u', 1, 'pp', 1.0, 1.5)])
    assert table.duration_s.tolist() == [1.5, 0.5]
    assert table.rows(np.array([False, True])).tids.tolist() == ['u'] and table.rows(np.array([1, 0])).labels[0] == 1
    assert len(InstanceTable.from_rows([])) == 0 and InstanceTable.from_rows([]).labels.dtype == np.int64
    with pytest.raises(ValueError, match='one length'):
        InstanceTable(['t'], [1, 2], [''], [0.0], [1.0])


def test_annotations_without_boxes_have_an_empty_table():
    assert isinstance(SEALAnnotations({}, {}).boxes, BoxTable) and len(SEALAnnotations({}, {}).boxes) == 0


def test_annotations_of_some_films_can_leave_the_boxes_of_others_behind(sample):
    vid = next(iter(sample.videos))
    part = sample.only({vid})
    own = part.with_own_boxes()
    assert len(part.boxes) == len(sample.boxes) and own.tubelets == part.tubelets
    assert len(own.boxes) == sum(len(part.track(tid).frame_inds) for tid in part.tubelets)
    assert all((own.track(tid).boxes_px == part.track(tid).boxes_px).all() for tid in part.tubelets)


def test_annotations_introduce_themselves_in_one_line(sample):
    told = repr(sample)
    assert '\n' not in told and f'{len(sample.videos)} videos' in told and f'{len(sample.boxes)} boxes' in told
