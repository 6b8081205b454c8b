"use strict";
// Names on the map: as many as fit without touching each other, each inside its own ward or district. The busiest ward's
// name always stands. All text is set through textContent: names come from files.
var wardwatch = window.wardwatch || {};

wardwatch.names = function (map, places, districts) {
  const pane = map.createPane("names");
  pane.style.zIndex = 640;
  pane.style.pointerEvents = "none";
  pane.setAttribute("aria-hidden", "true"); // every path says its name already
  const family = getComputedStyle(document.body).fontFamily;
  const pen = document.createElement("canvas").getContext("2d");
  const known = new Map();
  let values = { wards: {} };

  function label(id, text, kind) {
    let found = known.get(id);
    if (!found) {
      const element = document.createElement("span");
      element.textContent = text;
      element.hidden = true;
      pane.appendChild(element);
      found = { element, text };
      known.set(id, found);
    }
    if (found.kind !== kind) {
      const [weight, size] = { district: [650, 11], top: [700, 13] }[kind] || [400, 12];
      pen.font = `${weight} ${size}px ${family}`;
      const shown = kind === "district" ? text.toUpperCase() : text;
      found.kind = kind;
      found.width = pen.measureText(shown).width + (kind === "district" ? shown.length : 0);
      found.element.className = kind ? `map-name ${kind}` : "map-name";
    }
    return found;
  }

  function refresh() {
    const view = map.getSize();
    const taken = [];
    const shown = new Set();
    const free = (b) => taken.every((t) => b[0] > t[2] || b[2] < t[0] || b[1] > t[3] || b[3] < t[1]);

    function put(id, text, kind, latlng, room, must) {
      const at = map.latLngToContainerPoint(latlng);
      if (at.x < 0 || at.y < 0 || at.x > view.x || at.y > view.y) return;
      const mark = label(id, text, kind);
      if (!must && mark.width > room) return;
      const lift = kind === "top" ? 22 : 7;
      let left = at.x - mark.width / 2;
      if (must) left = Math.max(4, Math.min(left, view.x - mark.width - 4));
      const top = Math.max(2, at.y - lift);
      const box = [left - 3, top - 2, left + mark.width + 3, top + 16];
      if (!must && (!free(box) || box[0] < 0 || box[2] > view.x)) return;
      taken.push(box);
      shown.add(id);
      const origin = map.containerPointToLayerPoint([left, top]);
      L.DomUtil.setPosition(mark.element, origin.round());
      mark.element.hidden = false;
    }

    const busiest = places.get(values.busiest);
    if (busiest) put(busiest.code, busiest.name, "top", busiest.at, Infinity, true);
    const chosen = places.get(values.selected);
    if (chosen && chosen !== busiest) put(chosen.code, chosen.name, "chosen", chosen.at, Infinity, false);
    const scale = map.getZoomScale(map.getZoom(), 0) * 256; // pixels for the whole world
    for (const area of districts) {
      const wide = ((area.east - area.west) / 360) * scale;
      if (wide < view.x * 0.9) put(`district ${area.code}`, area.name, "district", area.at, wide * 1.5, false);
    }
    for (const place of places.values()) {
      if (shown.has(place.code)) continue;
      const wide = ((place.east - place.west) / 360) * scale;
      const tall = ((place.north - place.south) / 230) * scale; // about right at Britain's latitude
      if (tall > 18) put(place.code, place.name, "", place.at, wide * 0.9, false);
    }
    for (const [id, mark] of known) if (!shown.has(id)) mark.element.hidden = true;
  }

  map.on("zoomstart", () => (pane.style.opacity = 0));
  map.on("moveend resize", () => {
    pane.style.opacity = 1;
    refresh();
  });
  return {
    update(next) {
      values = next;
      refresh();
    },
  };
};
window.wardwatch = wardwatch;
