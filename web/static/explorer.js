"use strict";
// The explorer: a change of filter asks once for values and the page's parts; a ward asks once for its panel. Without this
// file the same form and links load whole pages.
(async () => {
  const map = await wardwatch.ready;
  const form = document.getElementById("filters");
  const panel = document.getElementById("panel");
  const root = new URL(form.action).pathname;
  const given = new URLSearchParams(location.search);
  let dated = { from: given.has("from"), to: given.has("to") }; // which months are part of the question
  let asking = new AbortController();
  wide();

  /** The filters as they stand in an address: what is the default is left out. */
  function asked() {
    const found = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const usual = { measure: "count", crime_type: "all" }[name] || form.elements[name].dataset.usual;
      const plain = value === usual;
      const undated = (name === "from" || name === "to") && !dated[name];
      const foreign = form.elements[name].dataset.option && !form.elements[name].dataset.option.split(" ").includes(form.elements.measure.value);
      const only = foreign || (name === "boundaries" && !given.has("boundaries")) || name === "ward";
      if (value && !plain && !undated && !only) found.set(name, value);
    }
    return found;
  }

  /** Keep what is shown in the address; `step`: as a step that Back returns from. */
  function remember(code, { step } = {}) {
    const query = asked();
    if (code) query.set("ward", code);
    const address = query.size ? `${root}?${query}` : root;
    if (!step) history.replaceState(shown(), "", address);
    else if (address !== location.pathname + location.search) history.pushState(shown(), "", address);
  }

  /** What Back puts into the form again, and whether the months are part of the question or the server's own. */
  function shown() {
    return { fields: [...new FormData(form)], dated: { ...dated } };
  }

  function back({ state }) {
    if (!state) return;
    // The options of another measure are not in the form: the server's page has them.
    if (state.fields.some(([name]) => !form.elements[name])) return void location.reload();
    dated = state.dated;
    for (const [name, value] of state.fields) form.elements[name].value = value;
    map.select(new URLSearchParams(location.search).get("ward"), false);
    refresh();
  }

  async function ask(address) {
    asking.abort();
    asking = new AbortController();
    const answer = await fetch(address, { signal: asking.signal });
    if (answer.ok) return answer;
    const { error } = await answer.json().catch(() => ({ error: { message: "The server did not answer.", hint: "" } }));
    throw new Error(`${error.message} ${error.hint || ""}`);
  }

  /** Say what went wrong where the summary stands; a request that another one overtook is no mistake. */
  function failed(error) {
    if (error.name === "AbortError") return;
    document.querySelector("#heading .summary").textContent = error.message;
  }

  async function refresh({ only } = {}) {
    const query = asked();
    const measure = form.elements.measure.value;
    query.delete("measure");
    query.set("view", "explorer");
    if (map.values.selected) query.set("selected", map.values.selected);
    try {
      const { meta, view } = await (await ask(`${root}api/v1/measures/${measure}?${query}`)).json();
      const held = form.contains(document.activeElement) ? document.activeElement.id : "";
      for (const part of only || ["heading", "legend", "panel", "table", "notes", "caption", "options"])
        document.getElementById(part).innerHTML = view[part]; // written by the server's templates, which escape
      if (held && !form.contains(document.activeElement)) document.getElementById(held)?.focus(); // an option is made anew
      if (only) return;
      for (const name of ["from", "to"]) form.elements[name].value = meta[name];
      document.title = document.title.replace(/^.* – /s, `${view.title} – `);
      wardwatch.sortable(document.getElementById("table"));
      map.update(view.map);
      wardwatch.markRow(map.values.selected);
    } catch (error) {
      failed(error);
    }
  }

  async function open(code, keyboard) {
    map.select(code);
    wardwatch.markRow(code);
    remember(code);
    const query = asked();
    query.set("view", "panel");
    const address = `${root}wards/${encodeURIComponent(map.values.boundaries)}/${encodeURIComponent(code)}?${query}`;
    try {
      panel.innerHTML = await (await ask(address)).text();
      panel.scrollTop = 0;
      const title = document.getElementById("panel-title");
      if (keyboard) title.focus();
      else if (panel.getBoundingClientRect().top > innerHeight - 120) panel.scrollIntoView({ block: "nearest", behavior: wardwatch.still() ? "auto" : "smooth" });
    } catch (error) {
      failed(error);
    }
  }

  async function close() {
    const code = map.values.selected;
    if (!code) return;
    const inside = panel.contains(document.activeElement);
    map.select(null);
    wardwatch.markRow(null);
    remember(null);
    await refresh({ only: ["panel"] });
    if (inside) map.focus(code);
  }

  function changed(event) {
    const name = event && event.target.name;
    if (name === "boundaries") {
      // Another set has other shapes, wards and districts: another page.
      location.assign(`${root}?${new URLSearchParams([...asked()].filter(([key]) => !["district", "boundaries"].includes(key)).concat([["boundaries", event.target.value]]))}`);
      return;
    }
    if (name === "from" || name === "to") dated = { from: true, to: true };
    if (name === "measure") dated.from = false; // each measure looks back as far as it needs, up to the same month
    if (event && event.target.form === form) ordered(name);
    remember(map.values.selected, { step: true });
    refresh();
  }

  /** A period that would end before it starts becomes the one month that was chosen last. */
  function ordered(name) {
    const { from, to } = form.elements;
    if (from.value > to.value) (name === "from" ? to : from).value = name === "from" ? from.value : to.value;
  }

  history.replaceState(shown(), "");
  addEventListener("popstate", back);
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    changed();
  });
  document.addEventListener("ward", (event) => open(event.detail.code, event.detail.keyboard));
  document.addEventListener("close", close);
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-ward], button[data-ward], a[data-close]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if ("close" in link.dataset) close();
    else {
      if (link.closest("#table")) document.getElementById("map").scrollIntoView({ block: "nearest", behavior: wardwatch.still() ? "auto" : "smooth" });
      open(link.dataset.ward, event.detail === 0);
    }
  });
  wardwatch.search({
    map,
    root,
    boundaries: () => map.values.boundaries,
    open,
    district(code) {
      form.elements.district.value = code;
      changed();
    },
  });

  function wide() {
    // Where CSS cannot hold the filters open on a wide screen, this does.
    const screen = matchMedia("(min-width: 56.01rem)");
    const filters = form.closest("details");
    if (!CSS.supports("selector(::details-content)") && screen.matches) filters.open = true;
  }
})();
