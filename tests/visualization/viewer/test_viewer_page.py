"""The page in a browser, opened from the disk: film, boxes, clicks, filters, keys, and a quiet console."""

import numpy as np
import pytest
from browser import BROWSER, Browser

from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.testing import make_film
from mmtube.visualization.palette import person_rgb
from mmtube.visualization.viewer import write_viewer

pytestmark = pytest.mark.skipif(BROWSER is None, reason='there is no browser')
SIZE, FPS, NUM_FRAMES = (160, 120), 25, 250
SHOWN_ROWS = '[...document.querySelectorAll(".row")].filter((row) => !row.hidden).map((row) => row.dataset.id).join()'
LISTED = '[...document.querySelectorAll("#list .name")].map((name) => name.textContent).join()'
TIME = 'Number(document.getElementById("scale").getAttribute("aria-valuenow"))'
CHOSEN = 'document.querySelector(".row.chosen")?.dataset.id ?? ""'
SETTLED = 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))'


def result() -> VideoResult:
    """Person 1 walks to the right for 4 s, is away, and stands from 6 s on; 2 is there all the time, 3 has no box."""
    frames = np.r_[0:100, 150:250]
    x = np.where(frames < 100, 10 + 0.5 * frames, 100)
    walker = np.stack([x, np.full(200, 20), x + 30, np.full(200, 100)], axis=1)
    one = [Segment(1.0, 3.0, 0, 0.9), Segment(7.0, 8.0, 1, 0.4), Segment(0.5, 3.5, 0, 0.8, 'complex')]
    tubes = [
        Tube(1, frames, frames / FPS, walker, segments=one),
        Tube(2, range(250), np.arange(250) / FPS, np.tile([2, 2, 12, 12], (250, 1)), segments=[Segment(5, 6, 1, 0.7)]),
        Tube(3, [], [], np.zeros((0, 4)), segments=[Segment(2, 4, 2, 0.05)]),
    ]
    maps = {'atomic': ['walk', 'wave hand', '<b>nod'], 'complex': ['patrol']}
    return VideoResult(VideoInfo('film.mp4', *SIZE, 25.0, 250, 10.0), tubes, [(0, 125), (125, 250)], label_maps=maps)


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp('profile')) as started:
        yield started


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp('a folder & more')
    make_film(path / 'film #1.mp4', NUM_FRAMES, SIZE, FPS)
    write_viewer(result(), path / 'viewer.html', 'film%20%231.mp4')
    write_viewer(result(), path / 'alone.html', 'nowhere.mp4')
    return path


@pytest.fixture
def page(browser, folder):
    """The page with its film, at the start; nothing may be written to the console."""
    browser.troubles.clear()
    browser.open(folder / 'viewer.html')
    browser.wait('document.getElementById("film").readyState >= 2')
    browser.run(SETTLED)
    yield browser
    assert browser.troubles == []


def click(page, selector, ms=None, down=None):
    """Click on an element; at a time of the film of 10 s, and so many pixels from its top, where they are given."""
    rect = page.run(
        f'(() => {{ const r = document.querySelector({selector!r}).getBoundingClientRect();'
        ' return [r.left, r.top, r.width, r.height]; })()'
    )
    across = rect[2] / 2 if ms is None else (rect[2] - 12) * ms / 10_000  # the film ends 12 pixels before the row
    page.click(rect[0] + across, rect[1] + (rect[3] / 2 if down is None else down))
    page.run(SETTLED)


def edges_of(page, track_id):
    """Bounding box of a person's colour on the canvas over the film, in pixels of the film; None if it is not there."""
    return page.run(
        f"""(() => {{
          const canvas = document.getElementById('boxes'), rgb = {list(person_rgb(track_id))};
          const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {{ willReadFrequently: true }});
          pen.drawImage(canvas, 0, 0);
          const {{ data, width, height }} = pen.getImageData(0, 0, canvas.width, canvas.height);
          let box = null;
          for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {{
            const at = 4 * (y * width + x);
            if (data[at + 3] < 250 || rgb.some((value, channel) => Math.abs(value - data[at + channel]) > 2)) continue;
            box ??= [x, y, x, y];
            box = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x + 1), Math.max(box[3], y + 1)];
          }}
          return box && box.map((value) => value * {SIZE[0]} / width);
        }})()"""
    )


