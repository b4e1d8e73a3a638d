/** Figures drawn from a funnel answer. Rates come from the service; nothing here rounds one a second time. */
import type { FunnelStage } from "@/api/types";

export interface Stage {
  stage_name: string;
  order: number;
  users: number;
  conversion_rate: number;
  drop_off_rate: number;
  /** The count if everybody who is open still gets there; unknown for some groups. */
  users_max?: number | null;
}

export interface StageRow extends Stage {
  /** People who may still get here: between this and `users` lies the truth. */
  open: number;
  /** People of the stage before who did not reach this one; 0 for the first stage. Some of them may have time. */
  lost: number;
  /** Of those who did not reach it, people whose time is not over. */
  waiting: number;
  /** Of those who did not reach it, people who cannot any more. */
  left: number;
  /** Percent of the stage before. */
  fromPrevious: number;
  /** People who reached the next stage; null for the last stage. */
  wentOn: number | null;
}

export function stageRows(stages: readonly Stage[]): StageRow[] {
  return stages.map((stage, index) => {
    const before = stages[index - 1];
    const after = stages[index + 1];
    const lost = before ? Math.max(0, before.users - stage.users) : 0;
    // Who may still get here stands at the stage before, or further back and may then get there, too.
    const waiting = before ? Math.min(lost, Math.max(0, openAt(stage) - openAt(before))) : 0;
    return {
      ...stage,
      open: openAt(stage),
      lost,
      waiting,
      left: lost - waiting,
      fromPrevious: before ? share(stage.users, before.users) : 100,
      wentOn: after ? after.users : null,
    };
  });
}

const openAt = (stage: Stage): number => Math.max(0, (stage.users_max ?? stage.users) - stage.users);

/** Percent, and 0 of nothing is 0. */
export function share(part: number, whole: number): number {
  return whole > 0 ? (100 * part) / whole : 0;
}

/** The stage with the highest drop-off rate; among equals the one that lost more people. Null when nobody was lost. */
export function biggestDrop(rows: readonly StageRow[]): StageRow | null {
  return rows.reduce<StageRow | null>((worst, row) => {
    if (row.lost === 0) return worst;
    if (!worst || row.drop_off_rate > worst.drop_off_rate) return row;
    return row.drop_off_rate === worst.drop_off_rate && row.lost > worst.lost ? row : worst;
  }, null);
}

/** The highest the conversion of the last stage can still get, in percent; null when nothing is open. */
export function highestConversion(rows: readonly StageRow[]): number | null {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last || last.open === 0 || first.users === 0) return null;
  return Math.min(100, share(last.users + last.open, first.users));
}

/** The stages that the numbers of an answer count, in order: `order` 1 of the answer is the first of these. */
export function requiredStages<Known extends Pick<FunnelStage, "order" | "optional">>(stages: readonly Known[]): Known[] {
  return [...stages].sort((one, two) => (one.order ?? 0) - (two.order ?? 0)).filter((stage) => !stage.optional);
}

/** The table as tab-separated text that spreadsheets take as cells. */
export function tableText(head: readonly string[], rows: readonly StageRow[]): string {
  const cell = (value: string): string => {
    const flat = value.replace(/[\t\r\n]+/g, " ");
    // A spreadsheet would run a name that starts like a formula.
    return /^[=+\-@]/.test(flat) ? `'${flat}` : flat;
  };
  const lines = rows.map((row) =>
    [row.order, cell(row.stage_name), row.users, row.conversion_rate, row.fromPrevious.toFixed(2), row.drop_off_rate, row.left, row.waiting].join("\t"),
  );
  return [head.join("\t"), ...lines].join("\n");
}

/** Where an arrow key leads among `total` stages, from none selected to the ends. */
export function neighbour(order: number | null, step: 1 | -1, total: number): number {
  if (order === null) return step === 1 ? 1 : total;
  return Math.min(total, Math.max(1, order + step));
}
