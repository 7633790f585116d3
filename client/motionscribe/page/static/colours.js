// Colours that colour-blind people tell apart (Okabe and Ito). The second round of them is striped.

const OKABE_ITO = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];

export const KINDS = {
  "sensor fault": { colour: "#cc79a7", letter: "S", score: "sensor" },
  "motion fault": { colour: "#d55e00", letter: "M", score: "motion" },
  "new behaviour": { colour: "#009e73", letter: "B", score: "behaviour" },
};

const places = new Map();

/** Colour of a cluster. Clusters get colours in the order in which they are seen here. */
export function colourOf(id) {
  return OKABE_ITO[placeOf(id) % OKABE_ITO.length];
}

/** Whether it is of a round whose colours were all given before. */
export function isStriped(id) {
  return Math.floor(placeOf(id) / OKABE_ITO.length) % 2 === 1;
}

/** Paints an element in the colour of a cluster, through properties and a class that the style sheet reads. */
export function paint(element, id) {
  const colour = colourOf(id);
  element.style.setProperty("--colour", colour);
  element.style.setProperty("--on-colour", colour === OKABE_ITO[0] ? "#fff" : "#000"); // blue alone is dark
  element.classList.toggle("striped", isStriped(id));
}

function placeOf(id) {
  if (!places.has(id)) places.set(id, places.size);
  return places.get(id);
}
