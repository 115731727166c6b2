// The chat inside the frame: hears the page that shows it, asks the server, draws the conversation.

import { RIGHT_TO_LEFT, TEXTS, fillIn } from "./texts.js";
import { Refusal, createVisit } from "./visit.js";
import { copyTemplate, createTurn } from "./turn.js";

const { origin } = document.documentElement.dataset;
const find = (selector) => document.querySelector(selector);
const question = find("#question");
const scroller = find("#conversation");

let texts = TEXTS.en;
let language = "en";
let isInline = false;
let longestQuestion = 500;
let page = null; // the page's title and address, if it tells them
let ticketWanted = null; // who waits for a ticket
let asking = null; // stops the answer that is being written
let isOpen = false;
let wantsFocus = false;
let waitingQuestion = "";
let starters = [];

const visit = createVisit(
  () => new Promise((resolve) => {
    ticketWanted = resolve;
    tell("ticket");
  }),
  (conversation) => tell("keep", { conversation }),
);

// ---- the page that shows this frame --------------------------------------------------------------

const heard = {
  start,
  ticket: ({ ticket }) => ticketWanted?.(ticket),
  page: ({ title, address }) => { page = { title: String(title).slice(0, 1000), address: String(address).slice(0, 4000) }; },
  ask: ({ text }) => {
    if (isOpen && !asking) ask(String(text));
    else waitingQuestion = String(text);
  },
  focus: () => {
    if (isOpen) question.focus();
    else wantsFocus = true;
  },
};

window.addEventListener("message", (event) => {
  if (event.origin !== origin || event.source !== window.parent) return;
  if (Object.hasOwn(heard, event.data?.type)) heard[event.data.type](event.data);
});

function tell(type, detail = {}) {
  window.parent.postMessage({ ...detail, type }, origin);
}

function tellEvent(name, detail = {}) {
  tell("event", { name, detail });
}

// ---- beginning -----------------------------------------------------------------------------------

async function start({ ticket, conversation, options }) {
  setUp(options);
  try {
    const opened = await visit.open(ticket, conversation);
    longestQuestion = opened.longest_question;
    starters = options.starters.length ? options.starters : opened.starters;
    if (!options.title) showTitle(opened.title);
    for (const turn of opened.turns) drawTurn(turn.question).finish(turn, language);
    showWelcome();
    isOpen = true;
    question.disabled = false;
    question.maxLength = longestQuestion;
    changeSending(false);
    if (wantsFocus) question.focus();
    scroller.scrollTop = scroller.scrollHeight;
    if (waitingQuestion) ask(waitingQuestion);
  } catch (error) {
    find("#greeting").textContent = describeFailure(error);
    find("#welcome").hidden = false;
  }
}

function setUp(options) {
  language = options.language in TEXTS ? options.language : "en";
  texts = TEXTS[language];
  isInline = options.isInline;
  const root = document.documentElement;
  root.lang = language;
  root.dir = RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
  root.dataset.theme = options.theme;
  root.style.setProperty("--brand", options.color);
  root.style.setProperty("--on-brand", options.onColor);
  showTitle(options.title || texts.title);
  find("#greeting").textContent = options.greeting || texts.greeting;
  if (options.logo) showLogo(options.logo);
  label("#close", texts.close);
  label("#new", texts.newChat);
  label("#send", texts.send);
  label("#stop", texts.stop);
  find("#close").hidden = isInline;
  find("#question-label").textContent = texts.question;
  find("#starters").setAttribute("aria-label", texts.starters);
  question.placeholder = texts.question;
  find("#note").textContent = texts.note;
}

function label(selector, text) {
  find(selector).setAttribute("aria-label", text);
  find(selector).title = text;
}

function showTitle(title) {
  find("#title").textContent = title;
  document.title = title;
}

function showLogo(address) {
  const logo = find("#logo");
  logo.addEventListener("load", () => { logo.hidden = false; });
  logo.src = address;
}

function showWelcome() {
  const isEmpty = !find("#turns").children.length;
  find("#welcome").hidden = !isEmpty;
  find("#new").hidden = isEmpty;
  find("#starters").replaceChildren(...starters.map((text) => {
    const item = copyTemplate("starter");
    item.querySelector("span").textContent = text;
    item.querySelector("button").addEventListener("click", () => ask(text));
    return item;
  }));
}

// ---- asking --------------------------------------------------------------------------------------

