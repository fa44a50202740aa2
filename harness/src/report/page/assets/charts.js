// The tracks of numbers: charge, rates, percentiles.

const CHART = 46;
const LINES = ["mains", "battery", "generator", "storage", "lost", "quiet"];

// Every battery in one chart, from a round value below the least to full.
function chargeTracks(model) {
  const names = [...model.levels.keys()].filter((of) => model.levels.get(of).has("charge"));
  if (!names.length) return [];
  const lowest = Math.min(...names.flatMap((of) => model.levels.get(of).get("charge").v));
  const low = Math.min(0.9, Math.floor(lowest * 10 - 0.01) / 10);
  return [{
    name: names.length > 1 ? "battery charge" : `charge: ${names[0]}`,
    height: CHART,
    space: 8,
    draw(pen, at) {
      names.forEach((of, n) => {
        const { t, v } = model.levels.get(of).get("charge");
        pen.strokeStyle = at.ink[LINES[n % LINES.length]];
        drawSteps(pen, at, t, v, (value) => (value - low) / (1 - low));
      });
    },
    marks: (pen, at) => drawMarks(pen, at, [[0, `${Math.round(low * 100)}%`], [1, "100%"]]),
    read(t) {
      const all = names.map((of) => model.level(of, "charge", t)).filter((value) => value !== undefined);
      return { text: all.length ? `${trimmed(Math.min(...all) * 100, 1)}%` : "" };
    },
  }];
}

function drawSteps(pen, { scale, model, y, height }, t, v, share) {
  pen.lineWidth = 1.5;
  pen.beginPath();
  t.forEach((at, n) => {
    const level = y + height - 1.5 - share(v[n]) * (height - 3);
    if (n) pen.lineTo(scale.x(at), level);
    else pen.moveTo(scale.x(at), level);
  });
  const last = y + height - 1.5 - share(v.at(-1)) * (height - 3);
  pen.lineTo(scale.x(model.endUs), last);
  pen.stroke();
  pen.lineWidth = 1;
}

// Values beside the left edge, each with a faint line.
function drawMarks(pen, { scale, ink, y, height }, marks) {
  // Where there is little room beside the tracks, values stand within them.
  const within = scale.left < 100;
  pen.textAlign = within ? "left" : "right";
  const edge = within ? scale.left + 2 : scale.left - 5;
  for (const [share, text] of marks) {
    const level = y + height - 1.5 - share * (height - 3);
    pen.fillStyle = ink.line;
    pen.fillRect(scale.left, Math.round(level), scale.right - scale.left, 0.5);
    pen.fillStyle = ink.quiet;
    pen.fillText(text, edge, Math.max(y + 5, Math.min(level, y + height - 5)));
  }
  pen.textAlign = "left";
}

function rateTracks(model) {
  const { bins } = model;
  if (!model.total) return [];
  const perSecond = 1e6 / bins.width;
  return [
    stackTrack(model, "requests/s", perSecond),
    quantileTrack(model, "first token", "ttft"),
    quantileTrack(model, "token gaps", "itl"),
    areaTrack(model, "tokens/s", bins.tokens, perSecond),
  ];
}

// Stacked: what went wrong stands on the ground, where it is seen.
function stackTrack(model, name, perSecond) {
  const { bins, groups } = model;
  const order = groups.map((_, n) => n).reverse();
  const sums = bins.tokens.map((_, at) => bins.requests.reduce((sum, counts) => sum + counts[at], 0));
  const most = Math.max(1, ...sums);
  return {
    name,
    height: CHART,
    space: 10,
    draw(pen, { scale, ink, y, height }) {
      sums.forEach((_, at) => {
        const [from, to] = binPlace(bins, scale, at);
        let base = y + height;
        for (const group of order) {
          const size = (bins.requests[group][at] / most) * height;
          pen.fillStyle = ink[groups[group]];
          pen.fillRect(from, base - size, Math.max(0.5, to - from - 0.5), size);
          base -= size;
        }
      });
    },
    marks: (pen, at) => drawMarks(pen, at, [[1, showCount(most * perSecond)], [0, "0"]]),
    read(t) {
      const at = bins.place(t);
      const count = (sums[at] ?? 0) * perSecond;
      const bad = groups.slice(2).reduce((sum, _, n) => sum + (bins.requests[n + 2][at] ?? 0), 0);
      return bad ? { text: `${bad} not whole`, colour: "torn" } : { text: `${showCount(count)}/s` };
    },
  };
}

function binPlace(bins, scale, at) {
  return [scale.x(bins.from + at * bins.width), scale.x(bins.from + (at + 1) * bins.width)];
}

// Median and 99th percentile, each decade as high as the next.
function quantileTrack(model, name, what) {
  const { bins } = model;
  const { p50, p99 } = bins[what];
  const known = [...p50, ...p99].filter((us) => us !== null && us > 0);
  const low = Math.floor(Math.log10(Math.max(1, Math.min(...known, 1e6))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(10, ...known))));
  const share = (us) => (Math.log10(Math.max(us, 1)) - low) / (high - low);
  return {
    name,
    height: CHART,
    space: 8,
    draw(pen, { scale, ink, y, height }) {
      const level = (us) => y + height - 1 - share(us) * (height - 2);
      bins.tokens.forEach((_, at) => {
        if (p50[at] === null) return;
        const [from, to] = binPlace(bins, scale, at);
        const [middle, late] = [level(p50[at]), level(p99[at])];
        pen.fillStyle = ink.mains;
        pen.globalAlpha = 0.22;
        pen.fillRect(from, late, to - from, middle - late);
        pen.globalAlpha = 1;
        pen.fillRect(from, middle - 0.75, to - from, 1.5);
        pen.fillStyle = ink.battery;
        pen.fillRect(from, late - 0.75, to - from, 1.5);
      });
    },
    marks(pen, at) {
      const decades = [];
      for (let n = low; n <= high; n++) decades.push([(n - low) / (high - low), showTime(10 ** n)]);
      drawMarks(pen, at, decades);
    },
    read(t) {
      const at = bins.place(t);
      const shown = p99[at] == null ? "" : showTime(p99[at]);
      return { text: shown && `p99 ${shown}`, short: shown };
    },
  };
}

function areaTrack(model, name, values, perSecond) {
  const { bins } = model;
  const most = Math.max(1, ...values);
  return {
    name,
    height: CHART - 8,
    space: 8,
    draw(pen, { scale, ink, y, height }) {
      pen.fillStyle = ink.whole;
      values.forEach((value, at) => {
        const [from, to] = binPlace(bins, scale, at);
        const size = (value / most) * height;
        pen.globalAlpha = 0.35;
        pen.fillRect(from, y + height - size, to - from, size);
        pen.globalAlpha = 1;
        pen.fillRect(from, y + height - size, to - from, 1.5);
      });
    },
    marks: (pen, at) => drawMarks(pen, at, [[1, showCount(most * perSecond)], [0, "0"]]),
    read: (t) => ({ text: `${showCount((values[bins.place(t)] ?? 0) * perSecond)}/s` }),
  };
}
