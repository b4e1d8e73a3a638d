/** Figures drawn from a funnel answer. Rates come from the service; nothing here rounds one a second time. */

export interface Stage {
  stage_name: string;
  order: number;
  users: number;
  conversion_rate: number;
  drop_off_rate: number;
}

export interface StageRow extends Stage {
  /** People of the stage before who did not reach this one; 0 for the first stage. */
  lost: number;
  /** Percent of the stage before. */
  fromPrevious: number;
  /** People who reached the next stage; null for the last stage. */
  wentOn: number | null;
}

export function stageRows(stages: readonly Stage[]): StageRow[] {
  return stages.map((stage, index) => {
    const before = stages[index - 1];
    const after = stages[index + 1];
    return {
      ...stage,
      lost: before ? Math.max(0, before.users - stage.users) : 0,
      fromPrevious: before ? share(stage.users, before.users) : 100,
      wentOn: after ? after.users : null,
    };
  });
}

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

export interface Delta {
  /** Difference in points for rates, relative change (0.1 = 10 %) for counts. */
  value: number;
  isBetter: boolean | null;
}

export function rateDelta(now: number, before: number): Delta {
  const value = now - before;
  return { value, isBetter: Math.abs(value) < 0.05 ? null : value > 0 };
}

/** Null when there is nothing to compare with: no number is a certain percentage more than zero. */
export function countDelta(now: number, before: number): Delta | null {
  if (before === 0) return null;
  const value = (now - before) / before;
  return { value, isBetter: Math.abs(value) < 0.0005 ? null : value > 0 };
}

/** The table as tab-separated text that spreadsheets take as cells. */
export function tableText(head: readonly string[], rows: readonly StageRow[]): string {
  const cell = (value: string): string => {
    const flat = value.replace(/[\t\r\n]+/g, " ");
    // A spreadsheet would run a name that starts like a formula.
    return /^[=+\-@]/.test(flat) ? `'${flat}` : flat;
  };
  const lines = rows.map((row) =>
    [row.order, cell(row.stage_name), row.users, row.conversion_rate, row.fromPrevious.toFixed(2), row.drop_off_rate, row.lost].join("\t"),
  );
  return [head.join("\t"), ...lines].join("\n");
}

/** Where an arrow key leads among `total` stages, from none selected to the ends. */
export function neighbour(order: number | null, step: 1 | -1, total: number): number {
  if (order === null) return step === 1 ? 1 : total;
  return Math.min(total, Math.max(1, order + step));
}
