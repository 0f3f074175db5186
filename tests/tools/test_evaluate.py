"""The contract of ``tools/evaluate.py``: what every protocol does on the command line."""

import importlib.util
import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from mmtube.errors import exit_on_input_error
from mmtube.evaluation.evidence import APEvidence, read_evidence
from mmtube.evaluation.functional.average_precision import average_precision
from mmtube.evaluation.protocols import PROTOCOLS
from mmtube.structures import Link, Segment, Tube, VideoInfo, VideoResult, apply_links
from mmtube.structures.io import write_result_json
from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    write_label_map,
    write_seal_json,
)
from mmtube.structures.seal.convert.results import from_results

SCRIPT = 'tools/evaluate.py'
ROOT = Path(__file__).parents[2]
FPS = 10.0
NAN = float('nan')

# Ground truth and perfect predictions, from which each writer below makes the files of its protocols.
BOXES = [('a', 1, 0, (0.0, 0.0, 0.5, 0.5)), ('a', 2, 0, (0.25, 0.0, 0.5, 0.5)), ('b', 1, 1, (0.0, 0.0, 0.25, 0.75))]
TUBES = [('a', 0, 1, 20, 0.0), ('a', 0, 1, 20, 100.0), ('b', 1, 5, 30, 50.0)]
SEGMENTS = [('a', 'run', 0.0, 4.0), ('a', 'jump', 2.0, 8.0), ('b', 'run', 1.0, 3.5)]


def scored(rows):
    """Predictions that are the ground truth: a score behind each row."""
    return [(*row, 0.9 - number / 10) for number, row in enumerate(rows)]


def write_ava(folder, truth=BOXES, found=None):
    found = scored(truth) if found is None else found
    gt, pred = folder / 'gt.csv', folder / 'pred.csv'
    gt.write_text(
        ''.join(f'{v},{t},{",".join(map(str, box))},{label + 1},{n}\n' for n, (v, t, label, box) in enumerate(truth))
    )
    pred.write_text(''.join(f'{v},{t},{",".join(map(str, box))},{label + 1},{s}\n' for v, t, label, box, s in found))
    return gt, pred


def pickled_truth(path, tubes, videos=('a', 'b')):
    by_video = {}
    for video, label, first, last, x in tubes:
        by_video.setdefault(video, {}).setdefault(label, []).append(rows_of(first, last, x))
    document = {'labels': ['run', 'jump'], 'gttubes': by_video, 'test_videos': [list(videos)]}
    path.write_bytes(pickle.dumps(document))
    return path


def rows_of(first, last, x):
    frames = np.arange(first, last + 1)
    return np.column_stack([frames, np.tile([x, 5, x + 20, 25], (len(frames), 1))])


def write_frames(folder, truth=TUBES, found=None):
    """Predictions are (video, label, first, last, x, score): a box in each frame."""
    found = scored(truth) if found is None else found
    lines = [
        f'{video},{int(row[0])},{label},{score},{",".join(map(str, row[1:].tolist()))}\n'
        for video, label, first, last, x, score in found
        for row in rows_of(first, last, x)
    ]
    (folder / 'pred.csv').write_text(''.join(lines))
    return pickled_truth(folder / 'gt.pkl', truth), folder / 'pred.csv'


def write_tubes(folder, truth=TUBES, found=None):
    found = scored(truth) if found is None else found
    tubes = {}
    for video, label, first, last, x, score in found:
        tubes.setdefault(label, []).append((video, score, rows_of(first, last, x)))
    (folder / 'pred.pkl').write_bytes(pickle.dumps(tubes))
    return pickled_truth(folder / 'gt.pkl', truth), folder / 'pred.pkl'


def write_segments(folder, truth=SEGMENTS, found=None):
    found = scored(truth) if found is None else found
    database, results = {}, {}
    for video, label, start, end in truth:
        entry = database.setdefault(video, {'subset': 'validation', 'duration': 10.0, 'annotations': []})
        entry['annotations'].append({'segment': [start, end], 'label': label})
    for video, label, start, end, score in found:
        results.setdefault(video, []).append({'segment': [start, end], 'label': label, 'score': score})
    (folder / 'gt.json').write_text(json.dumps({'database': database}))
    (folder / 'pred.json').write_text(json.dumps({'results': results}))
    return folder / 'gt.json', folder / 'pred.json'


