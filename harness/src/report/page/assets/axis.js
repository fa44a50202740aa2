// One time axis for everything: tracks one below the other on one canvas, and on
// a second one above it the cursor with what each track shows there.

class Axis {
  constructor(parent, model, scale) {
    this.model = model;
    this.scale = scale;
    this.box = element(parent, "div", "axis");
    this.below = canvasIn(this.box, "below");
    this.above = canvasIn(this.box, "above");
    legend(parent);
    this.time = model.originUs;
    this.update();
  }

  // The model has more, or the scale or the theme has changed.
  update() {
    this.width = this.box.clientWidth || 900;
    this.scale.fit(this.width);
    this.tracks = tracksOf(this.model);
    let y = 20;
    for (const track of this.tracks) {
      track.y = y + (track.space ?? 0);
      y = track.y + track.height + 2;
    }
    this.height = y + 4;
    this.colours = colours();
    this.draw();
    this.setTime(this.time);
  }

  draw() {
    const pen = fit(this.below, this.width, this.height);
    const { scale, colours: ink, model } = this;
    drawPhases(pen, this);
    for (const track of this.tracks) {
      pen.fillStyle = ink.quiet;
      const name = scale.left < 100 ? brief(track.name) : track.name;
      write(pen, name, 0, track.y + Math.min(track.height / 2, 9), scale.left - 8);
      pen.save();
      pen.beginPath();
      pen.rect(scale.left, track.y - 1, scale.right - scale.left, track.height + 2);
      pen.clip();
      track.draw(pen, { scale, ink, model, y: track.y, height: track.height });
      pen.restore();
      if (track.marks) track.marks(pen, { scale, ink, y: track.y, height: track.height });
    }
    this.overlay = fit(this.above, this.width, this.height);
  }

  // Moves the cursor: all that has to be fast.
  setTime(t) {
    this.time = t;
    const { overlay: pen, scale, colours: ink } = this;
    pen.clearRect(0, 0, this.width, this.height);
    const x = scale.x(t);
    if (x >= scale.left && x <= scale.right) {
      pen.fillStyle = ink.cursor;
      pen.fillRect(x - 0.5, 14, 1, this.height - 14);
    }
    for (const track of this.tracks) {
      const { text, short, colour } = track.read(t);
      const narrow = scale.left < 100;
      pen.fillStyle = ink[colour] ?? ink.ink;
      write(pen, narrow && short ? short : text, scale.right + 7, track.y + Math.min(track.height / 2, 9), this.width - scale.right - 7);
    }
  }
}

// What the colours mean.
const LEGEND = [["mains", "mains, medians"], ["battery", "battery, 99th percentiles"],
  ["generator", "generator"], ["storage", "storage"], ["dead", "dead, faults"], ["whole", "answered in full"],
  ["shed", "turned away"], ["torn", "torn ×"], ["lost", "lost ×"], ["corrupted", "wrong ×"]];

function legend(parent) {
  const line = element(parent, "p", "legend");
  for (const [colour, text] of LEGEND) {
    const item = element(line, "span");
    element(item, "i").style.background = `var(--${colour})`;
    item.append(text);
  }
}

// A track's name where there is little room.
function brief(name) {
  const short = { "gateway: ": "gw ", "published: ": "told ", "machine: ": "", "volts: ": "", "fault: ": "" };
  const word = Object.keys(short).find((start) => name.startsWith(start));
  return word === undefined ? name.replace("battery charge", "charge") : short[word] + name.slice(word.length);
}

function drawPhases(pen, { scale, colours: ink, model, height }) {
  model.phases.forEach((phase, n) => {
    const [from, to] = [Math.max(scale.left, scale.x(phase.start)), Math.min(scale.right, scale.x(phase.end))];
    if (to <= from) return;
    pen.fillStyle = ink.faint;
    if (n % 2) pen.fillRect(from, 14, to - from, height);
    pen.fillStyle = ink.quiet;
    write(pen, phase.name, from + 4, 7, to - from - 6);
  });
}

// The tracks of a model, from the power to the reader.
function tracksOf(model) {
  return [
    ...faultTracks(model),
    ...crewTracks(model),
    ...supplyTracks(model),
    ...chargeTracks(model),
    ...stateTracks(model),
    ...rateTracks(model),
  ];
}
