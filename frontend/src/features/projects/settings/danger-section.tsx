import type { Project } from "@/api/types";
import { paths } from "@/app/paths";
import { useMay } from "@/features/account/use-role";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { useToast } from "@/ui/toast";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useDeleteProject } from "../queries";
import { words } from "../words";

const said = words.danger;

export function DangerSection({ project }: { project: Project }) {
  const mayDelete = useMay("owner");
  const [isAsking, setAsking] = useState(false);
  return (
    <Card className="border-danger/40">
      <CardHead title={said.title} description={mayDelete ? said.lead : said.ownersOnly} className="pb-5">
        {mayDelete && (
          <Button variant="danger" onClick={() => setAsking(true)}>
            {said.action}
          </Button>
        )}
      </CardHead>
      {isAsking && <DeleteDialog project={project} onClose={() => setAsking(false)} />}
    </Card>
  );
}

/** Goes only when the name was typed. */
function DeleteDialog({ project, onClose }: { project: Project; onClose: () => void }) {
  const remove = useDeleteProject(project.id);
  const navigate = useNavigate();
  const toast = useToast();
  const [typed, setTyped] = useState("");
  const isMeant = typed.trim() === project.name.trim();
  return (
    <Dialog open onClose={onClose} title={said.confirmTitle(project.name)} description={said.lead}>
      <form
        className="mt-4 flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isMeant) return;
          remove.mutate(undefined, {
            onSuccess: () => {
              toast({ text: said.deleted });
              void navigate(paths.projects);
            },
          });
        }}
      >
        <FormError error={remove.error} />
        <Field label={<span dir="auto" className="stranger">{said.type(project.name)}</span>}>
          {(wiring) => <Input {...wiring} dir="auto" autoComplete="off" autoFocus value={typed} onChange={(event) => setTyped(event.target.value)} />}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.actions.cancel}</Button>
          <Button type="submit" variant="danger" disabled={!isMeant || remove.isPending} busy={remove.isPending}>
            {said.action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
