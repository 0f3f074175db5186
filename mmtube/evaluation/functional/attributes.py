"""In what the classes differ that are taken for one another: count, direction, position, read from their names.

The hard factors of fine-grained actions are counting, direction and degree of rotation, and body position (FineGym,
Sec. 4.4). A class is tagged from its text, and each error is laid to the attributes in which the two classes differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Element names of FineGym: '(FX) double salto backward piked with 1 twist'.
FINEGYM = {
    'apparatus': r'\((VT|FX|BB|UB)\)',
    'turns': r'(?:with\s+)?\b(\d+(?:\.\d+)?|no)\s+(?:turn|twist|spin)s?\b(?:\s+or\s+(?:more|less))?',
    'saltos': r'\b(single|double|triple)\b',
    'direction': r'\b(forward|backward|sideward)s?\b',
    'position': r'\b(tuck|pike|stretch|straddle)(?:e?d)?\b',
}
OTHER = 'other words'


@dataclass(frozen=True, eq=False)
class ClassAttributes:
    """What each class is tagged with.

    Args:
        names (tuple[str, ...]): Attributes A; the last one is ``'other words'``, the text without all the others.
        values (list[tuple[str, ...]]): Value of each attribute for each class, '' where the text has none; several
            are joined by ``' + '``.
        texts (list[str]): Names of the classes.
    """

    names: tuple[str, ...]
    values: list[tuple[str, ...]]
    texts: list[str]


@dataclass(frozen=True, eq=False)
class AttributeErrors:
    """Errors by the attributes in which the true and the predicted class differ.

    Args:
        names (tuple[str, ...]): Attributes A.
        masks (np.ndarray): (M, A) bool combinations that occur, the most frequent first.
        counts (np.ndarray): (M,) int64 errors of each combination.
        differs (np.ndarray): (A,) int64 errors in which the attribute differs, alone or with others.
        only (np.ndarray): (A,) int64 errors in which it alone differs.
        same (int): Errors between classes with one text, which nothing tells apart.
        total (int): All errors with a predicted class.
    """

    names: tuple[str, ...]
    masks: np.ndarray
    counts: np.ndarray
    differs: np.ndarray
    only: np.ndarray
    same: int
    total: int


def tag_classes(texts: Sequence[str], patterns: Mapping[str, str]) -> ClassAttributes:
    """Read attributes from the names of classes.

    Args:
        texts (Sequence[str]): (C,) names.
        patterns (Mapping[str, str]): Regular expression by attribute, case does not matter. Its first group is the
            value, the whole match where it has no group; what matches is taken out of the other words.

    Returns:
        ClassAttributes: Tags.

    Raises:
        ValueError: If an expression is none, or an attribute has the name of the other words.

    Examples:
        >>> tags = tag_classes(['salto forward tucked', 'double salto backward tucked with 1 twist'], FINEGYM)
        >>> tags.values[1]
        ('', '1', 'double', 'backward', 'tuck', 'salto')
    """
    if OTHER in patterns:
        raise ValueError(f'the attribute {OTHER!r} is what remains, it has no expression')
    try:
        compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns.values()]
    except re.error as error:
        raise ValueError(f'{error.pattern!r} is not a regular expression ({error})') from None
    values = []
    for text in texts:
        row, rest = [], list(text)
        for pattern in compiled:
            matches = list(pattern.finditer(text))
            groups = [match[1] if pattern.groups else match[0] for match in matches]
            row.append(' + '.join((group or '').lower() for group in groups))
            for match in matches:
                rest[match.start() : match.end()] = ' ' * (match.end() - match.start())
        row.append(' '.join(re.findall(r'[^\s,;]+', ''.join(rest).lower())))
        values.append(tuple(row))
    return ClassAttributes((*patterns, OTHER), values, list(texts))


def errors_by_attribute(confusion: np.ndarray, attributes: ClassAttributes) -> AttributeErrors:
    """Lay each error to the attributes in which the two classes differ.

    Two classes whose attributes are all alike and whose texts are not (a turn in another place of the sentence) differ
    in the other words.

    Args:
        confusion (np.ndarray): (C, C) or (C, C + 1) int64 [true, predicted]; a last column without prediction is left
            out.
        attributes (ClassAttributes): Tags of the C classes.

    Returns:
        AttributeErrors: Counts.
    """
    num_classes = len(attributes.texts)
    matrix = np.array(confusion[:, :num_classes], np.int64)
    np.fill_diagonal(matrix, 0)
    true, wrong = np.nonzero(matrix)
    counts = matrix[true, wrong]
    codes = np.array([np.unique(column, return_inverse=True)[1] for column in zip(*attributes.values)]).T
    texts = np.unique([' '.join(text.split()).lower() for text in attributes.texts], return_inverse=True)[1]
    masks = codes[true] != codes[wrong]
    masks[:, -1] |= ~masks.any(axis=1) & (texts[true] != texts[wrong])
    alone = masks.sum(axis=1) == 1
    kinds, kind = np.unique(masks, axis=0, return_inverse=True)
    totals = np.bincount(kind.reshape(-1), counts, minlength=len(kinds)).astype(np.int64)
    order = np.argsort(-totals, kind='stable')
    return AttributeErrors(
        names=attributes.names,
        masks=kinds[order],
        counts=totals[order],
        differs=counts @ masks,
        only=(counts * alone) @ masks,
        same=int(counts[~masks.any(axis=1)].sum()),
        total=int(counts.sum()),
    )
