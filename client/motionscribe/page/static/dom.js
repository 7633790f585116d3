// Elements and lists. Text is set as text only: names and ids come from others.

const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** `text` with each character that nobody sees spelled out, as the commands print it. */
export function plain(text) {
  return String(text).replace(HIDDEN, (one) => `\\u${one.codePointAt(0).toString(16).padStart(4, "0")}`);
}

/** A new element. `properties` are those of the element; "aria-..." and "data-..." become attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Sets text where it differs, so that nothing is drawn or read aloud anew without need. */
export function setText(element, text) {
  const shown = plain(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/**
 * A list whose elements stay the same while their items change: what is being edited keeps its focus.
 * `build(item)` makes an element, `update(element, item)` fills it. Returns a function that takes the items.
 */
export function keyedList(parent, keyOf, build, update) {
  let elements = new Map();
  return (items) => {
    const kept = new Map();
    let before = null;
    for (const item of items) {
      const key = keyOf(item);
      const element = elements.get(key) ?? build(item);
      update(element, item);
      kept.set(key, element);
      const place = before ? before.nextSibling : parent.firstChild;
      if (place !== element) parent.insertBefore(element, place);
      before = element;
    }
    for (const [key, element] of elements) if (!kept.has(key)) element.remove();
    elements = kept;
  };
}

/** A canvas whose pixels are those of the screen: its context in CSS pixels, cleared, and its width and height. */
export function openCanvas(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** A colour of the style sheet, light or dark as the viewer has it. */
export function themeColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
