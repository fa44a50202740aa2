// One request in full: its tokens one by one, its longest pauses, and who failed.

function openRequest(parent, model, row) {
  parent.replaceChildren();
  const panel = element(parent, "section", "request");
  panel.dataset.request = row.id;
  const head = element(panel, "h3");
  element(head, "span", `dot ${row.group}`);
  head.append(`${row.id}: ${showState(row.fate)}`);
  const close = element(head, "button", "close", "close");
  close.type = "button";
  close.addEventListener("click", () => parent.replaceChildren());
  if (row.detail) element(panel, "p", "", row.detail);
  const failed = failedHop(row);
  if (failed) element(panel, "p", "hop", failed);
  const times = model.times(row);
  requestStrip(panel, row, times);
  requestFacts(panel, model, row, times);
  if (row.attempts.length) attemptTable(panel, row);
}

// Where it broke, in words.
function failedHop(row) {
  const bad = row.attempts.findLast((attempt) => attempt.how !== "completed");
  if (bad) {
    const after = showTime(Math.max(0, bad.end - row.at));
    return `The hop that failed: ${bad.gateway} → ${bad.replica}, ${showState(bad.how)} after ${after}.`;
  }
  if (row.group === "whole" || row.group === "shed") return "";
  return `The hop that failed: the client's own connection, ${showState(row.ended)}.`;
}

// The tokens over the request's own time, a tick for each, and the attempts below.
function requestStrip(panel, row, times) {
  const box = element(panel, "div", "strip");
  const canvas = canvasIn(box, "");
  const width = box.clientWidth || 800;
  const tried = row.attempts.slice(0, 6);
  const height = 44 + tried.length * 16;
  const pen = fit(canvas, width, height);
  const ink = colours();
  const end = Math.max(row.end, row.sent + 1);
  const x = (t) => ((t - row.at) / (end - row.at)) * (width - 12) + 6;
  pen.fillStyle = ink.quiet;
  for (const us of ticks(0, end - row.at, Math.max(2, Math.floor(width / 110)))) {
    pen.fillRect(x(us + row.at), 12, 0.5, height - 12);
    write(pen, showTime(us), Math.min(x(us + row.at) + 2, width - 44), 6, 60);
  }
  pen.fillStyle = ink.quiet;
  pen.fillRect(x(row.sent), 27, Math.max(1, x(times[0] ?? row.end) - x(row.sent)), 1);
  pen.fillStyle = ink[row.group];
  for (const t of times) pen.fillRect(x(t) - 0.5, 17, 1, 20);
  for (const [from, to] of pauses(times).slice(0, 3)) {
    pen.fillStyle = ink.dead;
    pen.fillRect(x(from) + 1, 26, Math.max(1, x(to) - x(from) - 2), 2);
    pen.fillStyle = ink.ink;
    write(pen, showTime(to - from), x(from) + 4, 19, x(to) - x(from) - 6);
  }
  if (row.group !== "whole") cross(pen, x(row.end), 27, 4, ink[row.group]);
  tried.forEach((attempt, n) => {
    const y = 42 + n * 16;
    const good = attempt.how === "completed";
    pen.fillStyle = good ? ink.calm : ink.dead;
    pen.globalAlpha = 0.3;
    pen.fillRect(x(attempt.start), y, Math.max(2, x(attempt.end) - x(attempt.start)), 13);
    pen.globalAlpha = 1;
    pen.fillStyle = ink.ink;
    const text = `${attempt.gateway} → ${attempt.replica}: ${showState(attempt.how)}`;
    write(pen, text, Math.min(x(attempt.start) + 4, width - 190), y + 7, 240);
  });
}

// Pauses of note, the longest first.
function pauses(times) {
  const all = times.slice(1).map((t, n) => [times[n], t]);
  return all.filter(([from, to]) => to - from >= GAP_US).sort((a, b) => b[1] - b[0] - (a[1] - a[0]));
}

function requestFacts(panel, model, row, times) {
  const since = (t) => (t === null || t === undefined ? "–" : showTime(t - row.at));
  const facts = [
    ["load", `${row.load}, ${row.class}`],
    ["sent at", showMoment(row.at - model.originUs)],
    ["connected", since(row.connected)],
    ["headers", row.status ? `${since(row.headers)}, HTTP ${row.status}` : since(row.headers)],
    ["first token", since(times[0])],
    ["first error", since(row.error)],
    ["over", `${since(row.end)}, ${showState(row.ended)}`],
    ["longest pause", row.silence === null ? "–" : showTime(row.silence)],
    ["tokens", `${row.tokens} of ${row.asked}, prompt ${row.prompt}`],
    ["made by", row.served.map(({ by, from }) => (from ? `${by} from token ${from}` : by)).join(", ") || "–"],
    ["attempts", `${row.tries} of the client`],
  ];
  const list = element(panel, "dl", "figures small");
  for (const [name, value] of facts) {
    const item = element(list, "div");
    element(item, "dt", "", name);
    element(item, "dd", "", value);
  }
}

function attemptTable(panel, row) {
  const table = element(element(panel, "div", "scroll"), "table");
  const head = element(element(table, "thead"), "tr");
  for (const name of ["attempt", "hop", "began", "lasted", "from token", "tokens", "how it ended"]) {
    element(head, "th", "", name);
  }
  const body = element(table, "tbody");
  for (const attempt of row.attempts) {
    const line = element(body, "tr", attempt.how === "completed" ? "" : "bad");
    const cells = [attempt.index + 1, `${attempt.gateway} → ${attempt.replica}`,
      showTime(Math.max(0, attempt.start - row.at)), showTime(attempt.end - attempt.start),
      attempt.from, attempt.tokens, showState(attempt.how)];
    for (const cell of cells) element(line, "td", "", String(cell));
  }
}
