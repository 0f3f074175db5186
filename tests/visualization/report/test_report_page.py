"""The page: whole without anything else, every text escaped, every table read as it was given."""

import copy
import re
import subprocess
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from browser import BROWSER

from mmtube.errors import InputError
from mmtube.visualization.report import Picture, Run, Training, build_page, run_titles, thumbnail, worst_rows
from mmtube.visualization.report.markup import VOID

HOSTILE = '</script><img src=x onerror="alert(1)">&amp;\'"<b>'
DOCUMENT = {
    'format': 'mmtube-evaluation/1',
    'protocol': 'ava',
    'convention': 'frame mAP at IoU 0.50',
    'metrics': {'mAP@0.5': 0.25, 'IDSW': 3},
    'counts': {'videos': 2, 'ground_truths': 1234},
    'notes': ['1 video has no predictions'],
    'inputs': {'gt': {'path': 'gt.csv', 'sha256': 'ab' * 32}, 'options': {'iou': 0.5, 'labels': None}},
    'tables': {
        'classes': {'class': ['walk', 'run'], 'num_gt': [10, 2], 'num_pred': [30, 4], 'ap': [0.5, None]},
        'bins': {'bin': ['0 to 2 s'], 'num_gt': [3], 'AR@100': [0.125]},
        'worst': {
            'video': ['a', 'b'],
            'time_s': [1.0, 2.0],
            'x1': [1.0, None],
            'y1': [1.0, None],
            'x2': [9.0, None],
            'y2': [9.0, None],
            'text': ['false positive: walk 0.93', 'missed: run'],
        },
    },
    'details': {'threshold': 0.31, 'ap': [[0.5, 0.25]]},
}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><path id="a" d="M0 0"/><use href="#a"/></svg>'
PICTURE = thumbnail(np.zeros((48, 64, 3), np.uint8), np.array([4.0, 4, 20, 40]))


class Element(SimpleNamespace):
    """A namespace that is equal to itself only, so that looking one up is quick."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Page(HTMLParser):
    """Elements of a page with their attributes and text; every element must be closed in order."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, name, attributes):
        element = Element(name=name, attributes=dict(attributes), text='', up=tuple(self.open))
        assert len(attributes) == len(element.attributes), 'an attribute stands twice'
        self.elements.append(element)
        if name not in VOID:
            self.open.append(element)

    def handle_endtag(self, name):
        assert self.open and self.open[-1].name == name, (name, self.open[-1:])
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            if element.name not in ('html', 'body', 'main'):
                element.text += data

    def find(self, name, **attributes):
        wanted = {key.rstrip('_').replace('_', '-'): value for key, value in attributes.items()}
        return [one for one in self.elements if one.name == name and wanted.items() <= one.attributes.items()]

    def table(self, caption):
        """Rows of text of the first table whose caption begins so."""
        found = next(one.up[-1] for one in self.find('caption') if one.text.startswith(caption))
        rows = []
        for element in self.elements:
            if found is (element.up[-2] if len(element.up) > 1 else None) and element.name == 'tr':
                rows.append([])
            elif element.name in ('td', 'th') and element.up[-3] is found:
                rows[-1].append(element.text)
        return rows


def document(**changes):
    return {**copy.deepcopy(DOCUMENT), **changes}


def page_of(*runs, **kwargs):
    return Page(build_page(runs or [Run('run', document())], 'Title', **kwargs))


def test_numbers_are_shown_as_they_were_given():
    page = page_of()
    assert [(one.text, two.text) for one, two in zip(page.find('dt'), page.find('dd'))] == [
        ('mAP@0.5', '25.00%'),
        ('IDSW', '3'),
    ]
    assert page.table('Classes') == [
        ['class', 'ground truth', 'predictions', 'AP\u2009%'],
        ['walk', '10', '30', '50.00'],
        ['run', '2', '4', '–'],
    ]
    assert page.table('Bins')[1] == ['0 to 2 s', '3', '12.50']
    assert page.table('Files') == [
        ['file', 'path', 'sha256'],
        ['result', 'result', '–'],
        ['ground truth', 'gt.csv', 'ab' * 32],
    ]
    assert page.table('Options')[1:] == [['iou', '0.5'], ['labels', 'not given']]
    assert page.table('Details')[1:] == [['threshold', '0.31']]
    assert '1,234 ground truths' in [one.text for one in page.find('li')]
    (lead,) = page.find('p', class_='lead')
    assert lead.text == 'ava frame mAP at IoU 0.50'


