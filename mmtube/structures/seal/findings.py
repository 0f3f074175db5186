"""What is wrong with an annotation file, one item for each place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmtube.errors import InputError


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        file (str): The file.
        row (str): The place in it, such as ``aa[12]``, ``tubelets["t3"]`` or ``boxes["t3"] frame 40``.
        rule (str): Name of the rule that is broken, such as ``reversed-segment``; stable, so that it can be counted.
        cause (str): What is wrong, with the value, for a person to read.
    """

    file: str
    row: str
    rule: str
    cause: str

    def __str__(self) -> str:
        return ' '.join(f'{self.file}: {self.row}: {self.cause} [{self.rule}]'.split())


def refuse(findings: Sequence[Finding]) -> None:
    """Raise an :class:`~mmtube.errors.InputError` with the first finding and the number of the others.

    Raises:
        InputError: If there is a finding.
    """
    if findings:
        more = f' (and {len(findings) - 1} more)' if len(findings) > 1 else ''
        raise InputError(f'{findings[0]}{more}')
