"""The protocol `detection`: files to numbers that can be checked in the head."""

import argparse

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmtube.errors import InputError
from mmtube.evaluation.functional.detection import cut_at_false, cut_at_score, share_covered
from mmtube.evaluation.protocols import detection
from mmtube.structures import FrameDetections, Tube, VideoInfo, VideoResult
from mmtube.structures.io import write_mot_detections, write_result_json
from mmtube.structures.seal import write_seal_json
from mmtube.structures.seal.convert.results import from_results


def write(path, *rows):
    """Rows of (frame from 1, left edge, score) as boxes of 10 x 20 pixels without an ID."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(f'{frame},-1,{left},1,10,20,{score},-1,-1,-1\n' for frame, left, score in rows))
    return path


def write_truth(path, *rows):
    """Rows of (frame from 1, ID, left edge) as boxes of 10 x 20 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(f'{frame},{number},{left},1,10,20,1\n' for frame, number, left in rows))
    return path


def score(gt, pred, *options):
    parser = argparse.ArgumentParser()
    detection.add_arguments(parser)
    args = parser.parse_args(list(options))
    args.gt, args.pred = str(gt), str(pred)
    return detection.evaluate(args)


def people(num_frames=10, name='film.mp4', spans=((0, 4, 0), (2, 6, 50))):
    """SEAL annotations of a film: (first frame, frame behind the last, left edge) of each person."""
    tubes = []
    for number, (begin, end, left) in enumerate(spans):
        frames = np.arange(begin, end)
        boxes = np.tile(np.array([[left, 0, left + 10, 20]], np.float32), (len(frames), 1))
        tubes.append(Tube(number + 1, frames, frames / 5, boxes, np.ones(len(frames), np.float32)))
    return VideoResult(VideoInfo(name, 100, 50, 5.0, num_frames, num_frames / 5), tubes)


def test_perfect_detections_score_exactly_one(tmp_path):
    gt = write_truth(tmp_path / 'gt.txt', (1, 1, 1), (1, 2, 30), (2, 1, 1))
    result = score(gt, write(tmp_path / 'out.txt', (1, 1, 0.9), (1, 30, 0.4), (2, 1, 0.7)))
    assert result.metrics == {
        'recall': 1.0, 'precision': 1.0, 'false_per_frame': 0.0, 'AP@0.5': 1.0, 'AP': 1.0, 'FP': 0, 'FN': 0,
    }  # fmt: skip
    assert result.details['score_threshold'] == pytest.approx(0.4)


def test_the_threshold_is_the_lowest_with_so_many_false_boxes(tmp_path):
    gt = write_truth(tmp_path / 'gt.txt', *((frame, 1, 1) for frame in range(1, 6)))  # 5 frames, 1 person in each
    found = [(1, 1, 0.9), (2, 60, 0.8), (2, 1, 0.7), (3, 60, 0.6), (3, 1, 0.5), (4, 60, 0.4), (4, 1, 0.3)]
    pred = write(tmp_path / 'out.txt', *found)
    one, two = (score(gt, pred, '--false-per-frame', share) for share in ('0.2', '0.4'))
    assert (one.metrics['recall'], one.metrics['false_per_frame'], one.metrics['FP']) == (2 / 5, 0.2, 1)
    assert (two.metrics['recall'], two.metrics['false_per_frame'], two.metrics['FP']) == (3 / 5, 0.4, 2)
    assert one.details['score_threshold'] == pytest.approx(0.7)
    assert score(gt, pred).metrics == one.metrics
    given_ = score(gt, pred, '--score', '0.5')
    assert given_.metrics == two.metrics and given_.metrics['precision'] == 3 / 5
    # Found at ranks 1, 3, 5 and 7 of 5: precision 1, 2/3, 3/5, 4/7.
    assert one.metrics['AP@0.5'] == pytest.approx((1 + 2 / 3 + 3 / 5 + 4 / 7) / 5)
    assert one.metrics['AP'] == pytest.approx(one.metrics['AP@0.5'])  # all hits are exact