def test_tables_can_be_read_by_a_screen_reader():
    page = page_of()
    for table in page.find('table'):
        inner = [one for one in page.elements if table in one.up]
        assert inner[0].name == 'caption'
        assert all(one.attributes.get('scope') in ('col', 'row') for one in inner if one.name == 'th')
        assert all(one.attributes['scope'] == 'col' for one in inner if one.name == 'th' and one.up[-2].name == 'thead')
    names = {one.attributes['id'] for one in page.elements if 'id' in one.attributes}
    assert all(one.attributes['aria-labelledby'] in names for one in page.find('section'))
    assert all(one.attributes['aria-label'] for one in page.find('div', role='region'))


def test_every_link_leads_to_a_place_on_the_page_and_ids_are_unique():
    figures = {'One': SVG, 'Two': SVG}
    runs = [Run(title, document(), figures=figures) for title in ('a', 'b')]
    page = page_of(*runs, trainings=[Training('t', {'loss': ([1], [2.0])})])
    names = [one.attributes['id'] for one in page.elements if 'id' in one.attributes]
    assert len(names) == len(set(names))
    links = [one.attributes['href'] for one in page.elements if one.name in ('a', 'use')]
    assert len(links) > 15 and {link[0] for link in links} == {'#'} and {link[1:] for link in links} <= set(names)


def test_nothing_is_loaded_from_anywhere():
    run = Run('run', document(), figures={'One': SVG}, pictures={0: PICTURE, 1: 'no film'})
    written = build_page([run], 'Title')
    assert 'http://' not in written and 'https://' not in written and '@import' not in written
    for element in Page(written).elements:
        for name in ('src', 'href', 'srcset', 'data', 'action', 'poster'):
            assert element.attributes.get(name, 'data:').startswith(('data:', '#')), element
    assert not re.search(r'url\((?!#)', written)
    (policy,) = Page(written).find('meta', http_equiv='Content-Security-Policy')
    assert policy.attributes['content'].startswith("default-src 'none'; img-src data:;")
    assert 'unsafe-inline' not in policy.attributes['content'].partition('script-src')[2]


def hostile_document():
    row = {'video': [HOSTILE], 'time_s': [1.0], **{corner: [1.0] for corner in ('x1', 'y1', 'x2', 'y2')}}
    return document(
        protocol=HOSTILE,
        convention=HOSTILE,
        metrics={HOSTILE: 0.5},
        counts={HOSTILE: 1},
        notes=[HOSTILE],
        inputs={
            HOSTILE: HOSTILE,
            'gt': {'path': HOSTILE, 'sha256': HOSTILE, HOSTILE: HOSTILE},
            'o': {HOSTILE: HOSTILE},
        },
        tables={
            'classes': {'class': [HOSTILE], 'num_gt': [1], HOSTILE: [0.5]},
            HOSTILE: {HOSTILE: [HOSTILE]},
            'worst': {**row, 'text': [f'{HOSTILE}: {HOSTILE}']},
        },
        details={HOSTILE: HOSTILE, f'x{HOSTILE}': {HOSTILE: HOSTILE}},
    )


def test_what_hides_in_a_name_stays_text():
    runs = [
        Run(f'{number}{HOSTILE}', hostile_document(), HOSTILE, {HOSTILE: HOSTILE}, {HOSTILE: SVG}, {0: picture})
        for number, picture in enumerate((Picture(PICTURE.jpeg, 4, 3, HOSTILE), HOSTILE))
    ]
    written = build_page(runs, HOSTILE, [Training(HOSTILE, {HOSTILE: ([1], [1.0])}, [HOSTILE])])
    page = Page(written)
    assert len(page.find('script')) == 1 and not page.find('b', src='x')
    assert [one.attributes['src'][:15] for one in page.find('img')] == ['data:image/jpeg']
    assert not [key for one in page.elements for key in one.attributes if key.startswith('on')]
    assert written.count('</script>') == 1 and '<img src=x' not in written
    (title,) = page.find('title')
    assert title.text == HOSTILE and page.find('img')[0].attributes['alt'].startswith(HOSTILE)
    assert page.table('Classes')[1] == [HOSTILE, '1', '50.00']


def test_equal_results_make_equal_bytes():
    first, second = (build_page([Run('run', document(), figures={'One': SVG})], 'Title') for _ in range(2))
    assert first == second


def test_results_of_one_protocol_are_compared():
    other = document(metrics={'mAP@0.5': 0.375, 'IDSW': 1, 'only here': 0.5})
    page = page_of(Run('base', document()), Run('new', other), Run('third', document(protocol='mot')))
    assert page.table('ava: differences are to base') == [
        ['number', 'base', 'new'],
        ['mAP@0.5', '25.00 %', '37.50 % ▲ +12.50'],
        ['IDSW', '3', '1 ▼ −2'],
    ]
    assert not page.find('ul', class_='warnings')
    assert any('third (mot)' in one.text for one in page.find('p'))


