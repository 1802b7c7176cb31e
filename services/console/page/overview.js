/* The first view of the console: stages, stores, accounts and charts. Its tools are in console.js. */
"use strict";

/* -- overview --------------------------------------------------------------------------------------------------- */

const STAGE_ORDER = ["filter", "mapper", "pusher"];

/* A service may read several topics; the first is its way from stage to stage. What waits in the others (retry topics) has
 * its time, so it is no lag. */
function stageOf(status, name) {
  const own = (status.stages || []).filter((stage) => stage.service === name);
  return own.length ? { ...own[0], others: own.slice(1).filter((stage) => stage.lag_records) } : undefined;
}

/* A number, or an object with one number for each reason. */
const sum = (value) => (value !== null && typeof value === "object" ? Object.values(value).reduce((total, one) => total + one, 0) : value || 0);

function stageKind(stage) {
  if (stage.members === 0) return ["bad", "no members"];
  if (typeof stage.lag_s === "number" && stage.lag_s > LAG_WARN_S) return ["warn", "behind"];
  return ["good", "running"];
}

function stageCard(name, stage) {
  if (!stage) return el("li", {}, el("div", { class: "head" }, el("h3", {}, name), word("not known", "")), el("p", { class: "what" }, STAGES[name]));
  const [kind, text] = stageKind(stage);
  const rate = typeof stage.done_s === "number" ? stage.done_s : stage.in_s;
  return el("li", { class: kind },
    el("div", { class: "head" }, el("h3", {}, name), word(text, kind)),
    el("p", { class: "what" }, STAGES[name] || ""),
    el("p", { class: "big number" }, typeof rate === "number" ? (Math.round(rate * 10) / 10).toLocaleString("en") : "–", el("small", {}, " per second")),
    el("p", { class: "number" }, typeof stage.lag_records === "number" ? `${plural(stage.lag_records, "record")} to read` : ""),
    typeof stage.lag_s === "number" && stage.lag_records ? el("p", {}, `${duration(stage.lag_s)} behind`) : null,
    stage.oldest ? el("p", {}, "oldest: ", ago(stage.oldest)) : null,
    stage.others.map((other) => el("p", { class: "soft number" }, `${other.stage}: ${number(other.lag_records)}`)),
    typeof stage.members === "number" ? el("p", { class: "soft" }, plural(stage.members, "member")) : null);
}

function pipeline(status) {
  const stores = status.stores || [], accounts = status.accounts || [];
  const troubled = stores.filter((store) => store.trouble).length;
  const closed = accounts.filter((account) => account.state === "closed" && !account.is_paused).length;
  return el("ol", { class: "pipeline" },
    el("li", { class: troubled ? "warn" : "good" },
      el("div", { class: "head" }, el("h3", {}, "Stores"), word(troubled ? "trouble" : "polled", troubled ? "warn" : "good")),
      el("p", { class: "what" }, "where orders are placed"), el("p", { class: "big number" }, number(stores.length), el("small", {}, stores.length === 1 ? " store" : " stores")),
      troubled ? el("p", {}, `${number(troubled)} with trouble`) : null),
    STAGE_ORDER.map((name) => stageCard(name, stageOf(status, name))),
    el("li", { class: closed ? "bad" : "good" },
      el("div", { class: "head" }, el("h3", {}, "Infusionsoft"), word(closed ? "closed" : "open", closed ? "bad" : "good")),
      el("p", { class: "what" }, "where orders arrive"), el("p", { class: "big number" }, number(accounts.length), el("small", {}, accounts.length === 1 ? " account" : " accounts")),
      closed ? el("p", {}, `${number(closed)} closed`) : null));
}

function tiles(status) {
  const fates = status.fates || {}, hour = fates.last_hour || {}, total = fates.total || {};
  const tile = (name, count, link, small) => el("li", {}, link
    ? el("a", { href: link, "data-key": link }, name, el("strong", {}, number(count)), el("small", {}, small))
    : el("div", {}, name, el("strong", {}, number(count)), el("small", {}, small)));
  const lastHour = (name) => `${number(sum(hour[name]))} in the last hour`;
  return el("ul", { class: "tiles" },
    tile("Delivered", sum(total.delivered), null, lastHour("delivered")),
    tile("Skipped", sum(total.skipped), "#/list/skipped", lastHour("skipped")),
    tile("Dead", sum(total.dead), "#/list/dead", lastHour("dead")),
    ["waiting", "retrying"].map((name) => tile(LISTS[name].title, status.counts ? status.counts[name] : undefined, `#/list/${name}`, "now")));
}

