/** The picture of the demo: waveform and spectrogram before and after, one SVG, drawn by Observable Plot. */
import * as Plot from "@observablehq/plot";
import { encode as encodePng } from "fast-png";
import { parseHTML } from "linkedom";

import { spectrogram } from "./spectrogram.ts";
import type { Sound } from "./wav.ts";

const width = 1000, marginLeft = 64, marginRight = 84;
const waveHeight = 130, spectrumHeight = 230, gap = 14, titleHeight = 56;
const lowHz = 60, highestHz = 16000;
// What the colours span: the quietest parts of a 16-bit recording are darker than this anyway.
const levelRange: [number, number] = [-100, -20];
const colour = Plot.scale({ color: { type: "linear", scheme: "magma", domain: levelRange } });

/** What is needed of an SVG element here; Deno's own types have no DOM. */
interface Drawing {
  outerHTML: string;
  setAttribute(name: string, value: string): void;
  append(child: Drawing): void;
}

/** Draws `sounds` one below the other on one time axis. */
export function drawSounds(title: string, subtitle: string, sounds: { label: string; sound: Sound }[]): string {
  // Plot draws into a DOM; linkedom is one without a browser.
  const { document } = parseHTML("<html><body></body></html>") as unknown as { document: never };
  const seconds = Math.max(...sounds.map(({ sound }) => sound.channels[0]!.length / sound.sampleRate));
  const highHz = Math.min(highestHz, ...sounds.map(({ sound }) => sound.sampleRate / 2));
  // One scale for all waveforms, so that they can be compared: full scale, more where a float file goes beyond it.
  const peak = Math.max(1, ...sounds.flatMap(({ sound }) => sound.channels.map(peakOf)));
  const parts: string[] = [];
  let y = titleHeight;
  for (const { label, sound } of sounds) {
    const count = sound.channels.length;
    const shown = count > 1 ? `${label} (extremes and mean spectrum of ${count} channels)` : label;
    place(waveform(shown, sound), waveHeight);
    place(spectrum(sound), spectrumHeight);
  }
  const height = y;
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" ` +
    `height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">\n` +
    `<rect width="100%" height="100%" fill="white"/>\n` +
    `<text x="${marginLeft}" y="24" font-size="17" font-weight="bold">${escape(title)}</text>\n` +
    `<text x="${marginLeft}" y="44" font-size="12" fill="#555">${escape(subtitle)}</text>\n` +
    parts.join("\n") + "\n</svg>\n";

  function place(plot: Drawing, plotHeight: number) {
    plot.setAttribute("y", String(y));
    // Plot's style sheet is for a web page: its "height: auto" would stretch a drawing that lies inside another.
    parts.push(plot.outerHTML.replaceAll(/<style>[^]*?<\/style>/g, ""));
    y += plotHeight + gap;
  }

  function waveform(label: string, { channels, sampleRate }: Sound): Drawing {
    const columns = 2 * (width - marginLeft - marginRight);
    const perColumn = seconds * sampleRate / columns;
    const envelope = [];
    for (let i = 0; i * perColumn < channels[0]!.length; i++) {
      let low = Infinity, high = -Infinity;
      for (const samples of channels) {
        const end = Math.min(samples.length, Math.max((i + 1) * perColumn, Math.floor(i * perColumn) + 1));
        for (let n = Math.floor(i * perColumn); n < end; n++) {
          low = Math.min(low, samples[n]!);
          high = Math.max(high, samples[n]!);
        }
      }
      envelope.push({ time: (i + 0.5) * perColumn / sampleRate, low, high });
    }
    return Plot.plot({
      document,
      width,
      height: waveHeight,
      marginLeft,
      marginRight,
      marginTop: 26,
      marginBottom: 22,
      x: { domain: [0, seconds], label: null },
      y: { domain: [-peak, peak], label: "amplitude (1 = full scale)", ticks: 5, grid: true },
      marks: [
        Plot.areaY(envelope, { x: "time", y1: "low", y2: "high", fill: "#31688e" }),
        Plot.ruleY([0], { strokeOpacity: 0.3 }),
        Plot.text([label], { frameAnchor: "top-right", dy: -20, fontSize: 14, fontWeight: "bold", fill: "black" }),
      ],
    }) as unknown as Drawing;
  }

  function spectrum({ channels, sampleRate }: Sound): Drawing {
    const columns = width - marginLeft - marginRight, rows = spectrumHeight - 58;
    const picture = spectrogram(mean(channels), sampleRate, { seconds, columns, rows, lowHz, highHz });
    const pixels = new Uint8Array(columns * rows * 3);
    const palette = Array.from({ length: 256 }, (_, i) => parseColour(levelAt(i / 255)));
    for (const [i, level] of picture.levels.entries()) {
      const share = (level - levelRange[0]) / (levelRange[1] - levelRange[0]);
      pixels.set(palette[Math.round(255 * Math.min(1, Math.max(0, share)))]!, 3 * i);
    }
    const png = encodePng({ width: columns, height: rows, data: pixels, channels: 3 });
    const legend = Array.from({ length: rows }, (_, i) => ({ from: i / rows, to: (i + 1) / rows }));
    const octaves = [62.5, 125, 250, 500, 1000, 2000, 4000, 8000, 16000].filter((hz) => hz >= lowHz && hz <= highHz);
    const geometry = { marginLeft, marginRight, marginTop: 22, marginBottom: 36 };
    const plot = Plot.plot({
      document,
      width,
      height: spectrumHeight,
      ...geometry,
      x: { domain: [0, seconds], label: "time (s)", labelAnchor: "center", labelArrow: "none" },
      y: {
        type: "log",
        domain: [lowHz, highHz],
        label: "frequency (Hz)",
      },
      marks: [
        Plot.image([0], {
          frameAnchor: "middle",
          src: () => `data:image/png;base64,${png.toBase64()}`,
          width: columns,
          height: rows,
          preserveAspectRatio: "none",
        }),
        Plot.frame({ strokeOpacity: 0.4 }),
        // Given as data, so that every octave is labelled: Plot thins out the labels of a logarithmic scale.
        Plot.axisY(octaves, { text: (hz: number) => hz >= 1000 ? `${hz / 1000}k` : `${hz}` }),
      ],
    }) as unknown as Drawing;
    // The colour bar is a plot of its own in the right margin.
    const bar = Plot.plot({
      document,
      width: marginRight - 12,
      height: spectrumHeight,
      marginTop: geometry.marginTop,
      marginBottom: geometry.marginBottom,
      marginLeft: 0,
      marginRight: marginRight - 30,
      x: { axis: null, domain: [0, 1] },
      y: { domain: levelRange, axis: "right", label: null, ticks: 5, tickFormat: (db: number) => `${db} dB` },
      marks: [
        Plot.rect(legend, {
          x1: 0,
          x2: 1,
          y1: (d) => valueAt(d.from),
          y2: (d) => valueAt(d.to),
          fill: (d) => levelAt((d.from + d.to) / 2),
          shapeRendering: "crispEdges",
        }),
      ],
    }) as unknown as Drawing;
    bar.setAttribute("x", String(width - marginRight + 12));
    plot.append(bar);
    return plot;
  }
}

function valueAt(share: number): number {
  return levelRange[0] + share * (levelRange[1] - levelRange[0]);
}

function levelAt(share: number): string {
  return colour.apply(valueAt(share));
}

function parseColour(text: string): number[] {
  const hex = /^#(..)(..)(..)$/.exec(text);
  if (hex) return hex.slice(1).map((part) => parseInt(part, 16));
  const numbers = text.match(/\d+/g)?.map(Number);
  if (numbers?.length !== 3) throw new Error(`unexpected colour ${text}`);
  return numbers;
}

function peakOf(samples: Float32Array): number {
  return samples.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0);
}

function mean(channels: Float32Array[]): Float32Array {
  return channels[0]!.map((_, n) => channels.reduce((sum, samples) => sum + samples[n]!, 0) / channels.length);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
