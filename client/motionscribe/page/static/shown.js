// Which time is shown: the newest, or one of before that stands still or goes on. No element and no network.

import { oldestUs } from "./events.js";
import { posesUntil } from "./history.js";

/** How far back the ghost of a pose reaches. */
export const GHOST_US = 1_000_000;

/** The part of the state that says it: `shownUs` is null where the newest is followed. */
export function newShown() {
  return { shownUs: null, playing: false };
}

/** Does what a viewer asks for: {to: "time", timeUs, playing}, or {to: "play" | "pause" | "newest"}. */
export function look(state, { to, timeUs, playing = false }) {
  if (to === "time") show(state, timeUs, playing);
  if (to === "pause") show(state, state.shownUs ?? state.nowUs, false);
  // at the end it begins anew
  if (to === "play") show(state, state.shownUs === state.nowUs ? oldestUs(state) : state.shownUs, true);
  if (to === "newest" && state.saved) show(state, state.nowUs, false);
  if (to === "newest" && !state.saved) Object.assign(state, newShown());
}

/** Goes on to the oldest that is left where what is looked at was forgotten meanwhile. */
export function keepShown(state) {
  if (state.shownUs !== null && state.shownUs < oldestUs(state)) show(state, state.shownUs, state.playing);
}

/** The poses of the last second before the time that is shown, the newest last. */
export function shownPoses({ poses, history, shownUs }) {
  return shownUs === null ? poses : posesUntil(history, shownUs, GHOST_US);
}

function show(state, timeUs, playing) {
  if (state.nowUs === null) return;
  const shownUs = Math.min(state.nowUs, Math.max(oldestUs(state), timeUs));
  Object.assign(state, { shownUs, playing: playing && shownUs < state.nowUs });
}
