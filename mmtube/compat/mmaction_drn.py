"""The mmaction2 1.2.0 wheel lacks the package ``mmaction.models.localizers.drn`` that its own ``__init__`` imports.

Upstream: open-mmlab/mmaction2 #2714. Can go when a release of mmaction2 carries the package.
"""

from __future__ import annotations

from types import ModuleType


class DRN:
    """Says what is missing when somebody builds the model; everything else of mmaction2 works without it.

    Raises:
        RuntimeError: Always.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise RuntimeError(
            'DRN is not in the mmaction2 1.2.0 wheel (open-mmlab/mmaction2 #2714); install mmaction2 from source to '
            'use it: pip install git+https://github.com/open-mmlab/mmaction2'
        )


def _fill_package(module: ModuleType) -> None:
    module.__doc__ = __doc__


def _fill_drn(module: ModuleType) -> None:
    from mmaction.registry import MODELS

    module.__doc__ = __doc__
    module.DRN = DRN  # type: ignore[attr-defined]
    MODELS.register_module(name='DRN', module=DRN, force=True)


MODULES = {
    'mmaction.models.localizers.drn': _fill_package,
    'mmaction.models.localizers.drn.drn': _fill_drn,
}
