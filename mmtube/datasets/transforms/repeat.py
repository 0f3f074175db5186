"""Several samples out of one film that was read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from mmcv.transforms import BaseTransform, Compose

from mmtube.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RepeatTransforms(BaseTransform):
    """Send a sample through random transforms several times, and give all that comes out.

    Behind ``DecodeWindow``, reading and decoding are paid once for several crops (Hoffer et al., 2020). It must be the
    last step of a pipeline; the loader takes ``collate_fn=dict(type='mmtube.repeat_collate')`` and its batches
    are ``times`` as large as its ``batch_size``.

    Args:
        transforms (Sequence[dict]): The steps that are repeated, each time with a copy of the sample.
        times (int): How often. Defaults to 2.

    Raises:
        ValueError: If ``times`` is not positive.
    """

    def __init__(self, transforms: Sequence[Mapping[str, Any]], times: int = 2) -> None:
        if times < 1:
            raise ValueError(f'times must be at least 1, got {times}')
        self.transforms = Compose(list(transforms))
        self.times = times

    def transform(self, results: dict[str, Any]) -> list[Any]:
        """Return what the steps make of each copy; copies that a step refuses (None) are left out.

        A sample of which no copy is left is None, and the data set draws another.
        """
        made = [self.transforms(deepcopy(results)) for _ in range(self.times)]
        found = [sample for sample in made if sample is not None]
        return found or None  # type: ignore[return-value]
