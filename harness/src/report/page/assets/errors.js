"use strict";
// What goes wrong in a script is kept where a reader and a test can see it.
const problems = [];

function complain(text) {
  problems.push(text);
  document.documentElement.dataset.errors = problems.join("\n");
}

window.addEventListener("error", (event) => complain(`${event.message} (line ${event.lineno})`));
window.addEventListener("unhandledrejection", (event) => complain(String(event.reason)));
