"""What the score of a perfect model says about a data set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from mmengine.config import ConfigDict

from mmtube.structures.label_files import read_label_file
from mmtube.structures.seal import Finding

from .causes import UNDONE, undone
from .differences import ava_differences
from .parts import METRIC_FOR
from .report import Check
from .round_trip import Score, run_metric
from .samples import Perfect

FEW_NUMBERS = 3
FEW_ROWS = 3
COUNTED = ('FrameMAP', 'TubeletMAP', 'TemporalMAP', 'ProposalRecall')  # whose ground truths are those of samples
MOST_SAMPLES = 5000  # to try mistakes on
NO_FILM = 'no video of it is in'  # what aligning two tables says
CLOSED = 0.25  # of the way to 100 that undoing a mistake must go to be told


def score_check(config: ConfigDict, score: Score, perfect: Perfect, meta: dict[str, Any], file: str) -> Check:
    """Tell what a perfect model scores; where it is not 100, undo likely mistakes until it is.

    Args:
        config (ConfigDict): The metric.
        score (Score): What it says.
        perfect (Perfect): Of these samples.
        meta (dict[str, Any]): ``metainfo`` of the data set.
        file (str): Annotation file of the data set.
    """
    shown = score.numbers
    if len(shown) > FEW_NUMBERS:  # the first, and the lowest if it is another
        shown = {
            name: shown[name] for name in dict.fromkeys([next(iter(shown)), min(shown, key=lambda name: shown[name])])
        }
    text = ', '.join(f'{name} {100 * value:.4f}' for name, value in shown.items())
    others = len(score.numbers) - len(shown)
    more = f' and {others} more at 100' if score.perfect else f' and {others} more'
    check = Check('round trip', f'{score.name}: {text}{more if others else ""}')
    file = str(config.get('ann_file') or file)
    check.notes += score.result.notes if score.result is not None else []
    background = bool(config.get('background_class'))
    _tell_not_scored(check, score, perfect, file, background)
    if score.name == 'FrameMAP' and meta.get('background_class') and not background:
        cause = 'column 0 of the labels is the background, the metric takes it for a class: all names are off by one'
        cause = f'{cause}; background_class=True of the metric leaves it out'
        check.findings.append(Finding(file, 'metric', 'background-column', cause))
    check.hints += _classes_left_out(config, meta)
    if score.perfect:
        return check
    if score.error:
        check.text = f'{score.name}: cannot score a perfect model'
    if config.get('ann_file') and NO_FILM in score.error:
        films = score.error[score.error.rfind('(') :]
        cause = f'the metric has the ground truth of other films, is it of another split? {films}'
        check.findings.append(Finding(file, 'whole file', 'other-split', cause))
        return check
    likely = _likely_cause(config, score, perfect, meta)
    rows = list(islice(_faulty_rows(config, score, perfect), FEW_ROWS))
    row, what = rows[0] if rows else ('predictions', '')
    if likely is not None:
        rule, meaning, value = likely
        cause = f'{meaning}: that undone, a perfect model scores {100 * value:.4f}'
        check.findings.append(Finding(file, row, rule, f'{cause}{f"; {what}" if what else ""}'))
    told = score.error.removeprefix(f'{file}: ') or f'a perfect model scores {100 * score.value:.4f}'
    if likely is None and score.error.startswith(f'{score.name} fails with KeyError: '):
        missing = score.error.partition('KeyError: ')[2]
        cause = f'{score.name} is for other predictions than those for this data set (KeyError: {missing})'
        fitting = f'one that fits: val_evaluator = {METRIC_FOR[perfect.kind]}'
        check.findings.append(Finding(file, 'metric', 'other-metric', f'{cause}; {fitting}'))
    elif likely is None or not score.error:
        check.findings += [Finding(file, place, 'not-100', f'{told}; {wrong}') for place, wrong in rows]
    if not check.findings:
        check.findings.append(Finding(file, row, 'not-100', told))
    return check


def _classes_left_out(config: ConfigDict, meta: dict[str, Any]) -> Iterator[Finding]:
    """Classes of the data set that the label file of the metric does not have: they count in no score."""
    path, classes = config.get('label_file'), meta.get('classes', ())
    if not path or not Path(path).is_file() or not classes:
        return
    known = set(read_label_file(path).values())
    missing = [name for name in classes if name not in known]
    if missing:
        cause = f'has no class {missing[0]!r}: {len(missing)} of {len(classes)} classes of the data set are not scored'
        yield Finding(str(path), 'label file', 'class-not-scored', cause)


def _likely_cause(
    config: ConfigDict, score: Score, perfect: Perfect, meta: dict[str, Any]
) -> tuple[str, str, float] | None:
    """Rule, meaning and score of the mistake whose undoing brings most, if it brings much; tried on a part of many."""
    part = perfect.every(-(-len(perfect.samples) // MOST_SAMPLES))
    before = score.value if part is perfect else run_metric(config, part, meta).value
    best, least = None, before + CLOSED * (min(1.0, len(part.samples) / len(perfect.samples)) - before)
    for rule, meaning, undo in UNDONE.get(perfect.kind, []):
        changed = undone(part, undo)
        again = run_metric(config, changed, meta) if changed is not None else None
        if again is not None and not again.error and again.value > least:
            best, least = (rule, meaning, undo, again), again.value
            if again.perfect:
                break
    if best is None:
        return None
    rule, meaning, undo, again = best
    whole = undone(perfect, undo) if part is not perfect else None
    return rule, meaning, (again if whole is None else run_metric(config, whole, meta)).value


def _tell_not_scored(check: Check, score: Score, perfect: Perfect, file: str, background: bool) -> None:
    """Tell of ground truth that the metric did not count: with a perfect score nobody would notice."""
    counted = score.result.counts.get('ground_truths') if score.result is not None else None
    if counted is None or counted >= perfect.num_truths or score.name not in COUNTED:
        return
    share = f'{counted:,d} of {perfect.num_truths:,d} ground truths of the data set are scored'
    first = _first_class_used(perfect) if background else None
    if first is not None:
        cause = f'{share}: the metric takes column 0 of the labels for the background, but here it is a class'
        check.findings.append(
            Finding(file, first, 'background-column', f'{cause}; background_class=True adds a column')
        )
    else:
        check.hints.append(Finding(file, 'metric', 'not-scored', share))


def _first_class_used(perfect: Perfect) -> str | None:
    """The first key time at which column 0 of the labels is set."""
    for sample, place in zip(perfect.samples, perfect.places):
        if perfect.kind == 'boxes' and bool(sample['pred_instances']['scores'][:, :1].any()):
            return place
    return None


def _faulty_rows(config: ConfigDict, score: Score, perfect: Perfect) -> Iterator[tuple[str, str]]:
    """Places and what is wrong there: what the metric calls worst, and where its file differs from the data set."""
    path = config.get('ann_file')
    if path and str(path).endswith('.csv') and perfect.kind == 'boxes':
        yield from ava_differences(str(path), perfect)
    if score.result is not None:
        worst = score.result.tables.get('worst', {})
        for video, time_s, text in zip(worst.get('video', []), worst.get('time_s', []), worst.get('text', [])):
            yield f'{video} at {time_s:g} s' if time_s is not None else str(video), str(text)
        classes = score.result.tables.get('classes', {})
        numbers = next((values for key, values in classes.items() if key in ('ap', 'AP', 'recall')), [])
        for label, value in zip(classes.get('class', []), numbers):
            if value is not None and value < 1:
                yield f'class {label!r}', f'{100 * value:.4f} for a perfect model'
