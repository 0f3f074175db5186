"""Testing of models with a memory: first all clips are looked at, then all are scored."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from mmengine.dist import all_gather_object
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner, TestLoop, ValLoop
from mmengine.structures import BaseDataElement

from mmtube.models.roi_heads import ClipActionDetector, ClipFeatures, MemoryPool
from mmtube.registry import LOOPS


@LOOPS.register_module()
class TwoPassTestLoop(TestLoop):
    """Look at all clips, gather the memory of all ranks, then score each clip with the past and future of its film.

    The second pass needs no film: it scores stored features (Tang et al., 2020). The memory is one of its own, so that
    a validation leaves that of the training alone. A model without memory gets the scores of one pass.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Clips.
        evaluator (Evaluator | dict | list): Metrics.
        fp16 (bool): Whether the first pass runs in half precision. Defaults to False.
    """

    def run(self) -> dict[str, float]:
        """Test and return the metrics."""
        return _run(self, 'test', self.fp16)


@LOOPS.register_module()
class TwoPassValLoop(ValLoop):
    """As :class:`TwoPassTestLoop`, for validation.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Clips.
        evaluator (Evaluator | dict | list): Metrics.
        fp16 (bool): Whether the first pass runs in half precision. Defaults to False.
    """

    def run(self) -> dict[str, float]:
        """Validate and return the metrics."""
        return _run(self, 'val', self.fp16)


def _run(loop: BaseLoop, mode: str, fp16: bool) -> dict[str, float]:
    runner: Runner = loop.runner
    runner.call_hook(f'before_{mode}')
    runner.call_hook(f'before_{mode}_epoch')
    runner.model.eval()
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    clips: list[tuple[ClipFeatures, BaseDataElement]] = []
    for index, data_batch in enumerate(loop.dataloader):
        runner.call_hook(f'before_{mode}_iter', batch_idx=index, data_batch=data_batch)
        with torch.inference_mode(), torch.autocast(_device_type(model), enabled=fp16):
            features, samples = model.extract_clips(data_batch)
        clips += zip(features, samples)
        runner.call_hook(f'after_{mode}_iter', batch_idx=index, data_batch=data_batch, outputs=samples)
    for sample in _score(model, clips):
        loop.evaluator.process(data_samples=[sample], data_batch=None)
    metrics = loop.evaluator.evaluate(len(loop.dataloader.dataset))
    runner.call_hook(f'after_{mode}_epoch', metrics=metrics)
    runner.call_hook(f'after_{mode}')
    return metrics


@torch.inference_mode()
def _score(model: ClipActionDetector, clips: list[tuple[ClipFeatures, BaseDataElement]]) -> Iterator[BaseDataElement]:
    memory: MemoryPool | None = None
    if model.roi_head.memory is not None:
        memory = model.roi_head.memory.emptied()
        for entries in all_gather_object([model.roi_head.entries(features) for features, _ in clips]):
            for written in entries:
                memory.write(written)
    for features, sample in clips:
        yield model.predict_clips(features, sample, memory)


def _device_type(model: ClipActionDetector) -> str:
    return next(model.parameters()).device.type