def write_tubelets(folder, truth=SEGMENTS, found=None):
    """The videos of the segments are tubelets of one film."""
    _, pred = write_segments(folder, [], scored(truth) if found is None else found)
    frames = np.arange(100)
    tracks = {
        tid: (frames, np.tile([x, 0, x + 20, 40], (100, 1)), np.ones(100), np.zeros(100))
        for tid, x in (('a', 0), ('b', 40))
    }
    names = ('run', 'jump')
    rows = [(tid, names.index(label), 'pose', start, end) for tid, label, start, end in truth]
    annotations = SEALAnnotations(
        {'film': VideoRecord('web', 100, 50, FPS, 100, 10.0, 'val')},
        {tid: TubeletRecord('film', number, (0, 100), tid) for number, tid in enumerate(tracks, 1)},
        InstanceTable.from_rows(rows),
        InstanceTable.from_rows([(tid, 0, '', 0.0, 10.0) for tid in tracks]),
        BoxTable.from_tracks(tracks),
    )
    write_seal_json(annotations, folder / 'gt.json')
    write_label_map(LabelMap('atomic', names), folder / 'label_map_atomic.json')
    return folder / 'gt.json', pred


def write_people(folder, truth=SEGMENTS, found=None, film='film'):
    """The same as results of the pipeline."""
    gt, _ = write_tubelets(folder, truth, [])
    found = scored(truth) if found is None else found
    frames, names, tubes = np.arange(100), ('run', 'jump'), []
    for number, x in enumerate((0, 40) if found else (), 1):
        here = [row for row in found if row[0] == 'ab'[number - 1]]
        segments = [Segment(0.0, 1.0, 0) for _ in here]
        tubes.append(Tube(number, frames, frames / FPS, np.tile([x, 0, x + 20, 40], (100, 1)), segments=segments))
    pred = folder / 'pred.json'
    write_result_json(VideoResult(VideoInfo(f'{film}.mp4', 100, 50, FPS, 100, 10.0), tubes), pred)
    document = json.loads(pred.read_text())
    for number, tube in enumerate(document['tubes']):
        here = [row for row in found if row[0] == 'ab'[number]]
        for segment, (_, label, start, end, score) in zip(tube['segments'], here):
            label = names.index(label) if label in names else 7
            segment.update(start_s=start, end_s=end, label=label, score=score)
    pred.write_text(json.dumps(document))
    return gt, pred


def write_recognition(folder, truth=('x 0', 'y 1'), found=None):
    (folder / 'gt.txt').write_text(''.join(f'{line}\n' for line in truth))
    found = {'x': [0.9, 0.1], 'y': [0.2, 0.8]} if found is None else found
    (folder / 'pred.json').write_text(json.dumps(found))
    return folder / 'gt.txt', folder / 'pred.json'


def write_mot(folder, truth=((1, 1), (2, 1)), found=None):
    (folder / 'gt.txt').write_text(''.join(f'{frame},{person},1,1,9,9,1\n' for frame, person in truth))
    found = truth if found is None else found
    (folder / 'pred.txt').write_text(''.join(f'{f},{person},1,1,9,9,0.9,-1,-1,-1\n' for f, person in found))
    return folder / 'gt.txt', folder / 'pred.txt'


def write_reid(folder, truth=(('q', 1, 1, 'query'), ('g', 1, 2, 'gallery'), ('h', 2, 2, 'gallery')), found=None):
    lines = ['name,id,camera,role', *(','.join(map(str, row)) for row in truth)]
    (folder / 'gt.csv').write_text('\n'.join(lines) + '\n')
    found = {'q': (1.0, 0.0), 'g': (1.0, 0.0), 'h': (0.0, 1.0)} if found is None else found
    features = np.array(list(found.values()), float).reshape(-1, 2)
    np.savez(folder / 'pred.npz', names=np.array(list(found), str), features=features)
    return folder / 'gt.csv', folder / 'pred.npz'


