"""tools/data/convert.py: every pair of formats goes through the SEAL schema."""

import json
import os
import pickle

import pytest

from mmtube.structures.seal import (
    BoxTable,
    InstanceTable,
    LabelMap,
    SEALAnnotations,
    TubeletRecord,
    VideoRecord,
    label_maps_beside,
    read_label_map,
    read_seal_json,
    write_label_map,
    write_seal_json,
)
from mmtube.testing import make_film

TOOL = 'tools/data/convert.py'


@pytest.fixture
def source(tmp_path):
    """A SEAL file of one film: two people, two actions, an activity; and its label maps."""
    tracks = {
        'street.1': (range(20), [[10, 10, 30, 40]] * 20, [1] * 20, [0] * 20),
        'street.2': (range(5, 30), [[50, 10, 70, 40]] * 25, [1] * 25, [0] * 25),
    }
    annotations = SEALAnnotations(
        {'street': VideoRecord('web', 100, 50, 10.0, 30, 3.0, 'train')},
        {
            key: TubeletRecord('street', int(key[-1]), (rows[0][0], rows[0][-1] + 1), key)
            for key, rows in tracks.items()
        },
        InstanceTable.from_rows([('street.1', 0, 'pose', 0.5, 1.5), ('street.2', 1, 'pp', 0.5, 2.5)]),
        InstanceTable.from_rows([('street.2', 0, '', 0.5, 2.5)]),
        BoxTable.from_tracks(tracks),
    )
    write_seal_json(annotations, tmp_path / 'in.json')
    atomic = LabelMap('atomic', ('walk', 'hug', 'lift'), {'pose': (0, 1), 'pp': (1, 2), 'po': (2, 3)})
    write_label_map(atomic, tmp_path / 'atomic.json')
    write_label_map(LabelMap('complex', ('greeting',)), tmp_path / 'complex.json')
    return tmp_path / 'in.json'


def maps(source):
    names = ('atomic', 'complex')
    return [part for name in names for part in ('--label-map', source.with_name(f'{name}.json'))]


def rows(table):
    return sorted(zip(table.labels.tolist(), table.groups.tolist(), table.start_s.tolist(), table.end_s.tolist()))


# Format, name of what is written, which tasks it holds.
PAIRS = [
    ('seal', 'out.json', ('atomic', 'complex')),
    ('result', 'out', ('atomic', 'complex')),
    ('ava', 'out.csv', ('atomic',)),
    ('mot', 'out', ()),
    ('act', 'out.pkl', ('atomic',)),
    ('activitynet', 'out.json', ('complex',)),
    ('cvat', 'out', ('atomic', 'complex')),
]


@pytest.mark.parametrize('kind, name, tasks', PAIRS, ids=[pair[0] for pair in PAIRS])
def test_every_format_is_written_and_read_back(tmp_path, run_tool, source, kind, name, tasks):
    there = run_tool(TOOL, '--from', 'seal', source, '--to', kind, tmp_path / 'x' / name, *maps(source))
    assert there.returncode == 0, there.stderr
    assert 'from 1 films, 2 tubelets, 45 boxes, 2 atomic instances and 1 complex instances' in there.stdout
    back = run_tool(
        *(TOOL, '--from', kind, tmp_path / 'x' / name, '--to', 'seal', tmp_path / 'back.json'),
        *('--videos', source, *maps(source)),
    )
    assert back.returncode == 0, back.stderr
    one, other = read_seal_json(source), read_seal_json(tmp_path / 'back.json')
    assert (len(other.aa) > 0, len(other.ca) > 0) == ('atomic' in tasks, 'complex' in tasks)
    for task in tasks:
        assert rows(one.instances(task)) == rows(other.instances(task))
    assert {record.vid for record in other.tubelets.values()} == {'street'}
    lost = {line.split(': ')[1] for line in there.stdout.splitlines() if line.startswith(f'not held by {kind}')}
    expected = {
        'ava': {'42 boxes', '1 complex instances'},
        'mot': {'2 atomic instances', '1 complex instances'},
        'act': {'15 boxes outside of actions', '1 instances of the other task'},
        'activitynet': {'45 boxes', '1 tubelets joined', '2 instances of the other task'},
    }
    assert lost == expected.get(kind, set())


def test_label_maps_go_beside_a_seal_file(tmp_path, run_tool, source):
    run_tool(TOOL, '--from', 'seal', source, '--to', 'act', tmp_path / 'gt.pkl', *maps(source))
    run_tool(TOOL, '--from', 'act', tmp_path / 'gt.pkl', '--to', 'seal', tmp_path / 'back.json', '--fps', 10)
    assert read_label_map(tmp_path / 'back_label_map_atomic.json').names == ('walk', 'hug', 'lift')


def test_other_pairs_go_without_a_seal_file_in_between(tmp_path, run_tool, source):
    run_tool(TOOL, '--from', 'seal', source, '--to', 'act', tmp_path / 'gt.pkl', *maps(source))
    done = run_tool(
        *(TOOL, '--from', 'act', tmp_path / 'gt.pkl', '--to', 'activitynet', tmp_path / 'a.json'),
        *('--fps', 10, '--task', 'atomic', '--per-person'),
    )
    assert done.returncode == 0, done.stderr
    database = json.loads((tmp_path / 'a.json').read_text())['database']
    assert database['street#0']['annotations'] == [{'segment': [0.5, 1.5], 'label': 'walk'}]


