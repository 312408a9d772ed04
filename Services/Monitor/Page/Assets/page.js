// The monitor's page: asks its own server every few seconds, and shows what it is told. It holds no state but how it is looked at.
"use strict";

const live = 5000;
const waiting = 20000;
const states = { well: "✓", warning: "!", critical: "✕", blind: "?", unknown: "…" };
// Okabe and Ito's colours, which people with any colour vision can tell apart.
const colours = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8c8c00", "#7f7f7f", "#4b3f9e", "#00796b", "#a0522d", "#c2185b"];
const powers = Array.from({ length: 50 }, (_, power) => 2 ** power);
const find = id => document.getElementById(id);
const charts = new Map();
let sections = [];
let timer = 0;
let asking = null;

// ---- Asking -------------------------------------------------------------------------------------------------------

// From the origin: a page whose address has a login in it must not ask relative to itself.
async function ask(path, options = {}) {
  const answer = await fetch(new URL(path, location.origin), { cache: "no-store", signal: AbortSignal.timeout(waiting), ...options });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.title ?? `The monitor answers ${answer.status}.`);
  }
  return answer.status === 204 ? null : answer.json();
}

const change = (path, method, body) => ask(path, {
  method,
  headers: { "X-Platform-Page": "1", ...(body ? { "Content-Type": "application/json" } : {}) },
  body: body ? JSON.stringify(body) : undefined,
});

// ---- Making elements ----------------------------------------------------------------------------------------------

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") element.addEventListener("click", value);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

function table(caption, columns, rows, style = "") {
  const head = make("tr", {}, ...columns.map(([name, kind]) => make("th", { scope: "col", class: kind }, name)));
  const body = rows.map(row => make("tr", {}, ...row.map((cell, index) => make("td", { class: columns[index][1] }, cell))));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    make("table", { class: style }, make("caption", { hidden: "" }, caption), make("thead", {}, head), make("tbody", {}, ...body)));
}

// Only the rows change, so that who reads or scrolls there stays where they are.
function fill(place, made) {
  const there = place.querySelector("tbody");
  if (there) there.replaceWith(made.querySelector("tbody"));
  else place.replaceChildren(made);
}

function number(value, digits) {
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

function shown(value, unit) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  switch (unit) {
    case "share": return `${number(value * 100, size < .1 ? 2 : 1)} %`;
    case "seconds": return size === 0 ? "0 s" : size < .001 ? `${number(value * 1e6, 0)} µs` : size < 1 ? `${number(value * 1000, size < .01 ? 1 : 0)} ms` : size < 120 ? `${number(value, 1)} s`
      : size < 7200 ? `${number(value / 60, 0)} min` : size < 172800 ? `${number(value / 3600, 0)} h` : `${number(value / 86400, 1)} d`;
    case "bytes": {
      const names = ["B", "KiB", "MiB", "GiB", "TiB"];
      const power = size < 1 ? 0 : Math.min(Math.floor(Math.log2(size) / 10), names.length - 1);
      return `${number(value / 1024 ** power, power === 0 ? 0 : 1)} ${names[power]}`;
    }
    case "perSecond": return `${number(value, size < 10 ? 2 : 0)}/s`;
    default: return number(value, size < 10 ? 2 : 0);
  }
}

const clock = text => new Date(text).toLocaleString("en-GB", { hour12: false });

function ago(text) {
  const seconds = Math.max(0, (Date.now() - new Date(text)) / 1000);
  return seconds < 90 ? `${Math.round(seconds)} s ago` : seconds < 5400 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;
}

// ---- The banner ---------------------------------------------------------------------------------------------------

