import type { Funnel } from "@/api/types";
import { paths } from "@/app/paths";
import { useMay } from "@/features/account/use-role";
import { SaveViewDialog, SaveViewItem } from "@/features/boards/save-view";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { ConfirmDialog } from "@/ui/confirm-dialog";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { FormError } from "@/ui/notice";
import { useToast } from "@/ui/toast";
import { useQueryClient } from "@tanstack/react-query";
import { Download, Ellipsis, Image, Link2, Trash2 } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useDeleteFunnel } from "./queries";
import { w } from "./words";

interface Props {
  funnel: Funnel;
  /** Absent as long as there are no numbers to take along. */
  onPicture?: () => Promise<void>;
  onCsv?: () => void;
}

export function FunnelMenu({ funnel, onPicture, onCsv }: Props) {
  const [isAsking, setAsking] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const mayMake = useMay("editor");
  const remove = useDeleteFunnel(funnel.project_id);
  const navigate = useNavigate();
  const toast = useToast();
  const client = useQueryClient();
  const copyLink = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(globalThis.location.href);
      toast({ text: t.actions.copied });
    } catch {
      toast({ tone: "danger", text: t.actions.copyFailed });
    }
  };
  const confirm = (): void => {
    remove.mutate(funnel.id, {
      onSuccess: async () => {
        toast({ text: t.funnels.deleted });
        // The page still shows the funnel until the next one is there; only then may its data go.
        await navigate(paths.funnels(funnel.project_id));
        client.removeQueries({ queryKey: ["funnel", funnel.id] });
      },
    });
  };
  return (
    <>
      <Menu
        trigger={
          <Button size="icon" variant="ghost" className="size-9" aria-label={t.funnels.menu}>
            <Ellipsis aria-hidden className="size-4" />
          </Button>
        }
      >
        <MenuItem onSelect={() => void copyLink()}>
          <Link2 aria-hidden />
          {t.funnel.copyLink}
        </MenuItem>
        {mayMake && <SaveViewItem onOpen={() => setSaving(true)} />}
        {onPicture && onCsv && (
          <>
            <MenuLine />
            <MenuLabel>{t.report.export}</MenuLabel>
            <MenuItem onSelect={() => void onPicture().catch(() => toast({ tone: "danger", text: w.menu.noPicture }))}>
              <Image aria-hidden />
              {w.menu.picture}
            </MenuItem>
            <MenuItem onSelect={onCsv}>
              <Download aria-hidden />
              {w.menu.csv}
            </MenuItem>
          </>
        )}
        <MenuLine />
        <MenuItem onSelect={() => setAsking(true)}>
          <Trash2 aria-hidden />
          {t.funnels.deleteAction}
        </MenuItem>
      </Menu>
      {isSaving && (
        <SaveViewDialog
          projectId={funnel.project_id}
          saveable={{ kind: "funnel", title: funnel.name, question: { funnel_id: funnel.id }, choice: { preset: "30d" } }}
          onClose={() => setSaving(false)}
        />
      )}
      <ConfirmDialog
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={confirm}
        title={t.funnels.deleteTitle(funnel.name)}
        description={
          <div className="flex flex-col gap-3">
            <p>{t.funnels.deleteText}</p>
            <FormError error={remove.error} />
          </div>
        }
        confirm={t.funnels.deleteAction}
        busy={remove.isPending}
      />
    </>
  );
}
