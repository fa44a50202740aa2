// The report: its components over one model, one scale and one time.

function startReport() {
  const model = Model.from(JSON.parse(document.getElementById("data").textContent));
  document.getElementById("seen").hidden = false;
  const part = (name) => document.getElementById(name);
  const scale = new Scale(model.originUs, model.endUs);
  let time = firstSight(model);
  const goTo = (t) => scrub.set(t);
  const redraw = () => {
    axis.update();
    lanes.update();
  };
  const onTime = (t) => {
    time = t;
    diagram.setTime(t);
    axis.setTime(t);
    lanes.setTime(t);
  };
  const onRange = (factor) => {
    zoom(scale, model, time, factor);
    redraw();
  };
  const diagram = new Diagram(part("diagram"), model);
  const axis = new Axis(part("axis"), model, scale);
  const lanes = new Lanes(part("lanes"), model, scale);
  const scrub = new Scrub(part("scrub"), model, { onTime, onRange });
  const openRequest = (id) => lanes.open(id);
  const tables = new Tables(document.body, { openRequest, goTo });
  scrubOn(axis.box, scale, goTo, onRange);
  goTo(time);
  follow(redraw);
  return { model, scale, diagram, axis, lanes, scrub, tables };
}

// Where the slider stands at first: shortly after the first fault.
function firstSight(model) {
  const first = model.faults.length ? Math.min(...model.faults.map(({ asked }) => asked[0])) : model.originUs;
  return Math.min(model.endUs, first + (model.faults.length ? (model.endUs - model.originUs) / 50 : 0));
}

// Shows more or less of the run, with the time at its place.
function zoom(scale, model, time, factor) {
  const [least, most] = [1e3, model.endUs - model.originUs];
  const length = Math.min(most, Math.max(least, (scale.to - scale.from) * factor));
  const share = Math.min(1, Math.max(0, (time - scale.from) / (scale.to - scale.from)));
  scale.from = Math.max(model.originUs, Math.min(model.endUs - length, time - share * length));
  scale.to = scale.from + Math.max(1, length);
}

// Dragging over the axis moves the time; a turned wheel with Ctrl comes closer.
function scrubOn(box, scale, goTo, onRange) {
  const move = (event) => goTo(scale.t(event.clientX - box.getBoundingClientRect().left));
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    box.setPointerCapture(event.pointerId);
    move(event);
  });
  box.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) move(event);
  });
  box.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    onRange(event.deltaY < 0 ? 0.8 : 1.25);
  }, { passive: false });
}

// What is drawn is drawn again for another size or theme.
function follow(redraw) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const paper = window.matchMedia("print");
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (width !== window.innerWidth && !paper.matches) redraw();
    width = window.innerWidth;
  });
  // On paper it stays as it was on the screen, in its size and, inverted, its colours:
  // what is drawn while a page is being printed does not reach the paper.
  const mark = () => (document.documentElement.dataset.drawn = dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => {
    if (paper.matches) return;
    mark();
    redraw();
  });
  mark();
}

let report;
try {
  report = startReport();
  if (location.hash === "#selftest") selfTest(report);
} catch (error) {
  complain(String(error.stack ?? error));
}
