"""Training in bfloat16, on processors too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmtube.registry import OPTIM_WRAPPERS


def processor_has_bfloat16() -> bool:
    """Return whether the processor has instructions for bfloat16 (AVX512-BF16, AMX, those of ARM)."""
    capabilities = torch.cpu.get_capabilities()
    return any(there for name, there in capabilities.items() if name.endswith('bf16'))


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run forward passes under autocast to bfloat16; weights, gradients and the optimizer stay in single precision.

    MMEngine's ``AmpOptimWrapper`` does this on accelerators only. bfloat16 has the exponents of single precision, so
    no loss is scaled. A processor without instructions for it would take many times as long as in single
    precision; there the forward pass is in single precision too. Arguments are those of ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast, within MMEngine's context."""
        device = next(model.parameters()).device.type
        has_it = device != 'cpu' or processor_has_bfloat16()
        with super().optim_context(model), torch.autocast(device, torch.bfloat16) if has_it else nullcontext():
            yield
