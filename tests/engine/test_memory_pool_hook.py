"""When the memory is written, and where it goes."""

import pytest
import torch
from small_clips import model_cfg, quiet, runner_of

from mmtube.engine.hooks import MemoryPoolHook
from mmtube.registry import HOOKS

HOOK = dict(type='MemoryPoolHook')


@pytest.fixture(autouse=True)
def nothing_printed(monkeypatch):
    quiet(monkeypatch)


@HOOKS.register_module()
class Spy(MemoryPoolHook):
    """Notes what a step read and what the hook then wrote."""

    priority = 'LOW'

    def before_train(self, runner):
        self.notes = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        pool = runner.model.roi_head.memory
        self.before = (pool.loss_now, pool.state()['films'])
        self.weights = {name: value.clone() for name, value in runner.model.state_dict().items()}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.notes.append((self.before, self.weights, data_batch, float(outputs['loss'].detach())))


def plain_epochs(epochs=2):
    return dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=9)


def test_it_is_written_after_the_step_with_the_features_before_it(tmp_path):
    runner = runner_of(tmp_path, plain_epochs(), hooks=[HOOK, dict(type='Spy')])
    runner.train()
    spy = next(hook for hook in runner.hooks if isinstance(hook, Spy))
    pool = runner.model.roi_head.memory
    losses = [note[3] for note in spy.notes]
    # The loss that damps is that of the step before; an entry has that of its own step.
    assert [note[0][0] for note in spy.notes] == [0.0, *losses[:-1]] and pool.loss_now == losses[-1]
    assert not spy.notes[0][0][1] and len(pool) == 9
    seen = {}
    for number, (_, _, batch, _) in enumerate(spy.notes):
        seen |= {(sample.video_id, int(sample.key_s)): number for sample in batch['data_samples']}
    for (film, second), number in seen.items():
        entry = pool.entry(film, second)
        assert entry.loss == losses[number] and not entry.features.requires_grad
    # The last batch again, with the weights of before its step: the same features (batch norm saw the same batch).
    _, weights, batch, _ = spy.notes[-1]
    runner.model.load_state_dict(weights)
    data = runner.model.data_preprocessor(batch, True)
    runner.model.train()
    with torch.no_grad():
        runner.model(**data, mode='loss')
    for (film, second), entry in runner.model.roi_head.seen.items():
        torch.testing.assert_close(pool.entry(film, second).features, entry.features)


def test_checkpoints_have_it_except_the_last_and_a_resumed_run_goes_on_with_it(tmp_path):
    runner_of(tmp_path, plain_epochs(), hooks=[HOOK]).train()
    first, last = (
        torch.load(tmp_path / f'epoch_{epoch}.pth', map_location='cpu', weights_only=True) for epoch in (1, 2)
    )
    assert sum(map(len, first['memory_pool']['films'].values())) == 9 and 'memory_pool' not in last

    resumed = runner_of(
        tmp_path,
        plain_epochs(),
        hooks=[HOOK, dict(type='Spy')],
        resume=True,
        load_from=str(tmp_path / 'epoch_1.pth'),
    )
    resumed.train()
    (loss, films), *_ = next(hook for hook in resumed.hooks if isinstance(hook, Spy)).notes[0]
    assert loss == first['memory_pool']['loss_now'] > 0
    for film, entries in first['memory_pool']['films'].items():
        for second, entry in entries.items():
            assert torch.equal(films[film][second]['features'], entry['features'])


def test_a_run_that_only_loads_weights_begins_with_an_empty_memory(tmp_path):
    runner_of(tmp_path, plain_epochs(), hooks=[HOOK]).train()
    again = runner_of(
        tmp_path, plain_epochs(1), hooks=[HOOK, dict(type='Spy')], load_from=str(tmp_path / 'epoch_1.pth')
    )
    again.model.roi_head.memory.loss_now = 5.0
    again.train()
    assert next(hook for hook in again.hooks if isinstance(hook, Spy)).notes[0][0] == (0.0, {})


def test_the_last_checkpoint_by_iterations_has_none_either(tmp_path):
    loop = dict(type='IterBasedTrainLoop', max_iters=4, val_interval=9)
    runner = runner_of(tmp_path, loop, hooks=[HOOK, dict(type='CheckpointHook', by_epoch=False, interval=2)])
    runner.train()
    kept = {
        number: 'memory_pool' in torch.load(tmp_path / f'iter_{number}.pth', weights_only=True) for number in (2, 4)
    }
    assert kept == {2: True, 4: False}


def test_a_model_without_memory_is_refused(tmp_path):
    with pytest.raises(ValueError, match='needs a model with a memory'):
        runner_of(tmp_path, plain_epochs(), model_cfg('PO'), hooks=[HOOK]).train()
