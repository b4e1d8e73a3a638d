import { requiredStages } from "@/features/funnels/funnel-math";
import { funnelsQuery } from "@/features/funnels/queries";
import { EventPicker } from "@/features/report/event-picker";
import { Button } from "@/ui/button";
import { NativeSelect, smallSelect } from "@/ui/input";
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { DEPTHS, MODES, TOPS, type FlowChoice, type Mode } from "./flow-state";
import { words } from "./words";

interface Props {
  projectId: string;
  choice: FlowChoice;
  onChange: (choice: FlowChoice) => void;
}

/** The question in one line that reads like a sentence. */
export function FlowSentence({ projectId, choice, onChange }: Props) {
  const set = (over: Partial<FlowChoice>): void => onChange({ ...choice, ...over });
  const { mode } = choice;
  return (
    <div className="mb-4 flex flex-wrap items-center gap-2 text-sm text-ink-soft">
      <span>{words.sentence.what}</span>
      <NativeSelect aria-label={words.unit} className={smallSelect} value={choice.unit} onChange={(changed) => set({ unit: changed.target.value === "user" ? "user" : "session" })}>
        <option value="session">{words.sentence.unit.session}</option>
        <option value="user">{words.sentence.unit.user}</option>
      </NativeSelect>
      <span>{words.sentence.do}</span>
      <NativeSelect aria-label={words.mode} className={smallSelect} value={mode} onChange={(changed) => set({ mode: changed.target.value as Mode })}>
        {MODES.map((one) => (
          <option key={one} value={one}>
            {words.modes[one]}
          </option>
        ))}
      </NativeSelect>
      {(mode === "start" || mode === "between") && (
        <EventPicker projectId={projectId} label={words.start} hint={words.hint} choice={choice.start} any={words.choose} onChange={(start) => set({ start })} />
      )}
      {mode === "between" && <span>{words.sentence.to}</span>}
      {(mode === "end" || mode === "between") && (
        <EventPicker projectId={projectId} label={words.end} hint={words.hint} choice={choice.end} any={words.choose} onChange={(end) => set({ end })} />
      )}
      {mode === "drop" && <DropFields projectId={projectId} choice={choice} onChange={onChange} />}
      <NativeSelect aria-label={words.nodes} className={smallSelect} value={choice.nodes} onChange={(changed) => set({ nodes: changed.target.value === "page" ? "page" : "event" })}>
        <option value="event">{words.nodeKinds.event}</option>
        <option value="page">{words.nodeKinds.page}</option>
      </NativeSelect>
      <NativeSelect aria-label={words.depth} className={smallSelect} value={choice.depth} onChange={(changed) => set({ depth: Number(changed.target.value) })}>
        {DEPTHS.map((one) => (
          <option key={one} value={one}>
            {words.depths(one)}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect aria-label={words.top} className={smallSelect} value={choice.top} onChange={(changed) => set({ top: Number(changed.target.value) })}>
        {TOPS.map((one) => (
          <option key={one} value={one}>
            {words.tops(one)}
          </option>
        ))}
      </NativeSelect>
      <label className="inline-flex cursor-pointer items-center gap-1.5">
        <input type="checkbox" className="size-4 accent-accent" checked={choice.isCollapsed} onChange={(changed) => set({ isCollapsed: changed.target.checked })} />
        {words.collapse}
      </label>
      {choice.hidden.length > 0 && (
        <ul aria-label={words.hidden} className="flex min-w-0 flex-wrap items-center gap-1.5">
          <li>{words.sentence.hiding}</li>
          {choice.hidden.map((name) => (
            <li key={name} className="inline-flex max-w-full items-center rounded-lg border border-line bg-surface pl-2">
              <span dir="auto" className="stranger line-clamp-1 text-ink line-through">
                {name}
              </span>
              <Button size="icon-sm" variant="ghost" aria-label={words.unhide(name)} onClick={() => set({ hidden: choice.hidden.filter((one) => one !== name) })}>
                <X aria-hidden className="size-3.5" />
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** The funnel that was left, and the last stage that was reached. */
function DropFields({ projectId, choice, onChange }: Props) {
  const funnels = useQuery(funnelsQuery(projectId));
  const funnel = funnels.data?.find((one) => one.id === choice.funnel);
  if (funnels.data?.length === 0) return <span>{words.empty}</span>;
  return (
    <>
      <NativeSelect aria-label={words.funnel} className={`${smallSelect} sm:max-w-56`} value={funnel ? choice.funnel : ""} onChange={(changed) => onChange({ ...choice, funnel: changed.target.value, stage: 1 })}>
        <option value="">{words.chooseFunnel}</option>
        {(funnels.data ?? []).map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </NativeSelect>
      {funnel && (
        <>
          <span>{words.sentence.after}</span>
          <NativeSelect aria-label={words.stage} className={`${smallSelect} sm:max-w-56`} value={choice.stage} onChange={(changed) => onChange({ ...choice, stage: Number(changed.target.value) })}>
            {requiredStages(funnel.stages).slice(0, -1).map((stage, at) => (
              <option key={stage.order ?? at} value={at + 1}>
                {stage.name}
              </option>
            ))}
          </NativeSelect>
        </>
      )}
    </>
  );
}
