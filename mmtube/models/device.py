"""Where a network runs."""

from __future__ import annotations

import torch

from mmtube.errors import InputError


def usable_device(name: str) -> torch.device:
    """Return a device that this machine has.

    Args:
        name (str): Such as ``'cpu'`` or ``'cuda:0'``.

    Raises:
        InputError: If there is no such device.
    """
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f'device {name}: cannot be used ({str(error).splitlines()[0]})') from error
    return device
