"""Training in bfloat16, on processors too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmtube.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run forward passes under autocast to bfloat16; weights, gradients and the optimizer stay in single precision.

    MMEngine's ``AmpOptimWrapper`` does this on accelerators only. bfloat16 has the exponents of single precision, so
    no loss is scaled. It is worth it on processors with instructions for it (AVX512-BF16, AMX) and slow elsewhere.
    Arguments are those of ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast, within MMEngine's context."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield
