/* The console's page. All text reaches the page as text (textContent), never as HTML: names and
 * answers of shops and vendors are written by strangers. */
"use strict";

const API = "/api/v1/";
const OVERVIEW_EVERY_MS = 5000, CALL_LIMIT_MS = 30000, ACT_LIMIT_MS = 600000, PAGE_SIZE = 50, LAG_WARN_S = 300;

const LISTS = {
  stuck: { title: "Stuck", stage: true, next: true, about: "Orders that entered the pipeline and have no answer yet: they wait or are being retried." },
  dead: { title: "Dead", about: "Orders that were given up. Nothing happens to them until somebody acts.", acts: true },
  waiting: { title: "Waiting", stage: true, about: "Orders that wait for their turn, for an account to open, or for a doubtful step to be settled.", acts: true },
  retrying: { title: "Retrying", stage: true, next: true, about: "Orders with a temporary failure. They are tried again by themselves.", acts: true },
  skipped: { title: "Skipped", about: "Orders that are not to be synced, by the rules of their store." },
};

const WORDS = {
  synced: ["Synced", "good"], waiting: ["Waiting", "warn"], skipped: ["Skipped", ""], retrying: ["Retrying", "warn"],
  dead: ["Dead", "bad"], unknown: ["Unknown", ""],
};

const REASONS = {
  next_poll: "next poll", queued: "queued", account_closed: "account closed", ecommerce_unavailable: "no e-commerce module",
  in_doubt: "step in doubt", no_email: "no e-mail", invalid_email: "e-mail is no address", status: "order status",
  before_start: "before the start date", total_mismatch: "total does not match", currency_mismatch: "wrong currency",
  gave_up: "gave up", too_large: "too large", malformed: "malformed", poison: "poison", retrying: "retrying",
};

const STAGES = {
  filter: "decides what is to be synced",
  mapper: "builds what Infusionsoft wants", pusher: "creates contact, order and goals",
};

const state = { token: "", acts: false, needsToken: false, email: "", charts: [], timer: 0, view: 0, picked: new Set(), painted: new Map() };

/* -- small tools ------------------------------------------------------------------------------------------------ */

const byId = (id) => document.getElementById(id);

/* A new element. Properties with a dash, and those that HTML knows only as attributes, become attributes. */
function el(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
  return node;
}

/* Replaces what is in a part of the page, where it changed; the focus stays on the control with the same data-key. */
function paint(part, data, make) {
  const text = JSON.stringify(data);
  if (state.painted.get(part) === text) return;
  state.painted.set(part, text);
  const key = part.contains(document.activeElement) ? document.activeElement.getAttribute("data-key") : null;
  part.replaceChildren(...[make(data)].flat(Infinity).filter(Boolean));
  if (key !== null) {
    const again = [...part.querySelectorAll("[data-key]")].find((node) => node.getAttribute("data-key") === key);
    if (again) again.focus();
  }
}

function announce(text) {
  byId("announce").textContent = "";
  setTimeout(() => { byId("announce").textContent = text; }, 50);
}

