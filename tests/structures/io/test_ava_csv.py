import numpy as np
import pytest
from hypothesis import given
from results import CLASSES, HEIGHT, WIDTH, through, video_results

from mmtube.errors import InputError
from mmtube.structures import Tube, VideoInfo, VideoResult
from mmtube.structures.io import read_ava_csv, write_ava_csv

SIZE = (640, 480)


def film(*tubes, **changes):
    return VideoResult(VideoInfo(**{**VIDEO, **changes}), list(tubes), label_maps={'clip': ['walk', 'eat']})


VIDEO = {'name': 'film.mp4', 'width': 640, 'height': 480, 'fps': 25.0, 'num_frames': 100, 'duration_s': 4.0}


def walker(**changes):
    fields = {
        'track_id': 3,
        'frame_inds': [0, 25, 50],
        'times_s': [0.0, 1.0, 2.0],
        'boxes_px': [[0, 0, 64, 48], [64, 48, 320, 240], [64, 48, 640, 480]],
        'clip_times_s': [1.0, 1.75],
        'clip_scores': [[0.5, 0.25], [0.125, 1]],
    }
    return Tube(**{**fields, **changes})


def nearest_box(tube, time_s):
    """The definition: the earliest of the rows nearest in time, cut at the frame."""
    row = min(range(len(tube)), key=lambda index: abs(tube.times_s[index] - time_s))
    x1, y1, x2, y2 = tube.boxes_px[row].tolist()
    return [max(x1, 0), max(y1, 0), min(x2, WIDTH), min(y2, HEIGHT)]


@given(video_results())
def test_clip_scores_and_the_boxes_at_their_times_come_back(result):
    names = [f'class {index}' for index in range(CLASSES)]
    options = {'frame_size': (WIDTH, HEIGHT), 'fps': 1000.0, 'label_names': names}
    back = through(write_ava_csv, read_ava_csv, result, options, person_ids=True)
    assert back.label_maps == {'clip': names}
    known = {tube.track_id: tube for tube in back.tubes}
    for tube in result.tubes:
        boxes = [nearest_box(tube, time_s) for time_s in tube.clip_times_s]
        inside = [index for index, (x1, y1, x2, y2) in enumerate(boxes) if x1 < x2 and y1 < y2]
        if not inside:
            assert tube.track_id not in known
            continue
        read = known[tube.track_id]
        np.testing.assert_array_equal(read.clip_times_s, tube.clip_times_s[inside])
        np.testing.assert_array_equal(read.clip_scores, tube.clip_scores[inside])
        np.testing.assert_array_equal(read.times_s, read.clip_times_s)
        np.testing.assert_allclose(read.boxes_px, [boxes[index] for index in inside], rtol=1e-6, atol=1.1e-6 * WIDTH)


def test_rows_are_as_in_ava_with_actions_counted_from_one(tmp_path):
    write_ava_csv(film(walker()), tmp_path / 'film.csv')
    assert (tmp_path / 'film.csv').read_text().splitlines() == [
        'film,0001,0.1,0.1,0.5,0.5,1,0.5',
        'film,0001,0.1,0.1,0.5,0.5,2,0.25',
        'film,1.75,0.1,0.1,1,1,1,0.125',
        'film,1.75,0.1,0.1,1,1,2,1.0',
    ]


def test_threshold_first_id_and_person_column(tmp_path):
    write_ava_csv(film(walker()), tmp_path / 'film.csv', score_thr=0.5, first_id=0, person_ids=True)
    assert (tmp_path / 'film.csv').read_text().splitlines() == [
        'film,0001,0.1,0.1,0.5,0.5,0,0.5,3',
        'film,1.75,0.1,0.1,1,1,1,1.0,3',
    ]


@pytest.mark.parametrize('first_id', [0, 1, 7])
def test_column_c_is_action_c_plus_first_id(tmp_path, first_id):
    write_ava_csv(film(walker()), tmp_path / 'film.csv', first_id=first_id)
    back = read_ava_csv(tmp_path / 'film.csv', SIZE, 25, first_id=first_id)
    np.testing.assert_array_equal(np.concatenate([tube.clip_scores for tube in back.tubes]), walker().clip_scores)


def test_without_the_person_column_each_box_is_a_tube_of_its_own(tmp_path):
    write_ava_csv(film(walker()), tmp_path / 'film.csv')
    back = read_ava_csv(tmp_path / 'film.csv', SIZE, 25, label_names=['walk', 'eat'])
    assert [(tube.track_id, tube.clip_times_s.tolist()) for tube in back.tubes] == [(0, [1]), (1, [1.75])]
    assert back.tubes[0].boxes_px.tolist() == [[64, 48, 320, 240]]
    assert back.tubes[0].frame_inds.tolist() == [25]
    assert back.label_maps == {'clip': ['walk', 'eat']}
    assert back.video.name == 'film'


def test_of_two_rows_equally_near_the_earlier_gives_the_box(tmp_path):
    write_ava_csv(film(walker(clip_times_s=[0.5], clip_scores=[[1]])), tmp_path / 'film.csv')
    assert (tmp_path / 'film.csv').read_text() == 'film,0.5,0,0,0.1,0.1,1,1.0\n'


