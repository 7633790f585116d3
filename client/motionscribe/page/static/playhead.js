// The playhead on the timeline: it stands at the time that is shown. The ruler above the labels moves it.

import { make } from "./dom.js";
import { leftUs } from "./events.js";
import { PIXELS_A_SECOND } from "./timeline.js";

const RULER = 18; // pixels of the track that are the ruler
const AHEAD = 0.3; // of the width: where the playhead comes into sight again

export function showPlayhead(store) {
  const { state } = store;
  const scroller = document.getElementById("timeline");
  const track = document.getElementById("track");
  const playhead = make("div", { id: "playhead", "aria-hidden": "true", hidden: true });
  track.append(playhead);
  let dragged = false;
  let lastUs = null;

  function showAt(event) {
    const x = event.clientX - track.getBoundingClientRect().left;
    store.take({ is: "look", to: "time", timeUs: leftUs(state) + (x / PIXELS_A_SECOND) * 1e6 });
  }

  track.addEventListener("pointerdown", (event) => {
    if (state.originUs === null || event.clientY - track.getBoundingClientRect().top > RULER) return;
    dragged = true;
    track.setPointerCapture(event.pointerId);
    showAt(event);
  });
  track.addEventListener("pointermove", (event) => dragged && showAt(event));
  for (const end of ["pointerup", "pointercancel"]) track.addEventListener(end, () => (dragged = false));

  store.watch(["time"], () => {
    const { shownUs } = state;
    playhead.hidden = shownUs === null;
    if (shownUs === null) return;
    const x = ((shownUs - leftUs(state)) / 1e6) * PIXELS_A_SECOND;
    playhead.style.left = `${x}px`;
    const left = x - scroller.scrollLeft;
    const moved = shownUs !== lastUs;
    lastUs = shownUs;
    if (moved && !dragged && (left < 0 || left > scroller.clientWidth - 4)) {
      scroller.scrollLeft = x - scroller.clientWidth * (left < 0 ? 1 - AHEAD : AHEAD);
    }
    store.mark("scores");
  });
}

/** Where it stands in a view as wide as the timeline, in pixels; null where the newest is shown. */
export function playheadX(state, scroller) {
  if (state.shownUs === null) return null;
  return ((state.shownUs - leftUs(state)) / 1e6) * PIXELS_A_SECOND - scroller.scrollLeft;
}
