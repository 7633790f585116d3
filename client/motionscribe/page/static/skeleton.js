// The figure: the newest pose, its ghost of the last second, the ground that it walks over, and joints that are explained.

import { colourOf, paint } from "./colours.js";
import { openCanvas, setText, themeColour } from "./dom.js";
import { labelNow } from "./events.js";
import { litJoints } from "./explain.js";
import { drawBones } from "./figure.js";
import { createOrbit, projection } from "./orbit.js";
import { boxOf, dimensionsOf, jointsOf } from "./pose.js";
import { shownPoses } from "./shown.js";
import { nameOf, rootOf } from "./words.js";

const GHOSTS = 5;
const TALL = 2.3; // metres that the canvas shows: a person and some air
const GROUND = 3; // metres of ground each way
const TILE = 0.5;
const FOLLOW_S = 0.12; // how late the eye follows
const GROUND_RISES = 0.05; // metres a second, where nothing touches it
const JUMP_US = 1_000_000; // to a time so far off, or back, the eye does not go: it is there
const NAMED = 3; // of the joints that are explained: more names lie over each other
const FLAT = { yaw: 0, pitch: 0 };

export function showFigure(store) {
  const canvas = document.getElementById("figure");
  const note = document.getElementById("figure-note");
  const view = createOrbit(canvas, () => store.mark("poses"));
  const kept = { skeleton: null };

  store.watch(["poses", "explanation", "time"], (state) => {
    const { context, width, height } = openCanvas(canvas);
    const { skeleton } = state;
    const poses = shownPoses(state);
    setText(note, noteOf(state, poses));
    if (!poses.length || !dimensionsOf(skeleton)) return;
    const inSpace = dimensionsOf(skeleton) === 3;
    const figures = poses.map(({ row }) => jointsOf(skeleton, row));
    const newest = figures.at(-1);
    const box = boxOf(newest);
    if (!box) return;
    const pastUs = poses.at(-1).timeUs - kept.timeUs;
    if (kept.skeleton !== skeleton || pastUs < 0 || pastUs > JUMP_US) {
      Object.assign(kept, { skeleton, middle: null, ground: null, tall: null, timeUs: 0 });
    }
    look(kept, box, inSpace, poses.at(-1).timeUs);

    const scale = (height / (inSpace ? TALL : kept.tall)) * view.zoom;
    const project = projection(inSpace ? view : FLAT);
    const across = inSpace ? project : ([x, y]) => [x, y];
    const place = (joint) => {
      const [x, y] = across(joint.map((value, axis) => value - kept.middle[axis]));
      return [width / 2 + x * scale, height / 2 - y * scale];
    };
    if (inSpace) drawGround(context, place, kept);
    const now = labelNow(state);
    const ghost = now ? colourOf(rootOf(state.clusters, now.cluster)) : themeColour("--quiet");
    for (let n = 0; n < GHOSTS; n += 1) {
      const one = figures[Math.floor((n * figures.length) / GHOSTS)];
      drawBones(context, skeleton, one, place, { colour: ghost, wide: 3, alpha: 0.08 + (0.3 * n) / GHOSTS });
    }
    drawBones(context, skeleton, newest, place, { colour: themeColour("--text"), wide: 5, alpha: 1 });
    drawLit(context, skeleton, newest, place, litJoints(state));
  });

  store.watch(["timeline", "clusters", "time"], (state) => {
    const now = labelNow(state);
    const name = document.getElementById("now-name");
    setText(name, now ? nameOf(state.clusters, now.cluster) : "");
    const swatch = document.querySelector("#now .swatch");
    swatch.hidden = !now;
    if (now) paint(swatch, rootOf(state.clusters, now.cluster));
    setText(document.getElementById("now-stability"), now ? `${Math.round(now.stability * 100)} % sure` : "");
  });
}

/** Where the eye looks: after the body, a little late; the ground is where the lowest joint has been. */
function look(kept, { low, high, middle }, inSpace, timeUs) {
  const pastS = Math.max(0, timeUs - kept.timeUs) / 1e6;
  const share = 1 - Math.exp(-pastS / FOLLOW_S);
  kept.timeUs = timeUs;
  kept.ground = kept.ground === null ? low[1] : Math.min(low[1], kept.ground + GROUND_RISES * pastS);
  const at = inSpace ? [middle[0], kept.ground + 0.9, middle[2]] : middle;
  kept.middle = kept.middle ? kept.middle.map((value, axis) => value + share * (at[axis] - value)) : at;
  const tall = Math.max(high[1] - low[1], (high[0] - low[0]) * 0.8) * 1.3 || 1;
  kept.tall = Math.max(tall, (kept.tall ?? tall) * (1 - share * 0.05));
}

function drawGround(context, place, { middle, ground }) {
  context.strokeStyle = themeColour("--line");
  context.lineWidth = 1;
  context.beginPath();
  const [x0, z0] = [Math.round(middle[0] / TILE) * TILE, Math.round(middle[2] / TILE) * TILE];
  for (let step = -GROUND; step <= GROUND; step += TILE) {
    context.moveTo(...place([x0 + step, ground, z0 - GROUND]));
    context.lineTo(...place([x0 + step, ground, z0 + GROUND]));
    context.moveTo(...place([x0 - GROUND, ground, z0 + step]));
    context.lineTo(...place([x0 + GROUND, ground, z0 + step]));
  }
  context.stroke();
}

function drawLit(context, skeleton, joints, place, lit) {
  context.font = "13px system-ui, sans-serif";
  let named = 0;
  for (const [name, share] of lit) {
    const joint = joints[skeleton.joints.indexOf(name)];
    if (!joint) continue;
    const [x, y] = place(joint);
    context.beginPath();
    context.arc(x, y, 5 + 9 * share, 0, 2 * Math.PI);
    context.fillStyle = "#e69f00";
    context.strokeStyle = themeColour("--back");
    context.lineWidth = 2;
    context.fill();
    context.stroke();
    context.fillStyle = themeColour("--text");
    named += 1;
    if (named <= NAMED) context.fillText(name, x + 10 + 9 * share, y + 4);
  }
}

function noteOf({ skeleton, live, shownUs }, poses) {
  if (!skeleton) return "";
  if (!dimensionsOf(skeleton)) {
    return `There is no figure of ${skeleton.representation}: only places of joints are drawn.`;
  }
  if (!poses.length && shownUs !== null) return "no pose was kept of this time";
  if (!poses.length) return live ? "waiting for poses" : "";
  return "drag to turn, wheel or pinch to zoom";
}
