/* The film, or a clock in its place where there is none, and the boxes over it. */
const stage = byId('stage'), screenBox = byId('screen'), video = byId('film'), overlay = byId('boxes'), missing = byId('missing');
const time = { ms: 0, shownMs: 0, playing: false, rate: 1, hasFilm: false, ticked: 0 };
const LABELS = 3, LINE = 17, GAP = 3;
let places = []; // of the boxes as they are drawn, the foremost last
const sides = new Map(); // where each person's labels were

const CAN_TELL_FRAMES = 'requestVideoFrameCallback' in HTMLVideoElement.prototype;
const onFrame = (_, { mediaTime }) => {
  if (!video.seeking) { // else it is a frame that was shown on the way
    time.shownMs = 1000 * mediaTime;
    if (!video.paused) time.ms = time.shownMs;
    refresh();
  }
  video.requestVideoFrameCallback(onFrame);
};
const tick = (now) => {
  if (!time.playing) return;
  if (!time.hasFilm) {
    time.ms = time.shownMs = Math.min(time.ms + (now - time.ticked) * time.rate, film.end_ms);
    if (time.ms >= film.end_ms) setPlaying(false);
  } else if (!CAN_TELL_FRAMES) time.ms = time.shownMs = 1000 * video.currentTime;
  time.ticked = now;
  refresh();
  requestAnimationFrame(tick);
};
const setPlaying = (playing) => {
  time.playing = playing;
  stage.classList.toggle('is-playing', playing);
  byId('play').setAttribute('aria-label', playing ? 'Pause' : 'Play');
  if (playing) { time.ticked = performance.now(); requestAnimationFrame(tick); }
};
const togglePlay = () => {
  if (!time.playing && time.ms >= film.end_ms - 1) seek(0);
  if (!time.hasFilm) setPlaying(!time.playing);
  else if (video.paused) video.play().catch(() => setPlaying(false));
  else video.pause();
};

/* Go to a time; a little beyond the start of a frame, because its time in the file is rounded. */
const seek = (ms, beyondMs = 1) => {
  time.ms = time.shownMs = clamp(ms, 0, film.end_ms);
  if (time.hasFilm) video.currentTime = (time.ms + beyondMs) / 1000;
  follow();
  refresh();
};
const step = (frames) => {
  const frameMs = film.fps > 0 ? 1000 / film.fps : 40;
  seek(Math.max(Math.round(time.shownMs / frameMs) + frames, 0) * frameMs, frameMs / 2);
};

const ask = (why) => {
  time.hasFilm = false;
  byId('why').textContent = why;
  missing.hidden = false;
};
const open = (file) => {
  URL.revokeObjectURL(video.src);
  video.src = URL.createObjectURL(file);
  video.dataset.chosen = file.name;
};
video.addEventListener('loadedmetadata', () => {
  time.hasFilm = video.videoWidth > 0;
  if (!time.hasFilm) return ask('This browser cannot show the picture of this film.');
  missing.hidden = true;
  const isOther = Math.abs(video.videoWidth / video.videoHeight / (film.width / film.height) - 1) > 0.03
    || Math.abs(1000 * video.duration - film.end_ms) > 1000;
  byId('notice').textContent = isOther && video.dataset.chosen
    ? `${video.dataset.chosen} is ${video.videoWidth} × ${video.videoHeight} and ${clock(1000 * video.duration, 0)} long: another film?` : '';
  video.playbackRate = time.rate;
  video.currentTime = (time.ms + 1) / 1000;
  return refresh();
});
video.addEventListener('error', () => ask(video.dataset.chosen ? `This browser cannot play ${video.dataset.chosen}.` : `${film.name} is not where it was, or this browser cannot play it.`));
video.addEventListener('play', () => setPlaying(true));
video.addEventListener('pause', () => setPlaying(false));
if (CAN_TELL_FRAMES) video.requestVideoFrameCallback(onFrame);
else video.addEventListener('seeked', () => { time.shownMs = 1000 * video.currentTime; refresh(); });

byId('choose').addEventListener('change', (event) => event.target.files[0] && open(event.target.files[0]));
for (const name of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.toggle('dropping', name === 'dragover');
    const file = name === 'drop' ? event.dataTransfer.files[0] : null;
    if (file) open(file);
  });
}

const overlaps = (a, b) => a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2;

