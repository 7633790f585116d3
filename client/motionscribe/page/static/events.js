// What happened in a stream, as the timeline shows it: events change it here. No element and no network.

const KEPT_US = 600_000_000; // ten minutes can be looked back at

/** The parts of the state that are of the timeline. Spans are {startUs, endUs, ...}, in order of time. */
export function newTimeline() {
  return {
    originUs: null, // time 0 of what is shown
    nowUs: null, // the newest time that is known
    finalUs: null, // labels before it do not change
    segments: [], // {segment, cluster, open}; segment is null where its beginning was not seen
    soft: [], // provisional labels: {cluster, stability}
    gaps: [], // {what}
    alarms: new Map(), // anomaly -> {kind, ongoing, joints}
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
    Gap: () => state.gaps.push({ ...span, what: "no frames" }),
    Degraded: takeDegraded,
    Anomaly: () => state.alarms.set(event.anomaly, { ...span, ...event }),
    AnomalyScores: () => state.scores.push({ ...span, ...event }),
  }[event.event];
  take?.(state, event, span);
  forgetOld(state);
  return event.event === "Label" || event.event.startsWith("Segment");
}

function takeFinal(state, event, span) {
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
  const last = state.segments.at(-1);
  if (last?.open) last.open = false;
  state.segments.push({ segment: event.segment, cluster: event.cluster, open: true, ...span });
}

function endSegment(state, event, span) {
  state.segments = state.segments.filter(({ startUs }) => startUs < span.startUs || startUs >= span.endUs);
  state.segments.push({ segment: event.segment, cluster: event.cluster, open: false, ...span });
  state.segments.sort((one, other) => one.startUs - other.startUs);
  state.finalUs = Math.max(state.finalUs ?? 0, span.endUs);
}

function takeDegraded(state, event, span) {
  state.gaps = state.gaps.filter(({ degraded }) => degraded !== event.degraded);
  state.gaps.push({ ...span, degraded: event.degraded, what: `not seen: ${event.joints.join(", ")}` });
}

function forgetOld(state) {
  const oldest = state.nowUs - KEPT_US;
  for (const name of ["segments", "gaps", "scores"]) {
    if (state[name][0]?.endUs < oldest) state[name] = state[name].filter(({ endUs }) => endUs >= oldest);
  }
  for (const [anomaly, { endUs, ongoing }] of state.alarms) {
    if (endUs < oldest && !ongoing) state.alarms.delete(anomaly);
  }
}

/** The label of the newest moment: {cluster, stability}, null where there is none. */
export function labelNow(state) {
  const soft = state.soft.at(-1);
  if (soft) return soft;
  const last = state.segments.at(-1);
  return last ? { cluster: last.cluster, stability: 1 } : null;
}
