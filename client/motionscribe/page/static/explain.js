// Why a segment has its label: the joints that carried it, and the parts of its time. skeleton.js lights them up.

import { make, plain } from "./dom.js";
import { clock, nameOf } from "./words.js";

const SHOWN = 6;

export function showWhy(store) {
  const place = document.getElementById("why");
  const side = document.getElementById("side");
  let shown = null;
  store.watch(["explanation"], (state) => {
    const { explanation, chosenSegment, clusters } = state;
    if (!explanation) {
      place.replaceChildren(chosenSegment === null ? "" : `asking about segment ${chosenSegment} ...`);
      return;
    }
    const at = (timeUs) => clock(timeUs - (state.originUs ?? 0));
    const span = `${at(explanation.start_us)} to ${at(explanation.end_us)} min:s`;
    const said = make("p", {}, make("strong", { textContent: nameOf(clusters, explanation.cluster) }), `, ${span}. `);
    if (explanation.other !== null && explanation.margin !== null) {
      const other = nameOf(clusters, explanation.other);
      said.append(`The next is ${other}, farther by ${explanation.margin.toFixed(2)} cluster widths.`);
    }
    const joints = explanation.joints.slice(0, SHOWN).map((one) => [one.joint, one]);
    const parts = explanation.parts.map((one) => [`${at(one.start_us)} to ${at(one.end_us)} min:s`, one]);
    const most = Math.max(...[...joints, ...parts].map(([, one]) => one.weight), 1e-9);
    place.replaceChildren(said, table("Joint", joints, most, state), table("Time", parts, most, state));
    // beside the figure, where the panel scrolls by itself, what was asked for comes into sight
    if (explanation !== shown) side.scrollTop = side.scrollHeight;
    shown = explanation;
  });
}

function table(what, rows, most, { clusters, explanation }) {
  const head = make("tr", {}, make("th", { textContent: what, scope: "col" }));
  head.append(make("th", { textContent: "carried, cluster widths", scope: "col", colSpan: 2 }));
  const body = rows.map(([text, one]) => {
    const bar = make("span", { className: "bar" });
    bar.style.width = `${(Math.max(0, one.weight) / most) * 100}%`;
    const becomes = one.becomes === explanation.cluster ? "" : `, else ${nameOf(clusters, one.becomes)}`;
    const name = make("th", { textContent: plain(text), scope: "row" });
    const number = make("td", { textContent: `${one.weight.toFixed(2).replace("-0.00", "0.00")}${becomes}` });
    return make("tr", {}, name, make("td", { className: "bars" }, bar), number);
  });
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
}

/** Joint -> 0..1, how much it carried the label, of the weightiest. Empty where nothing is explained. */
export function litJoints({ explanation }) {
  if (!explanation) return new Map();
  const carrying = explanation.joints.slice(0, SHOWN).filter(({ weight }) => weight > 0);
  return new Map(carrying.map(({ joint, weight }) => [joint, weight / carrying[0].weight]));
}