/* Draw who is in the frame that is shown. */
const drawBoxes = () => {
  const { clientWidth: width, clientHeight: height } = overlay;
  const pen = penOf(overlay, width, height);
  // A film of odd size is padded to an even one.
  const across = width / (video.videoWidth === film.width + 1 ? film.width + 1 : film.width);
  const down = height / (video.videoHeight === film.height + 1 ? film.height + 1 : film.height);
  places = [];
  for (const person of people) {
    const box = boxAt(person, time.shownMs);
    if (!box) continue;
    const place = { person, seen: box.seen, x1: box.x1 * across, y1: box.y1 * down, x2: box.x2 * across, y2: box.y2 * down };
    if (place.x1 < width && place.y1 < height && place.x2 > 0 && place.y2 > 0) places.push(place);
  }
  // The nearest, whose boxes end lowest, are drawn last and choose where their labels go first; the selected is first.
  places.sort((a, b) => (a.person === state.selected) - (b.person === state.selected) || a.y2 - b.y2);
  for (const place of places) drawBox(pen, place);
  const tags = places.map((place) => drawTag(pen, place, width, height));
  const taken = [...tags];
  for (const place of [...places].reverse()) {
    const labels = labelsAt(place.person, time.ms, LABELS);
    for (let count = labels.length; count > 0; count -= 1) {
      const panel = panelFor(pen, place, labels.slice(0, count), taken, width, height);
      if (!panel) continue;
      drawPanel(pen, panel, place.person, labels.slice(0, count));
      taken.push(panel);
      break;
    }
  }
};

const drawBox = (pen, { person, seen, x1, y1, x2, y2 }) => {
  const line = person === state.selected ? 4 : 2;
  pen.setLineDash(seen ? [] : [8, 6]);
  for (const [width, color] of [[line + 2, 'rgb(0 0 0 / 45%)'], [line, css(person.rgb)]]) {
    pen.lineWidth = width;
    pen.strokeStyle = color;
    pen.strokeRect(x1 + line / 2, y1 + line / 2, Math.max(x2 - x1 - line, 1), Math.max(y2 - y1 - line, 1));
  }
  pen.setLineDash([]);
};

const drawTag = (pen, { person, x1, y1 }, width, height) => {
  pen.font = `700 12px ${FONT}`;
  const wide = pen.measureText(String(person.id)).width + 10;
  const left = clamp(x1, 0, width - wide);
  const top = clamp(y1 >= LINE ? y1 - LINE : y1, 0, height - LINE);
  pen.fillStyle = css(person.rgb);
  pen.fillRect(left, top, wide, LINE);
  pen.fillStyle = inkOn(person.rgb);
  pen.textBaseline = 'middle';
  pen.fillText(String(person.id), left + 5, top + LINE / 2 + 0.5);
  return { x1: left, y1: top, x2: left + wide, y2: top + LINE };
};

const labelFont = (segment) => `${segment.task === 'complex' ? 700 : 500} 12px ${FONT}`;
const panelFor = (pen, place, labels, taken, width, height) => {
  const wide = 48 + Math.max(...labels.map((segment) => { pen.font = labelFont(segment); return Math.min(pen.measureText(segment.name).width, 200); }));
  const high = labels.length * LINE + 4;
  const top = clamp(place.y1, 0, Math.max(height - high, 0));
  const at = (x1, y1) => ({ x1, y1, x2: x1 + wide, y2: y1 + high });
  const spots = [
    at(place.x2 + GAP, top), at(place.x1 - wide - GAP, top), at(place.x1, place.y2 + GAP), at(place.x1, place.y1 - high - LINE - GAP),
    at(clamp(place.x1 + 4, 0, Math.max(width - wide, 0)), clamp(place.y1 + LINE, 0, Math.max(height - high, 0))),
  ];
  const isFree = (spot) => spot.x1 >= 0 && spot.y1 >= 0 && spot.x2 <= width && spot.y2 <= height && !taken.some((one) => overlaps(one, spot));
  const before = sides.get(place.person) ?? 0;
  const side = [before, 0, 1, 2, 3, 4].find((number) => isFree(spots[number]));
  if (side !== undefined) sides.set(place.person, side);
  return spots[side];
};
const drawPanel = (pen, { x1, y1, x2, y2 }, person, labels) => {
  pen.fillStyle = 'rgb(16 19 23 / 78%)';
  pen.fillRect(x1, y1, x2 - x1, y2 - y1);
  pen.fillStyle = css(person.rgb);
  pen.fillRect(x1, y1, 3, y2 - y1);
  labels.forEach((segment, row) => {
    const middle = y1 + 2 + (row + 0.5) * LINE;
    pen.font = labelFont(segment);
    pen.fillStyle = '#fff';
    pen.fillText(segment.name, x1 + 9, middle + 0.5, 200);
    pen.font = `11px ${FONT}`;
    pen.fillStyle = '#c6ced6';
    pen.textAlign = 'right';
    pen.fillText(segment.score.toFixed(2), x2 - 5, middle + 0.5);
    pen.textAlign = 'left';
  });
};

overlay.addEventListener('click', (event) => {
  const hit = [...places].reverse().find((place) => place.x1 <= event.offsetX && event.offsetX < place.x2 && place.y1 <= event.offsetY && event.offsetY < place.y2);
  if (hit) select(hit.person); else togglePlay();
});