const number = (value) => (typeof value === "number" ? value.toLocaleString("en") : "–");
const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many || one + "s"}`;
const human = (reason) => REASONS[reason] || String(reason).replace(/_/g, " ");

function duration(seconds) {
  if (typeof seconds !== "number" || !isFinite(seconds)) return "–";
  const s = Math.max(0, seconds);
  if (s < 10) return `${Math.round(s * 10) / 10} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} days`;
}

function when(text, options) {
  const at = new Date(text);
  if (!text || isNaN(at)) return text ? String(text) : "–";
  const shown = at.toLocaleString("en-GB", options || { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return el("time", { datetime: at.toISOString(), title: at.toISOString() }, shown);
}

/* A sentence with its times as the rest of the page shows them. */
function said(sentence) {
  const parts = String(sentence || "").split(/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/);
  return parts.map((part, i) => (i % 2 ? when(part) : part));
}

function ago(text) {
  const at = new Date(text);
  if (!text || isNaN(at)) return "–";
  const seconds = (Date.now() - at) / 1000;
  const words = seconds >= 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
  return el("time", { datetime: at.toISOString(), title: at.toISOString() }, words);
}

const word = (text, kind) => el("span", { class: `word ${kind || ""}` }, text);
const facts = (pairs) => el("dl", { class: "facts" }, pairs.filter((pair) => pair && pair[1] !== null && pair[1] !== undefined && pair[1] !== "")
  .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
const busy = (text) => el("p", { class: "soft", role: "status" }, el("span", { class: "busy", "aria-hidden": "true" }), text);
const notice = (kind, ...children) => el("div", { class: `notice ${kind}` }, ...children);
const empty = (title, text) => el("div", { class: "empty" }, el("strong", {}, title), text);

/* -- calls ------------------------------------------------------------------------------------------------------ */

class Refused extends Error {
  constructor(status, code, sentence) {
    super(sentence);
    this.status = status;
    this.code = code;
  }
}

async function call(path, options) {
  const { body, method, limit } = options || {};
  const headers = { Accept: "application/json" };
  if (state.token) headers.Authorization = `Bearer ${state.token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(API + path, { method: method || (body === undefined ? "GET" : "POST"), headers,
      body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", credentials: "omit",
      redirect: "error", signal: AbortSignal.timeout(limit || CALL_LIMIT_MS) });
  } catch (error) {
    throw new Refused(0, "unreachable", error.name === "TimeoutError" ? "The console did not answer in time." : "The console cannot be reached.");
  }
  let json = null;
  try { json = await answer.json(); } catch { /* an answer that is no JSON has no sentence */ }
  if (answer.ok && json !== null) return json;
  throw new Refused(answer.status, (json && json.code) || "", (json && json.error) || `The console answered with status ${answer.status}.`);
}

function query(values) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== "" && value !== null && value !== undefined) words.set(name, value);
  return words.toString();
}

/* -- what stands around the views ------------------------------------------------------------------------------- */

function showIndex(index) {
  if (!index) return;
  byId("index-state").replaceChildren(index.is_caught_up
    ? el("span", {}, "The index is up to date, as of ", when(index.as_of), ".")
    : el("span", {}, word("index behind", "warn"), typeof index.behind_s === "number" ? ` The index is ${duration(index.behind_s)} behind: newer events are not shown yet.` : " The index is being built: older events are not shown yet."));
  state.behind = index.trouble || (index.is_caught_up ? "" : typeof index.behind_s === "number" ? `The index is ${index.behind_s >= 60 ? duration(index.behind_s) : "a little"} behind. What you see may be older than what is so.` : "The index is being built from the topics. What you see is not complete yet.");
}

function alarmText(alarm) {
  if (typeof alarm === "string") return alarm;
  return alarm.sentence || alarm.text || alarm.what || alarm.name || "";
}

/* Trouble is said at the top of every view, once, and read out when it changes. */
function showNotices(status, error) {
  const notes = [];
  if (error) notes.push(["bad", [error.message]]);
  const alarms = status && status.alarms ? status.alarms.map(alarmText).filter(Boolean) : [];
  if (alarms.length) notes.push(["bad", alarms]);
  if (state.behind) notes.push(["warn", [state.behind]]);
  paint(byId("notices"), notes, (all) => {
    if (all.length) announce(all.map(([, lines]) => lines.join(" ")).join(" "));
    return all.map(([kind, lines]) => notice(kind, lines.length === 1 ? el("p", {}, lines[0]) : el("ul", {}, lines.map((line) => el("li", {}, line)))));
  });
}

function showNav(current) {
  const entries = [["", "Overview"], ...Object.entries(LISTS).map(([name, list]) => [`list/${name}`, list.title])];
  byId("nav").replaceChildren(...entries.map(([hash, title]) => el("li", {},
    el("a", { href: `#/${hash}`, "aria-current": hash === current ? "page" : null }, title))));
}

function showSession() {
  const button = byId("session");
  button.hidden = !state.acts && !state.needsToken;
  button.textContent = state.token ? "Sign out" : "Sign in";
}

async function readSession() {
  try {
    const session = await call("session");
    state.acts = session.acts;
    state.needsToken = session.reading === "token";
  } catch { /* the view says what is wrong */ }
  showSession();
}

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

