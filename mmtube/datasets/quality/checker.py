"""All rules in one table, and a check that applies them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmtube.structures.seal import Finding, LabelMap, SEALAnnotations, table_findings

from . import box_rules, film_rules, identity_rules, instance_rules, trace_rules
from .columns import Columns
from .film_rules import Films
from .split_rules import split_findings
from .trace_rules import Trace

Rule = Callable[[Any], Iterator[tuple[str, str] | None]]
COLUMN_RULES: dict[str, Rule] = {
    'box-not-a-number': box_rules.box_not_a_number,
    'box-without-area': box_rules.box_without_area,
    'box-outside-frame': box_rules.box_outside_frame,
    'box-beyond-edge': box_rules.box_beyond_edge,
    'box-in-fractions': box_rules.box_in_fractions,
    'box-jump': box_rules.box_jump,
    'box-score': box_rules.box_score,
    'box-flags': box_rules.box_flags,
    'orphan-boxes': box_rules.orphan_boxes,
    'frames-not-increasing': box_rules.frames_not_increasing,
    'duplicate-frame': box_rules.duplicate_frame,
    'frame-outside-video': box_rules.frame_outside_video,
    'frame-range': box_rules.frame_range,
    'empty-track': box_rules.empty_track,
    'head-visible': box_rules.head_visible,
    'short-action': instance_rules.short_action,
    'outside-tubelet': instance_rules.outside_tubelet,
    'instance-without-box': instance_rules.instance_without_box,
    'action-outside-activity': instance_rules.action_outside_activity,
    'duplicate-instance': instance_rules.duplicate_instance,
    'overlapping-instance': instance_rules.overlapping_instance,
    'activity-without-action': instance_rules.activity_without_action,
    'id-twice-in-frame': identity_rules.id_twice_in_frame,
    'overlapping-ids': identity_rules.overlapping_ids,
    'id-in-two-tubelets': identity_rules.id_in_two_tubelets,
    'id-across-cut': identity_rules.id_across_cut,
    'too-many-subjects': identity_rules.too_many_subjects,
    'shots-incomplete': identity_rules.shots_incomplete,
}
TRACE_RULES: dict[str, Rule] = {
    'untraced-box': trace_rules.untraced_box,
    'no-origin': trace_rules.no_origin,
    'unknown-origin': trace_rules.unknown_origin,
    'origin-of-other-video': trace_rules.origin_of_other_video,
    'shared-origin': trace_rules.shared_origin,
    'idle-origin': trace_rules.idle_origin,
    'stage-order': trace_rules.stage_order,
}
FILM_RULES: dict[str, Rule] = {
    'film-missing': film_rules.film_missing,
    'film-unreadable': film_rules.film_unreadable,
    'film-size': film_rules.film_size,
    'film-fps': film_rules.film_fps,
    'film-times': film_rules.film_times,
    'film-frames': film_rules.film_frames,
    'film-duration': film_rules.film_duration,
}
# What may be meant so: boxes are absent where whole films are annotated, an activity may have no action to name, and
# people do jump, or the camera does.
HINTS = frozenset({'empty-track', 'activity-without-action', 'box-jump'})


@dataclass
class Report:
    """What a check found.

    Args:
        max_per_rule (int): Findings of a rule that are kept; all are counted.
        findings (list[Finding]): Those that are kept, by rule. Defaults to none.
        counts (Counter[str]): Findings by rule. Defaults to none.
    """

    max_per_rule: int
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, findings: Iterable[Finding]) -> None:
        """Count findings and keep the first of each rule."""
        for finding in findings:
            if self.counts[finding.rule] < self.max_per_rule:
                self.findings.append(finding)
            self.counts[finding.rule] += 1

    def merge(self, other: Report) -> None:
        """Take over what another report found."""
        room = {rule: self.max_per_rule - count for rule, count in self.counts.items()}
        for finding in other.findings:
            room[finding.rule] = room.get(finding.rule, self.max_per_rule) - 1
            if room[finding.rule] >= 0:
                self.findings.append(finding)
        self.counts += other.counts

    def ignore(self, rules: Iterable[str]) -> None:
        """Take the findings of some rules out."""
        left_out = set(rules)
        self.findings = [finding for finding in self.findings if finding.rule not in left_out]
        for rule in left_out:
            self.counts.pop(rule, None)

    @property
    def num_errors(self) -> int:
        """How many findings are no hints."""
        return sum(count for rule, count in self.counts.items() if rule not in HINTS)

    @property
    def num_hints(self) -> int:
        """How many findings are hints."""
        return sum(count for rule, count in self.counts.items() if rule in HINTS)


def rule_text(rule: str) -> str:
    """Return what a rule says is wrong, '' for the rules of tables, which tell it in their findings."""
    function = {**COLUMN_RULES, **TRACE_RULES, **FILM_RULES}.get(rule)
    return (function.__doc__ or '') if function is not None else ''


def check_annotations(
    annotations: SEALAnnotations,
    *,
    label_maps: Mapping[str, LabelMap] | None = None,
    coarse: SEALAnnotations | None = None,
    films: str | os.PathLike | None = None,
    read_findings: Iterable[Finding] = (),
    max_per_rule: int = 1000,
) -> Report:
    """Apply all rules (SEAL, Sec. 3.2, quality assurance, and what makes a file usable at all).

    Args:
        annotations (SEALAnnotations): What ``read_seal_json(path, findings=...)`` returned.
        label_maps (Mapping[str, LabelMap] | None): Label maps by task. Defaults to None: classes are not checked.
        coarse (SEALAnnotations | None): The annotations of the step before. Defaults to None: nothing is traced.
        films (str | os.PathLike | None): Folder of the films. Defaults to None: films are not looked at.
        read_findings (Iterable[Finding]): What reading found. Defaults to none.
        max_per_rule (int): Findings of a rule that the report keeps; all are counted. Defaults to 1000.

    Returns:
        Report: Findings in the order of the rules.

    Raises:
        InputError: If ``films`` is no folder.
    """
    report = Report(max_per_rule)
    read_findings = list(read_findings)
    columns = Columns(annotations, read_findings)
    tables = table_findings(annotations, label_maps, read_findings=read_findings)
    report.add(dict.fromkeys([*read_findings, *tables]))
    report.add(split_findings(annotations))
    subjects: list[tuple[dict[str, Rule], Any]] = [(COLUMN_RULES, columns)]
    if coarse is not None:
        subjects.append((TRACE_RULES, Trace(columns, Columns(coarse))))
    if films is not None:
        subjects.append((FILM_RULES, Films(columns, films)))
    for rules, subject in subjects:
        for rule, places in rules.items():
            for place in places(subject):
                if place is None or report.counts[rule] >= max_per_rule:
                    report.counts[rule] += 1
                else:
                    report.add([Finding(annotations.name, place[0], rule, place[1])])
    return report
