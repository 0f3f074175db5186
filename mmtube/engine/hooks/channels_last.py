"""Weights in the memory layout that convolutions on a CPU like best."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmtube.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Lay the weights of convolutions over space, and over time and space, out channels last before a run.

    Maps follow them. It changes no value, only rounding, and convolutions on a CPU are faster.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Change the layout of the runner's model."""
        layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
        for weight in runner.model.parameters():
            if weight.dim() in layouts:
                weight.data = weight.data.contiguous(memory_format=layouts[weight.dim()])
