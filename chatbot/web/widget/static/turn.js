// Draws a question with its answer and its sources. Whatever the server sends becomes text, never markup.

import { fillIn } from "./texts.js";

const BLOCK_TAGS = ["p", "ul", "ol", "pre", "h4"];
const INLINE_TAGS = ["strong", "em", "code"];
const STYLES = ["short-answer", "draft", "unsupported"];

export function createTurn(question, texts, { rate, retry }) {
  const element = copyTemplate("turn");
  const find = (selector) => element.querySelector(selector);
  const answer = find(".text");
  let drawn = []; // what stands in the answer, group by group
  let blocks = [];
  let told = null;

  find(".question .hidden").textContent = `${texts.youAsked} `;
  find(".question .words").textContent = question;
  find(".waiting span:last-child").textContent = texts.searching;
  element.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.citation) showSource(button.dataset.citation);
    if (button?.dataset.action === "copy") copy(button);
    if (button?.dataset.rating) changeRating(button);
  });

  function tellPlace(before) {
    const text = fillIn([texts.searching, texts.waitingOne][before] ?? texts.waitingMany, { n: before });
    find(".waiting span:last-child").textContent = text;
    return text;
  }

  function tellReading(count) {
    find(".waiting span:last-child").textContent = fillIn(texts.reading, { n: count });
  }

  function addBlocks(from, fresh) {
    blocks = [...blocks.slice(0, from), ...fresh];
    find(".waiting").hidden = true;
    answer.classList.add("writing");
    drawBlocks();
  }

  // Only what changed is drawn again, so that focus stays where it is.
  function drawBlocks() {
    const groups = groupBlocks(blocks);
    const keys = groups.map((group) => JSON.stringify(group));
    let same = 0;
    while (same < keys.length && keys[same] === drawn[same]) same += 1;
    while (answer.children.length > same) answer.lastElementChild.remove();
    for (const group of groups.slice(same)) answer.append(drawGroup(group, texts));
    drawn = keys;
  }

  function finish(turn, language) {
    told = turn;
    blocks = turn.blocks;
    find(".waiting").hidden = true;
    answer.classList.remove("writing");
    element.classList.toggle("not-found", !turn.found);
    if (turn.found || language === "en") drawBlocks();
    else answer.replaceChildren();
    if (!turn.found) {
      find(".not-found-title").hidden = false;
      find(".not-found-title span").textContent = texts.notFound;
      answer.hidden = answer.textContent.trim() === texts.notFound;
    }
    find(".facts").hidden = !turn.is_stopped;
    find(".facts").textContent = texts.stopped;
    drawTools();
    drawSources();
  }

  function drawTools() {
    find(".tools").hidden = false;
    find("[data-action=copy] span").textContent = texts.copy;
    for (const button of element.querySelectorAll("[data-rating]")) {
      const label = button.dataset.rating === "up" ? texts.good : texts.bad;
      button.setAttribute("aria-label", label);
      button.title = label;
      button.setAttribute("aria-pressed", String(told.rating === button.dataset.rating));
    }
  }

  function drawSources() {
    if (!told.sources.length) return;
    find(".sources").hidden = false;
    find(".sources h3").textContent = told.found ? texts.sources : texts.nearest;
    for (const source of told.sources) find(".sources").append(drawSource(source, texts));
  }

  function showSource(number) {
    for (const card of element.querySelectorAll(".card")) {
      card.classList.toggle("active", card.dataset.number === number);
      if (card.dataset.number !== number) continue;
      card.open = true;
      card.querySelector("summary").focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest" });
    }
  }

  async function copy(button) {
    await copyText(writeTurn(told, texts));
    const label = button.querySelector("span");
    label.textContent = texts.copied;
    setTimeout(() => { label.textContent = texts.copy; }, 1600);
  }

  async function changeRating(button) {
    const wanted = button.getAttribute("aria-pressed") === "true" ? null : button.dataset.rating;
    if (await rate(told.id, wanted)) {
      told.rating = wanted;
      drawTools();
    }
  }

  function fail(message, canRetry) {
    find(".waiting").hidden = true;
    answer.classList.remove("writing");
    const problem = copyTemplate("problem");
    problem.querySelector("p").textContent = message;
    const again = problem.querySelector("button");
    again.textContent = texts.retry;
    again.hidden = !canRetry;
    again.addEventListener("click", () => retry(question));
    find(".answer").append(problem);
  }

  function readAloud() {
    return fillIn(texts.answered, {
      text: told.found || !texts.notFound ? answer.innerText : texts.notFound,
      n: told.found ? told.sources.length : 0,
    });
  }

  return { element, tellPlace, tellReading, addBlocks, finish, fail, readAloud };
}

