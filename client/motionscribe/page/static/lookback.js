// Looking back: pause, choose a time, play from there, and return to the newest. Keys do the same as the controls.

import { setText } from "./dom.js";
import { oldestUs } from "./events.js";
import { clock } from "./words.js";

const STEP_US = 100_000;
const LEAP_US = 10_000_000;
const LONGEST_TICK_MS = 250; // a page that was out of sight goes on where it was

export function showLookback(store) {
  const { state } = store;
  const toggle = document.getElementById("pause");
  const slider = document.getElementById("shown");
  const words = document.getElementById("shown-words");
  const badge = document.getElementById("not-live");
  let lastMs = null;
  let running = false;

  const isPlaying = () => (state.shownUs === null ? state.nowUs !== null : state.playing);
  const turn = () => store.take({ is: "look", to: isPlaying() ? "pause" : "play" });
  const show = (timeUs) => store.take({ is: "look", to: "time", timeUs });
  const step = (byUs) => show((state.shownUs ?? state.nowUs) + byUs);

  toggle.addEventListener("click", turn);
  slider.addEventListener("input", () => show(state.originUs + slider.valueAsNumber * 1000));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (state.wall.shown) return;
    const act = keyActions(event.target)[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  /** What keys do depends on where the focus is: buttons have their own space bar, figure and segments their arrows. */
  function keyActions(target) {
    if (target.closest("select, textarea, input:not([type=range])")) return {};
    const toggling = target.closest("button, summary, a") ? { k: turn } : { k: turn, " ": turn };
    if (target.closest("canvas, #track")) return toggling;
    const stepping = { ArrowLeft: () => step(-STEP_US), ArrowRight: () => step(STEP_US) };
    if (target !== slider) return { ...toggling, ...stepping };
    return {
      ...toggling,
      ...stepping,
      PageDown: () => step(-LEAP_US),
      PageUp: () => step(LEAP_US),
      Home: () => show(oldestUs(state)),
      End: () => store.take({ is: "look", to: "newest" }),
    };
  }

  function play(ms) {
    const passedMs = Math.min(LONGEST_TICK_MS, ms - (lastMs ?? ms));
    lastMs = state.playing ? ms : null;
    running = state.playing;
    if (!running) return;
    store.take({ is: "look", to: "time", timeUs: state.shownUs + passedMs * 1000, playing: true });
    requestAnimationFrame(play);
  }

  store.watch(["time", "timeline", "streams"], () => {
    const { nowUs, originUs, shownUs, playing, saved } = state;
    const known = nowUs !== null && originUs !== null;
    toggle.disabled = slider.disabled = !known;
    setText(toggle, isPlaying() || !known ? "Pause" : "Play");
    document.body.classList.toggle("looking-back", shownUs !== null && !saved);
    badge.hidden = shownUs === null;
    if (!known) return setText(words, "");
    slider.min = (oldestUs(state) - originUs) / 1000;
    slider.max = (nowUs - originUs) / 1000;
    slider.value = ((shownUs ?? nowUs) - originUs) / 1000;
    const text = timeText(state);
    setText(words, text);
    slider.setAttribute("aria-valuetext", text);
    const at = `${playing ? "playing" : "paused"} at ${clock((shownUs ?? nowUs) - originUs)} min:s`;
    setText(badge, saved ? at : `${at}, not live`);
    if (playing && !running) requestAnimationFrame(play);
    running ||= playing;
  });
}

/** Which time is shown, in words. */
function timeText({ live, saved, nowUs, originUs, shownUs }) {
  if (shownUs === null) return live ? "live" : "the newest, not live";
  const at = `${clock(shownUs - originUs)}`;
  if (saved) return `${at} of ${clock(nowUs - originUs)} min:s, saved`;
  return `${at} min:s, ${((nowUs - shownUs) / 1e6).toFixed(1)} s ago, not live`;
}
