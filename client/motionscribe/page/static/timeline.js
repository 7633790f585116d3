// The timeline: final labels solid, provisional ones soft, gaps and alarms across. It can be scrolled back.

import { KINDS, paint } from "./colours.js";
import { keyedList, make, setText } from "./dom.js";
import { describe } from "./alarms.js";
import { leftUs } from "./events.js";
import { clock, nameOf, rootOf } from "./words.js";

export const PIXELS_A_SECOND = 14;
const ASKED_US = 20_000_000;
const TICK_S = 5;
const MOST_TICKS = 1500; // two hours of them
const AT_THE_END = 40; // pixels from the newest that still count as being there

export function showTimeline(store, ask) {
  const scroller = document.getElementById("timeline");
  const track = document.getElementById("track");
  const follow = document.getElementById("follow");
  const layers = Object.fromEntries(
    ["ticks", "soft", "final", "gaps", "alarms"].map((name) => [name, layer(track, name)]),
  );
  let following = true;
  let lookingBack = false;

  scroller.addEventListener("scroll", () => {
    const atTheEnd = scroller.scrollLeft + scroller.clientWidth > scroller.scrollWidth - AT_THE_END;
    following = atTheEnd && !lookingBack;
    store.mark("scores", "time");
  });
  follow.addEventListener("click", () => {
    following = true;
    store.take({ is: "look", to: "newest" });
  });
  store.watch(["time"], ({ saved, shownUs, nowUs }) => {
    following = shownUs === null && (following || lookingBack);
    lookingBack = shownUs !== null;
    if (following) scroller.scrollLeft = scroller.scrollWidth;
    follow.hidden = following || (saved && shownUs === nowUs);
  });

  function explain(span) {
    if (span.segment === null) return;
    if (!canBeAsked(store.state, span)) {
      store.take({ is: "failed", do: "explain", error: "only segments of the newest 20 s can be asked about" });
      return;
    }
    if (span.segment === store.state.chosenSegment) {
      store.take({ is: "asked", segment: null });
      return;
    }
    store.take({ is: "asked", segment: span.segment });
    ask({ do: "explain", segment: span.segment });
  }

  layers.final.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: "previousSibling", ArrowRight: "nextSibling" }[event.key];
    const next = step && document.activeElement[step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  const lay = (element, { startUs, endUs }) => {
    element.style.left = `${((startUs - leftUs(store.state)) / 1e6) * PIXELS_A_SECOND}px`;
    element.style.width = `${Math.max(1, ((endUs - startUs) / 1e6) * PIXELS_A_SECOND)}px`;
  };
  const fillFinal = keyedList(
    layers.final,
    ({ startUs }) => startUs,
    () => make("button", { type: "button", tabIndex: -1, onfocus: ({ target }) => rove(layers.final, target) }),
    (element, span) => {
      lay(element, span);
      paint(element, rootOf(store.state.clusters, span.cluster));
      element.onclick = () => explain(span);
      const text = labelled(store.state, span, element);
      const chosen = span.segment !== null && span.segment === store.state.chosenSegment;
      element.setAttribute("aria-pressed", String(chosen));
      const why = canBeAsked(store.state, span) ? ": why?" : "";
      element.setAttribute("aria-label", `${text}${span.open ? ", goes on" : ""}${why}`);
      element.classList.toggle("askable", Boolean(why));
    },
  );
  const fillSoft = keyedList(
    layers.soft,
    ({ startUs }) => startUs,
    () => make("div"),
    (element, span) => {
      lay(element, span);
      paint(element, rootOf(store.state.clusters, span.cluster));
      labelled(store.state, span, element);
      element.style.opacity = 0.25 + 0.4 * span.stability;
    },
  );
  const fillGaps = keyedList(
    layers.gaps,
    ({ startUs }) => startUs,
    () => make("div"),
    (element, span) => {
      lay(element, span);
      element.title = span.what;
    },
  );
  const fillAlarms = keyedList(
    layers.alarms,
    ({ anomaly }) => anomaly,
    () => make("div"),
    (element, alarm) => {
      lay(element, alarm);
      const kind = KINDS[alarm.kind] ?? { colour: "grey", letter: "?" };
      element.style.setProperty("--colour", kind.colour);
      setText(element, kind.letter);
      element.title = describe(alarm);
    },
  );

  const fillTicks = keyedList(
    layers.ticks,
    ({ at }) => at,
    ({ at }) => make("span", { textContent: clock(at * 1e6, 0) }),
    (element, { at, from }) => (element.style.left = `${(at - from) * PIXELS_A_SECOND}px`),
  );

  function drawTicks(from, to) {
    const step = TICK_S * Math.ceil((to - from) / TICK_S / MOST_TICKS);
    fillTicks(Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => ({ at: from + n * step, from })));
  }

  store.watch(["timeline", "clusters"], (state) => {
    if (state.originUs === null) {
      for (const fill of [fillFinal, fillSoft, fillGaps, fillAlarms]) fill([]);
      return;
    }
    const from = (leftUs(state) - state.originUs) / 1e6;
    const to = (state.nowUs - state.originUs) / 1e6;
    track.style.width = `${Math.ceil((to - from) * PIXELS_A_SECOND) + 8}px`;
    drawTicks(from, to);
    fillFinal(state.segments.filter(({ cluster }) => cluster)); // 0 is none: too few frames to know
    fillSoft(joined(state.soft));
    fillGaps(state.gaps);
    fillAlarms([...state.alarms.values()]);
    if (!layers.final.querySelector('[tabindex="0"]')) layers.final.lastChild?.setAttribute("tabindex", "0");
    if (following) scroller.scrollLeft = scroller.scrollWidth;
    store.mark("scores");
  });
}

function layer(track, name) {
  const element = make("div", { className: name });
  if (name !== "final") element.setAttribute("aria-hidden", "true");
  track.append(element);
  return element;
}

/** Writes the name of a span's cluster into its element where there is room, and returns all there is to say of it. */
function labelled({ clusters, originUs }, { cluster, startUs, endUs }, element) {
  const name = nameOf(clusters, cluster);
  const text = `${name}, ${clock(startUs - originUs)} to ${clock(endUs - originUs)} min:s`;
  const room = ((endUs - startUs) / 1e6) * PIXELS_A_SECOND;
  setText(element, room > 28 ? name : "");
  if (element.title !== text) element.title = text;
  return text;
}

/** Whether the server still knows why: of a live stream, for so long. */
function canBeAsked({ live, nowUs }, { endUs }) {
  return live && endUs > nowUs - ASKED_US;
}

/** Only one segment is reached by the tabulator; the arrow keys lead to the others. */
function rove(parent, target) {
  for (const other of parent.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
  target.tabIndex = 0;
}

/** Neighbours of one cluster as one span, as sure as the least of them. */
function joined(spans) {
  const runs = [];
  for (const span of spans) {
    const last = runs.at(-1);
    if (last && last.cluster === span.cluster && last.endUs === span.startUs) {
      last.endUs = span.endUs;
      last.stability = Math.min(last.stability, span.stability);
    } else runs.push({ ...span });
  }
  return runs;
}
