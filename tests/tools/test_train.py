"""The commands that train and test, on a generated data set of four pictures."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmtube.config import load_config
from mmtube.engine.cli import build_config, make_parser, readable_errors
from mmtube.errors import InputError
from mmtube.models.checkpoint import read_checkpoint

ROOT = Path(__file__).parents[2]
CONFIG = 'person/picodet_s_coco_person.py'


def load_tool(name):
    spec = importlib.util.spec_from_file_location(f'tool_{name}', ROOT / 'tools' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name, *arguments, cwd):
    """Run a command in a process of its own, on one thread and without a GPU."""
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''}
    command = [sys.executable, str(ROOT / 'tools' / f'{name}.py'), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def write_coco(folder):
    """Four pictures of noise with a red rectangle each, annotated in COCO's format, for both subsets."""
    rng = np.random.default_rng(0)
    images, boxes = [], []
    for i in range(4):
        picture = rng.integers(0, 256, (96, 128, 3), np.uint8)
        picture[20:80, 40:70] = (0, 0, 255)
        images.append(dict(id=i, file_name=f'{i}.png', width=128, height=96))
        boxes.append(dict(id=i + 1, image_id=i, category_id=1, bbox=[40, 20, 30, 60], area=1800, iscrowd=0))
        for subset in ('train2017', 'val2017'):
            (folder / subset).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / subset / f'{i}.png'), picture)
    content = dict(images=images, annotations=boxes, categories=[dict(id=1, name='person'), dict(id=2, name='car')])
    (folder / 'annotations').mkdir()
    for subset in ('train2017', 'val2017'):
        (folder / 'annotations' / f'instances_{subset}.json').write_text(json.dumps(content))


def options(root):
    """Overrides for the data set in ``root``, read in the process itself."""
    found = ['train_dataloader.batch_size=2', 'default_hooks.logger.interval=1']
    for subset in ('train', 'val', 'test'):
        found += [f'{subset}_dataloader.num_workers=0', f'{subset}_dataloader.persistent_workers=False']
        found += [f'{subset}_dataloader.dataset.data_root={root}/']
    return found + [f'{s}_evaluator.ann_file={root}/annotations/instances_val2017.json' for s in ('val', 'test')]


def arguments(*given):
    return make_parser('').parse_args([CONFIG, *given])


