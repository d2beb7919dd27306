// What pages have beyond what they do without script: keys, closing what is open, copying. docs/ADMIN.md, "Keyboard", has the keys.
"use strict";
{
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  const step = (by) => {
    const rows = all(".list tbody .who a");
    const next = rows.indexOf(document.activeElement) + by;
    rows[Math.min(Math.max(next, 0), rows.length - 1)]?.focus();
  };

  const keys = {
    "/": () => { find("#q").focus(); find("#q").select(); },
    "?": () => find("#keys").showModal(),
    j: () => step(1),
    k: () => step(-1),
    "[": () => find("a[rel=prev]")?.click(),
    "]": () => find("a[rel=next]")?.click(),
  };

  // Characters do nothing while somebody types, reads the help, or has switched them off (WCAG 2.1.4). AltGr, which some keyboards
  // need for a bracket, may come as Ctrl and Alt.
  const isOff = (event) => !("keys" in document.documentElement.dataset)
    || event.isComposing || event.metaKey || ((event.ctrlKey || event.altKey) && !event.getModifierState("AltGraph"))
    || event.target.closest("input, select, textarea, dialog");

  const popovers = () => all("details.pop[open], details.me[open]");

  addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const popover of popovers()) {
        if (popover.contains(document.activeElement)) popover.firstElementChild.focus();
        popover.open = false;
      }
    }
    const act = keys[event.key];
    if (!act || isOff(event)) return;
    event.preventDefault();
    act();
  });

  addEventListener("click", ({ target }) => {
    for (const popover of popovers()) if (!popover.contains(target)) popover.open = false;
  });

  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const said = make("p", { className: "vh", role: "status" });
  const main = find("main");
  main.append(said);
  const [copy, copied, notCopied] = main.dataset.words.split(",");
  // There is none where the address is neither https nor this machine.
  const { clipboard } = navigator;
  for (const value of clipboard ? all("[data-copy]") : []) {
    const text = value.textContent;
    const button = make("button", { type: "button", className: "copy", textContent: copy });
    button.append(make("span", { className: "vh", textContent: ` ${value.dataset.copy} ${text}` }));
    const say = (word) => { button.firstChild.data = word || copy; said.textContent = word; };
    button.onclick = async () => {
      await clipboard.writeText(text).then(() => say(copied), () => say(notCopied));
      setTimeout(say, 2000, "");
    };
    value.after(" ", button);
  }
}
