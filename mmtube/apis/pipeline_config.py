"""From a config to the stages of the pipeline."""

from __future__ import annotations

import difflib
import inspect
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope, Registry

from mmtube.config import load_config, override
from mmtube.errors import InputError
from mmtube.registry import DATASETS, MODELS, TASK_UTILS

# Every stage of the pipeline in the order of the data, with the registry it is built from.
STAGES: dict[str, Registry] = {
    'frame_source': DATASETS,
    'detector': MODELS,
    'shot_detector': TASK_UTILS,
    'selector': TASK_UTILS,
    'appearance': TASK_UTILS,
    'describer': TASK_UTILS,
    'camera_motion': TASK_UTILS,
    'tracker': TASK_UTILS,
    'gap_filler': TASK_UTILS,
    'switch_corrector': TASK_UTILS,
    'splitter': TASK_UTILS,
    'smoother': TASK_UTILS,
    'linker': TASK_UTILS,
    'tube_filter': TASK_UTILS,
    'subject_chooser': TASK_UTILS,
    'clip_classifier': MODELS,
    'tubelet_features': MODELS,
    'tubelet_detector': MODELS,
}
# Without these there are no tubes.
REQUIRED = ('frame_source', 'detector', 'tracker')
_OTHER_KEYS = ('default_scope', 'custom_imports', 'batch_size')


def load_pipeline(
    config: str | Path | Config, cfg_options: dict[str, Any] | None = None, required: tuple[str, ...] = REQUIRED
) -> Config:
    """Read a pipeline config and check its keys.

    Args:
        config (str | Path | Config): A path, a name below ``configs/`` (``'seal/tube_pipeline'``), a
            ``package::name``, or a config object.
        cfg_options (dict | None): Overrides such as ``{'tracker.max_age': 60}``. Defaults to None.
        required (tuple[str, ...]): Stages that must be there. Defaults to :data:`REQUIRED`.

    Raises:
        InputError: If the file is missing or no config, a key is unknown, or a stage that must be there is not.
    """
    if isinstance(config, Config):
        name, cfg = config.filename or 'config', override(config.copy(), cfg_options)
    else:
        name, cfg = str(config), load_config(config, cfg_options)
    known = (*STAGES, *_OTHER_KEYS)
    for key in cfg:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            raise InputError(f'{name}: unknown key {key!r}' + (f', did you mean {close[0]!r}?' if close else ''))
    batch_size = cfg.get('batch_size', 1)
    if not isinstance(batch_size, int) or batch_size < 1:
        raise InputError(f'{name}: batch_size must be a whole number above 0, got {batch_size!r}')
    for key in required:
        if cfg.get(key) is None:
            raise InputError(f'{name}: the stage {key!r} is missing')
    return cfg


def build_stage(key: str, stage: ConfigDict, **defaults: Any) -> Any:
    """Build one stage.

    Args:
        key (str): Its name in :data:`STAGES`.
        stage (ConfigDict): ``dict(type=..., ...)``.
        **defaults: Arguments used where the config does not give them. ``device`` goes to stages that take one.

    Raises:
        InputError: If the type is not registered, or an argument is unknown or refused.
    """
    try:
        # Names without a scope are ours, whatever library's runner was at work in this process before.
        with DefaultScope.overwrite_default_scope('mmtube'):
            if 'device' in defaults and not _takes_device(STAGES[key], stage):
                del defaults['device']
            return STAGES[key].build(stage, default_args=defaults or None)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        cause = str(error.args[0] if error.args else error).split('\n')[0]
        raise InputError(f'stage {key!r}: {cause}') from error


def _takes_device(registry: Registry, stage: ConfigDict) -> bool:
    """Whether the component has an argument ``device``; a name that is not registered is told when it is built."""
    component = registry.get(stage['type']) if isinstance(stage.get('type'), str) else stage.get('type')
    return component is not None and 'device' in inspect.signature(component).parameters
