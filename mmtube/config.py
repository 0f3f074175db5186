"""Configs by path, by name below ``configs/``, or by the name of a package that ships them."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmtube.errors import InputError

# A link to configs/ in a checkout, a copy of it in an installed package.
CONFIG_DIR = Path(__file__).parent / '.mim' / 'configs'


def load_config(name: str | Path, cfg_options: dict[str, Any] | None = None) -> Config:
    """Read a config.

    Args:
        name (str | Path): A path, a name below ``configs/`` (``'person/picodet_s_coco_person.py'``), or
            ``'package::name'`` of an installed package (``mmtube``, ``mmdet``, ``mmaction``); ``.py`` may be left out.
        cfg_options (dict | None): Overrides, keys joined by dots. ``data_root`` moves every path of the config that
            lies below its own ``data_root``. Defaults to None.

    Returns:
        Config: The config. ``filename`` is the file it was read from. For a name of another package that publishes
        weights for it, ``model_path`` is their address.

    Raises:
        InputError: If it is missing or cannot be read, or an override does not fit.
    """
    name = str(name)
    package, _, path = name.rpartition('::')
    try:
        cfg = _from_package(package, path) if package not in ('', 'mmtube') else Config.fromfile(_find(name, path))
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f'{name}: no such config ({error.filename or error})') from None
    except Exception as error:  # a config is Python: whatever goes wrong in it is the config's fault
        raise InputError(f'{name}: cannot be read as a config ({type(error).__name__}: {error})') from error
    if 'data_root' in (cfg_options or {}) and 'data_root' in cfg:
        # Paths are put behind it as they are: with or without a slash it is the same folder.
        folder = str(cfg_options['data_root']).rstrip('/') + '/' * str(cfg.data_root).endswith('/')
        cfg_options = {**cfg_options, 'data_root': folder}
        cfg = _moved(cfg, cfg.data_root, folder)
    return override(cfg, cfg_options, name)


def override(cfg: Config, cfg_options: dict[str, Any] | None, name: str = 'config') -> Config:
    """Put overrides into a config, in place.

    Args:
        cfg (Config): The config.
        cfg_options (dict | None): As in :func:`load_config`.
        name (str): What to call the config in a message. Defaults to 'config'.

    Returns:
        Config: The same object.

    Raises:
        InputError: If an override does not fit.
    """
    for key in cfg_options or {}:
        first = key.split('.')[0]
        close = difflib.get_close_matches(first, list(cfg), 1, cutoff=0.85) if first not in cfg else []
        if close:  # a new key may be meant, one that is nearly another one is not
            raise InputError(f'{name}: the override {key!r} is of an unknown {first!r}, did you mean {close[0]!r}?')
    try:
        cfg.merge_from_dict(cfg_options or {})
    except (KeyError, TypeError, IndexError, AssertionError) as error:
        raise InputError(f'{name}: the override {cfg_options} does not fit ({error})') from error
    return cfg


def _moved(cfg: Config, old: str, new: str) -> Config:
    """Write another data folder into every path below the old one; MMEngine changes only the variable itself."""

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return type(value)({key: moved(item) for key, item in value.items()})
        if isinstance(value, (list, tuple)):
            return type(value)(moved(item) for item in value)
        return new + value.removeprefix(old) if isinstance(value, str) and value.startswith(old) else value

    return Config(moved(cfg._cfg_dict), filename=cfg.filename)


def _find(name: str, path: str) -> Path:
    places = [CONFIG_DIR / path] if '::' in name else [Path(path), CONFIG_DIR / path]
    for place in places:
        for file in (place, place.with_name(f'{place.name}.py')):
            if file.is_file():
                return file
    raise InputError(f'{name}: no such config, looked for {" and ".join(map(str, places))}')


def _from_package(package: str, path: str) -> Config:
    from mmengine.hub import get_config  # imports PyTorch
    from mmengine.utils import is_installed

    if not is_installed(package):  # MMEngine would call pip
        raise InputError(f'{package}::{path}: the package {package} is not installed')
    path = path if path.endswith('.py') else f'{path}.py'
    if '/' not in path:
        raise InputError(f'{package}::{path}: no such config, names have the form {package}::folder/config.py')
    try:
        return get_config(f'{package}::{path}', pretrained=True)
    except AssertionError:  # published without weights
        return get_config(f'{package}::{path}')
