import { propertyLabel, takesValue, valueText } from "@/features/report/conditions";
import { UnknownEvent } from "@/features/report/unknown-event";
import { t } from "@/lib/strings";
import { seriesColor } from "@/ui/chart/series";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Popover } from "@/ui/popover";
import { Copy, Plus, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { FormulaForm } from "./formula-form";
import { SeriesForm } from "./series-form";
import { FORMULAS_MAX, letterOf, measureText, newSeries, SERIES_MAX, withoutSeries, type FormulaChoice, type SeriesChoice, type TrendsChoice } from "./trend-state";
import { words } from "./words";

interface Props {
  projectId: string;
  choice: TrendsChoice;
  onChange: (choice: TrendsChoice) => void;
}

const replaced = <Item,>(items: readonly Item[], index: number, item: Item): Item[] => items.map((one, at) => (at === index ? item : one));

/** What is asked, at the left of the chart: series by letter, and formulas between them. */
export function SeriesList({ projectId, choice, onChange }: Props) {
  const { series, formulas } = choice;
  return (
    <Card className="flex min-w-0 flex-col gap-1 p-3">
      <h2 className="px-1.5 pb-1 text-sm font-semibold">{words.series}</h2>
      <ul className="flex flex-col gap-1">
        {series.map((one, index) => (
          <li key={index}>
            <SeriesRow
              projectId={projectId}
              one={one}
              index={index}
              isOnlyLine={choice.groups === null}
              onApply={(next) => onChange({ ...choice, series: replaced(series, index, next) })}
              onRemove={() => onChange(withoutSeries(choice, index))}
              {...(series.length < SERIES_MAX && { onCopy: () => onChange({ ...choice, series: [...series, { ...one, name: "" }] }) })}
            />
          </li>
        ))}
      </ul>
      {series.length < SERIES_MAX && (
        <Adding label={words.addSeries}>
          {(close) => (
            <SeriesForm
              projectId={projectId}
              series={newSeries()}
              onCancel={close}
              onApply={(next) => {
                onChange({ ...choice, series: [...series, next] });
                close();
              }}
            />
          )}
        </Adding>
      )}
      {(formulas.length > 0 || series.length > 0) && <h2 className="mt-2 border-t border-line px-1.5 pt-3 pb-1 text-sm font-semibold">{words.formulas}</h2>}
      <ul className="flex flex-col gap-1">
        {formulas.map((one, index) => (
          <li key={index}>
            <FormulaRow
              one={one}
              index={index}
              series={series.length}
              onApply={(next) => onChange({ ...choice, formulas: replaced(formulas, index, next) })}
              onRemove={() => onChange({ ...choice, formulas: formulas.filter((_one, at) => at !== index) })}
            />
          </li>
        ))}
      </ul>
      {series.length > 0 && formulas.length < FORMULAS_MAX && (
        <Adding label={words.addFormula}>
          {(close) => (
            <FormulaForm
              formula={{ expression: "", name: "" }}
              series={series.length}
              onCancel={close}
              onApply={(next) => {
                onChange({ ...choice, formulas: [...formulas, next] });
                close();
              }}
            />
          )}
        </Adding>
      )}
    </Card>
  );
}

function Adding({ label, children }: { label: string; children: (close: () => void) => ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover
      open={isOpen}
      onOpenChange={setOpen}
      label={label}
      className="w-[min(24rem,calc(100vw-1rem))]"
      trigger={
        <Button size="sm" variant="ghost" className="justify-start">
          <Plus aria-hidden className="size-3.5" />
          {label}
        </Button>
      }
    >
      {children(() => setOpen(false))}
    </Popover>
  );
}

interface RowProps {
  label: string;
  badge: ReactNode;
  summary: ReactNode;
  removeLabel: string;
  onRemove: () => void;
  more?: ReactNode;
  children: (close: () => void) => ReactNode;
}

function Row({ label, badge, summary, removeLabel, onRemove, more, children }: RowProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="flex items-start rounded-lg border border-line">
      <Popover
        open={isOpen}
        onOpenChange={setOpen}
        label={label}
        className="w-[min(24rem,calc(100vw-1rem))]"
        trigger={
          <button type="button" className="flex min-w-0 flex-1 items-start gap-2 rounded-l-lg px-2 py-1.5 text-left hover:bg-hover">
            <span className="sr-only">{`${label} `}</span>
            {badge}
            <span className="min-w-0 flex-1 text-sm">{summary}</span>
          </button>
        }
      >
        {children(() => setOpen(false))}
      </Popover>
      {more}
      <Button size="icon-sm" variant="ghost" aria-label={removeLabel} title={removeLabel} onClick={onRemove} className="mt-1 mr-1">
        <X aria-hidden className="size-3.5" />
      </Button>
    </div>
  );
}

