"""The check of a data set: are its rows plausible, and does its ground truth score 100 with the config's metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict

from mmtube.datasets.quality import HINTS, check_annotations
from mmtube.errors import InputError
from mmtube.structures.seal import Finding

from . import sources
from .box_rules import box_findings
from .columns import Boxes, Column, Frames, Keys, Labels, Times
from .decoding import decode_check
from .label_rules import duplicate_findings, label_findings
from .parts import METRIC_FOR, Part, build_parts, task_of, unwrapped
from .report import Check, DatasetReport
from .round_trip import metric_configs, quiet, run_metric
from .samples import Perfect
from .scoring import score_check
from .time_rules import frame_findings, time_findings

RULES: dict[type, tuple[str, Any]] = {
    Labels: ('labels', label_findings),
    Boxes: ('boxes', box_findings),
    Times: ('times', time_findings),
    Frames: ('frames', frame_findings),
    Keys: ('duplicates', duplicate_findings),
}
# They may be meant so.
ROW_HINTS = frozenset({'first-class-unused', 'last-class-unused', 'people-lying-down'})
# Rules of tools/data/seal/check_annotations.py whose breach the rules above tell with its likely cause.
TOLD = frozenset(
    [
        *('box-in-fractions', 'box-without-area', 'box-not-a-number', 'box-outside-frame', 'box-beyond-edge'),
        *('duplicate-instance', 'reversed-segment', 'empty-segment', 'segment-outside-video', 'unknown-class'),
        'not-a-number',
    ]
)
# Rules of SEAL's annotation that ground truth may break and still be found.
NORMS = frozenset(
    [
        *('short-action', 'action-outside-activity', 'activity-without-action', 'overlapping-instance'),
        *('outside-tubelet', 'overlapping-ids', 'id-twice-in-frame', 'id-in-two-tubelets', 'id-across-cut'),
        *('too-many-subjects', 'shots-incomplete', 'head-visible', 'box-score', 'box-flags', 'orphan-boxes'),
        *('frame-range', 'instance-without-box', 'leak'),
    ]
)


def check_dataset(cfg: Config, split: str = 'val', *, decode: int = 3, seed: int = 0, name: str = '') -> DatasetReport:
    """Check the data set of a config.

    The annotation files are read as they are and their rows compared with what films allow; then the data set is built,
    its ground truth becomes the predictions of a perfect model, and the config's own metrics must give them 100.

    Args:
        cfg (Config): The config.
        split (str): ``'train'``, ``'val'`` or ``'test'``. Defaults to 'val'.
        decode (int): Random items that go through the whole pipeline. Defaults to 3.
        seed (int): Of their choice. Defaults to 0.
        name (str): What to call the config. Defaults to '', its file name.

    Returns:
        DatasetReport: What was found.

    Raises:
        InputError: If the config or a file cannot be used at all, and no rule can say why.
        ValueError: If ``split`` or ``decode`` is out of range.
    """
    if split not in ('train', 'val', 'test') or decode < 0:
        raise ValueError(f'split must be train, val or test and decode not negative, got {split!r} and {decode}')
    name = name or Path(cfg.filename or 'config').name
    parts = build_parts(cfg, split, name)
    metrics = _metrics(cfg, split, name, parts[0].kind)
    kinds = ', '.join(dict.fromkeys(type(part.dataset).__name__ for part in parts))
    report = DatasetReport(f'the {split} data set of {name} ({kinds})')
    failures = [error for part in parts if (error := _load(part)) is not None]
    columns = [column for part in parts for column in part.columns(part.dataset)]
    files = {str(Path(file).absolute()) for part in parts for file in part.files}
    if split != 'train':
        columns += [column for config in metrics for column in _metric_columns(config, parts, files)]
    report.checks += _row_checks(columns)
    report.checks += [check for part in parts for check in _seal_checks(part)]
    if failures:
        if report.ok:
            raise failures[0]
        told = 'not done: the data set refuses its annotations, as told above'
        report.checks.append(Check('round trip', f'{told} ({failures[0]})', skipped=True))
        return report
    report.checks.append(Check('items', _told(parts)))
    if not all(len(part.dataset) for part in parts):
        empty = next(part for part in parts if not len(part.dataset))
        cause = 'the data set has no item: there is nothing to train on or to score'
        report.checks[-1].findings.append(Finding(empty.files[0], 'whole file', 'empty', cause))
        return report
    perfect = _joined(part.samples(part.dataset) for part in parts)
    report.checks[-1].hints += [Finding(parts[0].files[0], 'items', 'left-out', note) for note in perfect.notes]
    report.checks += _head_checks(cfg, perfect, parts[0].files[0], name)
    report.checks += _task_checks(metrics, parts[0], name)
    meta = {**parts[0].dataset.metainfo, **_classes_of(parts[0].dataset)}
    meta['background_class'] = getattr(parts[0].dataset, 'background_class', False)
    for config in metrics:
        if split == 'train' and config.get('ann_file'):
            config = _without_file(config)
        try:
            score = run_metric(config, perfect, meta)
        except InputError as error:
            if split != 'train':
                raise
            told = f'{config["type"]} needs a file of ground truth, and has that of another split ({error})'
            report.checks.append(Check('round trip', told, skipped=True))
            continue
        report.scores[f'{len(report.scores)} {score.name}'] = score.value
        report.checks.append(score_check(config, score, perfect, meta, parts[0].files[0]))
    configs = unwrapped(cfg[f'{split}_dataloader']['dataset'])
    report.checks += [decode_check(part.dataset, config, decode, seed) for part, config in zip(parts, configs)]
    return report


def _metrics(cfg: Config, split: str, name: str, kind: str) -> list[ConfigDict]:
    evaluator = cfg.get(f'{split}_evaluator') or cfg.get('val_evaluator') or cfg.get('test_evaluator')
    metrics = metric_configs(evaluator) if evaluator else []
    if not metrics:
        raise InputError(
            f'{name}: has no {"val" if split == "train" else split}_evaluator; '
            f'for this data set {"val" if split == "train" else split}_evaluator = {METRIC_FOR[kind]}'
        )
    return metrics


def _without_file(config: ConfigDict) -> ConfigDict:
    """A metric that takes the ground truth of the samples: its files are those of another split."""
    return ConfigDict({key: value for key, value in config.items() if key not in ('ann_file', 'exclude_file')})


def _load(part: Part) -> InputError | None:
    """Read the annotations; return why they cannot be used."""
    try:
        with quiet():
            part.dataset.full_init()
    except InputError as error:
        return error
    except (OSError, ValueError, KeyError, IndexError, AssertionError) as error:  # data sets of other libraries
        return InputError(
            f'{part.files[0]}: cannot be used by {type(part.dataset).__name__} ({type(error).__name__}: {error})'
        )
    return None


def _metric_columns(config: ConfigDict, parts: list[Part], files: set[str]) -> list[Column]:
    """Columns of ground truth that a metric reads from a file of its own."""
    path = config.get('ann_file')
    if not path or str(Path(path).absolute()) in files or not Path(path).is_file():
        return []
    if path.endswith('.csv'):
        dataset = parts[0].dataset
        return sources.ava_columns(
            path, None, getattr(dataset, 'films', None) or {}, getattr(dataset, 'time_offset_s', 0.0)
        )
    return sources.act_columns(path) if path.endswith('.pkl') else []


def _row_checks(columns: list[Column]) -> Iterator[Check]:
    for kind, (name, rule) in RULES.items():
        own = [column for column in columns if isinstance(column, kind)]
        if not own:
            continue
        found = [finding for column in own for finding in rule(column)]
        count = sum(_length(column) for column in own)
        findings = [finding for finding in found if finding.rule not in ROW_HINTS]
        hints = [finding for finding in found if finding.rule in ROW_HINTS]
        text = f'{count:,d} in {", ".join(dict.fromkeys(Path(column.file).name for column in own))}'
        if isinstance(own[0], Labels) and own[0].names is not None:
            used = len(set(np.unique(own[0].values).tolist()) & set(own[0].names))
            text += f', {used} of {len(own[0].names)} classes occur'
        if not count and not isinstance(own[0], Keys):
            findings.append(Finding(own[0].file, 'whole file', 'empty', f'has no {name}'))
        yield Check(name, text, findings, hints)


def _length(column: Column) -> int:
    if isinstance(column, Boxes):
        return len(column.boxes)
    return len(column.spans_s if isinstance(column, Times) else column.values)


def _seal_checks(part: Part) -> Iterator[Check]:
    """The rules of the SEAL schema, save those that were told with a cause."""
    if part.seal is None:
        return
    annotations, found, maps = part.seal()
    report = check_annotations(annotations, label_maps=maps, read_findings=found, max_per_rule=1)
    report.ignore(TOLD)
    hints = [finding for finding in report.findings if finding.rule in HINTS | NORMS]
    findings = [finding for finding in report.findings if finding.rule not in HINTS | NORMS]
    text = 'of the SEAL schema'
    if report.counts:
        text = f'{sum(report.counts.values()):,d} findings; tools/data/seal/check_annotations.py lists all'
    yield Check('other rules', text, findings, hints)


def _told(parts: list[Part]) -> str:
    counts = ', '.join(f'{len(part.dataset):,d} of {type(part.dataset).__name__}' for part in parts)
    return f'{counts} from {", ".join(dict.fromkeys(file for part in parts for file in part.files))}'


def _joined(perfects: Iterable[Perfect]) -> Perfect:
    first, *others = perfects
    for other in others:
        first.samples += other.samples
        first.places += other.places
        first.facts += other.facts
        first.notes += other.notes
        first.num_truths += other.num_truths
    return first


def _head_checks(cfg: Config, perfect: Perfect, file: str, name: str) -> Iterator[Check]:
    """Whether a detector of the config has a score for each column of the labels."""
    head = ((cfg.get('model') or {}).get('roi_head') or {}).get('bbox_head') or {}
    wanted = head.get('num_classes')
    if perfect.kind != 'boxes' or not wanted:
        return
    has = int(perfect.samples[0]['pred_instances']['scores'].shape[1])
    check = Check('model', f'{wanted} scores for {has} columns of labels')
    if has != wanted:
        hint = {1: ': background_class=True of the data set adds a column for the background'}.get(wanted - has, '')
        hint = hint or {-1: ': is there a column for the background, and none in the model?'}.get(wanted - has, '')
        cause = f'the labels have {has} columns, model.roi_head.bbox_head.num_classes is {wanted}{hint}'
        check.findings.append(
            Finding(name, file, 'background-column' if abs(has - wanted) == 1 else 'num-classes', cause)
        )
    yield check


def _task_checks(metrics: list[ConfigDict], part: Part, name: str) -> Iterator[Check]:
    """Whether a metric is of the task of the data set; atomic and complex classes have the same numbers."""
    if part.seal is None:
        return
    task = task_of(part.dataset)
    for config in metrics:
        if config.get('task') in {'atomic', 'complex'} - {task}:
            cause = f'is for {config["task"]!r} classes, the data set has {task!r} ones: set task of both alike'
            yield Check('task', config['type'], [Finding(name, config['type'], 'other-task', cause)])


def _classes_of(dataset: Any) -> dict[str, Any]:
    classes = dataset.metainfo.get('classes')
    return {} if classes is None else {'classes': tuple(classes)}
