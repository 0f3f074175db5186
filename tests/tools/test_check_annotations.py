"""The checker as a command: what it prints, what it writes, how it exits."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    read_seal_json,
    write_label_map,
    write_seal_json,
)
from mmtube.testing import make_film

TOOL = 'tools/data/seal/check_annotations.py'


def annotations(split='train', vid='v1', num_frames=25, label=0):
    frames = np.arange(25)
    boxes = np.tile(np.float32([4, 4, 24, 40]), (25, 1))
    duration_s = num_frames / 25
    return SEALAnnotations(
        {vid: VideoRecord('web', 64, 48, 25.0, num_frames, duration_s, split)},
        {'t1': TubeletRecord(vid, 0, (0, 25), 't1', ('c1',))},
        InstanceTable.from_rows([('t1', label, 'pose', 0.2, 0.9)]),
        InstanceTable.from_rows([('t1', 0, '', 0.1, 0.95)]),
        BoxTable.from_tracks({'t1': (frames, boxes, np.ones(25), np.zeros(25))}),
    )


def spoil(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_clean_set_with_all_that_can_be_given(run_tool, tmp_path):
    (tmp_path / 'films').mkdir()
    for split, vid in (('train', 'v1'), ('val', 'v2')):
        make_film(tmp_path / 'films' / f'{vid}.mp4')
        write_seal_json(annotations(split, vid), tmp_path / f'{split}.json')
        coarse = annotations(split, vid)
        coarse.tubelets = {'c1': TubeletRecord(vid, 8, (0, 25), 't1', stage=1)}
        coarse.aa = coarse.ca = InstanceTable.from_rows([])
        write_seal_json(coarse, tmp_path / f'coarse_{split}.json')
    write_label_map(
        LabelMap('atomic', ('a', 'b', 'c'), {'pose': (0, 1), 'pp': (1, 2), 'po': (2, 3)}), tmp_path / 'm.json'
    )
    files = [tmp_path / 'train.json', tmp_path / 'val.json']
    coarse = [tmp_path / 'coarse_train.json', tmp_path / 'coarse_val.json']
    options = ['--videos', tmp_path / 'films', '--label-map-atomic', tmp_path / 'm.json', '--strict']
    done = run_tool(TOOL, *files, '--coarse', *coarse, *options, '--json', tmp_path / 'out.json')
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == '2 files checked: 0 findings, 0 hints\n'
    assert json.loads((tmp_path / 'out.json').read_text()) == {'counts': {}, 'findings': []}


@pytest.mark.parametrize(
    ('num_frames', 'film', 'rules'),
    [
        (25, None, ['film-missing']),
        (25, b'no film', ['film-unreadable']),
        (30, dict(), ['film-frames', 'film-duration']),
        (25, dict(size=(96, 48)), ['film-size']),
        (25, dict(num_frames=30, fps=30), ['film-fps', 'film-frames']),
    ],
)
def test_films_that_differ_from_the_file(run_tool, tmp_path, num_frames, film, rules):
    write_seal_json(annotations(num_frames=num_frames), tmp_path / 'train.json')
    (tmp_path / 'films').mkdir()
    make_film(tmp_path / 'films' / 'other.mp4')
    if isinstance(film, bytes):
        (tmp_path / 'films' / 'v1.mp4').write_bytes(film)
    elif film is not None:
        make_film(tmp_path / 'films' / 'v1.mp4', **film)
    done = run_tool(TOOL, tmp_path / 'train.json', '--videos', tmp_path / 'films', '--json', tmp_path / 'out.json')
    found = json.loads((tmp_path / 'out.json').read_text())
    assert done.returncode == 1, done.stderr
    assert [(finding['rule'], finding['row']) for finding in found['findings']] == [(r, 'videos["v1"]') for r in rules]


def test_label_maps_beside_a_file_are_used_unless_others_are_given(run_tool, tmp_path):
    (tmp_path / 'other').mkdir()
    for folder, count in ((tmp_path, 1), (tmp_path / 'other', 3)):
        groups = {'pose': (0, count), 'pp': (count, count), 'po': (count, count)}
        write_label_map(LabelMap('atomic', tuple('abc'[:count]), groups), folder / 'label_map_atomic.json')
    write_seal_json(annotations(label=2), tmp_path / 'train.json')
    done = run_tool(TOOL, tmp_path / 'train.json')
    assert done.returncode == 1 and 'aa[0]: class 2 is not in the label map [unknown-class]' in done.stdout
    given = ['--label-map-atomic', tmp_path / 'other' / 'label_map_atomic.json']
    assert run_tool(TOOL, tmp_path / 'train.json', *given).returncode == 0


def test_a_film_of_variable_rate_is_told(run_tool, tmp_path):
    # 50 frames in 2 s as the file says, but 10 in the first second and 40 in the second: the frame at 1 s is number 10.
    # The index has the times of decoding, two frames of 0.1 s ahead: 1.2 s at number 12, which belongs to 0.48 s.
    (tmp_path / 'films').mkdir()
    times_s = [*(number / 10 for number in range(10)), *(1 + number / 40 for number in range(40))]
    make_film(tmp_path / 'films' / 'v1.mp4', 50, times_s=times_s)
    make_film(tmp_path / 'films' / 'v2.mp4', 50)
    make_film(tmp_path / 'films' / 'v3.mkv', 50)  # its index has key frames only
    for vid, count in (('v1', 1), ('v2', 0), ('v3', 0)):
        write_seal_json(annotations(vid=vid, num_frames=50), tmp_path / 'train.json')
        done = run_tool(TOOL, tmp_path / 'train.json', '--videos', tmp_path / 'films')
        told = 'frames of the film are up to 0.72 s from where 25 frames per second put them'
        assert (done.returncode, done.stdout.count(told), done.stdout.count('[film-times]')) == (count, count, count)


def test_records_that_cannot_be_read_are_told_and_count_in_row_numbers(run_tool, tmp_path):
    path = tmp_path / 'train.json'
    ours = annotations()
    ours.aa = InstanceTable.from_rows([('t1', 0, 'pose', 0.2, 0.9), ('t1', 1, 'pp', 0.8, 0.3)])
    write_seal_json(ours, path)
    spoil(path, '"label": 0, "group": "pose"', '"group": "pose"')
    done = run_tool(TOOL, path, '--max-per-rule', 1)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        f"{path}: aa[0]: 'label' is missing [record]",
        f'{path}: aa[1]: ends at 0.3 s before it starts at 0.8 s [reversed-segment]',
    ]
    assert lines[-1] == '1 file checked: 2 findings, 1 hint', 'no action is left in the activity, as a hint'
    done = run_tool(TOOL, path, '--fix', tmp_path / 'fixed.json')
    assert done.returncode == 2 and '1 records would be lost' in done.stderr and not (tmp_path / 'fixed.json').exists()


def test_an_id_that_stands_twice(run_tool, tmp_path):
    write_seal_json(annotations(), tmp_path / 'train.json')
    text = (tmp_path / 'train.json').read_text()
    line = next(line for line in text.splitlines() if line.startswith('"t1"'))
    (tmp_path / 'train.json').write_text(text.replace(line, f'{line},\n{line}'))
    done = run_tool(TOOL, tmp_path / 'train.json')
    assert done.returncode == 1 and '"t1": the ID stands twice in the file [duplicate-id]' in done.stdout


def test_hints_count_only_if_told_so(run_tool, tmp_path):
    ours = annotations()
    ours.ca = InstanceTable.from_rows([('t1', 0, '', 0.1, 0.95), ('t1', 0, '', 0.0, 0.1)])
    write_seal_json(ours, tmp_path / 'train.json')
    done = run_tool(TOOL, tmp_path / 'train.json')
    assert done.returncode == 0 and 'hint: a complex activity has no atomic action' in done.stdout
    assert run_tool(TOOL, tmp_path / 'train.json', '--strict').returncode == 1


def test_a_leak_and_a_file_that_cannot_be_used(run_tool, tmp_path):
    write_seal_json(annotations(), tmp_path / 'train.json')
    write_seal_json(annotations('val'), tmp_path / 'val.json')
    (tmp_path / 'test.json').write_text('{"videos": ')
    subsets = tmp_path / 'activitynet.json'
    subsets.write_text('{"database": {"v1": {"subset": "training", "annotations": []}}}')
    files = [tmp_path / name for name in ('train.json', 'test.json', 'val.json')]
    done = run_tool(TOOL, *files, '--activitynet', subsets)
    assert done.returncode == 2
    assert done.stderr.count('\n') == 1 and 'test.json:1: is not JSON' in done.stderr
    assert 'is in the train split too' in done.stdout and '[activitynet-split]' in done.stdout
    assert '2 files checked: 2 findings' in done.stdout


def test_a_repair_is_written_told_and_not_over_another_file(run_tool, tmp_path):
    path, out = tmp_path / 'train.json', tmp_path / 'fixed.json'
    ours = annotations()
    ours.aa = InstanceTable.from_rows([('t1', 0, 'pose', 0.9, 0.2)])
    write_seal_json(ours, path)
    before = path.read_bytes()
    done = run_tool(TOOL, path, '--fix', out)
    assert done.returncode == 0, 'the findings are what is left'
    assert 'aa[0]: 0.9 to 0.2 s -> 0.2 to 0.9 s' in done.stdout and '1 repairs' in done.stdout
    assert json.loads((tmp_path / 'fixed.fixes.json').read_text()) == [
        {'row': 'aa[0]', 'before': '0.9 to 0.2 s', 'after': '0.2 to 0.9 s'}
    ]
    assert path.read_bytes() == before and read_seal_json(out).aa.start_s.tolist() == [0.2]
    assert run_tool(TOOL, out).returncode == 0
    again = run_tool(TOOL, out, '--fix', tmp_path / 'again.json')
    assert again.returncode == 0 and 'nothing to repair' in again.stdout and not (tmp_path / 'again.json').exists()
    refused = run_tool(TOOL, out, '--fix', out)
    assert refused.returncode == 2 and '--force' in refused.stderr
    done = run_tool(TOOL, path, '--fix', path, '--force')
    assert read_seal_json(path).aa.start_s.tolist() == [0.2], 'in place, while its boxes are mapped'
    assert path.with_name('train_boxes.npz').read_bytes() == out.with_name('fixed_boxes.npz').read_bytes()


def test_rules_that_do_not_matter_are_left_out(run_tool, tmp_path):
    ours = annotations()
    ours.aa = InstanceTable.from_rows([('t1', 0, 'pose', 0.9, 0.2)])
    write_seal_json(ours, tmp_path / 'train.json')
    done = run_tool(TOOL, tmp_path / 'train.json', '--ignore', 'reversed-segment', 'activity-without-action')
    assert (done.returncode, done.stdout) == (0, '1 file checked: 0 findings, 0 hints\n')


@pytest.mark.parametrize(
    ('args', 'cause'),
    [
        (['none.json'], 'none.json'),
        (['train.json', '--videos', 'nowhere'], 'nowhere: there is no such folder'),
        (['train.json', '--coarse', 'train.json', 'train.json'], '2 files for 1'),
        (['train.json', 'train.json', '--fix', 'out.json'], 'one file at a time'),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(refused, tmp_path, args, cause):
    write_seal_json(annotations(), tmp_path / 'train.json')
    assert cause in refused(TOOL, *args, cwd=tmp_path)


def test_the_set_of_the_benchmark_is_clean(tmp_path):
    sys.path.insert(0, str(Path(__file__).parents[2] / 'tools' / 'benchmarks'))
    try:
        from annotations import make_annotations
    finally:
        sys.path.pop(0)
    from mmtube.datasets.quality import check_annotations

    made = make_annotations(num_videos=40, num_tubelets=180, num_boxes=83_000, num_actions=1050, num_activities=168)
    coarse = make_annotations(
        num_videos=40, num_tubelets=180, num_boxes=83_000, num_actions=1050, num_activities=168, coarse=True
    )
    assert (len(made.videos), len(made.tubelets), len(made.boxes)) == (40, 180, 83_000)
    assert (len(made.aa), len(made.ca)) == (1050, 168)
    report = check_annotations(made, coarse=coarse)
    assert report.findings == []
