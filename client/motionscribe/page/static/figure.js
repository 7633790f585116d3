// Bones on a canvas: those of the large figure, and whole small figures of one pose each.

import { openCanvas, themeColour } from "./dom.js";
import { START, projection } from "./orbit.js";
import { boxOf, dimensionsOf, jointsOf } from "./pose.js";

const TALL = 2.2; // metres that a small figure shows: a person with raised arms
const SMALLEST = 0.5; // metres of a person who is rolled up; what is smaller is none, and fills the canvas
const AIR = 1.25;

/** Joints are places, null where one was not seen; `place` turns one into [x, y] of the canvas. */
export function drawBones(context, skeleton, joints, place, { colour, wide, alpha }) {
  context.globalAlpha = alpha;
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = wide;
  context.lineCap = "round";
  context.beginPath();
  skeleton.parents.forEach((parent, joint) => {
    if (!joints[joint]) return;
    const [x, y] = place(joints[joint]);
    context.moveTo(x, y);
    if (joints[parent]) context.lineTo(...place(joints[parent]));
    else context.arc(x, y, 1, 0, 2 * Math.PI); // of markers that no bone joins, dots are all there is
  });
  context.stroke();
  const head = joints[skeleton.joints.indexOf("head")];
  if (head) {
    context.beginPath();
    context.arc(...place(head), wide * 2.2, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}

/**
 * Clears the canvas and draws one pose in its middle: `row` has the numbers of the skeleton's layout, null draws none.
 * Options: colour, wide (pixels), alpha (0..1), view ({yaw, pitch} in radians, of figures in space), box (what is seen,
 * of pose.js; that of the pose where there is none).
 */
export function drawFigure(canvas, skeleton, row, options = {}) {
  const { colour = themeColour("--text"), wide = 3, alpha = 1, view = START } = options;
  const { context, width, height } = openCanvas(canvas);
  if (!row || !dimensionsOf(skeleton)) return;
  const joints = jointsOf(skeleton, row);
  const box = options.box ?? boxOf(joints);
  if (!box) return;
  const inSpace = dimensionsOf(skeleton) === 3;
  const extent = Math.max(...box.high.map((value, axis) => value - box.low[axis]));
  const isPerson = !options.box && inSpace && extent > SMALLEST && extent < TALL;
  const scale = Math.min(width, height) / (isPerson ? TALL : extent * AIR || 1);
  const project = inSpace ? projection(view) : (joint) => joint;
  const place = (joint) => {
    const [x, y] = project(joint.map((value, axis) => value - box.middle[axis]));
    return [width / 2 + x * scale, height / 2 - y * scale];
  };
  drawBones(context, skeleton, joints, place, { colour, wide, alpha });
}
