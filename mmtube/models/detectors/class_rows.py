"""The rows of one class out of a detector's weights of many."""

from __future__ import annotations

from torch import Tensor

# A layer of boxes in mmdet's two-stage heads: four rows for each class, class by class.
BOXES_BY_CLASS = 'fc_reg.'


def keep_class(state: dict[str, Tensor], own: dict[str, Tensor], index: int, num_classes: int) -> int:
    """Cut weights of a detector of many classes to one class, in place, so that they fit a model of that class alone.

    Only tensors are touched that have more rows than the model's by the number of classes: class layers of one-stage
    heads (for each anchor a row for each class), and of mmdet's two-stage heads (a row for each class and one for
    background, and four box rows for each class). Anything else stays and is refused later for its shape.

    Args:
        state (dict[str, Tensor]): Weights by name.
        own (dict[str, Tensor]): The model's.
        index (int): The class to keep.
        num_classes (int): Classes of the weights.

    Returns:
        int: Number of tensors that were cut.
    """
    cut = 0
    for name, tensor in own.items():
        there = state.get(name)
        if there is None or there.shape == tensor.shape or there.shape[1:] != tensor.shape[1:]:
            continue
        rows, kept = len(there), len(tensor)
        if rows == num_classes * kept and BOXES_BY_CLASS in name:
            state[name] = there[index * kept : (index + 1) * kept].clone()
        elif rows == num_classes * kept:
            state[name] = there[index::num_classes].clone()
        elif rows == num_classes + 1 and kept == 2:  # a softmax, background is the last
            state[name] = there[[index, num_classes]].clone()
        else:
            continue
        cut += 1
    return cut