function announce(state, headline, detail) {
  const banner = find("banner");
  if (banner.dataset.state === state && find("headline").textContent === headline && find("detail").textContent === detail) return;
  banner.dataset.state = state;
  find("mark").textContent = states[state];
  find("headline").textContent = headline;
  find("detail").textContent = detail;
  document.title = `${states[state]} ${headline}`;
  const colour = getComputedStyle(banner).getPropertyValue("--state").trim();
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="${colour}"/></svg>`;
  find("icon").setAttribute("href", `data:image/svg+xml,${encodeURIComponent(picture)}`);
}

// ---- Charts -------------------------------------------------------------------------------------------------------

function draw(figure, panel, times) {
  const names = panel.lines.map(line => line.name).join("\n");
  const data = [times, ...panel.lines.map(line => line.values)];
  const known = charts.get(panel.id);
  if (known && known.names === names && known.theme === document.documentElement.dataset.theme) {
    known.plot.setData(data);
    showLast(known.plot, times);
    return;
  }
  known?.plot.destroy();
  charts.delete(panel.id);
  const place = figure.querySelector(".plot");
  if (panel.lines.length === 0) {
    place.replaceChildren(make("p", { class: "empty" }, "Nothing in this time."));
    return;
  }
  place.replaceChildren();
  const style = getComputedStyle(document.documentElement);
  const axis = { stroke: style.getPropertyValue("--dim"), grid: { stroke: style.getPropertyValue("--line"), width: 1 }, ticks: { show: false } };
  const plot = new uPlot({
    width: Math.max(place.clientWidth, 200), height: 220,
    // A share or a count that stands still has room around it, and nothing begins below zero.
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 0) <= 0 ? 1 : high * 1.08] } },
    axes: [{ ...axis, values: [[86400, "{D} {MMM}", null, null, null, null, null, null, 1], [60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
      { ...axis, size: 72, incrs: panel.unit === "bytes" ? powers : undefined, values: (_, values) => values.map(value => shown(value, panel.unit)) }],
    series: [
      { value: (_, at) => at === null ? "–" : new Date(at * 1000).toLocaleTimeString("en-GB") },
      ...panel.lines.map((line, index) => ({
        label: line.name, stroke: colours[index % colours.length], width: 2, points: { show: false }, spanGaps: false,
        value: (_, value) => shown(value, panel.unit),
      })),
    ],
    cursor: { drag: { x: false, y: false } },
  }, data, place);
  showLast(plot, times);
  charts.set(panel.id, { plot, names, theme: document.documentElement.dataset.theme, place });
}

// Until the pointer is on the chart, its legend has the latest values: once the chart has drawn what it was given.
function showLast(plot, times) {
  setTimeout(() => {
    if (!(plot.cursor.left >= 0)) plot.setLegend({ idx: times.length - 1 }, false);
  });
}

function summarise(figure, panel) {
  const rows = panel.lines.map(line => {
    const values = line.values.filter(value => value !== null);
    const last = line.values.findLast(value => value !== null);
    return [line.name, shown(last, panel.unit), shown(values.length ? Math.min(...values) : null, panel.unit),
      shown(values.length ? Math.max(...values) : null, panel.unit)];
  });
  figure.querySelector(".plot").setAttribute("aria-label",
    `${panel.title}: ${rows.length === 0 ? "nothing in this time" : rows.map(row => `${row[0]} ${row[1]}`).join(", ")}`);
  fill(figure.querySelector(".numbers"), table(panel.title, [["line", ""], ["last", "number"], ["lowest", "number"], ["highest", "number"]], rows));
  figure.querySelector("small").textContent = panel.more > 0 ? ` and ${panel.more} more lines` : "";
}

function showCharts(place, answer) {
  for (const panel of answer.panels) {
    let figure = find(`panel-${panel.id}`);
    if (!figure) {
      figure = make("figure", { id: `panel-${panel.id}` },
        make("figcaption", {}, panel.title, make("small")),
        make("div", { class: "plot", role: "img" }),
        make("details", {}, make("summary", {}, "As numbers"), make("div", { class: "numbers" })));
      place.append(figure);
    }
    draw(figure, panel, answer.times);
    summarise(figure, panel);
  }
}

// ---- Sections -----------------------------------------------------------------------------------------------------

function showTiles(place, tiles) {
  const list = make("ul", { class: "tiles" }, ...tiles.map(({ tile, value, state }) => make("li", { class: "tile", "data-state": state },
    make("div", { class: "name" }, tile.title, state === "warning" || state === "critical" ? ` (${state})` : ""),
    value === null ? make("div", { class: "value words" }, tile.whenEmpty) : make("div", { class: "value" }, shown(value, tile.unit)))));
  place.replaceChildren(list);
}

function showAlerts(place, overview) {
  const what = alert => Object.entries(alert.labels).map(([key, value]) => `${key}=${value}`).join(" ");
  const alerts = overview.alerts.length === 0
    ? make("p", { class: "note" }, "No alert fires.")
    : table("Alerts", [["severity", ""], ["alert", ""], ["since", ""], ["", ""]], overview.alerts.map(alert => [
      make("span", { class: "severity", "data-state": alert.severity === "critical" ? "critical" : "warning" }, alert.severity || "–"),
      make("span", {}, make("strong", {}, alert.name), make("br"), alert.summary, make("br"), make("code", {}, what(alert))),
      clock(alert.since),
      alert.state !== "suppressed"
        ? make("button", { type: "button", onclick: () => silence(alert), "aria-label": `Silence ${alert.name} ${what(alert)}` }, "Silence")
        : make("span", { class: "note" }, "not told"),
    ]), "cards");
  const matched = one => one.matchers.map(matcher => `${matcher.label}${matcher.isEqual ? "=" : "!"}${matcher.isRegex ? "~" : matcher.isEqual ? "" : "="}${matcher.value}`).join(", ");
  const silences = overview.silences.length === 0 ? null : table("Silences", [["silence", ""], ["until", ""], ["why", ""], ["", ""]],
    overview.silences.map(one => [
      make("code", {}, matched(one)),
      clock(one.until), `${one.comment} (${one.author})`,
      make("button", { type: "button", onclick: () => act(() => change(`/data/silences/${one.id}`, "DELETE")), "aria-label": `End the silence of ${matched(one)}` }, "End"),
    ]), "cards");
  const button = document.activeElement?.getAttribute?.("aria-label");
  place.replaceChildren(make("h2", {}, "Alerts"), alerts, ...(silences ? [make("h2", {}, "Silences"), silences] : []));
  if (button) place.querySelector(`[aria-label="${CSS.escape(button)}"]`)?.focus();
}

function showQueries(place, shapes) {
  if (!place.firstChild) {
    place.append(make("h2", {}, "Shapes that took the most time, since the monitor started"), make("div"));
  }
  const rows = shapes.map(shape => [
    make("span", {}, make("code", {}, shape.id), ` ${shape.collection}`, make("br"), make("code", {}, shape.shape), make("br"),
      make("span", { class: "note" }, `${shape.plan || "no plan known"}. ${shape.findings.join(" ")}`)),
    number(shape.count, 0), shown(shape.totalMilliseconds / 1000, "seconds"), shown(shape.maxMilliseconds / 1000, "seconds"),
    number(shape.documents, 0), number(shape.returned, 0),
  ]);
  if (rows.length === 0) place.lastChild.replaceChildren(make("p", { class: "note" }, "Nothing was slow."));
  else fill(place.lastChild, table("Slow shapes",
    [["shape", ""], ["count", "number"], ["together", "number"], ["longest", "number"], ["read", "number"], ["returned", "number"]], rows));
}

// ---- Silencing ----------------------------------------------------------------------------------------------------

function silence(alert) {
  const dialog = find("silence");
  find("silence-what").textContent = alert.summary || alert.name;
  find("silence-title").textContent = `Silence ${alert.name}`;
  find("silence-comment").value = "";
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue !== "ok") return;
    act(() => change("/data/silences", "POST", {
      alert: alert.name, labels: alert.labels, hours: Number(find("silence-hours").value), comment: find("silence-comment").value,
    }));
  };
  dialog.showModal();
}

async function act(work) {
  try {
    await work();
    await refresh();
    find("place-problem")?.remove();
  } catch (error) {
    place("problem", "problem").textContent = `That did not work: ${error.message}`;
  }
}

// ---- Going round --------------------------------------------------------------------------------------------------

const current = () => {
  const id = location.hash.slice(1);
  return ["overview", "alerts", ...sections.map(section => section.id)].includes(id) ? id : "overview";
};

function showTabs() {
  const tabs = [{ id: "overview", title: "Overview" }, ...sections, { id: "alerts", title: "Alerts" }];
  find("tabs").replaceChildren(...tabs.map(tab => make("li", {},
    make("a", { href: `#${tab.id}`, "aria-current": tab.id === current() ? "page" : null }, tab.title))));
}