function pauseButton(kind, name, isPaused) {
  if (!state.acts) return null;
  const act = isPaused ? "resume" : "pause";
  return el("button", { class: "small", type: "button", "data-key": `${act}/${kind}/${name}`,
    onclick: () => openAct({ act, body: { [kind]: name }, title: `${isPaused ? "Resume" : "Pause"} ${kind} ${name}`,
      text: isPaused ? "Its orders go on from where they stopped." : `Orders of this ${kind} wait until it is resumed. Nothing is lost.`, needsWhy: !isPaused, simple: true }) },
    isPaused ? "Resume" : "Pause", el("span", { class: "hidden" }, ` ${kind} ${name}`));
}

function storePanel(store) {
  return el("section", { class: "panel" },
    el("div", { class: "head" }, el("h3", {}, `Store ${store.code || store.hash}`),
      store.is_paused ? word("paused", "warn") : store.trouble ? word("trouble", "bad") : word("polled", "good")),
    store.trouble ? el("p", {}, store.trouble) : null,
    facts([["Store hash", el("code", {}, store.hash || "–")], ["Last poll", ago(store.last_poll)], ["Next poll", store.is_paused ? "paused" : ago(store.next_poll)],
      ["Read up to", when(store.read_up_to)], ["Calls left", typeof store.quota_left === "number" ? number(store.quota_left) : "not known"]]),
    el("p", {}, pauseButton("store", store.code || store.hash, store.is_paused)));
}

function accountPanel(account) {
  const closed = account.state === "closed" && !account.is_paused;
  return el("section", { class: "panel" },
    el("div", { class: "head" }, el("h3", {}, `Account ${account.name}`),
      account.is_paused ? word("paused", "warn") : word(closed ? "closed" : "open", closed ? "bad" : "good")),
    closed && account.why ? el("p", {}, account.why) : null,
    facts([[closed ? "Closed since" : "Open since", account.since ? ago(account.since) : null], ["Orders that wait", number(account.waiting || 0)],
      ["Calls left today", typeof account.quota_left === "number" ? number(account.quota_left) : null]]),
    el("p", {}, pauseButton("account", account.name, account.is_paused)));
}

/* -- charts ----------------------------------------------------------------------------------------------------- */

