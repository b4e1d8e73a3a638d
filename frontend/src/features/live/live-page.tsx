import { useProjectId } from "@/app/route-ids";
import { EventNamesField } from "@/features/events/event-names-field";
import { ReportPage } from "@/features/report/report-page";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { DoorNote } from "@/features/setup/door-note";
import { Button } from "@/ui/button";
import { X } from "lucide-react";
import { LiveView } from "./live-view";
import { words } from "./words";

/** What comes in now, as it is judged. */
export default function LivePage() {
  const projectId = useProjectId();
  const lead = (
    <>
      {words.lead} <DoorNote projectId={projectId} />
    </>
  );
  return (
    <ReportPage title={words.title} lead={lead} compare={false} hasRange={false} hasFilters={false} actions={(frame) => <Choice frame={frame} />}>
      {(frame) => {
        const [event, person] = [frame.search.get("event"), frame.search.get("person")];
        return <LiveView key={JSON.stringify([event, person])} frame={frame} eventType={event} person={person} />;
      }}
    </ReportPage>
  );
}

function Choice({ frame }: { frame: ReportFrame }) {
  const [event, person] = [frame.search.get("event"), frame.search.get("person")];
  return (
    <>
      {person !== null && (
        <span className="inline-flex h-7 max-w-72 items-center gap-1 rounded-lg border border-line bg-surface pl-2.5 text-sm shadow-card">
          <span dir="auto" className="stranger truncate">
            {words.person(person)}
          </span>
          <Button variant="ghost" size="icon-sm" aria-label={words.personRemove} onClick={() => frame.set("person", null)}>
            <X aria-hidden className="size-3.5" />
          </Button>
        </span>
      )}
      <EventNamesField projectId={frame.projectId} names={event === null ? [] : [event]} most={1} onChange={([name]) => frame.set("event", name ?? null)} />
    </>
  );
}
