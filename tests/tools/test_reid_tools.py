"""From annotated films to re-identification data, to features, to scores; and a checkpoint to give away."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmtube.config import load_config
from mmtube.datasets import MARSSequences
from mmtube.errors import InputError
from mmtube.models.checkpoint import read_checkpoint
from mmtube.structures.seal import BoxTable, SEALAnnotations, TubeletRecord, VideoRecord, write_seal_json
from mmtube.testing import make_film

ROOT = Path(__file__).parents[2]
RED, BLUE, GREEN = (40, 40, 200), (200, 60, 40), (60, 180, 60)


def load_tool(path):
    spec = importlib.util.spec_from_file_location(f'tool_{Path(path).stem}', ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(path, *arguments):
    """Run a tool's main in this process."""
    before, sys.argv = sys.argv, [path, *map(str, arguments)]
    try:
        load_tool(path).main()
    finally:
        sys.argv = before


def draw(people):
    """20 frames; each person (x, colour, frames) is a rectangle of one colour, 24 x 80."""
    for number in range(20):
        image = np.full((100, 160, 3), 120, np.uint8)
        for x, color, frames in people:
            if number in frames:
                image[10:90, x : x + 24] = color
        yield image


# Red and blue leave and come back; green is seen once.
AWAY = [*range(6), *range(12, 20)]
PEOPLE = {'one': [(10, RED, AWAY), (100, BLUE, AWAY)], 'two': [(60, GREEN, range(20))]}


@pytest.fixture(scope='module')
def films(tmp_path_factory):
    root = tmp_path_factory.mktemp('films')
    (root / 'videos').mkdir()
    videos, tubelets, tracks = {}, {}, {}
    for vid, people in PEOPLE.items():
        make_film(root / 'videos' / f'{vid}.mp4', frames=draw(people))
        videos[vid] = VideoRecord('web', 160, 100, 25.0, 20, 0.8, 'test', ((0, 20),))
        for person, (x, _, frames) in enumerate(people):
            key = f'{vid}_{person}'
            tubelets[key] = TubeletRecord(vid, person, (min(frames), max(frames) + 1), key)
            boxes = np.tile(np.float32([x, 10, x + 24, 90]), (len(frames), 1))
            tracks[key] = (list(frames), boxes, np.ones(len(frames)), np.zeros(len(frames)))
    write_seal_json(SEALAnnotations(videos, tubelets, boxes=BoxTable.from_tracks(tracks)), root / 'people.json')
    return root


@pytest.fixture(scope='module')
def crops(films):
    out = films / 'reid'
    people, videos = films / 'people.json', films / 'videos'
    run('tools/data/seal/crop_people.py', '--train', people, '--test', people, '--videos', videos, '--out', out)
    return out


def test_annotated_films_become_sequences(crops):
    train, query, gallery = (
        MARSSequences(split=split, data_root=str(crops)) for split in ('train', 'query', 'gallery')
    )
    assert [len(part) for part in (train, query, gallery)] == [5, 2, 3]
    assert train.num_identities == 3 and query.pids.tolist() == [4, 5] and gallery.pids.tolist() == [4, 5, 6]


def test_the_tool_says_how_many_identities_a_config_needs(films, tmp_path, capsys):
    run(
        'tools/data/seal/crop_people.py',
        '--train',
        films / 'people.json',
        '--videos',
        films / 'videos',
        '--out',
        tmp_path / 'a',
    )
    assert 'train: 3 identities, 5 appearances, 48 crops' in capsys.readouterr().out


def test_a_film_that_is_learned_and_searched_is_told(films, tmp_path, capsys):
    people, videos = films / 'people.json', films / 'videos'
    run(
        'tools/data/seal/crop_people.py',
        '--train',
        people,
        '--test',
        people,
        '--videos',
        videos,
        '--out',
        tmp_path / 'a',
    )
    assert 'note: 2 films are in --train and --test (one)' in capsys.readouterr().out


