// The tables. A report's are whole without scripts: there they only become ways to
// the lanes and moments they name. A page that goes on gives them new rows.

class Tables {
  constructor(root, { openRequest: open, goTo }) {
    this.root = root;
    for (const cell of root.querySelectorAll("[data-table=unanswered] tbody td:first-child")) {
      this.link(cell, () => open(cell.textContent));
    }
    for (const cell of root.querySelectorAll("[data-table=lines] [data-us]")) {
      this.link(cell, () => goTo(Number(cell.dataset.us)));
    }
  }

  link(cell, go) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = cell.textContent;
    button.addEventListener("click", go);
    cell.replaceChildren(button);
  }

  // Gives a table new rows, each a list of texts or of {text, mark}.
  update(name, rows) {
    const body = this.root.querySelector(`[data-table=${name}] tbody`);
    if (!body) return;
    body.replaceChildren();
    for (const cells of rows) {
      const line = element(body, "tr");
      for (const cell of cells) {
        element(line, "td", cell.mark ? `mark ${cell.mark}` : "", cell.text ?? String(cell));
      }
    }
  }
}