/* What a call that failed looks like: in the view where nothing is shown yet, else at the top. */
function failed(error, main) {
  if (error.code === "token_needed" || error.code === "token_wrong") {
    if (error.code === "token_wrong") { state.token = ""; showSession(); }
    state.needsToken = true;
    showSession();
    if (main) main.replaceChildren(el("h1", {}, "Sign in"), el("div", { class: "panel" }, empty("This console needs its token", "It listens on an address that other machines can reach."),
      el("p", { class: "empty" }, el("button", { type: "button", class: "strong", onclick: () => signIn() }, "Sign in"))));
    return;
  }
  if (main) main.append(el("div", { class: "panel", role: "alert" }, empty("That did not work", error.message),
    el("p", { class: "empty" }, el("button", { type: "button", onclick: () => show() }, "Try again"))));
  else showNotices(null, error);
}

/* -- lists ------------------------------------------------------------------------------------------------------ */

const DURATIONS = [["", "any time"], ["1h", "the last hour"], ["24h", "the last 24 hours"], ["7d", "the last 7 days"]];
const AGES = [["", "any age"], ["5m", "5 minutes"], ["15m", "15 minutes"], ["1h", "an hour"], ["1d", "a day"]];

function select(id, label, choices, value, change) {
  const known = choices.some(([choice]) => choice === value);
  return el("div", {}, el("label", { for: id }, label), el("select", { id, "data-key": id, onchange: (event) => change(event.target.value) },
    [...choices, ...(known ? [] : [[value, value]])].map(([choice, text]) => el("option", { value: choice, selected: choice === value }, text))));
}

function orderRow(name, order, change) {
  const key = order.key || order.order;
  const box = LISTS[name].acts && state.acts ? el("td", { class: "pick" }, el("input", { type: "checkbox", "aria-label": `Choose ${order.order}`, "data-key": `pick/${key}`,
    onchange: (event) => { event.target.checked ? state.picked.add(key) : state.picked.delete(key); change(); } })) : null;
  return el("tr", {}, box,
    el("td", { class: "order", "data-label": "Order" }, el("a", { href: `#/order/${encodeURIComponent(key)}` }, order.order || key)),
    el("td", {}, el("div", {}, said(order.sentence || human(order.reason || order.verdict))), order.detail && !String(order.sentence).includes(order.detail) ? el("p", { class: "detail" }, order.detail) : null),
    LISTS[name].stage ? el("td", { "data-label": "Stage" }, order.stage || "–") : null,
    el("td", { class: "short", "data-label": "Since" }, when(order.since, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }), typeof order.age_s === "number" ? ` (${duration(order.age_s)})` : ""),
    LISTS[name].next ? el("td", { class: "short", "data-label": "Next try" }, order.next_try ? ago(order.next_try) : "–") : null);
}

function reasonChips(answer, filter, go) {
  const counts = Object.entries(answer.counts || {}).sort((a, b) => b[1] - a[1]);
  if (counts.length < 2 && !filter.reason) return null;
  if (filter.reason && !counts.some(([reason]) => reason === filter.reason)) counts.push([filter.reason, 0]);
  return el("ul", { class: "chips", "aria-label": "Reasons" }, counts.map(([reason, count]) => el("li", {},
    el("button", { type: "button", "data-key": `reason/${reason}`, "aria-pressed": filter.reason === reason ? "true" : "false",
      onclick: () => go({ reason: filter.reason === reason ? "" : reason }) }, `${human(reason)} `, el("span", { class: "number" }, number(count))))));
}