def test_a_box_thinner_than_a_step_keeps_some_width_inside_the_frame(tmp_path):
    edge = np.nextafter(np.float32(640), np.float32(0))
    boxes = np.array([[0, 0, 1e-6, 48], [edge, 0, 640, 48]], np.float32)
    thin = walker(frame_inds=[0, 25], times_s=[0.0, 1.0], boxes_px=boxes, clip_times_s=[0.0, 1.0])
    write_ava_csv(film(thin), tmp_path / 'film.csv', score_thr=0.5)
    rows = (tmp_path / 'film.csv').read_text().splitlines()
    assert [row.split(',')[2:6:2] for row in rows] == [['0', '1e-06'], ['0.999999', '1']]


def test_a_person_outside_the_frame_has_no_row(tmp_path):
    outside = walker(boxes_px=[[-9, 0, -1, 9], [-9, 0, -1, 9], [-64, 48, 64, 960]])
    write_ava_csv(film(outside), tmp_path / 'film.csv')
    rows = (tmp_path / 'film.csv').read_text().splitlines()
    assert [row.split(',')[1:6] for row in rows] == [['1.75', '0', '0.1', '0.1', '1']] * 2


def test_a_film_without_clips_is_a_file_without_rows(tmp_path):
    write_ava_csv(film(walker(clip_times_s=None, clip_scores=None)), tmp_path / 'film.csv')
    assert (tmp_path / 'film.csv').read_text() == ''
    back = read_ava_csv(tmp_path / 'film.csv', SIZE, 25)
    assert (back.tubes, back.video.name) == ([], 'film')


def test_one_of_several_films_is_chosen(tmp_path):
    (tmp_path / 'all.csv').write_text('a,0001,0,0,1,1,1,0.5\nb,0001,0,0,1,1,2,0.5\n')
    assert read_ava_csv(tmp_path / 'all.csv', SIZE, 25, video_id='b').tubes[0].clip_scores.tolist() == [[0, 0.5]]
    with pytest.raises(InputError, match='holds 2 films'):
        read_ava_csv(tmp_path / 'all.csv', SIZE, 25)
    with pytest.raises(InputError, match='no row of c'):
        read_ava_csv(tmp_path / 'all.csv', SIZE, 25, video_id='c')


BAD = {
    'seven columns': ('a,0002,0,0,1,1,1', 'has 7 columns, not 9'),
    'text': ('a,0002,0,0,1,x,1,0.5,1', 'could not convert'),
    'half an action': ('a,0002,0,0,1,1,1.5,0.5,1', 'invalid literal'),
    'nan': ('a,nan,0,0,1,1,1,0.5,1', 'a value is not a finite number'),
    'no area': ('a,0002,0.5,0,0.5,1,1,0.5,1', 'the box has no area'),
    'pixels': ('a,0002,0,0,320,240,1,0.5,1', 'the box is not in fractions of the frame'),
    'annotation': ('a,0002,0,0,1,1,1,12,1', 'the score 12 is outside [0, 1]; column 8 of an annotation file'),
    'nan score': ('a,0002,0,0,1,1,1,nan,1', 'the score nan is outside'),
    'action zero': ('a,0002,0,0,1,1,0,0.5,1', 'there is no action 0'),
    'action three': ('a,0002,0,0,1,1,3,0.5,1', 'there is no action 3'),
    'negative person': ('a,0002,0,0,1,1,1,0.5,-1', 'there is no person -1'),
    'other box': ('a,0001,0,0,1,0.5,2,0.5,1', 'person 1 has another box at 1.0 s already'),
    'same action': ('a,0001,0,0,1,1,1,0.5,1', 'the action has a score at 1.0 s already'),
}


@pytest.mark.parametrize('row, cause', BAD.values(), ids=BAD)
def test_a_bad_row_is_named_by_file_and_line(tmp_path, row, cause):
    (tmp_path / 'all.csv').write_text(f'a,0001,0,0,1,1,1,0.5,1\n\n{row}\n')
    with pytest.raises(InputError) as caught:
        read_ava_csv(tmp_path / 'all.csv', SIZE, 25, label_names=['walk', 'eat'])
    assert f'all.csv:3: {cause}' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_an_action_without_a_label_map_has_a_limit(tmp_path):
    (tmp_path / 'all.csv').write_text('a,0001,0,0,1,1,1000000000,0.5\n')
    with pytest.raises(InputError, match='there is no action 1000000000'):
        read_ava_csv(tmp_path / 'all.csv', SIZE, 25)


def test_key_times_that_share_a_frame_are_refused(tmp_path):
    (tmp_path / 'all.csv').write_text('a,1.0,0,0,1,1,1,0.5,1\na,1.01,0,0,1,1,1,0.5,1\n')
    with pytest.raises(InputError, match=r'all.csv:1: at 25 fps'):
        read_ava_csv(tmp_path / 'all.csv', SIZE, 25)


@pytest.mark.parametrize(
    'result, cause',
    [
        (film(walker(), width=0), 'the size of the film is not known'),
        (film(walker(clip_scores=[[0.5, np.nan]] * 2)), 'clip_scores of tube 3 has a number that is not finite'),
        (film(walker(clip_scores=[[0.5, 1.5]] * 2)), r'tube 3 has a clip score outside \[0, 1\]'),
        (film(walker(frame_inds=[], times_s=[], boxes_px=[])), 'tube 3 has clip scores but no box'),
        (film(walker(), walker()), 'tube ID 3 is used twice'),
    ],
)
def test_what_the_format_cannot_hold_is_not_written(tmp_path, result, cause):
    with pytest.raises(InputError, match=cause):
        write_ava_csv(result, tmp_path / 'film.csv')
    assert not (tmp_path / 'film.csv').exists()
