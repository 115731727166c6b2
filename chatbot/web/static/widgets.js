// Small things on top of the page that need no server: tooltip, dialog, clipboard, colours.
"use strict";

window.chatbotWidgets = (() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;

  function showTip(button) {
    document.body.append(tip);
    tip.replaceChildren(makeText("strong", button.dataset.title), makeText("small", button.dataset.place),
      makeText("q", button.dataset.quote));
    tip.hidden = false;
    const place = button.getBoundingClientRect();
    const left = Math.min(Math.max(8, place.left - 24), window.innerWidth - tip.offsetWidth - 8);
    const above = place.top - tip.offsetHeight - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : place.bottom + 8}px`;
  }

  function hideTip() {
    tip.hidden = true;
  }

  function makeText(tag, text) {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  }

  // Resolves to the typed text ("" where nothing is asked for), or null when the reader backs out.
  function askReader({ title, text = "", value = null, confirm, isDangerous = false }) {
    const dialog = document.createElement("dialog");
    dialog.className = "question-dialog";
    const form = document.createElement("form");
    form.method = "dialog";
    const field = document.createElement("input");
    field.value = value ?? "";
    field.hidden = value === null;
    field.maxLength = 120;
    field.setAttribute("aria-label", title);
    const cancel = makeText("button", "Cancel");
    cancel.value = "cancel";
    cancel.type = "button";
    cancel.className = "secondary";
    const accept = makeText("button", confirm);
    accept.value = "accept";
    accept.className = isDangerous ? "danger" : "primary";
    const buttons = document.createElement("p");
    buttons.append(cancel, accept);
    form.append(makeText("h2", title), makeText("p", text), field, buttons);
    dialog.append(form);
    document.body.append(dialog);
    cancel.addEventListener("click", () => dialog.close("cancel"));
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        resolve(dialog.returnValue === "accept" ? field.value.trim() : null);
        dialog.remove();
      });
      dialog.showModal();
      (value === null ? accept : field).focus();
    });
  }

  async function copyText(button) {
    const text = button.dataset.copy;
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
    const label = button.querySelector("span");
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = "Copy"; }, 1600);
  }

  function switchTheme() {
    const isDark = getComputedStyle(document.documentElement).getPropertyValue("color-scheme").trim() === "dark"
      || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    setTheme(isDark ? "light" : "dark");
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
  }

  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;

  return { askReader, copyText, hideTip, showTip, switchTheme };
})();
