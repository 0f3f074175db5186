"""mmcv-lite has no ``mmcv._ext``, so ``import mmcv.ops`` and with it mmdet's and mmaction2's models fail.

By design upstream: mmcv publishes wheels only without compiled operators (the source package needs a compiler). The
stand-in carries the operators that inference of detectors and of RoI action heads reaches, in PyTorch; every other
operator says so when it is called. A compiled mmcv is found first and stays untouched. Can go when mmcv publishes
wheels with operators for the PyTorch versions in use.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import NoReturn


def _unavailable(name: str) -> Callable[..., NoReturn]:
    def operator(*args: object, **kwargs: object) -> NoReturn:
        raise RuntimeError(
            f'the operator mmcv._ext.{name} needs compiled mmcv, but mmcv-lite is installed; to get it (a C++ compiler '
            'is needed): pip uninstall mmcv-lite, then pip install "mmcv>=2.1,<2.2" --no-build-isolation'
        )

    operator.__name__ = name
    return operator


def _fill(module: ModuleType) -> None:
    from . import mmcv_nms, mmcv_roi_align

    def missing(name: str) -> Callable[..., NoReturn]:
        # Any name may be an operator of some mmcv release; a name with an underscore in front never is.
        if name.startswith('_'):
            raise AttributeError(f'module {module.__name__!r} has no attribute {name!r}')
        return _unavailable(name)

    contents = {
        '__doc__': __doc__,
        '__getattr__': missing,
        'nms': mmcv_nms.nms,
        'softnms': mmcv_nms.softnms,
        'nms_match': mmcv_nms.nms_match,
        'roi_align_forward': mmcv_roi_align.roi_align_forward,
        'roi_align_backward': mmcv_roi_align.roi_align_backward,
        'get_compiler_version': lambda: 'n/a (mmcv-lite with the operators of mmtube.compat)',
        'get_compiling_cuda_version': lambda: 'not available',
    }
    vars(module).update(contents)


MODULES = {'mmcv._ext': _fill}
