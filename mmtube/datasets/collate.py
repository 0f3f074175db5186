"""Batches of items of different length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dataset import pseudo_collate

from mmtube.registry import FUNCTIONS


@FUNCTIONS.register_module()
def tubelet_collate(batch: Sequence[dict[str, Any]], multiple: int = 1, rows: int = 1) -> dict[str, Any]:
    """Pad tubelets with zeros at the end and say which rows are real.

    In a config ``collate_fn=dict(type='mmtube.tubelet_collate')``: MMEngine looks functions up by their full name.

    Args:
        batch (Sequence[dict]): What ``PackTubelet`` made: ``inputs`` (C, T_i) and ``data_samples``.
        multiple (int): The common length is a multiple of this. Defaults to 1.
        rows (int): The common length is at least this. Defaults to 1.

    Returns:
        dict: ``inputs``, a dict of ``features`` (N, C, T) float32 and ``mask`` (N, T) bool, True where a row is one of
        the tubelet and valid; and ``data_samples``, the list.
    """
    features = [item['inputs'] for item in batch]
    longest = max(rows, *(feature.shape[1] for feature in features))
    length = -(-longest // multiple) * multiple
    padded = features[0].new_zeros(len(features), features[0].shape[0], length)
    mask = torch.zeros(len(features), length, dtype=torch.bool)
    for row, (feature, item) in enumerate(zip(features, batch)):
        padded[row, :, : feature.shape[1]] = feature
        mask[row, : feature.shape[1]] = item['data_samples'].valid
    return {'inputs': {'features': padded, 'mask': mask}, 'data_samples': [item['data_samples'] for item in batch]}


@FUNCTIONS.register_module()
def repeat_collate(batch: Sequence[Sequence[dict[str, Any]]]) -> dict[str, Any]:
    """Make one batch of what ``RepeatTransforms`` gives for each item.

    In a config ``collate_fn=dict(type='mmtube.repeat_collate')``.

    Args:
        batch (Sequence[Sequence[dict]]): Samples of each item.

    Returns:
        dict: As MMEngine's ``pseudo_collate``, of all samples.
    """
    return pseudo_collate([sample for samples in batch for sample in samples])
