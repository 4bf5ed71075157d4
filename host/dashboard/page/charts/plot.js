// A uPlot chart as a component. What it shows is a pure function of its options and data; it keeps nothing but the canvas.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../ui.js";
import uPlot from "../lib/uplot.js";

const scheme = matchMedia("(prefers-color-scheme: dark)");
const themed = new Set();
scheme.addEventListener("change", () => themed.forEach((listener) => listener()));

/** Draws all charts again: the colours have changed. */
export function recolour() {
  themed.forEach((listener) => listener());
}

const probe = document.createElement("span");
probe.hidden = true;

/** A colour of the style sheet, as it is now. A canvas knows neither variables nor themes. */
export function colour(name) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/** The colour of a series, which stays apart from its neighbours for the colour-blind as well. */
export function seriesColour(place) {
  return colour(`series-${place % 8}`);
}

function axis(options) {
  const grid = { stroke: colour("grid"), width: 1 };
  return { stroke: colour("text-2"), grid, ticks: grid, font: "12px system-ui", labelFont: "12px system-ui", ...options };
}

/** Ticks of a logarithmic axis: only those that have room for their text. */
function decades(self, splits) {
  return splits.map((value) => {
    const mantissa = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
    return Math.abs(mantissa - 1) < 1e-6 || splits.length < 12 ? value : null;
  });
}

const waiting = new Set();

/**
 * Calls `draw` at once if no other chart is being drawn, else when the page has shown those before: a page of many charts shows the
 * first one without waiting for the last. Gives what takes the wish back.
 */
function inTurn(draw) {
  if (waiting.size > 0) {
    waiting.add(draw);
    return () => waiting.delete(draw);
  }
  draw();
  waiting.add(next);
  setTimeout(next);
  return () => {};
}

function next() {
  waiting.delete(next);
  const [draw] = waiting;
  if (!draw) return;
  waiting.delete(draw);
  waiting.add(next);
  setTimeout(next);
  draw();
}

/**
 * `make(colours)` gives `{opts, data}` for uPlot; axes may be given as `{label, values}`. `label` describes the chart to those who
 * cannot see it.
 */
export function Plot({ make, label, height = 260, inputs }) {
  const box = useRef(null);
  const plot = useRef(null);
  const [, redraw] = useState(0);
  useEffect(() => {
    const again = () => redraw((round) => round + 1);
    themed.add(again);
    return () => themed.delete(again);
  }, []);
  useLayoutEffect(() => {
    const draw = () => {
      const { opts, data } = make();
      const width = Math.max(box.current.clientWidth, 200);
      const legend = { live: false, ...opts.legend };
      const axes = (opts.axes ?? [{}, {}]).map((one, place) => {
        const scale = opts.scales?.[one.scale ?? (place === 0 ? "x" : "y")];
        return axis({ ...(scale?.distr === 3 ? { filter: decades } : {}), ...one });
      });
      plot.current = new uPlot({ width, height, ...opts, axes, legend }, data, box.current);
    };
    const forget = inTurn(draw);
    return () => {
      forget();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [...inputs, height, scheme.matches, document.documentElement.dataset.theme]);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (plot.current && width > 0 && width !== plot.current.width) plot.current.setSize({ width, height });
    });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [height]);
  return html`<div class="plot" ref=${box} role="img" aria-label=${label} style=${{ minHeight: `${height}px` }}></div>`;
}

/** A box at the pointer with the lines that `text(self, series, index)` gives for the closest point. */
export function tooltip(text) {
  let tip;
  return {
    hooks: {
      init: (self) => {
        tip = document.createElement("div");
        tip.className = "tip";
        tip.hidden = true;
        self.over.append(tip);
        self.over.addEventListener("mouseleave", () => (tip.hidden = true));
      },
      setCursor: (self) => {
        const found = closest(self);
        if (!found) {
          tip.hidden = true;
          return;
        }
        const lines = text(self, found.series, found.index);
        tip.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
        tip.hidden = false;
        const left = found.left > self.over.clientWidth / 2 ? found.left - tip.offsetWidth - 12 : found.left + 12;
        tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, found.top - tip.offsetHeight - 8)}px)`;
      },
    },
  };
}

/** The point closest to the pointer, if one is within 30 pixels. */
export function closest(self, reach = 30) {
  const { left, top } = self.cursor;
  if (left === undefined || left < 0) return null;
  let best = null;
  for (let series = 1; series < self.series.length; series += 1) {
    const options = self.series[series];
    if (!options.show || options.silent) continue;
    const ys = self.data[series];
    const xs = self.data[0];
    const middle = self.cursor.idx ?? 0;
    for (let index = Math.max(0, middle - 40); index < Math.min(xs.length, middle + 41); index += 1) {
      if (ys[index] === null || ys[index] === undefined) continue;
      const x = self.valToPos(xs[index], "x");
      const y = self.valToPos(ys[index], options.scale ?? "y");
      const distance = Math.hypot(x - left, y - top);
      if (distance <= reach && (!best || distance < best.distance)) best = { series, index, distance, left: x, top: y };
    }
  }
  return best;
}

/** Several lines with x values of their own as uPlot wants them: one sorted x, and gaps. */
export function joined(lines) {
  return uPlot.join(lines.map(({ xs, ys }) => [xs, ys]));
}

export const linePaths = uPlot.paths.linear();
export const stepPaths = uPlot.paths.stepped({ align: 1 });
export const noPaths = () => null;
