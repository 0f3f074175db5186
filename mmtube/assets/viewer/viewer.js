/* What is selected, filtered and typed, and the start. */
const MOST_LISTED = 300;
let listed = [];

let isDue = false;
const refresh = () => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    if (time.playing) follow();
    drawBoxes();
    moveHead();
    byId('clock').textContent = `${clock(time.ms)} / ${clock(film.end_ms)}`;
    scale.setAttribute('aria-valuenow', (time.ms / 1000).toFixed(3));
    scale.setAttribute('aria-valuetext', clock(time.ms));
    for (const { segment, button } of listed) button.classList.toggle('now', isNow(segment, time.ms));
  });
};

const select = (person) => {
  state.selected = person;
  for (const row of rows) {
    row.element.classList.toggle('chosen', row.person === person);
    row.who.setAttribute('aria-pressed', String(row.person === person));
    if (row.person === person) row.element.scrollIntoView({ block: 'nearest' });
  }
  list();
  refresh();
};

/* The segments of the selected person, or of all, as buttons. */
const list = () => {
  const of = state.selected ? [state.selected] : people;
  const found = of.flatMap((person) => person.segments).filter(passes).sort((a, b) => a.startMs - b.startMs || b.score - a.score);
  byId('whose').replaceChildren(...(state.selected ? [chip(state.selected), 'does'] : ['Everyone']));
  listed = found.slice(0, MOST_LISTED).map((segment) => {
    const button = make('button', segment.task);
    button.type = 'button';
    button.append(make('span', 'aside', clock(segment.startMs, 1)), make('span', 'name', segment.name), make('span', 'aside', segment.score.toFixed(2)));
    if (!state.selected) button.prepend(chip(segment.person));
    button.title = `${segment.name}, ${clock(segment.startMs)} – ${clock(segment.endMs)}`;
    button.addEventListener('click', () => seek(segment.startMs));
    return { segment, button };
  });
  byId('list').classList.toggle('mixed', !state.selected);
  byId('list').replaceChildren(...listed.map(({ button }) => { const item = make('li', ''); item.append(button); return item; }));
  byId('rest').textContent = found.length > MOST_LISTED ? `and ${plural(found.length - MOST_LISTED, 'more', 'more')}: filter, or select a person`
    : found.length ? '' : 'No segment passes the filters.';
};

const filter = () => {
  state.words = byId('words').value.toLowerCase().split(/\s+/).filter(Boolean);
  state.least = Number(byId('least').value);
  byId('least-told').textContent = state.least.toFixed(2);
  layOut();
  drawTimeline();
  list();
  refresh();
};
byId('words').addEventListener('input', filter);
byId('least').addEventListener('input', filter);

byId('play').addEventListener('click', togglePlay);
byId('back').addEventListener('click', () => step(-1));
byId('on').addEventListener('click', () => step(1));
byId('in').addEventListener('click', () => zoomBy(1.6));
byId('out').addEventListener('click', () => zoomBy(1 / 1.6));
byId('fit').addEventListener('click', () => zoomBy(0));
byId('speed').addEventListener('change', (event) => { time.rate = video.playbackRate = Number(event.target.value); });
byId('muted').addEventListener('change', (event) => { video.muted = event.target.checked; });

const selectNext = (by) => {
  const shown = rows.filter((row) => !row.element.hidden).map((row) => row.person);
  const at = shown.indexOf(state.selected);
  if (shown.length) select(shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : clamp(at + by, 0, shown.length - 1)]);
};
const KEYS = {
  ' ': togglePlay,
  ArrowLeft: (event) => (event.shiftKey ? seek(time.ms - 1000) : step(-1)),
  ArrowRight: (event) => (event.shiftKey ? seek(time.ms + 1000) : step(1)),
  ArrowUp: () => selectNext(-1),
  ArrowDown: () => selectNext(1),
  Home: () => seek(0),
  End: () => seek(film.end_ms),
  '/': () => byId('words').focus(),
  Escape: () => select(null),
  '+': () => zoomBy(1.6),
  '=': () => zoomBy(1.6),
  '-': () => zoomBy(1 / 1.6),
  0: () => zoomBy(0),
};
document.addEventListener('keydown', (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, key)) return;
  if (target.id === 'words') {
    if (key === 'Escape') { target.value = ''; filter(); target.blur(); }
    return;
  }
  if (target.matches('input, select') || (key === ' ' && target.matches('button, summary'))) return;
  event.preventDefault();
  KEYS[key](event);
});
// A click with the mouse leaves the keys to the page.
document.addEventListener('mousedown', (event) => event.target.closest('button') && event.preventDefault());
document.addEventListener('pointerup', (event) => event.target.matches('input[type=range], input[type=checkbox]') && setTimeout(() => event.target.blur()));
byId('speed').addEventListener('change', (event) => event.target.blur());

const shots = film.shots_ms.length ? `, ${film.shots_ms.length + 1} shots` : '';
byId('facts').textContent = `${plural(people.length, 'person', 'people')}, ${plural(segments.length, 'segment', 'segments')}${shots}, ${film.width} × ${film.height}, ${Number(film.fps.toFixed(2))} fps`;
screenBox.style.setProperty('--ratio', String(film.width > 0 && film.height > 0 ? film.width / film.height : 16 / 9));
scale.setAttribute('aria-valuemax', (film.end_ms / 1000).toFixed(3));
const redraw = () => { readColors(); drawTimeline(); refresh(); };
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
new ResizeObserver(redraw).observe(scroller);
new ResizeObserver(refresh).observe(screenBox);
readColors();
filter();
select(null);
if (film.url) video.src = film.url; else ask('The film is not beside this page.');
