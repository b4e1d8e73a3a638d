import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { EmptyState } from "@/ui/empty-state";
import { Link } from "react-router";
import { paths } from "./paths";

export function NotFoundPage() {
  return (
    <EmptyState isPage className="py-28" title={t.page.notFound.title} description={t.page.notFound.text}>
      <Button asChild>
        <Link to={paths.projects}>{t.page.notFound.home}</Link>
      </Button>
    </EmptyState>
  );
}

export function CrashPage() {
  return (
    <EmptyState isPage className="py-28" title={t.page.crashed.title} description={t.page.crashed.text}>
      <Button onClick={() => globalThis.location.reload()}>{t.page.crashed.reload}</Button>
    </EmptyState>
  );
}
