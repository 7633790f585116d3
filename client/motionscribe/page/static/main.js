// Puts the views together. Each takes the store, and `ask` where it asks the server for something.

import { showAlarms } from "./alarms.js";
import { showCamera } from "./camera.js";
import { showClusters } from "./clusters.js";
import { showWhy } from "./explain.js";
import { showExport } from "./export.js";
import { showFaces } from "./faces.js";
import { showLookback } from "./lookback.js";
import { showMap } from "./map.js";
import { showPlayhead } from "./playhead.js";
import { showScores } from "./scores.js";
import { showFigure } from "./skeleton.js";
import { connect } from "./socket.js";
import { createStore } from "./store.js";
import { showStreams } from "./streams.js";
import { showTimeline } from "./timeline.js";
import { showWall } from "./wall.js";

const store = createStore();
const ask = connect(store);
const choose = showStreams(store, ask);
showCamera(choose);
showFigure(store);
showTimeline(store, ask);
showLookback(store);
showPlayhead(store);
showExport(store);
showScores(store);
showClusters(store, ask);
showFaces(store, ask);
showMap(store, ask);
showAlarms(store, ask);
showWhy(store);
showWall(store, ask, choose);

const redraw = () => store.mark("poses", "timeline", "clusters", "map", "scores", "time", "wall");
window.addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

// what tests and curious people look at
window.motionscribe = store.state;
