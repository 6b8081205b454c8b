"use strict";
// The renderer: fills Folium's empty layers with shapes, colours them by values, and says what is under the pointer or the
// focus. The same for the explorer, a map's own page, an embed and a saved file. New values never make new paths.
var wardwatch = window.wardwatch || {};

/** Draw the shapes once; `update` colours them. Events `ward` (detail: code, keyboard) and `close` bubble from the map. */
wardwatch.drawMap = function (shapes, first) {
  const map = window.ward_map;
  const box = map.getContainer();
  const canvas = map.options.preferCanvas;
  const opacity = window.ward_shapes.options.fillOpacity;
  const places = new Map();
  const fills = new Map();
  let values = first;
  let near = new Set(values.near);
  let dashed = new Set(values.dashed);

  if (map.attributionControl) map.attributionControl.setPrefix(false);
  window.ward_shapes_add({ type: "FeatureCollection", features: shapes.features });
  if (shapes.borders) window.district_borders_add({ type: "Feature", properties: {}, geometry: shapes.borders });
  window.ward_shapes.eachLayer((layer) => {
    const { id, properties } = layer.feature;
    const b = layer.getBounds();
    places.set(String(id), {
      code: String(id), name: String(properties.ward_name), district: properties.district_code, layer,
      path: canvas ? null : layer.getElement(), at: L.latLng(properties.label[1], properties.label[0]),
      west: b.getWest(), east: b.getEast(), south: b.getSouth(), north: b.getNorth(),
    });
  });
  // Leaflet asks for the biggest first, so that their names get their room.
  const bySize = new Map([...places].sort(([, a], [, b]) => area(b) - area(a)));
  const names = wardwatch.names(map, bySize, districtPlaces());
  const marks = ["focus", "chosen"].reduce((all, kind) => ({ ...all, [kind]: mark(kind) }), {});
  const tip = tooltip();
  const tell = (type, detail) => box.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  const keys = canvas ? null : wardwatch.keys(map, places, {
    choose: (code, keyboard) => tell("ward", { code, keyboard }),
    close: () => tell("close", {}),
    show(place) {
      marks.focus.set(place);
      tip.show(place, map.latLngToContainerPoint(place.at));
    },
    hide() {
      marks.focus.set(null);
      tip.hide();
    },
  });

  window.ward_shapes.on("mousemove", (event) => tip.show(placeOf(event), event.containerPoint));
  window.ward_shapes.on("mouseover", (event) => marks.focus.set(placeOf(event)));
  window.ward_shapes.on("mouseout", () => {
    marks.focus.set(null);
    tip.hide();
  });
  window.ward_shapes.on("click", (event) => tell("ward", { code: placeOf(event).code, keyboard: false }));
  map.on("zoomstart movestart", () => tip.hide());
  // The page scrolls over the map until it is used: no visitor is caught in it.
  if (L.Browser.mobile) map.dragging.disable();
  map.on("click", () => map.scrollWheelZoom.enable());
  box.addEventListener("mouseleave", () => map.scrollWheelZoom.disable());
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Wards");
  if (document.getElementById("map-help")) box.setAttribute("aria-describedby", "map-help");
  pad();

  function placeOf(event) {
    return places.get(String(event.propagatedFrom ? event.propagatedFrom.feature.id : event.layer.feature.id));
  }

  function area(p) {
    return (p.east - p.west) * (p.north - p.south);
  }

  function districtPlaces() {
    const found = new Map();
    for (const p of places.values()) {
      if (!p.district || !values.districts[p.district]) continue;
      const d = found.get(p.district) || { code: p.district, name: values.districts[p.district], lat: 0, lng: 0, n: 0, west: 180, east: -180 };
      const size = area(p);
      d.lat += p.at.lat * size;
      d.lng += p.at.lng * size;
      d.n += size;
      d.west = Math.min(d.west, p.west);
      d.east = Math.max(d.east, p.east);
      found.set(p.district, d);
    }
    return [...found.values()].map((d) => ({ ...d, at: L.latLng(d.lat / d.n, d.lng / d.n) }));
  }

  function mark(kind) {
    // Rings lie above all wards, so that moving one never moves a ward's node (which would drop the keyboard's focus).
    const pane = map.createPane(`mark-${kind}`);
    pane.style.zIndex = kind === "chosen" ? 430 : 440;
    pane.style.pointerEvents = "none";
    const renderer = L.canvas({ pane: `mark-${kind}`, padding: 0.5 });
    const [outer, inner] = kind === "chosen" ? ["#ffffff", "#0b1a2a"] : ["#0b1a2a", "#ffbf2e"];
    const rings = L.layerGroup().addTo(map);
    return {
      set(place) {
        rings.clearLayers();
        if (!place) return;
        for (const [color, weight] of [[outer, 6], [inner, 3]])
          L.polygon(place.layer.getLatLngs(), { renderer, pane: `mark-${kind}`, fill: false, interactive: false, color, weight, smoothFactor: 0.3 }).addTo(rings);
      },
    };
  }

  function tooltip() {
    const element = document.createElement("div");
    element.className = "tip";
    element.hidden = true;
    element.setAttribute("aria-hidden", "true"); // the path's own label says it
    const name = document.createElement("b");
    const figure = document.createElement("span");
    element.append(name, figure);
    box.parentElement.appendChild(element);
    return {
      show(place, at) {
        name.textContent = place.name + (values.districts[place.district] ? `, ${values.districts[place.district]}` : "");
        figure.textContent = said(place.code);
        element.hidden = false;
        const size = map.getSize();
        const left = at.x + 16 + element.offsetWidth > size.x ? at.x - element.offsetWidth - 12 : at.x + 16;
        const top = at.y + 16 + element.offsetHeight > size.y ? at.y - element.offsetHeight - 12 : at.y + 16;
        L.DomUtil.setPosition(element, L.point(Math.max(2, left), Math.max(2, top)));
      },
      hide() {
        element.hidden = true;
      },
    };
  }

  /** The figure with its unit, or why there is none. */
  function said(code) {
    const [kind, figure] = values.wards[code] || [null, ""];
    const reading = values.perhaps[code] || (typeof kind === "number" && values.classes[kind].label);
    if (figure) return `${reading ? `${reading}: ` : ""}${figure} ${figure === "1" ? values.unit.replace(/s$/, "") : values.unit}${gap(code)}`;
    return values.statuses[kind] || "No figure";
  }

  /** What ends every text of a ward some of whose months are missing, or whose class could change. */
  function gap(code) {
    return (values.partial.includes(code) ? `, ${values.gap}` : "") + (near.has(code) ? ", class could change" : "");
  }

  function styleOf(place) {
    const [kind] = values.wards[place.code] || [null];
    const inView = !values.district || values.district === place.district;
    const look = { fillOpacity: inView ? opacity : opacity * 0.3, opacity: inView ? 1 : 0.45, weight: 1 };
    if (typeof kind === "number") {
      const { colour, outline } = values.classes[kind];
      const over = near.has(place.code) ? "near" : dashed.has(place.code) ? "partial" : "";
      return { ...look, fillColor: over ? lined(over, colour) : colour, color: outline };
    }
    if (kind in values.statuses) return { ...look, fillColor: hatch(`hatch-${kind}`), color: "#52606d" };
    return { ...look, fillColor: "#ffffff", color: "#7b8794" };
  }

  /** A class's colour under a hatch: `near` where its ward could be in another class, `partial` where months are missing. */
  function lined(kind, colour) {
    const id = `${kind}-${colour.slice(1)}`;
    const plain = document.getElementById(`hatch-${kind}`);
    if (!document.getElementById(id)) {
      const pattern = plain.cloneNode(true);
      pattern.id = id;
      pattern.querySelector("rect").setAttribute("fill", colour);
      plain.after(pattern);
    }
    return hatch(id);
  }

  function hatch(id) {
    if (!canvas) return `url(#${id})`;
    if (!fills.has(id)) fills.set(id, painted(document.getElementById(id)));
    return fills.get(id);
  }

  /** The legend's pattern as a fill of a canvas. */
  function painted(pattern) {
    const size = pattern.width.baseVal.value;
    const tile = Object.assign(document.createElement("canvas"), { width: size, height: size });
    const pen = tile.getContext("2d");
    for (const shape of pattern.querySelectorAll("rect, line, circle")) {
      const [x1, x2, y1, y2, cx, cy, r] = ["x1", "x2", "y1", "y2", "cx", "cy", "r"].map((name) => Number(shape.getAttribute(name)));
      pen.fillStyle = shape.getAttribute("fill") || "none";
      pen.beginPath();
      if (shape.tagName === "rect") pen.rect(0, 0, size, size);
      if (shape.tagName === "circle") pen.arc(cx, cy, r, 0, 2 * Math.PI);
      if (shape.tagName !== "line") pen.fill();
      else {
        pen.strokeStyle = shape.closest("[stroke]").getAttribute("stroke");
        pen.lineWidth = Number(shape.getAttribute("stroke-width")) || 1;
        pen.moveTo(x1, y1);
        pen.lineTo(x2, y2);
        pen.stroke();
      }
    }
    const fill = pen.createPattern(tile, "repeat");
    fill.setTransform(new DOMMatrix().rotate(pattern.patternTransform.baseVal[0].angle));
    return fill;
  }

  function pad() {
    const control = L.control({ position: "bottomleft" });
    control.onAdd = () => {
      const group = L.DomUtil.create("div", "pad");
      L.DomEvent.disableClickPropagation(group);
      const step = (x, y) => () => map.panBy([x, y], { animate: !wardwatch.still() });
      for (const [way, label, sign, act] of [
        ["up", "Move up", "▲", step(0, -120)], ["left", "Move left", "◀", step(-120, 0)],
        ["whole", "Show all", "◻", () => fit(values.district)], ["right", "Move right", "▶", step(120, 0)], ["down", "Move down", "▼", step(0, 120)],
      ]) {
        const button = L.DomUtil.create("button", way, group);
        button.type = "button";
        button.textContent = sign;
        button.title = label;
        button.setAttribute("aria-label", label);
        button.addEventListener("click", act);
      }
      return group;
    };
    control.addTo(map);
  }

  function fit(district) {
    const wanted = [...places.values()].filter((p) => !district || p.district === district);
    if (!wanted.length) return;
    const bounds = L.latLngBounds([]);
    for (const p of wanted) bounds.extend([p.south, p.west]).extend([p.north, p.east]);
    map.invalidateSize({ animate: false });
    map.fitBounds(bounds, { padding: [10, 10], animate: false });
  }

  function update(next) {
    const zoomed = next.district !== values.district;
    values = next;
    near = new Set(values.near);
    dashed = new Set(values.dashed);
    for (const place of places.values()) {
      place.layer.setStyle(styleOf(place));
      if (place.path) {
        const sentence = (values.wards[place.code] || [])[2];
        const ended = gap(place.code) ? sentence && sentence.replace(/\.$/, "") + gap(place.code) : sentence;
        place.path.setAttribute("aria-label", ended || `${place.name}: ${said(place.code)}`);
      }
    }
    if (zoomed) fit(values.district);
    names.update(values);
    select(values.selected, false);
  }

  function select(code, look = true) {
    values.selected = code || null;
    const place = places.get(code);
    marks.chosen.set(place || null);
    for (const p of places.values()) if (p.path) p.path.setAttribute("aria-pressed", String(p === place));
    if (place && look) map.panInside(place.at, { padding: [60, 60], animate: !wardwatch.still() });
    names.update(values);
    if (keys) keys.home(code || values.busiest);
  }

  function printing() {
    // The sheet's map has a size of its own (`.map.printing`): the whole map, or the district, is fitted to it, and afterwards
    // the visitor finds what was on the screen.
    const sheet = box.closest(".map");
    let before = null;
    addEventListener("beforeprint", () => {
      if (before) return;
      before = [map.getCenter(), map.getZoom()];
      sheet.classList.add("printing");
      fit(values.district);
    });
    addEventListener("afterprint", () => {
      if (!before) return;
      sheet.classList.remove("printing");
      map.invalidateSize({ animate: false });
      map.setView(...before, { animate: false });
      before = null;
    });
  }

  fit(first.district);
  update(first);
  printing();
  return { update, select, fit, places, focus: (code) => keys && keys.focus(code), get values() { return values; } };
};
window.wardwatch = wardwatch;