@pytest.mark.slow
def test_train_resume_and_test(tmp_path):
    write_coco(tmp_path / 'coco')
    overrides = ['--cfg-options', *options(tmp_path / 'coco')]
    work = tmp_path / 'work'

    first = run('train', CONFIG, '--work-dir', work, '--resume', *overrides, 'train_cfg.max_epochs=1', cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert 'Load checkpoint from mmtube://picodet_s_person_fp16.pth' in first.stderr + first.stdout
    assert 'Epoch(train) [1][2/2]' in first.stderr + first.stdout
    weights = read_checkpoint(work / 'epoch_1.pth')['state_dict']

    second = run('train', CONFIG, '--work-dir', work, '--resume', *overrides, 'train_cfg.max_epochs=2', cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    log = second.stderr + second.stdout
    assert 'resumed epoch: 1, iter: 2' in log and 'Epoch(train) [2][2/2]' in log and 'Epoch(train) [1]' not in log
    trained = read_checkpoint(work / 'epoch_2.pth')['state_dict']
    assert any(not torch.equal(weights[name], trained[name]) for name in weights)

    tested = run(
        'test', CONFIG, work / 'epoch_2.pth', '--work-dir', work, '--out', work / 'found.pkl', *overrides, cwd=tmp_path
    )
    assert tested.returncode == 0, tested.stderr
    assert 'coco/bbox_mAP: ' in tested.stderr + tested.stdout
    assert len(pickle.loads((work / 'found.pkl').read_bytes())) == 4


@pytest.mark.slow
def test_a_missing_annotation_file_and_a_foreign_checkpoint_are_named_in_one_line(tmp_path):
    missing = run('train', CONFIG, '--cfg-options', *options(tmp_path / 'nowhere'), cwd=tmp_path)
    assert missing.returncode == 2
    last = missing.stderr.strip().splitlines()[-1]
    assert last == f'error: {tmp_path}/nowhere/annotations/instances_train2017.json: no such file'
    write_coco(tmp_path / 'coco')
    torch.save({'w': torch.zeros(1)}, tmp_path / 'foreign.pth')
    foreign = run('test', CONFIG, 'foreign.pth', '--cfg-options', *options(tmp_path / 'coco'), cwd=tmp_path)
    assert foreign.returncode == 2
    assert foreign.stderr.strip().splitlines()[-1].startswith('error: foreign.pth: is of another model, 442 of 442 ')


@pytest.mark.parametrize('name', ['train', 'test'])
def test_a_missing_config_is_one_line_and_exit_code_2(tmp_path, name):
    result = run(name, 'nowhere.py', *(['w.pth'] if name == 'test' else []), cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith('error: nowhere.py: no such config') and result.stderr.count('\n') == 1


def test_a_config_without_a_model_is_one_line(tmp_path):
    (tmp_path / 'data.py').write_text('train_dataloader = dict()')
    with pytest.raises(InputError, match=r'data\.py: has no model'):
        build_config(make_parser('').parse_args([str(tmp_path / 'data.py')]))


def test_work_folder_is_the_users_then_the_configs_then_the_name_of_the_config():
    assert build_config(arguments()).work_dir == str(Path('work_dirs', 'picodet_s_coco_person'))
    assert build_config(arguments('--cfg-options', 'work_dir=theirs')).work_dir == 'theirs'
    assert build_config(arguments('--work-dir', 'mine', '--cfg-options', 'work_dir=theirs')).work_dir == 'mine'


def test_overrides_are_read_as_values():
    cfg = build_config(arguments('--cfg-options', 'train_cfg.max_epochs=3', 'default_hooks.logger.interval=7'))
    assert (cfg.train_cfg.max_epochs, cfg.default_hooks.logger.interval) == (3, 7)


def test_resume_without_a_checkpoint_keeps_the_pretrained_weights(tmp_path):
    cfg = load_config(CONFIG, {'work_dir': str(tmp_path)})
    load_tool('train').set_resume(cfg, 'auto')
    assert not cfg.resume and cfg.load_from == 'mmtube://picodet_s_person_fp16.pth'


def test_resume_takes_the_last_checkpoint_or_the_one_given(tmp_path):
    (tmp_path / 'last_checkpoint').write_text(f'{tmp_path}/epoch_3.pth')
    cfg = load_config(CONFIG, {'work_dir': str(tmp_path)})
    load_tool('train').set_resume(cfg, 'auto')
    assert cfg.resume and cfg.load_from == f'{tmp_path}/epoch_3.pth'
    load_tool('train').set_resume(cfg, 'mine.pth')
    assert cfg.resume and cfg.load_from == 'mine.pth'


def test_mixed_precision_needs_a_gpu(monkeypatch):
    cfg = load_config(CONFIG)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(InputError, match='--amp needs a GPU'):
        load_tool('train').set_amp(cfg)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    load_tool('train').set_amp(cfg)
    assert (cfg.optim_wrapper.type, cfg.optim_wrapper.loss_scale) == ('AmpOptimWrapper', 'dynamic')


def test_predictions_go_to_a_pickle_file():
    with pytest.raises(InputError, match=r'found\.json: .*\.pkl'):
        load_tool('test').main([CONFIG, 'w.pth', '--out', 'found.json'])


def test_missing_files_and_unknown_names_become_input_errors(tmp_path):
    with pytest.raises(InputError, match=r'a\.json: no such file$'), readable_errors('c.py'):
        (tmp_path / 'a.json').read_text()
    with pytest.raises(InputError, match=r'^last line$'), readable_errors('c.py'):
        raise FileNotFoundError('Caught FileNotFoundError in a worker\nlast line\n')
    with (
        pytest.raises(InputError, match=r'^c\.py: Nope is not in the registry mmtube::model$'),
        readable_errors('c.py'),
    ):
        raise KeyError('Nope is not in the mmtube::model registry. Please check')
    with pytest.raises(KeyError, match='other'), readable_errors('c.py'):
        raise KeyError('other')
    with pytest.raises(InputError, match=r"^c\.py: Loop has no argument 'max_epoch'$"), readable_errors('c.py'):
        raise TypeError("Loop.__init__() got an unexpected keyword argument 'max_epoch'")
    with pytest.raises(TypeError, match='a bug'), readable_errors('c.py'):
        raise TypeError('a bug')
