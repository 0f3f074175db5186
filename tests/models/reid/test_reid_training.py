"""Training on a small generated set: the same weights from the same seed, resuming, clipping, both layouts."""

import cv2
import numpy as np
import pytest
import scipy.io
import torch
from mmengine.runner import Runner

from mmtube.config import load_config
from mmtube.models.checkpoint import read_checkpoint

COLORS = [(200, 60, 60), (60, 200, 60), (60, 60, 200), (180, 180, 40), (40, 180, 180), (180, 40, 180)]


def picture(rng, color):
    noise = rng.normal(0, 25, (40, 20, 3))
    return (noise + np.array(color)).clip(0, 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def nothing_printed(monkeypatch):
    """A runner writes its environment and its config, prettily formatted, which takes longer than these trainings."""
    monkeypatch.setattr(Runner, '_log_env', lambda self, env_cfg: None)
    monkeypatch.setattr(Runner, 'dump_config', lambda self: None)
    monkeypatch.setattr('mmengine.config.Config.pretty_text', '')


def write_mars(root):
    """Six people of one colour each with two sequences of three or seven images, for training and testing."""
    rng = np.random.default_rng(0)
    for part in ('train', 'test'):
        names, info = [], []
        for pid, color in enumerate(COLORS, 1):
            for camera in (1, 2):
                count = 3 if camera == 1 else 7
                folder = root / f'bbox_{part}' / f'{pid:04d}'
                folder.mkdir(parents=True, exist_ok=True)
                info.append((len(names) + 1, len(names) + count, pid, camera))
                for image in range(count):
                    names.append(f'{pid:04d}C{camera}T{len(info):04d}F{image:03d}.png')
                    cv2.imwrite(str(folder / names[-1]), picture(rng, color))
        (root / 'info').mkdir(exist_ok=True)
        (root / 'info' / f'{part}_name.txt').write_text('\n'.join(names))
        scipy.io.savemat(root / 'info' / f'tracks_{part}_info.mat', {f'track_{part}_info': np.array(info, float)})
    scipy.io.savemat(root / 'info' / 'query_IDX.mat', {'query_IDX': np.arange(1.0, 12, 2)[None]})


def write_market(root):
    rng = np.random.default_rng(0)
    for folder, cameras in (('bounding_box_train', (1, 2, 3)), ('query', (1,)), ('bounding_box_test', (2, 3))):
        (root / folder).mkdir(parents=True)
        for pid, color in enumerate(COLORS, 1):
            for camera in cameras:
                cv2.imwrite(str(root / folder / f'{pid:04d}_c{camera}s1_000001_01.jpg'), picture(rng, color))


SIZE = (32, 16)


def small(root, work, name='seal_mini/reid', epochs=2, identities=3, sequences=2, **options):
    """The config of SEAL-mini on tiny images, in this process."""
    loaders = {}
    for split in ('train', 'val', 'test'):
        loaders |= {f'{split}_dataloader.num_workers': 0, f'{split}_dataloader.persistent_workers': False}
    cfg = load_config(
        name,
        {
            'data_root': f'{root}/',
            'work_dir': str(work),
            'model.num_identities': len(COLORS),
            'train_dataloader.batch_size': identities * sequences,
            'train_dataloader.sampler.num_identities': identities,
            'train_dataloader.sampler.num_sequences': sequences,
            'train_cfg.max_epochs': epochs,
            'train_cfg.val_interval': epochs,
            'default_hooks.logger.interval': 1,
            'default_hooks.checkpoint.interval': 1,
            'default_hooks.checkpoint.max_keep_ckpts': 5,
            **loaders,
            **options,
        },
    )
    datasets = [
        cfg.train_dataloader.dataset,
        *cfg.val_dataloader.dataset.datasets,
        *cfg.test_dataloader.dataset.datasets,
    ]
    for dataset in datasets:
        for step in dataset.pipeline:
            if step.type == 'LoadSequence':
                step.size = SIZE
    cfg.experiment_name = f'{work.name}_{np.random.default_rng().integers(1 << 60)}'
    cfg.log_level = 'ERROR'
    return cfg


def train(cfg):
    runner = Runner.from_cfg(cfg)
    scores = []
    evaluate = runner.val_loop.evaluator.evaluate
    runner.val_loop.evaluator.evaluate = lambda size: scores.append(evaluate(size)) or scores[-1]
    runner.train()
    return runner, scores[-1] if scores else None


def weights(path):
    return read_checkpoint(path)['state_dict']


def assert_equal(first, second):
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert not different


@pytest.fixture
def mars(tmp_path):
    write_mars(tmp_path / 'data')
    return tmp_path / 'data'


def test_two_trainings_with_one_seed_give_the_same_weights(mars, tmp_path):
    for name in 'ab':
        train(small(mars, tmp_path / name))
    first, second = (weights(tmp_path / name / 'epoch_2.pth') for name in 'ab')
    assert_equal(first, second)
    train(small(mars, tmp_path / 'c', **{'randomness.seed': 1}))
    assert not torch.equal(weights(tmp_path / 'c' / 'epoch_2.pth')['classifier.weight'], first['classifier.weight'])


def test_a_resumed_training_goes_on_with_the_centres_it_had(mars, tmp_path):
    train(small(mars, tmp_path / 'a', epochs=1))
    saved = weights(tmp_path / 'a' / 'epoch_1.pth')
    cfg = small(mars, tmp_path / 'a', epochs=2)
    cfg.resume, cfg.load_from = True, str(tmp_path / 'a' / 'epoch_1.pth')
    runner, _ = train(cfg)
    assert runner.epoch == 2
    resumed = weights(tmp_path / 'a' / 'epoch_2.pth')
    moved = (resumed['loss_center.centers'] - saved['loss_center.centers']).abs().max()
    torch.manual_seed(0)
    assert 0 < moved < 1  # a step; centres drawn anew would lie about two apart
    assert runner.optim_wrapper.param_groups[0]['lr'] == pytest.approx(runner.param_schedulers[-1].get_last_value()[0])


def test_gradient_clipping_of_the_network_does_not_hold_the_centres(mars, tmp_path):
    """With the gradients clipped to nothing the network stands still; the centres follow all the same."""
    cfg = small(mars, tmp_path / 'a', epochs=1)
    cfg.optim_wrapper = dict(type='OptimWrapper', clip_grad=dict(max_norm=1e-30), optimizer=dict(type='SGD', lr=1.0))
    runner = Runner.from_cfg(cfg)
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    after = runner.model.state_dict()
    np.testing.assert_allclose(after['classifier.weight'].numpy(), before['classifier.weight'].numpy(), atol=1e-12)
    assert (after['loss_center.centers'] - before['loss_center.centers']).abs().max() > 0.1


def test_it_learns_people_of_one_colour_each(mars, tmp_path):
    _, scores = train(small(mars, tmp_path / 'a', epochs=8, identities=6))
    assert scores['reid/rank-1'] == 1 and scores['reid/mAP'] == 1


def test_single_images_in_the_layout_of_market_train_too(tmp_path):
    write_market(tmp_path / 'data')
    cfg = small(tmp_path / 'data', tmp_path / 'a', 'reid/strong_baseline_r50_market1501', epochs=1)
    cfg.model = load_config('seal_mini/reid').model
    cfg.model.num_identities = len(COLORS)
    runner, scores = train(cfg)
    assert runner.iter == 2 and 0 < scores['reid/mAP'] <= 1


def test_the_test_of_the_runner_gives_the_features_of_the_metric(mars, tmp_path):
    cfg = small(mars, tmp_path / 'a')
    cfg.load_from = None
    found = Runner.from_cfg(cfg).test()
    assert {'reid/mAP', 'reid/rank-1', 'reid/rank-5'} <= set(found)
