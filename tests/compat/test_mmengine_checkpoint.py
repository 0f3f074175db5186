import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import Runner, load_checkpoint
from torch import nn
from torch.utils.data import TensorDataset


class ToyModel(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x, y, mode='tensor'):
        return {'loss': ((self.layer(x) - y) ** 2).mean()}


def run(work_dir, max_epochs, resume=False):
    data = TensorDataset(torch.eye(4)[:, :2], torch.ones(4, 1))
    runner = Runner(
        ToyModel(),
        str(work_dir),
        train_dataloader={
            'dataset': data,
            'sampler': {'type': 'DefaultSampler', 'shuffle': True},
            'batch_size': 2,
            'collate_fn': {'type': 'default_collate'},
        },
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9}},
        param_scheduler={'type': 'MultiStepLR', 'milestones': [1]},
        train_cfg={'by_epoch': True, 'max_epochs': max_epochs},
        default_hooks={'logger': {'type': 'LoggerHook', 'interval': 1}},
        resume=resume,
        experiment_name=f'{work_dir.name}_{max_epochs}',
        log_level='ERROR',
        default_scope='mmengine',
    )
    runner.train()
    return runner


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class Reach:
    """Asks for an attribute that leads out of the allowed types when it is unpickled."""

    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


def test_a_run_is_resumed_with_its_message_hub(tmp_path):
    run(tmp_path, 1)
    runner = run(tmp_path, 2, resume=True)
    assert runner.epoch == 2 and runner.iter == 4
    losses, _ = runner.message_hub.log_scalars['train/loss'].data
    assert len(losses) == 4  # two of the first run, two of the second


@pytest.mark.parametrize(
    'value',
    [np.float64(0.25), np.int64(3), np.bool_(True), np.arange(3), np.array(['a', 'bc']), HistoryBuffer([1.0], [1])],
    ids=lambda value: type(value).__name__,
)
def test_plain_values_of_a_message_hub_are_read(tmp_path, value):
    torch.save({'value': value}, tmp_path / 'epoch.pth')
    read = torch.load(tmp_path / 'epoch.pth', weights_only=True)['value']
    assert type(read) is type(value)
    if isinstance(value, HistoryBuffer):
        assert read.mean() == 1.0
    else:
        np.testing.assert_array_equal(read, value)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    file, trace = tmp_path / 'bomb.pth', tmp_path / 'trace'
    torch.save({'state_dict': ToyModel().state_dict(), 'message_hub': Bomb(trace)}, file)
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(ToyModel(), str(file))
    assert not trace.exists()
    torch.load(file, weights_only=False)
    assert trace.exists()  # the bomb is live


def test_a_downloaded_checkpoint_that_would_run_code_is_refused(tmp_path, monkeypatch):
    trace = tmp_path / 'trace'
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    torch.save({'state_dict': {}, 'message_hub': Bomb(trace)}, tmp_path / 'checkpoints' / 'bomb.pth')
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(ToyModel(), 'https://example.org/bomb.pth')
    assert not trace.exists()


@pytest.mark.parametrize('value', [Reach(), np.array([Reach()], dtype=object)], ids=['attribute', 'object array'])
def test_attributes_and_object_arrays_are_refused(tmp_path, value):
    torch.save({'value': value}, tmp_path / 'reach.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'reach.pth', weights_only=True)
