"""What a config of RoI action detection says: its weights, its windows, its frames and its labels.

Nothing here imports mmdet, mmaction2 or builds a network, so that a missing checkpoint is known at once.
"""

from __future__ import annotations

import copy
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmtube.config import load_config
from mmtube.errors import InputError, MissingCheckpointError
from mmtube.fileio import read_text
from mmtube.models.published import fetch_published
from mmtube.structures.seal import read_label_map as read_seal_label_map

SLOWFAST_AVA = 'mmaction::detection/slowfast/slowfast_kinetics400-pretrained-r50_8xb8-8x8x1-20e_ava21-rgb.py'
ASSETS = Path(__file__).parents[2] / 'assets'
AVA_LABEL_MAP = ASSETS / 'ava_label_map.txt'
AVA_CLASSES = 81  # 80 actions with IDs from 1, and column 0 that no action has
AVA_FPS = 30.0
GIVE = 'give it with --actions-checkpoint FILE'
_IGNORED_STEPS = ('Init', 'Decode', 'PackActionInputs')
_OUR_STEPS = ('SampleSEALClip', 'DecodeWindow', 'Resize', 'FormatShape', 'PackSEALClip')


def read_config(model: str | dict | Config) -> Config:
    """Return the config of an action model, as a copy.

    Args:
        model (str | dict | Config): A config, or what :func:`mmtube.config.load_config` takes.

    Raises:
        InputError: If it cannot be read or holds no model.
    """
    cfg = load_config(model) if isinstance(model, str) else Config(copy.deepcopy(dict(model)))
    if 'model' not in cfg:
        raise InputError(f'{config_name(model)}: is not the config of an action model (no model)')
    return cfg


def config_name(model: str | dict | Config) -> str:
    """What to call a config in a message."""
    return model if isinstance(model, str) else getattr(model, 'filename', None) or 'the action model'


def resolve_checkpoint(
    model: str | dict | Config = SLOWFAST_AVA, checkpoint: str | None = None, timeout_s: float = 10.0
) -> str:
    """Find the weights of an action model on this machine, or fetch them.

    Args:
        model (str | dict | Config): As in :func:`read_config`; read only when ``checkpoint`` is None.
        checkpoint (str | None): A file, an address, or ``mmtube://NAME`` for a file that ships with the package.
            Defaults to None: the address that the package publishes for the name, else ``load_from`` of the config.
        timeout_s (float): How long the net may be silent. Defaults to 10.

    Returns:
        str: Path of the file. A published file lies in the cache of ``torch.hub``, where MMEngine keeps it too.

    Raises:
        MissingCheckpointError: If it is not here and cannot be fetched; the message says how to give it.
        InputError: If the given file does not exist, or what was fetched is damaged.
    """
    if checkpoint is None:
        cfg = read_config(model)
        checkpoint = cfg.get('model_path') or cfg.get('load_from')
        if checkpoint is None:
            raise MissingCheckpointError(f'{config_name(model)}: names no checkpoint; {GIVE}')
    checkpoint = str(checkpoint)
    if checkpoint.startswith(('http://', 'https://')):
        return str(fetch_published(checkpoint, 'the action model', GIVE, timeout_s))
    file = ASSETS / checkpoint.removeprefix('mmtube://') if checkpoint.startswith('mmtube://') else Path(checkpoint)
    if not file.expanduser().is_file():
        raise InputError(f'{checkpoint}: no such checkpoint; give another with --actions-checkpoint FILE')
    return str(file.expanduser())