function listTools(name, answer, filter) {
  const count = el("p", { class: "number", role: "status" }, plural(answer.total || 0, "order"));
  if (!LISTS[name].acts || !answer.orders.length) return [el("div", { class: "tools" }, count), () => {}];
  const chosen = { list: name, store: filter.store, reason: filter.reason, since: filter.since };
  const all = el("button", { type: "button", "data-key": "retry-all", hidden: Boolean(filter.older), onclick: () => openRetry(Object.fromEntries(Object.entries(chosen).filter(([, value]) => value)), answer.total) }, answer.total === 1 ? "Try it again…" : `Try all ${number(answer.total)} again…`);
  const some = el("button", { type: "button", "data-key": "retry-some", hidden: true, onclick: () => openRetry({ orders: [...state.picked] }, state.picked.size) });
  const drop = el("button", { type: "button", "data-key": "drop-some", hidden: true, onclick: () => openAct({ act: "drop", body: { orders: [...state.picked] }, title: "Drop orders", needsWhy: true, simple: true,
    text: `${plural(state.picked.size, "order")} would be dropped: nothing is sent to Infusionsoft for them, and they leave this list.` }) });
  const change = () => {
    some.hidden = drop.hidden = state.picked.size === 0;
    some.textContent = `Try ${plural(state.picked.size, "order")} again…`;
    drop.textContent = `Drop ${plural(state.picked.size, "order")}…`;
    all.hidden = state.picked.size > 0 || Boolean(filter.older);
  };
  return [el("div", { class: "tools" }, count, state.acts ? el("div", { class: "buttons" }, all, some, drop) : el("span", { class: "soft" }, "This console is read-only.")), change];
}

async function list(view, main, name, filter) {
  const about = LISTS[name];
  const body = el("div", { "aria-busy": "true" }, busy("Reading the list…"));
  const go = (change) => { location.hash = `#/list/${name}?${query({ ...filter, after: "", ...change })}`; };
  main.replaceChildren(el("div", { class: "head" }, el("h1", {}, about.title), el("button", { type: "button", class: "small", onclick: () => show() }, "Refresh")),
    el("p", { class: "soft" }, about.about), body);
  state.picked.clear();
  try {
    const [answer, status] = await Promise.all([call(`orders?${query({ list: name, ...filter, limit: PAGE_SIZE })}`), call("status").catch(() => null)]);
    if (view !== state.view) return;
    showIndex(answer.index);
    showNotices(status);
    const stores = (status && status.stores ? status.stores : []).map((store) => [store.hash, `${store.code} (${store.hash})`]);
    const [tools, change] = listTools(name, answer, filter);
    const isFiltered = filter.store || filter.reason || filter.since || filter.older;
    body.replaceChildren(...[
      el("form", { class: "filters", "aria-label": "Filter", onsubmit: (event) => event.preventDefault() },
        select("f-store", "Store", [["", "all stores"], ...stores], filter.store || "", (store) => go({ store })),
        select("f-since", "Since", DURATIONS, filter.since || "", (since) => go({ since })),
        select("f-older", "Older than", AGES, filter.older || "", (older) => go({ older })),
        isFiltered ? el("button", { type: "button", class: "quiet", onclick: () => go({ store: "", reason: "", since: "", older: "" }) }, "Clear filters") : null),
      reasonChips(answer, filter, go), tools,
      answer.orders.length ? el("table", { class: "cards" },
        el("caption", { class: "hidden" }, `${about.title} orders`),
        el("thead", {}, el("tr", {}, about.acts && state.acts ? el("td", { class: "pick" }, el("span", { class: "hidden" }, "Choose")) : null, ["Order", "Why", about.stage && "Stage", "Since", about.next && "Next try"].filter(Boolean).map((title) => el("th", { scope: "col" }, title)))),
        el("tbody", {}, answer.orders.map((order) => orderRow(name, order, change))))
        : el("div", { class: "panel" }, isFiltered ? empty("No order matches", "Change or clear the filters.") : empty(`No ${name === "skipped" ? "skipped" : name} orders`, name === "skipped" ? "No rule kept an order out." : "All is well.")),
      el("nav", { class: "paging", "aria-label": "Pages" },
        filter.after ? el("button", { type: "button", onclick: () => go({ after: "" }) }, "To the first page") : el("span"),
        answer.next ? el("button", { type: "button", onclick: () => go({ after: answer.next }) }, "Next page") : el("span"))].filter(Boolean));
    body.removeAttribute("aria-busy");
    announce(`${about.title}: ${plural(answer.total || 0, "order")}.`);
  } catch (error) {
    if (view !== state.view) return;
    body.remove();
    failed(error, main);
  }
}

