import argparse
import pickle

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.protocols import video_map
from mmtube.evaluation.result import read_document
from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.structures.io import write_result_json
from mmtube.structures.seal import write_seal_json
from mmtube.structures.seal.convert import read_act_pkl, write_results

SAMPLE = 'eval/mmaction2_tests/eval_multisports'


def rows(first, last, x=0.0, size=20.0):
    frames = np.arange(first, last + 1)
    return np.column_stack([frames, np.tile([x, 5, x + size, 5 + size], (len(frames), 1))])


TUBES = {'sport/a': {0: [rows(1, 20), rows(1, 20, 100)], 1: [rows(30, 59)]}, 'sport/b': {1: [rows(5, 30, 50)]}}


@pytest.fixture
def folder(tmp_path):
    document = {
        'labels': ['run', 'jump'],
        'gttubes': TUBES,
        'nframes': {'sport/a': 60, 'sport/b': 40},
        'resolution': {'sport/a': (240, 320), 'sport/b': (240, 320)},
        'train_videos': [[]],
        'test_videos': [['sport/a', 'sport/b']],
    }
    (tmp_path / 'gt.pkl').write_bytes(pickle.dumps(document))
    return tmp_path


def score(gt, pred, *options, convention='act'):
    parser = argparse.ArgumentParser()
    video_map.add_arguments(parser)
    args = parser.parse_args(['--convention', convention, *map(str, options)])
    args.gt, args.pred = str(gt), str(pred)
    return video_map.evaluate(args)


def pickled(folder, tubes):
    (folder / 'pred.pkl').write_bytes(pickle.dumps(tubes))
    return folder / 'pred.pkl'


def perfect():
    found = {0: [], 1: []}
    for video, classes in TUBES.items():
        for label, tubes in classes.items():
            found[label] += [(video, 0.9, tube) for tube in tubes]
    return found


@pytest.mark.parametrize('convention', ['act', 'multisports', 'plain'])
def test_perfect_tubes_of_a_pickle_give_exactly_one(folder, convention):
    result = score(folder / 'gt.pkl', pickled(folder, perfect()), convention=convention)
    assert set(result.metrics.values()) == {1.0}
    assert result.convention.startswith(f'convention {convention}; tube IoU = ')


@pytest.mark.parametrize('convention', ['act', 'multisports', 'plain'])
@pytest.mark.parametrize('inclusive', [False, True])
def test_results_of_the_pipeline_are_matched_to_the_frames_and_pixels_of_a_pickle(folder, convention, inclusive):
    # Our files count frames from 0 and pixels half open. Read as inclusive the boxes get back what 'act' adds.
    annotations = read_act_pkl(folder / 'gt.pkl', fps=25.0, inclusive=inclusive)
    write_results(annotations, folder / 'found')
    result = score(folder / 'gt.pkl', folder / 'found', convention=convention)
    assert (set(result.metrics.values()) == {1.0}) == (inclusive == (convention == 'act'))
    assert result.metrics['mAP@0.5'] == 1.0


@pytest.mark.parametrize('convention', ['act', 'multisports', 'plain'])
def test_annotations_against_themselves_give_exactly_one(folder, convention):
    write_seal_json(read_act_pkl(folder / 'gt.pkl', fps=25.0), folder / 'gt.json')
    write_results(read_act_pkl(folder / 'gt.pkl', fps=25.0), folder / 'found')
    for pred in ('gt.json', 'found'):
        result = score(folder / 'gt.json', folder / pred, convention=convention)
        assert set(result.metrics.values()) == {1.0}
        assert (result.counts['ground_truths'], result.counts['predictions']) == (4, 4)


def test_an_action_is_a_part_of_its_tube(folder):
    write_seal_json(read_act_pkl(folder / 'gt.pkl', fps=25.0), folder / 'gt.json')
    # 25 frames per second: the first 15 of the 20 frames of one of three people.
    boxes = rows(1, 20)
    tube = Tube(3, boxes[:, 0].astype(int) - 1, (boxes[:, 0] - 1) / 25, boxes[:, 1:])
    tube.segments = [Segment(0.0, 0.6, 0, 0.8)]
    write_result_json(VideoResult(VideoInfo('a.mp4', 320, 240, 25.0, 60, 2.4), [tube]), folder / 'a.json')
    result = score(folder / 'gt.json', folder / 'a.json', convention='plain')
    # Of two tubes of class 0 one is found, up to an IoU of 15 / 20; class 1 is missed.
    assert result.metrics['mAP@0.75'] == 0.25
    assert result.metrics['mAP@0.5:0.95'] == pytest.approx(0.25 * 6 / 10)
    assert result.counts['videos_without_predictions'] == 1


def flat(folder, name='det.csv'):
    lines = ['# video,frame,label,score,x1,y1,x2,y2']
    for video, classes in TUBES.items():
        for label, tubes in classes.items():
            for tube in tubes:
                lines += [f'{video},{int(frame)},{label},0.8,{",".join(map(str, box))}' for frame, *box in tube]
    (folder / name).write_text('\n'.join(lines) + '\n')
    return folder / name


def test_boxes_of_frames_are_joined_when_that_is_asked_for(folder):
    result = score(folder / 'gt.pkl', flat(folder), '--link', convention='multisports')
    assert set(result.metrics.values()) == {1.0}
    assert 'boxes joined to tubes (nms damped, nms_iou 0.6, keep 10' in result.convention
    assert '96 boxes joined to 4 tubes' in result.notes
    assert score(folder / 'gt.pkl', flat(folder), '--link', '--min-frames', 21).metrics['mAP@0.5'] == 0.5
    with pytest.raises(InputError, match=r'det.csv: holds boxes of frames, --link joins them'):
        score(folder / 'gt.pkl', flat(folder))
    with pytest.raises(InputError, match=r'pred.pkl: --link takes boxes of frames'):
        score(folder / 'gt.pkl', pickled(folder, perfect()), '--link')