def write_linking(folder, truth=((1, 0, 30),), found=((11, 0, 10), (12, 10, 30)), film='one'):
    def film_of(name, spans, *links):
        tubes = [Tube(n, np.arange(i, j), np.arange(i, j) / FPS, [[0, 0, 10, 10]] * (j - i)) for n, i, j in spans]
        video = VideoInfo(f'{name}.mp4', 64, 48, FPS, 100, 10.0)
        return VideoResult(video, apply_links(tubes, list(links)), links=list(links))

    write_seal_json(from_results([film_of('one', truth)]), folder / 'gt.json')
    links = [Link(11, 12, 0.1, 0.5, 'alike')] if len(found) > 1 else []
    write_result_json(film_of(film, found, *links), folder / 'pred.json')
    return folder / 'gt.json', folder / 'pred.json'


NO_TRUTH = 'has no ground truth'
NO_OVERLAP = 'no video of it is in'
# Protocol: writer, options, metrics that are 1 if all is right, an empty prediction.
CASES = {
    'ava': (write_ava, [], ['mAP@0.5'], []),
    'frame-map': (write_frames, ['--convention', 'act'], ['mAP@0.5'], []),
    'video-map': (write_tubes, ['--convention', 'plain'], ['mAP@0.5:0.95'], []),
    'tubelet': (write_tubelets, ['--task', 'atomic'], ['mAP'], []),
    'tubelet-predicted': (write_people, [], ['mAP@0.5:0.95', 'segments/mAP@0.5:0.95'], []),
    'activitynet': (write_segments, [], ['mAP'], []),
    'thumos': (write_segments, [], ['mAP'], []),
    'proposals': (write_segments, [], ['AR@100'], []),
    'detad': (write_segments, [], ['average_mAP', 'average_mAP_N'], []),
    'recognition': (write_recognition, ['--topk', '1'], ['top1', 'mean_class_accuracy'], {}),
    'detection': (write_mot, [], ['recall', 'AP@0.5', 'AP'], []),
    'mot': (write_mot, [], ['MOTA', 'IDF1', 'HOTA'], []),
    'reid': (write_reid, [], ['rank-1', 'mAP'], {}),
    'linking': (write_linking, [], ['IDF1', 'merge_precision'], []),
}


def boxes(place, *, score=0.9, label=0, video='a', box=(0.0, 0.0, 0.5, 0.5)):
    """Perfect predictions of boxes in which one row is another."""
    rows = scored(BOXES)
    rows[place] = (video, 1, label, box, score)
    return rows


def tubes(*, score=0.9, label=0, video='a', first=1):
    return [(video, label, first, 20, 0.0, score), *scored(TUBES)[1:]]


def spans(*, score=0.9, label='run', video='a', start=0.0, end=4.0):
    return [(video, label, start, end, score), *scored(SEGMENTS)[1:]]


