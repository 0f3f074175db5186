import numpy as np
import pytest

from mmtube.evaluation.functional.proposals import area_under_curve, duration_aware_iou, proposal_recalls
from mmtube.evaluation.tables import SegmentTable

THRESHOLDS = np.linspace(0.5, 0.95, 10)


def truth_table(video, segments, num_videos=None, durations_s=None):
    names = [f'v{n}' for n in range(num_videos or max(video) + 1)]
    zeros = np.zeros(len(video), np.int64)
    durations = None if durations_s is None else np.asarray(durations_s, float)
    return SegmentTable(names, np.array(video), zeros, segments_s=np.array(segments, float), durations_s=durations)


def proposal_table(names, video, segments, scores):
    segments = np.array(segments, float).reshape(-1, 2)
    video, zeros = np.array(video, np.int64), np.zeros(len(video), np.int64)
    return SegmentTable(names, video, zeros, np.array(scores, float), segments_s=segments)


def literal_recall(truth, found, thresholds, max_number):
    """Recall at each number, counted ground truth by ground truth."""
    with_truth = sorted(set(truth.video.tolist()))
    ratio = max_number * float(len(with_truth)) / len(found)
    lists = {}
    for video in with_truth:
        rows = np.flatnonzero(found.video == video)
        rows = sorted(rows.tolist(), key=lambda row: (-found.scores[row], *found.segments_s[row]))
        lists[video] = rows[: min(int(len(rows) * ratio), len(rows))]
    retrieved = sum(map(len, lists.values()))
    recall = np.zeros((len(thresholds), 100))
    for point in range(100):
        share = (point + 1) / 100.0 * (max_number * float(len(with_truth)) / retrieved)
        for number, threshold in enumerate(thresholds):
            found_ones = 0
            for video, (start, end) in zip(truth.video.tolist(), truth.segments_s.tolist()):
                best = lists[video][: int(len(lists[video]) * share)]
                for begin, stop in found.segments_s[best].tolist():
                    inter = max(min(end, stop) - max(start, begin), 0)
                    if inter / (end - start + stop - begin - inter) >= threshold:
                        found_ones += 1
                        break
            recall[number, point] = found_ones / len(truth)
    return recall


def random_case(seed, fixed):
    rng = np.random.default_rng(seed)
    videos = int(rng.integers(1, 5))
    gt_video = np.concatenate([np.arange(videos), rng.integers(0, videos, 6)])
    start = rng.integers(0, 20, len(gt_video))
    truth = truth_table(gt_video, np.stack([start, start + rng.integers(1, 8, len(gt_video))], 1))
    counts = np.full(videos, 100) if fixed else np.r_[1, rng.integers(0, 12, videos - 1)]
    video = np.repeat(np.arange(videos), counts)
    start = rng.integers(0, 20, len(video))
    segments = np.stack([start, start + rng.integers(1, 8, len(video))], 1)
    return truth, proposal_table(truth.videos, video, segments, rng.integers(0, 30, len(video)) / 30)