/* -- one order -------------------------------------------------------------------------------------------------- */

const SHOWN_ELSEWHERE = ["time", "stage", "topic", "partition", "offset"];
const FACT_NAMES = { order_id: "Infusionsoft order", contact_id: "Infusionsoft contact", not_before: "not before", modified_at: "changed at", taken_back: "taken back", in_doubt: "in doubt", left_out: "left out" };

function stepKind(step) {
  const text = `${step.stage || ""} ${step.topic || ""}`;
  if (/delivered/.test(text)) return "good";
  if (/dead/.test(text)) return step.taken_back ? "" : "bad";
  return /retry|waiting/.test(text) ? "warn" : "";
}

function factValue(value) {
  if (value === null || typeof value !== "object") return typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) ? when(value) : String(value);
  if (Array.isArray(value) && value.every((one) => one !== null && typeof one === "object" && Object.values(one).every((part) => part === null || typeof part !== "object")))
    return el("ul", { class: "plain" }, value.map((one) => el("li", {}, Object.values(one).filter((part) => part !== null).join(" · "))));
  return el("pre", { tabindex: "0" }, JSON.stringify(value, null, 2));
}

function timelineStep(step) {
  const more = Object.entries(step).filter(([name, value]) => !SHOWN_ELSEWHERE.includes(name) && value !== null && value !== "");
  const place = step.topic === undefined ? null : el("code", {}, `${step.topic}/${step.partition}/${step.offset}`);
  return el("li", { class: stepKind(step) },
    el("h3", {}, step.stage || step.topic || "step"),
    el("div", { class: "when" }, when(step.time, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 }), place ? [" · ", place] : null),
    more.length ? facts(more.map(([name, value]) => [FACT_NAMES[name] || name.replace(/_/g, " "), factValue(value)])) : null);
}

