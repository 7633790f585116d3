// The wall: a tile for each live stream. The bridge says what stands in a tile; a click or Enter opens its stream.

import { readAddress, writeStreamAddress, writeWallAddress } from "./address.js";
import { describe } from "./alarms.js";
import { KINDS, paint } from "./colours.js";
import { keyedList, make, plain, setText, themeColour } from "./dom.js";
import { drawFigure } from "./figure.js";
import { clock } from "./words.js";

const STRIP_S = 30;

/** `choose(stream)` shows a stream in the ordinary view. */
export function showWall(store, ask, choose) {
  const wall = document.getElementById("wall");
  const main = document.querySelector("main");
  const toggle = document.getElementById("wall-toggle");
  const summary = document.getElementById("wall-summary");

  function show(shown) {
    if (shown) writeWallAddress();
    else writeStreamAddress(store.state.chosen);
    store.take({ is: "show_wall", shown });
    ask({ do: "wall", on: shown });
  }

  function open(stream) {
    choose(stream);
    requestAnimationFrame(() => document.getElementById("figure").focus()); // as soon as it is not hidden any more
  }

  function build({ stream }) {
    const strip = make("span", { className: "strip", "aria-hidden": "true" });
    const button = make(
      "button",
      { type: "button", "data-stream": stream, onclick: () => open(stream) },
      make("span", { className: "head" }, make("strong"), make("span", { className: "quiet" })),
      make("canvas", { "aria-hidden": "true" }),
      make("span", { className: "label" }, make("span", { className: "swatch" }), make("b"), make("span")),
      strip,
      make("span", { className: "alarms" }),
    );
    const item = make("li", {}, button);
    item.fillStrip = keyedList(
      strip,
      ({ place }) => place,
      () => make("i"),
      layRun,
    );
    item.fillAlarms = keyedList(button.lastChild, ({ anomaly }) => anomaly, buildAlarm, updateAlarm);
    return item;
  }

  function update(item, tile) {
    const [head, canvas, label] = item.firstChild.children;
    const words = { state: tile.has_owner ? "live" : "source lost", name: "no label yet", lasts: "" };
    if (tile.label) Object.assign(words, { name: plain(tile.label.name), lasts: howLong(tile.label.lasts_s) });
    setText(head.children[0], tile.stream);
    setText(head.children[1], words.state);
    label.children[0].hidden = !tile.label;
    if (tile.label) paint(label.children[0], tile.label.cluster);
    setText(label.children[1], words.name);
    setText(label.children[2], words.lasts);
    item.fillStrip(tile.strip.map((run, place) => ({ ...run, place })));
    item.fillAlarms(tile.alarms);
    item.classList.toggle("away", !tile.has_owner);
    item.classList.toggle("alarmed", hasOpenAlarm(tile));
    const alarms = tile.alarms.map((alarm) => `, ${alarmText(alarm)}`).join("");
    const said = `${tile.stream}, ${words.state}: ${words.name} ${words.lasts}${alarms}`;
    item.firstChild.setAttribute("aria-label", said);
    drawFigure(canvas, tile.skeleton, tile.pose, { colour: themeColour(tile.has_owner ? "--text" : "--quiet") });
  }

  const fill = keyedList(document.getElementById("tiles"), ({ stream }) => stream, build, update);
  store.watch(["wall"], ({ wall: { shown, tiles, leftOut } }) => {
    wall.hidden = !shown;
    main.hidden = shown;
    toggle.setAttribute("aria-pressed", String(shown));
    fill(shown ? tiles : []);
    setText(summary, summaryOf(tiles, leftOut));
  });
  toggle.addEventListener("click", () => show(!store.state.wall.shown));
  window.addEventListener("hashchange", () => {
    const asked = readAddress();
    if (asked.wall) show(true);
    else if (asked.stream) choose(asked.stream);
  });
  if (readAddress().wall) show(true);
}

function layRun(element, run) {
  element.style.left = `${100 * (1 + run.from_s / STRIP_S)}%`;
  element.style.width = `${(100 * (run.to_s - run.from_s)) / STRIP_S}%`;
  paint(element, run.cluster);
}

function buildAlarm({ kind }) {
  const letter = make("span", { className: "letter", textContent: KINDS[kind]?.letter ?? "?" });
  letter.style.setProperty("--colour", KINDS[kind]?.colour ?? "grey");
  return make("span", {}, letter, make("span"));
}

function updateAlarm(element, alarm) {
  element.classList.toggle("quiet", alarm.ended_s !== null);
  setText(element.lastChild, alarmText(alarm));
}

function alarmText(alarm) {
  return alarm.ended_s === null ? `alarm: ${describe(alarm)}` : `${describe(alarm)}, ended ${alarm.ended_s} s ago`;
}

function hasOpenAlarm({ alarms }) {
  return alarms.some((alarm) => alarm.ended_s === null);
}

function howLong(seconds) {
  return seconds < 60 ? `for ${Math.floor(seconds)} s` : `for ${clock(seconds * 1e6, 0)} min:s`;
}

function summaryOf(tiles, leftOut) {
  const alarmed = tiles.filter(hasOpenAlarm).map(({ stream }) => stream);
  const streams = `${tiles.length} ${tiles.length === 1 ? "stream" : "streams"}`;
  const more = leftOut ? `, ${leftOut} more are not shown` : "";
  return `${streams}${more}; ${alarmed.length ? `open alarms: ${alarmed.join(", ")}` : "no open alarm"}`;
}
