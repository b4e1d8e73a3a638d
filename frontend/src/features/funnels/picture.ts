/** The funnel as one picture to take along: drawn as SVG in the colours of the page, then turned into a PNG. */
import { compactCount, percent } from "@/lib/format";
import { beforeLegend, beforeText } from "./before-words";
import type { DrawnBefore, StageBefore } from "./compare-math";
import type { StageRow } from "./funnel-math";
import { w } from "./words";

const WIDTH = 1200;
const MARGIN = 48;
const TOP = 132;
const BARS = 300;
const BASE = TOP + BARS;
const LABELS = 132;
const LEGEND = 28;
const FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const SCALE = 2;
const NAME_MAX = 24;
const LINE_OUT = 12;
const LEAD_CHARS = 124;
const LEAD_LINES = 4;
const LEAD_LINE = 24;

export interface Palette {
  surface: string;
  ink: string;
  soft: string;
  line: string;
  from: string;
  to: string;
  flow: string;
  danger: string;
}

interface PictureWords {
  title: string;
  lead: string;
  foot: string;
}

const escaped = (text: string): string =>
  // Control characters have no place in XML, not even escaped.
  text.replace(/\p{Cc}/gu, " ").replace(/[<>&"']/g, (one) => `&#${one.charCodeAt(0)};`);
const cut = (text: string, most: number): string => ([...text].length > most ? `${[...text].slice(0, most - 1).join("")}…` : text);

const textAt = (x: number, y: number, size: number, fill: string, content: string, isStrong = false): string =>
  `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}"${isStrong ? ' font-weight="600"' : ""}>${escaped(content)}</text>`;

/** Where a stage stands and how high its people reach. */
interface Column {
  x: number;
  bar: number;
  pitch: number;
  heightOf: (people: number) => number;
}

function columnOf(row: StageRow, next: StageRow | undefined, { x, bar, pitch, heightOf }: Column, palette: Palette): string {
  const [top, open] = [BASE - heightOf(row.users), heightOf(row.open)];
  const nextTop = next ? BASE - heightOf(next.users) : BASE;
  return [
    next ? `<path d="M${x + bar},${top} L${x + pitch},${nextTop} V${BASE} H${x + bar} Z" fill="${palette.flow}"/>` : "",
    open >= 1 ? `<rect x="${x}" y="${top - open}" width="${bar}" height="${open}" fill="url(#open)" stroke="${palette.from}"/>` : "",
    `<rect x="${x}" y="${top}" width="${bar}" height="${BASE - top}" rx="4" fill="url(#bar)"/>`,
    textAt(x, BASE + 30, 17, palette.ink, `${row.order}. ${cut(row.stage_name, NAME_MAX)}`, true),
    textAt(x, BASE + 64, 28, palette.ink, compactCount(row.users), true),
    textAt(x, BASE + 90, 17, palette.soft, percent(row.conversion_rate)),
  ].join("");
}

/** The days compared with: a line across the bar, on the scale on which the first bar is all who entered. */
function lineOf(row: StageRow, before: StageBefore, whole: number, { x, bar }: Column, palette: Palette): string {
  const [y, highest] = [BASE - (whole * before.share) / 100, BASE - (whole * before.highest) / 100];
  const line = `<path d="M${x - 2},${y} H${x + bar + LINE_OUT}"`;
  return [
    `${line} stroke="${palette.surface}" stroke-width="6"/>${line} stroke="${palette.ink}" stroke-width="3"/>`,
    y - highest >= 1 ? `<path d="M${x + bar + LINE_OUT / 2},${y} V${highest}" stroke="${palette.ink}" stroke-width="3" stroke-dasharray="3 4"/>` : "",
    textAt(x, BASE + 114, 15, palette.soft, beforeText(before, row.order)),
  ].join("");
}

/** SVG does not break lines. A word that is longer than a line is cut, and so is the last line if more would follow. */
export function linesOf(text: string, most: number, lines: number): string[] {
  const found: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = found.at(-1);
    if (last !== undefined && [...last, ...word].length < most) found[found.length - 1] = `${last} ${word}`;
    else found.push(cut(word, most));
  }
  return found.length <= lines ? found : [...found.slice(0, lines - 1), cut(found.slice(lines - 1).join(" "), most)];
}

/** A whole SVG document; every name in it is text, whatever it contains. */
export function pictureOf(rows: readonly StageRow[], words: PictureWords, palette: Palette, before: DrawnBefore | null = null): { svg: string; width: number; height: number } {
  const lead = linesOf(words.lead, LEAD_CHARS, LEAD_LINES);
  const lower = (lead.length - 1) * LEAD_LINE;
  const height = BASE + LABELS + (before ? LEGEND : 0) + MARGIN + lower;
  const pitch = (WIDTH - 2 * MARGIN) / Math.max(1, rows.length);
  const bar = Math.min(pitch * 0.6, 150);
  const most = Math.max(1, ...rows.map((row) => row.users + row.open));
  const heightOf = (people: number): number => (BARS * people) / most;
  const worst = rows.reduce<StageRow | null>((found, row) => (row.lost > 0 && row.drop_off_rate > (found?.drop_off_rate ?? 0) ? row : found), null);
  const parts = rows.map((row, index) => {
    const column = { x: MARGIN + index * pitch, bar, pitch, heightOf };
    const [next, then] = [rows[index + 1], before?.stages[index]];
    return [
      columnOf(row, next, column, palette),
      then ? lineOf(row, then, heightOf(rows[0]?.users ?? 0), column, palette) : "",
      next && next.lost > 0 ? textAt(column.x + bar + 10, BASE - 12, 17, next.order === worst?.order ? palette.danger : palette.soft, `−${percent(next.drop_off_rate)}`, true) : "",
    ].join("");
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="${FONT}">
<defs><linearGradient id="bar" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${palette.from}"/><stop offset="1" stop-color="${palette.to}"/></linearGradient>
<pattern id="open" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="8" fill="${palette.from}"/></pattern></defs>
<rect width="${WIDTH}" height="${height}" fill="${palette.surface}"/>
${textAt(MARGIN, 62, 30, palette.ink, cut(words.title, 60), true)}${lead.map((line, index) => textAt(MARGIN, 94 + index * LEAD_LINE, 17, palette.soft, line)).join("")}
<g transform="translate(0,${lower})"><path d="M${MARGIN},${BASE} H${WIDTH - MARGIN}" stroke="${palette.line}"/>${parts.join("")}</g>
${before ? textAt(MARGIN, height - 52, 15, palette.soft, beforeLegend(before)) : ""}${textAt(MARGIN, height - 22, 14, palette.soft, words.foot)}</svg>`;
  return { svg, width: WIDTH, height };
}

/** The colours of the page as it is now, light or dark, resolved so that a picture can have them. */
export function pagePalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    surface: token("surface"),
    ink: token("ink"),
    soft: token("ink-soft"),
    line: token("line-strong"),
    from: token("bar-from"),
    to: token("bar-to"),
    flow: token("bar-flow"),
    danger: token("danger"),
  };
}

export async function pngOf(picture: { svg: string; width: number; height: number }): Promise<Blob> {
  const image = new Image();
  // A data address: the security policy allows no other pictures than the service's own and these.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture.svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.width * SCALE;
  canvas.height = picture.height * SCALE;
  const context = canvas.getContext("2d");
  if (!context) throw new Error(w.menu.noPicture);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(w.menu.noPicture))), "image/png"));
}
