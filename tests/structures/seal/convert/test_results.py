import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.structures.seal import LabelMap, read_seal_json, write_seal_json
from mmtube.structures.seal.convert.results import from_results, to_results


def result(name='street.mp4', tubes=(), shots=((0, 50),)):
    return VideoResult(VideoInfo(name, 640, 480, 25.0, 50, 2.0), list(tubes), list(shots))


def tube(track_id, frames, segments=(), observed=None):
    boxes = [[10 + frame, 20, 50 + frame, 100] for frame in frames]
    times = [frame / 25 for frame in frames]
    return Tube(track_id, frames, times, boxes, observed=observed, segments=list(segments))


def test_a_tube_becomes_a_tubelet_of_the_first_stage():
    found = from_results([result(tubes=[tube(3, [4, 5, 9], observed=[True, False, True])])])
    record = found.tubelets['street.3']
    assert (record.vid, record.person_id, record.frame_range, record.stage) == ('street', 3, (4, 10), 1)
    assert found.track('street.3').frame_inds.tolist() == [4, 5, 9]
    assert found.track('street.3').flags.tolist() == [0, 1, 0]
    assert found.videos['street'].shots == ((0, 50),)


def test_segments_go_to_the_table_of_their_task():
    segments = [Segment(0.5, 1.5, 7), Segment(0.0, 2.0, 2, task='complex')]
    found = from_results([result(tubes=[tube(1, [0, 1], segments)])])
    assert (found.aa.labels.tolist(), found.aa.start_s.tolist(), found.aa.end_s.tolist()) == ([7], [0.5], [1.5])
    assert (found.ca.labels.tolist(), found.ca.tids.tolist()) == ([2], ['street.1'])


def test_results_come_back_through_a_file(tmp_path):
    segments = [Segment(0.5, 1.5, 7), Segment(0.0, 2.0, 2, task='complex')]
    first = result(tubes=[tube(1, [0, 1, 5], segments), tube(2, [3])])
    write_seal_json(from_results([first, result('park.mp4')]), tmp_path / 'set.json')
    again, empty = to_results(read_seal_json(tmp_path / 'set.json'), {'atomic': LabelMap('atomic', ('walk', 'run'))})
    assert again.video == first.video and again.label_maps == {'atomic': ['walk', 'run']}
    for one, other in zip(first.tubes, again.tubes, strict=True):
        assert one.track_id == other.track_id and one.segments == other.segments
        np.testing.assert_array_equal(one.boxes_px, other.boxes_px)
        np.testing.assert_array_equal(one.frame_inds, other.frame_inds)
    assert empty.tubes == [] and empty.video.name == 'park.mp4'


def test_tubelets_of_one_person_are_joined():
    annotations = from_results([result(tubes=[tube(1, [0, 1]), tube(2, [7, 8])])])
    both = {tid: record.__class__(**{**vars(record), 'person_id': 5}) for tid, record in annotations.tubelets.items()}
    annotations.tubelets = both
    (joined,) = to_results(annotations)[0].tubes
    assert joined.track_id == 5
    assert joined.frame_inds.tolist() == [0, 1, 7, 8] and joined.tubelet_ids.tolist() == [0, 0, 1, 1]


def test_two_films_of_one_name_are_refused():
    with pytest.raises(InputError, match=r"street.avi: a second film of the name 'street'"):
        from_results([result(), result('street.avi')])


def test_a_person_with_two_boxes_in_a_frame_is_refused():
    annotations = from_results([result(tubes=[tube(1, [0, 1]), tube(2, [1, 2])])])
    annotations.tubelets = {
        tid: record.__class__(**{**vars(record), 'person_id': 5}) for tid, record in annotations.tubelets.items()
    }
    with pytest.raises(InputError, match=r"person 5 of 'street': has two boxes in frame 1"):
        to_results(annotations)