AWAY = {'found': [('z', *row[1:]) for row in scored(SEGMENTS)]}
TWICE = {'truth': [*SEGMENTS, SEGMENTS[0]]}
EMPTY = {'truth': [('a', 'run', 3.0, 3.0), *SEGMENTS], 'found': scored(SEGMENTS)}
OF_SEGMENTS = [
    ('no truth', {'truth': []}, [], 'gt.json', 'no ground truth'),
    ('no overlap', AWAY, [], 'pred.json', NO_OVERLAP),
    ('score', {'found': spans(score=NAN)}, [], 'pred.json: results["a"][0]', 'the score is not a finite number'),
    ('no length', {'found': spans(end=0.0)}, [], 'pred.json: results["a"][0]', 'does not end after its start'),
    ('reversed', {'found': spans(start=9.0)}, [], 'pred.json: results["a"][0]', 'does not end after its start'),
    ('time', {'found': spans(end=NAN)}, [], 'pred.json: results["a"][0]', 'a time is not a finite number'),
]
OF_DATABASES = [
    ('truth twice', TWICE, [], 'gt.json: database["a"].annotations[2]', 'stands twice'),
    ('truth no length', EMPTY, [], 'gt.json: database["a"].annotations[0]', 'does not end after its start'),
    ('subset', {}, ['--subset', 'testing'], 'gt.json', "no subset 'testing', it has validation"),
]
LABEL = ('label', {'found': spans(label='fly')}, [], 'pred.json: results["a"][0]', '"fly" is none of 2 classes')
FAULTS = {
    'ava': [
        ('no truth', {'truth': []}, [], 'gt.csv', NO_TRUTH),
        ('no overlap', {'found': [('z', *row[1:]) for row in scored(BOXES)]}, [], 'pred.csv', NO_OVERLAP),
        ('label', {'found': boxes(0, label=-1)}, [], 'pred.csv: line 1', 'the action is no ID'),
        ('score', {'found': boxes(1, score=NAN)}, [], 'pred.csv: line 2', 'the score is not a finite number'),
        ('reversed', {'found': boxes(0, box=(0.5, 0, 0.1, 1))}, [], 'pred.csv: line 1', 'the box is reversed'),
        ('pixels', {'found': boxes(0, box=(0, 0, 50, 40))}, [], 'pred.csv: line 1', 'not in fractions of the frame'),
        ('subset', {}, ['--subset', 'top1'], '--subset', 'needs --rank'),
    ],
    'frame-map': [
        ('no truth', {'truth': []}, [], 'gt.pkl', NO_TRUTH),
        ('no overlap', {'found': [('z', *row[1:]) for row in scored(TUBES)]}, [], 'pred.csv', NO_OVERLAP),
        ('label', {'found': tubes(label=2)}, [], 'pred.csv: line 1', 'the label is none of 2 classes'),
        ('score', {'found': tubes(score=NAN)}, [], 'pred.csv: line 1', 'the score is not a finite number'),
        ('truth twice', {'truth': [*TUBES, TUBES[0]]}, [], "gt.pkl: gttubes['a'][0][2]", 'twice'),
        ('split', {}, ['--split', '1'], 'gt.pkl', 'there is no split 1'),
    ],
    'video-map': [
        ('no truth', {'truth': []}, [], 'gt.pkl', NO_TRUTH),
        ('no overlap', {'found': [('z', *row[1:]) for row in scored(TUBES)]}, [], 'pred.pkl', NO_OVERLAP),
        ('label', {'found': tubes(label=2)}, [], 'pred.pkl: [2]', 'none of the 2 classes'),
        ('score', {'found': tubes(score=NAN)}, [], 'pred.pkl: [0][0]', 'the score is not a finite number'),
        ('no box', {'found': tubes(first=21)}, [], 'pred.pkl: [0][0]', 'the tube has no box'),
        ('truth twice', {'truth': [*TUBES, TUBES[0]]}, [], "gt.pkl: gttubes['a'][0][2]", 'twice'),
        ('split', {}, ['--split', '1'], 'gt.pkl', 'there is no split 1'),
    ],
    'tubelet': [
        *OF_SEGMENTS,
        LABEL,
        ('subset', {}, ['--subset', 'top9'], "subset 'top9'", 'no class rank'),
    ],
    'tubelet-predicted': [
        ('no truth', {'truth': []}, [], 'gt.json', NO_TRUTH),
        ('no overlap', {'film': 'another'}, [], 'pred.json', NO_OVERLAP),
        ('label', {'found': spans(label='fly')}, [], 'pred.json: tubes[0].segments[0]', 'none of the 2 known ones'),
        ('score', {'found': spans(score=NAN)}, [], 'pred.json', 'holds NaN, which is not JSON'),
        ('no length', {'found': spans(end=0.0)}, [], 'pred.json', 'tubes[0].segments[0]'),
        ('subset', {}, ['--subset', 'top9'], 'gt.json', 'has no class rank'),
    ],
    'activitynet': [*OF_SEGMENTS, *OF_DATABASES, LABEL],
    'thumos': [*OF_SEGMENTS, *OF_DATABASES, LABEL],
    'proposals': [*OF_SEGMENTS, *OF_DATABASES],
    'detad': [*OF_SEGMENTS, *OF_DATABASES, LABEL],
    'recognition': [
        ('no truth', {'truth': []}, [], 'gt.txt', 'no'),
        ('no overlap', {'found': {'z': [0.1, 0.9]}}, [], 'pred.json', 'z'),
        ('score', {'found': {'x': [NAN, 0.9], 'y': [0.2, 0.8]}}, [], 'pred.json', 'finite'),
    ],
    'detection': [('no truth', {'truth': []}, [], 'gt.txt', NO_TRUTH)],
    'mot': [('no truth', {'truth': []}, [], 'gt.txt', NO_TRUTH)],
    'reid': [
        ('no overlap', {'found': {'z': (1.0, 0.0)}}, [], 'pred.npz', 'gt.csv'),
        ('feature', {'found': {'q': (NAN, 0.0), 'g': (1.0, 0.0)}}, [], 'pred.npz', 'finite'),
    ],
    'linking': [('no overlap', {'film': 'another'}, [], 'pred.json', NO_OVERLAP)],
}