def test_results_of_different_protocols_are_not_compared_one_by_one():
    page = page_of(Run('base', document()), Run('third', document(protocol='mot')))
    assert any(one.text.endswith('nothing to compare.') for one in page.find('p'))
    assert not any('third (mot)' in one.text for one in page.find('p'))


def test_one_result_with_other_numbers_does_not_keep_the_rest_from_being_compared():
    alike = [Run(name, document(metrics={'top1': value})) for name, value in (('a', 0.5), ('b', 0.75))]
    page = page_of(*alike, Run('other', document(metrics={'mAP': 0.25})))
    assert page.table('ava: differences are to a')[0] == ['number', 'a', 'b']
    assert any('No other result has the same protocol and numbers: other' in one.text for one in page.find('p'))


def test_no_worst_rows_have_no_part():
    empty = {name: [] for name in DOCUMENT['tables']['worst']}
    page = page_of(Run('run', document(tables={'worst': empty})))
    assert not any(one.text == 'Worst' for one in page.find('h3'))
    assert any(one.text == 'Worst' for one in page_of(Run('run', document())).find('h3'))


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        ({'inputs': {'gt': {'path': 'gt.csv', 'sha256': 'cd' * 32}}}, 'b has another ground truth than a'),
        ({'convention': 'otherwise'}, 'b was computed in another way than a'),
    ],
)
def test_what_else_makes_numbers_differ_is_told(change, told):
    (warnings,) = page_of(Run('a', document()), Run('b', document(**change))).find('ul', class_='warnings')
    assert warnings.text.startswith(told)


def test_a_ground_truth_that_is_not_known_is_not_called_the_same():
    (warnings,) = page_of(*(Run(title, document(inputs={})) for title in 'ab')).find('ul', class_='warnings')
    assert 'is not known' in warnings.text


def test_pictures_are_grouped_by_mistake_and_missing_ones_told_once():
    worst = DOCUMENT['tables']['worst']
    tables = {'worst': {name: column * 2 for name, column in worst.items()}}
    run = Run('run', document(tables=tables), pictures={0: PICTURE, 1: 'no film b', 2: PICTURE, 3: 'no film b'})
    page = page_of(run)
    assert [one.text for one in page.find('h4')] == ['False positive']
    assert [one.text for one in page.find('figcaption')] == ['walk 0.93#1 · a · 1.00 s', 'walk 0.93#3 · a · 1.00 s']
    assert [one.attributes['alt'] for one in page.find('img')] == ['walk 0.93, a at 1.00 s'] * 2
    assert 'no picture of #2, #4: no film b' in [one.text for one in page.find('li')]


def test_mistakes_of_one_kind_need_no_heading():
    worst = {**DOCUMENT['tables']['worst'], 'text': ['person 4 was ID 7', 'person 5 was ID 3']}
    page = page_of(Run('run', document(tables={'worst': worst}), pictures={0: PICTURE}))
    assert not page.find('h4')
    assert page.find('figcaption')[0].text == 'person 4 was ID 7#1 · a · 1.00 s'


def test_without_films_the_page_says_why_there_are_no_pictures():
    assert any('--videos' in one.text for one in page_of().find('p'))


def test_each_kind_of_mistake_gets_its_share_of_the_pictures():
    texts = [f'false positive: {place}' for place in range(25)] + [f'missed: {place}' for place in range(3)]
    columns = {name: [None] * 28 for name in DOCUMENT['tables']['worst']}
    found = worst_rows(document(tables={'worst': {**columns, 'text': texts}}), 8)
    assert [row['row'] for row in found] == [0, 25, 1, 26, 2, 27, 3, 4]
    assert worst_rows(document(tables={}), 8) == []


def test_long_tables_are_cut_and_that_is_told(monkeypatch):
    monkeypatch.setattr('mmtube.visualization.report.tables.MAX_CELLS', 3000)
    columns = {'video': [f'v{place}' for place in range(2000)], 'ap': [0.5] * 2000}
    page = page_of(Run('run', document(tables={'videos': columns})))
    rows = page.table('Videos')
    assert len(rows) == 1 + 1500 and rows[-1][0] == 'v1499'
    assert any('the first 1,500 of 2,000 rows' in one.text for one in page.find('caption'))


def test_long_details_are_cut_and_that_is_told():
    page = page_of(Run('run', document(details={'ap': [0.5] * 10_000})))
    (shown,) = page.find('pre')
    assert len(shown.text) < 4100 and 'more characters are in the file' in shown.text