interface SeriesRowProps {
  projectId: string;
  one: SeriesChoice;
  index: number;
  /** One line in the chart, so that its letter has the line's colour. */
  isOnlyLine: boolean;
  onApply: (series: SeriesChoice) => void;
  onRemove: () => void;
  onCopy?: () => void;
}

function SeriesRow({ projectId, one, index, isOnlyLine, onApply, onRemove, onCopy }: SeriesRowProps) {
  const letter = letterOf(index);
  return (
    <>
      <Row
        label={words.editSeries}
        removeLabel={words.removeSeries(letter)}
        onRemove={onRemove}
        badge={<Letter text={letter} {...(isOnlyLine && { color: seriesColor(index) })} />}
        summary={
          <>
            <span dir="auto" className="stranger line-clamp-2 font-medium">
              {one.event === "*" ? words.anyEvent : one.event}
            </span>
            <span className="stranger block text-ink-soft">{measureText(one)}</span>
            {one.filters.map((condition, at) => (
              <span key={at} dir="auto" className="stranger line-clamp-2 block text-xs text-ink-faint">
                {[propertyLabel(condition.property), t.builder.operators[condition.op], takesValue(condition.op) ? valueText(condition) : ""].join(" ")}
              </span>
            ))}
          </>
        }
        more={
          onCopy && (
            <Button size="icon-sm" variant="ghost" aria-label={words.copySeries(letter)} title={words.copySeries(letter)} onClick={onCopy} className="mt-1">
              <Copy aria-hidden className="size-3.5" />
            </Button>
          )
        }
      >
        {(close) => (
          <SeriesForm
            projectId={projectId}
            series={one}
            onCancel={close}
            onApply={(next) => {
              onApply(next);
              close();
            }}
          />
        )}
      </Row>
      <UnknownEvent className="mt-1.5 px-1" projectId={projectId} name={one.event} onTake={(event) => onApply({ ...one, event })} />
    </>
  );
}

interface FormulaRowProps {
  one: FormulaChoice;
  index: number;
  series: number;
  onApply: (formula: FormulaChoice) => void;
  onRemove: () => void;
}

function FormulaRow({ one, index, series, onApply, onRemove }: FormulaRowProps) {
  const place = String(index + 1);
  return (
    <Row
      label={words.editFormula}
      removeLabel={words.removeFormula(place)}
      onRemove={onRemove}
      badge={<Letter text="ƒ" />}
      summary={
        <>
          {one.name && (
            <span dir="auto" className="stranger line-clamp-2 font-medium">
              {one.name}
            </span>
          )}
          <code className="stranger block font-mono text-xs leading-5 text-ink-soft">{one.expression}</code>
        </>
      }
    >
      {(close) => (
        <FormulaForm
          formula={one}
          series={series}
          onCancel={close}
          onApply={(next) => {
            onApply(next);
            close();
          }}
        />
      )}
    </Row>
  );
}

function Letter({ text, color }: { text: string; color?: string }) {
  return (
    <span className="grid size-5 shrink-0 place-items-center rounded-md border border-line-strong/60 text-xs font-semibold" style={color ? { borderColor: color, boxShadow: `inset 0 -2px 0 ${color}` } : undefined}>
      {text}
    </span>
  );
}
