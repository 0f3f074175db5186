"""mmdet 3.3.0's trackers refuse to be built without the packages ``lap`` (ByteTrack, OC-SORT) or ``motmetrics`` (SORT).

Each is used for one function, which scipy has too. Upstream: open-mmlab/mmdetection, ``mmdet/models/trackers``. Can go
when a release of mmdet uses scipy.
"""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def lapjv(
    cost: np.ndarray, extend_cost: bool = True, cost_limit: float = float('inf')
) -> tuple[float, np.ndarray, np.ndarray]:
    """Solve an assignment in which a pair may cost at most ``cost_limit``, as ``lap.lapjv`` does.

    Args:
        cost (np.ndarray): (N, M) float.
        extend_cost (bool): Whether N and M may differ. Always possible here.
        cost_limit (float): A row or column stays alone rather than in a pair that costs more.

    Returns:
        tuple: Sum of the costs of the pairs; (N,) int64 column of each row; (M,) int64 row of each column; -1 for none.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    # A pair is worth what it costs less than the limit: those that are worth nothing are not made.
    limit = cost_limit if np.isfinite(cost_limit) else 1 + 2 * np.abs(cost).sum()
    rows, columns = linear_sum_assignment(np.minimum(cost - limit, 0))
    made = cost[rows, columns] < limit
    column_of, row_of = np.full(cost.shape[0], -1), np.full(cost.shape[1], -1)
    column_of[rows[made]], row_of[columns[made]] = columns[made], rows[made]
    return float(cost[rows[made], columns[made]].sum()), column_of, row_of


def assign_known(costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve an assignment in which unknown costs (NaN) are worse than all others, as ``motmetrics.lap`` does."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    known = np.isfinite(costs)
    worst = 1 + 2 * np.abs(costs[known]).sum()
    return linear_sum_assignment(np.where(known, costs, worst))


def _supply_lap(module: ModuleType) -> None:
    if module.lap is None:
        module.lap = SimpleNamespace(lapjv=lapjv)  # type: ignore[attr-defined]


def _supply_motmetrics(module: ModuleType) -> None:
    if module.motmetrics is None:
        module.motmetrics = SimpleNamespace()  # type: ignore[attr-defined]
        module.linear_sum_assignment = assign_known  # type: ignore[attr-defined]


_TRACKERS = 'mmdet.models.trackers'
PATCHES = {
    f'{_TRACKERS}.byte_tracker': _supply_lap,
    f'{_TRACKERS}.ocsort_tracker': _supply_lap,
    f'{_TRACKERS}.sort_tracker': _supply_motmetrics,
}
