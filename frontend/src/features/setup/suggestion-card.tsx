import { asProblem, explain } from "@/api/problem";
import { paths } from "@/app/paths";
import { useMay } from "@/features/account/use-role";
import { eventNamesQuery } from "@/features/report/queries";
import { count, percent } from "@/lib/format";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { useToast } from "@/ui/toast";
import { useQuery } from "@tanstack/react-query";
import { Sparkles } from "lucide-react";
import { useNavigate } from "react-router";
import { firstSuggestionQuery, useCreateSuggested } from "./queries";
import { words } from "./words";

const said = words.suggestion;
const NAMES_MAX = 50;

/** After the first events: the funnel that most people walk, one click away. */
export function SuggestionCard({ projectId }: { projectId: string }) {
  const mayCreate = useMay("editor");
  const names = useQuery(eventNamesQuery(projectId, "")).data ?? [];
  const suggestions = useQuery(firstSuggestionQuery(projectId)).data;
  const create = useCreateSuggested(projectId);
  const navigate = useNavigate();
  const toast = useToast();
  const best = suggestions?.funnels[0];
  if (!suggestions || names.length === 0) return null;
  const make = (): void => {
    if (!best) return;
    create.mutate(best.definition, {
      onSuccess: (funnel) => void navigate(paths.funnel(projectId, funnel.id)),
      onError: (error) => {
        const { title, advice } = explain(asProblem(error));
        toast({ tone: "danger", text: `${title} ${advice}` });
      },
    });
  };
  const kinds = said.kinds(names.length, names.length >= NAMES_MAX);
  return (
    <Card className="animate-fade">
      <CardHead title={said.title(kinds)} description={best ? said.text : said.none} className={best ? "" : "pb-5"} />
      {best && (
        <div className="px-5 pt-3 pb-5">
          <ol className="flex flex-col gap-2.5">
            {best.stages.map((stage) => (
              <li key={stage.order}>
                <p className="flex justify-between gap-4 text-sm">
                  <span dir="auto" className="stranger line-clamp-1 min-w-0 font-medium">
                    {stage.stage_name}
                  </span>
                  <span className="figures shrink-0 text-ink-soft">{said.people(count(stage.users))}</span>
                </p>
                <div aria-hidden className="mt-1 h-1.5 rounded-full bg-sunken">
                  <div className="h-full rounded-full bg-accent" style={{ width: `${stage.conversion_rate}%` }} />
                </div>
              </li>
            ))}
          </ol>
          <p className="figures mt-3 text-sm text-ink-faint">{said.converted(percent(best.overall_conversion_rate))}</p>
          {mayCreate && (
            <Button variant="primary" className="mt-4 w-full" busy={create.isPending} onClick={make}>
              <Sparkles aria-hidden className="size-4" />
              {said.create}
            </Button>
          )}
        </div>
      )}
    </Card>
  );
}
