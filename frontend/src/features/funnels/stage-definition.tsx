import type { FunnelStage } from "@/api/types";
import { propertyLabel, type Operator } from "@/features/report/conditions";
import { t } from "@/lib/strings";

/** What a stage counts, in words: event names, page, conditions. */
export function StageDefinition({ stage }: { stage: FunnelStage }) {
  const names = [stage.event, ...(stage.events ?? [])].filter((name): name is string => typeof name === "string");
  const isPage = names.length === 0 && stage.page;
  return (
    <p className="flex flex-wrap items-baseline gap-x-1.5 gap-y-1 text-sm text-ink-soft">
      <span>{isPage ? t.funnel.stage.page : t.funnel.stage.event}</span>
      {(isPage ? [stage.page ?? ""] : names).map((name, index) => (
        <span key={name} className="inline-flex min-w-0 items-baseline gap-1.5">
          {index > 0 && <span>{t.funnel.stage.or}</span>}
          <Code>{name}</Code>
        </span>
      ))}
      {stage.filters?.map((filter, index) => (
        <span key={index} className="inline-flex min-w-0 flex-wrap items-baseline gap-1.5">
          <span>{index === 0 ? t.builder.filter.where : t.builder.filter.and}</span>
          <Code>{filterText(filter)}</Code>
        </span>
      ))}
    </p>
  );
}

type Filter = NonNullable<FunnelStage["filters"]>[number];

function filterText(filter: Filter): string {
  if ("any_of" in filter) return filter.any_of.map(filterText).join(` ${t.funnel.stage.or} `);
  const operator = t.builder.operators[filter.op as Operator] ?? filter.op;
  const value = filter.value === null || filter.value === undefined ? "" : Array.isArray(filter.value) ? filter.value.join(", ") : String(filter.value);
  return `${propertyLabel(filter.property)} ${operator} ${value}`.trim();
}

/** A condition as the service repeats it, in words. */
export function conditionText(condition: Record<string, unknown>): string {
  return "any_of" in condition || "property" in condition ? filterText(condition as unknown as Filter) : JSON.stringify(condition);
}

function Code({ children }: { children: string }) {
  return (
    <code dir="auto" className="stranger line-clamp-3 rounded bg-sunken px-1.5 py-0.5 font-mono text-xs text-ink">
      {children}
    </code>
  );
}
