// The one state of the page, and the only place that changes it. Messages of the bridge come in; views are told which
// topics have changed, at most once for each picture of the screen.

import { KEPT_US, takeEvent, forgetTimeline, newTimeline, oldestUs } from "./events.js";
import { addPoses, forgetPoses } from "./history.js";
import { dimensionsOf } from "./pose.js";
import { GHOST_US, keepShown, look, newShown } from "./shown.js";

const BY_THEMSELVES = new Set(["exemplars", "map"]); // what views ask for, and nobody misses
const BACK_US = 5_000_000; // a clock that went back this far is that of another session

export function createStore() {
  const state = {
    link: "connecting", // "open" or "lost": the WebSocket
    error: null, // why the server does not answer
    streams: [],
    chosen: null, // id of the stream that is watched
    live: false,
    saved: false, // a file is shown
    skeleton: null,
    poses: [], // {timeUs, row} of the last second, the newest last
    history: [], // of the poses, see history.js
    clusters: new Map(),
    faces: new Map(), // cluster -> {skeleton, rate_hz, clips}
    map: null, // {clusters: [{cluster, place}], trail, radius}
    anomalies: [],
    explanation: null,
    chosenSegment: null, // number of the segment that was asked about
    failure: null,
    wall: { shown: false, tiles: [], leftOut: 0 },
    seen: { events: 0, poses: 0 }, // counted since the page was opened
    ...newTimeline(),
    ...newShown(),
  };
  const views = [];
  const changed = new Set();

  function mark(...topics) {
    if (!changed.size) requestAnimationFrame(tellViews);
    for (const topic of topics) changed.add(topic);
  }

  function tellViews() {
    const topics = new Set(changed);
    changed.clear();
    for (const { wanted, draw } of views) if (wanted.some((topic) => topics.has(topic))) draw(state);
  }

  const takers = {
    link: ({ link }) => {
      state.link = link;
      mark("streams");
    },
    streams: ({ streams, error }) => {
      Object.assign(state, { streams, error });
      mark("streams");
    },
    show_wall: ({ shown }) => {
      Object.assign(state.wall, { shown, tiles: [] });
      mark("wall", "streams", "poses", "timeline", "scores");
    },
    wall: ({ tiles, left_out: leftOut }) => {
      Object.assign(state.wall, { tiles, leftOut });
      mark("wall");
    },
    choose: ({ stream }) => {
      Object.assign(state, { chosen: stream, live: false, saved: false, skeleton: null, clusters: new Map() });
      Object.assign(state, { anomalies: [], failure: null, faces: new Map(), map: null });
      restart(null);
      mark("streams", "timeline", "poses", "clusters", "map", "anomalies", "failure");
    },
    opened: ({ start_us: startUs, skeleton, saved = false, history = false }) => {
      // the same session, or one whose clock goes on: what was seen stays, unless all that was kept of it follows
      const near = state.originUs !== null && startUs >= state.originUs && startUs <= state.nowUs + KEPT_US;
      const isSame = startUs !== null && near;
      const { shownUs, playing } = state;
      if (history || !isSame) restart(startUs);
      if (isSame) Object.assign(state, { shownUs, playing });
      if (String(skeleton?.joints) !== String(state.skeleton?.joints)) state.history = [];
      Object.assign(state, { live: !saved, saved, skeleton, poses: [] });
      if (saved) Object.assign(state, { keptUs: Infinity, nowUs: state.nowUs ?? startUs });
      if (saved) look(state, { to: "time", timeUs: state.shownUs ?? startUs });
      mark("streams", "poses", "timeline", "time");
    },
    ended: ({ error }) => {
      Object.assign(state, { live: false, error });
      mark("streams");
    },
    event: (event) => {
      state.seen.events += 1;
      if (takeEvent(state, event)) mark("clusters");
      keepShown(state);
      mark("timeline");
    },
    poses: ({ times_us: times, frames }) => {
      const newest = times[times.length - 1];
      if (state.nowUs !== null && newest < state.nowUs - BACK_US) restart(newest);
      state.seen.poses += times.length;
      times.forEach((timeUs, n) => state.poses.push({ timeUs, row: frames[n] }));
      state.poses = state.poses.filter(({ timeUs }) => timeUs > newest - GHOST_US && timeUs <= newest);
      remember(times, frames);
      mark("poses", "timeline");
    },
    past_poses: ({ times_us: times, frames }) => {
      remember(times, frames);
      mark("poses", "timeline");
    },
    look: (message) => {
      look(state, message);
      mark("time");
    },
    forgotten: () => {
      Object.assign(state, {
        live: false,
        skeleton: null,
        clusters: new Map(),
        anomalies: [],
        faces: new Map(),
        map: null,
      });
      restart(null);
      mark("streams", "timeline", "poses", "clusters", "map", "anomalies");
    },
    clusters: ({ clusters }) => {
      state.clusters = new Map(clusters.map((cluster) => [cluster.id, cluster]));
      mark("clusters", "timeline", "explanation");
    },
    exemplars: ({ cluster, ...face }) => state.faces.set(cluster, face),
    map: (map) => {
      state.map = map;
      mark("map");
    },
    anomalies: ({ anomalies }) => {
      state.anomalies = anomalies;
      mark("anomalies");
    },
    asked: ({ segment }) => {
      Object.assign(state, { chosenSegment: segment, explanation: null, failure: null });
      mark("explanation", "timeline", "failure");
    },
    explanation: (explanation) => {
      state.explanation = explanation;
      mark("explanation", "poses");
    },
    failed: ({ do: verb, error }) => {
      if (BY_THEMSELVES.has(verb)) return;
      state.failure = `${verb}: ${error}`;
      if (verb === "explain") state.chosenSegment = null;
      mark("failure", "explanation", "timeline");
    },
    dismissed: () => {
      state.failure = null;
      mark("failure");
    },
  };

  function restart(startUs) {
    forgetTimeline(state, startUs);
    Object.assign(state, newShown(), { poses: [], history: [] });
    Object.assign(state, { explanation: null, chosenSegment: null });
    mark("explanation", "time");
  }

  function remember(times, frames) {
    const newest = times[times.length - 1];
    state.originUs = Math.min(state.originUs ?? times[0], times[0]);
    state.nowUs = Math.max(state.nowUs ?? newest, newest);
    if (dimensionsOf(state.skeleton)) addPoses(state.history, times, frames);
    forgetPoses(state.history, oldestUs(state));
    keepShown(state);
  }

  return {
    state,
    /** Takes a message; one of a stream that is not watched any more is passed over. */
    take(message) {
      if (message.stream !== undefined && message.is !== "choose" && message.stream !== state.chosen) return;
      takers[message.is]?.(message);
    },
    /** Calls `draw(state)` when one of the topics has changed. */
    watch(wanted, draw) {
      views.push({ wanted, draw });
    },
    /** Draws everything that shows one of the topics, as when a window has another size. */
    mark,
  };
}