function drawTurn(text) {
  const turn = createTurn(text, texts, { rate, retry: ask });
  find("#turns").append(turn.element);
  showWelcome();
  return turn;
}

async function ask(text) {
  const words = text.trim();
  if (!words || asking) return;
  waitingQuestion = "";
  const turn = drawTurn(words);
  if ([...words].length > longestQuestion) {
    turn.fail(fillIn(texts.tooLong, { n: longestQuestion }), false);
    return;
  }
  question.value = "";
  fitQuestion();
  asking = new AbortController();
  changeSending(true);
  say(texts.searching);
  turn.element.scrollIntoView({ block: "start" });
  tellEvent("question");
  try {
    await visit.ask(words, page, (event) => follow(turn, event), asking.signal);
  } catch (error) {
    if (error.name !== "AbortError") fail(turn, error);
  }
  asking = null;
  changeSending(false);
}

function follow(turn, event) {
  const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
  if (event.type === "waiting") say(turn.tellPlace(event.before));
  if (event.type === "reading") turn.tellReading(event.passages);
  if (event.type === "words") turn.addBlocks(event.from, event.blocks);
  if (event.type === "done") {
    turn.finish(event.turn, language);
    say(turn.readAloud());
    tellEvent("answer", { found: event.turn.found, sources: event.turn.sources.length });
  }
  if (event.type === "error") fail(turn, new Refusal(500, event.error));
  if (isAtEnd) followDown(turn);
}

/** Shows what was added, but no more than lets the question stay in sight: answers are read from their top. */
function followDown(turn) {
  const hidden = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  const room = turn.element.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  scroller.scrollTop += Math.max(0, Math.min(hidden, room));
}

function fail(turn, error) {
  const message = describeFailure(error);
  turn.fail(message, error.kind !== "QuestionError");
  say(message);
  tellEvent("error", { reason: error.kind || "network" });
}

function describeFailure(error) {
  if (!(error instanceof Refusal)) return texts.offline;
  if (error.kind === "LimitReached") {
    return error.seconds > 600 ? texts.spent : fillIn(texts.tooFast, { n: error.seconds });
  }
  if (error.kind === "BusyError") return texts.busy;
  if (error.kind === "ModelError") return texts.loading;
  if (error.kind === "QuestionError") return fillIn(texts.tooLong, { n: longestQuestion });
  if (error.status === 401 || error.status === 403) return texts.ended;
  return texts.failed;
}

async function rate(turn, rating) {
  try {
    await visit.rate(turn, rating);
  } catch (error) {
    say(describeFailure(error));
    return false;
  }
  if (rating) say(texts.thanks);
  return true;
}

async function startOver() {
  asking?.abort();
  try {
    await visit.startOver();
  } catch (error) {
    say(describeFailure(error));
    return;
  }
  find("#turns").replaceChildren();
  showWelcome();
  question.focus();
}

// ---- the form, the keyboard ----------------------------------------------------------------------

function say(text) {
  find("#announcer").textContent = text;
}

function changeSending(isSending) {
  find("#send").hidden = isSending;
  find("#stop").hidden = !isSending;
  find("#send").disabled = !isOpen;
}

function fitQuestion() {
  question.style.height = "auto";
  question.style.height = `${Math.min(question.scrollHeight, 120)}px`;
}

find("#composer").addEventListener("submit", (event) => {
  event.preventDefault();
  ask(question.value);
});
question.addEventListener("input", fitQuestion);
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  ask(question.value);
});
find("#stop").addEventListener("click", () => {
  visit.stop().catch(() => asking?.abort());
  question.focus();
});
find("#new").addEventListener("click", startOver);
find("#close").addEventListener("click", () => tell("close"));

document.addEventListener("keydown", (event) => {
  if (isInline) return;
  if (event.key === "Escape") tell("close");
  if (event.key === "Tab") keepFocusInside(event);
});

// As in a dialog: after the last control comes the first again. Escape leads out.
function keepFocusInside(event) {
  const controls = [...document.querySelectorAll("button, a[href], textarea, summary")].filter(
    (control) => !control.disabled && control.checkVisibility(),
  );
  const [edge, other] = event.shiftKey ? [controls[0], controls.at(-1)] : [controls.at(-1), controls[0]];
  if (document.activeElement !== edge && document.activeElement !== document.body) return;
  event.preventDefault();
  other?.focus();
}

tell("ready");
