"""What the metrics of a Runner have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from mmtube.evaluation.result import EvaluationResult


class EvaluationMetric(BaseMetric):
    """A metric that collects one plain record for each sample and scores all of them at the end.

    Everything that is scored is in the records, ground truth too, so that it is gathered from all ranks; a distributed
    sampler's repeated samples are dropped by MMEngine, which needs exactly one record for each sample.

    Args:
        out_file (str | None): JSON to write the whole result to, for ``tools/analysis``. Defaults to None.
        collect_device (str): ``'cpu'`` or ``'gpu'``, how ranks exchange records. Defaults to 'cpu'.
        prefix (str | None): Put before the names of the numbers. Defaults to None, the class's own.
        collect_dir (str | None): Folder for the exchange over files. Defaults to None.
    """

    def __init__(
        self,
        out_file: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.out_file = out_file
        self.result: EvaluationResult | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep one record for each sample."""
        self.results.extend(self.record(sample) for sample in data_samples)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Score all records and return the headline numbers; floats are fractions.

        The whole result is kept in ``self.result`` (on the main process).
        """
        self.result = self.evaluate_records(results)
        MMLogger.get_current_instance().info('\n' + self.result.text())
        if self.out_file is not None:
            self.result.write(self.out_file)
        return dict(self.result.metrics)

    @abstractmethod
    def record(self, sample: dict) -> Any:
        """Return what is kept of a sample: numpy arrays and plain values, nothing on a device."""

    @abstractmethod
    def evaluate_records(self, records: list) -> EvaluationResult:
        """Score the records of the whole data set."""
