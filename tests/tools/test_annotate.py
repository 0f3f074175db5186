"""tools/data/seal/annotate.py: the four steps, with CVAT between them, each traceable to the one before."""

import json
import runpy
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmtube.datasets.synthetic import SetOptions, render_films, write_annotations
from mmtube.structures.seal import (
    BoxTable,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    read_seal_json,
    write_seal_json,
)

ROOT = Path(__file__).parents[2]
TOOL, CHECK = 'tools/data/seal/annotate.py', 'tools/data/seal/check_annotations.py'


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a tool in this process: a process for each of its forty calls would import PyTorch forty times."""

    def call(script, *args):
        monkeypatch.setattr(sys, 'argv', [script, *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(str(ROOT / script), run_name='__main__')
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=caught.value.code, stdout=printed.out, stderr=printed.err)

    return call


@pytest.fixture
def refused(run):
    def call(script, *args):
        done = run(script, *args)
        assert done.returncode == 2 and done.stderr.startswith('error: ') and done.stderr.count('\n') == 1
        return done.stderr.strip()

    return call


@pytest.fixture(scope='module')
def mini(tmp_path_factory):
    """Three short films of SEAL-mini."""
    folder = tmp_path_factory.mktemp('mini')
    options = SetOptions.smoke(films=(3, 0, 0), seconds=(6.0, 7.0))
    for _ in render_films(options, folder):
        pass
    write_annotations(options, folder)
    return folder


@pytest.fixture
def check(run):
    """A file has no finding, beside the step before."""

    def call(path, before):
        done = run(CHECK, path, '--coarse', before)
        assert done.returncode == 0, done.stdout + done.stderr

    return call


@pytest.fixture
def step(run):
    def call(*args):
        done = run(TOOL, *args)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def test_the_four_steps_with_cvat_between_them_are_traceable(step, check, mini, tmp_path):
    coarse = mini / 'annotations' / 'coarse_train.json'
    a2, a3, a4 = (tmp_path / f'a{n}.json' for n in (2, 3, 4))
    step('export-cvat', coarse, '--out', tmp_path / 'cvat1')
    xml = next((tmp_path / 'cvat1').glob('*.xml'))
    for other in (tmp_path / 'cvat1').glob('*.xml'):
        if other != xml:
            other.unlink()
    told = step('short-refine', coarse, '--corrected', tmp_path / 'cvat1', '--out', a2)
    assert '3 films' in told and '0 findings' in told
    check(a2, coarse)
    told = step('long-merge', a2, '--films', mini / 'videos', '--out', a3)
    check(a3, a2)
    step('export-cvat', a3, '--out', tmp_path / 'cvat3')
    document = json.loads((tmp_path / 'a3.changes.json').read_text())
    for change in document['changes']:
        change['decision'] = 'undone'
    (tmp_path / 'undone.json').write_text(json.dumps(document))
    step('long-refine', a3, '--decisions', tmp_path / 'undone.json', '--corrected', tmp_path / 'cvat3', '--out', a4)
    check(a4, a3)
    apart = read_seal_json(a4)
    step('long-refine', a3, '--out', a4)
    check(a4, a3)
    together = read_seal_json(a4)
    assert len(together.tubelets) <= len(apart.tubelets)
    assert {t.stage for t in together.tubelets.values()} == {4}
    for annotations in (apart, together):
        active = {}
        for tid, record in annotations.tubelets.items():
            for frame in annotations.track(tid).frame_inds.tolist():
                active[record.vid, frame] = active.get((record.vid, frame), 0) + 1
        assert max(active.values()) <= 3
    assert (tmp_path / 'a4_label_map_atomic.json').exists()  # the names of the classes go along


@pytest.fixture
def hand(tmp_path):
    """A file of stage 1: two people who exchange their IDs in frames 4 and 5, and a false box."""
    frames = np.arange(12)
    swapped = (frames == 4) | (frames == 5)
    tracks = {}
    for number, tid in enumerate(('v.A', 'v.B')):
        left = np.where(swapped, 60 * (1 - number), 60 * number) + 5
        tracks[tid] = (frames, [[x, 10, x + 25, 80] for x in left], [0.9] * 12, [0] * 12)
    tracks['v.C'] = ([0, 1], [[150, 10, 160, 40]] * 2, [0.3] * 2, [0, 0])
    write_seal_json(
        SEALAnnotations(
            {'v': VideoRecord('web', 200, 100, 10.0, 12, 1.2, 'train', ((0, 12),))},
            {
                tid: TubeletRecord('v', n, (int(t[0][0]), int(t[0][-1]) + 1), tid, stage=1)
                for n, (tid, t) in enumerate(tracks.items())
            },
            boxes=BoxTable.from_tracks(tracks),
        ),
        tmp_path / 'a1.json',
    )
    return tmp_path / 'a1.json'


def test_changes_are_told_and_written_for_a_reviewer(step, check, hand, tmp_path):
    told = step('short-refine', hand, '--out', tmp_path / 'a2.json')
    assert 'v: relabel v.A -> v.B, frames 4 to 5: a run of 2 frames' in told
    assert '3 changes: 1 delete accepted, 2 relabel accepted' in told
    assert 'a2.json: 1 films, 2 tubelets, 24 boxes; 0 findings, 0 hints' in told
    check(tmp_path / 'a2.json', hand)
    again = step('short-refine', hand, '--out', tmp_path / 'b2.json', '--decisions', tmp_path / 'a2.changes.json')
    assert '3 changes' in again
    assert (tmp_path / 'a2_boxes.npz').read_bytes() == (tmp_path / 'b2_boxes.npz').read_bytes()
    told = step('short-refine', hand, '--out', tmp_path / 'c2.json', '--propose')
    assert '1 delete proposed, 2 relabel proposed' in told and '3 tubelets' in told


def test_the_way_through_cvat_is_one_command_each_way(step, check, hand, tmp_path):
    step('export-cvat', hand, '--out', tmp_path / 'cvat')
    assert (tmp_path / 'cvat' / 'v.xml').exists() and (tmp_path / 'cvat' / 'labels.json').exists()
    told = step('import-cvat', tmp_path / 'cvat', '--exported', hand, '--out', tmp_path / 'a2.json')
    assert '0 changes' in told
    check(tmp_path / 'a2.json', hand)
    step('export-cvat', tmp_path / 'a2.json', '--out', tmp_path / 'cvat2')
    args = '--exported', tmp_path / 'a2.json', '--before', hand, '--out', tmp_path / 'b2.json'
    step('import-cvat', tmp_path / 'cvat2', *args)
    check(tmp_path / 'b2.json', hand)
    assert (tmp_path / 'a2_boxes.npz').read_bytes() == (tmp_path / 'b2_boxes.npz').read_bytes()


def test_a_finding_is_told_by_the_exit_code(run, step, hand, tmp_path):
    step('export-cvat', hand, '--out', tmp_path / 'cvat')
    text = (tmp_path / 'cvat' / 'v.xml').read_text()
    (tmp_path / 'cvat' / 'v.xml').write_text(text.replace('name="person_id">1<', 'name="person_id">0<'))
    done = run(TOOL, 'import-cvat', tmp_path / 'cvat', '--exported', hand, '--out', tmp_path / 'a2.json')
    assert done.returncode == 1 and 'person 0 also has a box of tubelet' in done.stdout


def test_a_step_refuses_what_is_not_of_the_step_before(refused, step, hand, tmp_path):
    step('short-refine', hand, '--out', tmp_path / 'a2.json')
    message = refused(TOOL, 'short-refine', tmp_path / 'a2.json', '--out', tmp_path / 'x.json')
    told = 'is of stage 2 (short refine), short-refine takes stage 1 (coarse)'
    assert message == f'error: {tmp_path / "a2.json"}: tubelets["v.A"] {told}'
    message = refused(TOOL, 'long-merge', hand, '--films', tmp_path, '--out', tmp_path / 'x.json')
    assert 'is of stage 1 (coarse), long-merge takes stage 2 (short refine)' in message
    assert 'takes stage 3 (long merge)' in refused(TOOL, 'long-refine', hand, '--out', tmp_path / 'x.json')
    assert not (tmp_path / 'x.json').exists()


def test_a_missing_film_is_told_and_what_can_be_is_done(refused, step, hand, tmp_path):
    step('short-refine', hand, '--out', tmp_path / 'a2.json')
    (tmp_path / 'films').mkdir()
    args = '--films', tmp_path / 'films', '--out', tmp_path / 'a3.json'
    message = refused(TOOL, 'long-merge', tmp_path / 'a2.json', *args)
    assert message.startswith('error: 1 film was left out: ') and 'films: no film in this folder' in message
    assert read_seal_json(tmp_path / 'a3.json').videos == {}
    message = refused(TOOL, 'long-merge', tmp_path / 'a2.json', '--films', tmp_path / 'none', '--out', args[-1])
    assert message.endswith('none: there is no such folder of films')


def test_bad_files_are_refused_in_one_line(refused, hand, tmp_path):
    empty = tmp_path / 'empty.json'
    empty.write_text('')
    out = '--out', tmp_path / 'x.json'
    assert refused(TOOL, 'short-refine', empty, *out).endswith('empty.json:1: is empty')
    assert 'cannot be read' in refused(TOOL, 'short-refine', tmp_path / 'none.json', *out)
    assert 'is the input' in refused(TOOL, 'short-refine', hand, '--out', hand)
    assert 'empty.json' in refused(TOOL, 'short-refine', hand, '--decisions', empty, *out)
    (tmp_path / 'xml').mkdir()
    assert 'has no .xml' in refused(TOOL, 'import-cvat', tmp_path / 'xml', '--exported', hand, *out)
    shutil.copy(empty, tmp_path / 'xml' / 'v.xml')
    assert 'v.xml' in refused(TOOL, 'import-cvat', tmp_path / 'xml', '--exported', hand, *out)
    message = refused(TOOL, 'coarse', '--tracks', tmp_path, '--results', tmp_path, *out)
    assert 'give one of --detections, --tracks and --results' in message


def test_an_unknown_origin_is_found_by_the_check(run, step, hand, tmp_path):
    step('short-refine', hand, '--out', tmp_path / 'a2.json')
    text = (tmp_path / 'a2.json').read_text()
    (tmp_path / 'a2.json').write_text(text.replace('"origin": ["v.A"]', '"origin": ["v.Z"]'))
    done = run(CHECK, tmp_path / 'a2.json', '--coarse', hand)
    assert done.returncode == 1 and "the coarse file has no tubelet 'v.Z'" in done.stdout


def test_the_command_runs_in_a_process_of_its_own(run_tool, hand, tmp_path):
    done = run_tool(TOOL, 'short-refine', hand, '--out', tmp_path / 'a2.json')
    assert done.returncode == 0 and '0 findings' in done.stdout
