"use strict";
// Find the page's values and shapes, and draw the map. A saved file carries its shapes; a page fetches them, once.
wardwatch.ready = (async () => {
  const values = JSON.parse(document.getElementById("map-values").textContent);
  const carried = document.getElementById("map-shapes");
  const shapes = carried ? JSON.parse(carried.textContent) : await fetched(values.shapes);
  wardwatch.map = wardwatch.drawMap(shapes, values);
  wardwatch.markRow(values.selected);
  if (!document.getElementById("panel")) {
    document.addEventListener("ward", (event) => {
      const code = wardwatch.map.values.selected === event.detail.code ? null : event.detail.code;
      wardwatch.map.select(code, false);
      wardwatch.markRow(code);
    });
    document.addEventListener("close", () => {
      wardwatch.map.select(null);
      wardwatch.markRow(null);
    });
  }
  document.documentElement.dataset.map = "drawn";
  return wardwatch.map;

  async function fetched(address) {
    const answer = await fetch(address, { credentials: "omit" });
    if (!answer.ok) throw new Error(`The shapes did not come: ${answer.status}`);
    return answer.json();
  }
})();

wardwatch.ready.catch((error) => {
  const message = Object.assign(document.createElement("p"), { className: "no-script", role: "alert" });
  message.textContent = `The map could not be drawn (${error.message}). The table below has every figure of it.`;
  document.getElementById("map").append(message);
});
