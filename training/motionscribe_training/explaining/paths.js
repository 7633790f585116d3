// Curves in space that turn with the mouse or a finger. The page has a <canvas id="paths"> and a JSON
// <script id="paths-data">: a list of {label, colour, encoder, decoder}, curves as lists of [x, y, z].
"use strict";
(() => {
  const canvas = document.getElementById("paths");
  const paths = JSON.parse(document.getElementById("paths-data").textContent);
  const points = paths.flatMap((path) => [...path.encoder, ...path.decoder]);
  const middle = [0, 1, 2].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  const reach = Math.max(...points.map((point) => Math.hypot(...point.map((value, axis) => value - middle[axis]))));
  let yaw = 0.6, tilt = 0.4, zoom = 1, held = null;

  function place([x, y, z]) {
    [x, y, z] = [x - middle[0], y - middle[1], z - middle[2]];
    const [across, depth] = [x * Math.cos(yaw) + y * Math.sin(yaw), y * Math.cos(yaw) - x * Math.sin(yaw)];
    const scale = (0.46 * zoom * Math.min(canvas.width, canvas.height)) / reach;
    const up = z * Math.cos(tilt) - depth * Math.sin(tilt);
    return [canvas.width / 2 + scale * across, canvas.height / 2 - scale * up];
  }

  function draw() {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    const hidden = new Set([...document.querySelectorAll("#paths-labels input:not(:checked)")].map((box) => box.value));
    for (const path of paths.filter(({ label }) => !hidden.has(label))) {
      for (const [curve, width, dash] of [[path.encoder, 1.2, []], [path.decoder, 2.4, [5, 4]]]) {
        context.beginPath();
        curve.forEach((point) => context.lineTo(...place(point)));
        context.strokeStyle = path.colour;
        context.lineWidth = width * window.devicePixelRatio;
        context.setLineDash(dash.map((length) => length * window.devicePixelRatio));
        context.stroke();
      }
    }
  }

  function fit() {
    canvas.width = canvas.clientWidth * window.devicePixelRatio;
    canvas.height = canvas.clientHeight * window.devicePixelRatio;
    draw();
  }

  canvas.addEventListener("pointerdown", (event) => {
    held = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    yaw += (event.clientX - held[0]) / 150;
    tilt = Math.max(-1.5, Math.min(1.5, tilt + (event.clientY - held[1]) / 150));
    held = [event.clientX, event.clientY];
    draw();
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom = Math.max(0.3, Math.min(8, zoom * Math.exp(-event.deltaY / 500)));
    draw();
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const turn = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (!turn) return;
    event.preventDefault();
    [yaw, tilt] = [yaw + turn[0], tilt + turn[1]];
    draw();
  });
  document.getElementById("paths-labels").addEventListener("change", draw);
  window.addEventListener("resize", fit);
  fit();
})();