@pytest.fixture
def tool(monkeypatch, capsys):
    """Run the command in this process; returns the exit code and what was printed."""
    spec = importlib.util.spec_from_file_location('tool_evaluate', ROOT / SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(*args):
        monkeypatch.setattr(sys, 'argv', ['evaluate.py', *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            exit_on_input_error(module.main)
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return run


@pytest.fixture
def score(tool, tmp_path):
    """Write the files of a protocol and run it."""

    def run(name, *more, **changes):
        write, options, _, _ = CASES[name]
        gt, pred = write(tmp_path, **changes)
        return tool(name, '--gt', gt, '--pred', pred, *options, *more)

    return run


def printed(out):
    """Metrics as they were printed."""
    return {line.split()[0]: line.split()[-1] for line in out.splitlines() if line.startswith('  ')}


def test_every_protocol_has_a_case():
    assert list(CASES) == list(FAULTS) == list(PROTOCOLS)


@pytest.mark.parametrize('name', CASES)
def test_help_says_what_is_read(tool, name):
    code, out, _ = tool(name, '--help')
    assert code == 0 and out.startswith('usage: ') and '--gt' in out and '--pred' in out
    assert out.count('\n') > 20  # the options and what the protocol reads and prints


@pytest.mark.parametrize('name', CASES)
def test_perfect_predictions_print_100(score, name):
    code, out, err = score(name)
    assert code == 0, err
    assert out.startswith(f'{name}: ')
    shown = printed(out)
    assert {metric: shown[metric] for metric in CASES[name][2]} == dict.fromkeys(CASES[name][2], '100.0000')


@pytest.mark.parametrize('name', CASES)
def test_an_empty_prediction_misses_everything_and_says_so(score, name):
    code, out, err = score(name, found=CASES[name][3])
    assert code == 0, err
    shown = printed(out)
    missing = set(CASES[name][2]) - {'merge_precision', 'average_mAP_N'}
    assert {shown[metric] for metric in missing} == {'0.0000'}
    assert 'without' in out.splitlines()[1]  # what was not predicted is counted


@pytest.mark.parametrize('name', CASES)
def test_the_document_has_the_evidence_of_the_headline_and_plots_are_drawn(score, name, tmp_path):
    code, out, err = score(name, '--json', tmp_path / 'out.json', '--plots', tmp_path / 'plots')
    assert code == 0, err
    document = json.loads((tmp_path / 'out.json').read_text())
    assert document['protocol'] == name and len(document['inputs']['pred']['sha256']) == 64
    assert (
        max(len(value) for value in document['tables']['classes'].values()) > 0
        if 'classes' in document['tables']
        else 1
    )
    evidence = read_evidence(tmp_path / document['evidence'])
    assert evidence_mean(evidence) == pytest.approx(document['metrics'][evidence.metric], abs=1e-12)
    assert len(set(evidence.units)) == len(evidence.units) and set(evidence.unit) <= set(range(len(evidence.units)))
    drawn = list((tmp_path / 'plots').glob('*.png'))
    assert drawn and all(str(path) in out and path.stat().st_size > 1000 for path in drawn)


def evidence_mean(evidence):
    if isinstance(evidence, APEvidence):
        num_gts = np.bincount(evidence.gt_labels, minlength=len(evidence.classes))
        ap = average_precision(
            evidence.hits, evidence.labels, num_gts, integration=evidence.integration, tied=evidence.tied
        )
        return np.nanmean(ap)
    upper, lower = (
        np.bincount(evidence.labels, column, minlength=len(evidence.classes))
        for column in (evidence.numerators, evidence.denominators)
    )
    return np.mean(upper[lower > 0] / lower[lower > 0])


@pytest.mark.parametrize(
    ('name', 'fault'),
    [pytest.param(name, fault, id=f'{name}: {fault[0]}') for name, faults in FAULTS.items() for fault in faults],
)
def test_what_cannot_be_scored_is_one_line_with_its_place(score, name, fault):
    _, changes, options, place, cause = fault
    code, out, err = score(name, *options, **changes)
    assert code == 2 and out == '', (out, err)
    assert err.startswith('error: ') and err.count('\n') == 1
    assert place in err and cause in err, err


@pytest.mark.parametrize('name', CASES)
def test_a_missing_and_an_empty_file_are_one_line(score, tool, tmp_path, name):
    write, options, _, _ = CASES[name]
    gt, pred = write(tmp_path)
    absent = tmp_path / f'absent{pred.suffix}'
    code, _, err = tool(name, '--gt', gt, '--pred', absent, *options)
    assert code == 2 and str(absent) in err and err.count('\n') == 1
    gt.write_bytes(b'')
    code, _, err = tool(name, '--gt', gt, '--pred', pred, *options)
    assert code == 2 and str(gt) in err and err.count('\n') == 1


@pytest.mark.parametrize('name', ['tubelet', 'tubelet-predicted'])
def test_repeated_truth_of_seal_is_removed_and_counted(score, name):
    code, out, err = score(name, **TWICE, found=scored(SEGMENTS))
    assert code == 0, err
    assert '1 repeated ground truths removed' in out and printed(out)[CASES[name][2][0]] == '100.0000'


def test_the_command_ends_with_code_2_in_its_own_process(refused, run_tool, tmp_path):
    gt, pred = write_segments(tmp_path)
    done = run_tool(SCRIPT, 'activitynet', '--gt', gt, '--pred', pred)
    assert done.returncode == 0 and printed(done.stdout)['mAP'] == '100.0000'
    _, pred = write_segments(tmp_path, found=spans(label='fly'))
    assert 'pred.json: results["a"][0]: label "fly"' in refused(SCRIPT, 'activitynet', '--gt', gt, '--pred', pred)


FORMS = {
    'line ends of Windows': lambda text: text.replace(b'\n', b'\r\n'),
    'line ends of old Macs': lambda text: text.replace(b'\n', b'\r'),
    'a mark in front': lambda text: b'\xef\xbb\xbf' + text,
    'blank lines behind': lambda text: text + b'\n\n  \n',
    'no end of the last line': lambda text: text.rstrip(),
    'spaces around commas': lambda text: text.replace(b',', b' , '),
    'quoted names': lambda text: text.replace(b'a,', b'"a",').replace(b'b,', b'"b",'),
}


@pytest.mark.parametrize('form', FORMS.values(), ids=FORMS)
@pytest.mark.parametrize('name', ['ava', 'frame-map'])
def test_csv_may_be_written_in_any_way(tool, tmp_path, name, form):
    write, options, (headline, *_), _ = CASES[name]
    files = write(tmp_path)
    for path in files:
        if path.suffix == '.csv':
            path.write_bytes(form(path.read_bytes()))
    code, out, err = tool(name, '--gt', files[0], '--pred', files[1], *options)
    assert code == 0 and printed(out)[headline] == '100.0000', err


def test_names_may_hold_anything(score, tmp_path):
    truth = [('ä,ö/"b"', 'rün, "fast"', 0.0, 4.0), ('a b', 'x/y', 1.0, 2.0)]
    code, out, err = score('activitynet', '--json', tmp_path / 'o.json', '--plots', tmp_path / 'plots', truth=truth)
    assert code == 0 and printed(out)['mAP'] == '100.0000', err
    document = json.loads((tmp_path / 'o.json').read_text())
    assert document['tables']['classes']['class'] == ['rün, "fast"', 'x/y']
    assert read_evidence(tmp_path / 'o.evidence.npz').units == ['a b', 'ä,ö/"b"']


@pytest.mark.parametrize(
    'name', ['ava', 'frame-map', 'video-map', 'tubelet', 'tubelet-predicted', 'activitynet', 'detad']
)
def test_thousands_of_equal_scores_give_one_number_in_any_order(score, name):
    rng = np.random.default_rng(0)
    make = {'ava': any_boxes, 'frame-map': any_tubes, 'video-map': any_tubes}.get(name, any_segments)
    rows = make(rng, 400)
    first = score(name, found=rows)
    assert first[0] == 0, first[2]
    assert 0 < float(printed(first[1])[CASES[name][2][0]]) < 100
    for _ in range(2):
        rng.shuffle(rows)
        assert score(name, found=[tuple(row) for row in rows]) == first


def any_boxes(rng, count):
    near = [
        (video, frame, label, tuple(np.clip(box + rng.normal(0, 0.05, 4), 0, 1).round(2).tolist()))
        for video, frame, label, box in BOXES
        for _ in range(count)
    ]
    return [(*row, 0.5) for row in near if row[3][0] < row[3][2] and row[3][1] < row[3][3]]


def any_tubes(rng, count):
    return [
        (video, label, first + int(rng.integers(0, 9)), last, x + int(rng.integers(-9, 9)), 0.5)
        for video, label, first, last, x in TUBES
        for _ in range(count // 4)
    ]


def any_segments(rng, count):
    return [
        (video, label, start + int(rng.integers(0, 3)) / 4, end + int(rng.integers(0, 5)) / 4, 0.5)
        for video, label, start, end in SEGMENTS
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ('name', 'options', 'cause'),
    [
        ('proposals', ['--max-proposals', 'inf'], 'the largest AN'),
        ('proposals', ['--duration-bins', '1', 'inf'], 'bins increase'),
        ('video-map', ['--fps', '0'], '--fps must be above 0'),
        ('video-map', ['--iou', 'nan'], 'an IoU must be above 0'),
        ('video-map', ['--skip', 'run', 'jump'], 'no ground truth of a class that is scored'),
        ('ava', ['--iou', '0.5', '0.5'], '--iou must lie in (0, 1], each once'),
        ('ava', ['--max-per-frame', '0'], '--max-per-frame must be at least 1'),
        ('tubelet-predicted', ['--tube-iou', 'nan'], 'an IoU must be above 0'),
        ('activitynet', ['--thresholds', '0.5', '0.4'], 'thresholds must increase'),
    ],
)
def test_options_that_make_no_sense_are_one_line(score, name, options, cause):
    code, out, err = score(name, *options)
    assert code == 2 and out == '' and err.count('\n') == 1 and cause in err, err


@pytest.mark.parametrize('options', [['--keep', '0'], ['--link-iou', 'nan'], ['--min-score', 'nan']])
def test_linking_that_could_find_nothing_is_refused(tool, tmp_path, options):
    gt, pred = write_frames(tmp_path)
    code, _, err = tool('video-map', '--gt', gt, '--pred', pred, '--convention', 'plain', '--link', *options)
    assert code == 2 and err.startswith('error: --link: ') and err.count('\n') == 1
