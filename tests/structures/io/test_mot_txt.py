from pathlib import Path

import motmetrics
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from results import through, video_results

from mmtube.errors import InputError
from mmtube.structures import FrameDetections, Tube, VideoInfo, VideoResult
from mmtube.structures.io import read_mot_detections, read_mot_txt, write_mot_detections, write_mot_txt

CAMPUS = Path(__file__).parents[3].parent / 'shared' / 'data' / 'mot' / 'TUD-Campus'
STEP = 0.0005 + 1e-4  # half a thousandth of a pixel, and float32 near 1000


def film(*tubes):
    return VideoResult(VideoInfo('film.mp4', 64, 48, 10.0, 3, 0.3), list(tubes))


@given(video_results())
def test_frames_ids_boxes_and_scores_come_back(result):
    back = through(write_mot_txt, read_mot_txt, result, {'fps': 25, 'num_frames': 501})
    expected = sorted((tube for tube in result.tubes if len(tube)), key=lambda tube: tube.track_id)
    assert [tube.track_id for tube in back.tubes] == [tube.track_id for tube in expected]
    for one, two in zip(back.tubes, expected):
        np.testing.assert_array_equal(one.frame_inds, two.frame_inds)
        np.testing.assert_array_equal(one.times_s, two.frame_inds / 25)
        np.testing.assert_allclose(one.boxes_px, two.boxes_px, rtol=0, atol=STEP)
        np.testing.assert_array_equal(one.scores, two.scores)
    assert (back.video.num_frames, back.video.duration_s) == (501, 501 / 25)


def test_frames_and_pixels_are_counted_from_one(tmp_path):
    write_mot_txt(film(Tube(7, [0], [0.0], [[0, 0, 12.5, 20]], scores=[0.1])), tmp_path / 'film.txt')
    assert (tmp_path / 'film.txt').read_text() == '1,7,1,1,12.5,20,0.1,-1,-1,-1\n'


def test_motmetrics_reads_the_same_boxes(tmp_path):
    boxes = np.array([[0, 0, 12.5, 20], [100.125, 50, 200, 300]], np.float32)
    write_mot_txt(film(Tube(7, [0, 4], [0.0, 0.4], boxes)), tmp_path / 'film.txt')
    table = motmetrics.io.loadtxt(tmp_path / 'film.txt', fmt='mot15-2D')
    assert table.index.tolist() == [(1, 7), (5, 7)]
    near = table[['X', 'Y']].to_numpy()
    np.testing.assert_array_equal(near, boxes[:, :2])
    np.testing.assert_array_equal(near + table[['Width', 'Height']].to_numpy(), boxes[:, 2:])


def test_rows_are_ordered_by_frame_and_id(tmp_path):
    box = [[0, 0, 1, 1]] * 2
    write_mot_txt(film(Tube(9, [0, 1], [0.0, 0.1], box), Tube(2, [1, 2], [0.1, 0.2], box)), tmp_path / 'film.txt')
    rows = [line.split(',')[:2] for line in (tmp_path / 'film.txt').read_text().splitlines()]
    assert rows == [['1', '9'], ['2', '2'], ['2', '9'], ['3', '2']]


def test_a_film_without_people_is_a_file_without_rows(tmp_path):
    write_mot_txt(film(), tmp_path / 'film.txt')
    assert (tmp_path / 'film.txt').read_text() == ''
    assert read_mot_txt(tmp_path / 'film.txt').tubes == []
    assert read_mot_detections(tmp_path / 'film.txt') == []


def test_order_blanks_and_missing_columns_do_not_matter(tmp_path):
    (tmp_path / 'film.txt').write_text('\n 3, 1, 11, 21, 10, 10\n   \n1,1,1,1,4,8\r\n\n')
    result = read_mot_txt(tmp_path / 'film.txt', fps=10, frame_size=(64, 48))
    (tube,) = result.tubes
    assert tube.frame_inds.tolist() == [0, 2]
    assert tube.times_s.tolist() == [0, 0.2]
    assert tube.boxes_px.tolist() == [[0, 0, 4, 8], [10, 20, 20, 30]]
    assert tube.scores.tolist() == [1, 1]
    assert (result.video.name, result.video.width, result.video.num_frames) == ('film', 64, 3)


def test_columns_may_be_separated_by_blanks(tmp_path):
    (tmp_path / 'film.txt').write_text('1 5 1 1 4 8 0.5 -1 -1 -1\n')
    assert read_mot_txt(tmp_path / 'film.txt').tubes[0].track_id == 5


def test_a_score_that_is_not_given_is_one(tmp_path):
    (tmp_path / 'film.txt').write_text('1,1,1,1,4,8,-1,-1,-1,-1\n2,1,1,1,4,8,0.5,-1,-1,-1\n')
    assert read_mot_txt(tmp_path / 'film.txt').tubes[0].scores.tolist() == [1, 0.5]
    assert [frame.scores.tolist() for frame in read_mot_detections(tmp_path / 'film.txt')] == [[-1], [0.5]]


def test_a_box_thinner_than_a_step_keeps_some_width():
    thin = Tube(1, [0], [0.0], np.array([[5, 5, np.nextafter(np.float32(5), np.float32(6)), 8]], np.float32))
    (tube,) = through(write_mot_txt, read_mot_txt, film(thin)).tubes
    assert 0 < tube.boxes_px[0, 2] - tube.boxes_px[0, 0] < 0.0011


