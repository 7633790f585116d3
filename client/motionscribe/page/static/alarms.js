// The newest alarms: what, where, when, how rare. Say that one was normal, or a fault, or take it back.

import { KINDS } from "./colours.js";
import { keyedList, make, plain, setText } from "./dom.js";
import { clock, howOften } from "./words.js";

const SHOWN = 30;
const JOINTS = 3;
const VERDICTS = [
  ["normal", "normal", "the same is no alarm any more"],
  ["fault", "fault", "kept as an example"],
  ["none", "clear", "take back what was said"],
];

export function showAlarms(store, ask) {
  function build({ anomaly }) {
    const buttons = VERDICTS.map(([verdict, text, title]) =>
      make("button", {
        type: "button",
        textContent: text,
        title,
        "data-verdict": verdict,
        "aria-label": `alarm ${anomaly}: ${text}`,
        onclick: () => ask({ do: "mark", anomaly, verdict }),
      }),
    );
    const letter = make("span", { className: "letter", "aria-hidden": "true" });
    const words = make("div", {}, make("div"), make("div", { className: "quiet" }));
    const verdicts = make("div", { className: "verdicts", role: "group", "aria-label": `verdict on ${anomaly}` });
    verdicts.append(...buttons);
    return make("li", { "data-anomaly": anomaly }, letter, words, verdicts);
  }

  function update(item, alarm) {
    const [letter, words, verdicts] = item.children;
    const kind = KINDS[alarm.kind] ?? { colour: "grey", letter: "?" };
    letter.style.setProperty("--colour", kind.colour);
    setText(letter, kind.letter);
    setText(words.children[0], describe(alarm));
    setText(words.children[1], when(alarm, store.state));
    item.classList.toggle("ongoing", alarm.ongoing);
    for (const button of verdicts.children) {
      const { verdict } = button.dataset;
      if (verdict === "none") button.disabled = alarm.verdict === "none";
      else button.setAttribute("aria-pressed", String(verdict === alarm.verdict));
    }
  }

  const list = document.getElementById("alarms");
  const fill = keyedList(list, ({ anomaly }) => anomaly, build, update);
  store.watch(["anomalies", "timeline"], ({ anomalies }) => {
    fill([...anomalies].sort((one, other) => other.anomaly - one.anomaly).slice(0, SHOWN));
    list.dataset.empty = anomalies.length ? "" : "none so far";
  });
}

/** As the commands say it: `sensor fault in left_wrist, left_elbow`, `motion fault by imbalance`. */
export function describe(alarm) {
  const joints = alarm.joints.slice(0, JOINTS).join(", ");
  return plain(`${alarm.kind} ${joints ? `in ${joints}` : `by ${alarm.detector}`}`);
}

function when(alarm, { alarms, originUs }) {
  const seconds = ((alarm.end_us - alarm.start_us) / 1e6).toFixed(1);
  const length = alarm.ongoing ? "goes on" : `${seconds} s`;
  const time = alarms.has(alarm.anomaly) ? `at ${clock(alarm.start_us - originUs)} min:s` : "earlier"; // another clock
  return `${time}, ${length}, ${howOften(alarm.false_alarms_per_hour)}`;
}
