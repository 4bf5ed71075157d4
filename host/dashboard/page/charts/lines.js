// The charts of the page that have axes. Each is a pure function from data to what uPlot draws.

import { html } from "../ui.js";
import { clock, digits, measured, quantity, scaleOf, short } from "../format.js";
import { Plot, closest, colour, joined, noPaths, seriesColour, stepPaths, tooltip } from "./plot.js";

/** Values of one unit, all in the step that suits the largest. */
function stepped(values, unit) {
  const sizes = values.flat().filter((value) => value !== null && Number.isFinite(value));
  const { by, name } = scaleOf(sizes.length ? Math.max(...sizes.map(Math.abs)) : 0, unit);
  return { by, name: name || unit || "1", scaled: values.map((line) => line.map((value) => (value === null ? null : value / by))) };
}

const plain = (self, splits) => splits.map((value) => (value === null ? "" : digits(value)));

/**
 * A metric against a parameter, one line per variant; both axes logarithmic. `lines` are `{name, xs, ys}`.
 */
export function Scaling({ lines, parameter, metric, unit }) {
  const make = () => {
    const { name, scaled } = stepped(lines.map((line) => line.ys), unit);
    const data = joined(lines.map((line, place) => ({ xs: line.xs, ys: scaled[place] })));
    return {
      data,
      opts: {
        scales: { x: { time: false, distr: 3, log: 2 }, y: { distr: 3 } },
        axes: [{ label: parameter, values: plain }, { label: `${metric} [${name}]`, values: plain, size: 64 }],
        series: [
          { label: parameter },
          ...lines.map((line, place) => ({ label: line.name, stroke: seriesColour(place), width: 2, spanGaps: true, points: { show: true, size: 6 } })),
        ],
        plugins: [tooltip((self, series, index) => [lines[series - 1].name, `${parameter} = ${digits(self.data[0][index], 6)}`, `${digits(self.data[series][index])} ${name}`])],
      },
    };
  };
  const label = `${metric} against ${parameter}, both axes logarithmic: ${lines.map((line) => line.name).join("; ")}`;
  return html`<${Plot} make=${make} label=${label} inputs=${[lines, parameter, metric, unit]} />`;
}

/**
 * The history of one metric: a point per run, with its interval, its changes of level and what changed around it. `shown` are the
 * runs to mark.
 */
export function HistoryChart({ series, shown = [], zoom, onZoom, onPick, height = 300 }) {
  const { points, changes, marks = [], unit, metric } = series;
  const isOneDay = points.length > 0 && clock(points[0].created_at).slice(0, 10) === clock(points.at(-1).created_at).slice(0, 10);
  const when = (time) => (isOneDay ? clock(time).slice(11) : clock(time).slice(5, 10));
  const make = () => {
    const lines = [points.map((it) => it.median), points.map((it) => it.interval?.low ?? it.median), points.map((it) => it.interval?.high ?? it.median)];
    const { by, name, scaled } = stepped(lines, unit);
    const xs = points.map((_, place) => place);
    const level = levels(points, changes).map((value) => (value === null ? null : value / by));
    const ring = { show: true, size: points.length > 200 ? 3 : 6, fill: colour("series-0") };
    return {
      data: [xs, scaled[0], scaled[1], scaled[2], level],
      opts: {
        scales: { x: { time: false, ...(zoom ? { range: () => zoom } : {}) } },
        axes: [
          { values: (self, splits) => splits.map((place) => (Number.isInteger(place) && points[place] ? when(points[place].created_at) : "")), label: "runs, oldest first" },
          { label: `${metric} [${name}]`, values: plain, size: 64 },
        ],
        series: [
          { label: "run" },
          { label: "median", stroke: colour("series-0"), width: 1.5, points: ring },
          { label: "low", silent: true, stroke: "transparent" },
          { label: "high", silent: true, stroke: "transparent" },
          { label: "level", silent: true, stroke: colour("series-1"), width: 1.5, dash: [6, 4], points: { show: false } },
        ],
        legend: { show: false },
        bands: [{ series: [3, 2], fill: colour("band") }],
        cursor: { drag: { x: Boolean(onZoom), y: false } },
        plugins: [
          tooltip((self, _, index) => {
            const point = points[index];
            const commit = point.source ? [`commit ${point.source.commit.slice(0, 10)}${point.source.dirty ? ", with changes" : ""}`] : [];
            return [measured(point.median, point.interval, unit), `run ${short(point.run)}`, clock(point.created_at), ...commit];
          }),
          marker(changes, marks, points, shown),
        ],
        hooks: {
          ready: [
            (self) => onPick && self.over.addEventListener("click", () => {
              const found = closest(self);
              if (found) onPick(points[found.index], found.index);
            }),
          ],
          setSelect: [
            (self) => {
              if (!onZoom || self.select.width < 8) return;
              const ends = [self.select.left, self.select.left + self.select.width].map((pixel) => self.posToVal(pixel, "x"));
              onZoom([Math.max(0, Math.floor(ends[0])), Math.min(points.length - 1, Math.ceil(ends[1]))]);
            },
          ],
        },
      },
    };
  };
  const last = points.at(-1);
  const label = `${metric} of ${series.label} over ${points.length} runs; the newest is ${quantity(last?.median, unit)}; ${changes.length} changes of level`;
  return html`<${Plot} make=${make} label=${label} height=${height} inputs=${[series, shown.join(), zoom?.join()]} />`;
}

