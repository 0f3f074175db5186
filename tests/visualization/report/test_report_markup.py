"""HTML of reports: what was not made here is escaped."""

import pytest

from mmtube.visualization.report.markup import Html, breakable, join, slug, tag


@pytest.mark.parametrize('hostile', ['<script>alert(1)</script>', '"><img onerror=x>', "' onclick='x", 'a & b'])
def test_text_and_attributes_are_escaped(hostile):
    written = tag('b', hostile, title=hostile)
    assert (
        not set(hostile) & set('<>"\'') & set(written.removeprefix('<b title="').replace('">', '').replace('</b>', ''))
    )
    assert '&amp;' in written or '&' not in hostile


def test_only_what_was_made_here_is_html():
    assert join([tag('i', '<'), '<', None, 3]) == '<i>&lt;</i>&lt;3'
    assert tag('p', Html('<br>')) == '<p><br></p>'
    assert tag('p', tag('i') + '<') == '<p>&lt;i&gt;&lt;/i&gt;&lt;</p>'  # a sum is plain text again


def test_attributes_have_their_names_and_absent_ones_are_left_out():
    assert tag('td', 1, class_='x', aria_label='y', scope=None, hidden=False, data_sort=True) == (
        '<td class="x" aria-label="y" data-sort>1</td>'
    )
    assert tag('meta', name='a') == '<meta name="a">'


def test_what_cannot_be_in_a_page_is_replaced():
    assert tag('p', 'a\x00\x1b\ud800b\n') == '<p>a\ufffd\ufffd\ufffdb\n</p>'
    tag('p', '\ud800').encode('utf-8')


def test_ids_are_plain():
    assert slug('run 1', 'Über <b>') == 'run-1-ber-b'


def test_names_break_at_their_joints_but_keep_units():
    assert breakable('mAP_top20@0.50') == 'mAP_<wbr>top20<wbr>@0.50'
    assert breakable('mean_s') == 'mean_s'
