// From where the figure is looked at: dragging, arrow keys, wheel and pinch change it. Perspective to the canvas.

export const START = { yaw: -0.6, pitch: 0.18, zoom: 1 };
const STEP = 0.12; // radians of an arrow key
const DISTANCE = 5; // of the eye, in metres: near enough that depth is seen

/** Follows pointer and keys on a canvas; `changed` is called when the view is another one. */
export function createOrbit(canvas, changed) {
  const view = { ...START };
  const pointers = new Map();

  function turn(yaw, pitch) {
    view.yaw += yaw;
    view.pitch = Math.min(1.5, Math.max(-0.3, view.pitch + pitch));
    changed();
  }

  function zoom(factor) {
    view.zoom = Math.min(4, Math.max(0.4, view.zoom * factor));
    changed();
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const other = [...pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    if (other) zoom(apart(event, other) / Math.max(1, apart(before, other)));
    else turn((event.clientX - before.clientX) * 0.01, (event.clientY - before.clientY) * 0.01);
    pointers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, ({ pointerId }) => pointers.delete(pointerId));
  }
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * 0.001));
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    const act = {
      ArrowLeft: () => turn(-STEP, 0),
      ArrowRight: () => turn(STEP, 0),
      ArrowUp: () => turn(0, STEP),
      ArrowDown: () => turn(0, -STEP),
      "+": () => zoom(1.15),
      "-": () => zoom(1 / 1.15),
      Home: () => {
        Object.assign(view, START);
        changed();
      },
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  return view;
}

/** A function from [x, y, z], relative to what the eye looks at, to [x, y, depth]; x and y in metres, y up. */
export function projection({ yaw, pitch }) {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return ([x, y, z]) => {
    const [across, away] = [cy * x + sy * z, cy * z - sy * x];
    const [up, near] = [cp * y - sp * away, sp * y + cp * away];
    const size = DISTANCE / Math.max(0.5, DISTANCE - near);
    return [across * size, up * size, near];
  };
}

function apart(one, other) {
  return Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
}
