"""Weights into a model: from the package, the net or a file, and never a pickle that runs code."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from mmtube.errors import InputError

ASSETS = Path(__file__).parents[1] / 'assets'
ASSET_PREFIX = 'mmtube://'
URL_PREFIXES = ('http://', 'https://')


def read_checkpoint(path: str) -> dict:
    """Read a checkpoint onto the CPU, float16 tensors as float32.

    Args:
        path (str): A file, an address (``http://``, ``https://``) or ``mmtube://NAME`` for a file that ships with the
            package.

    Returns:
        dict: ``state_dict`` (name to tensor, without a leading ``module.``; ``model`` in the file, where it has no
        ``state_dict``), ``meta`` (dict, empty where the file has none) and whatever else the file holds.

    Raises:
        InputError: If the file is missing, is no checkpoint or holds a pickle that is not plain data.
    """
    path = str(path)
    content = _load(path)
    if not isinstance(content, dict):
        raise InputError(f'{path}: is not a checkpoint (holds a {type(content).__name__}, not a dict of tensors)')
    nested = [content[key] for key in ('state_dict', 'model') if isinstance(content.get(key), dict)]
    bare = not nested
    tensors = content if bare else nested[0]
    state = {str(name).removeprefix('module.'): t for name, t in tensors.items() if isinstance(t, Tensor)}
    if not state:
        raise InputError(f'{path}: is not a checkpoint (holds no tensors)')
    state = {name: t.float() if t.dtype in (torch.float16, torch.bfloat16) else t for name, t in state.items()}
    meta = content.get('meta')
    return {**({} if bare else content), 'state_dict': state, 'meta': meta if isinstance(meta, dict) else {}}


def load_weights(
    model: nn.Module,
    path: str,
    ignored: tuple[str, ...] = (),
    prepare: Callable[[dict, dict[str, Tensor]], None] | None = None,
) -> dict:
    """Load a checkpoint into a model that it fits.

    Every parameter and every batch norm statistic of the model must be in the file in the right shape. Other buffers
    (counters, constants) keep their values where the file lacks them. Tensors that the model does not have are left
    out with a warning.

    Args:
        model (nn.Module): The model; unchanged when an error is raised.
        path (str): As in :func:`read_checkpoint`.
        ignored (tuple[str, ...]): Beginnings of names whose tensors may be left out without a warning. Defaults to
            none.
        prepare (Callable | None): Called with the checkpoint, which it may change, and the model's tensors by name,
            before they are compared. Defaults to None.

    Returns:
        dict: The ``meta`` of the checkpoint.

    Raises:
        InputError: As :func:`read_checkpoint`, and if the checkpoint is of another model.
    """
    checkpoint = read_checkpoint(path)
    own = model.state_dict()
    if prepare is not None:
        prepare(checkpoint, own)
    state = checkpoint['state_dict']
    parameters = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    needed = [name for name in own if name in parameters or name.endswith(('.running_mean', '.running_var'))]
    missing = [name for name in needed if name not in state]
    if missing:
        raise InputError(
            f'{path}: is of another model, {len(missing)} of {len(needed)} tensors are missing, '
            f'the first is {missing[0]}'
        )
    differing = [name for name in own if name in state and state[name].shape != own[name].shape]
    if differing:
        name = differing[0]
        raise InputError(
            f'{path}: is of another model, {len(differing)} of {len(needed)} tensors have another shape, the first is '
            f'{name} ({tuple(state[name].shape)} in the file, {tuple(own[name].shape)} in the model)'
        )
    unused = [name for name in state if name not in own and not name.startswith(ignored)]
    if unused:
        warnings.warn(f'{path}: {len(unused)} tensors are not used, the first is {unused[0]}', stacklevel=2)
    model.load_state_dict({name: tensor for name, tensor in state.items() if name in own}, strict=False)
    return checkpoint['meta']


@CheckpointLoader.register_scheme(prefixes=ASSET_PREFIX, force=True)
def load_from_package(filename: str, map_location: str | torch.device | None = None) -> dict:
    """Loader of ``mmtube://`` names for MMEngine, so that ``load_from`` and ``init_cfg`` of a config know them too."""
    checkpoint = read_checkpoint(filename)
    if map_location is not None:
        checkpoint['state_dict'] = {name: t.to(map_location) for name, t in checkpoint['state_dict'].items()}
    return checkpoint


def _load(path: str) -> object:
    try:
        if path.startswith(URL_PREFIXES):
            # The loader of MMEngine leaves out weights_only, and torch.hub then unpickles anything.
            return torch.hub.load_state_dict_from_url(
                path, map_location='cpu', progress=sys.stderr.isatty(), weights_only=True
            )
        file = ASSETS / path.removeprefix(ASSET_PREFIX) if path.startswith(ASSET_PREFIX) else Path(path).expanduser()
        return torch.load(file, map_location='cpu', weights_only=True)
    except OSError as error:  # urllib's errors are OSErrors too
        if path.startswith(URL_PREFIXES):
            cache = Path(torch.hub.get_dir(), 'checkpoints')
            cause = getattr(error, 'reason', None) or error
            raise InputError(
                f'{path}: cannot be fetched ({cause}); give checkpoint=FILE, or put it into {cache}'
            ) from None
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    except Exception as error:  # a damaged pickle or archive can raise nearly anything
        foreign = re.search(r'GLOBAL (\S+)', str(error))
        if foreign:
            raise InputError(f'{path}: is refused, its pickle asks for {foreign[1]}') from error
        raise InputError(f'{path}: is not a checkpoint or is damaged ({type(error).__name__})') from error


def backbone_names(checkpoint: dict, own: dict[str, Tensor]) -> None:
    """Drop the ``backbone.`` in front of the names of a whole model, as ``prepare`` of :func:`load_weights`."""
    state = checkpoint['state_dict']
    checkpoint['state_dict'] = {name.removeprefix('backbone.'): tensor for name, tensor in state.items()}