@pytest.mark.parametrize('least', ['0.1', '0.3', '0.6', '0.7'])
def test_a_score_that_is_as_given_passes(least, tmp_path):
    gt = write_truth(tmp_path / 'gt.txt', (1, 1, 1), (2, 1, 1))
    pred = write(tmp_path / 'out.txt', (1, 1, least), (2, 1, float(least) - 1e-4))  # 0.7 is less in 32 bits
    assert score(gt, pred, '--score', least).metrics['recall'] == 0.5


def test_boxes_of_one_score_pass_together_or_not_at_all(tmp_path):
    gt = write_truth(tmp_path / 'gt.txt', (1, 1, 1), (2, 1, 1))
    pred = write(tmp_path / 'out.txt', (1, 1, 0.9), (2, 1, 0.5), (2, 40, 0.5), (2, 60, 0.5))
    result = score(gt, pred, '--false-per-frame', '0.5')  # one false box is allowed, at 0.5 there would be two
    assert (result.metrics['recall'], result.metrics['FP']) == (0.5, 0)
    assert score(gt, pred, '--false-per-frame', '1').metrics['recall'] == 1.0


def test_a_second_box_on_somebody_is_false_and_the_most_confident_comes_first(tmp_path):
    gt = write_truth(tmp_path / 'gt.txt', (1, 1, 1))
    result = score(gt, write(tmp_path / 'out.txt', (1, 1, 0.4), (1, 2, 0.9)), '--score', '0')
    assert (result.metrics['FP'], result.metrics['FN']) == (1, 0)
    # The one of 0.9 is a pixel aside: 9 of 11 columns, IoU 0.818. It is right up to .80, and the exact one of 0.4 then.
    assert result.metrics['AP@0.5'] == 1.0
    assert result.metrics['AP'] == pytest.approx((7 * 1 + 3 * 0.5) / 10)


def test_a_detection_whose_best_box_is_taken_finds_the_next_best(tmp_path):
    gt = write_truth(tmp_path / 'gt.txt', (1, 1, 1), (1, 2, 4))  # 3 pixels apart
    # The second overlaps person 1 most too (IoU 9/11), who is found already, and person 2 by 8/12.
    result = score(gt, write(tmp_path / 'out.txt', (1, 1, 0.9), (1, 2, 0.8)), '--score', '0')
    assert (result.metrics['recall'], result.metrics['FP']) == (1.0, 0)


def test_frames_without_people_count(tmp_path):
    write_seal_json(from_results([people(num_frames=10)], split='test'), tmp_path / 'people.json')
    pred = write(tmp_path / 'film.txt', (9, 30, 0.9), (10, 30, 0.8))
    result = score(tmp_path / 'people.json', pred, '--score', '0.1')
    assert result.counts['frames'] == 10
    assert result.metrics['false_per_frame'] == 0.2 and result.metrics['recall'] == 0
    # A text has no frame behind its last box.
    gt = write_truth(tmp_path / 'gt.txt', (1, 1, 1), (4, 1, 1))
    assert score(gt, write(tmp_path / 'out.txt', (2, 60, 0.5)), '--score', '0').metrics['false_per_frame'] == 1 / 4


def test_every_nth_frame_is_scored_of_either(tmp_path):
    write_seal_json(from_results([people(num_frames=10)], split='test'), tmp_path / 'people.json')
    # Index 0 and 3: person 1; index 3: person 2; index 9: nobody. The boxes at 1 and 2 are not looked at.
    pred = write(tmp_path / 'film.txt', (1, 1, 0.9), (2, 70, 0.9), (3, 70, 0.9), (4, 1, 0.9), (10, 70, 0.9))
    result = score(tmp_path / 'people.json', pred, '--every', '3', '--score', '0')
    assert (result.counts['frames'], result.counts['ground_truths']) == (4, 3)
    assert (result.metrics['recall'], result.metrics['false_per_frame']) == (2 / 3, 1 / 4)
    shifted = score(tmp_path / 'people.json', pred, '--every', '3', '--first', '2', '--score', '0')
    assert (shifted.counts['frames'], shifted.counts['ground_truths'], shifted.metrics['FP']) == (3, 3, 1)
    with pytest.raises(InputError, match='no box lies in every 50th frame from 9 on'):
        score(tmp_path / 'people.json', pred, '--every', '50', '--first', '9')


