"""Testing of models with a memory: first all clips are looked at, then all are scored."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from mmengine.dist import all_gather_object
from mmengine.evaluator import Evaluator
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner, TestLoop, ValLoop
from mmengine.structures import BaseDataElement

from mmtube.models.roi_heads import ClipActionDetector, ClipFeatures, MemoryPool
from mmtube.registry import LOOPS

Looked = list[tuple[ClipFeatures, BaseDataElement]]


class _TwoPasses(BaseLoop):
    """What testing and validation share."""

    MODE: str
    # Whether the features of objects are taken though no block asks for them, to score other heads by them.
    with_objects = False
    fp16: bool
    evaluator: Evaluator

    @property
    def _model(self) -> ClipActionDetector:
        model = self.runner.model
        return model.module if is_model_wrapper(model) else model

    def run(self) -> dict[str, float]:
        """Look at all clips, score them and return the metrics."""
        runner: Runner = self.runner
        runner.call_hook(f'before_{self.MODE}')
        runner.call_hook(f'before_{self.MODE}_epoch')
        self._model.eval()
        for sample in _score(self._model, self.look()):
            self.evaluator.process(data_samples=[sample], data_batch=None)
        metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        runner.call_hook(f'after_{self.MODE}_epoch', metrics=metrics)
        runner.call_hook(f'after_{self.MODE}')
        return metrics

    def look(self) -> Looked:
        """Return the features and the sample of each clip of this rank: the first pass."""
        clips: Looked = []
        for index, data_batch in enumerate(self.dataloader):
            self.runner.call_hook(f'before_{self.MODE}_iter', batch_idx=index, data_batch=data_batch)
            with torch.inference_mode(), torch.autocast(_device_type(self._model), enabled=self.fp16):
                features, samples = self._model.extract_clips(data_batch, with_objects=self.with_objects)
            clips += zip(features, samples)
            self.runner.call_hook(f'after_{self.MODE}_iter', batch_idx=index, data_batch=data_batch, outputs=samples)
        return clips


@LOOPS.register_module()
class TwoPassTestLoop(_TwoPasses, TestLoop):
    """Look at all clips, gather the memory of all ranks, then score each clip with the past and future of its film.

    The second pass needs no film: it scores stored features (Tang et al., 2020). The memory is one of its own, so that
    a validation leaves that of the training alone. A model without memory gets the scores of one pass.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Clips.
        evaluator (Evaluator | dict | list): Metrics.
        fp16 (bool): Whether the first pass runs in half precision. Defaults to False.
    """

    MODE = 'test'


@LOOPS.register_module()
class TwoPassValLoop(_TwoPasses, ValLoop):
    """As :class:`TwoPassTestLoop`, for validation.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Clips.
        evaluator (Evaluator | dict | list): Metrics.
        fp16 (bool): Whether the first pass runs in half precision. Defaults to False.
    """

    MODE = 'val'


@torch.inference_mode()
def _score(model: ClipActionDetector, clips: Looked) -> Iterator[BaseDataElement]:
    memory: MemoryPool | None = None
    if model.roi_head.memory is not None:
        of_ranks = all_gather_object([model.roi_head.entries(features) for features, _ in clips])
        memory = model.roi_head.memory.filled(entries for of_rank in of_ranks for entries in of_rank)
    for features, sample in clips:
        yield model.predict_clips(features, sample, memory)


def _device_type(model: ClipActionDetector) -> str:
    return next(model.parameters()).device.type
