"""Figures in a page: nothing from outside, and figures do not disturb one another."""

import re

import pytest

from mmtube.errors import InputError
from mmtube.visualization.report.figures import figure, inline_svg

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '


def svg(inner, size='width="72pt" height="36pt" viewBox="0 0 72 36"'):
    return f'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">\n{HEAD}{size}>{inner}</svg>'


def test_the_size_is_that_of_the_place():
    drawn, width, height = inline_svg(svg('<path d="M 0 0"/>'), 'f1', 'Curve')
    assert (width, height) == (72, 36)
    assert drawn == (
        '<svg viewBox="0 0 72 36" style="stroke-linejoin:round;stroke-linecap:butt" role="img" aria-label="Curve">'
        '<path d="M 0 0"></path></svg>'
    )
    assert inline_svg(svg('', 'width="72pt" height="36pt"'), 'f1', '')[1:] == (72, 36)


def test_ids_are_of_the_figure_and_do_not_depend_on_what_they_were():
    inner = '<clipPath id="{0}"/><path id="{1}"/><use xlink:href="#{1}" clip-path="url(#{0})"/><g id="never"/>'
    first, second = (inline_svg(svg(inner.format(*ids)), 'f1', '')[0] for ids in (('p3a', 'm9'), ('qqq', 'a.b')))
    assert first == second
    assert 'clip-path="url(#f1-0)"' in first and 'href="#f1-1"' in first and 'never' not in first
    assert not set(re.findall('id="([^"]+)"', first)) & set(
        re.findall('id="([^"]+)"', inline_svg(svg(inner.format('p3a', 'm9')), 'f2', '')[0])
    )


@pytest.mark.parametrize(
    'hostile',
    [
        '<script>alert(1)</script>',
        '<style>@font-face {src: url(http://x)}</style>',
        '<metadata>made today</metadata>',
        '<foreignObject><b xmlns="http://www.w3.org/1999/xhtml">x</b></foreignObject>',
        '<!-- http://x -->',
        '<path onclick="alert(1)"/>',
        '<image xlink:href="http://x/y.png"/>',
        '<use href="other.svg#a"/>',
        '<path style="fill: url(http://x)"/>',
        '<set attributeName="href" to="javascript:x"/>',
        '<a href="javascript:alert(1)"><path/></a>',
        '<path xml:base="http://x"/>',
    ],
)
def test_what_could_act_or_load_is_left_out(hostile):
    drawn = inline_svg(svg(f'<g>{hostile}</g>'), 'f1', '')[0]
    assert not re.search('http|script|today|alert|other.svg|<b|onclick|<a|xlink', drawn), drawn


def test_text_stays_text():
    drawn = inline_svg(svg('<text x="1.23456">a &lt;b&gt; &amp; "c"</text>'), 'f1', 'x" onload="y')[0]
    assert '<text x="1.23">a &lt;b&gt; &amp; &quot;c&quot;</text>' in drawn
    assert 'aria-label="x&quot; onload=&quot;y"' in drawn


def test_coordinates_are_rounded_and_transforms_are_not():
    drawn = inline_svg(svg('<path d="M 1.23456 -0.0001 \nL 10.999 2.5" transform="scale(0.015625)"/>'), 'f1', '')[0]
    assert 'd="M 1.23 0 L 11 2.5"' in drawn and 'scale(0.015625)' in drawn


@pytest.mark.parametrize('broken', ['', '<svg', '<p/>', HEAD + '></svg>', svg('', 'viewBox="0 0 a b"')])
def test_what_is_no_figure_is_refused_by_its_title(broken):
    with pytest.raises(InputError, match="'Recall'"):
        inline_svg(broken, 'f1', 'Recall')


def test_wide_figures_take_the_width():
    assert 'class="figure wide"' in figure(svg(''), 'f1', 'x')
    assert 'class="figure"' in figure(svg('', 'viewBox="0 0 40 36"'), 'f1', 'x')


def test_figures_of_matplotlib_are_equal_each_time(tmp_path):
    from matplotlib.figure import Figure

    drawn = []
    for _ in range(2):
        made = Figure((4, 3))
        made.subplots().plot([0, 1], [0, 1], 'o-')
        made.savefig(tmp_path / 'a.svg')
        drawn.append(inline_svg((tmp_path / 'a.svg').read_text(), 'f1', 'x')[0])
    assert drawn[0] == drawn[1] and 'clip-path="url(#f1-' in drawn[0] and '<path' in drawn[0]
