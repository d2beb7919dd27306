// Runs inside the page that is looked at: each function says what is wrong there, as a list of sentences.

globalThis.latchkey = (() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const name = (element) => element.outerHTML.slice(0, 140);
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
  const CONTROLS = "a[href], button, summary, select, textarea, input:not([type=hidden]), [tabindex='0']";

  /** Landmarks, headings, titles, captions, times. */
  function structure(isError) {
    const found = [];
    const expect = (selector, number) => {
      const { length } = all(selector);
      if (length !== number) found.push(`has ${length} of ${selector}, not ${number}`);
    };
    expect("h1", 1);
    expect("main", 1);
    if (document.querySelector("nav.nav") && !isError) expect("nav.nav [aria-current]", 1);
    if (!document.documentElement.lang) found.push("has no language");
    if (!document.title) found.push("has no title");
    for (const table of all("table")) {
      const named = table.caption || table.closest("[aria-label], [aria-labelledby]");
      if (!named) found.push(`has a table without caption: ${table.textContent.trim().slice(0, 60)}`);
      if (table.matches(".list") && table.querySelector("th a") && table.querySelectorAll("[aria-sort]").length !== 1) {
        found.push("does not say by which column its list is sorted");
      }
    }
    for (const time of all("time[datetime]")) {
      // A day is no instant.
      if (/^\d{4}-\d\d-\d\d$/.test(time.dateTime)) continue;
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/.test(time.dateTime)) found.push(`has the time ${time.dateTime}`);
      if (!/ [A-Z]+\S*$/.test(time.title)) found.push(`does not say the instant and zone of ${time.textContent}`);
    }
    return found;
  }

  /** Whether an element is there for screen readers alone, or scrolls within a part that is meant to. */
  function isAside(element) {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.clipPath !== "none") return true;
      if (at !== element && /auto|scroll/.test(style.overflowX)) return true;
    }
    return false;
  }

  /** What does not fit into the window's width. */
  function layout() {
    const found = [];
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) found.push(`is ${wide} px wider than the window`);
    for (const element of all("body *:not(svg *, option)")) {
      if (!isShown(element)) continue;
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      // Fields scroll by themselves.
      const cuts = !element.matches("input, select, textarea") && /hidden|clip/.test(style.overflowX) && style.textOverflow !== "ellipsis" && element.clientWidth > 1
        && element.scrollWidth > element.clientWidth + 1;
      const isOut = box.width > 1 && (box.right > innerWidth + 1 || box.left < -1);
      if ((cuts || isOut) && !isAside(element)) found.push(`${cuts ? "cuts off" : "loses at the side"} ${name(element)}`);
    }
    return found.slice(0, 5);
  }

  /** Targets that are hard to hit. */
  function targets(isNarrow, root = document) {
    const found = [];
    const selector = "a[href], button, summary, select, input:not([type=hidden]), textarea, label:has(input[type=checkbox], input[type=radio])";
    for (const element of all(selector, root)) {
      const { width, height } = element.getBoundingClientRect();
      if (!isShown(element) || width <= 1 || height <= 1) continue;
      // A link in a sentence, and a box whose label is the target.
      const style = getComputedStyle(element);
      if (element.matches("a") && style.display === "inline" && !element.closest("nav")) continue;
      if (element.matches("[type=checkbox], [type=radio]") && element.closest("label")) continue;
      // A link that is stretched over its row.
      if (getComputedStyle(element, "::after").position === "absolute") continue;
      const least = isNarrow && element.matches("button, .btn") ? 36 : 24;
      // Sizes come in fractions of a pixel.
      if (height < least - 0.5 || width < 23.5) {
        found.push(`has a small target, ${Math.round(width)} x ${Math.round(height)}: ${name(element)}`);
      }
    }
    return found;
  }

  async function axe(root, tags) {
    const { violations } = await globalThis.axe.run(root, { runOnly: tags, resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }

  /** What a part that opens has wrong once it is open. */
  function sheet(part) {
    const last = part.lastElementChild;
    const { top, bottom } = last.getBoundingClientRect();
    const isOut = getComputedStyle(last).position === "fixed" && (top < 0 || bottom > innerHeight);
    return isOut ? ["opens beyond the window"] : [];
  }

  /** Opens each of `parts` on its own, or all at once, and says what `check` finds. */
  async function unfold(parts, isEach, check) {
    const folded = all(parts);
    const kept = folded.map((part) => [part, part.open, part.name]);
    const found = [];
    const note = (part, wrong) => found.push(...wrong.map((what) => `with ${part} opened: ${what}`));
    if (isEach) {
      for (const part of folded) {
        for (const other of folded) other.open = other === part;
        note(part.querySelector("summary").textContent.trim(), await check(part));
      }
    } else if (folded.length > 0) {
      // Those of one name would close each other.
      for (const part of folded) { part.name = ""; part.open = true; }
      note("everything", await check(document));
    }
    for (const [part, open, name] of kept) { part.open = false; part.name = name; part.open = open; }
    return found;
  }

  /** What a part is made of; parts made of the same have the same faults. */
  function made(part) {
    const tags = [...new Set(all("*", part).map((element) => `${element.tagName}${element.getAttribute("type") ?? ""}`))];
    return `${part.className} ${tags.sort()}`;
  }

  /**
   * The page as it comes, then with its parts opened. axe looks at parts that are made of what is not among `known`; gives what is
   * known now.
   */
  async function look({ tags, isNarrow, parts, isEach, known }) {
    scrollTo(0, 0);
    const seen = new Set(known);
    const check = async (part) => {
      const found = [...targets(isNarrow, part), ...layout(), ...(part === document ? [] : sheet(part))];
      const making = (part === document ? all(parts) : [part]).map(made).filter((what) => !seen.has(what));
      if (making.length === 0) return found;
      making.forEach((what) => seen.add(what));
      return [...found, ...await axe(part, tags)];
    };
    const found = [...await axe(document, tags), ...targets(isNarrow), ...await unfold(parts, isEach, check)];
    return { found, known: [...seen] };
  }

  /** That everything that opens fits into this window. */
  const sheets = () => unfold("details", true, sheet);

  let stops = [];
  let last = -1;

  /** Prepares a walk with the Tab key. Gives how many presses lead through all of the page. */
  function walk() {
    const isStop = (element) => isShown(element) && !element.disabled && element.tabIndex >= 0
      // Of a group of radio buttons one is a stop.
      && !(element.matches("[type=radio]") && !element.checked);
    stops = all(CONTROLS).filter(isStop);
    last = -1;
    return stops.length;
  }

  function channels(colour) {
    const numbers = colour.match(/[\d.]+/g)?.map(Number) ?? [];
    return numbers.length >= 3 && (numbers[3] ?? 1) > 0.99 ? numbers.slice(0, 3) : null;
  }

  function contrast(one, other) {
    const luminance = (rgb) => {
      const [r, g, b] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  }

  /** The colour behind an element. */
  function behind(element) {
    for (let at = element; at; at = at.parentElement) {
      const rgb = channels(getComputedStyle(at).backgroundColor);
      if (rgb) return rgb;
    }
    return [255, 255, 255];
  }

  /** What lies over the middle of an element. */
  function cover(element) {
    const box = element.getBoundingClientRect();
    // Of what is seen of it, where its part scrolls sideways.
    const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
    const top = document.elementFromPoint((left + right) / 2, box.y + box.height / 2);
    if (!top) return "the window's edge";
    return element.contains(top) || top.contains(element) || element.closest("label")?.contains(top) ? null : name(top);
  }

  /** After a press of Tab: that the next stop is reached, ringed and not covered. */
  async function stop() {
    const element = document.activeElement;
    const index = stops.indexOf(element);
    // Such as a part that scrolls, which browsers make a stop themselves; or a second stop within one control.
    if (index < 0 || index === last) return { isAtEnd: last === stops.length - 1, found: [] };
    const found = [];
    if (index === 0 && document.querySelector(".skip") && !element.matches(".skip")) found.push("the first stop is not the skip link");
    if (index !== last + 1) found.push(`the stop after ${last < 0 ? "the top" : name(stops[last])} is ${name(element)}`);
    last = index;

    // The ring of a stretched link or a hidden box is drawn around what it belongs to.
    const ringed = [element, element.closest("label"), element.closest("tr")].find((candidate) => {
      const style = candidate && getComputedStyle(candidate);
      return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    if (!ringed) {
      found.push(`no ring around ${name(element)}`);
    } else {
      const style = getComputedStyle(ringed);
      const rgb = channels(style.outlineColor);
      const ground = behind(parseFloat(style.outlineOffset) < 0 ? ringed : ringed.parentElement);
      if (!rgb || contrast(rgb, ground) < 3) found.push(`a ring that is hard to see around ${name(element)}`);
    }
    // What has to scroll first gets a moment for it.
    if (cover(element)) await new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); });
    const covered = cover(element);
    if (covered) found.push(`${name(element)} is covered by ${covered}`);
    return { isAtEnd: last === stops.length - 1, found };
  }

  /** Elements with text of their own that can be seen. */
  const texts = () => all("body *").filter((element) => {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    return own && isShown(element) && !element.closest("svg") && !isAside(element);
  });

  /** Text that its ground hides. */
  function contrasts() {
    const found = [];
    for (const element of texts()) {
      const rgb = channels(getComputedStyle(element).color);
      if (rgb && contrast(rgb, behind(element)) < 4.5) found.push(`hides the text of ${name(element)}`);
    }
    return found;
  }

  /** What is wrong on paper: grounds are not printed unless a part insists. */
  function paper() {
    const found = layout();
    for (const element of all("header.top, nav.nav, .filters, .pager")) {
      if (isShown(element)) found.push(`prints ${name(element)}`);
    }
    for (const element of texts()) {
      const style = getComputedStyle(element);
      const rgb = channels(style.color);
      const ground = style.printColorAdjust === "exact" ? behind(element) : [255, 255, 255];
      if (!rgb || contrast(rgb, ground) < 4.5) found.push(`hides on paper the text of ${name(element)}`);
    }
    return found;
  }

  return { contrasts, paper, structure, layout, look, sheets, walk, stop };
})();
