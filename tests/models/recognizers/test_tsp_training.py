"""From films and annotations to a checkpoint, and from that to features, by the commands that a user gives."""

import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn

from mmtube.apis.features import FeatureJob, run_jobs
from mmtube.config import load_config
from mmtube.datasets import FrameSource
from mmtube.models.checkpoint import read_checkpoint
from mmtube.registry import MODELS
from mmtube.structures.io.features_npz import (
    FeatureMeta,
    TubeletFeatures,
    read_features_npz,
    write_features_npz,
)
from mmtube.testing import make_film

SIDE = 32
ONE_FILE = {'default_hooks.checkpoint.save_best': None}  # a checkpoint has 250 MB


@MODELS.register_module()
class Dots(nn.Sequential):
    """A network that sees single pixels."""

    def __init__(self):
        super().__init__(nn.Conv3d(3, 4, 1), nn.BatchNorm3d(4), nn.ReLU())


@pytest.fixture(autouse=True)
def nothing_printed(monkeypatch):
    """A runner writes its environment and its config, prettily formatted, which takes longer than these trainings."""
    monkeypatch.setattr(Runner, '_log_env', lambda self, env_cfg: None)
    monkeypatch.setattr(Runner, 'dump_config', lambda self: None)
    monkeypatch.setattr('mmengine.config.Config.pretty_text', '')


def moving(number, rng):
    """Noise, on which a bright bar moves in the middle third of the film."""
    for frame in range(number):
        image = rng.integers(60, 100, (48, 64, 3)).astype(np.uint8)
        if number // 3 <= frame < 2 * number // 3:
            left = frame % 50
            image[:, left : left + 12] = 250
        yield image


@pytest.fixture
def root(tmp_path):
    """Two films for training and one for validation, of 4.5 s; in the middle of each somebody runs."""
    rng = np.random.default_rng(0)
    database = {}
    (tmp_path / 'videos').mkdir()
    for vid, subset in (('a', 'training'), ('b', 'training'), ('c', 'validation')):
        make_film(tmp_path / 'videos' / f'{vid}.mp4', frames=moving(68, rng), fps=15)
        note = {'segment': [1.5, 3.0], 'label': 'run' if vid != 'b' else 'jump'}
        database[vid] = {'subset': subset, 'duration': 68 / 15, 'annotations': [note]}
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'activity_net.v1-3.min.json').write_text(json.dumps({'database': database}))
    return tmp_path


def write_features(root, folder, checkpoint, vids='abc'):
    """What tools/extract_features.py does with the films."""
    cfg = load_config('features/tsp_frame', {'model.size': (40, SIDE), 'model.crop': SIDE})
    out = root / 'features' / folder
    jobs = [FeatureJob(vid, root / 'videos' / f'{vid}.mp4', out / f'{vid}.npz', None) for vid in vids]
    assert run_jobs(jobs, cfg, str(checkpoint)) == {}
    return {job.vid: read_features_npz(job.out)[job.vid] for job in jobs}


def invent_features(root):
    """Files as the command writes them, of small random numbers."""
    rng = np.random.default_rng(1)
    for vid in 'abc':
        rows = TubeletFeatures(rng.random((4, 512)) / 20, np.ones(4, bool), 8 / 15, 0.0, 68 / 15)
        meta = FeatureMeta('tsp_frame', 15.0, 16, 16, 0.0, 512)
        write_features_npz(root / 'features' / 'tsp_frame' / f'{vid}.npz', meta, {vid: rows})


def training_config(root, **options):
    loaders = {}
    for split in ('train', 'val', 'test'):
        loader = f'{split}_dataloader'
        loaders |= {f'{loader}.num_workers': 0, f'{loader}.persistent_workers': False, f'{loader}.batch_size': 3}
        loaders |= {f'{loader}.dataset.clips_per_segment': 1}
    cfg = load_config(
        'tsp/tsp_r2plus1d34_activitynet',
        {
            'data_root': f'{root}/',
            'work_dir': str(root / 'work'),
            'load_from': str(root / 'first.pth'),
            'model.num_classes': 2,
            'train_cfg.max_epochs': 1,
            'default_hooks.checkpoint.save_optimizer': False,
            'default_hooks.logger.interval': 1,
            **loaders,
            **options,
        },
    )
    for split in ('train', 'val', 'test'):
        for step in cfg[f'{split}_dataloader'].dataset.pipeline:
            if step.type == 'mmaction.Resize':
                step.scale = (40, SIDE)
            step.update({key: SIDE for key in ('size', 'crop_size') if key in step})
    cfg.experiment_name = f'tsp_{np.random.default_rng().integers(1 << 60)}'
    cfg.log_level = 'ERROR'
    return cfg


def first_weights(path):
    """A backbone as tools/model_converters/tsp_to_mmtube.py writes one."""
    torch.manual_seed(0)
    backbone = MODELS.build(dict(type='mmtube.R2Plus1D34TSP'))
    torch.save(dict(state_dict={f'backbone.{name}': value for name, value in backbone.state_dict().items()}), path)


