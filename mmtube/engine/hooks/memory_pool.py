"""The memory of clips is written after each step, and goes into checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.dist import all_gather_object, all_reduce
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmtube.models.roi_heads import MemoryPool, TubeRoIHead
from mmtube.registry import HOOKS

KEY = 'memory_pool'


@HOOKS.register_module()
class MemoryPoolHook(Hook):
    """Write what an iteration saw into the memory of a ``TubeRoIHead``, equally on all ranks.

    After the optimiser's step the features of the forward pass, made by the weights before the step, are stored with
    the total loss of the iteration; that loss, averaged over ranks, then is what the next iteration damps old features
    with (Tang et al., 2020, Sec. 3.4). A checkpoint has the memory, that of the last iteration excepted; a run that is
    resumed goes on with it, one that only loads weights begins with an empty one.
    """

    # After the optimiser, before the checkpoint is written.
    priority = 'NORMAL'

    def __init__(self) -> None:
        self._loaded: dict | None = None

    def before_train(self, runner: Runner) -> None:
        """Begin empty, or with the memory of the run that goes on; refuse a model without memory."""
        pool = _pool(_head(runner))
        pool.clear()
        if runner.iter and self._loaded is not None:
            pool.load_state(self._loaded)
        self._loaded = None

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | Sequence | None = None, outputs: dict | None = None
    ) -> None:
        """Write."""
        head = _head(runner)
        loss = torch.as_tensor((outputs or {}).get('loss', 0.0)).detach().to('cpu', torch.float64).clone()
        all_reduce(loss, 'mean')
        pool = _pool(head)
        # Ranks write in their order, so all end with the same pool if two saw one clip.
        for entries in all_gather_object(head.seen):
            for entry in entries.values():
                entry.loss = float(loss)
            pool.write(entries)
        pool.loss_now = float(loss)
        head.seen = {}

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the memory, except at the end of the training."""
        # The runner has not counted an iteration yet after which a checkpoint is written; the checkpoint has.
        if checkpoint['meta']['iter'] < runner.max_iters:
            checkpoint[KEY] = _pool(_head(runner)).state()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the memory of the checkpoint until it is known whether its run goes on."""
        self._loaded = checkpoint.get(KEY)


def _head(runner: Runner) -> TubeRoIHead:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    head = getattr(model, 'roi_head', None)
    if not isinstance(head, TubeRoIHead) or head.memory is None:
        raise ValueError('MemoryPoolHook needs a model with a memory, a TubeRoIHead with an M block')
    return head


def _pool(head: TubeRoIHead) -> MemoryPool:
    assert head.memory is not None
    return head.memory
