// Requests as lanes over the axis. Only those in sight are drawn, so that ten
// thousand cost what thirty do.

const LANE = 17;
// A silence beyond this share of the longest pause, and this time, is a gap to see.
const GAP_US = 150e3;
const RANKS = ["torn", "corrupted", "lost", "shed", "whole"];

class Lanes {
  constructor(parent, model, scale) {
    this.model = model;
    this.scale = scale;
    this.wanted = "all";
    this.order = "worst";
    this.chosen = -1;
    this.time = model.originUs;
    this.bar = element(parent, "div", "lanes-bar");
    this.list = element(parent, "div", "lanes");
    this.list.tabIndex = 0;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Requests; arrow keys choose, Enter opens");
    this.canvas = canvasIn(this.list, "lanes-seen");
    this.room = element(this.list, "div", "lanes-room");
    this.said = element(parent, "p", "unseen");
    this.said.setAttribute("aria-live", "polite");
    this.opened = element(parent, "div", "opened");
    this.list.addEventListener("scroll", () => this.later());
    this.list.addEventListener("click", (event) => this.click(event));
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.controls();
    this.update();
  }

  controls() {
    element(this.bar, "b", "", "Requests");
    this.filter = element(this.bar, "select");
    this.filter.setAttribute("aria-label", "Which requests");
    this.filter.addEventListener("change", () => this.show(this.filter.value, this.order));
    const order = element(this.bar, "select");
    order.setAttribute("aria-label", "In which order");
    for (const [value, text] of [["worst", "worst first"], ["time", "by time"], ["newest", "newest first"], ["silence", "longest pause first"]]) {
      element(order, "option", "", text).value = value;
    }
    this.orders = order;
    order.addEventListener("change", () => this.show(this.wanted, order.value));
    this.count = element(this.bar, "span", "quiet");
  }

  show(wanted, order) {
    [this.wanted, this.order] = [wanted, order];
    this.orders.value = order;
    this.list.scrollTop = 0;
    this.update();
  }

  // The model has more, or the scale or the theme has changed.
  update() {
    this.choices();
    const { rows } = this.model;
    this.rows = rows.filter((row) => this.wanted === "all" || row.group === this.wanted
      || (this.wanted === "bad" && row.group !== "whole") || row.fate === this.wanted);
    const rank = (row) => RANKS.indexOf(row.group) - (row.served.length > 1 ? 0.5 : 0);
    if (this.order === "worst") this.rows.sort((a, b) => rank(a) - rank(b) || a.at - b.at);
    if (this.order === "newest") this.rows.reverse();
    if (this.order === "silence") this.rows.sort((a, b) => (b.silence ?? 0) - (a.silence ?? 0));
    const left = this.model.total - rows.length;
    this.count.textContent = `${this.rows.length} of ${this.model.total}`
      + (left > 0 ? `; ${left} that went well are left out` : "")
      + (this.model.withoutTokens ? `; ${this.model.withoutTokens} without their tokens` : "");
    this.colours = colours();
    this.width = this.list.clientWidth || 900;
    this.scale.fit(this.width);
    this.height = Math.min(this.rows.length * LANE + 6, 24 * LANE);
    this.list.style.height = `${this.height + 2}px`;
    this.room.style.height = `${Math.max(0, this.rows.length * LANE + 6 - this.height)}px`;
    this.draw();
  }

  choices() {
    const counts = new Map();
    for (const row of this.model.rows) counts.set(row.fate, (counts.get(row.fate) ?? 0) + 1);
    const bad = this.model.rows.filter((row) => row.group !== "whole").length;
    const all = [["all", "all fates", this.model.rows.length], ["bad", "not whole", bad],
      ...[...counts].map(([fate, n]) => [fate, showState(fate), n])];
    const key = JSON.stringify(all);
    if (key === this.choicesKey) return;
    this.choicesKey = key;
    this.filter.replaceChildren();
    for (const [value, text, n] of all) element(this.filter, "option", "", `${text} (${n})`).value = value;
    this.filter.value = this.wanted;
  }

