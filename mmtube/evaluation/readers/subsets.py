"""Subsets of classes by frequency, from a frozen rank list."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mmtube.errors import InputError
from mmtube.structures.seal import ClassRank, subset_classes


def classes_of_subsets(
    rank: ClassRank, names: Sequence[str], source: str | os.PathLike, num_classes: int | None = None
) -> dict[str, tuple[int, ...]]:
    """Return the classes of each subset.

    Args:
        rank (ClassRank): Frozen order of the classes.
        names (Sequence[str]): Such as ``top50`` or ``top50-100``.
        source (str | os.PathLike): Where the order is from, for messages.
        num_classes (int | None): Number of classes that the order must have. Defaults to None, any.

    Raises:
        InputError: If the order is of other classes, or a name cannot be parsed or goes beyond the order.
    """
    if num_classes is not None and len(rank.order) != num_classes:
        raise InputError(f'{source}: ranks {len(rank.order)} classes, there are {num_classes}')
    try:
        return {name: subset_classes(name, rank.order) for name in names}
    except ValueError as error:
        raise InputError(f'{source}: {error}') from None
