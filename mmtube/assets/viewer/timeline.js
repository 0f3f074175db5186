/* The rows below the film: presence, complex and atomic segments of each person, shot changes, the play head. */
const scroller = byId('scroller'), wide = byId('wide'), frozen = byId('frozen'), scale = byId('scale'), head = byId('head'), tip = byId('tip');
const NAMES = () => byId('ruler').firstElementChild.offsetWidth;
const PRESENCE = { top: 6, height: 7 }, MARGIN = 5;
const BARS = { // heights, and most lanes of one person
  complex: { height: 18, font: `600 11px ${FONT}`, most: 3 },
  atomic: { height: 15, font: `11px ${FONT}`, most: 6 },
  clip: { height: 12, font: `10px ${FONT}`, most: 4 },
};
const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const view = { zoom: 1, width: 1 };
const colors = {};

const readColors = () => {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['paper', 'ink', 'soft', 'line']) colors[name] = style.getPropertyValue(`--${name}`).trim();
  colors.paperRgb = [1, 3, 5].map((at) => parseInt(colors.paper.slice(at, at + 2), 16));
};
const pxPerMs = () => (view.width * view.zoom) / Math.max(film.end_ms, 1);
const xOf = (ms) => ms * pxPerMs() - scroller.scrollLeft;
const msAt = (x) => clamp((x + scroller.scrollLeft) / pxPerMs(), 0, film.end_ms);

const rows = people.map((person) => {
  const element = make('div', 'row'), who = make('button', 'who'), canvas = make('canvas', '');
  const told = make('span', 'aside', person.stretches.length ? clock(person.seenMs, 1) : 'no box');
  who.type = 'button';
  who.append(chip(person), told);
  element.append(who, canvas);
  element.dataset.id = String(person.id);
  byId('rows').append(element);
  const row = { person, element, who, canvas, told, bands: [] };
  who.addEventListener('click', () => select(state.selected === person ? null : person));
  canvas.addEventListener('pointerdown', (event) => event.button === 0 && clickRow(row, event));
  canvas.addEventListener('pointermove', (event) => tell(row, event));
  canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
  return row;
});
if (!people.length) byId('rows').append(Object.assign(make('p', 'aside', 'Nobody was found in this film.'), { id: 'nobody' }));

/* Lay out what passes the filters. A filter by label leaves the rows that have it. */
const layOut = () => {
  let shown = 0, shownPeople = 0;
  for (const row of rows) {
    const found = row.person.segments.filter(passes);
    row.element.hidden = state.words.length > 0 && !found.length;
    shown += found.length;
    shownPeople += !row.element.hidden;
    let top = PRESENCE.top + PRESENCE.height + 3, left = 0;
    row.bands = [];
    for (const task of ['complex', 'atomic', 'clip']) {
      const packed = lanesOf(found.filter((segment) => segment.task === task), BARS[task].most);
      for (const lane of packed.lanes) {
        row.bands.push({ task, lane, top, height: BARS[task].height });
        top += BARS[task].height + 1;
      }
      left += packed.left;
    }
    row.height = Math.max(top + MARGIN, 28);
    row.who.title = left ? `${plural(left, 'segment', 'segments')} more than fit: raise the score or filter` : '';
    row.told.textContent = (row.person.stretches.length ? clock(row.person.seenMs, 1) : 'no box') + (left ? `  +${left}` : '');
    row.canvas.style.height = `${row.height}px`;
  }
  byId('count').textContent = `${shown.toLocaleString('en')} of ${plural(segments.length, 'segment', 'segments')}, ${shownPeople} of ${plural(people.length, 'person', 'people')}`;
};

const drawTimeline = () => {
  const names = NAMES();
  view.width = Math.max(scroller.clientWidth - names - 12, 50);
  view.zoom = clamp(view.zoom, 1, mostZoom());
  frozen.style.width = `${scroller.clientWidth}px`;
  wide.style.width = `${scroller.clientWidth + view.width * (view.zoom - 1)}px`;
  drawScale();
  for (const row of rows) if (!row.element.hidden) drawRow(row);
  moveHead();
};

const drawScale = () => {
  const pen = penOf(scale.firstElementChild, scale.clientWidth, 27);
  scale.firstElementChild.style.height = '27px';
  const stepMs = 1000 * (STEPS_S.find((seconds) => 1000 * seconds * pxPerMs() >= 74) ?? STEPS_S.at(-1));
  pen.font = `11px ${FONT}`;
  pen.textBaseline = 'middle';
  for (let number = Math.floor(msAt(-20) / stepMs); number * stepMs <= msAt(scale.clientWidth); number += 1) {
    const x = xOf(number * stepMs);
    pen.fillStyle = colors.line;
    pen.fillRect(Math.round(x), 17, 1, 10);
    pen.fillStyle = colors.soft;
    const told = clock(number * stepMs, stepMs < 1000 ? 1 : 0);
    if (x + 4 + pen.measureText(told).width <= scale.clientWidth) pen.fillText(told, Math.round(x) + 4, 11);
  }
  pen.fillStyle = colors.ink;
  for (const ms of film.shots_ms) {
    const x = Math.round(xOf(ms));
    pen.beginPath();
    pen.moveTo(x - 4, 20); pen.lineTo(x + 4, 20); pen.lineTo(x, 27);
    pen.fill();
  }
};

