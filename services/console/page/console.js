/* The console's page. All text reaches the page as text (textContent), never as HTML: names and
 * answers of shops and vendors are written by strangers. overview.js and acts.js are parts of it; they
 * are loaded before it. */
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

/* -- views ------------------------------------------------------------------------------------------------------ */

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