function place(name, style) {
  let element = find(`place-${name}`);
  if (!element) {
    element = make("div", { id: `place-${name}`, class: style });
    find("main").append(element);
  }
  return element;
}

async function refresh() {
  clearTimeout(timer);
  const mine = asking = Symbol("asking");
  try {
    if (sections.length === 0) {
      sections = await ask("/data/sections");
      showTabs();
    }
    const id = current();
    const range = find("range").value;
    const [overview, section, shapes] = await Promise.all([
      ask("/data/overview"),
      sections.some(one => one.id === id) ? ask(`/data/sections/${id}?range=${range}`).catch(error => ({ error })) : null,
      id === "queries" ? ask("/data/queries?most=30") : null,
    ]);
    if (mine !== asking) return;
    announce(overview.state, overview.headline, overview.detail);
    find("as-of").textContent = `as of ${new Date(overview.at).toLocaleTimeString("en-GB")}`;
    find("heartbeat").textContent = overview.lastHeartbeat ? `heartbeat ${ago(overview.lastHeartbeat)}` : "no heartbeat yet";
    if (id === "overview") {
      showTiles(place("tiles", ""), overview.tiles);
      showAlerts(place("alerts", ""), overview);
    } else if (id === "alerts") {
      showAlerts(place("alerts", ""), overview);
    }
    if (section?.error) place("problem", "problem").textContent = section.error.message;
    else if (section) {
      showCharts(place("charts", "charts"), section);
    }
    if (shapes) showQueries(place("shapes", ""), shapes);
  } catch (error) {
    if (mine !== asking) return;
    announce("blind", "The monitor does not answer", `${error.message} What stands below is old.`);
  }
  if (find("live").getAttribute("aria-pressed") === "true") timer = setTimeout(refresh, live);
}

