import { AnswerFoot } from "@/features/report/answer-foot";
import { exportReport, receiptOf, reportQuery } from "@/features/report/ask";
import { namesAmong } from "@/features/report/event-choice";
import { EventPicker } from "@/features/report/event-picker";
import { groupName } from "@/features/report/group-name";
import { GroupPicker } from "@/features/report/group-picker";
import { LIVE_POLL_MS } from "@/features/report/queries";
import { ReportCard } from "@/features/report/report-card";
import { ReportMenu } from "@/features/report/report-menu";
import { ReportPage } from "@/features/report/report-page";
import type { ReportFrame } from "@/features/report/use-report-frame";
import { count, percent } from "@/lib/format";
import { TimeChart } from "@/ui/chart/time-chart";
import { EmptyState } from "@/ui/empty-state";
import { NativeSelect, smallSelect } from "@/ui/input";
import { Segmented } from "@/ui/segmented";
import { useQuery } from "@tanstack/react-query";
import { HeatLegend, HeatMap } from "./heat-map";
import { curvesOf, groupKey, periodPlaces } from "./heat-math";
import { retentionSource, type RetentionAnswer } from "./queries";
import { eventTitle, INTERVALS, PERIODS_DEFAULT, questionOf, readRetention, writeRetention, type Interval, type RetentionChoice } from "./retention-state";
import { words } from "./words";

const POLL_MS = 6 * LIVE_POLL_MS;

export default function RetentionPage() {
  return (
    <ReportPage
      title={words.title}
      compare={false}
      actions={(frame) => {
        const question = questionOf(readRetention(frame.search), frame.question);
        return (
          <ReportMenu
            projectId={frame.projectId}
            saveable={{ kind: "retention", title: words.title, question, choice: frame.choice }}
            onExport={(format) => exportReport(retentionSource, question, format)}
          />
        );
      }}
    >
      {(frame) => <Retention frame={frame} />}
    </ReportPage>
  );
}

function Retention({ frame }: { frame: ReportFrame }) {
  const choice = readRetention(frame.search);
  const question = questionOf(choice, frame.question);
  const answer = useQuery(reportQuery(retentionSource, question, frame.isLive ? POLL_MS : false));
  const change = (over: Partial<RetentionChoice>): void => frame.go(writeRetention(frame.search, { ...choice, ...over }));
  return (
    <>
      <Sentence frame={frame} choice={choice} change={change} />
      <ReportCard
        query={answer}
        height="h-110"
        foot={(data, isStale) => (
          <AnswerFoot answer={data} isLive={frame.isLive} isStale={isStale} excludesBots={frame.excludesBots} loadReceipt={() => receiptOf(retentionSource, question)} />
        )}
      >
        {(data) => <Answer answer={data} choice={choice} change={change} />}
      </ReportCard>
    </>
  );
}

interface Asked {
  frame: ReportFrame;
  choice: RetentionChoice;
  change: (over: Partial<RetentionChoice>) => void;
}

