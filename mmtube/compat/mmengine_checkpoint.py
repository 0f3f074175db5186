"""mmengine 0.10.7 cannot resume its own checkpoints safely.

- It leaves ``weights_only`` of ``torch.load`` to PyTorch, whose default is True since 2.6, but a checkpoint carries the
  message hub: ``HistoryBuffer`` objects with NumPy arrays, and their statistics methods by name. Those types are put on
  PyTorch's allow list; the check itself stays on. Can go when mmengine registers them.
- It loads addresses through ``torch.hub``, whose default is False: a downloaded file could run code. Here the check is
  on too. Can go when mmengine passes ``weights_only=True``.
"""

from __future__ import annotations

import functools
from types import ModuleType

# Numbers, flags and strings. Never 'O': an object array may hold anything.
_DTYPES = '?bBhHiIlLqQefdgFDGSU'


def _allow_message_hub() -> None:
    import pickle

    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer

    def statistics_method(owner: type, name: str) -> object:
        """Stand in for ``getattr`` in a checkpoint: that would reach anything, and only these methods are needed."""
        if owner is not HistoryBuffer or name not in HistoryBuffer._statistics_methods:
            raise pickle.UnpicklingError(f'a checkpoint may not ask for the attribute {name!r} of {owner!r}')
        return HistoryBuffer._statistics_methods[name]

    HistoryBuffer()  # fills the table of statistics methods
    rebuild_array, rebuild_scalar = np.zeros(0).__reduce__()[0], np.float64(0).__reduce__()[0]
    # NumPy 2 renamed the module; a checkpoint may come from either.
    rebuilders = [
        (function, f'numpy.{core}.multiarray.{function.__name__}')
        for function in (rebuild_array, rebuild_scalar)
        for core in ('core', '_core')
    ]
    dtypes = {type(np.dtype(code)) for code in _DTYPES}
    torch.serialization.add_safe_globals(
        [HistoryBuffer, np.ndarray, np.dtype, *dtypes, *rebuilders, (statistics_method, 'builtins.getattr')]
    )


def _patch(module: ModuleType) -> None:
    _allow_message_hub()
    module.load_url = functools.partial(module.load_url, weights_only=True)  # type: ignore[attr-defined]


PATCHES = {'mmengine.runner.checkpoint': _patch}
