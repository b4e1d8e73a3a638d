import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { Sheet } from "@/ui/sheet";
import { Skeleton } from "@/ui/skeleton";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ErasureList } from "./erasure-list";
import { erasuresQuery } from "./queries";
import { words as allWords } from "./words";

const words = allWords.erasures;

/** The erasures of a project, and whether somebody was among them. */
export function ErasuresSheet({ projectId, timeZone, onClose }: { projectId: string; timeZone: string; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [asked, setAsked] = useState<string | null>(null);
  const found = useQuery(erasuresQuery(projectId, asked));
  return (
    <Sheet open onClose={onClose} title={words.title} description={words.lead}>
      <form
        className="mb-5"
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(typed.trim() || null);
        }}
      >
        <Field label={words.ask}>
          {(wiring) => (
            <div className="flex gap-2">
              <Input {...wiring} dir="auto" autoComplete="off" spellCheck={false} placeholder={words.askPlaceholder} value={typed} onChange={(event) => setTyped(event.target.value)} />
              <Button type="submit">{words.askAction}</Button>
            </div>
          )}
        </Field>
      </form>
      {found.isError ? (
        <Failure error={found.error} onRetry={() => void found.refetch()} />
      ) : found.data === undefined ? (
        <Skeleton className="h-40 rounded-lg" />
      ) : found.data.length === 0 ? (
        <p dir="auto" role="status" className="stranger text-sm text-ink-soft">
          {asked === null ? words.none : words.no(asked)}
        </p>
      ) : (
        <ErasureList erasures={found.data} timeZone={timeZone} />
      )}
      {asked !== null && (
        <Button
          size="sm"
          variant="ghost"
          className="mt-4"
          onClick={() => {
            setAsked(null);
            setTyped("");
          }}
        >
          {words.all}
        </Button>
      )}
    </Sheet>
  );
}