@dataclass(frozen=True)
class ClipFormat:
    """How a model wants its clips.

    Args:
        clip_len (int): Frames per clip.
        frame_interval (int): Steps from one to the next, in frames of the rate the model was trained at.
        scale (tuple[float, float] | float): As ``mmcv.rescale_size`` takes it, or the size itself.
        keep_ratio (bool): Whether ``scale`` is a bound (or factor) and not the size itself.
        interpolation (str): As ``mmcv.imresize`` takes it.
        enlarge (bool): Whether frames smaller than ``scale`` are made larger. Defaults to True.
        sample_fps (float | None): Rate that films are taken at. Defaults to None, the config does not say.
        span (str): ``'centred'`` on the key time, or ``'window'``, spread over it; see
            :class:`~mmtube.datasets.transforms.SampleSEALClip`. Defaults to 'centred'.
        window_s (float): Length of the window in seconds. Defaults to 2.
        boxes_per_s (int): Boxes per second of each person; 1 is the one at the key time. Defaults to 1.
    """

    clip_len: int
    frame_interval: int
    scale: tuple[float, float] | float
    keep_ratio: bool
    interpolation: str
    enlarge: bool = True
    sample_fps: float | None = None
    span: str = 'centred'
    window_s: float = 2.0
    boxes_per_s: int = 1

    def offsets_s(self, sample_fps: float) -> np.ndarray:
        """(clip_len,) float64 times of the frames around the key time, as MMAction2's ``SampleAVAFrames`` has them."""
        if self.span == 'window':
            return (np.arange(self.clip_len) + 0.5) * self.window_s / self.clip_len - self.window_s / 2
        return (np.arange(self.clip_len) - self.clip_len // 2) * self.frame_interval / sample_fps

    def box_offsets_s(self) -> np.ndarray:
        """(B,) float64 times of the boxes over time around the key time; none where the key box alone is asked for."""
        if self.boxes_per_s == 1:
            return np.zeros(0)
        count = max(round(self.window_s * self.boxes_per_s), 1)
        return (np.arange(count) + 0.5) / self.boxes_per_s - self.window_s / 2

    def resized(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        """Width and height that frames of this width and height get."""
        import mmcv

        size = mmcv.rescale_size(frame_size, self.scale) if self.keep_ratio else tuple(map(int, self.scale))
        return size if self.enlarge or size[0] < frame_size[0] else frame_size


def read_clip_format(cfg: Config, name: str) -> ClipFormat:
    """Read the clip format from the test pipeline of a config.

    Raises:
        InputError: If there is no such pipeline, or it does something to the frames that is not known here.
    """
    pipeline = _test_dataset(cfg).get('pipeline') or cfg.get('test_pipeline') or cfg.get('val_pipeline')
    steps = {str(step['type']).rpartition('.')[2]: step for step in pipeline or []}
    if 'SampleSEALClip' in steps:
        return _our_format(steps, _test_dataset(cfg), name)
    unknown = [
        step
        for step in steps
        if step not in ('SampleAVAFrames', 'Resize', 'FormatShape') and not step.endswith(_IGNORED_STEPS)
    ]
    if 'SampleAVAFrames' not in steps or unknown:
        cause = f'the step {unknown[0]} is not known' if unknown else 'no SampleAVAFrames'
        raise InputError(f'{name}: is not the config of RoI action detection ({cause} in its test pipeline)')
    if steps.get('FormatShape', {}).get('input_format') != 'NCTHW':
        raise InputError(f'{name}: the clips of its test pipeline must have the format NCTHW')
    sample, resize = steps['SampleAVAFrames'], steps.get('Resize', {'scale': 1.0})
    scale = resize['scale']
    if not isinstance(scale, float):
        # -1 stands for "whatever the shape of the frame gives".
        scale = (np.inf, max(scale)) if min(scale) == -1 else tuple(scale)
    return ClipFormat(
        sample['clip_len'],
        sample.get('frame_interval', 2),
        scale,
        resize.get('keep_ratio', True),
        resize.get('interpolation', 'bilinear'),
    )


def _our_format(steps: dict[str, dict], dataset: dict, name: str) -> ClipFormat:
    unknown = [step for step in steps if step not in _OUR_STEPS]
    if unknown:
        raise InputError(f'{name}: the step {unknown[0]} is not known in its test pipeline')
    sample, decode = steps['SampleSEALClip'], steps.get('DecodeWindow', {})
    if decode.get('order', 'rgb') != 'rgb':
        raise InputError(f'{name}: the frames of its test pipeline must be RGB')
    resize, short_side = steps.get('Resize'), decode.get('short_side')
    if resize is not None:
        scale = (np.inf, max(resize['scale'])) if min(resize['scale']) == -1 else tuple(resize['scale'])
        size = (scale, resize.get('keep_ratio', True), resize.get('interpolation', 'bilinear'), True)
    else:
        # FFmpeg, which makes frames smaller in training, takes in all pixels; of OpenCV's ways 'area' does.
        size = ((np.inf, short_side) if short_side else 1.0, True, 'area', False)
    return ClipFormat(
        sample.get('clip_len', 32),
        sample.get('frame_interval', 2),
        *size,
        sample.get('fps', 25.0),
        sample.get('span', 'centred'),
        dataset.get('window_s', 2.0),
        dataset.get('boxes_per_s', 1),
    )


def _test_dataset(cfg: Config) -> dict:
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader') or {}
    return loader.get('dataset', {})


def read_label_map(path: str | os.PathLike) -> dict[int, str]:
    """Read class names by ID.

    Args:
        path (str | os.PathLike): Lines ``ID: name`` (``#`` begins a comment), or AVA's ``.pbtxt``.

    Raises:
        InputError: If the file cannot be read, a line is not of that form or an ID comes twice.
    """
    text = read_text(path)
    if str(path).endswith('.pbtxt'):
        rows = [(0, ids, name) for name, ids in re.findall(r'name:\s*"([^"]*)"\s*(?:label_)?id:\s*(\d+)', text)]
    else:
        lines = [(row, line.strip()) for row, line in enumerate(text.splitlines(), 1)]
        rows = [(row, *_label(path, row, line)) for row, line in lines if line and not line.startswith('#')]
    names: dict[int, str] = {}
    for row, label_id, name in rows:
        if int(label_id) in names:
            raise InputError(f'{path}: {f"line {row}: " if row else ""}the ID {label_id} comes twice')
        names[int(label_id)] = name
    if not names:
        raise InputError(f'{path}: holds no class name')
    return names


def _label(path: str | os.PathLike, row: int, line: str) -> tuple[str, str]:
    label_id, _, name = line.partition(':')
    if not label_id.strip().isdecimal() or not name.strip():
        raise InputError(f'{path}: line {row}: expected "ID: name", got "{line}"')
    return label_id, name.strip()


def name_columns(
    cfg: Config,
    num_classes: int,
    background_class: bool,
    given: str | os.PathLike | list[str] | None = None,
    meta: dict | None = None,
) -> list[str]:
    """Name the columns that are left of a model's scores when the background column, if any, is cut off.

    With a background class, column 0 of an MMAction2 head is trained on nothing; action ID i has column i there and
    i - 1 here. With ``custom_classes`` the IDs are those. Without a background class ID i has column i.

    Args:
        cfg (Config): The config of the model.
        num_classes (int): Columns of the head.
        background_class (bool): Whether the head has a background class.
        given (str | os.PathLike | list[str] | None): A label file, a label map (JSON, as data sets in the SEAL schema
            have it), or one name per remaining column. Defaults to None: ``label_map`` of the checkpoint or the classes
            of the data set that it was trained on, else the label file of the config where it is there, else AVA's
            names for AVA's classes.
        meta (dict | None): The ``meta`` of the checkpoint. Defaults to None.

    Returns:
        list[str]: One name per column; ``'class ID'`` for an ID without a name; empty when nothing names the classes.

    Raises:
        InputError: If the names given are not as many as the columns.
    """
    dataset = _test_dataset(cfg)
    first = int(background_class)
    ids = list(dataset.get('custom_classes') or range(first, num_classes))
    label_file = dataset.get('label_file')
    if isinstance(given, (list, tuple)):
        if len(given) != len(ids):
            raise InputError(f'the label map has {len(given)} names, the action model has {len(ids)} classes')
        return [str(name) for name in given]
    meta = meta or {}
    listed = meta.get('label_map') or (meta.get('dataset_meta') or {}).get('classes')
    if str(given).endswith('.json'):
        names = dict(enumerate(read_seal_label_map(str(given)).names, first))
    elif given is not None:
        names = read_label_map(given)
    elif isinstance(listed, (list, tuple)) and len(listed) == len(ids):
        return [str(name) for name in listed]
    elif label_file and Path(label_file).is_file():
        names = read_label_map(label_file)
    elif background_class and (num_classes == AVA_CLASSES or 'ava_action_list' in str(label_file)):
        names = read_label_map(AVA_LABEL_MAP)
    else:
        return []
    return [names.get(label_id, f'class {label_id}') for label_id in ids]