const drawRow = ({ person, canvas, bands, height }) => {
  const width = canvas.clientWidth;
  const pen = penOf(canvas, width, height);
  const paint = (startMs, endMs, top, high, color) => {
    const x = xOf(startMs), end = Math.max(xOf(endMs), x + 1.5);
    if (end < 0 || x > width) return;
    pen.fillStyle = color;
    pen.fillRect(Math.max(x, -2), top, Math.min(end, width + 2) - Math.max(x, -2), high);
  };
  if (person.stretches.length) paint(person.stretches[0].startMs, person.stretches.at(-1).endMs, PRESENCE.top + PRESENCE.height / 2, 1, colors.soft);
  for (const { startMs, endMs, seen } of person.stretches) {
    paint(startMs, endMs, PRESENCE.top, PRESENCE.height, css(seen ? person.rgb : mixed(person.rgb, colors.paperRgb, 0.4)));
  }
  for (const band of bands) drawBand(pen, band, person, width);
  pen.strokeStyle = colors.soft;
  pen.setLineDash([4, 3]);
  pen.beginPath();
  for (const ms of film.shots_ms) {
    const x = Math.round(xOf(ms)) + 0.5;
    if (x >= 0 && x <= width) { pen.moveTo(x, 0); pen.lineTo(x, height); }
  }
  pen.stroke();
  pen.setLineDash([]);
};

/* Bars of one lane; neighbours of one label share one text. */
const drawBand = (pen, { task, lane, top, height }, person, width) => {
  let drawnTo = -Infinity, run = null;
  const write = () => {
    if (!run) return;
    const x = Math.max(run.x, 0), room = Math.min(run.end, width) - x - 8;
    if (room < 14) return;
    pen.save();
    pen.beginPath();
    pen.rect(x, top, room + 6, height);
    pen.clip();
    pen.font = BARS[task].font;
    pen.textBaseline = 'middle';
    pen.fillStyle = inkOn(run.rgb);
    pen.fillText(fitted(pen, run.name, room), x + 4, top + height / 2 + 0.5);
    pen.restore();
  };
  for (const segment of lane) {
    const x = xOf(segment.startMs), end = Math.max(xOf(segment.endMs), x + 2);
    if (end < 0 || end <= drawnTo) continue; // what lies within a pixel that is drawn
    if (x > width) break;
    const rgb = mixed(person.rgb, colors.paperRgb, 0.25 + 0.75 * clamp(segment.score, 0, 1));
    pen.fillStyle = css(rgb);
    pen.fillRect(x, top, end - x, height);
    if (task !== 'clip') {
      pen.strokeStyle = css(mixed(person.rgb, task === 'complex' ? [0, 0, 0] : colors.paperRgb, task === 'complex' ? 0.55 : 0.9));
      pen.lineWidth = task === 'complex' ? 1.5 : 1;
      if (end - x > 3) pen.strokeRect(x + 0.5, top + 0.5, end - x - 1, height - 1);
    }
    drawnTo = Math.floor(end);
    if (run && run.name === segment.name && x - run.end < 1) run.end = end;
    else { write(); run = { name: segment.name, x, end, rgb }; }
  }
  write();
};
const fitted = (pen, name, room) => {
  if (pen.measureText(name).width <= room) return name;
  const length = lastUpTo(room, 0, name.length, (count) => pen.measureText(`${name.slice(0, count)}…`).width);
  return length > 0 ? `${name.slice(0, length)}…` : '';
};

const segmentAt = (row, event) => {
  const band = row.bands.find(({ top, height }) => top <= event.offsetY && event.offsetY <= top + height);
  if (!band) return null;
  const segment = band.lane[lastUpTo(msAt(event.offsetX), 0, band.lane.length, (index) => band.lane[index].startMs)];
  return segment && event.offsetX <= Math.max(xOf(segment.endMs), xOf(segment.startMs) + 3) ? segment : null;
};
const clickRow = (row, event) => {
  const segment = segmentAt(row, event);
  select(row.person);
  seek(segment ? segment.startMs : msAt(event.offsetX));
};
const tell = (row, event) => {
  const segment = segmentAt(row, event);
  tip.textContent = segment
    ? `${segment.name}  ${segment.score.toFixed(2)}${segment.task === 'atomic' ? '' : `  (${segment.task})`}\n${clock(segment.startMs)} – ${clock(segment.endMs)}` : clock(msAt(event.offsetX));
  tip.hidden = false;
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 6)}px`;
  tip.style.top = `${Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 6)}px`;
};

const moveHead = () => {
  const x = xOf(time.ms);
  head.hidden = x < -1 || x > view.width + 12;
  head.style.transform = `translateX(${NAMES() + x}px)`;
};
/* Keep the play head in view. */
const follow = () => {
  const x = xOf(time.ms);
  if (x < 0 || x > view.width) scroller.scrollLeft += x - 0.1 * view.width;
};

const mostZoom = () => Math.max(1, (0.5 * film.end_ms) / view.width); // 500 pixels a second
const zoomBy = (factor, aroundX = xOf(clamp(time.ms, msAt(0), msAt(view.width)))) => {
  const ms = msAt(aroundX);
  view.zoom = clamp(view.zoom * factor, 1, mostZoom());
  drawTimeline();
  scroller.scrollLeft += xOf(ms) - aroundX;
  drawTimeline();
};
scroller.addEventListener('wheel', (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoomBy(1.0015 ** -event.deltaY, clamp(event.clientX - scroller.getBoundingClientRect().left - NAMES(), 0, view.width));
}, { passive: false });
let scrolledTo = 0;
scroller.addEventListener('scroll', () => {
  if (scroller.scrollLeft !== scrolledTo) { scrolledTo = scroller.scrollLeft; drawTimeline(); }
});
const scrub = (event) => seek(msAt(event.clientX - scale.getBoundingClientRect().left));
scale.addEventListener('pointerdown', (event) => { scale.setPointerCapture(event.pointerId); scrub(event); });
scale.addEventListener('pointermove', (event) => event.buttons && scrub(event));