def test_misses_are_told_by_height_and_by_who_stands_in_front(tmp_path):
    rows = ['1,1,1,1,10,100,1', '1,2,1,21,10,100,1', '1,3,60,1,10,20,1']  # ID 2 covers 80 of the 100 rows of ID 1
    gt = tmp_path / 'gt.txt'
    gt.write_text('\n'.join(rows))
    pred = tmp_path / 'out.txt'
    pred.write_text('1,-1,1,21,10,100,0.9\n')
    result = score(gt, pred, '--score', '0')
    assert result.tables['heights'] == {
        'height_px': ['16 to 32', '96 to 128'], 'num_gt': [1, 2], 'missed': [1, 1], 'recall': [0.0, 0.5],
    }  # fmt: skip
    assert result.tables['cover'] == {
        'covered': ['0 to 0.1', '0.75 or more'], 'num_gt': [2, 1], 'missed': [1, 1], 'recall': [0.5, 0.0],
    }  # fmt: skip
    assert 'recall by cover: 0 to 0.1: 50.0 of 2, 0.75 or more: 0.0 of 1' in result.notes
    worst = result.tables['worst']['text']
    assert worst == [
        'person 3 is missed, 20 pixels tall, 0 % covered (frame index 0)',
        'person 1 is missed, 100 pixels tall, 80 % covered (frame index 0)',
    ]


def test_videos_have_rows_of_their_own(tmp_path):
    for name, left in (('A', 1), ('B', 31)):
        write_truth(tmp_path / 'gt' / name / 'gt' / 'gt.txt', (1, 1, left), (2, 1, left))
    write(tmp_path / 'out' / 'A.txt', (1, 1, 0.9), (2, 1, 0.8))
    write(tmp_path / 'out' / 'B.txt', (1, 70, 0.7))
    result = score(tmp_path / 'gt', tmp_path / 'out', '--score', '0')
    assert result.tables['videos'] == {
        'video': ['A', 'B'], 'frames': [2, 2], 'num_gt': [2, 2], 'missed': [0, 2], 'false': [0, 1],
        'recall': [1.0, 0.0], 'false_per_frame': [0.0, 0.5],
    }  # fmt: skip
    part = score(tmp_path / 'gt', tmp_path / 'out', '--score', '0', '--videos', 'A')
    assert part.metrics['recall'] == 1.0 and part.convention.endswith('; videos A')


def test_boxes_in_films_without_ground_truth_are_false_and_told(tmp_path):
    write_truth(tmp_path / 'gt' / 'A.txt', (1, 1, 1))
    write(tmp_path / 'out' / 'A.txt', (1, 1, 0.9))
    write(tmp_path / 'out' / 'Z.txt', (1, 1, 0.8))
    result = score(tmp_path / 'gt', tmp_path / 'out', '--score', '0')
    assert result.metrics['FP'] == 1
    assert result.notes[0] == '1 videos are not in the ground truth, their boxes are false: Z'


def test_nothing_predicted_misses_everything(tmp_path):
    gt = write_truth(tmp_path / 'gt.txt', (1, 1, 1))
    result = score(gt, write(tmp_path / 'out.txt'))
    assert result.metrics == {
        'recall': 0.0, 'precision': 0.0, 'false_per_frame': 0.0, 'AP@0.5': 0.0, 'AP': 0.0, 'FP': 0, 'FN': 1,
    }  # fmt: skip
    assert 'nothing was predicted: all ground truth is missed' in result.notes


