import { ReportPage } from "@/features/report/report-page";
import { EventLog } from "./event-log";
import { words } from "./words";

/** Every stored event of a project, newest first, as far back as one scrolls. */
export default function EventsPage() {
  return (
    <ReportPage title={words.title} lead={words.lead} compare={false} hasFilters={false}>
      {(frame) => <EventLog frame={frame} />}
    </ReportPage>
  );
}
