"""Convert released AlphAction weights (github.com/MVIG-SJTU/AlphAction) to a checkpoint of this package.

    python tools/model_converters/alphaction_to_mmtube.py resnet50_4x16f_denseserial.pth OUT.pth
    python tools/model_converters/alphaction_to_mmtube.py SlowFast-ResNet50-4x16.pth OUT.pth

The first is a whole detector, for ``tools/test.py configs/ava/alphaction_dense_r50_ava22.py OUT.pth``; the second a
backbone trained on Kinetics-700, for ``model.backbone.pretrained`` (its classifier is left out). Depth and structure
are read off the names. The addresses are in AlphAction's ``MODEL_ZOO.md``.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from mmengine.registry import DefaultScope
from torch import Tensor

from mmtube.config import load_config
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path
from mmtube.models.checkpoint import read_checkpoint
from mmtube.registry import MODELS

DEPTHS = {6: 50, 23: 101, 36: 152}  # by blocks of the third stage
LATERALS = {'1': 'conv1_lateral', '2': 'layer1_lateral', '3': 'layer2_lateral', '4': 'layer3_lateral'}
BLOCK_TYPES = 'POM'  # in this order, twice
REDUCTIONS = {'person': 'reduce_query', 'person_key': 'reduce.P', 'object': 'reduce.O', 'mem': 'reduce.M'}
FEATURES = r'roi_heads\.action\.feature_extractor\.'
STRUCTURE = FEATURES + r'ia_structure\.'

# (name there, name here); groups are filled in, and looked up where a table is given.
BACKBONE_PLACES = (
    (r'(?P<path>slow|fast)\.conv1\.', 'backbone.{path}_path.conv1.conv.'),
    (r'(?P<path>slow|fast)\.bn1\.', 'backbone.{path}_path.conv1.bn.'),
    (
        r'(?P<path>slow|fast)\.res_nl(?P<stage>\d)\.res_(?P<block>\d+)\.btnk\.conv(?P<conv>\d)\.',
        'backbone.{path}_path.layer{stage}.{block}.conv{conv}.',
    ),
    (
        r'(?P<path>slow|fast)\.res_nl(?P<stage>\d)\.res_(?P<block>\d+)\.shortcut\.',
        'backbone.{path}_path.layer{stage}.{block}.downsample.',
    ),
    (r'fast\.Tconv(?P<lateral>[1-4])\.', 'backbone.slow_path.{lateral}.'),
)
HEAD_PLACES = (
    (STRUCTURE + r'(?P<reduction>person|person_key|object|mem)_dim_reduce\.', 'roi_head.interaction.{reduction}.'),
    (STRUCTURE + r'(?P<kind>[POM])_block_(?P<turn>[12])\.temporal_position_k', 'roi_head.interaction.{kind}.key_time'),
    (
        STRUCTURE + r'(?P<kind>[POM])_block_(?P<turn>[12])\.temporal_position_v',
        'roi_head.interaction.{kind}.value_time',
    ),
    (STRUCTURE + r'(?P<kind>[POM])_block_(?P<turn>[12])\.', 'roi_head.interaction.{kind}.'),
    (STRUCTURE + r'dense_params\.(?P<mix>\d+)', 'roi_head.interaction.mix.{mix}'),
    (FEATURES + r'fc1\.', 'roi_head.head.hidden.0.'),
    (FEATURES + r'fc2\.', 'roi_head.head.hidden.1.'),
    (r'roi_heads\.action\.predictor\.cls_score\.', 'roi_head.head.classifier.'),
)
PLACES = tuple((re.compile(pattern), place) for pattern, place in BACKBONE_PLACES + HEAD_PLACES)


def place_of(name: str) -> str | None:
    """Return the name of a tensor here, None for one that has no place."""
    bare = re.sub(r'^(?:.*\.)?(?=(?:slow|fast)\.)', '', name)  # a backbone of its own has no ``backbone.``, or another
    for pattern, place in PLACES:
        found = pattern.match(bare)
        if found:
            groups = found.groupdict()
            if 'lateral' in groups:
                groups['lateral'] = LATERALS[groups['lateral']]
            if 'reduction' in groups:
                groups['reduction'] = REDUCTIONS[groups['reduction']]
            if 'kind' in groups:
                number = BLOCK_TYPES.index(groups['kind']) + len(BLOCK_TYPES) * (int(groups['turn']) - 1)
                groups['kind'] = f'blocks.{number}'
            if 'mix' in groups:
                groups['mix'] = str(int(groups['mix']) - 2)  # the third block is the first with a sum
            return place.format(**groups) + bare[found.end() :]
    return None


def convert(state: dict[str, Tensor], source: str) -> dict[str, Tensor]:
    """Return the tensors under our names; 1x1x1 convolutions become matrices.

    Args:
        state (dict[str, Tensor]): Of AlphAction.
        source (str): File, for messages.

    Raises:
        InputError: If a tensor has no place here, or none has.
    """
    detector = any(name.startswith('roi_heads.') for name in state)
    converted, lost = {}, []
    for name, tensor in state.items():
        place = place_of(name)
        if place is None:
            lost.append(name)
        elif place.startswith('roi_head.') and tensor.ndim > 2:
            # Every second has one code: (61, 1, d, 1, 1, 1); all else is (out, in, 1, 1, 1).
            converted[place] = tensor.flatten(1).contiguous()
        else:
            converted[place] = tensor
    if not converted or (detector and lost):
        raise InputError(f'{source}: is not of AlphAction, {len(lost)} tensors have no place, such as {min(lost)}')
    return converted


def describe(state: dict[str, Tensor], source: str) -> tuple[int, str | None]:
    """Return the depth of the backbone and the structure of the interaction, None without one.

    Raises:
        InputError: If no known backbone has so many blocks.
    """
    blocks = {name.split('.')[3] for name in state if name.startswith('backbone.slow_path.layer3.')}
    if len(blocks) not in DEPTHS:
        raise InputError(f'{source}: has {len(blocks)} blocks in its third stage, known are {sorted(DEPTHS)}')
    structure = None
    if any(name.startswith('roi_head.interaction.') for name in state):
        parallel = 'roi_head.interaction.blocks.3.shortcut.weight' in state
        structure = 'dense' if 'roi_head.interaction.mix.0' in state else 'parallel' if parallel else 'serial'
    return DEPTHS[len(blocks)], structure


def model_config(depth: int, structure: str | None, num_classes: int, config: str | None) -> dict:
    """Return the config of the model that the weights are for: that of ``config``, or one of what was read off."""
    model = load_config(config or 'mmtube::ava/slowfast_r50_ava22.py').model
    if config is None:
        model.backbone.depth = depth
        if structure is not None:
            model.roi_head.interaction = dict(type='InteractionAggregation', structure=structure)
        if num_classes != model.roi_head.head.num_classes:
            model.roi_head.head.update(num_classes=num_classes, loss=None)
    return model


def check_fits(state: dict[str, Tensor], model: dict, source: str) -> None:
    """Compare with a model of ours.

    Raises:
        InputError: If tensors are missing, left over or of another shape.
    """
    with DefaultScope.overwrite_default_scope('mmtube'):
        own = MODELS.build(model).state_dict()
    if not any(name.startswith('roi_head.') for name in state):
        own = {name: tensor for name, tensor in own.items() if name.startswith('backbone.')}
    counters = {name for name in own if name.endswith('num_batches_tracked')}  # which a frozen norm does not have
    for cause, names in (('missing', own.keys() - state.keys() - counters), ('left over', state.keys() - own.keys())):
        if names:
            raise InputError(f'{source}: is another model, {len(names)} tensors are {cause}, such as {min(names)}')
    for name, tensor in state.items():
        if tensor.shape != own[name].shape:
            shapes = f'{tuple(tensor.shape)}, not {tuple(own[name].shape)}'
            raise InputError(f'{source}: is another model, {name} is {shapes}')


def main(arguments: list[str] | None = None) -> None:
    """Convert as the command line says."""
    parser = argparse.ArgumentParser(description='Convert released AlphAction weights.')
    parser.add_argument('src', help='file of the weights')
    parser.add_argument('out', type=Path, help='checkpoint to write')
    parser.add_argument('--config', help='config that the weights must fit; by default what their names tell')
    args = parser.parse_args(arguments)
    source = read_checkpoint(args.src)['state_dict']
    state = convert(source, args.src)
    depth, structure = describe(state, args.src)
    classes = len(state.get('roi_head.head.classifier.bias', ()))
    check_fits(state, model_config(depth, structure, classes or 80, args.config), args.src)
    meta = dict(source=Path(args.src).name, depth=depth, structure=structure, num_classes=classes)
    with atomic_path(args.out) as temporary:
        torch.save(dict(meta=meta, state_dict=state), temporary)
    told = f'{structure or "no"} interaction, {classes} classes' if classes else 'backbone alone'
    left = len(source) - len(state)
    print(f'{args.out}: {len(state)} tensors, SlowFast R{depth}, {told}' + (f', {left} left out' if left else ''))


if __name__ == '__main__':
    exit_on_input_error(main)
