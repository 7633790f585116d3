// Places of joints out of a row of numbers, upright. No drawing.

const IN_SPACE = new Set(["body", "positions"]);
const IN_AN_IMAGE = new Set(["body2d", "positions2d"]);

/** Up axis -> x, y and z of what is upright, each as [sign, column]; x stays on the right where it can. */
const UPRIGHT = {
  x: [
    [-1, 1],
    [1, 0],
    [1, 2],
  ],
  y: [
    [1, 0],
    [1, 1],
    [1, 2],
  ],
  z: [
    [1, 0],
    [1, 2],
    [-1, 1],
  ],
  "-x": [
    [1, 1],
    [-1, 0],
    [1, 2],
  ],
  "-y": [
    [1, 0],
    [-1, 1],
    [-1, 2],
  ],
  "-z": [
    [1, 0],
    [-1, 2],
    [1, 1],
  ],
};

/** 3 in space, 2 in an image, 0 for a representation of which there is no figure. */
export function dimensionsOf(skeleton) {
  if (IN_SPACE.has(skeleton?.representation)) return 3;
  return IN_AN_IMAGE.has(skeleton?.representation) ? 2 : 0;
}

/** [x, y, z] of each joint with y up (z is 0 in an image); null for a joint that was not seen. In metres where known. */
export function jointsOf(skeleton, row) {
  const dimensions = dimensionsOf(skeleton);
  const turn = UPRIGHT[skeleton.up_axis] ?? UPRIGHT.y;
  const scale = dimensions === 3 ? skeleton.metres_per_unit : 1;
  return skeleton.joints.map((_, joint) => {
    const place = row.slice(joint * dimensions, (joint + 1) * dimensions);
    if (place.length < dimensions || !place.every(Number.isFinite)) return null;
    return turn.map(([sign, column]) => sign * scale * (place[column] ?? 0));
  });
}

/** Middle and extent of the joints that are seen: {middle, low, high}, null where none is. */
export function boxOf(joints) {
  const seen = joints.filter((joint) => joint !== null);
  if (!seen.length) return null;
  const low = [0, 1, 2].map((axis) => Math.min(...seen.map((joint) => joint[axis])));
  const high = [0, 1, 2].map((axis) => Math.max(...seen.map((joint) => joint[axis])));
  return { low, high, middle: low.map((value, axis) => (value + high[axis]) / 2) };
}