def test_a_training_begins_with_a_backbone_and_its_checkpoint_makes_features(root):
    first_weights(root / 'first.pth')
    invent_features(root)
    runner = Runner.from_cfg(training_config(root, **ONE_FILE))
    scores = []
    evaluate = runner.val_loop.evaluator.evaluate
    runner.val_loop.evaluator.evaluate = lambda size: scores.append(evaluate(size)) or scores[-1]
    runner.train()
    # Each of two films has two gaps and an action of 1.5 s, with a clip each: 6 clips, two batches.
    assert runner.iter == 2
    assert {'action/top1', 'region/top1', 'region/mean_class_accuracy'} <= set(scores[0])
    assert scores[0]['region/top1'] in {0, 1 / 3, 2 / 3, 1} and scores[0]['action/top1'] in {0, 1}

    trained, start = (read_checkpoint(str(root / name))['state_dict'] for name in ('work/epoch_1.pth', 'first.pth'))
    assert all(torch.equal(trained[name], start[name]) for name in start if '.conv1.0.conv.' in name)
    last = 'backbone.layer4.2.conv2.conv.conv_t.weight'
    assert not torch.equal(trained[last], start[last])
    after = write_features(root, 'after', root / 'work' / 'epoch_1.pth', 'a')['a'].features
    assert after.shape == (4, 512)

    # The rows are those of the trained network itself, on the frames of a window.
    with FrameSource(root / 'videos' / 'a.mp4') as source:
        images = [frame.image for frame in source]
    window = [cv2.resize(image, (40, SIDE))[:, 4 : 4 + SIDE, ::-1] for image in images[16:32]]
    clip = torch.from_numpy(np.stack(window).transpose(3, 0, 1, 2).copy())
    model = runner.model.eval()
    with torch.no_grad():
        feature = model(model.data_preprocessor(dict(inputs=[clip]))['inputs'])[0].numpy()
    np.testing.assert_allclose(after[1].astype(np.float32), feature, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize('global_channels', [512, 0])
def test_a_training_learns_where_actions_are(root, global_channels):
    """A bright bar moves in the action and nowhere else."""
    options = {'model.backbone': dict(type='Dots', _delete_=True), 'model.in_channels': 4, 'load_from': None}
    options |= {'train_cfg.max_epochs': 15, 'train_cfg.val_interval': 15, 'default_hooks.checkpoint.interval': 15}
    options |= {'optim_wrapper.optimizer.lr': 0.5, 'model.global_channels': global_channels, 'param_scheduler': []}
    if global_channels:
        invent_features(root)
    else:
        options |= {f'{split}_dataloader.dataset.features': None for split in ('train', 'val', 'test')}
    runner = Runner.from_cfg(training_config(root, **options))
    runner.train()
    assert runner.val_loop.evaluator.metrics[1].result.metrics['top1'] == 1
    assert (root / 'work' / 'best_region_mean_class_accuracy_epoch_15.pth').exists()


@pytest.mark.slow
def test_a_training_reads_what_the_extraction_command_writes_and_the_command_its_checkpoint(root, run_tool):
    first_weights(root / 'first.pth')
    films = write_features(root, 'tsp_frame', root / 'first.pth')
    assert films['c'].features.shape == (4, 512)
    Runner.from_cfg(training_config(root, **ONE_FILE)).train()
    done = run_tool(
        'tools/extract_features.py',
        *('features/tsp_frame', '--checkpoint', root / 'work' / 'epoch_1.pth', '--videos', root / 'videos'),
        *('--out', root / 'out', '--only', 'c', '--cfg-options', f'model.size=(40,{SIDE})', f'model.crop={SIDE}'),
    )
    assert done.returncode == 0, done.stderr
    assert not np.allclose(read_features_npz(root / 'out' / 'c.npz')['c'].features, films['c'].features, rtol=1e-2)


def test_the_feature_config_prepares_frames_as_training_does():
    """Size, crop, rate, mean and deviation are said twice: in the config of features and in that of the training."""
    training, features = load_config('tsp/tsp_r2plus1d34_activitynet'), load_config('features/tsp_frame').model
    steps = {step.type.split('.')[-1]: step for step in training.val_dataloader.dataset.pipeline}
    assert tuple(features.size) == tuple(steps['Resize'].scale) and features.crop == steps['CenterCrop'].crop_size
    sampled = steps['SampleSEALClip']
    assert (features.window, features.fps) == (sampled.clip_len, sampled.fps) and sampled.frame_interval == 1
    assert training.train_dataloader.dataset.clip_s == features.window / features.fps
    own = Config(features.network).to_dict()
    assert own['data_preprocessor'] == training.model.data_preprocessor.to_dict()
    assert own['backbone'] == training.model.backbone.to_dict()
