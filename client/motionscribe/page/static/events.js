// What happened in a stream, as the timeline shows it: events change it here. No element and no network.

export const KEPT_US = 600_000_000; // ten minutes can be looked back at

/** The parts of the state that are of the timeline. Spans are {startUs, endUs, ...}, in order of time. */
export function newTimeline() {
  return {
    originUs: null, // time 0 of what is shown
    nowUs: null, // the newest time that is known
    keptUs: KEPT_US, // how far back it can be looked at
    finalUs: null, // labels before it do not change
    segments: [], // {segment, cluster, open, event}; segment is null where its beginning was not seen, event until its end
    soft: [], // provisional labels: {cluster, stability}
    gaps: [], // {what, event}
    alarms: new Map(), // anomaly -> the fields of the event, and the event
    scores: [], // {sensor, motion, behaviour}
  };
}

/** Begins anew at `startUs`, which may be null. */
export function forgetTimeline(state, startUs) {
  Object.assign(state, newTimeline(), { originUs: startUs, nowUs: startUs });
}

/** Takes an event. Returns true where it tells something of the clusters. */
export function takeEvent(state, event) {
  const span = { startUs: event.start_us ?? event.time_us, endUs: event.end_us ?? event.start_us ?? event.time_us };
  if (span.startUs !== undefined) {
    state.originUs ??= span.startUs;
    state.nowUs = Math.max(state.nowUs ?? span.endUs, span.endUs);
  }
  const take = {
    Label: event.final ? takeFinal : takeProvisional,
    SegmentStarted: startSegment,
    SegmentEnded: endSegment,
    Gap: takeGap,
    Degraded: takeDegraded,
    Anomaly: () => state.alarms.set(event.anomaly, { ...span, ...event }),
    AnomalyScores: takeScores,
  }[event.event];
  take?.(state, event, span);
  forgetOld(state);
  return event.event === "Label" || event.event.startsWith("Segment");
}

// A page that connects again is told once more what it knows: nothing stands there twice.

function takeFinal(state, event, span) {
  if (state.finalUs !== null && span.endUs <= state.finalUs) return;
  const last = state.segments.at(-1);
  if (last?.open && last.cluster === event.cluster && last.endUs >= span.startUs) {
    last.endUs = Math.max(last.endUs, span.endUs);
  } else {
    state.segments.push({ segment: null, cluster: event.cluster, open: true, ...span });
  }
  state.finalUs = Math.max(state.finalUs ?? 0, span.endUs);
  state.soft = state.soft.filter(({ endUs }) => endUs > state.finalUs);
  if (state.soft[0]?.startUs < state.finalUs) state.soft[0] = { ...state.soft[0], startUs: state.finalUs };
}

function takeProvisional(state, event, span) {
  if (state.finalUs !== null && span.endUs <= state.finalUs) return;
  const { cluster, stability } = event;
  const before = state.soft
    .filter(({ startUs }) => startUs < span.startUs)
    .map((one) => ({ ...one, endUs: Math.min(one.endUs, span.startUs) }));
  const after = state.soft
    .filter(({ endUs }) => endUs > span.endUs)
    .map((one) => ({ ...one, startUs: Math.max(one.startUs, span.endUs) }));
  state.soft = [...before, { ...span, cluster, stability }, ...after];
}

function startSegment(state, event, span) {
  const known = state.segments.find(({ startUs }) => startUs === span.startUs);
  if (known) {
    known.segment = event.segment;
    return;
  }
  const last = state.segments.at(-1);
  if (last?.open) last.open = false;
  state.segments.push({ segment: event.segment, cluster: event.cluster, open: true, ...span });
}

function endSegment(state, event, span) {
  state.segments = state.segments.filter(({ startUs }) => startUs < span.startUs || startUs >= span.endUs);
  state.segments.push({ segment: event.segment, cluster: event.cluster, open: false, ...span, event });
  state.segments.sort((one, other) => one.startUs - other.startUs);
  state.finalUs = Math.max(state.finalUs ?? 0, span.endUs);
}

function takeGap(state, event, span) {
  state.gaps = state.gaps.filter(({ startUs }) => startUs !== span.startUs);
  state.gaps.push({ ...span, what: "no frames", event });
}

function takeScores(state, event, span) {
  const last = state.scores.at(-1);
  if (!last || span.startUs >= last.endUs) state.scores.push({ ...span, ...event });
}

function takeDegraded(state, event, span) {
  state.gaps = state.gaps.filter(({ degraded }) => degraded !== event.degraded);
  state.gaps.push({ ...span, degraded: event.degraded, what: `not seen: ${event.joints.join(", ")}` });
}

function forgetOld(state) {
  const oldest = oldestUs(state);
  for (const name of ["segments", "gaps", "scores"]) {
    if (state[name][0]?.endUs < oldest) state[name] = state[name].filter(({ endUs }) => endUs >= oldest);
  }
  for (const [anomaly, { endUs, ongoing }] of state.alarms) {
    if (endUs < oldest && !ongoing) state.alarms.delete(anomaly);
  }
}

/** How far back it can be looked at, null where nothing is known. */
export function oldestUs({ originUs, nowUs, keptUs }) {
  return originUs === null ? null : Math.max(originUs, nowUs - keptUs);
}

const TICK_US = 5_000_000;

/** The time at the left end of the timeline: a whole number of ticks after the origin. */
export function leftUs(state) {
  return state.originUs + Math.floor((oldestUs(state) - state.originUs) / TICK_US) * TICK_US;
}

/** The label of the moment that is shown, the newest or a past one: {cluster, stability}, null where there is none. */
export function labelNow(state) {
  if (state.shownUs !== null) return labelAt(state, state.shownUs);
  const soft = state.soft.at(-1);
  if (soft) return soft;
  const last = state.segments.at(-1);
  return last ? { cluster: last.cluster, stability: 1 } : null;
}

function labelAt({ segments, soft }, timeUs) {
  const holds = ({ startUs, endUs }) => startUs <= timeUs && timeUs < endUs;
  const last = segments.findLast(holds);
  if (last) return { cluster: last.cluster, stability: 1 };
  return soft.findLast(holds) ?? null;
}
