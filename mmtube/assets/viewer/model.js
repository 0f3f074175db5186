/* The document as objects, and what follows from it: who is where, what passes the filters, which bar lies where. */
const film = JSON.parse(document.getElementById('document').textContent);
const state = { selected: null, words: [], least: 0.1 };

const sums = (steps) => { let sum = 0; return steps.map((step) => (sum += step)); };
const rowsOf = (numbers, size) => Array.from({ length: numbers.length / size }, (_, row) => numbers.slice(size * row, size * (row + 1)));
const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

const people = film.people.map((told) => {
  let keys = 0;
  const person = {
    id: told.id,
    rgb: told.rgb,
    stretches: rowsOf(told.stretches, 4).map(([startMs, endMs, seen, count]) => (
      { startMs, endMs, seen: seen === 1, first: keys, last: (keys += count) - 1 })),
    keyMs: sums(told.key_ms),
    boxes: told.boxes.map(sums),
  };
  person.segments = rowsOf(told.segments, 5).map(([task, name, startMs, endMs, score]) => (
    { person, task: film.tasks[task], name: film.names[name], startMs, endMs, score: score / 1000 }));
  person.seenMs = person.stretches.reduce((sum, stretch) => sum + stretch.endMs - stretch.startMs, 0);
  return person;
});
const segments = people.flatMap((person) => person.segments);

/* Index of the last of the sorted entries for which valueAt(entry) <= value, first - 1 where there is none. */
const lastUpTo = (value, first, end, valueAt) => {
  let low = first, high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
};

/* The box at a time, on a line between its key boxes; null where the person has none. A frame's time may differ from
   that of the result by the rounding to milliseconds. */
const boxAt = (person, ms) => {
  const stretch = person.stretches[lastUpTo(ms + 1, 0, person.stretches.length, (index) => person.stretches[index].startMs)];
  if (!stretch || ms + 1 >= stretch.endMs) return null;
  const key = lastUpTo(ms, stretch.first + 1, stretch.last + 1, (index) => person.keyMs[index]);
  const next = Math.min(key + 1, stretch.last);
  const span = person.keyMs[next] - person.keyMs[key];
  const share = span ? clamp((ms - person.keyMs[key]) / span, 0, 1) : 0;
  const [x1, y1, x2, y2] = person.boxes.map((column) => (column[key] + share * (column[next] - column[key])) / film.ticks_per_px);
  return { x1, y1, x2, y2, seen: stretch.seen };
};

const passes = (segment) => {
  const name = segment.name.toLowerCase();
  return segment.score >= state.least - 1e-9 && state.words.every((word) => name.includes(word));
};
const isNow = (segment, ms) => segment.startMs <= ms && ms <= segment.endMs;

/* What a person does at a time: complex activities first, then by score, each label once. */
const labelsAt = (person, ms, most) => {
  const now = person.segments.filter((segment) => isNow(segment, ms) && passes(segment))
    .sort((a, b) => (b.task === 'complex') - (a.task === 'complex') || b.score - a.score);
  return now.filter((segment, place) => now.findIndex((one) => one.name === segment.name && one.task === segment.task) === place)
    .slice(0, most);
};

/* Lanes of bars that do not overlap. A label keeps to its lane where it can, and labels that weigh most choose first;
   what finds no room in the last lane is left out and counted. */
const lanesOf = (found, most) => {
  const weights = new Map();
  for (const one of found) weights.set(one.name, (weights.get(one.name) ?? 0) + one.score * Math.max(one.endMs - one.startMs, 1));
  const inOrder = [...found].sort((a, b) => weights.get(b.name) - weights.get(a.name) || (a.name < b.name ? -1 : a.name > b.name ? 1 : b.score - a.score));
  const lanes = [], home = new Map();
  let left = 0;
  const placeIn = (number, one) => {
    const lane = lanes[number] ?? [];
    const before = lastUpTo(one.startMs, 0, lane.length, (index) => lane[index].startMs);
    if ((before >= 0 && lane[before].endMs > one.startMs) || (lane[before + 1]?.startMs < one.endMs)) return false;
    lane.splice(before + 1, 0, one);
    lanes[number] = lane;
    home.set(one.name, home.get(one.name) ?? number);
    return true;
  };
  for (const one of inOrder) {
    const known = home.get(one.name);
    if (known !== undefined && placeIn(known, one)) continue;
    let number = 0;
    while (number < most && !placeIn(number, one)) number += 1;
    left += number === most;
  }
  return { lanes, left };
};

const clock = (ms, decimals = 2) => {
  const unit = 10 ** decimals, parts = Math.round((ms / 1000) * unit);
  const seconds = ((parts / unit) % 60).toFixed(decimals).padStart(decimals ? 3 + decimals : 2, '0');
  const minutes = Math.floor(parts / unit / 60);
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
};
const plural = (count, one, many) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

/* Colours: of a person, paler for lower scores, and black or white text on it (contrast as in WCAG 2). */
const css = (rgb) => `rgb(${rgb.map(Math.round).join(' ')})`;
const mixed = (rgb, other, share) => rgb.map((value, channel) => other[channel] + share * (value - other[channel]));
const inkOn = (rgb) => {
  const [red, green, blue] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) ** 2 > 0.05 * 1.05 ? '#000' : '#fff';
};

const byId = (id) => document.getElementById(id);
const make = (name, className, content) => {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = content ?? '';
  return element;
};
const chip = (person) => {
  const element = make('span', 'chip', String(person.id));
  element.style.background = css(person.rgb);
  element.style.color = inkOn(person.rgb);
  return element;
};

/* A canvas as sharp as the screen; returns its pen in CSS pixels. */
const penOf = (canvas, width, height) => {
  const scale = window.devicePixelRatio || 1;
  const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  const pen = canvas.getContext('2d');
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
};
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
