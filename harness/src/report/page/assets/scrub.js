// The slider over time, with what the run was like at its place in words.

class Scrub {
  constructor(parent, model, { onTime, onRange }) {
    this.model = model;
    this.onTime = onTime;
    const bar = element(parent, "div", "scrub-bar");
    this.play = this.button(bar, "play", "▶", () => this.toggle());
    this.slider = element(bar, "input");
    Object.assign(this.slider, { type: "range", id: "time", step: "any" });
    this.slider.setAttribute("aria-label", "Time");
    this.slider.addEventListener("input", () => this.set(Number(this.slider.value)));
    this.button(bar, "closer", "+", () => onRange(0.5));
    this.button(bar, "farther", "−", () => onRange(2));
    this.button(bar, "the whole run", "all", () => onRange(Infinity));
    this.words = element(parent, "p", "now");
    this.words.id = "now";
    this.update();
  }

  button(bar, label, text, act) {
    const made = element(bar, "button", "", text);
    made.type = "button";
    made.title = label;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  // The model has more.
  update() {
    this.slider.min = String(this.model.originUs);
    this.slider.max = String(this.model.endUs);
  }

  set(t) {
    this.time = Math.max(this.model.originUs, Math.min(this.model.endUs, t));
    this.slider.value = String(this.time);
    this.slider.setAttribute("aria-valuetext", showMoment(this.time - this.model.originUs));
    this.words.textContent = this.say();
    this.onTime(this.time);
  }

  // The moment in one line.
  say() {
    const { model, time: t } = this;
    const words = [`t = ${showMoment(t - model.originUs)}`, model.phaseAt(t)];
    const faults = model.faults.filter(({ asked }) => asked[0] <= t && t < asked[1]);
    words.push(...faults.slice(0, 3).map((fault) => showState(fault.name)));
    const state = model.state("supervisor", "service", t);
    if (state) words.push(`supervisor ${showState(state)}`);
    for (const part of model.parts.filter(({ kind }) => kind === "ups").slice(0, 4)) {
      const charge = model.level(part.name, "charge", t);
      const on = model.supplyOf(part.name, t);
      if (on !== "mains") words.push(`${part.name} on ${on}${charge === undefined ? "" : ` ${trimmed(charge * 100, 1)}%`}`);
    }
    const machines = model.parts.filter(({ kind }) => kind === "machine");
    const down = machines.filter(({ name }) => model.machine(name, t) === "off").length;
    if (down) words.push(`${down} of ${machines.length} machines off`);
    words.push(`${model.inFlight(t)} in flight`);
    return words.filter(Boolean).join(" · ");
  }

  // Ten seconds from end to end, but never slower than the run was.
  toggle() {
    this.playing = !this.playing;
    this.play.textContent = this.playing ? "❚❚" : "▶";
    if (!this.playing) return;
    const { originUs, endUs } = this.model;
    if (this.time >= endUs) this.set(originUs);
    let last = null;
    const step = (now) => {
      if (!this.playing) return;
      const speed = Math.max(1e3, (endUs - originUs) / 1e4);
      if (last !== null) this.set(this.time + (now - last) * speed);
      last = now;
      if (this.time >= endUs) this.toggle();
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
}
