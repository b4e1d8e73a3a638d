import { paths } from "@/app/paths";
import { useProjectId } from "@/app/route-ids";
import { projectQuery, statusQuery } from "@/features/projects/queries";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { Input, NativeSelect } from "@/ui/input";
import { Failure } from "@/ui/notice";
import { PageHead } from "@/ui/page-head";
import { Skeleton } from "@/ui/skeleton";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { lastDays, previousRange, todayIn } from "@/lib/dates";
import { CARD_DAYS, FunnelCard } from "./funnel-card";
import { readSort, SORTS, sorted } from "./list-math";
import { MiniBars } from "./mini-bars";
import { funnelsQuery, suggestionsQuery } from "./queries";
import { answerQuery } from "./report-queries";
import { withParts } from "./view-state";
import { w } from "./words";

const SEARCH_FROM = 7;

export default function FunnelListPage() {
  const projectId = useProjectId();
  const funnels = useQuery(funnelsQuery(projectId));
  const project = useQuery(projectQuery(projectId));
  const [search, setSearch] = useSearchParams();
  const words = search.get("q") ?? "";
  const sort = readSort(search);
  const range = lastDays(CARD_DAYS, todayIn(project.data?.timezone ?? "UTC", new Date()));
  const all = project.data ? (funnels.data ?? []) : [];
  // The cards ask the same; here the answers are only read to sort by.
  const answers = useQueries({ queries: all.map((funnel) => ({ ...answerQuery({ funnelId: funnel.id, range }, previousRange(range), false), enabled: sort !== "name" })) });
  if (funnels.isError && !funnels.data) return <Failure error={funnels.error} onRetry={() => void funnels.refetch()} />;
  const found = funnels.data?.filter((funnel) => funnel.name.toLowerCase().includes(words.toLowerCase().trim()));
  const matching = found && sorted(found, sort, new Map(all.map((funnel, index) => [funnel.id, answers[index]?.data])));
  return (
    <>
      <PageHead title={t.funnels.title}>
        {funnels.data && funnels.data.length >= SEARCH_FROM && (
          <Input
            type="search"
            aria-label={t.funnels.search}
            placeholder={t.funnels.search}
            value={words}
            onChange={(event) => setSearch(withParts(search, { q: event.target.value }), { replace: true })}
            className="w-44 sm:w-52"
          />
        )}
        {funnels.data && funnels.data.length > 2 && (
          <NativeSelect
            aria-label={w.list.sort}
            className="w-auto"
            value={sort}
            onChange={(event) => setSearch(withParts(search, { sort: event.target.value === "name" ? null : event.target.value }), { replace: true })}
          >
            {SORTS.map((one) => (
              <option key={one} value={one}>
                {w.list.sorts[one]}
              </option>
            ))}
          </NativeSelect>
        )}
        {funnels.data && funnels.data.length > 0 && (
          <Button asChild variant="primary">
            <Link to={paths.newFunnel(projectId)}>
              <Plus aria-hidden className="size-4" />
              {t.funnels.create}
            </Link>
          </Button>
        )}
      </PageHead>
      {!funnels.data || !matching ? (
        <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3" aria-busy="true" aria-label={t.states.loading}>
          {[1, 2, 3].map((one) => (
            <Skeleton key={one} className="h-62 rounded-xl" />
          ))}
        </div>
      ) : funnels.data.length === 0 ? (
        <NoFunnels projectId={projectId} />
      ) : matching.length === 0 ? (
        <p className="py-16 text-center text-ink-soft">{t.funnels.noMatch}</p>
      ) : (
        <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
          {matching.map((funnel) => (
            <FunnelCard key={funnel.id} funnel={funnel} range={project.data ? range : null} />
          ))}
        </ul>
      )}
    </>
  );
}

const EXAMPLE = [100, 62, 41, 33].map((users, index) => ({ order: index + 1, users }));

function NoFunnels({ projectId }: { projectId: string }) {
  const status = useQuery({ ...statusQuery(projectId), refetchInterval: false }).data;
  const hasNoEvents = status?.events_total === 0;
  const way = useQuery({ ...suggestionsQuery(projectId), enabled: status !== undefined && !hasNoEvents }).data?.funnels[0];
  return (
    <Card>
      <EmptyState
        title={t.funnels.empty.title}
        description={hasNoEvents ? `${t.funnels.empty.text} ${t.funnels.empty.setup}` : t.funnels.empty.text}
        picture={
          <div aria-hidden className="mb-6 w-72 max-w-full opacity-35 saturate-50">
            <MiniBars stages={EXAMPLE} />
          </div>
        }
      >
        {hasNoEvents && (
          <Button asChild variant="primary">
            <Link to={paths.setup(projectId)}>{t.funnels.empty.setupAction}</Link>
          </Button>
        )}
        <Button asChild variant={hasNoEvents ? "secondary" : "primary"}>
          <Link to={paths.newFunnel(projectId, "seen")}>{t.funnels.empty.action}</Link>
        </Button>
        {!hasNoEvents && way && (
          <Button asChild>
            <Link to={paths.newFunnel(projectId, "way-0")} dir="auto" className="stranger">
              {w.list.suggested(way.definition.name ?? "")}
            </Link>
          </Button>
        )}
      </EmptyState>
    </Card>
  );
}