def test_films_can_be_chosen(films, tmp_path, capsys):
    options = ['--videos', films / 'videos', '--out', tmp_path / 'a', '--films', 'one']
    run('tools/data/seal/crop_people.py', '--test', films / 'people.json', *options)
    assert 'test: 2 identities, 4 appearances' in capsys.readouterr().out


def test_a_film_may_be_in_one_file_of_several(films, tmp_path, capsys):
    videos = {'three': VideoRecord('web', 160, 100, 25.0, 20, 0.8, 'test', ((0, 20),))}
    write_seal_json(SEALAnnotations(videos, {}, boxes=BoxTable.from_tracks({})), tmp_path / 'other.json')
    options = ['--videos', films / 'videos', '--out', tmp_path / 'a', '--films', 'one']
    run('tools/data/seal/crop_people.py', '--test', tmp_path / 'other.json', films / 'people.json', *options)
    assert 'test: 2 identities, 4 appearances' in capsys.readouterr().out


def test_crops_that_cannot_be_written_are_refused(films, tmp_path, refused):
    (tmp_path / 'taken').write_text('')
    arguments = ['--train', films / 'people.json', '--videos', films / 'videos', '--out', tmp_path / 'taken' / 'a']
    assert 'cannot be written' in refused('tools/data/seal/crop_people.py', *arguments)


def test_a_component_is_described_and_scored(crops, tmp_path, capsys):
    out = tmp_path / 'color.npz'
    run('tools/extract_reid.py', '--data-root', crops, '--appearance', 'ColorHistogram', '--out', out)
    with np.load(out) as arrays:
        assert arrays['names'].tolist() == [
            'query 00000000',
            'query 00000002',
            *(f'gallery 0000000{n}' for n in (1, 3, 4)),
        ]
        assert arrays['features'].shape == (5, 80)
        np.testing.assert_allclose(np.linalg.norm(arrays['features'], axis=1), 1, atol=1e-6)
    run('tools/evaluate.py', 'reid', '--gt', out, '--pred', out, '--json', tmp_path / 'scores.json')
    metrics = json.loads((tmp_path / 'scores.json').read_text())['metrics']
    assert metrics['rank-1'] == metrics['mAP'] == 1  # three colours


