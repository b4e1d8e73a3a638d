/** The numbers of a funnel as files: a picture and a table. */
import { saveBlob } from "@/api/files";
import type { Funnel, FunnelAnswer } from "@/api/types";
import { moment } from "@/lib/format";
import { drawnBefore } from "./compare-math";
import { stagesCsv } from "./csv";
import type { StageRow } from "./funnel-math";
import { pagePalette, pictureOf, pngOf } from "./picture";
import { w } from "./words";

interface Shown {
  funnel: Funnel;
  rows: readonly StageRow[];
  answer: FunnelAnswer | null;
  lead: string;
  timeZone: string;
}

/** A file name that every system takes. */
const fileName = (name: string): string => [...name.replace(/[^\p{L}\p{N} ._-]+/gu, " ").trim()].slice(0, 80).join("") || "funnel";

export function useTakeAlong({ funnel, rows, answer, lead, timeZone }: Shown) {
  return {
    picture: async (): Promise<void> => {
      if (!answer) return;
      const foot = w.menu.pictureFoot(`${moment(answer.as_of, timeZone)} ${timeZone}`, answer.data_version);
      const png = await pngOf(pictureOf(rows, { title: funnel.name, lead, foot }, pagePalette(), drawnBefore(rows, answer.compare)));
      saveBlob(png, w.menu.pictureFile(fileName(funnel.name)));
    },
    csv: (): void => {
      const text = stagesCsv(rows, answer?.compare ?? null);
      saveBlob(new Blob([text], { type: "text/csv;charset=utf-8" }), w.menu.csvFile(fileName(funnel.name)));
    },
  };
}