def seek(page, frame):
    """Go to a frame by the keys: whole seconds, then single frames."""
    page.press('Home')
    for _ in range(frame // FPS):
        page.press('ArrowRight', shift=True)
    for _ in range(frame % FPS):
        page.press('ArrowRight')
    page.wait('!document.getElementById("film").seeking')
    page.run(SETTLED)


def test_boxes_lie_where_the_people_are_and_nowhere_when_they_are_away(page):
    for frame, left in ((0, 10), (30, 25), (99, 59.5)):
        seek(page, frame)
        x1, _, x2, y2 = edges_of(page, 1)  # the tag with the number stands above the box
        assert [x1, y2] == pytest.approx([left, 100], abs=1.0) and x2 >= left + 29
    for frame in (100, 149):
        seek(page, frame)
        assert edges_of(page, 1) is None and edges_of(page, 2) is not None
    seek(page, 150)
    assert edges_of(page, 1)[0] == pytest.approx(100, abs=1.0)


def test_a_click_on_a_row_goes_there_and_one_on_a_segment_to_its_start(page):
    click(page, '.row[data-id="2"] canvas', ms=2500, down=8)
    assert page.run(TIME) == pytest.approx(2.5, abs=0.02) and page.run(CHOSEN) == '2'
    click(page, '.row[data-id="1"] canvas', ms=2500, down=8 + 12)  # below presence: the complex lane
    assert page.run(TIME) == 0.5 and page.run(CHOSEN) == '1'
    click(page, '.row[data-id="1"] canvas', ms=7500, down=8 + 12 + 19)  # and below it the atomic one
    assert page.run(TIME) == 7.0
    page.wait('Math.abs(document.getElementById("film").currentTime - 7) < 0.01')
    assert page.run(LISTED) == 'patrol,walk,wave hand'
    click(page, '#list li:nth-child(2) button')
    assert page.run(TIME) == 1.0
    click(page, '#scale', ms=9000)
    assert page.run(TIME) == pytest.approx(9.0, abs=0.02)


def test_labels_are_filtered_by_text_and_by_score(page):
    assert page.run(LISTED) == 'patrol,walk,wave hand,wave hand'  # the nod has less than 0.1
    page.press('/')
    for letter in 'HAND':
        page.press(letter)
    page.run(SETTLED)
    assert page.run(SHOWN_ROWS) == '1,2' and page.run(LISTED) == 'wave hand,wave hand'
    assert page.run('document.getElementById("count").textContent') == '2 of 5 segments, 2 of 3 people'
    page.press('Escape')
    assert page.run(SHOWN_ROWS) == '1,2,3' and page.run('document.activeElement.id') != 'words'
    for value, listed in (('0.75', 'patrol,walk'), ('0.90', 'walk'), ('0', 'patrol,walk,<b>nod,wave hand,wave hand')):
        page.run(f'least.value = "{value}"; least.dispatchEvent(new Event("input"))')
        assert page.run(LISTED) == listed
    assert page.run('document.querySelectorAll("b").length') == 0


def test_keys_play_step_and_select(page):
    page.press('ArrowRight')
    page.run(SETTLED)
    assert page.run(TIME) == 0.04
    page.press('ArrowRight', shift=True)
    page.press('ArrowLeft')
    page.run(SETTLED)
    assert page.run(TIME) == 1.0
    page.press('End')
    page.run(SETTLED)
    assert page.run(TIME) == 10.0
    page.press('Home')
    page.run(SETTLED)
    assert page.run(TIME) == 0.0
    for key, chosen in (('ArrowDown', '1'), ('ArrowDown', '2'), ('ArrowUp', '1'), ('ArrowUp', '1'), ('Escape', '')):
        page.press(key)
        assert page.run(CHOSEN) == chosen
    page.press(' ')
    page.wait(f'!document.getElementById("film").paused && {TIME} > 0.2')
    page.press(' ')
    page.wait('document.getElementById("film").paused')


def test_without_the_film_the_page_asks_for_it_and_shows_the_rest(browser, folder):
    browser.troubles.clear()
    browser.open(folder / 'alone.html')
    browser.wait('!document.getElementById("missing").hidden')
    assert 'film.mp4 is not where it was' in browser.run('document.getElementById("why").textContent')
    seek(browser, 30)
    assert edges_of(browser, 1)[0] == pytest.approx(25, abs=1.0)
    browser.press(' ')
    browser.wait(f'{TIME} > 1.4')
    browser.press(' ')
    document = browser.call('DOM.getDocument')['root']['nodeId']
    node = browser.call('DOM.querySelector', nodeId=document, selector='#choose')['nodeId']
    browser.call('DOM.setFileInputFiles', nodeId=node, files=[str(folder / 'film #1.mp4')])
    browser.wait('document.getElementById("missing").hidden && document.getElementById("film").readyState >= 2')
    assert [one for one in browser.troubles if 'ERR_FILE_NOT_FOUND' not in one] == []


def test_a_crowd_is_laid_out_and_listed(browser, folder):
    rng = np.random.default_rng(0)
    starts_s = rng.uniform(0, 9, (50, 40))
    tubes = [
        Tube(
            person,
            range(250),
            np.arange(250) / FPS,
            np.tile([2 * person, 2, 2 * person + 20, 60], (250, 1)),
            segments=[Segment(start, start + 0.5, number % 10, 0.5) for number, start in enumerate(starts_s[person])],
        )
        for person in range(50)
    ]
    browser.troubles.clear()
    write_viewer(VideoResult(VideoInfo('film.mp4', *SIZE, 25.0, 250, 10.0), tubes), folder / 'crowd.html')
    browser.open(folder / 'crowd.html')
    assert browser.run('document.getElementById("count").textContent') == '2,000 of 2,000 segments, 50 of 50 people'
    assert browser.run('document.querySelectorAll("#list li").length') == 300
    assert browser.run('document.getElementById("rest").textContent').startswith('and 1,700 more')
    browser.press('ArrowUp')
    assert browser.run(CHOSEN) == '49' and browser.run('document.querySelectorAll("#list li").length') == 40
    assert browser.troubles == []


def test_dark_systems_get_a_dark_page(tmp_path, folder):
    with Browser(tmp_path, dark=True) as dark:
        dark.open(folder / 'viewer.html')
        assert dark.run('getComputedStyle(document.body).backgroundColor') == 'rgb(20, 23, 27)'
