"""The protocol `mot`: files to numbers."""

import argparse

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.evidence import RatioEvidence
from mmtube.evaluation.protocols import mot
from mmtube.evaluation.readers.tracks import TrackTable, read_truth
from mmtube.evaluation.scoring.tracks import with_times
from mmtube.structures import Tube, VideoInfo, VideoResult
from mmtube.structures.io import write_result_json
from mmtube.structures.seal import write_seal_json
from mmtube.structures.seal.convert.results import from_results


def write(path, *rows):
    """Rows of (frame, ID, left edge, further columns) as boxes of 10 x 10 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'{frame},{track_id},{left},1,10,10,{",".join(map(str, more))}\n' for frame, track_id, left, *more in rows]
    path.write_text(''.join(lines))
    return path


def track(track_id, frames, left=1, *more):
    return [(frame, track_id, left, *(more or (1, -1, -1, -1))) for frame in frames]


def score(gt, pred, *options):
    parser = argparse.ArgumentParser()
    mot.add_arguments(parser)
    args = parser.parse_args(list(options))
    args.gt, args.pred = str(gt), str(pred)
    return mot.evaluate(args)


def test_known_figures_of_tud_campus(shared_data):
    folder = shared_data / 'mot' / 'TUD-Campus'
    result = score(folder / 'gt.txt', folder / 'sample_result.txt')
    shown = {name: round(100 * result.metrics[name], 3) for name in ('MOTA', 'IDF1', 'HOTA', 'MOTP_iou')}
    assert shown == {'MOTA': 52.646, 'IDF1': 55.766, 'HOTA': 39.140, 'MOTP_iou': 72.280}
    counts = [result.metrics[name] for name in ('FP', 'FN', 'IDSW', 'fragmentations', 'MT', 'PT', 'ML')]
    assert counts == [13, 150, 7, 7, 1, 6, 1]


def test_perfect_tracks_score_exactly_one(tmp_path):
    gt = write(tmp_path / 'gt.txt', *track(1, range(1, 30)), *track(2, range(5, 20), 6.3))
    result = score(gt, write(tmp_path / 'out.txt', *track(8, range(1, 30)), *track(5, range(5, 20), 6.3)))
    fractions = {name: value for name, value in result.metrics.items() if isinstance(value, float)}
    assert len(fractions) == 15 and set(fractions.values()) == {1.0}
    assert [result.metrics[name] for name in ('FP', 'FN', 'IDSW', 'fragmentations', 'PT', 'ML')] == [0] * 6
    assert result.tables['worst']['text'] == []


def test_a_switch_is_counted_and_shown(tmp_path):
    gt = write(tmp_path / 'S' / 'gt' / 'gt.txt', *track(1, range(1, 9)))
    (tmp_path / 'S' / 'seqinfo.ini').write_text('[Sequence]\nframeRate=4\n')
    pred = write(tmp_path / 'out.txt', *track(5, range(1, 5)), *track(6, range(5, 9)), *track(7, [1], 60))
    result = score(gt, pred)
    assert result.metrics['MOTA'] == 1 - 2 / 8 and result.metrics['IDF1'] == 2 * 4 / 17
    assert result.metrics['AssA'] == 0.5 and result.metrics['FP'] == 1
    worst = list(zip(*result.tables['worst'].values()))
    assert worst[0] == ('S', 1.0, 0, 0, 10, 10, 'person 1 was ID 5, becomes ID 6 (frame index 4)')
    assert worst[1] == ('S', 0.0, 59, 0, 69, 10, 'ID 7 has 1 false boxes of 1, the first here (frame index 0)')


def test_times_come_from_the_rate_that_is_known(tmp_path):
    for name, rate in (('A', 4), ('B', None)):
        write(tmp_path / 'gt' / name / 'gt' / 'gt.txt', *track(1, range(1, 9)))
        write(tmp_path / 'out' / f'{name}.txt', *track(5, range(1, 9)), *track(7, [7], 60))
        if rate:
            (tmp_path / 'gt' / name / 'seqinfo.ini').write_text(f'[Sequence]\nframeRate={rate}\n')
    write(tmp_path / 'out' / 'C.txt', *track(7, [7], 60))

    def times(*options):
        worst = score(tmp_path / 'gt', tmp_path / 'out', *options).tables['worst']
        return dict(zip(worst['video'], worst['time_s']))

    assert times() == {'A': 6 / 4, 'B': None, 'C': None}
    assert times('--fps', '10') == {'A': 6 / 4, 'B': 0.6, 'C': 0.6}
    with pytest.raises(InputError, match='frame rate must be positive'):
        times('--fps', '0')


def test_a_frame_that_no_film_has_is_refused(tmp_path):
    gt = write(tmp_path / 'gt.txt', *track(1, [1]))
    with pytest.raises(InputError, match='no film has 2147483648 frames'):
        score(gt, write(tmp_path / 'out.txt', *track(1, [2**31 + 1])))
    # One frame less is a number like others and takes no memory.
    assert score(gt, write(tmp_path / 'out.txt', *track(1, [1, 2**31]))).metrics['FP'] == 1


def test_a_miss_is_shown_with_its_length(tmp_path):
    gt = write(tmp_path / 'gt.txt', *track(1, range(1, 9)))
    result = score(gt, write(tmp_path / 'out.txt', *track(5, [1, 2, 6, 7, 8])))
    assert result.tables['worst']['text'] == ['person 1 is missed in 3 boxes from here (frame index 2)']
    assert result.metrics['fragmentations'] == 1


def test_what_finds_a_distractor_is_neither_right_nor_wrong(tmp_path):
    gt = write(
        tmp_path / 'gt.txt',
        *track(1, range(1, 5), 1, 1, 1, 1),
        *track(2, range(1, 5), 40, 0, 8, 1),  # a distractor
        *track(3, range(1, 5), 80, 0, 3, 1),  # a car
    )
    found = [*track(5, range(1, 5)), *track(6, range(1, 5), 41), *track(7, range(1, 5), 80)]
    result = score(gt, write(tmp_path / 'out.txt', *found))
    assert (result.counts['ground_truths'], result.counts['predictions']) == (4, 8)
    assert result.metrics['FP'] == 4 and result.metrics['MOTA'] == 0  # the car was tracked
    assert result.notes == [
        '8 boxes of the ground truth are not to be considered and were left out',
        '4 predicted boxes that found a distractor were removed',
    ]
    assert score(gt, tmp_path / 'out.txt', '--distractors').metrics['FP'] == 8
    assert score(gt, tmp_path / 'out.txt', '--layout', 'mot15').metrics['FP'] == 8


def test_a_person_goes_before_a_distractor_that_fits_worse(tmp_path):
    gt = write(tmp_path / 'gt.txt', (1, 1, 1, 1, 1, 1), (1, 2, 3, 0, 8, 1))
    assert score(gt, write(tmp_path / 'out.txt', (1, 5, 1, 1))).metrics['MOTA'] == 1


def test_sequences_are_summed_and_told_apart(tmp_path):
    for name, frames in (('a', 6), ('b', 2), ('c', 3)):
        write(tmp_path / 'gt' / f'{name}.txt', *track(1, range(1, frames + 1)))
    write(tmp_path / 'out' / 'a.txt', *track(1, range(1, 7)))
    write(tmp_path / 'out' / 'b.txt', *track(1, [1]), *track(2, [2]))
    write(tmp_path / 'out' / 'd.txt', *track(1, [1, 2, 3]))
    result = score(tmp_path / 'gt', tmp_path / 'out')
    assert result.metrics['MOTA'] == (11 - 3 - 3 - 1) / 11 and result.metrics['IDF1'] == 2 * 7 / (11 + 11)
    assert result.counts['videos_without_predictions'] == 1 and result.counts['predictions_in_other_videos'] == 3
    table = result.tables['sequences']
    assert table['sequence'] == ['a', 'b', 'c', 'd'] and table['MOTA'] == [1.0, 0.5, 0.0, None]
    assert table['FP'] == [0, 0, 0, 3]
    evidence = result.evidence
    assert isinstance(evidence, RatioEvidence) and evidence.units == ['a', 'b', 'c', 'd']
    assert evidence.numerators.sum() / evidence.denominators.sum() == result.metrics[evidence.metric]


def test_hota_is_drawn_over_its_thresholds(tmp_path):
    gt = write(tmp_path / 'gt.txt', *track(1, range(1, 5)))
    curve = score(gt, write(tmp_path / 'out.txt', *track(1, range(1, 5), 6))).curves['HOTA by localisation threshold']
    assert curve['x'][:2] == [0.05, 0.1] and curve['y'] == [1.0] * 6 + [0.0] * 13  # IoU 1/3


def test_an_empty_prediction_misses_everything(tmp_path):
    gt, pred = write(tmp_path / 'gt.txt', *track(1, [1, 2])), write(tmp_path / 'out.txt')
    result = score(gt, pred)
    assert {value for value in result.metrics.values() if isinstance(value, float)} == {0.0}
    assert result.metrics['FN'] == 2 and 'nothing was predicted' in result.text()


def test_seal_annotations_against_results(tmp_path):
    frames = np.arange(6)
    person = Tube(3, frames, frames / 10, [[0, 0, 10, 10]] * 6)
    info = VideoInfo('one.mp4', 64, 48, 10.0, 50, 5.0)
    write_seal_json(from_results([VideoResult(info, [person])]), tmp_path / 'gt.json')
    found = [person.rows(frames < 3), Tube(9, frames[3:], frames[3:] / 10, [[0, 0, 10, 10]] * 3)]
    write_result_json(VideoResult(info, found), tmp_path / 'found' / 'one.json')
    result = score(tmp_path / 'gt.json', tmp_path / 'found')
    assert result.metrics['IDSW'] == 1 and result.tables['worst']['time_s'] == [0.3]


def test_rows_in_another_order_give_the_same_result(tmp_path):
    rng = np.random.default_rng(0)
    gt = [(f, i, int(rng.integers(1, 20)), 1, 1, 1) for f in range(1, 30) for i in range(1, 6)]
    pred = [(f, (i + f // 9) % 7 + 1, int(rng.integers(1, 20)), 0.5) for f in range(1, 30) for i in range(6)]
    known = score(write(tmp_path / 'gt.txt', *gt), write(tmp_path / 'out.txt', *pred)).document()
    assert known['metrics']['IDSW'] > 0
    for _ in range(3):
        rng.shuffle(gt)
        rng.shuffle(pred)
        again = score(
            write(tmp_path / 'gt.txt', *(row for row in map(tuple, gt))),
            write(tmp_path / 'out.txt', *((int(f), int(i), int(left), s) for f, i, left, s in pred)),
        )
        assert again.document() == known


def test_what_cannot_be_scored_is_refused(tmp_path):
    gt = write(tmp_path / 'gt' / 'a.txt', *track(1, [1]))
    pred = write(tmp_path / 'out' / 'b.txt', *track(1, [1]))
    for files, cause in {
        (gt.parent, pred.parent): 'no video of it is in',
        (write(tmp_path / 'e.txt'), pred): 'has no ground truth',
        (write(tmp_path / 'z.txt', *track(1, [1], 1, 0)), pred): 'no row of the ground truth is to be considered',
        (gt, tmp_path / 'absent.txt'): 'cannot be read',
    }.items():
        with pytest.raises(InputError, match=cause) as caught:
            score(*files)
        assert '\n' not in str(caught.value)
    with pytest.raises(InputError, match='must lie in'):
        score(gt, pred, '--iou', '0')


def test_one_id_twice_in_a_frame_is_refused_with_its_place(tmp_path):
    table = read_truth(write(tmp_path / 'gt.txt', *track(1, [1, 2])))
    table.frames[:] = 3
    with pytest.raises(InputError, match=r"gt.txt: '.*', frame 4, ID 1: the ID has a box in this frame already"):
        mot.score_tables(table, table)
    table.boxes[1, 0] = np.nan
    with pytest.raises(InputError, match='not a finite number'):
        mot.score_tables(table, table)


def test_the_rate_is_that_of_the_last_frame_of_the_ground_truth():
    def table(frames, times_s):
        one = np.zeros(len(frames), np.int64)
        boxes = np.tile([0.0, 0, 10, 10], (len(frames), 1))
        return TrackTable(
            ['a'], one, one, None, 'x', str, np.array(frames), boxes, ids=one, tubelets=one, times_s=np.array(times_s)
        )

    truth = table([0, 40, 10, 20], [0.0, 4.0, 2.0, np.nan])  # 10 frames a second on the whole
    found = table([5, 80], [np.nan, 80.0])
    timed = with_times(truth, found, fps=7)
    assert timed[0].times_s.tolist() == [0, 4, 2, 2] and timed[1].times_s.tolist() == [0.5, 80]
    alone = with_times(table([20], [np.nan]), found)
    assert alone[0].times_s.tolist() == [20]
    assert np.isnan(with_times(*[table([20], [np.nan])] * 2)[0].times_s).all()
