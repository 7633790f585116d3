// What clusters look like: small figures beside their names, which move. Each cluster is asked for once, and again when
// another segment of it has ended.

import { shownClusters } from "./clusters.js";
import { drawFigure } from "./figure.js";
import { boxOf, dimensionsOf, jointsOf } from "./pose.js";
import { rootOf } from "./words.js";

const TICK_MS = 80;
const REST_S = 0.5; // between two clips

export function showFaces(store, ask) {
  const { state } = store;
  const list = document.getElementById("clusters");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const asked = new Map(); // cluster -> how many of its segments had ended by then
  let owner = null;

  store.watch(["clusters", "streams"], () => {
    if (state.link !== "open" || !state.live || state.chosen !== owner) asked.clear();
    owner = state.chosen;
    if (!state.live) return;
    for (const { id } of shownClusters(state)) {
      const ended = state.segments.filter(
        ({ open, cluster }) => !open && rootOf(state.clusters, cluster) === id,
      ).length;
      if (asked.get(id) === ended) continue;
      asked.set(id, ended);
      ask({ do: "exemplars", cluster: id });
    }
  });

  function draw() {
    if (document.hidden || state.wall.shown) return;
    for (const canvas of list.querySelectorAll(".face")) {
      const face = state.faces.get(Number(canvas.closest("li").dataset.cluster));
      canvas.hidden = !dimensionsOf(state.skeleton);
      if (!face?.clips.length) continue;
      const { clip, row } = still.matches ? standing(face) : moving(face, performance.now() / 1000);
      drawFigure(canvas, face.skeleton, row, { wide: 2, box: boxOfClip(face.skeleton, clip) });
    }
  }
  setInterval(draw, TICK_MS);
}

/** The pose of a face at a time in seconds: its clips one after another, each with a rest at its end. */
export function moving({ clips, rate_hz: rate }, seconds) {
  const lengths = clips.map(({ frames }) => frames.length / rate + REST_S);
  let left = seconds % lengths.reduce((sum, length) => sum + length, 0);
  let n = 0;
  while (left >= lengths[n] && n < clips.length - 1) {
    left -= lengths[n];
    n += 1;
  }
  const { frames } = clips[n];
  const at = Math.min(left * rate, frames.length - 1);
  return { clip: clips[n], row: between(frames[Math.floor(at)], frames[Math.ceil(at)], at % 1) };
}

/** The middle pose of the first clip. */
function standing({ clips: [clip] }) {
  return { clip, row: clip.frames[clip.frames.length >> 1] };
}

function between(one, other, share) {
  return one.map((value, n) => (value === null || other[n] === null ? null : value + share * (other[n] - value)));
}

const boxes = new WeakMap();

/** The box around all of a clip, so that whoever jumps is seen to jump. */
function boxOfClip(skeleton, clip) {
  if (!boxes.has(clip)) boxes.set(clip, boxOf(clip.frames.flatMap((row) => jointsOf(skeleton, row))));
  return boxes.get(clip);
}
