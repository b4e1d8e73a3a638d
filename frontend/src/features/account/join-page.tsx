import { api, dataOf } from "@/api/client";
import { paths } from "@/app/paths";
import { showFieldErrors } from "@/lib/form-errors";
import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { EmptyState } from "@/ui/empty-state";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { FormError } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { zodResolver } from "@hookform/resolvers/zod";
import { useQuery } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { Link, useLocation, useNavigate } from "react-router";
import { z } from "zod";
import { AuthLayout } from "./auth-layout";
import { PasswordInput } from "./password-input";
import { useSignUp } from "./queries";

const schema = z.object({
  full_name: z.string().trim().min(1, t.account.invalid.name).max(200),
  password: z.string().min(8, t.account.invalid.passwordShort),
});

/** `/join#<token>`: what stands behind the `#` is never sent, so no log holds it. */
export default function JoinPage() {
  const token = useLocation().hash.slice(1);
  const invitation = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => dataOf(api.POST("/api/v1/invitations/lookup", { body: { token } })),
    enabled: token !== "",
    retry: false,
    gcTime: 0,
  });
  if (token === "" || invitation.isError) {
    return (
      <EmptyState isPage className="min-h-dvh justify-center" title={t.account.join.wrong.title} description={t.account.join.wrong.text}>
        <Button asChild>
          <Link to={paths.signIn}>{t.account.signIn.title}</Link>
        </Button>
      </EmptyState>
    );
  }
  if (!invitation.data) {
    return (
      <main aria-busy="true" className="grid min-h-dvh place-items-center px-4 py-10">
        <Skeleton className="h-120 w-88 max-w-full rounded-xl" />
      </main>
    );
  }
  return <JoinForm token={token} organization={invitation.data.organization_name} email={invitation.data.email} />;
}

function JoinForm({ token, organization, email }: { token: string; organization: string; email: string }) {
  const navigate = useNavigate();
  const signUp = useSignUp();
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { full_name: "", password: "" } });
  const { errors } = form.formState;
  const submit = form.handleSubmit((values) =>
    signUp.mutate(
      { ...values, email, invitation: token },
      { onSuccess: () => void navigate(paths.home, { replace: true }), onError: (error) => showFieldErrors(error, form.setError) },
    ),
  );
  return (
    <AuthLayout
      title={t.account.join.title(organization)}
      lead={t.account.join.lead}
      other={{ text: t.account.signUp.other, link: t.account.signUp.otherLink, to: paths.signIn }}
    >
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <FormError error={signUp.error} />
        <Field label={t.account.email}>{(wiring) => <Input {...wiring} type="email" value={email} readOnly autoComplete="username" />}</Field>
        <Field label={t.account.fullName} error={errors.full_name?.message}>
          {(wiring) => <Input {...wiring} autoComplete="name" autoFocus {...form.register("full_name")} />}
        </Field>
        <Field label={t.account.password} hint={t.account.passwordHint} error={errors.password?.message}>
          {(wiring) => <PasswordInput {...wiring} autoComplete="new-password" {...form.register("password")} />}
        </Field>
        <Button type="submit" variant="primary" busy={signUp.isPending} className="mt-1">
          {t.account.join.submit}
        </Button>
      </form>
    </AuthLayout>
  );
}
