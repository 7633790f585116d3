// Numbers and names as people read them.

import { plain } from "./dom.js";

/** Minutes and seconds since the stream began: 61_500_000 us is "1:01.5". */
export function clock(timeUs, decimals = 1) {
  const tenths = Math.max(0, Math.round((timeUs / 1e6) * 10 ** decimals));
  const unit = 10 ** decimals;
  const seconds = (tenths % (60 * unit)) / unit;
  return `${Math.floor(tenths / (60 * unit))}:${seconds.toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0")}`;
}

/** The severity of an alarm: how often one such is to be expected where nothing is wrong. */
export function howOften(perHour) {
  if (perHour === null) return "";
  if (perHour < 1e-4) return "rarer than once in 10,000 h";
  if (perHour < 1) return `once in ${Number((1 / perHour).toPrecision(2)).toLocaleString("en")} h`;
  return `${perHour.toFixed(1)} times per hour`;
}

/** The cluster that a cluster has become part of, itself where it has not. */
export function rootOf(clusters, id) {
  let root = id;
  for (let hops = 0; hops < 100; hops += 1) {
    const next = clusters.get(root)?.merged_into;
    if (!next) break;
    root = next;
  }
  return root;
}

/** Its newest name, which holds backwards as well: "walk", "walk?" where it is guessed, "cluster 7" without one. */
export function nameOf(clusters, id) {
  const cluster = clusters.get(rootOf(clusters, id));
  if (!cluster?.name) return `cluster ${rootOf(clusters, id)}`;
  return cluster.guessed ? `${plain(cluster.name)}?` : plain(cluster.name);
}
