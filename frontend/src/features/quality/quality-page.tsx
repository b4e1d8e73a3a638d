import { useProjectId } from "@/app/route-ids";
import { RangePicker } from "@/features/report/range-picker";
import { daysOf, readRange, writeRange } from "@/features/report/range-state";
import { todayIn } from "@/lib/dates";
import { Card } from "@/ui/card";
import { PageHead } from "@/ui/page-head";
import { panelOf, Tabs } from "@/ui/tabs";
import { useSearchParams } from "react-router";
import { DayCharts } from "./day-charts";
import { boundedRange } from "./quality-math";
import { RefusedList } from "./refused-list";
import { SchemaWatch } from "./schema-watch";
import { words } from "./words";

const TABS = ["days", "refused", "schema"] as const;

/** `?tab=refused&reason=missing_identity`, `?range=7d`: what is shown stands in the address. */
export default function QualityPage() {
  const projectId = useProjectId();
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((one) => one === search.get("tab")) ?? "days";
  const today = todayIn(words.zone, new Date());
  const choice = readRange(search);
  const go = (next: URLSearchParams): void => setSearch(next, { preventScrollReset: true });
  const choose = (value: string): void => {
    const next = new URLSearchParams(search);
    for (const name of ["reason", "state", "event"]) next.delete(name);
    next.set("tab", value);
    go(next);
  };
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        {tab === "days" && <RangePicker choice={choice} today={today} timeZone={words.zone} onChange={(next) => go(writeRange(search, next))} />}
      </PageHead>
      <Card className="mb-4 overflow-hidden">
        <Tabs label={words.tabsLabel} value={tab} tabs={TABS.map((value) => ({ value, label: words.tabs[value] }))} onChange={choose} className="border-b-0" />
      </Card>
      <div key={`${projectId} ${tab}`} {...panelOf(words.tabsLabel, tab)}>
        {tab === "days" && <DayCharts projectId={projectId} range={boundedRange(daysOf(choice, today), today)} today={today} />}
        {tab === "refused" && <RefusedList projectId={projectId} />}
        {tab === "schema" && <SchemaWatch projectId={projectId} />}
      </div>
    </>
  );
}