def test_a_result_with_next_to_nothing_has_a_page():
    page = page_of(Run('run', {'protocol': 'mot'}))
    assert [one.text for one in page.find('h3')] == ['Files']
    with pytest.raises(ValueError, match='needs a result'):
        build_page([], 'Title')


@pytest.mark.parametrize(
    ('change', 'cause'),
    [
        ({'protocol': 3}, 'protocol is no text'),
        ({'metrics': [1]}, 'metrics is no object'),
        ({'metrics': {'mAP': '0.5'}}, "metrics\\['mAP'\\] is '0.5', not a number"),
        ({'metrics': {'mAP': None}}, 'is None, not a number'),
        ({'counts': {'videos': True}}, 'is True, not a number'),
        ({'notes': 'one'}, 'notes is no list'),
        ({'tables': {'classes': [1]}}, "tables\\['classes'\\] is no object of columns"),
        ({'tables': {'classes': {'class': ['a'], 'ap': []}}}, "tables\\['classes'\\] has columns of different lengths"),
        ({'tables': {'worst': {'video': ['a']}}}, "tables\\['worst'\\] has no column 'time_s'"),
    ],
)
def test_what_is_not_built_like_a_result_is_refused_by_its_place(change, cause):
    with pytest.raises(InputError, match=f'^x.json: .*{cause}'):
        Run('run', document(**change), 'x.json')


def test_results_are_told_apart_by_their_folders():
    assert run_titles(['runs/a.json', 'runs/b.json']) == ['a', 'b']
    assert run_titles(['x/base/ava.json', 'y/base/ava.json', 'z/mot.json']) == ['x/base/ava', 'y/base/ava', 'mot']
    assert run_titles(['ava.json', 'x/ava.json']) == ['ava', 'x/ava']
    assert run_titles(['/ava.json', '/x/ava.json']) == ['/ava', 'x/ava']
    assert run_titles(['a.json', 'a.txt']) == ['a.json', 'a.txt']
    with pytest.raises(InputError, match=r'^a\.json: is given twice'):
        run_titles(['a.json', 'b.json', 'a.json'])


SCRIPT = """
const rows = (table) => [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[0].textContent);
const [table] = document.querySelectorAll('table[data-filter]');
const said = [];
const buttons = table.querySelectorAll('thead button');
for (const place of [1, 1, 2, 0]) { buttons[place].click(); said.push(rows(table).join(' ')); }
const box = table.parentElement.previousElementSibling.querySelector('input');
box.value = 'C1';
box.dispatchEvent(new Event('input'));
said.push(rows(table).join(' '));
document.title = said.join('|');
"""


@pytest.mark.skipif(BROWSER is None, reason='there is no browser')
def test_tables_are_sorted_and_filtered_in_a_browser(tmp_path):
    counts = [5, 1000, 20, 3, 7, 8, 9, 10, 11, 12, 13]
    columns = {
        'class': [f'c{place}' for place in range(11)],
        'num_gt': counts,
        'ap': [None, -0.5, 0.25, -0.9, *(place / 100 for place in range(7))],
    }
    written = build_page([Run('run', document(tables={'classes': columns}))], 'Title')
    path = tmp_path / 'page.html'
    # The policy of the page would forbid this script too.
    path.write_text(
        re.sub('<meta http-equiv[^>]*>', '', written).replace('</body>', f'<script>{SCRIPT}</script></body>')
    )
    options = ['--headless', '--no-sandbox', '--disable-gpu', '--enable-logging=stderr', f'--user-data-dir={tmp_path}']
    done = subprocess.run(
        [BROWSER, *options, '--dump-dom', f'file://{path}'], capture_output=True, text=True, timeout=120
    )
    most, least, ap, names, filtered = re.search('<title>(.*?)</title>', done.stdout)[1].split('|')
    assert most == 'c1 c2 c10 c9 c8 c7 c6 c5 c4 c0 c3'
    assert least == 'c3 c0 c4 c5 c6 c7 c8 c9 c10 c2 c1'
    assert ap == 'c2 c10 c9 c8 c7 c6 c5 c4 c1 c3 c0'  # nothing stands last
    assert names == 'c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 c10'
    assert filtered == 'c1 c10'
    path.write_text(written)
    done = subprocess.run(
        [BROWSER, *options, '--dump-dom', f'file://{path}'], capture_output=True, text=True, timeout=120
    )
    assert 'Filter rows' in done.stdout and 'CONSOLE' not in done.stderr, done.stderr
