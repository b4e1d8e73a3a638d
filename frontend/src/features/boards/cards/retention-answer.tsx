import type { Answers } from "@/api/saved-types";
import { compactCount, count, percent } from "@/lib/format";
import { hasBegun } from "@/features/retention/heat-math";
import { placeOf } from "@/features/report/places";
import { words } from "../words";
import { Nothing } from "./big-number";
import { Scrolled } from "./funnel-answer";

type Retention = Answers["retention"];

const MOST_INK = 38;

/** Cohorts as rows, periods as columns; the deeper the colour, the more came back. The numbers stand in it. */
export function RetentionAnswerCard({ answer }: { answer: Retention }) {
  const cohorts = answer.cohorts.filter((one) => one.size > 0);
  if (cohorts.length === 0) return <Nothing text={words.answer.noCohorts} />;
  const columns = Array.from({ length: answer.periods + 1 }, (_none, n) => n);
  const rows = cohorts.map((one) => ({ ...one, cells: one.cells.filter((cell) => hasBegun(one, cell.n, answer.interval, answer.as_of)) }));
  return (
    <div className="flex h-full flex-col">
      <Scrolled label={words.answer.retention(`${answer.start} → ${answer.return}`)}>
        <table className="figures w-full border-separate border-spacing-0.5 text-xs">
          <thead>
            <tr className="bg-surface">
              <th scope="col" className="stays px-1.5 py-1 text-left font-medium text-ink-soft">
                {words.answer.cohort}
              </th>
              {columns.map((n) => (
                <th key={n} scope="col" className="px-1.5 py-1 font-medium whitespace-nowrap text-ink-soft">{`${words.answer.period[answer.interval]} ${n}`}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            <Row name={words.answer.average} size={answer.people} cells={answer.averages.filter((one) => one.size > 0)} columns={columns} isStrong />
            {rows.map((one) => (
              <Row key={one.bucket} name={placeOf(one.bucket, answer.interval, false).label} size={one.size} cells={one.cells} columns={columns} />
            ))}
          </tbody>
        </table>
        {rows.some((one) => one.cells.some((cell) => cell.is_open)) && <p className="px-1.5 pt-1 text-xs text-ink-faint">{words.answer.openLegend}</p>}
      </Scrolled>
    </div>
  );
}

interface RowProps {
  name: string;
  size: number;
  cells: readonly { n: number; people: number; percent: number; is_open?: boolean }[];
  columns: readonly number[];
  isStrong?: boolean;
}

/** Of a period without a cell there is nothing to say yet. */
function Row({ name, size, cells, columns, isStrong = false }: RowProps) {
  return (
    <tr className={isStrong ? "bg-surface font-semibold" : "bg-surface"}>
      <th scope="row" className="stays px-1.5 py-1 text-left whitespace-nowrap">
        {name} <span className="font-normal text-ink-faint">{compactCount(size)}</span>
      </th>
      {columns.map((n) => {
        const cell = cells.find((one) => one.n === n);
        return cell ? <Share key={n} cell={cell} /> : <td key={n} />;
      })}
    </tr>
  );
}

function Share({ cell }: { cell: RowProps["cells"][number] }) {
  return (
    <td
      title={cell.is_open ? `${count(cell.people)}, ${words.answer.open}` : count(cell.people)}
      className="rounded px-1.5 py-1 text-center whitespace-nowrap"
      style={{ background: `color-mix(in oklch, var(--accent) ${Math.round((MOST_INK * cell.percent) / 100)}%, transparent)` }}
    >
      {cell.is_open ? `${percent(cell.percent)}*` : percent(cell.percent)}
    </td>
  );
}