  // Draws at the next frame, once.
  later() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = null;
      this.draw();
    });
  }

  setTime(t) {
    this.time = t;
    this.draw();
  }

  draw() {
    const size = `${this.width} ${this.height} ${window.devicePixelRatio}`;
    if (size !== this.size || !this.pen) this.pen = fit(this.canvas, this.width, this.height);
    this.size = size;
    const { pen, scale, colours: ink } = this;
    pen.clearRect(0, 0, this.width, this.height);
    const first = Math.floor(this.list.scrollTop / LANE);
    const shift = this.list.scrollTop - first * LANE;
    const last = Math.min(this.rows.length, first + Math.ceil(this.height / LANE) + 1);
    for (let n = first; n < last; n++) this.lane(this.rows[n], (n - first) * LANE - shift + 3, n === this.chosen);
    const x = scale.x(this.time);
    if (x >= scale.left && x <= scale.right) {
      pen.fillStyle = ink.cursor;
      pen.fillRect(x - 0.5, 0, 1, this.height);
    }
    this.place();
  }

  // How far it is scrolled. A scroll bar of the browser's would take room that the
  // axis has.
  place() {
    const all = this.rows.length * LANE + 6;
    if (all <= this.height) return;
    const size = Math.max(16, (this.height / all) * this.height);
    const top = (this.list.scrollTop / (all - this.height)) * (this.height - size);
    this.pen.fillStyle = this.colours.quiet;
    this.pen.fillRect(this.width - 3, top, 3, size);
  }

  lane(row, y, chosen) {
    const { pen, scale, colours: ink, model } = this;
    if (chosen) {
      pen.fillStyle = ink.faint;
      pen.fillRect(0, y, this.width, LANE);
    }
    pen.fillStyle = row.group === "whole" ? ink.quiet : ink.ink;
    write(pen, row.id, 0, y + LANE / 2, scale.left - 8);
    pen.fillStyle = row.group === "whole" ? ink.quiet : ink[row.group];
    write(pen, showState(row.fate), scale.right + 7, y + LANE / 2, this.width - scale.right - 13);
    pen.save();
    pen.beginPath();
    pen.rect(scale.left, y, scale.right - scale.left, LANE);
    pen.clip();
    drawRequest(pen, row, model.times(row), (t) => scale.x(t), y + 3, LANE - 6, ink);
    pen.restore();
  }

  click(event) {
    const y = event.clientY - this.list.getBoundingClientRect().top - 3 + this.list.scrollTop;
    this.choose(Math.floor(y / LANE), true);
  }

  key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 };
    if (event.key in steps) this.choose(this.chosen + steps[event.key], false);
    else if (event.key === "Home") this.choose(0, false);
    else if (event.key === "End") this.choose(this.rows.length - 1, false);
    else if (event.key === "Enter" || event.key === " ") this.choose(this.chosen, true);
    else if (event.key === "Escape") this.opened.replaceChildren();
    else return;
    event.preventDefault();
  }

  choose(n, open) {
    if (!this.rows.length) return;
    this.chosen = Math.max(0, Math.min(this.rows.length - 1, n));
    const row = this.rows[this.chosen];
    const [top, foot] = [this.chosen * LANE, (this.chosen + 1) * LANE + 6];
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    if (foot > this.list.scrollTop + this.height) this.list.scrollTop = foot - this.height;
    this.said.textContent = `${row.id}: ${showState(row.fate)}`;
    if (open) openRequest(this.opened, this.model, row);
    this.draw();
  }

  // Opens a request by its id; false where it is not among the lanes.
  open(id) {
    if (!this.rows.some((row) => row.id === id)) this.show("all", this.order);
    const n = this.rows.findIndex((row) => row.id === id);
    if (n < 0) return false;
    this.choose(n, true);
    this.list.scrollIntoView({ block: "nearest" });
    return true;
  }
}

// One request: a line while it waits, a bar while tokens come, holes where none did.
function drawRequest(pen, row, times, x, y, height, ink) {
  const middle = y + height / 2;
  const first = times[0] ?? row.end;
  pen.fillStyle = ink.quiet;
  pen.fillRect(x(row.sent), middle - 0.5, Math.max(1, x(first) - x(row.sent)), 1);
  const colour = ink[row.group === "whole" ? "whole" : row.group];
  let start = first;
  times.forEach((t, n) => {
    const next = times[n + 1];
    if (next !== undefined && next - t < GAP_US) return;
    pen.fillStyle = colour;
    pen.globalAlpha = row.group === "whole" && row.served.length < 2 ? 0.55 : 0.85;
    pen.fillRect(x(start), y, Math.max(1.5, x(t) - x(start)), height);
    pen.globalAlpha = 1;
    if (next !== undefined) {
      pen.fillStyle = ink.dead;
      pen.fillRect(x(t), middle - 1, x(next) - x(t), 2);
    }
    start = next;
  });
  for (const part of row.served.slice(1)) {
    const at = times[part.from];
    if (at === undefined) continue;
    pen.fillStyle = ink.ink;
    pen.fillRect(x(at) - 0.75, y - 1, 1.5, height + 2);
  }
  if (row.group === "whole") return;
  const last = times.at(-1) ?? row.sent;
  pen.fillStyle = colour;
  pen.fillRect(x(last), middle - 0.5, Math.max(1, x(row.end) - x(last)), 1);
  cross(pen, x(row.end), middle, 3.2, colour);
}

// A fate is told by its form too, not by its colour alone.
function cross(pen, x, y, size, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.6;
  pen.beginPath();
  pen.moveTo(x - size, y - size);
  pen.lineTo(x + size, y + size);
  pen.moveTo(x + size, y - size);
  pen.lineTo(x - size, y + size);
  pen.stroke();
  pen.lineWidth = 1;
}