export function copyTemplate(name) {
  return document.getElementById(`${name}-template`).content.firstElementChild.cloneNode(true);
}

function groupBlocks(blocks) {
  const groups = [];
  for (const block of blocks) {
    const tag = BLOCK_TAGS.includes(block.tag) ? block.tag : "p";
    const isItem = tag === "ul" || tag === "ol";
    if (isItem && groups.at(-1)?.tag === tag) groups.at(-1).items.push(block.pieces);
    else groups.push({ tag, items: [block.pieces] });
  }
  return groups;
}

function drawGroup({ tag, items }, texts) {
  const element = document.createElement(tag);
  for (const pieces of items) {
    const place = tag === "ul" || tag === "ol" ? element.appendChild(document.createElement("li")) : element;
    for (const piece of pieces) appendPiece(place, piece, texts);
  }
  return element;
}

function appendPiece(place, piece, texts) {
  if (piece.citation !== undefined) keepTogether(place, drawCitation(piece.citation, texts));
  else if (piece.note) place.append(drawNote(texts.unsupported));
  else place.append(drawWords(piece, texts));
}

// A number stays on the line of the word before it.
function keepTogether(place, element) {
  const last = place.lastChild;
  if (last?.className === "together") {
    last.append(element);
    return;
  }
  const together = document.createElement("span");
  together.className = "together";
  if (last?.nodeType === Node.TEXT_NODE) {
    const start = Math.max(last.data.search(/\S{1,24}$/u), 0);
    together.append(last.splitText(start));
  }
  together.append(element);
  place.append(together);
}

function drawNote(text) {
  const note = document.createElement("small");
  note.className = "unsupported-note";
  note.textContent = text;
  return note;
}

function drawWords(piece, texts) {
  let node = document.createTextNode(piece.text);
  for (const tag of piece.tags.filter((name) => INLINE_TAGS.includes(name)).reverse()) {
    const element = document.createElement(tag);
    element.append(node);
    node = element;
  }
  const styles = piece.styles.filter((name) => STYLES.includes(name));
  if (!styles.length) return node;
  const span = document.createElement("span");
  span.className = styles.join(" ");
  span.append(node);
  if (styles.includes("unsupported")) span.title = texts.unsupported;
  return span;
}

function drawCitation(number, texts) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "citation";
  button.dataset.citation = number;
  button.textContent = number;
  button.setAttribute("aria-label", fillIn(texts.source, { n: number, title: "" }).replace(/\W+$/u, ""));
  const raised = document.createElement("sup");
  raised.append(button);
  return raised;
}

function drawSource(source, texts) {
  const card = copyTemplate("source");
  const link = card.querySelector("a");
  card.dataset.number = source.number;
  card.querySelector(".number").textContent = source.number;
  card.querySelector(".title").textContent = source.title;
  card.querySelector(".place").textContent = source.place;
  card.querySelector(".place").hidden = !source.place;
  card.querySelector("blockquote").append(...source.words.map(({ text, is_quoted }) => {
    if (!is_quoted) return text;
    const mark = document.createElement("mark");
    mark.textContent = text;
    return mark;
  }));
  link.href = new URL(source.link, document.baseURI);
  link.querySelector("span").textContent = texts.openDocument;
  link.setAttribute("aria-label", `${texts.openDocument}: ${source.title} (${texts.newTab})`);
  return card;
}

function writeTurn(turn, texts) {
  const lines = turn.blocks.map(({ tag, pieces }) => {
    const words = pieces.map((piece) => (piece.citation ? ` [${piece.citation}]` : piece.text ?? "")).join("");
    return tag === "ul" || tag === "ol" ? `- ${words}` : words;
  });
  const sources = turn.sources.map((source) => {
    const quote = source.words.filter((word) => word.is_quoted).map((word) => word.text.trim()).join(" … ");
    return `[${source.number}] ${source.title}${source.place ? ` (${source.place})` : ""}${quote ? `: “${quote}”` : ""}`;
  });
  return [...lines, ...(sources.length ? ["", turn.found ? texts.sources : texts.nearest, ...sources] : [])].join("\n");
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea"); // without https there is no clipboard object
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}
