"use strict";
// The keyboard on the map: one stop for Tab, arrows to the next ward that way, Enter or Space to open, Escape to close.
var wardwatch = window.wardwatch || {};

wardwatch.keys = function (map, places, { choose, close, show, hide }) {
  const ways = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  let current = null;

  function next(from, [dx, dy]) {
    const here = map.latLngToLayerPoint(from.at);
    let best = null;
    let least = Infinity;
    for (const place of places.values()) {
      if (place === from) continue;
      const there = map.latLngToLayerPoint(place.at);
      const along = (there.x - here.x) * dx + (there.y - here.y) * dy;
      const aside = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
      // Ahead counts once, aside twice: the neighbour that a person would point at.
      if (along > 0 && aside <= along * 2 && along + 2 * aside < least) {
        least = along + 2 * aside;
        best = place;
      }
    }
    return best;
  }

  function stop(place) {
    if (current) current.path.setAttribute("tabindex", "-1");
    current = place;
    if (current) current.path.setAttribute("tabindex", "0");
  }

  for (const place of places.values()) {
    const path = place.path;
    path.setAttribute("tabindex", "-1");
    path.setAttribute("role", "button");
    path.dataset.ward = place.code;
    path.addEventListener("focus", () => {
      stop(place);
      if (!path.matches(":focus-visible")) return;
      map.panInside(place.at, { padding: [40, 40], animate: !wardwatch.still() });
      show(place);
    });
    path.addEventListener("blur", hide);
    path.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (ways[event.key]) {
        const to = next(place, ways[event.key]);
        if (to) to.path.focus({ preventScroll: true, focusVisible: true });
      } else if (event.key === "Enter" || event.key === " ") choose(place.code, true);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  return {
    home(code) {
      stop(places.get(code) || current || places.values().next().value || null);
    },
    focus(code) {
      const place = places.get(code);
      if (place) place.path.focus({ preventScroll: true });
    },
  };
};

wardwatch.still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
window.wardwatch = wardwatch;
