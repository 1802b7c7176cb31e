/* Signing in, and what can be done from the console. Its tools are in console.js. */
"use strict";

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