def test_facts_of_the_films_come_from_their_containers(tmp_path, run_tool):
    (tmp_path / 'films').mkdir()
    make_film(tmp_path / 'films' / 'film.mp4', 30, fps=10)
    (tmp_path / 'a.csv').write_text('film,0001,0.25,0.25,0.5,0.5,1,0\n')
    done = run_tool(
        *(TOOL, '--from', 'ava', tmp_path / 'a.csv', '--to', 'seal', tmp_path / 'o.json'),
        *('--videos', tmp_path / 'films', '--split', 'val'),
    )
    assert done.returncode == 0, done.stderr
    found = read_seal_json(tmp_path / 'o.json')
    assert found.videos['film'] == VideoRecord('web', 64, 48, 10.0, 30, 3.0, 'val')
    assert found.track('film.0').boxes_px.tolist() == [[16, 12, 32, 24]]


def test_wrong_rows_are_refused_or_left_out_and_listed(tmp_path, run_tool, refused, source):
    (tmp_path / 'a.csv').write_text('street,0001,0.25,0.25,0.5,0.5,1,0\nbeach,0001,0.25,0.25,0.5,0.5,1,0\n')
    command = (TOOL, '--from', 'ava', tmp_path / 'a.csv', '--to', 'seal', tmp_path / 'o.json', '--videos', source)
    assert "a.csv: line 2: the film 'beach' is not in the table of films" in refused(*command)
    assert not (tmp_path / 'o.json').exists()
    done = run_tool(*command, '--skip-bad')
    assert done.returncode == 0 and 'left out: ' in done.stdout and 'line 2' in done.stdout
    assert len(read_seal_json(tmp_path / 'o.json').aa) == 1


def test_broken_seal_records_can_be_left_out(tmp_path, run_tool, refused, source):
    document = json.loads(source.read_text())
    document['tubelets']['street.2']['vid'] = 'beach'
    source.write_text(json.dumps(document))
    command = (TOOL, '--from', 'seal', source, '--to', 'mot', tmp_path / 'mot')
    assert "the video 'beach' is not in the file" in refused(*command)
    done = run_tool(*command, '--skip-bad')
    assert done.returncode == 0 and (tmp_path / 'mot/street/gt/gt.txt').read_text().count('\n') == 20


def test_what_cannot_be_used_is_told_in_one_line(tmp_path, refused, source):
    out = tmp_path / 'o.json'
    assert 'tell the films with --videos' in refused(TOOL, '--from', 'ava', tmp_path / 'a.csv', '--to', 'seal', out)
    assert 'cannot be read' in refused(TOOL, '--from', 'seal', tmp_path / 'no.json', '--to', 'mot', tmp_path / 'm')
    (tmp_path / 'gt.pkl').write_bytes(pickle.dumps(os.system))
    assert 'only numpy arrays' in refused(TOOL, '--from', 'act', tmp_path / 'gt.pkl', '--to', 'seal', out)
    (tmp_path / 'file').write_text('')
    assert 'cannot be written' in refused(TOOL, '--from', 'seal', source, '--to', 'cvat', tmp_path / 'file')


@pytest.mark.parametrize(
    'arguments, cause',
    [
        (['--from', 'voc', 'a', '--to', 'seal', 'b'], "'voc' is no format, there are: seal, result, ava, mot"),
        (['--from', 'seal', 'a', '--to', 'mot', 'b', '--fps', '0'], '--fps must be positive'),
        (['--from', 'seal', 'a', '--to', 'mot', 'b', '--size', 'big'], 'argument --size'),
        (['--from', 'seal', '--to', 'mot', 'b'], '2 arguments'),
    ],
)
def test_a_wrong_command_is_told(run_tool, arguments, cause):
    done = run_tool(TOOL, *arguments)
    assert done.returncode == 2 and cause in done.stderr.splitlines()[-1]


def test_one_split_is_taken_out_of_a_file_with_its_boxes_and_label_maps(run_tool, tmp_path):
    frames, boxes = [0, 1], [[0, 0, 8, 8]] * 2
    videos = {split: VideoRecord('web', 64, 48, 25.0, 50, 2.0, split) for split in ('train', 'val')}
    annotations = SEALAnnotations(
        videos,
        {f't_{split}': TubeletRecord(split, 0, (0, 2), f't_{split}') for split in videos},
        InstanceTable.from_rows([(f't_{split}', 0, '', 0.0, 1.0) for split in videos]),
        boxes=BoxTable.from_tracks({f't_{split}': (frames, boxes, [1, 1], [0, 0]) for split in videos}),
    )
    write_seal_json(annotations, tmp_path / 'all.json')
    write_label_map(LabelMap('atomic', ('walk',)), tmp_path / 'all_label_map_atomic.json')
    source, target = ['--from', 'seal', tmp_path / 'all.json'], ['--to', 'seal', tmp_path / 'val.json']
    done = run_tool('tools/data/convert.py', *source, *target, '--only-split', 'val')
    assert done.returncode == 0, done.stderr
    part = read_seal_json(tmp_path / 'val.json')
    assert list(part.videos) == ['val'] and list(part.boxes) == ['t_val'] and part.aa.tids.tolist() == ['t_val']
    assert label_maps_beside(tmp_path / 'val.json')['atomic'].names == ('walk',)
