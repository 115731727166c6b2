// The page's own behaviour. The server draws every part of the page; this script tells it which
// button was pressed, and keeps what only the reader's side knows: scrolling, selection, focus.
"use strict";

window.chatbotPage = (() => {
  const { askReader, copyText, hideTip, showTip, switchTheme } = window.chatbotWidgets;
  let trigger = () => {};
  let editedTurn = "";
  let selectedTurn = "";
  let followsAnswer = true;
  let wasLive = false;
  let shownChat = "";
  let wantedTurn = "";
  let wantsFocus = false;
  let isNewPlace = false;
  let wantsSearch = false;
  let sentSearch = 0;
  let sentSearchAt = 0;
  let searchAddress = "";
  let sentQuestion = "";
  let turnBefore = "";
  let unheardTimer = 0;
  let wantsDraft = true;
  let wantsFilters = false;
  const pickedFilters = new Map();

  // A search that brought nothing for so long, for instance because the network was gone, is given up.
  const LOST_MILLISECONDS = 30_000;

  // A question of which nothing is drawn for so long did not arrive, and is given back.
  const UNHEARD_MILLISECONDS = 5_000;
  const DRAFT = "chatbot-draft";

  const find = (selector, root = document) => root.querySelector(selector);
  const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];
  const findLastTurn = () => findAll("#transcript .turn").at(-1)?.dataset.turn ?? "";
  const isWriting = () => find("[data-writing]") !== null;

  // What is shown after these has an entry of its own in the browser's history.
  const PLACES = new Set(["new", "open", "search_view", "conversation"]);

  // What the address calls the fields of filters that it does not call by their own name.
  const ADDRESS_NAMES = { files: "file", folders: "folder", formats: "type", languages: "language" };

  // ---- what buttons do -------------------------------------------------------------------------

  const actions = {
    menu: () => setMenu(document.body.dataset.menu !== "open"),
    skip: () => { showView(""); focusQuestion(); },
    theme: switchTheme,
    cite: (button) => showCitation(button),
    select: (button) => selectTurn(button.dataset.turn, true),
    unselect: () => { selectedTurn = "none"; markSelection(); },
    copy: (button) => copyText(button),
    reuse: (button) => { setQuestion(button.dataset.question); focusQuestion(); },
    edit: (button) => startEditing(button.dataset.turn, button.dataset.question),
    cancel_edit: () => { stopEditing(); setQuestion(""); },
    ask: (button) => ask(button.dataset.question, ""),
    retry: (button) => ask(button.dataset.question, button.dataset.turn),
    documents: (button) => { showView("documents"); send(button.dataset); },
    conversation: (button) => { showView(""); keepAddress(); send(button.dataset); },
    search_view: (button) => {
      showView("search");
      keepAddress();
      send({ ...button.dataset, filters: searchFilters() });
      focusSearch();
    },
    clear_filters: (button) => clearFilters(button.closest("form")),
    filter: (button) => { send(button.dataset); find('[data-action="choose_filters"]')?.focus(); },
    choose_filters: () => { wantsFilters = true; send({ action: "filter" }); openFilters(); },
    close_dialog: (button) => button.closest("dialog").close(),
    why: (button) => { wantedTurn = button.dataset.turn; send(button.dataset); openWhy(); },
    new: (button) => { showView(""); stopEditing(); send(button.dataset); focusQuestion(); },
    open: (button) => { showView(""); stopEditing(); selectedTurn = ""; send(button.dataset); },
    rename: async (button) => {
      const value = await askReader({ title: "Rename this chat", value: button.dataset.title, confirm: "Rename" });
      if (value) send({ ...button.dataset, value });
    },
    delete_chat: (button) => confirmDelete(button, "Delete this chat?", "It cannot be brought back."),
    delete_document: (button) =>
      confirmDelete(button, "Delete this document?", "The file is deleted from the folder and from the index."),
  };

  async function confirmDelete(button, title, warning) {
    const text = `“${button.dataset.title}” — ${warning}`;
    if ((await askReader({ title, text, confirm: "Delete", isDangerous: true })) !== null) send(button.dataset);
  }

  function send(fields) {
    trigger("click", { filters: chatFilters(), ...fields });
  }

  function ask(question, turn) {
    const field = find("#question");
    if (!question.trim() || isWriting() || !field || field.disabled) return;
    showView("");
    selectedTurn = "";
    followsAnswer = true;
    trigger("submit", { question, turn, filters: chatFilters() });
    stopEditing();
  }

  // ---- search and filters ----------------------------------------------------------------------

  // The server keeps nothing of a page: the filters of the chat stand in what it drew of them.
  function chatFilters() {
    return find(".chat-filters")?.dataset.filters ?? "";
  }

  function searchFilters() {
    return readFilters(find(".search-filters"));
  }

  function readFilters(root) {
    const filters = {};
    for (const field of root ? findAll("[name]", root) : []) {
      const value = field.value.trim();
      if (value) filters[field.name] = field.dataset.list ? [value] : value;
    }
    return JSON.stringify(filters);
  }

  function clearFilters(form) {
    for (const field of findAll("[name]", form)) field.value = "";
    if (form.matches(".search")) submitSearch();
  }

  function submitSearch() {
    isNewPlace = true;
    searchAddress = writeSearchAddress();
    keepAddress();
    wantsSearch = true;
    runSearch();
  }

  // One search at a time, for two could be drawn in the wrong order; what is asked for meanwhile is
  // searched for afterwards. The server says by its number which search is over.
  function runSearch() {
    const done = find("#search_done [data-search]")?.dataset;
    if (done?.wanted === "true" && !sentSearch) wantsSearch = true;
    const isLost = sentSearch > 0 && performance.now() - sentSearchAt > LOST_MILLISECONDS;
    const isSearching = done?.search !== String(sentSearch) && !isLost;
    markSearching(isSearching || wantsSearch);
    if (!wantsSearch || isSearching) return;
    wantsSearch = false;
    sentSearch += 1;
    sentSearchAt = performance.now();
    markSearching(true);
    const question = find("#search-text").value;
    send({ action: "search", question, filters: searchFilters(), search: String(sentSearch) });
  }

  function markSearching(isSearching) {
    const sign = find("#searching");
    if (sign && sign.hidden === isSearching) sign.hidden = !isSearching;
    document.body.dataset.searching = isSearching ? "true" : "";
  }

  function writeSearchAddress() {
    const address = new URLSearchParams({ view: "search" });
    const question = find("#search-text").value.trim();
    if (question) address.append("q", question);
    address.append("corpus", find("nav.side").dataset.corpus);
    for (const field of findAll(".search-filters [name]")) {
      const value = field.value.trim();
      if (value) address.append(ADDRESS_NAMES[field.name] ?? field.name, value);
    }
    return `?${address}`;
  }

  function focusSearch() {
    find("#search-text")?.focus();
  }

  // On a phone the passages come first: the filters are folded until they are wanted.
  function foldFilters() {
    const details = find(".search-filters:not([data-seen])");
    if (!details) return;
    details.dataset.seen = "true";
    details.open = !matchMedia("(max-width: 760px)").matches || searchFilters() !== "{}";
  }

  // The prompt takes longer than the search: it is written when it is looked for.
  function explainSearch(details) {
    wantsFocus = true;
    send({ action: "explain", question: details.dataset.question, filters: details.dataset.filters });
  }

  function focusExplanation() {
    const summary = find(".explanation[open]:not([data-question]) > summary");
    if (!wantsFocus || !summary) return;
    wantsFocus = false;
    if (document.activeElement === document.body) summary.focus({ preventScroll: true });
  }

  function openWhy() {
    const dialog = find("#why dialog");
    if (!dialog || dialog.dataset.turn !== wantedTurn || dialog.open) return;
    wantedTurn = "";
    dialog.showModal();
  }

  // Documents may have come since the dialog was drawn. Where they have, it is drawn anew while it is open.
  function openFilters() {
    const dialog = find(".filter-dialog");
    if (!wantsFilters || !dialog || dialog.open) return;
    dialog.showModal();
    for (const [name, value] of pickedFilters) find(`[name="${name}"]`, dialog).value = value;
  }

  // ---- composer --------------------------------------------------------------------------------

  function submitQuestion() {
    const field = find("#question");
    const limit = Number(field.form.dataset.limit);
    if (isWriting() || !field.value.trim() || field.value.length > limit) return;
    sentQuestion = field.value;
    turnBefore = findLastTurn();
    clearTimeout(unheardTimer);
    unheardTimer = setTimeout(giveBackQuestion, UNHEARD_MILLISECONDS);
    ask(field.value, editedTurn);
    setQuestion("");
  }

  function giveBackQuestion() {
    if (sentQuestion && !isWriting() && !find("#question").value) setQuestion(sentQuestion);
    sentQuestion = "";
  }

  // What was typed outlasts a reload, as after the server was away.
  function restoreDraft() {
    const field = find("#question");
    if (!wantsDraft || !field) return;
    wantsDraft = false;
    const draft = sessionStorage.getItem(DRAFT);
    if (draft && !field.value) setQuestion(draft);
  }

  function setQuestion(text) {
    const field = find("#question");
    field.value = text;
    fitQuestion(field);
  }

  function fitQuestion(field) {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
    const limit = Number(field.form.dataset.limit);
    const isLong = field.value.length > limit;
    const isNear = field.value.length > limit * 0.8;
    find("#counter").textContent = isLong
      ? `${field.value.length - limit} characters too many (limit ${limit})`
      : isNear ? `${limit - field.value.length} characters left` : "";
    field.setAttribute("aria-invalid", String(isLong));
  }

  function focusQuestion() {
    find("#question")?.focus();
  }

  function startEditing(turn, question) {
    editedTurn = turn;
    find(".editing").hidden = false;
    setQuestion(question);
    focusQuestion();
  }

  function stopEditing() {
    editedTurn = "";
    const note = find(".editing");
    if (note) note.hidden = true;
  }

  // ---- citations and sources -------------------------------------------------------------------

  function selectTurn(turn, mayScroll) {
    selectedTurn = turn;
    markSelection();
    const sources = find(".turn.selected > .sources");
    if (mayScroll && sources && getComputedStyle(sources).position !== "fixed") {
      sources.scrollIntoView({ block: "start" });
    }
  }

  function markSelection() {
    const turns = findAll("#transcript .turn");
    const chosen = turns.find((turn) => turn.dataset.turn === selectedTurn) ?? turns.at(-1);
    for (const turn of turns) {
      const isChosen = turn === chosen && selectedTurn !== "none";
      turn.classList.toggle("selected", isChosen);
      find('[data-action="select"]', turn)?.setAttribute("aria-pressed", String(isChosen));
    }
  }

  function showCitation(button) {
    const turn = button.closest(".turn");
    if (turn.dataset.turn) selectTurn(turn.dataset.turn, false);
    const panel = find(".sources", turn) ?? find("#live_sources .sources");
    const wanted = button.dataset.citations.split(" ");
    if (!panel) return;
    const marks = findAll("mark", panel);
    for (const mark of marks) {
      mark.classList.toggle("active", mark.dataset.citations.split(" ").some((index) => wanted.includes(index)));
    }
    findAll(".citation").forEach((other) => other.classList.toggle("active", other === button));
    const first = find("mark.active", panel);
    const card = first?.closest(".card");
    findAll(".card", panel).forEach((other) => other.classList.toggle("active", other === card));
    card?.focus({ preventScroll: true });
    first?.scrollIntoView({ block: "center" });
    hideTip();
  }

  // ---- views -----------------------------------------------------------------------------------

  function setMenu(isOpen) {
    document.body.dataset.menu = isOpen ? "open" : "";
    find('.topbar [data-action="menu"]')?.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) find(".side button")?.focus();
  }

  function showView(view) {
    document.body.dataset.view = view;
    markView();
    setMenu(false);
    if (view) window.scrollTo(0, 0);
  }

  function markView() {
    const view = document.body.dataset.view;
    for (const [action, name] of [["search_view", "search"], ["documents", "documents"]]) {
      const entry = find(`.side [data-action="${action}"]`);
      if (entry && (entry.getAttribute("aria-current") === "page") !== (view === name)) {
        entry.setAttribute("aria-current", view === name ? "page" : "false");
      }
    }
  }

  // ---- following what the server draws ---------------------------------------------------------

  // A view that only this script knows has its address at once; what the server draws has it when it is drawn.
  function keepAddress() {
    const side = find("nav.side");
    if (!side) return;
    const corpus = encodeURIComponent(side.dataset.corpus);
    const searched = new URLSearchParams(searchAddress).get("corpus") ?? side.dataset.corpus;
    const isSearched = searchAddress && searched === side.dataset.corpus;
    const address = document.body.dataset.view === "search"
      ? (isSearched ? searchAddress : `?view=search&corpus=${corpus}`)
      : side.dataset.chat ? `?chat=${encodeURIComponent(side.dataset.chat)}`
      : corpus ? `?corpus=${corpus}` : "/";
    if (location.search === address) return;
    if (isNewPlace) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    isNewPlace = false;
  }

  // The browser's Back and Forward: show again what their address names.
  function openAddress() {
    const place = new URLSearchParams(location.search);
    const { chat, corpus } = find("nav.side").dataset;
    isNewPlace = false;
    if ((place.get("corpus") ?? corpus) !== corpus) {
      location.reload();
    } else if (place.get("view") === "search") {
      showView("search");
      find("#search-text").value = place.get("q") ?? "";
      for (const field of findAll(".search-filters [name]")) {
        field.value = place.get(ADDRESS_NAMES[field.name] ?? field.name) ?? "";
      }
      searchAddress = location.search;
      wantsSearch = true;
      runSearch();
    } else {
      const wanted = place.get("chat") ?? "";
      showView("");
      send(wanted === chat ? { action: "conversation" } : { action: "open", chat: wanted });
    }
  }

  function afterDrawing() {
    keepAddress();
    markSelection();
    markView();
    foldFilters();
    runSearch();
    focusExplanation();
    openWhy();
    openFilters();
    const picker = find(".picker select");
    const corpus = find("nav.side")?.dataset.corpus;
    if (picker && corpus && picker.value !== corpus) picker.value = corpus;
    if (find("#live .turn, #notice .notice") || findLastTurn() !== turnBefore) sentQuestion = "";
    restoreDraft();
    followAnswer();
  }

  // While words arrive, the end of the answer stays in sight, unless the reader scrolls away from it.
  function followAnswer() {
    const chat = find("nav.side")?.dataset.chat ?? "";
    const isLive = find("#live .turn") !== null;
    if (isLive || wasLive) {
      if (followsAnswer) reveal(find("#live .answer") ?? findAll("#transcript .answer").at(-1));
    } else if (chat !== shownChat) {
      findAll("#transcript .turn").at(-1)?.scrollIntoView({ block: "start" });
    }
    shownChat = chat;
    wasLive = isLive;
  }

  function findOverhang(element) {
    return element.getBoundingClientRect().bottom + 16 - find(".composer .field").getBoundingClientRect().top;
  }

  function reveal(element) {
    const overhang = element ? findOverhang(element) : 0;
    if (overhang > 0) window.scrollBy(0, overhang);
  }

  function start() {
    if (new URLSearchParams(location.search).get("view") === "search") {
      document.body.dataset.view = "search";
      searchAddress = location.search;
    }
    new MutationObserver(afterDrawing).observe(document.body, { childList: true, subtree: true, characterData: true });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-action]");
    if (!button || button.matches("select")) return;
    const action = actions[button.dataset.action];
    if (PLACES.has(button.dataset.action)) isNewPlace = true;
    if (action) action(button);
    else send(button.dataset);
  });

  window.addEventListener("popstate", openAddress);

  window.addEventListener("pagehide", () => sessionStorage.setItem(DRAFT, find("#question")?.value ?? ""));

  document.addEventListener("change", (event) => {
    if (event.target.matches('select[data-action="corpus"]')) {
      showView(document.body.dataset.view ?? "");
      searchAddress = "";
      send({ action: "corpus", value: event.target.value, question: find("#search-text")?.value ?? "" });
    } else if (event.target.closest(".filter-dialog")) {
      pickedFilters.set(event.target.name, event.target.value);
    } else if (event.target.closest(".search-filters") && find("#search-text").value.trim()) submitSearch();
  });

  document.addEventListener("submit", (event) => {
    if (event.target.matches(".filter-form")) {
      send({ action: "filter", filters: readFilters(event.target) });
    } else if (event.target.matches(".search, .composer")) {
      event.preventDefault();
      if (event.target.matches(".search")) submitSearch();
      else submitQuestion();
    }
  });

  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.(".explanation[open][data-question]")) explainSearch(event.target);
  }, true);

  document.addEventListener("close", (event) => {
    if (!event.target.matches?.(".filter-dialog")) return;
    wantsFilters = false;
    pickedFilters.clear();
  }, true);

  document.addEventListener("search", (event) => {
    if (event.target.id === "search-text" && !event.target.value) submitSearch();
  });

  document.addEventListener("input", (event) => {
    if (event.target.id === "question") fitQuestion(event.target);
  });

  document.addEventListener("keydown", (event) => {
    if (event.target.id === "question" && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submitQuestion();
    }
    if (event.key !== "Escape") return;
    hideTip();
    if (document.body.dataset.menu === "open") setMenu(false);
    if (event.target.closest?.(".sources")) find(".citation.active")?.focus();
  });

  for (const name of ["pointerover", "focusin"]) {
    document.addEventListener(name, (event) => {
      const button = event.target.closest?.(".citation");
      if (button) showTip(button);
      else hideTip();
    });
  }

  window.addEventListener("scroll", () => {
    const answer = find("#live .answer");
    if (answer) followsAnswer = findOverhang(answer) < 160;
    hideTip();
  }, { passive: true });

  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);

  return { connect: (newTrigger) => { trigger = newTrigger; } };
})();