BAD = {
    'text': ('1,1,1,x,4,8,1', 'a value is not a number'),
    'short row': ('1,1,1,1,4,8', 'a value is not a number'),
    'nan': ('1,1,1,nan,4,8,1', 'a value is not a finite number'),
    'inf': ('1,1,1,1,inf,8,1', 'a value is not a finite number'),
    'huge': ('1,1,1e39,1,4,8,1', 'a value is out of range'),
    'frame zero': ('0,1,1,1,4,8,1', 'frames are counted from 1'),
    'half a frame': ('1.5,1,1,1,4,8,1', 'frame and ID must be whole numbers'),
    'half an ID': ('1,1.5,1,1,4,8,1', 'frame and ID must be whole numbers'),
    'negative width': ('1,1,1,1,-4,8,1', 'the width or height is negative'),
    'no height': ('1,1,1,1,4,0,1', 'the box has no area'),
    'no ID': ('1,-1,1,1,4,8,1', 'the ID is negative; detections are read by read_mot_detections'),
    'ID twice': ('2,1,5,5,4,8,1', 'the ID has a box in this frame already'),
}


@pytest.mark.parametrize('row, cause', BAD.values(), ids=BAD)
def test_a_bad_row_is_named_by_file_and_line(tmp_path, row, cause):
    (tmp_path / 'film.txt').write_text(f'2,1,1,1,4,8,1\n\n{row}\n')
    with pytest.raises(InputError) as caught:
        read_mot_txt(tmp_path / 'film.txt')
    assert f'film.txt:3: {cause}' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_file_of_five_columns_is_refused(tmp_path):
    (tmp_path / 'film.txt').write_text('\n1,1,1,1,4\n')
    with pytest.raises(InputError, match=r'film.txt:2: has 5 columns, at least 6'):
        read_mot_txt(tmp_path / 'film.txt')


@pytest.mark.parametrize('read', [read_mot_txt, read_mot_detections])
def test_frames_beyond_the_film_are_refused(tmp_path, read):
    (tmp_path / 'film.txt').write_text('1,1,1,1,4,8,1\n4,1,1,1,4,8,1\n')
    with pytest.raises(InputError, match=r'film.txt:2: the frame lies beyond the 3 frames'):
        read(tmp_path / 'film.txt', num_frames=3)


@pytest.mark.parametrize('read', [read_mot_txt, read_mot_detections])
@pytest.mark.parametrize('fps', [0, -1, float('nan'), float('inf')])
def test_a_frame_rate_that_is_none_is_refused(tmp_path, read, fps):
    (tmp_path / 'film.txt').write_text('1,1,1,1,4,8,1\n')
    with pytest.raises(ValueError, match='fps must be positive'):
        read(tmp_path / 'film.txt', fps=fps)


@st.composite
def detections(draw):
    frame_ind = draw(st.integers(0, 30))
    rows = draw(st.integers(0, 3))
    near = draw(hnp.arrays(np.float32, (rows, 2), elements=st.floats(0, 900, width=32)))
    side = draw(hnp.arrays(np.float32, (rows, 2), elements=st.floats(0, 100, width=32)))
    scores = draw(hnp.arrays(np.float32, rows, elements=st.floats(-2, 3, width=32)))
    return FrameDetections(frame_ind, frame_ind / 25, np.concatenate([near, near + side], axis=1), scores)


@given(st.lists(detections(), unique_by=lambda frame: frame.frame_ind, max_size=5))
def test_detections_come_back_frame_by_frame(frames):
    back = through(write_mot_detections, read_mot_detections, frames, {'num_frames': 31})
    assert [frame.frame_ind for frame in back] == list(range(31))
    known = {frame.frame_ind: frame for frame in frames}
    for frame in back:
        expected = known.get(frame.frame_ind, FrameDetections(frame.frame_ind, frame.frame_ind / 25, [], []))
        assert frame.time_s == expected.time_s
        np.testing.assert_allclose(frame.boxes_px, expected.boxes_px, rtol=0, atol=3 * STEP)  # thin boxes grow
        np.testing.assert_array_equal(frame.scores, expected.scores)
    assert {frame.frame_ind for frame in through(write_mot_detections, read_mot_detections, frames)} == {
        frame.frame_ind for frame in frames if len(frame)
    }


def test_detections_that_are_not_finite_or_reversed_are_not_written(tmp_path):
    with pytest.raises(InputError, match='frame 4 has a number that is not finite'):
        write_mot_detections([FrameDetections(4, 0.4, [[0, 0, 1, 1]], [np.nan])], tmp_path / 'det.txt')
    with pytest.raises(InputError, match='frame 4 has a reversed box'):
        write_mot_detections([FrameDetections(4, 0.4, [[5, 0, 1, 1]], [1])], tmp_path / 'det.txt')
    assert not (tmp_path / 'det.txt').exists()


@pytest.mark.skipif(not CAMPUS.exists(), reason='shared data is absent')
def test_the_files_of_motchallenge_are_read():
    truth = read_mot_txt(CAMPUS / 'gt.txt', fps=25, frame_size=(640, 480))
    assert (len(truth.tubes), sum(map(len, truth.tubes)), truth.video.num_frames) == (8, 359, 71)
    assert truth.tubes[0].boxes_px[0].tolist() == [398, 181, 519, 410]
    detections = read_mot_detections(CAMPUS / 'det.txt', num_frames=71)
    assert (len(detections), sum(map(len, detections))) == (71, 321)
