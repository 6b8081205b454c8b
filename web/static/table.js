"use strict";
// Tables that sort: the heading becomes a button. The rows are the server's; only their order changes.
var wardwatch = window.wardwatch || {};

wardwatch.sortable = function (root) {
  for (const table of root.querySelectorAll("table[data-sortable]")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending" || (head.className === "number" && !head.ariaSort);
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [key(row.cells[column]), row]);
        rows.sort(([a], [b]) => compare(a, b, down));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  function key(cell) {
    if ("value" in cell.dataset) return cell.dataset.value === "" ? null : Number(cell.dataset.value);
    return cell.className === "number" ? parseFloat(cell.textContent.replaceAll(",", "")) || 0 : cell.textContent;
  }

  function compare(a, b, down) {
    if (a === null || b === null) return (a === null) - (b === null); // those without a figure stay last
    const order = typeof a === "number" ? a - b : a.localeCompare(b, "en");
    return down ? -order : order;
  }
};

/** Mark the row of a ward in every table of figures. */
wardwatch.markRow = function (code) {
  for (const row of document.querySelectorAll("tr[data-code]")) row.classList.toggle("marked", row.dataset.code === code);
};

wardwatch.sortable(document);
window.wardwatch = wardwatch;
