// With `#selftest` in its address the page tries itself and leaves what it found in
// the document: that the time moves what is shown, and that a lane opens.

function selfTest({ scrub, lanes, axis, model }) {
  const shown = (t) => {
    scrub.slider.value = String(t);
    scrub.slider.dispatchEvent(new Event("input"));
    const ink = axis.above.toDataURL();
    return { now: scrub.words.textContent, diagram: document.getElementById("diagram").innerHTML, ink };
  };
  const fault = model.faults[0]?.asked ?? [model.originUs, model.endUs];
  const before = shown((model.originUs + fault[0]) / 2);
  const during = shown((fault[0] + fault[1]) / 2);
  const press = (key) => lanes.list.dispatchEvent(new KeyboardEvent("keydown", { key }));
  press("Home");
  press("Enter");
  const opened = document.querySelector(".request");
  const first = lanes.rows[0];
  const found = {
    errors: problems.length,
    words: before.now !== during.now,
    diagram: before.diagram !== during.diagram,
    cursor: before.ink !== during.ink,
    opened: opened?.dataset.request === first?.id,
    tokens: first ? model.times(first).length === first.tokens : true,
    rows: model.rows.length,
    now: during.now,
  };
  document.documentElement.dataset.selftest = JSON.stringify(found);
}
