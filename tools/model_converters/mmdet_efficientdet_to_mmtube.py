"""Convert EfficientDet weights of mmdet's ``projects/EfficientDet`` to a checkpoint of this package.

    python tools/model_converters/mmdet_efficientdet_to_mmtube.py SRC.pth OUT.pth --person-only

D0 and D3 are known, told apart by their width. With ``--person-only`` the result fits
``configs/seal/person_efficientdet_d{0,3}.py``; without, the same with ``model.bbox_head.num_classes`` of SRC.pth.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from torch import Tensor

from mmtube.config import load_config
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path
from mmtube.models.checkpoint import read_checkpoint

CONFIGS = {64: 'mmtube::seal/person_efficientdet_d0.py', 160: 'mmtube::seal/person_efficientdet_d3.py'}  # by width
PERSON = 'person'
FINEST = 3  # there, levels are called P3 to P7; here they count from 0, and steps up from the second level
CLASS_LAYER = 'bbox_head.cls_tower.out.pointwise.'

# (name there, name here); of the groups, 'level' and 'above' are numbers of levels.
PLACES = tuple(
    (re.compile(pattern), place)
    for pattern, place in (
        (r'backbone\.', 'backbone.'),
        (r'neck\.bifpn\.0\.p(?P<level>\d)_down_channel\.', 'neck.laterals.{level}.'),
        (r'neck\.bifpn\.0\.p(?P<above>\d)_level_connection\.', 'neck.skips.{above}.'),
        (r'neck\.bifpn\.0\.p5_to_p6\.0\.', 'neck.top.'),
        (r'neck\.bifpn\.(?P<layer>\d+)\.conv(?P<level>\d)_up\.', 'neck.layers.{layer}.down_convs.{level}.'),
        (r'neck\.bifpn\.(?P<layer>\d+)\.conv(?P<above>\d)_down\.', 'neck.layers.{layer}.up_convs.{above}.'),
        (r'neck\.bifpn\.(?P<layer>\d+)\.p(?P<level>\d)_w1$', 'neck.layers.{layer}.down_weights.{level}'),
        (r'neck\.bifpn\.(?P<layer>\d+)\.p(?P<above>\d)_w2$', 'neck.layers.{layer}.up_weights.{above}'),
        (r'bbox_head\.(?P<task>cls|reg)_conv_list\.(?P<conv>\d+)\.', 'bbox_head.{task}_tower.convs.{conv}.'),
        (
            r'bbox_head\.(?P<task>cls|reg)_bn_list\.(?P<conv>\d+)\.(?P<n>\d+)\.',
            'bbox_head.{task}_tower.norms.{n}.{conv}.',
        ),
        (r'bbox_head\.(?P<task>cls|reg)_header\.', 'bbox_head.{task}_tower.out.'),
    )
)
# What follows the place.
LAYERS = {
    'down_conv.': '0.',
    'depthwise_conv.': 'depthwise.',
    'pointwise_conv.': 'pointwise.',
}


def our_name(name: str) -> str | None:
    """Return the name here of a tensor there; None if the project has no such tensor."""
    for pattern, place in PLACES:
        match = pattern.match(name)
        if match is None:
            continue
        numbers = match.groupdict()
        for key, first in (('level', FINEST), ('above', FINEST + 1)):
            if key in numbers:
                numbers[key] = int(numbers[key]) - first
        place, tail = place.format(**numbers), name[match.end() :]
        if place.startswith('backbone'):
            return name
        norm = 'norm.' if '_convs.' in place else '1.'
        for theirs, ours in {**LAYERS, 'bn.': norm}.items():
            if tail.startswith(theirs):
                tail = ours + tail.removeprefix(theirs)
                break
        return place + tail
    return None


def convert(state: dict[str, Tensor], source: str) -> dict[str, Tensor]:
    """Rename the tensors.

    Args:
        state (dict[str, Tensor]): Tensors by their names in mmdet's project.
        source (str): Where they come from, for messages.

    Returns:
        dict[str, Tensor]: The same tensors by their names here, in the order of ``state``.

    Raises:
        InputError: If one of them is not of that project.
    """
    renamed = {name: our_name(name) for name in state}
    foreign = [name for name, ours in renamed.items() if ours is None]
    if foreign:
        raise InputError(
            f'{source}: is no EfficientDet of mmdet ({len(foreign)} foreign tensors, such as {foreign[0]})'
        )
    return {ours: state[name] for name, ours in renamed.items() if ours is not None}


def class_names(meta: dict, num_classes: int, source: str) -> tuple[str, ...]:
    """Return the names of the classes: those in the file, or COCO's where there are as many.

    Raises:
        InputError: If they are not known.
    """
    from mmdet.datasets import CocoDataset

    told = {key.lower(): value for key, value in {**meta, **(meta.get('dataset_meta') or {})}.items()}.get('classes')
    names = tuple(told or CocoDataset.METAINFO['classes'])
    if len(names) != num_classes:
        raise InputError(f'{source}: has {num_classes} classes and does not name them')
    return names


def only_class(state: dict[str, Tensor], number: int, num_classes: int) -> dict[str, Tensor]:
    """Keep the scores of one class: channels of the class layer go by anchor, then by class."""
    return {
        name: tensor[number::num_classes].clone() if name.startswith(CLASS_LAYER) else tensor
        for name, tensor in state.items()
    }


def check_fits(state: dict[str, Tensor], num_classes: int, source: str) -> str:
    """See that nothing is missing, left over or of another shape; return the name of the config it fits.

    Raises:
        InputError: If it is of another model.
    """
    from mmengine.registry import MODELS, DefaultScope

    width = len(state.get('neck.top.0.bias', ()))
    if width not in CONFIGS:
        raise InputError(f'{source}: is neither D0 nor D3 (its pyramid has {width} channels)')
    cfg = load_config(CONFIGS[width], {'model.bbox_head.num_classes': num_classes})
    with DefaultScope.overwrite_default_scope('mmtube'):
        own = MODELS.build(cfg.model).state_dict()
    counters = {name for name in own if name.endswith('num_batches_tracked')}  # which need not be there
    for cause, names in (('missing', own.keys() - state.keys() - counters), ('left over', state.keys() - own.keys())):
        if names:
            raise InputError(f'{source}: is another model, {len(names)} tensors are {cause}, such as {min(names)}')
    for name, tensor in state.items():
        if tensor.shape != own[name].shape:
            shapes = f'{tuple(tensor.shape)}, not {tuple(own[name].shape)}'
            raise InputError(f'{source}: is another model, {name} is {shapes}')
    return CONFIGS[width]


def main(arguments: list[str] | None = None) -> None:
    """Convert as the command line says."""
    parser = argparse.ArgumentParser(description="Convert EfficientDet weights of mmdet's projects/EfficientDet.")
    parser.add_argument('src', help='file or address of the weights')
    parser.add_argument('out', type=Path, help='checkpoint to write')
    parser.add_argument('--person-only', action='store_true', help='keep the class person alone')
    args = parser.parse_args(arguments)
    source = read_checkpoint(args.src)
    state = convert(source['state_dict'], args.src)
    anchors = len(state.get('bbox_head.reg_tower.out.pointwise.bias', ())) // 4
    scores = len(state.get(f'{CLASS_LAYER}bias', ()))
    if not anchors or not scores or scores % anchors:
        raise InputError(f'{args.src}: has no class layer, or one that does not fit its box layer')
    classes = class_names(source['meta'], scores // anchors, args.src)
    if args.person_only:
        if PERSON not in classes:
            raise InputError(f'{args.src}: none of its {len(classes)} classes is called {PERSON!r}')
        state, classes = only_class(state, classes.index(PERSON), len(classes)), (PERSON,)
    config = check_fits(state, len(classes), args.src)
    meta = dict(dataset_meta=dict(classes=classes), source=args.src)
    with atomic_path(args.out) as temporary:
        torch.save(dict(meta=meta, state_dict=state), temporary)
    print(f'{args.out}: {len(state)} tensors, {len(classes)} classes, for {config}')


if __name__ == '__main__':
    exit_on_input_error(main)