/** The question in one line that reads like a sentence. */
function Sentence({ frame, choice, change }: Asked) {
  return (
    <div className="mb-4 flex flex-wrap items-center gap-x-2 gap-y-2 text-sm text-ink-soft">
      <span>{words.sentence.who}</span>
      <EventPicker projectId={frame.projectId} label={words.start} hint={words.startHint} choice={choice.start} any={words.sentence.anyFirst} onChange={(start) => change({ start })} />
      <span>{words.sentence.back}</span>
      <EventPicker projectId={frame.projectId} label={words.back} hint={words.backHint} choice={choice.back} any={words.sentence.anyBack} onChange={(back) => change({ back })} />
      <span>{words.every}</span>
      <NativeSelect
        aria-label={words.intervalLabel}
        className={smallSelect}
        value={choice.interval}
        onChange={(changed) => {
          const interval = changed.target.value as Interval;
          change({ interval, periods: PERIODS_DEFAULT[interval] });
        }}
      >
        {INTERVALS.map((one) => (
          <option key={one} value={one}>
            {words.intervals[one]}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect aria-label={words.kind} className={smallSelect} value={choice.isFirstEver ? "first_ever" : "first_in_range"} onChange={(changed) => change({ isFirstEver: changed.target.value === "first_ever" })}>
        <option value="first_in_range">{words.kinds.first_in_range}</option>
        <option value="first_ever">{words.kinds.first_ever}</option>
      </NativeSelect>
      <NativeSelect aria-label={words.mode} className={smallSelect} value={choice.isRolling ? "rolling" : "calendar"} onChange={(changed) => change({ isRolling: changed.target.value === "rolling" })}>
        <option value="calendar">{words.modes.calendar}</option>
        <option value="rolling">{words.modes.rolling}</option>
      </NativeSelect>
      <NativeSelect aria-label={words.counting} className={smallSelect} value={choice.isOnOrAfter ? "after" : "in"} onChange={(changed) => change({ isOnOrAfter: changed.target.value === "after" })}>
        <option value="in">{words.countings.in}</option>
        <option value="after">{words.countings.after}</option>
      </NativeSelect>
      <GroupPicker
        projectId={frame.projectId}
        groups={choice.groups}
        defaultLimit={5}
        eventTypes={namesAmong(choice.start.event)}
        onChange={(groups) => change({ groups, group: "", view: groups ? "curve" : "map" })}
      />
    </div>
  );
}

function Answer({ answer, choice, change }: { answer: RetentionAnswer; choice: RetentionChoice; change: (over: Partial<RetentionChoice>) => void }) {
  const groups = answer.breakdown?.groups ?? [];
  const group = groups.find((one) => groupKey(one) === choice.group);
  const matrix = group ?? answer;
  if (answer.people === 0) return <EmptyState title={words.nothing.title} description={words.nothing.text} className="py-24" />;
  const cohorts = matrix.cohorts.filter((one) => one.size > 0).length;
  return (
    <div className="px-5 pt-4 pb-4">
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <p className="figures text-sm text-ink-soft">{words.people(count(matrix.people), words.cell.cohorts(count(cohorts), cohorts === 1))}</p>
        <div className="flex flex-wrap items-center gap-2">
          {choice.view === "map" && groups.length > 0 && (
            <NativeSelect aria-label={words.group} className={`${smallSelect} max-w-56`} value={group ? choice.group : ""} onChange={(changed) => change({ group: changed.target.value })}>
              <option value="">{words.allGroups}</option>
              {groups.map((one) => (
                <option key={groupKey(one)} value={groupKey(one)}>
                  {groupName(one)}
                </option>
              ))}
            </NativeSelect>
          )}
          {choice.view === "map" && (
            <Segmented
              label={words.show}
              value={choice.show}
              options={[
                { value: "percent", label: words.shows.percent },
                { value: "count", label: words.shows.count },
              ]}
              onChange={(show) => change({ show })}
            />
          )}
          <Segmented
            label={words.view}
            value={choice.view}
            options={[
              { value: "map", label: words.views.map },
              { value: "curve", label: words.views.curve },
            ]}
            onChange={(view) => change({ view })}
          />
        </div>
      </div>
      {choice.view === "map" ? (
        <>
          <div className="mb-3">
            <HeatLegend matrix={matrix} interval={answer.interval} />
          </div>
          <HeatMap matrix={matrix} asOf={answer.as_of} interval={answer.interval} periods={answer.periods} show={choice.show} back={eventTitle(choice.back)} isOnOrAfter={answer.on_or_after} />
        </>
      ) : (
        <>
          <TimeChart label={words.curveLabel} places={periodPlaces(answer)} series={curvesOf(answer)} format={percent} axisFormat={percent} height={340} />
          <p className="pt-2 text-xs text-ink-faint">{words.curveNote}</p>
        </>
      )}
    </div>
  );
}
