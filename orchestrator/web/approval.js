"use strict";
// The page on which a person decides. All text is set as text: nothing that comes from outside is ever markup.

const id = location.pathname.split("/").pop();
const at = (name) => document.getElementById(name);
const TONES = { waiting: "ask", queued: "ask", sending: "ask", following: "ask", done: "good" };
const WORDS = {
  waiting: "Waiting for approval", queued: "Allowed, about to be done", sending: "Being done", following: "Being followed",
  done: "Done", not_done: "Not done", unknown: "Not known whether it was done", refused: "Refused", denied: "Denied by policy",
  declined: "Declined", expired: "Expired: the answer is no", withdrawn: "Taken back",
};
let shown = null;

function element(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

function time(moment) {
  return moment ? new Date(moment).toISOString().slice(0, 16).replace("T", " ") + " UTC" : "";
}

function pairs(where, told) {
  at(where).replaceChildren(...told.filter(([, value]) => value !== "" && value !== null).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

function lines(where, told) {
  at(where).replaceChildren(...told.map((text) => element("li", text)));
}

function show(action, me) {
  shown = action;
  document.title = action.title;
  const later = action.state === "queued" && action.not_before && new Date(action.not_before) > new Date();
  at("state").textContent = later ? "Allowed, to be done later" : WORDS[action.state] || action.state;
  at("state").dataset.tone = TONES[action.state] || "bad";
  if (action.state === "done" && ["Failed", "Cancelled"].includes(action.started_status)) at("state").dataset.tone = "bad";
  at("title").textContent = action.title;
  at("why").textContent = action.outcome || action.why;
  at("h-effects").textContent = ["waiting", "queued"].includes(action.state) ? "What would happen" : "What it does";
  lines("effects", action.effects);
  pairs("facts", Object.entries(action.facts));
  pairs("terms", [
    ["Factory", action.factory], ["Pipeline", action.pipeline], ["Risk", action.risk],
    ["Proposed by", `${action.requested_by}, ${time(action.created_at)}`],
    ["Rule", [action.rule, action.rule_why].filter(Boolean).join(": ")],
    ["Needs", action.approvals_needed ? `${action.approvals_needed} × ${action.roles.join(" or ")}${action.four_eyes ? ", not whoever proposed it" : ""}` : ""],
    ["Until", action.state === "waiting" ? `${time(action.expires_at)}; after that the answer is no` : ""],
    ["Not before", action.state === "queued" ? time(action.not_before) : ""],
    ["Approved by", action.approvals.map((each) => each.by).join(", ")],
    ["Run it started", [action.started_run, action.started_status].filter(Boolean).join(": ")],
    ["Incident", action.incident_id], ["Action", action.id],
  ]);
  lines("timeline", action.timeline.map((entry) => `${time(entry.at)} ${entry.text}`));
  const mine = action.requested_by === me.name || action.approvals.some((each) => each.by === me.name);
  at("decide").hidden = action.state !== "waiting" || !action.roles.some((role) => me.roles.includes(role));
  at("withdraw").hidden = !mine || !["waiting", "queued"].includes(action.state);
  at("me").textContent = `Signed in as ${me.name} (${me.roles.join(", ")}).`;
  at("page").removeAttribute("aria-busy");
}

function say(text, bad) {
  at("said").textContent = text;
  at("said").classList.toggle("bad", Boolean(bad));
}

async function ask(path, options) {
  const answer = await fetch(path, { credentials: "same-origin", ...options });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error([told.detail, told.hint].filter(Boolean).join(" ") || `The app answered ${answer.status}.`);
  return told;
}

async function load() {
  const [action, me] = await Promise.all([ask(`/ui/actions/${id}`), ask("/ui/me")]);
  show(action, me);
  if (["queued", "sending", "following"].includes(action.state)) setTimeout(() => load().catch(() => {}), 3000);
}

async function decide(event) {
  event.preventDefault();
  const decision = event.submitter.value;
  const buttons = document.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const body = JSON.stringify({ decision, digest: shown.digest, comment: at("comment").value.trim() });
    await ask(`/ui/approvals/${id}`, { method: "POST", headers: { "content-type": "application/json" }, body });
    say({ approve: "You approved it.", decline: "You said no.", withdraw: "You took it back." }[decision]);
  } catch (error) {
    say(error.message, true);
  }
  buttons.forEach((button) => { button.disabled = false; });
  await load();
}

for (const form of ["decide", "withdraw"]) at(form).addEventListener("submit", (event) => decide(event).catch((error) => say(error.message, true)));
load().catch((error) => { at("state").textContent = "Not shown"; say(error.message, true); });
