// A chat over your documents in this page: a button, and behind it a frame from the server that answers.
//
//   <script src="https://chat.example.org/widget.js" data-site="handbook" defer></script>
//
// The server is asked whether this page may show the chat; else nothing of it appears. Nothing more is loaded until
// the chat is opened. The frame belongs to the server's origin, so that neither this page's styles nor its scripts
// reach into it; both sides talk by messages, to each other alone.
// Options, methods and events are described in docs/widget.md.
(() => {
  "use strict";

  const tag = document.currentScript;
  const server = new URL("./", tag.src);
  const PHONE = "(max-width: 480px), (max-height: 480px)";

  const LABELS = {
    en: { open: "Open the chat", close: "Close the chat", failed: "The chat cannot be reached. Please try again later." },
    de: { open: "Chat öffnen", close: "Chat schließen", failed: "Der Chat ist nicht erreichbar. Bitte später noch einmal versuchen." },
    fr: { open: "Ouvrir le chat", close: "Fermer le chat", failed: "Le chat est injoignable. Veuillez réessayer plus tard." },
    es: { open: "Abrir el chat", close: "Cerrar el chat", failed: "No se puede acceder al chat. Inténtelo más tarde." },
    ar: { open: "افتح المحادثة", close: "أغلق المحادثة", failed: "تعذّر الوصول إلى المحادثة. يُرجى المحاولة لاحقًا." },
    zh: { open: "打开聊天", close: "关闭聊天", failed: "无法连接到聊天，请稍后再试。" },
  };
  const RIGHT_TO_LEFT = ["ar"];

  const DEFAULTS = {
    site: "", // the name that the owner gave the site
    title: "", // by default the corpus's
    greeting: "",
    starters: [], // questions to start with; by default the corpus's
    position: "", // "left" or "right"; by default where the language's lines end
    color: "#0d5f56", // #rrggbb of the button and the bar
    logo: "", // a picture of this page's origin
    language: "", // by default this page's, else the browser's
    theme: "auto", // "light" or "dark"
    open: false, // open on load
    inline: "", // an element, or a selector of one, to fill instead of floating
    pageContext: false, // tell the chat this page's title and address
  };

  const STYLE = `
    :host { all: initial; }
    [hidden] { display: none !important; }
    .launcher { position: fixed; bottom: 20px; inset-inline: auto; z-index: 2147483000; width: 56px; height: 56px;
      padding: 0; border: 0; border-radius: 50%; background: var(--brand); color: var(--on-brand); cursor: pointer;
      display: grid; place-items: center; box-shadow: 0 2px 6px rgb(0 0 0 / 20%), 0 8px 24px rgb(0 0 0 / 18%);
      transition: transform .15s ease; }
    .launcher:hover { transform: scale(1.06); }
    .launcher:focus-visible { outline: 3px solid var(--brand); outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    .launcher[aria-busy=true] { opacity: .6; cursor: progress; }
    .launcher svg { width: 26px; height: 26px; fill: none; stroke: currentColor; stroke-width: 1.9;
      stroke-linecap: round; stroke-linejoin: round; }
    .panel { position: fixed; bottom: 90px; z-index: 2147483000; box-sizing: border-box; overflow: hidden;
      width: min(408px, calc(100vw - 40px)); height: min(680px, calc(100vh - 110px)); border-radius: 16px;
      background: #fff; box-shadow: 0 0 0 1px rgb(0 0 0 / 8%), 0 12px 48px rgb(0 0 0 / 24%); animation: rise .18s ease-out; }
    .right { right: 20px; }
    .left { left: 20px; }
    .inline { position: relative; inset: auto; width: 100%; height: 100%; min-height: 420px; box-shadow: none;
      border-radius: inherit; animation: none; z-index: auto; }
    .dark { background: #121615; }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    .failed { position: fixed; bottom: 90px; z-index: 2147483000; max-width: 280px; margin: 0; padding: 12px 16px;
      border-radius: 12px; background: #1d2522; color: #fff; font: 14px/1.5 system-ui, sans-serif; }
    @keyframes rise { from { opacity: 0; transform: translateY(12px); } }
    @media (max-width: 480px), (max-height: 480px) {
      .panel:not(.inline) { inset: 0; width: auto; height: 100vh; height: 100dvh; border-radius: 0; }
      .launcher[aria-expanded=true] { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { .panel, .launcher { animation: none; transition: none; } }
    @media print { .panel:not(.inline), .launcher, .failed { display: none; } }`;

  const ICONS = { open: "M4 5h16v11H9l-5 4zM8 9h8M8 12h5", close: "M6 6l12 12M18 6L6 18" };

  let chat = null;

  function createChat(options) {
    const language = chooseLanguage(options.language);
    const labels = LABELS[language];
    const isRightToLeft = RIGHT_TO_LEFT.includes(language);
    const side = options.position || (isRightToLeft ? "left" : "right");
    const place = findPlace(options.inline);
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    const button = makeButton();
    const panel = document.createElement("div");
    const memory = `chatbot:${options.site}:open`;
    const conversationMemory = `chatbot:${options.site}:conversation`;
    let frame = null;
    let isReady = false;
    let isOpen = false;
    let isDestroyed = false;
    let waiting = []; // messages for a frame that is not ready yet
    const admitted = appear(); // whether this page may show the chat

    const answers = {
      ready: start,
      ticket: async () => send("ticket", { ticket: await fetchTicket() }),
      close,
      keep: ({ conversation }) => keep(conversationMemory, String(conversation)),
      event: ({ name, detail }) => announce(name, detail),
    };

    function makeButton() {
      const made = document.createElement("button");
      made.type = "button";
      made.className = `launcher ${side}`;
      made.lang = language;
      made.addEventListener("click", () => (isOpen ? close() : open()));
      return made;
    }

    function showState() {
      panel.hidden = !isOpen;
      button.setAttribute("aria-expanded", String(isOpen));
      button.setAttribute("aria-label", isOpen ? labels.close : options.title ? `${labels.open}: ${options.title}` : labels.open);
      button.replaceChildren(drawIcon(ICONS[isOpen ? "close" : "open"]));
      keep(memory, isOpen ? "1" : "");
    }

    async function appear() {
      const isAdmitted = await isListed();
      if (isDestroyed) return false;
      if (!isAdmitted) tellOwner();
      else if (place) place.append(host);
      else document.body.append(host);
      return isAdmitted;
    }

    // A browser does not let this page tell a refusal from a server that is off.
    async function isListed() {
      try {
        return (await post()).ok;
      } catch {
        return false;
      }
    }

    function post(path = "") {
      const address = new URL(`widget/sites/${encodeURIComponent(options.site)}${path}`, server);
      return fetch(address, { method: "POST", credentials: "omit", cache: "no-store" });
    }

    function tellOwner() {
      console.warn(
        `Chatbot: nothing is shown here, because ${server.href} is not running or does not let this page show the site ` +
        `“${options.site}”. Where it runs, see “chatbot sites list”, and let this page in by: ` +
        `chatbot sites add ${options.site || "NAME"} --origin ${location.origin} --corpus CORPUS`,
      );
      announce("error", { reason: "refused" });
    }

    async function open({ isFocused = true } = {}) {
      if (!await admitted || isOpen) return;
      if (!frame) {
        button.setAttribute("aria-busy", "true");
        const ticket = await fetchTicket();
        button.removeAttribute("aria-busy");
        if (!ticket || frame || !host.isConnected) return;
        frame = makeFrame();
        frame.ticket = ticket;
        panel.append(frame);
      }
      isOpen = true;
      showState();
      sendPage();
      if (isFocused) {
        frame.focus();
        send("focus");
      }
      announce("open");
    }

    function close() {
      if (!isOpen || place) return;
      isOpen = false;
      showState();
      button.focus();
      announce("close");
    }

    function ask(text) {
      send("ask", { text: String(text) });
      return open();
    }

    function makeFrame() {
      const made = document.createElement("iframe");
      const address = new URL("widget/frame", server);
      address.search = new URLSearchParams({ site: options.site, origin: location.origin });
      made.src = address;
      made.title = options.title || "Chat";
      made.allow = "clipboard-write";
      return made;
    }

    // A ticket proves that the browser loaded a page of a listed origin; the frame changes it for a token.
    async function fetchTicket() {
      try {
        const response = await post("/ticket");
        if (response.ok) return (await response.json()).ticket;
      } catch {
        // no network any more, or the origin was taken off the site's list
      }
      tellFailure();
      return "";
    }

    function tellFailure() {
      const note = document.createElement("p");
      note.className = `failed ${side}`;
      note.setAttribute("role", "alert");
      note.textContent = labels.failed;
      root.append(note);
      setTimeout(() => note.remove(), 6000);
      announce("error", { reason: "network" });
    }

    function start() {
      const { title, greeting, starters, color, logo, theme } = options;
      isReady = true;
      send("start", {
        ticket: frame.ticket,
        conversation: recall(conversationMemory) ?? "",
        options: {
          title, greeting, starters, color, theme, language,
          logo: logo && new URL(logo, document.baseURI).href,
          onColor: chooseTextColor(color),
          isInline: Boolean(place),
        },
      });
      waiting.forEach((message) => send(message.type, message));
      waiting = [];
      announce("ready");
    }

    function send(type, detail = {}) {
      const message = { ...detail, type };
      if (isReady) frame.contentWindow.postMessage(message, server.origin);
      else waiting.push(message);
    }

    function sendPage() {
      if (!options.pageContext || !frame) return;
      send("page", { title: document.title, address: location.origin + location.pathname });
    }

    function hear(event) {
      if (event.origin !== server.origin || event.source !== frame?.contentWindow) return;
      if (Object.hasOwn(answers, event.data?.type)) answers[event.data.type](event.data);
    }

    function destroy() {
      isDestroyed = true;
      window.removeEventListener("message", hear);
      window.removeEventListener("blur", sendPage);
      host.remove();
      if (chat === api) chat = null;
    }

    const sheet = new CSSStyleSheet(); // a strict policy forbids style elements, but not these
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    host.style.setProperty("--brand", options.color);
    host.style.setProperty("--on-brand", chooseTextColor(options.color));
    host.lang = language;
    panel.className = `panel ${side} ${place ? "inline" : ""} ${options.theme}`;
    panel.dir = isRightToLeft ? "rtl" : "ltr";
    root.append(panel);
    if (!place) root.append(button);
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
    window.addEventListener("message", hear);
    window.addEventListener("blur", sendPage); // the reader goes from the page into the frame
    const wasOpen = recall(memory) && !matchMedia(PHONE).matches;
    showState();
    const api = { open, close, ask, destroy };
    if (place || options.open || wasOpen) open({ isFocused: false });
    return api;
  }

  // ---- options -----------------------------------------------------------------------------------

  function readTag() {
    const { site, title, greeting, starters, position, color, logo, language, theme, open, inline, pageContext } = tag.dataset;
    const given = {
      site, title, greeting, position, color, logo, language, theme, inline,
      starters: starters?.split("|").map((question) => question.trim()).filter(Boolean),
      open: readSwitch(open),
      pageContext: readSwitch(pageContext),
    };
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  }

  function readSwitch(text) {
    return text === undefined ? undefined : text !== "false" && text !== "off";
  }

  function checkOptions(options) {
    if (!/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(options.color)) options.color = DEFAULTS.color;
    if (!["light", "dark"].includes(options.theme)) options.theme = "auto";
    if (!["left", "right"].includes(options.position)) options.position = "";
    return options;
  }

  function chooseLanguage(wanted) {
    const names = [wanted, document.documentElement.lang, ...navigator.languages];
    return names.map((name) => String(name).slice(0, 2).toLowerCase()).find((name) => name in LABELS) ?? "en";
  }

  function findPlace(inline) {
    return typeof inline === "string" ? inline && document.querySelector(inline) : inline;
  }

  // ---- small things ------------------------------------------------------------------------------

  // Of white and nearly black the one that contrasts more (WCAG 2, relative luminance).
  function chooseTextColor(color) {
    const digits = color.length === 4 ? color.slice(1).replace(/./g, "$&$&") : color.slice(1);
    const [red, green, blue] = [0, 2, 4].map((place) => {
      const share = parseInt(digits.slice(place, place + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#0b1513" : "#ffffff";
  }

  function drawIcon(path) {
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    line.setAttribute("d", path);
    icon.append(line);
    return icon;
  }

  function announce(name, detail = {}) {
    document.dispatchEvent(new CustomEvent(`chatbot:${name}`, { detail }));
  }

  function keep(name, value) {
    try {
      if (value) sessionStorage.setItem(name, value);
      else sessionStorage.removeItem(name);
    } catch {
      // a browser without storage forgets it
    }
  }

  function recall(name) {
    try {
      return sessionStorage.getItem(name);
    } catch {
      return null;
    }
  }

  // ---- what the page may call --------------------------------------------------------------------

  function init(options = {}) {
    chat?.destroy();
    chat = createChat(checkOptions({ ...DEFAULTS, ...readTag(), ...options }));
    return window.Chatbot;
  }

  window.Chatbot = {
    init,
    open: () => chat?.open(),
    close: () => chat?.close(),
    ask: (text) => chat?.ask(text),
    destroy: () => chat?.destroy(),
  };

  if (tag.dataset.site) {
    if (document.body) init();
    else document.addEventListener("DOMContentLoaded", () => init());
  }
})();
