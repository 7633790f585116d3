// Anomaly scores under the timeline, over the same time: one line for each kind, the less normal the higher.

import { KINDS } from "./colours.js";
import { openCanvas, themeColour } from "./dom.js";
import { leftUs } from "./events.js";
import { playheadX } from "./playhead.js";
import { PIXELS_A_SECOND } from "./timeline.js";

const RAREST = 1e-4; // false alarms per hour; beyond it the number is no more than an order
const MOST = 1e4;
const DASHES = { sensor: [], motion: [6, 3], behaviour: [2, 2] };
const LINES = [1e-3, 1e-1, 10, 1e3];

export function showScores(store) {
  const panel = document.getElementById("scores-panel");
  const canvas = document.getElementById("scores");
  const scroller = document.getElementById("timeline");

  store.watch(["scores"], (state) => {
    const { scores } = state;
    panel.hidden = !scores.length;
    if (!scores.length) return;
    const { context, width, height } = openCanvas(canvas);
    const x = (timeUs) => ((timeUs - leftUs(state)) / 1e6) * PIXELS_A_SECOND - scroller.scrollLeft;
    const y = (perHour) => (height - 16) * (Math.log10(clamp(perHour) / RAREST) / Math.log10(MOST / RAREST)) + 8;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = themeColour("--quiet");
    context.strokeStyle = themeColour("--line");
    for (const perHour of LINES) {
      context.fillText(`${perHour}/h`, 4, y(perHour) - 2);
      context.beginPath();
      context.moveTo(0, y(perHour));
      context.lineTo(width, y(perHour));
      context.stroke();
    }
    const shown = scores.filter(({ startUs, endUs }) => x(endUs) > 0 && x(startUs) < width);
    for (const { colour, score } of Object.values(KINDS)) drawLine(context, shown, score, colour, x, y);
    context.setLineDash([]);
    const playhead = playheadX(state, scroller);
    if (playhead !== null) {
      context.fillStyle = themeColour("--bad");
      context.fillRect(playhead, 0, 2, height);
    }
    drawLegend(context, width);
  });
}

/** Each score holds for its span; the line breaks where none came. */
function drawLine(context, scores, score, colour, x, y) {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.setLineDash(DASHES[score]);
  context.beginPath();
  let lastUs = null;
  for (const one of scores) {
    const at = y(one[score] ?? MOST);
    if (lastUs === null || one.startUs > lastUs) context.moveTo(x(one.startUs), at);
    else context.lineTo(x(one.startUs), at);
    context.lineTo(x(one.endUs), at);
    lastUs = one.endUs;
  }
  context.stroke();
}

function drawLegend(context, width) {
  let right = width - 6;
  for (const { colour, score } of Object.values(KINDS).reverse()) {
    right -= context.measureText(score).width;
    context.fillStyle = themeColour("--text");
    context.fillText(score, right, 12);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.setLineDash(DASHES[score]);
    context.beginPath();
    context.moveTo(right - 22, 8);
    context.lineTo(right - 4, 8);
    context.stroke();
    right -= 34;
  }
}

function clamp(perHour) {
  return Math.min(MOST, Math.max(RAREST, perHour));
}
