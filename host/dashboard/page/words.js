// Verdicts in words. The numbers are the server's; nothing is judged here.

import { percent } from "./format.js";

const TIMES = new Set(["ns", "µs", "ms", "s"]);

/** What an effect means for this metric. // eg: "9.8 % slower" */
export function inWords(metric) {
  const { effect } = metric;
  if (effect === undefined || effect === null) return "the change cannot be expressed as a share";
  const size = percent(Math.abs(effect));
  const isWorse = metric.better === "lower" ? effect > 0 : effect < 0;
  if (TIMES.has(metric.unit) || metric.unit?.endsWith("/s")) return `${size} ${isWorse ? "slower" : "faster"}`;
  return `${size} ${effect > 0 ? "more" : "less"} (${isWorse ? "worse" : "better"})`;
}

/** What could have gone unnoticed. */
export function unnoticed(metric) {
  if (metric.verdict === "equivalent" && metric.interval) {
    const most = Math.max(Math.abs(metric.interval.low), Math.abs(metric.interval.high));
    return `no change larger than ${percent(most)} would have gone unnoticed`;
  }
  if (metric.detectable) return `changes below ${percent(metric.detectable)} would have gone unnoticed`;
  return "";
}

/** Metrics that are computed from the same samples as another: they say the same in other units. */
const OF_TIME = new Set(["items_per_second", "bytes_per_second", "flop_per_second"]);

/** Why a row is not among those that matter; `null` if it is. */
export function hiddenBecause(metric, metrics) {
  if (OF_TIME.has(metric.name) && metrics.some((it) => it.name === "time")) return "the same samples as time, in another unit";
  switch (metric.verdict) {
    case "regressed":
    case "improved":
      return null;
    case "equivalent":
      return "equivalent: the change is smaller than the threshold";
    default:
      if (metric.why?.kind === "same_build") return "withdrawn: both runs measured the same plugin file";
      return metric.why ? "undecided: see the remark of the row" : "undecided: more launches would be needed";
  }
}
