"""All statistics as text, beside the numbers that the SEAL paper prints."""

from __future__ import annotations

from .summary import Statistics
from .synergy import PUBLISHED_COVERAGE, PUBLISHED_OTHERS, PUBLISHED_SAME
from .tables import table_text


def report_text(statistics: Statistics) -> str:
    """Return the tables and the figures' numbers as text."""
    names, coverage, zipf, moved = statistics.names['atomic'], statistics.coverage, statistics.zipf, statistics.moved()
    lines = [table_text(statistics.table, statistics.name)]
    for title, pairs, sign, published in (
        ('Table 2, one person', statistics.same_person, ' + ', PUBLISHED_SAME),
        ('Table 2, two people', statistics.different_people, ' / ', PUBLISHED_OTHERS),
    ):
        lines.append(f'{title:52s}  SEAL')
        for rank in range(10):
            ours = ''
            if rank < len(pairs):
                first, second, count = pairs[rank]
                ours = f'{count:8,d}  {names[first]}{sign}{names[second]}'
            lines.append(f'{ours:50s}  {published[rank][1]:6,d}  {published[rank][0]}')
        lines.append('')
    told = ', '.join(f'{group} {coverage[group]:.2%} ({share:.2%})' for group, share in PUBLISHED_COVERAGE.items())
    lines.append(f'key boxes with a label of a group (SEAL): {told}')
    lines.append(f'class frequency over rank: slope {zipf["slope"]:.2f}, R2 {zipf["r2"]:.3f}')
    lines.append(
        f'boxes that move more than 50 pixels in 1 s: {moved["over_50_px"]:.1%} (SEAL: 50 %), median '
        f'{moved["median_px"]:.0f} pixels, {moved["median_share"]:.3f} of the diagonal'
    )
    lines.append(f'boxes as high as the frame: {statistics.size_told["full_height"]:.1%}')
    return '\n'.join(lines) + '\n'