/** The level that each point belongs to. */
function levels(points, changes) {
  const starts = [0, ...changes.map((it) => it.index)];
  return points.map((point, place) => {
    const number = starts.findLastIndex((start) => start <= place);
    if (number > 0) return changes[number - 1].after;
    return changes.length ? changes[0].before : null;
  });
}

/** Vertical lines: changes of the level, of the surroundings, and the runs that are compared. */
function marker(changes, marks, points, shown) {
  return {
    hooks: {
      draw: (self) => {
        const { ctx, bbox } = self;
        const line = (place, stroke, dash, text) => {
          const x = self.valToPos(place, "x", true);
          if (x < bbox.left || x > bbox.left + bbox.width) return;
          ctx.save();
          ctx.strokeStyle = stroke;
          ctx.fillStyle = stroke;
          ctx.lineWidth = devicePixelRatio;
          ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          ctx.font = `${11 * devicePixelRatio}px system-ui`;
          const isRight = x > bbox.left + bbox.width * 0.7;
          ctx.textAlign = isRight ? "right" : "left";
          if (text) ctx.fillText(text, x + (isRight ? -4 : 4) * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
          ctx.restore();
        };
        const words = { dyno: "dyno", kernel: "kernel", governor: "governor", plugin_version: "version", plugin_build: "" };
        const places = Map.groupBy(marks, (mark) => mark.index);
        places.forEach((found, place) => line(place - 0.5, colour("text-3"), [2, 3], found.map((mark) => words[mark.what]).filter(Boolean).join(", ")));
        changes.forEach((it) => line(it.index - 0.5, colour(it.accepted !== undefined ? "text-2" : it.verdict === "regressed" ? "worse" : "better"), [], ""));
        points.forEach((point, place) => shown.includes(point.run) && line(place, colour("accent"), [4, 2], shown.indexOf(point.run) === 0 && shown.length > 1 ? "baseline" : shown.length > 1 ? "candidate" : ""));
      },
    },
  };
}

/** Cumulative distributions: how large a share of the samples is at or below a value. `lines` are `{name, shares, quantiles, tone}`. */
export function Distributions({ lines, unit, metric, height = 240 }) {
  const make = () => {
    const { name, scaled } = stepped(lines.map((line) => line.quantiles), unit);
    const data = joined(lines.map((line, place) => ({ xs: distinct(scaled[place]), ys: line.shares.map((share) => share * 100) })));
    return {
      data,
      opts: {
        scales: { x: { time: false }, y: { range: [0, 100] } },
        axes: [{ label: `${metric} [${name}]`, values: plain }, { label: "share of samples [%]", size: 56 }],
        series: [
          { label: metric },
          ...lines.map((line) => ({
            label: line.name,
            stroke: colour(line.tone),
            width: line.isWhole ? 2.5 : 0.8,
            alpha: line.isWhole ? 1 : 0.55,
            spanGaps: true,
            points: { show: false },
            paths: stepPaths,
          })),
        ],
        legend: { show: lines.length <= 8 },
        plugins: [tooltip((self, series, index) => [lines[series - 1].name, `${digits(self.data[series][index])} % of the samples are at most ${digits(self.data[0][index], 4)} ${name}`])],
      },
    };
  };
  const label = `cumulative distribution of ${metric}: ${lines.filter((line) => line.isWhole).map((line) => line.name).join(" and ")}`;
  return html`<${Plot} make=${make} label=${label} height=${height} inputs=${[lines, unit, metric]} />`;
}

/** Increasing values: uPlot joins lines by x, so no line may have an x twice. */
function distinct(values) {
  let last = -Infinity;
  return values.map((value) => {
    const next = value > last ? value : last + Math.abs(last) * 1e-12 + 1e-300;
    last = next;
    return next;
  });
}

/** Samples in the order in which they were measured: lowest and highest of each column. */
export function Course({ columns, unit, metric, height = 200 }) {
  const make = () => {
    const { name, scaled } = stepped([columns.map((it) => it.low), columns.map((it) => it.high)], unit);
    const firsts = columns.filter((it, place) => place > 0 && it.launch !== columns[place - 1].launch).map((it) => it.first);
    return {
      data: [columns.map((it) => it.first), ...scaled],
      opts: {
        scales: { x: { time: false } },
        axes: [{ label: "sample" }, { label: `${metric} [${name}]`, values: plain, size: 64 }],
        series: [{ label: "sample" }, { label: "lowest", stroke: colour("series-0"), width: 1, points: { show: columns.length < 200, size: 3 } }, { label: "highest", stroke: colour("series-1"), width: 1, points: { show: false } }],
        bands: [{ series: [2, 1], fill: colour("band") }],
        plugins: [
          {
            hooks: {
              draw: (self) => {
                const { ctx, bbox } = self;
                ctx.save();
                ctx.strokeStyle = colour("grid");
                for (const first of firsts) {
                  const x = self.valToPos(first, "x", true);
                  ctx.beginPath();
                  ctx.moveTo(x, bbox.top);
                  ctx.lineTo(x, bbox.top + bbox.height);
                  ctx.stroke();
                }
                ctx.restore();
              },
            },
          },
        ],
      },
    };
  };
  return html`<${Plot} make=${make} label=${`course of ${metric} over ${columns.length} columns of samples`} height=${height} inputs=${[columns, unit, metric]} />`;
}

/** Performance against arithmetic intensity, below the ceilings that were measured. `points` are `{name, intensity, flops}`. */
export function Roofline({ points, bandwidth, peak, height = 320 }) {
  const make = () => {
    const intensities = points.map((it) => it.intensity);
    const ridge = bandwidth && peak ? peak / bandwidth : null;
    const low = Math.min(...intensities, ridge ?? Infinity) / 4;
    const high = Math.max(...intensities, ridge ?? 0) * 4;
    const roofXs = ridge ? [low, ridge, high] : [low, high];
    const roof = roofXs.map((x) => Math.min(peak ?? Infinity, bandwidth ? bandwidth * x : Infinity) / 1e9);
    const sorted = points.toSorted((a, b) => a.intensity - b.intensity);
    const xs = distinct(sorted.map((it) => it.intensity));
    const hasRoof = roof.every(Number.isFinite);
    const data = joined([{ xs, ys: sorted.map((it) => it.flops / 1e9) }, ...(hasRoof ? [{ xs: roofXs, ys: roof }] : [])]);
    const found = (x) => sorted[xs.indexOf(x)];
    return {
      data,
      opts: {
        scales: { x: { time: false, distr: 3 }, y: { distr: 3 } },
        axes: [{ label: "arithmetic intensity [FLOP/byte]", values: plain }, { label: "performance [GFLOP/s]", values: plain, size: 64 }],
        series: [
          { label: "intensity" },
          { label: "benchmarks", stroke: colour("series-0"), paths: noPaths, points: { show: true, size: 9, fill: colour("series-0") } },
          ...(hasRoof ? [{ label: "measured ceilings", silent: true, stroke: colour("series-1"), width: 2, spanGaps: true, points: { show: false } }] : []),
        ],
        plugins: [
          tooltip((self, _, index) => {
            const it = found(self.data[0][index]);
            if (!it) return [];
            const roofHere = Math.min(peak ?? Infinity, bandwidth ? bandwidth * it.intensity : Infinity);
            const share = Number.isFinite(roofHere) ? [`${digits((it.flops / roofHere) * 100)} % of the ceiling`] : [];
            return [it.name, quantity(it.flops, "FLOP/s"), `${digits(it.intensity)} FLOP/byte`, ...share];
          }),
        ],
      },
    };
  };
  return html`<${Plot} make=${make} label=${`roofline with ${points.length} benchmarks`} height=${height} inputs=${[points, bandwidth, peak]} />`;
}
