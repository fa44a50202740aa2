// What everything that draws on a canvas shares: colours, a sharp canvas, ticks.

const COLOURS = ["ink", "quiet", "faint", "line", "paper", "panel", "mains", "battery", "generator",
  "storage", "dead", "whole", "shed", "torn", "lost", "corrupted", "calm", "between", "cursor", "off"];

// The colours of the present theme; on paper those of the light one.
function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

// Makes a canvas as large as asked, in the screen's own pixels.
function fit(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 3);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.font = FONT;
  pen.textBaseline = "middle";
  return pen;
}

function canvasIn(parent, name) {
  const canvas = document.createElement("canvas");
  canvas.className = name;
  canvas.setAttribute("aria-hidden", "true");
  parent.append(canvas);
  return canvas;
}

function element(parent, tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

// Text that is cut to a width.
function write(pen, text, x, y, width) {
  if (width < 8) return;
  let shown = text;
  while (shown && pen.measureText(shown).width > width) {
    shown = shown.length > 2 ? `${shown.slice(0, -2)}…` : "";
  }
  if (shown.length > 1 || shown === text) pen.fillText(shown, x, y);
}

// Round values between two, about so many.
function ticks(low, high, about) {
  const rough = (high - low) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  const all = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) all.push(value);
  return all;
}

// From run time to places on a canvas, shared by everything over one axis.
class Scale {
  constructor(from, to) {
    this.from = from;
    this.to = Math.max(to, from + 1);
    this.left = 0;
    this.right = 1;
  }

  fit(width) {
    this.left = width < 600 ? 82 : 132;
    this.right = width - (width < 600 ? 66 : 108);
  }

  x(t) {
    return this.left + ((t - this.from) / (this.to - this.from)) * (this.right - this.left);
  }

  t(x) {
    return this.from + ((x - this.left) / (this.right - this.left)) * (this.to - this.from);
  }
}
