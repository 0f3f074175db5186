"""The statistics as a command: two splits as one set, all files written, one line for what cannot be used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    seal_label_map,
    write_label_map,
    write_seal_json,
)

TOOL = 'tools/data/seal/statistics.py'


def write_split(folder, split):
    frames = np.arange(75)
    boxes = np.tile(np.float32([4, 4, 24, 48]), (75, 1))
    vid = f'v_{split}'
    annotations = SEALAnnotations(
        {vid: VideoRecord('web', 64, 48, 25.0, 75, 3.0, split)},
        {'t1': TubeletRecord(vid, 0, (0, 75), 't1')},
        InstanceTable.from_rows([('t1', 0, 'pose', 0.0, 3.0), ('t1', 80, 'po', 0.0, 2.0)]),
        InstanceTable.from_rows([('t1', 7, '', 0.0, 3.0)]),
        BoxTable.from_tracks({'t1': (frames, boxes, np.ones(75), np.zeros(75))}),
    )
    write_seal_json(annotations, folder / f'{split}.json')
    return folder / f'{split}.json'


def test_two_splits_are_counted_as_one_set(run_tool, tmp_path):
    files = [write_split(tmp_path, split) for split in ('train', 'val')]
    write_label_map(seal_label_map('atomic'), tmp_path / 'atomic.json')
    out = tmp_path / 'out'
    done = run_tool(TOOL, *files, '--out', out, '--label-map-atomic', tmp_path / 'atomic.json', '--name', 'tiny')
    assert done.returncode == 0, done.stderr
    assert (out / 'statistics.txt').read_text() == done.stdout
    figures = ['figure_2a', 'figure_2b', 'figure_3', 'figure_4', 'figure_5a', 'figure_5b', 'table_2']
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*(f'{name}.png' for name in figures), 'statistics.json', 'statistics.txt']
    )
    document = json.loads((out / 'statistics.json').read_text())
    clips = document['table_1']['clips']
    # Two films of 3 s: clips [0, 2) and [1, 3). Lifting ends at 2 s, so half of the second clip still has it.
    assert clips == dict(videos=2, classes=2, windows=4, clips=4, person_clips=4, boxes=150, labels=8)
    assert document['table_2']['same_person'] == [{'classes': ['pose 00', 'person-object 04'], 'count': 4}]
    assert document['table_2']['different_people'] == []
    assert document['label_coverage'] == {'pose': 1.0, 'pp': 0.0, 'po': 1.0, 'none': 0.0}
    assert '4  pose 00 + person-object 04' in done.stdout
    assert 'tiny' in done.stdout and 'boxes as high as the frame: 0.0%' in done.stdout


def test_a_film_in_two_files_is_refused(refused, tmp_path):
    path = write_split(tmp_path, 'train')
    assert 'videos["v_train"]' in refused(TOOL, path, path, '--out', tmp_path / 'out')


def test_a_label_beyond_the_label_map_is_refused(refused, tmp_path):
    path = write_split(tmp_path, 'train')
    write_label_map(seal_label_map('complex'), tmp_path / 'map.json')
    (tmp_path / 'map.json').write_text('{"task": "complex", "groups": {}, "names": ["only one"]}')
    message = refused(TOOL, path, '--out', tmp_path / 'out', '--label-map-complex', tmp_path / 'map.json')
    assert 'label 7 is not below 1 classes' in message


def test_the_tools_beside_it_still_get_the_module_statistics_of_python():
    folder = Path(__file__).parents[2] / 'tools' / 'data' / 'seal'
    program = 'import statistics; print(statistics.median([1, 5, 2]), statistics.__file__)'
    environment = {**os.environ, 'PYTHONPATH': str(folder)}
    done = subprocess.run([sys.executable, '-c', program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    median, file = done.stdout.split()
    assert median == '2' and Path(file).parent != folder