@pytest.mark.parametrize('fixed', [False, True])
@pytest.mark.parametrize('seed', range(6))
def test_recall_equals_counting_one_by_one(seed, fixed):
    truth, found = random_case(seed, fixed)
    for max_number in (100, 3):
        recalls = proposal_recalls(truth, found, [0.5, 0.75, 1.0], max_number=max_number)
        expected = literal_recall(truth, found, [0.5, 0.75, 1.0], max_number)
        np.testing.assert_allclose(recalls.recall(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize('seed', range(8))
def test_recall_and_area_equal_those_of_mmaction2(seed, monkeypatch):
    if not hasattr(np, 'trapz'):
        monkeypatch.setattr(np, 'trapz', np.trapezoid, raising=False)
    reference = pytest.importorskip('mmaction.evaluation.functional.accuracy').average_recall_at_avg_proposals
    rng = np.random.default_rng(seed)
    gt_video = np.concatenate([np.arange(5), rng.integers(0, 5, 30)])
    video = np.repeat(np.arange(5), np.full(5, 100) if seed % 2 else rng.integers(1, 260, 5))
    segments, gt_segments = (
        np.stack([start, start + rng.uniform(1, 20, len(start))], 1)
        for start in (rng.uniform(0, 60, len(video)), rng.uniform(0, 60, len(gt_video)))
    )
    scores = rng.random(len(video))
    truth = truth_table(gt_video, gt_segments)
    recalls = proposal_recalls(truth, proposal_table(truth.videos, video, segments, scores), THRESHOLDS)
    theirs = reference(
        {n: gt_segments[gt_video == n] for n in range(5)},
        {n: np.column_stack([segments, scores])[video == n] for n in range(5)},
        len(video),
        100,
        THRESHOLDS,
    )
    np.testing.assert_allclose(recalls.recall(), theirs[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(recalls.average_recall(), theirs[1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(recalls.numbers, theirs[2], rtol=0, atol=1e-6)
    area = area_under_curve(recalls.numbers, recalls.average_recall())
    assert area * 100 == pytest.approx(theirs[3], abs=1e-6)


def test_the_number_of_proposals_is_an_average_over_videos():
    # 4 proposals in 2 videos, 3 and 1. At AN = 1 a half of each list counts: 1 and 0, not the best one of each.
    truth = truth_table([0, 1], [(0, 10), (0, 10)])
    wrong, right = (50, 60), (0, 10)
    found = proposal_table(truth.videos, [0, 0, 0, 1], [right, wrong, wrong, right], [0.9, 0.8, 0.7, 0.9])
    recalls = proposal_recalls(truth, found, [0.5], max_number=2)
    average = recalls.average_recall()
    assert (average[recalls.point(1)], average[recalls.point(2)]) == (0.5, 1.0)


def test_a_proposal_may_recall_several_ground_truths():
    truth = truth_table([0, 0], [(0, 10), (0, 9)])
    found = proposal_table(truth.videos, [0], [(0, 10)], [0.5])
    assert proposal_recalls(truth, found, [0.9]).average_recall()[-1] == 1.0


def test_rounding_is_that_of_the_official_script():
    # With 100 in the only video, 100 * 0.29 is 28.999999999999996, so 28 are taken for the number 29.
    truth = truth_table([0], [(0, 10)])
    segments = [(50, 60)] * 28 + [(0, 10)] + [(50, 60)] * 71
    found = proposal_table(truth.videos, [0] * 100, segments, np.linspace(1, 0, 100))
    average = proposal_recalls(truth, found, [0.5]).average_recall()
    assert average[27:30].tolist() == [0.0, 0.0, 1.0]


def test_perfect_proposals_recall_exactly_one_and_the_official_area_is_099():
    truth = truth_table([0, 1, 2], [(0, 10), (3.3, 4.4), (1, 2)])
    found = proposal_table(truth.videos, [0, 1, 2], truth.segments_s, [0.5, 0.5, 0.5])
    recalls = proposal_recalls(truth, found, THRESHOLDS)
    average = recalls.average_recall()
    assert (average == 1.0).all()
    assert area_under_curve(recalls.numbers, average) == pytest.approx(0.99, abs=1e-12)
    assert area_under_curve(recalls.numbers, average, normalised=True) == 1.0


def test_videos_without_proposals_are_missed():
    truth = truth_table([0, 1], [(0, 10), (0, 10)])
    found = proposal_table(truth.videos, [1], [(0, 10)], [0.5])
    assert proposal_recalls(truth, found, [0.5]).average_recall()[-1] == 0.5
    nothing = proposal_table(truth.videos, [], [], [])
    assert proposal_recalls(truth, nothing, [0.5]).average_recall()[-1] == 0.0


def test_recall_of_some_ground_truths_uses_all_proposals():
    truth = truth_table([0, 0], [(0, 1), (10, 30)])
    found = proposal_table(truth.videos, [0, 0], [(10, 30), (40, 50)], [0.9, 0.8])
    recalls = proposal_recalls(truth, found, [0.5])
    short = truth.segments_s[:, 1] - truth.segments_s[:, 0] < 2
    assert (recalls.average_recall(short)[-1], recalls.average_recall(~short)[-1]) == (0.0, 1.0)
    with pytest.raises(ValueError, match='no ground truth'):
        recalls.recall(np.zeros(2, bool))


def test_the_duration_aware_iou_of_both_worked_examples():
    # A video of 100 s, ground truth 40-50; both proposals have IoU 0.5. FineAction, Eq. 2.
    truth, video_s = np.array([[40.0, 50.0]] * 2), np.array([100.0, 100.0])
    values = duration_aware_iou(truth, np.array([[42.5, 47.5], [35.0, 55.0]]), video_s)
    np.testing.assert_allclose(values, [0.5 * 0.975 * 0.975, 0.5 * 0.95 * 0.95], rtol=1e-12)
    assert values.round(4).tolist() == [0.4753, 0.4512]  # the product is 0.45125


def test_the_duration_aware_iou_is_never_above_the_iou_nor_is_its_area():
    rng = np.random.default_rng(3)
    truth, found = random_case(5, True)
    truth = truth_table(truth.video, truth.segments_s, durations_s=rng.uniform(30, 60, len(truth.videos)))
    plain = proposal_recalls(truth, found, THRESHOLDS)
    aware = proposal_recalls(truth, found, THRESHOLDS, iou='new')
    assert (aware.recall() <= plain.recall()).all()
    areas = [area_under_curve(recalls.numbers, recalls.average_recall()) for recalls in (aware, plain)]
    assert areas[0] < areas[1]


@pytest.mark.parametrize('seed', range(5))
def test_the_order_of_rows_does_not_matter(seed):
    truth, found = random_case(seed + 20, False)
    rng = np.random.default_rng(seed)
    before = proposal_recalls(truth, found, [0.5, 0.75])
    rows = rng.permutation(len(truth)), rng.permutation(len(found))
    after = proposal_recalls(truth.rows(rows[0]), found.rows(rows[1]), [0.5, 0.75])
    np.testing.assert_array_equal(before.recall(), after.recall())


def test_what_cannot_be_computed_is_refused():
    truth = truth_table([0], [(0, 10)])
    found = proposal_table(truth.videos, [0], [(0, 10)], [0.5])
    with pytest.raises(ValueError, match='needs the durations'):
        proposal_recalls(truth, found, [0.5], iou='new')
    with pytest.raises(ValueError, match='positive duration'):
        proposal_recalls(truth_table([0], [(0, 10)], durations_s=[0]), found, [0.5], iou='new')
    with pytest.raises(ValueError, match='iou must be one of'):
        proposal_recalls(truth, found, [0.5], iou='giou')
    with pytest.raises(ValueError, match='same list of videos'):
        proposal_recalls(truth, proposal_table(['w'], [0], [(0, 10)], [0.5]), [0.5])


def test_only_proposals_in_videos_with_ground_truth_share_out_the_number():
    # a and z have 100 proposals each, only a has ground truth: 100 * 1 / 200 of them may be used, so 50 of a. As in the
    # official script those 50 are shared out alone: k of a for the number k.
    starts = np.arange(100.0)
    segments = np.stack([starts, starts + 1], 1)
    truth = truth_table([0, 0, 0], [(0.0, 1.0), (49.0, 50.0), (50.0, 51.0)], 2)
    found = proposal_table(truth.videos, np.repeat([0, 1], 100), np.tile(segments, (2, 1)), np.tile(-starts, 2))
    recalls = proposal_recalls(truth, found, np.array([0.5]))
    assert recalls.first.tolist() == [[0, 49, 100]]


def test_edges_further_apart_than_the_video_is_long_leave_no_overlap():
    far = duration_aware_iou(np.array([[0.0, 10.0]]), np.array([[-15.0, 25.0]]), np.array([10.0]))
    assert far.tolist() == [0.0]
