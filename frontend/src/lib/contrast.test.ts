import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** Relative luminance of an opaque `oklch(l c h)` token, after Björn Ottosson's matrices and WCAG 2. */
function luminance(l: number, c: number, h: number): number {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const small = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clamp = (value: number): number => Math.min(1, Math.max(0, value));
  const red = clamp(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * small);
  const green = clamp(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * small);
  const blue = clamp(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * small);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function tokens(block: string): Map<string, number> {
  const found = block.matchAll(/--([\w-]+): oklch\(([\d.]+) ([\d.]+) ([\d.]+)\);/g);
  return new Map([...found].map((one) => [one[1] ?? "", luminance(Number(one[2]), Number(one[3]), Number(one[4]))]));
}

const css = readFileSync("src/tokens.css", "utf8");
const split = css.indexOf(".dark {");
const themes = { light: tokens(css.slice(0, split)), dark: tokens(css.slice(split)) };

const TEXT = 4.5;
const SHAPE = 3;
const pairs: [string, string, number][] = [
  ...["ink", "ink-soft", "ink-faint"].flatMap((ink) =>
    ["canvas", "surface", "sunken", "hover"].map((ground): [string, string, number] => [ink, ground, TEXT]),
  ),
  ["on-accent", "accent", TEXT],
  ["on-accent", "accent-hover", TEXT],
  ["accent-ink", "surface", TEXT],
  ["accent-ink", "canvas", TEXT],
  ["accent-ink", "accent-wash", TEXT],
  ["accent-ink", "hover", TEXT],
  ...["positive", "warning", "danger"].flatMap((name): [string, string, number][] => [
    [name, "surface", TEXT],
    [name, "canvas", TEXT],
    [name, `${name}-wash`, TEXT],
  ]),
  ["line-strong", "surface", SHAPE],
  ["ring", "surface", SHAPE],
  ["pulse", "surface", SHAPE],
  ["bar-from", "surface", SHAPE],
  ["bar-to", "surface", SHAPE],
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((series): [string, string, number] => [`series-${series}`, "surface", SHAPE]),
];

describe.each(["light", "dark"] as const)("%s theme", (theme) => {
  test.each(pairs)("%s on %s reaches %d", (front, back, least) => {
    const one = themes[theme].get(front);
    const two = themes[theme].get(back);
    if (one === undefined || two === undefined) throw new Error(`no token ${front} or ${back}`);
    expect((Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)).toBeGreaterThanOrEqual(least);
  });
});