def test_the_order_of_rows_and_classes_changes_nothing(folder):
    rng = np.random.default_rng(1)
    found = {label: [] for label in (0, 1)}
    for _ in range(40):
        first = int(rng.integers(1, 30))
        tube = rows(first, first + int(rng.integers(3, 30)), float(rng.integers(0, 9)), 20 + rng.integers(0, 4))
        found[int(rng.integers(2))].append((('sport/a', 'sport/b')[rng.integers(2)], 0.5, tube))
    first = score(folder / 'gt.pkl', pickled(folder, found), '--iou', 0.1).document()
    mixed = {label: [found[label][place] for place in rng.permutation(len(found[label]))] for label in (1, 0)}
    assert score(folder / 'gt.pkl', pickled(folder, mixed), '--iou', 0.1).document() == first
    assert 0 < first['metrics']['mAP@0.1'] < 1


def test_classes_can_be_skipped_and_thresholds_added(folder):
    found = perfect() | {1: []}
    result = score(folder / 'gt.pkl', pickled(folder, found), '--skip', 'jump', '--iou', 0.95)
    assert list(result.metrics)[:4] == ['mAP@0.2', 'mAP@0.5', 'mAP@0.75', 'mAP@0.95']
    assert set(result.metrics.values()) == {1.0}
    with pytest.raises(InputError, match=r"--skip: .*gt.pkl has no class 'swim'"):
        score(folder / 'gt.pkl', pickled(folder, found), '--skip', 'swim')
    with pytest.raises(InputError, match='an IoU must be above 0'):
        score(folder / 'gt.pkl', pickled(folder, found), '--iou', 0)


def test_no_predictions_are_all_missed(folder):
    result = score(folder / 'gt.pkl', pickled(folder, {}))
    assert set(result.metrics.values()) == {0.0} and 'all is missed' in result.text()


@pytest.mark.parametrize(
    ('found', 'cause'),
    [
        ({0: [('sport/c', 0.5, rows(1, 5))]}, "pred.pkl: no video of it is in .*gt.pkl .the first is 'sport/c'"),
        ({0: [('sport/a', float('nan'), rows(1, 5))]}, r'pred.pkl: \[0\]\[0\]: the score is not a finite number'),
        ({7: [('sport/a', 0.5, rows(1, 5))]}, r'pred.pkl: \[7\]: is none of the 2 classes'),
    ],
)
def test_predictions_that_cannot_be_scored_are_refused(folder, found, cause):
    with pytest.raises(InputError, match=cause):
        score(folder / 'gt.pkl', pickled(folder, found))


def test_truth_that_cannot_be_scored_is_refused(folder):
    pred = pickled(folder, perfect())
    document = pickle.loads((folder / 'gt.pkl').read_bytes())
    document['gttubes']['sport/a'][0].append(rows(1, 20))
    (folder / 'gt.pkl').write_bytes(pickle.dumps(document))
    with pytest.raises(InputError, match=r"gt.pkl: gttubes\['sport/a'\]\[0\]\[[02]\]: .*stands.* twice"):
        score(folder / 'gt.pkl', pred)
    with pytest.raises(InputError, match=r'gt.pkl: test_videos has 1 splits, there is no split 1'):
        score(folder / 'gt.pkl', pred, '--split', 1)
    document['gttubes'] = {}
    (folder / 'gt.pkl').write_bytes(pickle.dumps(document))
    with pytest.raises(InputError, match=r'gt.pkl: has no ground truth'):
        score(folder / 'gt.pkl', pred)


def test_known_figures_of_multisports_hold_with_the_slip_of_mmaction_and_are_others_without(shared_data):
    sample = shared_data / SAMPLE
    files = sample / 'gt.pkl', sample / 'detections_flat.csv'
    result = score(*files, '--link', '--compat', 'mmaction2', convention='multisports')
    assert {name: round(100 * value, 4) for name, value in result.metrics.items()} == {
        'mAP@0.2': 37.5,
        'mAP@0.5': 37.5,
        'mAP@0.05:0.45': 37.5,
        'mAP@0.1:0.9': 29.1667,
        'mAP@0.5:0.95': 21.25,
    }
    # Each box with its own score: the second tube of class 10 is found too.
    result = score(*files, '--link', convention='multisports')
    assert {name: round(100 * value, 4) for name, value in result.metrics.items()} == {
        'mAP@0.2': 50.0,
        'mAP@0.5': 50.0,
        'mAP@0.05:0.45': 50.0,
        'mAP@0.1:0.9': 40.2778,
        'mAP@0.5:0.95': 32.5,
    }


def test_the_command_prints_the_convention_with_the_numbers_and_refuses_in_one_line(folder, run_tool, refused):
    command = ('tools/evaluate.py', 'video-map', '--gt', folder / 'gt.pkl', '--convention', 'act')
    done = run_tool(*command, '--pred', pickled(folder, perfect()), '--json', folder / 'out.json')
    assert done.returncode == 0, done.stderr
    assert 'video-map: convention act; tube IoU = overlap in time' in done.stdout
    assert any(line.split() == ['mAP@0.5:0.95', '100.0000'] for line in done.stdout.splitlines())
    document = read_document(folder / 'out.json')
    assert document['metrics']['mAP@0.5:0.95'] == 1.0 and document['evidence'] == 'out.evidence.npz'
    (folder / 'bad.pkl').write_bytes(pickle.dumps({0: [('sport/a', 0.5)]}))
    told = refused(*command, '--pred', folder / 'bad.pkl')
    assert 'bad.pkl: [0][0]: a predicted tube is (video, score, rows)' in told
