"""What a check of a data set found, for a person to read."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmtube.structures.seal import Finding

WEAK = frozenset({'not-100', 'empty'})  # they are what another finding brings about
OK, FOUND, HINT, SKIPPED = 'ok', 'FOUND', 'hint', 'skipped'
LINES_PER_CHECK = 4


@dataclass
class Check:
    """One thing that was looked at.

    Args:
        name (str): Such as ``'labels'``.
        text (str): What was looked at, or why not, in a few words.
        findings (list[Finding]): What is wrong. Defaults to none.
        hints (list[Finding]): What looks odd and may be meant so. Defaults to none.
        notes (list[str]): What else the metric says. Defaults to none.
        skipped (bool): Whether it could not be done. Defaults to False.
    """

    name: str
    text: str
    findings: list[Finding] = field(default_factory=list)
    hints: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: bool = False

    @property
    def status(self) -> str:
        """``'ok'``, ``'FOUND'``, ``'hint'`` or ``'skipped'``."""
        if self.findings:
            return FOUND
        return SKIPPED if self.skipped else HINT if self.hints else OK


@dataclass
class DatasetReport:
    """All checks of one data set.

    Args:
        name (str): The data set and its config, for the first line.
        checks (list[Check]): In the order in which they are told. Defaults to none.
        scores (dict[str, float]): What a perfect model scores, as a fraction, by metric. Defaults to none.
    """

    name: str
    checks: list[Check] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """What is wrong, without hints."""
        return [finding for check in self.checks for finding in check.findings]

    @property
    def hints(self) -> list[Finding]:
        """What looks odd."""
        return [hint for check in self.checks for hint in check.hints]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong and a perfect model scores 100."""
        return not self.findings

    def verdict(self) -> str:
        """Return the first line: all well, or the first finding that explains others, with file, row and cause."""
        if self.ok:
            scored = ', '.join(f'{100 * score:.4f}' for score in self.scores.values())
            if not scored:
                return f'OK: {self.name}: its rows are plausible; there was no metric to run'
            odd = f' ({len(self.hints)} hint{"s" * (len(self.hints) > 1)} below)' if self.hints else ''
            return f'OK: {self.name}: a perfect model scores {scored}{odd}'
        first = next((finding for finding in self.findings if finding.rule not in WEAK), self.findings[0])
        more = len(self.findings) - 1
        others = f' (and {more} more below)' if more else ''
        return f'FOUND: {self.name}: {first}{others}'

    def text(self) -> str:
        """Return the report: the verdict, a table of the checks and under each what it found."""
        lines = [self.verdict(), '']
        width = max((len(check.name) for check in self.checks), default=0)
        for check in self.checks:
            lines.append(f'  {check.name:{width}s}  {check.status:7s}  {check.text}'.rstrip())
            for kind, found in (('', check.findings), ('hint: ', check.hints)):
                lines += [f'      {kind}{finding}' for finding in found[:LINES_PER_CHECK]]
                if len(found) > LINES_PER_CHECK:
                    lines.append(f'      {kind}and {len(found) - LINES_PER_CHECK} more')
            lines += [f'      note: {note}' for note in check.notes]
        return '\n'.join(lines)
