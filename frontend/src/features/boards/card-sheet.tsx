import type { BoardCard, SavedView } from "@/api/saved-types";
import { funnelsQuery } from "@/features/funnels/queries";
import { EventNameInput } from "@/features/report/event-field";
import { PRESETS } from "@/features/report/range-state";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input, inputLook, NativeSelect } from "@/ui/input";
import { cn } from "@/lib/class-names";
import { FormError } from "@/ui/notice";
import { Segmented } from "@/ui/segmented";
import { Sheet } from "@/ui/sheet";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CHARTS, draftOf, faultOf, KINDS, newDraft, type CardDraft } from "./card-draft";
import { words } from "./words";

const said = words.form;

interface Props {
  projectId: string;
  views: readonly SavedView[];
  /** The card to change; null makes one. */
  card: BoardCard | null;
  onClose: () => void;
  /** Kept when the service has the card. */
  onSave: (draft: CardDraft) => Promise<void>;
}

/** A card in a sheet: a saved view, or a plain question of one kind. */
export function CardSheet({ projectId, views, card, onClose, onSave }: Props) {
  const [draft, setDraft] = useState<CardDraft>(() => (card ? draftOf(card) : newDraft(views.length > 0)));
  const [error, setError] = useState<unknown>(null);
  const [isTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const fault = faultOf(draft, card === null);
  const set = (part: Partial<CardDraft>): void => setDraft({ ...draft, ...part });
  const submit = async (): Promise<void> => {
    setTried(true);
    if (fault) return;
    setBusy(true);
    try {
      await onSave(draft);
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const message = isTried && fault ? said.needs[fault] : undefined;
  const shown = views.find((one) => one.id === draft.viewId);
  const kind = draft.from === "saved" ? shown?.kind : draft.kind;
  return (
    <Sheet
      open
      onClose={onClose}
      title={card ? said.edit : said.add}
      foot={
        <>
          <Button onClick={onClose}>{t.actions.cancel}</Button>
          <Button variant="primary" busy={isBusy} onClick={() => void submit()}>
            {said.save}
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <FormError error={error} />
        {card === null && (
          <Segmented
            label={said.from}
            value={draft.from}
            options={[
              { value: "saved", label: said.saved },
              { value: "own", label: said.own },
            ]}
            onChange={(from) => set({ from })}
            className="self-start"
          />
        )}
        {card === null && draft.from === "saved" && <ViewField views={views} value={draft.viewId} error={message} onChange={(viewId) => set({ viewId })} />}
        {card === null && draft.from === "own" && <KindField value={draft.kind} onChange={(next) => set({ kind: next })} />}
        {draft.from === "own" && <QuestionFields projectId={projectId} draft={draft} isNew={card === null} error={message} set={set} />}
        {kind === "trends" && (
          <Field label={said.chart}>
            {(wiring) => (
              <NativeSelect {...wiring} value={draft.chart} onChange={(event) => set({ chart: event.target.value })}>
                {CHARTS.map((one) => (
                  <option key={one} value={one}>
                    {said.charts[one]}
                  </option>
                ))}
              </NativeSelect>
            )}
          </Field>
        )}
        <Field label={said.title} hint={said.titleHint}>
          {(wiring) => <Input {...wiring} dir="auto" maxLength={200} value={draft.title} onChange={(event) => set({ title: event.target.value })} />}
        </Field>
        {kind !== "note" && <RangeField draft={draft} set={set} />}
        <button type="submit" className="hidden" />
      </form>
    </Sheet>
  );
}

interface ViewFieldProps {
  views: readonly SavedView[];
  value: string;
  error: string | undefined;
  onChange: (id: string) => void;
}

function ViewField({ views, value, error, onChange }: ViewFieldProps) {
  if (views.length === 0) return <p className="text-sm text-ink-soft">{said.noViews}</p>;
  return (
    <Field label={said.view} error={error}>
      {(wiring) => (
        <NativeSelect {...wiring} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{said.chooseView}</option>
          {views.map((one) => (
            <option key={one.id} value={one.id}>
              {`${one.name} · ${words.kinds[one.kind]}`}
            </option>
          ))}
        </NativeSelect>
      )}
    </Field>
  );
}

function KindField({ value, onChange }: { value: CardDraft["kind"]; onChange: (kind: CardDraft["kind"]) => void }) {
  return (
    <fieldset>
      <legend className="mb-1.5 text-sm font-medium">{said.kind}</legend>
      <div className="grid grid-cols-2 gap-2">
        {KINDS.map((one) => (
          <label
            key={one}
            className="flex cursor-pointer flex-col rounded-lg border border-line p-3 has-checked:border-accent has-checked:bg-accent-wash has-focus-visible:outline-2 has-focus-visible:outline-ring"
          >
            <input type="radio" className="sr-only" name="kind" checked={value === one} onChange={() => onChange(one)} />
            <span className="text-sm font-medium">{words.kinds[one]}</span>
            <span className="mt-0.5 text-xs text-ink-soft">{words.kindTexts[one]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface QuestionProps {
  projectId: string;
  draft: CardDraft;
  isNew: boolean;
  error: string | undefined;
  set: (part: Partial<CardDraft>) => void;
}

function QuestionFields({ projectId, draft, isNew, error, set }: QuestionProps) {
  const funnels = useQuery(funnelsQuery(projectId)).data ?? [];
  if (draft.kind === "note") {
    return (
      <Field label={said.text} hint={said.textHint} error={error}>
        {(wiring) => (
          <textarea {...wiring} dir="auto" maxLength={5_000} rows={6} value={draft.text} onChange={(event) => set({ text: event.target.value })} className={cn(inputLook, "h-auto py-2")} />
        )}
      </Field>
    );
  }
  if (!isNew) return null;
  if (draft.kind === "funnel") {
    return (
      <Field label={said.funnel} error={error}>
        {(wiring) => (
          <NativeSelect {...wiring} value={draft.funnelId} onChange={(event) => set({ funnelId: event.target.value })}>
            <option value="">{said.chooseFunnel}</option>
            {funnels.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
    );
  }
  if (draft.kind === "sessions" || draft.kind === "overview") return null;
  return (
    <>
      <Field label={said.event} hint={said.anyEvent}>
        {(wiring) => <EventNameInput projectId={projectId} wiring={wiring} value={draft.event} onChange={(event) => set({ event })} />}
      </Field>
      {draft.kind === "trends" && (
        <Field label={said.measure}>
          {(wiring) => (
            <NativeSelect {...wiring} value={draft.measure} onChange={(event) => set({ measure: event.target.value as CardDraft["measure"] })}>
              {Object.entries(said.measures).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
      )}
    </>
  );
}

function RangeField({ draft, set }: Pick<QuestionProps, "draft" | "set">) {
  return (
    <Field label={said.range}>
      {(wiring) => (
        <NativeSelect {...wiring} value={draft.range} onChange={(event) => set({ range: event.target.value as CardDraft["range"] })}>
          <option value="">{draft.from === "saved" ? said.ofView : said.ofBoard}</option>
          {draft.range === "custom" && <option value="custom">{said.custom}</option>}
          {PRESETS.map((preset) => (
            <option key={preset} value={preset}>
              {t.range.presets[preset]}
            </option>
          ))}
        </NativeSelect>
      )}
    </Field>
  );
}
