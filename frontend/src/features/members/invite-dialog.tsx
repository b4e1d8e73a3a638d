import type { NewInvitation, Role } from "@/api/types";
import { ROLES } from "@/features/account/roles";
import { CodeBlock } from "@/features/setup/code-block";
import { showFieldErrors } from "@/lib/form-errors";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Input, NativeSelect } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { zodResolver } from "@hookform/resolvers/zod";
import { useState } from "react";
import { useForm, useWatch } from "react-hook-form";
import { z } from "zod";
import { useInvite } from "./queries";
import { words } from "./words";

const schema = z.object({ email: z.string().trim().pipe(z.email(words.form.invalid)), role: z.enum(["viewer", "editor", "admin", "owner"]) });

interface Props {
  /** The highest role that the inviting person may give. */
  highest: Role;
  onClose: () => void;
}

/** Asks for address and role, then shows the link this once. */
export function InviteDialog({ highest, onClose }: Props) {
  const [made, setMade] = useState<NewInvitation | null>(null);
  if (made) {
    return (
      <Dialog open onClose={onClose} title={words.link.title} description={words.link.text(made.email)}>
        <CodeBlock code={made.url} label={words.link.label} className="mt-4" />
        <div className="mt-4 flex justify-end">
          <Button variant="primary" onClick={onClose}>
            {words.link.done}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog open onClose={onClose} title={words.form.title} description={words.form.text}>
      <InviteForm highest={highest} onClose={onClose} onMade={setMade} />
    </Dialog>
  );
}

function InviteForm({ highest, onClose, onMade }: Props & { onMade: (made: NewInvitation) => void }) {
  const invite = useInvite();
  const form = useForm<z.infer<typeof schema>>({ resolver: zodResolver(schema), defaultValues: { email: "", role: "viewer" } });
  const role = useWatch({ control: form.control, name: "role" });
  const submit = form.handleSubmit((values) =>
    invite.mutate(values, { onSuccess: onMade, onError: (error) => showFieldErrors(error, form.setError) }),
  );
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="mt-4 flex flex-col gap-4">
      <FormError error={invite.error} />
      <Field label={words.form.email} error={form.formState.errors.email?.message}>
        {(wiring) => <Input {...wiring} type="email" autoComplete="off" autoFocus {...form.register("email")} />}
      </Field>
      <Field label={words.form.role} hint={words.roleText[role]}>
        {(wiring) => (
          <NativeSelect {...wiring} {...form.register("role")}>
            {ROLES.slice(0, ROLES.indexOf(highest) + 1).map((one) => (
              <option key={one} value={one}>
                {words.roles[one]}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{t.actions.cancel}</Button>
        <Button type="submit" variant="primary" busy={invite.isPending}>
          {words.form.submit}
        </Button>
      </div>
    </form>
  );
}