function goalTable(goals) {
  return el("section", { class: "panel" }, el("h2", {}, "Goals"), el("table", { class: "cards" }, el("caption", { class: "hidden" }, "Goals of the order"),
    el("thead", {}, el("tr", {}, ["Integration", "Call name", "Result"].map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", {}, goals.map((goal) => el("tr", {}, el("td", { "data-label": "Integration" }, goal.integration), el("td", { "data-label": "Call name" }, goal.call_name), el("td", { "data-label": "Result" }, goal.result))))));
}

function orderAnswer(answer, isOnly) {
  const [title, kind] = WORDS[answer.verdict] || [answer.verdict, ""];
  const ids = answer.infusionsoft || {};
  const canRetry = state.acts && ["dead", "waiting", "retrying"].includes(answer.verdict) && answer.key;
  return el("article", { "aria-label": answer.order },
    el("section", { class: `panel verdict ${kind}` },
      el("div", { class: "head" }, el(isOnly ? "h1" : "h2", {}, answer.order || answer.key), word(title, kind)),
      el("p", { class: "sentence" }, said(answer.sentence)),
      answer.next ? el("p", {}, el("strong", {}, "Next: "), answer.next.what, answer.next.at ? [" (", ago(answer.next.at), ")"] : null) : null,
      facts([["Store", answer.store ? `${answer.code || ""} (${answer.store})` : null], ["Account", answer.account], ["Infusionsoft order", ids.order_id], ["Infusionsoft contact", ids.contact_id],
        ["Key", answer.key ? el("code", {}, answer.key) : null], ["Reason", answer.reason ? human(answer.reason) : null]]),
      canRetry ? el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => openRetry({ orders: [answer.key] }, 1) }, "Try again…"),
        answer.verdict === "dead" ? el("button", { type: "button", onclick: () => openAct({ act: "drop", body: { orders: [answer.key] }, title: `Drop ${answer.order}`, needsWhy: true, simple: true,
          text: "Nothing is sent to Infusionsoft for this order, and it leaves the list of dead orders." }) }, "Drop…") : null) : null),
    (answer.goals || []).length ? goalTable(answer.goals) : null,
    el("section", { class: "panel" }, el("h2", {}, "History"), (answer.history || []).length
      ? el("ol", { class: "timeline" }, answer.history.map(timelineStep)) : empty("Nothing happened yet", "No record of this order is in the pipeline.")));
}

async function orders(view, main, asked) {
  main.replaceChildren(busy("Looking for the order…"));
  try {
    const answer = await asked();
    if (view !== state.view) return;
    showIndex(answer.index);
    showNotices(null);
    const found = answer.orders || [];
    document.title = found.length === 1 ? `${found[0].order} – bigfusion console` : "Search – bigfusion console";
    if (found.length === 0) main.replaceChildren(el("h1", {}, "Search"), el("div", { class: "panel" }, empty("No order found", "The index knows no order for this. Check the spelling, or search by the order's number.")));
    else main.replaceChildren(...(found.length > 1 ? [el("h1", {}, plural(found.length, "order"))] : []), ...found.map((one) => orderAnswer(one, found.length === 1)));
    announce(found.length === 1 ? `${found[0].order}: ${found[0].sentence}` : `${plural(found.length, "order")} found.`);
  } catch (error) {
    if (view !== state.view) return;
    main.replaceChildren(el("h1", {}, "Search"));
    failed(error, main);
  }
}

/* -- acts ------------------------------------------------------------------------------------------------------- */

let afterSignIn = null;

function signIn(then) {
  afterSignIn = then || null;
  byId("sign-in-error").textContent = "";
  byId("token").value = "";
  byId("sign-in").showModal();
  byId("token").focus();
}

async function sendSignIn(event) {
  event.preventDefault();
  const before = state.token;
  state.token = byId("token").value.trim();
  byId("token").value = "";
  try {
    await call("session", { body: {} });
    byId("sign-in").close();
    await readSession();
    announce("Signed in.");
    if (afterSignIn) afterSignIn();
    else show();
  } catch (error) {
    state.token = before;
    byId("sign-in-error").textContent = error.message;
    byId("token").focus();
  }
}

let act = null;

function openAct(wanted) {
  if (!state.token) { signIn(() => openAct(wanted)); return; }
  act = { ...wanted, done: false };
  byId("act-title").textContent = wanted.title;
  byId("act-body").replaceChildren(el("p", {}, wanted.text || ""));
  byId("act-error").textContent = "";
  byId("act-why").value = "";
  byId("act-why").required = Boolean(wanted.needsWhy);
  byId("act-why-row").hidden = !wanted.needsWhy;
  byId("act-close").textContent = "Cancel";
  byId("act-go").hidden = false;
  byId("act-go").disabled = !wanted.simple;
  byId("act-go").textContent = wanted.go || wanted.title;
  if (!byId("act").open) byId("act").showModal();
}

/* First a dry run that counts; only then can it be confirmed. */
async function openRetry(body, expected) {
  if (!state.token) { signIn(() => openRetry(body, expected)); return; }
  openAct({ act: "retry", body, title: "Try orders again", go: "Try again" });
  const mine = act;
  byId("act-body").replaceChildren(busy(`Counting, without doing anything yet (about ${plural(expected, "order")})…`));
  try {
    const answer = await call("retry", { body: { ...body, dry_run: true }, limit: ACT_LIMIT_MS });
    if (act !== mine) return;
    const counts = Object.entries(answer.counts || {});
    byId("act-body").replaceChildren(el("p", {}, el("strong", { class: "number" }, `${plural(answer.count, "order")} would be tried again.`)),
      answer.refused ? el("p", {}, `${plural(answer.refused, "order")} cannot be tried again: what is needed for it is no longer in the topics.`) : "",
      counts.length ? el("ul", {}, counts.map(([reason, count]) => el("li", { class: "number" }, `${human(reason)}: ${number(count)}`))) : "",
      el("p", { class: "soft" }, "An order is never created twice: what Infusionsoft already has is found again."));
    byId("act-go").textContent = `Try ${plural(answer.count, "order")} again`;
    byId("act-go").disabled = answer.count === 0;
    if (answer.count) byId("act-go").focus();
  } catch (error) {
    if (act === mine) { byId("act-body").replaceChildren(); byId("act-error").textContent = error.message; }
  }
}

async function sendAct(event) {
  event.preventDefault();
  if (byId("act-go").disabled || !act) return;
  const mine = act, body = { ...act.body };
  if (act.needsWhy) body.why = byId("act-why").value.trim();
  byId("act-go").disabled = true;
  byId("act-error").textContent = "";
  byId("act-body").replaceChildren(busy("This is under way. It goes on also when you close this window."));
  try {
    const answer = await call(act.act, { body, limit: ACT_LIMIT_MS });
    mine.done = true;
    if (act !== mine) return;
    const text = answer.sentence || (typeof answer.count === "number" ? `Done: ${plural(answer.count, "order")}.` : "Done.");
    const refused = Array.isArray(answer.refused) ? answer.refused : [];
    byId("act-body").replaceChildren(el("p", {}, el("strong", {}, text)), refused.length ? el("ul", {}, refused.map((one) => el("li", {}, `${one.order}: ${one.error}`))) : "");
    byId("act-why-row").hidden = true;
    byId("act-go").hidden = true;
    byId("act-close").textContent = "Close";
    byId("act-close").focus();
  } catch (error) {
    if (act !== mine) return;
    byId("act-body").replaceChildren();
    byId("act-error").textContent = error.message;
    byId("act-go").disabled = false;
  }
}

/* -- where we are ----------------------------------------------------------------------------------------------- */

function parseHash() {
  const [path, words] = location.hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").map((part) => { try { return decodeURIComponent(part); } catch { return part; } }), values: Object.fromEntries(new URLSearchParams(words || "")) };
}

async function show() {
  const view = ++state.view, main = byId("main");
  const { parts, values } = parseHash();
  clearTimeout(state.timer);
  dropCharts();
  state.painted = new Map([[byId("notices"), state.painted.get(byId("notices"))]]);
  showNav(parts[0] === "list" ? `list/${parts[1]}` : parts[0] === "" ? "" : null);
  if (parts[0] === "list" && LISTS[parts[1]]) {
    document.title = `${LISTS[parts[1]].title} – bigfusion console`;
    await list(view, main, parts[1], values);
  } else if (parts[0] === "order") {
    await orders(view, main, () => call(`why?${query({ order: parts.slice(1).join("/") })}`));
  } else if (parts[0] === "infusionsoft") {
    await orders(view, main, () => call(`why?${query({ infusionsoft: parts[1], account: values.account })}`));
  } else if (parts[0] === "email" && state.email) {
    await orders(view, main, () => call("why", { body: { email: state.email } }));
  } else {
    document.title = "Overview – bigfusion console";
    await overview(view, main);
  }
}

function search(event) {
  event.preventDefault();
  const text = byId("search-text").value.trim();
  const kind = text.includes("@") ? "email" : byId("search-kind").value;
  if (!text) { byId("search-text").focus(); return; }
  /* An address never stands in a url: it would be kept in the browser's history. Nor does it stay on the screen. */
  if (kind === "email") { state.email = text; byId("search-text").value = ""; }
  const hash = kind === "email" ? "#/email" : `#/${kind}/${encodeURIComponent(text)}`;
  byId("main").focus({ preventScroll: true });
  if (location.hash === hash) show();
  else location.hash = hash;
}

function start() {
  if (typeof Chart !== "undefined") Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  byId("search").addEventListener("submit", search);
  byId("search-kind").addEventListener("change", () => {
    byId("search-text").placeholder = { order: "BC/1042", infusionsoft: "977", email: "name@example.com" }[byId("search-kind").value];
  });
  byId("session").addEventListener("click", () => {
    if (!state.token) { signIn(); return; }
    state.token = "";
    showSession();
    announce("Signed out.");
    show();
  });
  byId("sign-in-form").addEventListener("submit", sendSignIn);
  byId("act-form").addEventListener("submit", sendAct);
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  byId("act").addEventListener("close", () => { const done = act && act.done; act = null; if (done) show(); });
  document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); byId("main").focus(); });
  addEventListener("hashchange", () => { scrollTo(0, 0); show(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show());
  readSession().then(show);
}

start();