def test_what_the_detector_tool_and_the_pipeline_write_are_read_alike(tmp_path):
    film = people()
    write_seal_json(from_results([film], split='test'), tmp_path / 'people.json')
    detections = []
    for frame in range(10):
        boxes = [tube.boxes_px[tube.frame_inds == frame] for tube in film.tubes]
        boxes = np.concatenate(boxes)
        detections.append(FrameDetections(frame, frame / 5, boxes, np.ones(len(boxes), np.float32)))
    (tmp_path / 'texts').mkdir()
    write_mot_detections(detections, tmp_path / 'texts' / 'film.txt')
    write_result_json(film, tmp_path / 'result.json')
    by_text, by_result = (score(tmp_path / 'people.json', tmp_path / name) for name in ('texts', 'result.json'))
    assert by_text.metrics == by_result.metrics and by_text.metrics['AP'] == 1.0


def test_distractors_are_neither_right_nor_wrong(tmp_path):
    gt = tmp_path / 'gt.txt'
    gt.write_text('1,1,1,1,10,20,1,1,1\n1,2,40,1,10,20,0,8,1\n')
    pred = write(tmp_path / 'out.txt', (1, 1, 0.9), (1, 40, 0.8))
    assert score(gt, pred, '--score', '0').metrics['FP'] == 0
    assert score(gt, pred, '--score', '0', '--distractors').metrics['FP'] == 1


@pytest.mark.parametrize(
    ('options', 'cause'),
    [
        (['--iou', '0'], 'the IoU of a match'),
        (['--false-per-frame', '-1'], 'must be 0 or more'),
        (['--every', '0'], '--every must be 1 or more'),
        (['--videos', 'Q'], "has no video 'Q'"),
    ],
)
def test_wrong_options_are_refused(options, cause, tmp_path):
    gt = write_truth(tmp_path / 'gt.txt', (1, 1, 1))
    with pytest.raises(InputError, match=cause):
        score(gt, write(tmp_path / 'out.txt', (1, 1, 0.9)), *options)


def test_a_bad_row_is_named(tmp_path):
    gt = write_truth(tmp_path / 'gt.txt', (1, 1, 1))
    pred = tmp_path / 'out.txt'
    pred.write_text('1,-1,1,1,10,20,0.9\n2,-1,nan,1,10,20,0.9\n')
    with pytest.raises(InputError, match=r'out\.txt:2: a value is not a finite number'):
        score(gt, pred)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4]), st.booleans()), max_size=12), st.integers(0, 6))
def test_cuts_agree_with_trying_every_threshold(rows, most_false):
    rows = sorted(rows, key=lambda row: -row[0])
    scores, hits = np.array([score for score, _ in rows]), np.array([hit for _, hit in rows], bool)
    passing = [0]
    for threshold in (0.1, 0.2, 0.3, 0.4):
        count = sum(score >= threshold for score, _ in rows)
        assert cut_at_score(scores, threshold) == count
        if sum(not hit for _, hit in rows[:count]) <= most_false:
            passing.append(count)
    assert cut_at_false(scores, hits, most_false) == max(passing)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), *[st.integers(0, 9)] * 2, *[st.integers(1, 9)] * 2), max_size=8))
def test_cover_agrees_with_counting_pixels(rows):
    pictures = np.array([row[0] for row in rows], np.int64)
    boxes = np.array([[x, y, x + w, y + h] for _, x, y, w, h in rows], np.float64).reshape(-1, 4)
    expected = []
    for number, (picture, x, y, w, h) in enumerate(rows):
        own = {(i, j) for i in range(x, x + w) for j in range(y, y + h)}
        shares = [0.0]
        for other, (elsewhere, left, top, width, height) in enumerate(rows):
            if other != number and picture == elsewhere and top + height > y + h:
                there = {(i, j) for i in range(left, left + width) for j in range(top, top + height)}
                shares.append(len(own & there) / len(own))
        expected.append(max(shares))
    np.testing.assert_allclose(share_covered(pictures, boxes), expected)