def test_the_stage_of_a_pipeline_config_is_taken_and_images_can_be_fewer(crops, tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text("_base_ = 'mmtube::seal/tube_pipeline.py'\nappearance = dict(hue_bins=6)\n")
    run(
        'tools/extract_reid.py',
        '--data-root',
        crops,
        '--appearance',
        config,
        '--out',
        tmp_path / 'a.npz',
        '--max-images',
        2,
    )
    with np.load(tmp_path / 'a.npz') as arrays:
        assert arrays['features'].shape == (5, 2 * (6 * 3 + 4))


def test_a_component_that_is_not_registered_is_named_in_one_line(crops, tmp_path, refused):
    line = refused('tools/extract_reid.py', '--data-root', crops, '--appearance', 'Nope', '--out', tmp_path / 'a.npz')
    assert "stage 'appearance'" in line and 'Nope' in line


def test_a_component_of_another_stage_is_named_in_one_line(crops, tmp_path, refused):
    arguments = ['tools/extract_reid.py', '--data-root', crops, '--out', tmp_path / 'a.npz', '--appearance']
    assert 'DeepSORTTracker: does not describe boxes' in refused(*arguments, 'DeepSORTTracker')
    for kind in ('TubeLinker', 'TubeletDescriber'):
        with pytest.raises(InputError, match=f'{kind}: does not describe boxes'):
            run(*arguments, kind)
    assert not (tmp_path / 'a.npz').exists()


@pytest.mark.parametrize(
    'model, cause',
    [
        ("dict(_delete_=True, type='mmdet.YOLOX')", 'is the config of a mmdet.YOLOX, not of a VideoReID'),
        ("dict(_delete_=True, type='ClipActionDetector')", 'is the config of a ClipActionDetector, not of a VideoReID'),
        ("dict(_delete_=True, type='VideoReID')", 'cannot be built'),
        ("dict(backbone=dict(_delete_=True, type='Nope'))", 'cannot be built'),
    ],
)
def test_a_network_of_another_class_is_named_in_one_line(crops, tmp_path, model, cause):
    network, pipeline = tmp_path / 'network.py', tmp_path / 'mine.py'
    network.write_text(f"_base_ = 'mmtube::seal_mini/reid.py'\nmodel = {model}\n")
    stage = f"dict(_delete_=True, type='ReIDAppearance', model={str(network)!r})"
    pipeline.write_text(f"_base_ = 'mmtube::seal/tube_pipeline.py'\nappearance = {stage}\n")
    with pytest.raises(InputError) as refusal:
        run('tools/extract_reid.py', '--data-root', crops, '--appearance', pipeline, '--out', tmp_path / 'a.npz')
    assert str(refusal.value).startswith(f'{network}: {cause}') and '\n' not in str(refusal.value)


@pytest.mark.parametrize(
    'extra, cause',
    [
        (['--films', 'nine'], "no annotations have a film 'nine'"),
        (['--films', 'one', 'nine'], "no annotations have a film 'nine'"),
        (['--min-images', 90], '1 <= min_images <= max_images'),
        (['--min-height-px', 500], 'the train split has no appearance'),
        (['--queries-per-person', 0], 'must be positive'),
        (['--train'], '--train, --test or both'),
    ],
)
def test_options_that_do_not_fit_are_named(films, tmp_path, extra, cause):
    arguments = ['--train', films / 'people.json', '--videos', films / 'videos', '--out', tmp_path / 'a', *extra]
    with pytest.raises(InputError, match=cause):
        run('tools/data/seal/crop_people.py', *arguments)
    assert not (tmp_path / 'a').exists()


@pytest.mark.parametrize(
    'extra, cause',
    [
        (['--out', 'a.json'], r'must end in \.npz'),
        (['--max-images', 0], 'must be positive'),
        (['--appearance', 'tracking/motion'], "has no stage 'appearance'"),
    ],
)
def test_features_that_cannot_be_made_are_refused(crops, tmp_path, extra, cause):
    arguments = ['--data-root', crops, '--appearance', 'ColorHistogram', '--out', tmp_path / 'a.npz', *extra]
    with pytest.raises(InputError, match=cause):
        run('tools/extract_reid.py', *arguments)


def test_a_published_checkpoint_is_small_and_carries_its_config(tmp_path):
    weights = {'b.weight': torch.randn(3, 2), 'a.count': torch.tensor(7), 'loss_center.centers': torch.zeros(9, 9)}
    meta = {'cfg': f'work_dir = {tmp_path}', 'time': 'now'}
    torch.save({'state_dict': weights, 'optimizer': {'state': weights}, 'meta': meta}, tmp_path / 'a.pth')
    arguments = ['seal_mini/reid', tmp_path / 'a.pth', tmp_path / 'b.pth', '--drop', 'loss_center.', '--note', 'a test']
    run('tools/model_converters/publish.py', *arguments)
    found = read_checkpoint(str(tmp_path / 'b.pth'))
    assert list(found['state_dict']) == ['a.count', 'b.weight'] and 'optimizer' not in found
    np.testing.assert_array_equal(found['state_dict']['b.weight'], weights['b.weight'].half().float())
    assert found['meta'] == dict(
        config='seal_mini/reid', cfg=load_config('seal_mini/reid').pretty_text, source='a test', licence='Apache-2.0'
    )
    assert str(tmp_path) not in str(found['meta'])
    first = (tmp_path / 'b.pth').read_bytes()
    run('tools/model_converters/publish.py', *arguments)
    assert (tmp_path / 'b.pth').read_bytes() == first


def test_weights_that_no_float16_holds_are_refused(tmp_path):
    torch.save({'state_dict': {'w': torch.tensor([1e6])}}, tmp_path / 'a.pth')
    with pytest.raises(InputError, match='w has a value that is not finite'):
        run('tools/model_converters/publish.py', 'seal_mini/reid', tmp_path / 'a.pth', tmp_path / 'b.pth')