function turn() {
  charts.forEach(chart => chart.plot.destroy());
  charts.clear();
  find("main").replaceChildren();
  showTabs();
  refresh();
}

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  find("theme").textContent = theme === "dark" ? "Light" : "Dark";
}

const wanted = matchMedia("(prefers-color-scheme: dark)");
dress(localStorage.getItem("theme") ?? (wanted.matches ? "dark" : "light"));
wanted.addEventListener("change", () => {
  if (!localStorage.getItem("theme")) {
    dress(wanted.matches ? "dark" : "light");
    turn();
  }
});
find("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", theme);
  dress(theme);
  turn();
});
find("live").addEventListener("click", event => {
  const pressed = event.currentTarget.getAttribute("aria-pressed") !== "true";
  event.currentTarget.setAttribute("aria-pressed", pressed);
  if (pressed) refresh();
  else clearTimeout(timer);
});
find("range").addEventListener("change", turn);
addEventListener("hashchange", () => {
  turn();
  find("main").focus();
});
find("silence-cancel").addEventListener("click", () => find("silence").close());
document.querySelector(".skip").addEventListener("click", event => {
  event.preventDefault();
  find("main").focus();
});
new ResizeObserver(() => charts.forEach(({ plot, place }) => plot.setSize({ width: Math.max(place.clientWidth, 200), height: 220 }))).observe(find("main"));
turn();
