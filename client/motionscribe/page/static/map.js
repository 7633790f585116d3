// The map: where clusters lie, where the newest moments do, and how they came there. It is asked for while it is open.

import { colourOf } from "./colours.js";
import { openCanvas, setText, themeColour } from "./dom.js";
import { labelNow } from "./events.js";
import { shownClusters } from "./clusters.js";
import { nameOf, rootOf } from "./words.js";

const EVERY_MS = 250;
const LEAST_WIDTHS = 6; // of a cluster, that the map shows at least
const EASE = 0.2; // of the way to what would fit, with each picture

export function showMap(store, ask) {
  const { state } = store;
  const panel = document.getElementById("map-panel");
  const canvas = document.getElementById("map");
  const note = document.getElementById("map-note");
  let frame = null; // {x, y, size} of the part of the plane that is shown

  setInterval(() => {
    if (panel.open && state.live && !document.hidden && !state.wall.shown) ask({ do: "map" });
  }, EVERY_MS);
  panel.addEventListener("toggle", () => store.mark("map"));

  store.watch(["map", "clusters", "time", "streams"], () => {
    const { map, clusters, shownUs } = state;
    panel.hidden = state.saved;
    setText(note, map && shownUs !== null ? "the newest moments, not the time that is shown" : "");
    if (!map) frame = null;
    if (!panel.open) return;
    const { context, width, height } = openCanvas(canvas);
    if (!map) return;
    frame = ease(frame, fitting(map));
    const scale = Math.min(width, height) / frame.size;
    const place = ([x, y]) => [width / 2 + (x - frame.x) * scale, height / 2 - (y - frame.y) * scale];
    const shown = new Set(shownClusters(state).map(({ id }) => id));
    const now = labelNow(state);
    const current = now && rootOf(clusters, now.cluster);
    context.font = "12px system-ui, sans-serif";
    for (const { cluster, place: at } of map.clusters) {
      const root = rootOf(clusters, cluster);
      const kind = { seen: shown.has(root), current: root === current };
      drawCluster(context, place(at), (map.radius / 2) * scale, root, kind);
    }
    drawTrail(context, map.trail.map(place));
    const roots = map.clusters.map(({ cluster, place: at }) => ({ root: rootOf(clusters, cluster), at }));
    const named = roots
      .filter(({ root }) => shown.has(root))
      .sort((one, other) => (other.root === current) - (one.root === current));
    const taken = [];
    for (const { root, at } of named) drawName(context, place(at), nameOf(clusters, root), taken);
    const label = `Map of clusters. The newest moment is ${now ? `called ${nameOf(clusters, current)}` : "not known"}.`;
    if (canvas.getAttribute("aria-label") !== label) canvas.setAttribute("aria-label", label);
  });
}

/** The square that shows all clusters and the newest moments. */
function fitting({ clusters, trail, radius }) {
  const places = [...clusters.map(({ place }) => place), ...trail];
  const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const size = Math.max(right - left, high - low, LEAST_WIDTHS * radius) + 2 * radius;
  return { x: (left + right) / 2, y: (low + high) / 2, size };
}

function ease(frame, wanted) {
  if (!frame) return wanted;
  return Object.fromEntries(
    Object.entries(wanted).map(([key, value]) => [key, frame[key] + EASE * (value - frame[key])]),
  );
}

function drawCluster(context, [x, y], radius, id, { seen, current }) {
  context.beginPath();
  context.arc(x, y, Math.max(3, radius), 0, 2 * Math.PI);
  context.fillStyle = context.strokeStyle = seen ? colourOf(id) : themeColour("--line");
  context.globalAlpha = current ? 0.7 : 0.35;
  if (seen) context.fill();
  context.globalAlpha = 1;
  context.lineWidth = current ? 3 : 1;
  context.stroke();
}

/** Where no other name stands: those that come first have the room. */
function drawName(context, [x, y], name, taken) {
  const half = context.measureText(name).width / 2;
  if (taken.some((other) => Math.abs(other.x - x) < other.half + half + 4 && Math.abs(other.y - y) < 13)) return;
  taken.push({ x, y, half });
  context.textAlign = "center";
  context.lineWidth = 3;
  context.strokeStyle = themeColour("--panel");
  context.strokeText(name, x, y + 4);
  context.fillStyle = themeColour("--text");
  context.fillText(name, x, y + 4);
}

/** The way of the newest moments, fading to where it came from, and a dot where it is. */
function drawTrail(context, trail) {
  context.strokeStyle = context.fillStyle = themeColour("--text");
  context.lineWidth = 2;
  trail.slice(1).forEach((to, n) => {
    context.globalAlpha = (n + 1) / trail.length;
    context.beginPath();
    context.moveTo(...trail[n]);
    context.lineTo(...to);
    context.stroke();
  });
  context.globalAlpha = 1;
  const newest = trail.at(-1);
  if (!newest) return;
  context.beginPath();
  context.arc(...newest, 5, 0, 2 * Math.PI);
  context.fill();
  context.strokeStyle = themeColour("--panel");
  context.stroke();
}
