import { ApiProblem, asProblem } from "@/api/problem";
import { paths, safeNext } from "@/app/paths";
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
import { useSignIn } from "./queries";

const schema = z.object({
  email: z.string().trim().pipe(z.email(t.account.invalid.email)),
  password: z.string().min(1, t.account.invalid.password),
});

/** On this page a refused credential means a wrong password, not a lost session. */
function signInProblem(error: unknown): ApiProblem | null {
  if (!error) return null;
  const problem = asProblem(error);
  return problem.status === 401 ? new ApiProblem(401, "wrong_password", "", "", []) : problem;
}

export default function SignInPage() {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const signIn = useSignIn();
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { email: "", password: "" } });
  const { errors } = form.formState;
  const next = search.get("next");
  const submit = form.handleSubmit((values) => {
    signIn.mutate(values, { onSuccess: () => void navigate(safeNext(next), { replace: true }) });
  });
  return (
    <AuthLayout
      title={t.account.signIn.title}
      lead={t.account.signIn.lead}
      other={{
        text: t.account.signIn.other,
        link: t.account.signIn.otherLink,
        to: next ? `${paths.signUp}?next=${encodeURIComponent(next)}` : paths.signUp,
      }}
    >
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <FormError error={signInProblem(signIn.error)} />
        <Field label={t.account.email} error={errors.email?.message}>
          {(wiring) => <Input {...wiring} type="email" autoComplete="username" autoFocus {...form.register("email")} />}
        </Field>
        <Field label={t.account.password} error={errors.password?.message}>
          {(wiring) => <PasswordInput {...wiring} autoComplete="current-password" {...form.register("password")} />}
        </Field>
        <Button type="submit" variant="primary" busy={signIn.isPending} className="mt-1">
          {t.account.signIn.submit}
        </Button>
      </form>
    </AuthLayout>
  );
}
