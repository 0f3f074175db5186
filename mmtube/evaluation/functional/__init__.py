from .confusion import (
    ConfusedPair,
    Confusion,
    confused_pairs,
    confused_samples,
    match_boxes,
    multi_label_confusion,
)

__all__ = [
    'ConfusedPair',
    'Confusion',
    'confused_pairs',
    'confused_samples',
    'match_boxes',
    'multi_label_confusion',
]
