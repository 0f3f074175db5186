"""Compare the numbers of recognition with scikit-learn's on random input, half of it with equal scores.

Run it where scikit-learn is installed; the library does not need it. It prints the largest difference of each number.
Exit code 0: all within 1e-12, 1: some are not, 2: scikit-learn is not here.
"""

from __future__ import annotations

import argparse
import sys
import warnings

import numpy as np

from mmtube.evaluation.functional.recognition import (
    class_recall,
    confusion_counts,
    micro_average_precision,
    step_average_precision,
    top_classes,
    top_k_accuracy,
    true_ranks,
)

TOLERANCE = 1e-12


def differences(rng: np.random.Generator, ties: bool) -> dict[str, float]:
    """Return the difference of each number on one random case."""
    from sklearn import metrics

    samples, classes = int(rng.integers(1, 60)), int(rng.integers(3, 9))
    scores = rng.integers(0, 5, (samples, classes)) / 4 if ties else rng.random((samples, classes))
    labels, truth = rng.integers(0, classes, samples), rng.random((samples, classes)) < 0.3
    recall = class_recall(confusion_counts(labels, top_classes(scores), classes))
    # Of equal scores scikit-learn puts the larger class first, so its classes are turned round.
    turned = dict(y_true=classes - 1 - labels, y_score=scores[:, ::-1], labels=np.arange(classes))
    pairs = {
        'top-1': (top_k_accuracy(true_ranks(scores, labels), [1])[0], metrics.top_k_accuracy_score(**turned, k=1)),
        'top-2': (top_k_accuracy(true_ranks(scores, labels), [2])[0], metrics.top_k_accuracy_score(**turned, k=2)),
        'mean class accuracy': (np.nanmean(recall), metrics.balanced_accuracy_score(labels, top_classes(scores))),
    }
    if truth.any():
        there, ap = truth.any(axis=0), step_average_precision(scores, truth)
        every = metrics.average_precision_score(truth[:, there], scores[:, there], average=None)
        micro = metrics.average_precision_score(truth, scores, average='micro')
        pairs |= {'AP of a class': (ap[there], every), 'mAP': (np.nanmean(ap), np.mean(every))}
        pairs |= {'micro mAP': (micro_average_precision(scores, truth), micro)}
    return {name: float(np.abs(np.subtract(*pair)).max()) for name, pair in pairs.items()}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cases', type=int, default=2000, help='random cases (default: 2000)')
    args = parser.parse_args()
    try:
        import sklearn
    except ImportError:
        print('scikit-learn is not installed here', file=sys.stderr)
        return 2
    warnings.simplefilter('ignore')  # of classes that a small case does not have
    rng, worst = np.random.default_rng(0), {}
    for case in range(args.cases):
        for name, difference in differences(rng, ties=case % 2 == 1).items():
            worst[name] = max(worst.get(name, 0.0), difference)
    print(f'scikit-learn {sklearn.__version__}, {args.cases} cases')
    for name, difference in worst.items():
        print(f'  {name:20s} {difference:.1e}')
    return int(max(worst.values()) > TOLERANCE)


if __name__ == '__main__':
    sys.exit(main())
