import { asProblem } from "@/api/problem";
import { paths, safeNext } from "@/app/paths";
import { showFieldErrors } from "@/lib/form-errors";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useNavigate, useSearchParams } from "react-router";
import { z } from "zod";
import { AuthLayout } from "./auth-layout";
import { PasswordInput } from "./password-input";
import { useSignUp } from "./queries";

const schema = z.object({
  full_name: z.string().trim().min(1, t.account.invalid.name).max(200),
  email: z.string().trim().pipe(z.email(t.account.invalid.email)),
  password: z.string().min(8, t.account.invalid.passwordShort),
  organization_name: z.string().trim().max(200),
});

export default function SignUpPage() {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const signUp = useSignUp();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { full_name: "", email: "", password: "", organization_name: "" },
  });
  const { errors } = form.formState;
  const next = search.get("next");
  const submit = form.handleSubmit(({ organization_name, ...values }) => {
    signUp.mutate(
      { ...values, ...(organization_name && { organization_name }) },
      {
        onSuccess: () => void navigate(next ? safeNext(next) : paths.newProject, { replace: true }),
        onError: (error) => {
          if (asProblem(error).status === 409) form.setError("email", { message: t.account.taken }, { shouldFocus: true });
          else showFieldErrors(error, form.setError);
        },
      },
    );
  });
  const isShownInField = Object.keys(errors).length > 0;
  return (
    <AuthLayout
      title={t.account.signUp.title}
      lead={t.account.signUp.lead}
      other={{
        text: t.account.signUp.other,
        link: t.account.signUp.otherLink,
        to: next ? `${paths.signIn}?next=${encodeURIComponent(next)}` : paths.signIn,
      }}
    >
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        {!isShownInField && <FormError error={signUp.error} />}
        <Field label={t.account.fullName} error={errors.full_name?.message}>
          {(wiring) => <Input {...wiring} autoComplete="name" autoFocus {...form.register("full_name")} />}
        </Field>
        <Field label={t.account.email} error={errors.email?.message}>
          {(wiring) => <Input {...wiring} type="email" autoComplete="username" {...form.register("email")} />}
        </Field>
        <Field label={t.account.password} hint={t.account.passwordHint} error={errors.password?.message}>
          {(wiring) => <PasswordInput {...wiring} autoComplete="new-password" {...form.register("password")} />}
        </Field>
        <Field
          label={t.account.organization}
          aside={<span className="text-sm text-ink-faint">{t.account.optional}</span>}
          hint={t.account.organizationHint}
          error={errors.organization_name?.message}
        >
          {(wiring) => <Input {...wiring} autoComplete="organization" {...form.register("organization_name")} />}
        </Field>
        <Button type="submit" variant="primary" busy={signUp.isPending} className="mt-1">
          {t.account.signUp.submit}
        </Button>
      </form>
    </AuthLayout>
  );
}