function dropCharts() {
  for (const chart of state.charts) chart.destroy();
  state.charts = [];
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* A point without neighbours has no line: only a dot shows it. */
const isAlone = (data, i) => typeof data[i] === "number" && typeof data[i - 1] !== "number" && typeof data[i + 1] !== "number";

function drawChart(canvas, type, labels, sets, unit) {
  if (typeof Chart === "undefined") return;
  const grid = colour("--line"), soft = colour("--soft");
  state.charts.push(new Chart(canvas, {
    type,
    data: { labels, datasets: sets.map((set) => ({ label: set.label, data: set.data, borderColor: colour(set.colour), backgroundColor: colour(set.colour),
      borderDash: set.dash || [], borderWidth: 2, pointRadius: (point) => (isAlone(set.data, point.dataIndex) ? 3 : 0), pointHitRadius: 12, tension: 0, spanGaps: false })) },
    options: { animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
      plugins: { legend: { labels: { color: soft, usePointStyle: true, pointStyle: type === "bar" ? "rect" : "line", font: { size: 13 } } } },
      scales: { x: { ticks: { color: soft, maxRotation: 0, autoSkipPadding: 24 }, grid: { display: false }, stacked: type === "bar" },
        y: { beginAtZero: true, ticks: { color: soft, precision: unit === "s" ? undefined : 0 }, grid: { color: grid }, stacked: type === "bar", title: { display: true, text: unit === "s" ? "seconds" : unit, color: soft } } } } }));
}

function figure(title, about, labels, sets, type, unit) {
  const canvas = el("canvas", { role: "img", "aria-label": `${title}. ${about} The same numbers are in the table below.` });
  const shown = (value) => (typeof value === "number" ? (Math.round(value * 10) / 10).toLocaleString("en") : "–");
  const node = el("figure", { class: "panel" },
    el("figcaption", {}, el("h2", {}, title), el("p", { class: "soft" }, about)),
    el("div", { class: "chart" }, canvas),
    el("details", {}, el("summary", { "data-key": `table/${title}` }, "Show as table", el("span", { class: "hidden" }, `: ${title}`)),
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${title}` }, el("table", {},
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Time"), sets.map((set) => el("th", { scope: "col" }, set.label)))),
        el("tbody", {}, labels.map((label, i) => el("tr", {}, el("th", { scope: "row" }, label), sets.map((set) => el("td", { class: "number" }, shown(set.data[i]))))))))));
  setTimeout(() => { if (node.isConnected) drawChart(canvas, type, labels, sets, unit); }, 0);
  return node;
}

function chartsOf(series) {
  const points = series.steps || [];
  dropCharts();
  if (!points.some((point) => point.delivered || point.skipped || point.dead))
    return el("section", { class: "panel" }, el("h2", {}, "Over time"), empty("Nothing in the last 24 hours", "As soon as orders are delivered, their times are shown here."));
  const labels = points.map((point) => new Date(point.from).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }));
  const pick = (name) => points.map((point) => (typeof point[name] === "number" ? point[name] : null));
  return [
    figure("From placed to created", "Seconds from placing an order to its creation in Infusionsoft.", labels, [
      { label: "half of the orders (p50)", data: pick("p50_s"), colour: "--series-1" },
      { label: "95 of 100 (p95)", data: pick("p95_s"), colour: "--series-2", dash: [6, 4] },
      { label: "slowest", data: pick("max_s"), colour: "--series-3", dash: [2, 3] }], "line", "s"),
    figure("Orders over time", "Orders that got their answer, by what became of them.", labels, [
      { label: "delivered", data: pick("delivered"), colour: "--series-1" },
      { label: "skipped", data: pick("skipped"), colour: "--series-2" },
      { label: "dead", data: pick("dead"), colour: "--series-3" }], "bar", "orders"),
  ];
}

/* How many orders are on a list now; undefined where that cannot be said. */
const total = (name) => call(`orders?list=${name}&limit=1`).then((answer) => answer.total, () => undefined);

async function overview(view, main) {
  const parts = { head: el("div"), pipeline: el("div"), tiles: el("div"), charts: el("div", { class: "grid wide" }), stores: el("div"), accounts: el("div") };
  const wait = busy("Reading the state of the pipeline…");
  main.replaceChildren(el("h1", {}, "Overview"), wait, el("section", { "aria-label": "Pipeline" }, el("h2", { class: "hidden" }, "Pipeline"), parts.pipeline),
    el("section", { "aria-label": "Orders" }, parts.tiles),
    el("section", { "aria-label": "Over time" }, parts.charts), el("section", { "aria-label": "Stores" }, parts.stores), el("section", { "aria-label": "Accounts" }, parts.accounts));
  let rounds = 0;
  const round = async () => {
    if (view !== state.view) return;
    try {
      const [status, waiting, retrying] = await Promise.all([call("status"), total("waiting"), total("retrying")]);
      if (view !== state.view) return;
      status.counts = { waiting, retrying };
      showIndex(status.index);
      showNotices(status);
      paint(parts.pipeline, [status.stages, status.stores, status.accounts], () => pipeline(status));
      paint(parts.tiles, [status.fates, status.counts], () => tiles(status));
      paint(parts.stores, [status.stores, state.acts], () => [el("h2", {}, "Stores"), (status.stores || []).length
        ? el("div", { class: "grid" }, status.stores.map(storePanel)) : el("div", { class: "panel" }, empty("No store yet", "The settings name no store."))]);
      paint(parts.accounts, [status.accounts, state.acts], () => [el("h2", {}, "Accounts"), el("div", { class: "grid" }, (status.accounts || []).map(accountPanel))]);
      if (rounds++ % 12 === 0) {
        const series = await call("series?hours=24");
        if (view !== state.view) return;
        paint(parts.charts, [series.steps, matchMedia("(prefers-color-scheme: dark)").matches], () => chartsOf(series));
      }
      wait.remove();
    } catch (error) {
      if (view !== state.view) return;
      wait.remove();
      failed(error, rounds ? null : main);
    }
    state.timer = setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", round, { once: true }) : round()), OVERVIEW_EVERY_MS);
  };
  await round();
}
