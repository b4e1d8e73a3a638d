import type { SavedView } from "@/api/saved-types";
import { useMay } from "@/features/account/use-role";
import { ShareSheet } from "@/features/sharing/share-button";
import { words as shareWords } from "@/features/sharing/words";
import type { Day } from "@/lib/dates";
import { useUndoableDelete } from "@/lib/use-undoable-delete";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Menu, MenuItem } from "@/ui/menu";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Ellipsis, Share2, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { addressOf } from "./address-of";
import { deleteView, viewsQuery } from "./queries";
import { words } from "./words";

/** Questions that were saved under a name; each leads to its report. */
export function ViewList({ projectId, today }: { projectId: string; today: Day }) {
  const client = useQueryClient();
  const views = useQuery(viewsQuery(projectId)).data ?? [];
  const mayMake = useMay("editor");
  const [shared, setShared] = useState<SavedView | null>(null);
  const { hidden, drop } = useUndoableDelete({
    said: words.views.removed,
    remove: (id) => deleteView(projectId, id),
    onRemoved: () => void client.invalidateQueries({ queryKey: viewsQuery(projectId).queryKey }),
  });
  const shown = views.filter((view) => !hidden.has(view.id));
  if (shown.length === 0) return null;
  return (
    <section className="mt-8" aria-label={words.views.title}>
      <h2 className="text-lg font-semibold tracking-[-0.01em]">{words.views.title}</h2>
      <p className="mb-3 text-sm text-ink-soft">{words.views.lead}</p>
      <Card>
        <ul className="divide-y divide-line">
          {shown.map((view) => (
            <li key={view.id} className="flex min-h-12 items-center gap-3 px-4 py-1.5">
              <Link to={addressOf(projectId, view, today) ?? ""} dir="auto" className="stranger line-clamp-1 min-w-0 rounded text-sm font-medium hover:underline">
                {view.name}
              </Link>
              <Badge>{words.kinds[view.kind]}</Badge>
              <span className="flex-1" />
              {mayMake && (
                <Menu
                  trigger={
                    <Button variant="ghost" size="icon-sm" aria-label={words.menu(view.name)}>
                      <Ellipsis aria-hidden className="size-4" />
                    </Button>
                  }
                >
                  {view.kind !== "events" && (
                    <MenuItem onSelect={() => setShared(view)}>
                      <Share2 aria-hidden />
                      {shareWords.action}
                    </MenuItem>
                  )}
                  <MenuItem onSelect={() => drop(view.id)}>
                    <Trash2 aria-hidden />
                    {words.views.remove}
                  </MenuItem>
                </Menu>
              )}
            </li>
          ))}
        </ul>
      </Card>
      {shared && <ShareSheet projectId={projectId} kind="view" targetId={shared.id} name={shared.name} onClose={() => setShared(null)} />}
    </section>
  );
}
