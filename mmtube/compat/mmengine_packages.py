"""mmengine 0.10.7 finds installed packages through ``pkg_resources``, which setuptools 81 dropped.

Besides, ``pkg_resources`` gives a folder that does not exist for a package that is installed editable (PEP 660), and
mmengine's table of packages whose configs have names knows only OpenMMLab's own. With these stand-ins ``mmdet::...``,
``mmaction::...`` and ``mmtube::...`` resolve offline. Can go when mmengine uses ``importlib`` and takes any package.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from types import ModuleType


def is_installed(package: str) -> bool:
    """Whether a distribution or an importable, ordinary package has this name."""
    from importlib import metadata  # slow to import, here and below

    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        spec = importlib.util.find_spec(package)
        return spec is not None and spec.origin is not None
    return True


def package2module(package: str) -> str:
    """Name of the module that a distribution installs (``mmaction2``: ``mmaction``).

    Raises:
        ValueError: If the distribution does not say.
    """
    from importlib import metadata

    distribution = metadata.distribution(package)
    listed = (distribution.read_text('top_level.txt') or '').split()
    found = [path.parts[0] for path in distribution.files or [] if path.name == '__init__.py' and len(path.parts) == 2]
    if not listed and not found:
        raise ValueError(f'can not infer the module name of {package}')
    return (listed or found)[0]


def get_installed_path(package: str) -> str:
    """Folder of a package, by the name of its module or of its distribution.

    Raises:
        RuntimeError: If it is a namespace package, which has no one folder.
        importlib.metadata.PackageNotFoundError: If it is not installed.
    """
    from importlib import metadata

    spec = importlib.util.find_spec(package) or importlib.util.find_spec(package2module(package))
    if spec is None:
        raise metadata.PackageNotFoundError(package)
    if spec.origin is None:
        raise RuntimeError(f'{package} is a namespace package, which has no one installed path')
    return str(Path(spec.origin).parent)


def _replace_functions(module: ModuleType) -> None:
    for function in (is_installed, package2module, get_installed_path):
        if hasattr(module, function.__name__):
            setattr(module, function.__name__, function)


def _name_configs(module: ModuleType) -> None:
    module.MODULE2PACKAGE.setdefault('mmtube', 'mmtube')  # type: ignore[attr-defined]
    lookup = module._get_cfg_metainfo  # type: ignore[attr-defined]

    @functools.wraps(lookup)
    def get_metainfo(package_path: str, cfg_path: str) -> dict:
        # ValueError is how mmengine is told to take the name as a path below .mim/configs.
        if not Path(package_path, '.mim', 'model-index.yml').is_file():
            raise ValueError(f'{package_path} has no index of models that could know {cfg_path}')
        return lookup(package_path, cfg_path)

    module._get_cfg_metainfo = get_metainfo  # type: ignore[attr-defined]


def _patch_hub(module: ModuleType) -> None:
    from mmengine.config import utils

    _replace_functions(module)
    module._get_cfg_metainfo = utils._get_cfg_metainfo  # type: ignore[attr-defined]


# The first and the fourth do the work; the others took the functions by name and matter if they were imported before.
PATCHES = {
    'mmengine.utils.package_utils': _replace_functions,
    'mmengine.utils': _replace_functions,
    'mmengine.config.config': _replace_functions,
    'mmengine.config.utils': _name_configs,
    'mmengine.hub.hub': _patch_hub,
}
