"use strict";
/* Sorting and searching of the tables below an element, on pages and in JupyterLab. Without it every table is complete. */
var workbookTables = (() => {
  const SEARCHED = 15; // tables with more rows get a search field

  const valueOf = (cell) => {
    if (cell.classList.contains("missing")) return null;
    return cell.dataset.value === undefined ? cell.textContent.trim().toLowerCase() : Number(cell.dataset.value);
  };

  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

  const sort = (table, column, descending) => {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [valueOf(row.cells[column]), row]);
    const [known, missing] = [rows.filter(([value]) => value !== null), rows.filter(([value]) => value === null)];
    known.sort(([a], [b]) => (descending ? compare(b, a) : compare(a, b)));
    body.append(...[...known, ...missing].map(([, row]) => row));
  };

  const onSort = (table, heading) => {
    const column = heading.cellIndex;
    const figures = Array.from(table.tBodies[0].rows).some((row) => row.cells[column].dataset.value !== undefined);
    const before = heading.getAttribute("aria-sort");
    const descending = before ? before === "ascending" : figures; // figures: the largest first
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    sort(table, column, descending);
  };

  const makeSortable = (table) => {
    for (const heading of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = heading.textContent || "name";
      if (!heading.textContent) button.setAttribute("aria-label", "sort by the first column");
      button.addEventListener("click", () => onSort(table, heading));
      heading.replaceChildren(button);
    }
  };

  const makeSearchable = (table, box) => {
    const rows = Array.from(table.tBodies[0].rows, (row) => [row.textContent.toLowerCase(), row]);
    const label = document.createElement("label");
    const input = document.createElement("input");
    const status = document.createElement("span");
    label.className = "search";
    input.type = "search";
    input.autocomplete = "off";
    status.setAttribute("role", "status");
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const [text, row] of rows) {
        row.hidden = !words.every((word) => text.includes(word));
        shown += row.hidden ? 0 : 1;
      }
      status.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    });
    label.append("Search ", input, status);
    box.before(label);
  };

  return (root) => {
    for (const box of root.querySelectorAll(".scroll")) {
      const table = box.querySelector("table");
      if (!table || !table.tHead || table.tBodies[0].rows.length < 2 || table.classList.contains("fixed")) continue;
      makeSortable(table);
      if (table.tBodies[0].rows.length > SEARCHED) makeSearchable(table, box);
    }
  };
})();
