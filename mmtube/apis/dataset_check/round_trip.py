"""Run perfect predictions through the metrics of a config."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmaction.structures import ActionDataSample
from mmengine.config import ConfigDict
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

from mmtube.errors import InputError
from mmtube.evaluation.metrics.base import EvaluationMetric
from mmtube.evaluation.result import UNITS, EvaluationResult

from .samples import Perfect, batches

# Numbers that a perfect model brings to the value behind them; others of these metrics, such as a mean over small
# people where there are none, it does not. A metric that is not listed must have 1 everywhere.
PERFECT = {
    'AVAMetric': {'overall': 1.0},
    'MultiSportsMetric': {'frameAP': 100.0},
    'CocoMetric': {'bbox_mAP': 1.0},
}
RECALLS = ('ANetMetric', 'ProposalRecall')  # only the most proposals find everything
WRITERS = ('DumpResults', 'DumpDetResults')
ROUNDING = 1e-6  # of metrics that add up in float32


class Score(NamedTuple):
    """What one metric says of predictions.

    Args:
        name (str): Class of the metric.
        numbers (dict[str, float]): Numbers that must be 1, as fractions of what is perfect.
        exact (bool): Whether only exactly 1 will do.
        result (EvaluationResult | None): The whole result of a metric of this library.
        error (str): Why there is none, else ''.
    """

    name: str
    numbers: dict[str, float]
    exact: bool = True
    result: EvaluationResult | None = None
    error: str = ''

    @property
    def value(self) -> float:
        """The lowest of the numbers; 0 where there is none."""
        return min(self.numbers.values(), default=0.0)

    @property
    def perfect(self) -> bool:
        """Whether it is 100."""
        return self.value == 1 if self.exact else self.value >= 1 - ROUNDING


def metric_configs(evaluator: Any) -> list[ConfigDict]:
    """Return the metrics of an evaluator's config; those that only write files are left out."""
    if isinstance(evaluator, dict):
        evaluator = evaluator.get('metrics', [evaluator]) if 'metrics' in evaluator else [evaluator]
    evaluator = evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]
    return [config for config in evaluator if config['type'].rpartition('.')[2] not in WRITERS]


def run_metric(config: ConfigDict, perfect: Perfect, meta: dict[str, Any]) -> Score:
    """Score predictions.

    Args:
        config (ConfigDict): The metric; what it would write is not written.
        perfect (Perfect): The samples; they are not changed.
        meta (dict[str, Any]): ``metainfo`` of the data set.

    Returns:
        Score: With ``error`` where the metric could not take them.

    Raises:
        InputError: If the metric cannot be built.
    """
    with tempfile.TemporaryDirectory() as folder, quiet():
        metric, evaluator = _build(config, folder)
        evaluator.dataset_meta = meta
        name = type(metric).__name__
        try:
            for batch in batches(perfect.samples):
                evaluator.process(
                    [_fresh(sample) for sample in batch], _data_batch(batch) if name == 'ANetMetric' else None
                )
            found = evaluator.evaluate(len(perfect.samples))
        except InputError as error:
            return Score(name, {}, error=str(error))
        except Exception as error:  # metrics of other libraries raise anything over samples that do not fit
            return Score(name, {}, error=f'{name} fails with {type(error).__name__}: {error}'.rstrip(': '))
    result = metric.result if isinstance(metric, EvaluationMetric) else None
    return Score(name, _numbers(name, found), result is not None, result)


def _build(config: ConfigDict, folder: str) -> tuple[BaseMetric, Evaluator]:
    options = copy.deepcopy(dict(config))
    if 'out_file' in options:
        options['out_file'] = None
    if options['type'].rpartition('.')[2] == 'FrameMAP':
        # A perfect model gives 0 to all other classes: detections without a part in the score, but 80 for each box.
        options['min_score'] = max(options.get('min_score', 0), 0.5)
    if options['type'].rpartition('.')[2] == 'ANetMetric':
        options['dump_config'] = dict(out=str(Path(folder) / 'proposals.json'), output_format='json')
    with DefaultScope.overwrite_default_scope('mmtube'):
        try:
            evaluator = Evaluator([options])
        except InputError:
            raise
        except KeyError as error:
            raise InputError(f'evaluator: {str(error.args[0]).partition(". Please")[0].splitlines()[0]}') from None
        except (TypeError, ValueError, AssertionError, FileNotFoundError) as error:
            raise InputError(f'evaluator: {options["type"]}: {error}') from None
    return evaluator.metrics[0], evaluator


def _fresh(sample: dict[str, Any]) -> dict[str, Any]:
    """A sample whose predictions a metric may change in place, as some do."""
    return {
        key: {name: value.clone() for name, value in item.items()}
        if key.startswith('pred_') and isinstance(item, dict)
        else item
        for key, item in sample.items()
    }


def _data_batch(batch: list[dict[str, Any]]) -> dict[str, Any]:
    """The batch that MMAction2's metric of proposals takes its ground truth from."""
    keys = ('video_name', 'annotations')
    meta = [{key: sample[key] for key in keys if key in sample} for sample in batch]
    return {'data_samples': [ActionDataSample(metainfo=item) for item in meta]}


def _numbers(name: str, found: dict[str, Any]) -> dict[str, float]:
    """Those numbers that must be 1."""
    floats = {
        key: float(value)
        for key, value in found.items()
        if not isinstance(value, (int, bool, str)) and not key.endswith(UNITS)
    }
    if name in RECALLS:
        numbers = {key: int(key.rpartition('AR@')[2]) for key in floats if key.rpartition('AR@')[2].isdecimal()}
        return {key: floats[key] for key, number in numbers.items() if number == max(numbers.values())}
    if name in PERFECT:
        wanted = PERFECT[name]
        short = {key: key.rpartition('/')[2] for key in floats}
        return {key: value / wanted[short[key]] for key, value in floats.items() if short[key] in wanted}
    return floats


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what data sets and metrics print, log and warn of to themselves."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logger.setLevel(level)
