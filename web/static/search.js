"use strict";
// The search box: a ward, a district, or lon, lat. The list is made when it is first wanted, from the shapes' own names.
var wardwatch = window.wardwatch || {};

wardwatch.search = function ({ map, root, boundaries, open, district }) {
  const form = document.getElementById("search");
  const input = form.elements.find;
  const list = document.getElementById("places");
  const said = document.getElementById("found");
  const point = /^\s*(-?\d+(?:\.\d+)?)\s*[,\s]\s*(-?\d+(?:\.\d+)?)\s*$/;
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
  let entries = null;

  function known() {
    if (entries) return entries;
    const districts = map.values.districts;
    entries = Object.entries(districts).map(([code, name]) => ({ text: name, district: code }));
    for (const p of map.places.values())
      entries.push({ text: districts[p.district] ? `${p.name}, ${districts[p.district]}` : p.name, ward: p.code });
    for (const entry of entries) entry.folded = fold(entry.text);
    list.replaceChildren(...entries.map(({ text }) => Object.assign(document.createElement("option"), { value: text })));
    return entries;
  }

  function go(entry) {
    said.textContent = "";
    if (entry.district) district(entry.district);
    else open(entry.ward, true);
  }

  function offer(text, found) {
    said.textContent = text;
    for (const entry of found) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = entry.text;
      button.addEventListener("click", () => go(entry));
      said.append(" ", button);
    }
  }

  /** What is wrong with a point that cannot be meant so; the server says the same without this script. */
  function astray(lon, lat) {
    if (lon >= 49.8 && lon <= 61 && lat >= -8.75 && lat <= 1.9) return `Longitude first: try ${lat}, ${lon}.`;
    if (Math.abs(lon) > 180 || Math.abs(lat) > 90) return "Longitude and latitude in degrees are expected, such as -0.2, 51.8, the longitude first.";
    return "";
  }

  async function at(lon, lat) {
    const query = new URLSearchParams({ lon, lat, boundaries: boundaries() });
    const answer = await fetch(`${root}api/v1/wards/at?${query}`);
    const found = await answer.json();
    if (!answer.ok) offer(`${found.error.message} ${found.error.hint || ""}`, []);
    else if (found.ward) go({ ward: found.ward.ward_code });
    else if (found.nearest)
      offer(`In no ward. The nearest is ${(found.nearest.distance_m / 1000).toFixed(1)} km away:`, [{ text: found.nearest.ward_name, ward: found.nearest.ward_code }]);
  }

  input.addEventListener("focus", known, { once: true });
  input.addEventListener("input", () => {
    // A choice from the list needs no button; only a choice equals an entry at once.
    const entry = known().find((e) => e.text === input.value);
    if (entry && known().filter((e) => e.folded.startsWith(entry.folded)).length === 1) go(entry);
    else said.textContent = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const place = point.exec(input.value);
    if (place) {
      const mistake = astray(Number(place[1]), Number(place[2]));
      return void (mistake ? offer(mistake, []) : at(place[1], place[2]));
    }
    const text = fold(input.value);
    if (!text) return;
    const all = known();
    const name = (e) => e.folded.split(",")[0].trim();
    let found = all.filter((e) => e.folded === text || (e.ward && fold(e.ward) === text));
    if (!found.length) found = all.filter((e) => name(e) === text);
    if (!found.length) found = all.filter((e) => e.folded.includes(text));
    if (found.length === 1) go(found[0]);
    else if (found.length) offer(`${found.length} places match${found.length > 6 ? ", among them" : ""}:`, found.slice(0, 6));
    else offer(`No ward or district is called “${input.value}”.`, []);
  });
};
window.wardwatch = wardwatch;
