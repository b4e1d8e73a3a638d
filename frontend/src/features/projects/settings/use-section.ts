/** One section of the settings as a form: saved against the version it was loaded with, so that nobody overwrites others. */
import { asProblem } from "@/api/problem";
import type { Project } from "@/api/types";
import { showFieldErrors } from "@/lib/form-errors";
import { useToast } from "@/ui/toast";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useForm, type DefaultValues, type FieldValues, type UseFormReturn } from "react-hook-form";
import { changeProject, keepProject, projectQuery, type ProjectChange } from "../queries";
import { words } from "../words";

interface Options<Values extends FieldValues> {
  project: Project;
  valuesOf: (project: Project) => Values;
  bodyOf: (values: Values) => Partial<ProjectChange>;
  /** The form's field for a pointer of the service; without it the names are the same. */
  fieldOf?: (pointer: string) => string;
}

export interface SectionForm<Values extends FieldValues> {
  form: UseFormReturn<Values>;
  submit: () => void;
  isSaving: boolean;
  error: unknown;
  /** What somebody else has saved meanwhile; null: nobody has. */
  theirs: Project | null;
  loadTheirs: () => void;
  overwrite: () => void;
}

const same = (one: unknown, two: unknown): boolean => JSON.stringify(one) === JSON.stringify(two);

export function useSection<Values extends FieldValues>({ project, valuesOf, bodyOf, fieldOf }: Options<Values>): SectionForm<Values> {
  const client = useQueryClient();
  const toast = useToast();
  const form = useForm<Values>({ defaultValues: valuesOf(project) as DefaultValues<Values> });
  const base = useRef(project);
  const [theirs, setTheirs] = useState<Project | null>(null);
  const { isDirty } = form.formState;
  const { reset } = form;
  useEffect(() => {
    // What was saved elsewhere is shown, unless it would take away what is being typed here.
    if (isDirty || project.version === base.current.version) return;
    base.current = project;
    reset(valuesOf(project));
  }, [project, isDirty, reset, valuesOf]);
  const save = useMutation({
    mutationFn: async (values: Values) => {
      try {
        return await changeProject(project.id, base.current.version, bodyOf(values));
      } catch (error) {
        if (asProblem(error).code !== "version_conflict") throw error;
        const newest = await client.fetchQuery({ ...projectQuery(project.id), staleTime: 0 });
        // Somebody changed another section: both changes hold.
        if (same(valuesOf(newest), valuesOf(base.current))) return changeProject(project.id, newest.version, bodyOf(values));
        setTheirs(newest);
        return null;
      }
    },
    onSuccess: async (saved) => {
      if (!saved) return;
      base.current = saved;
      setTheirs(null);
      form.reset(valuesOf(saved));
      toast({ text: words.saved });
      await keepProject(client, saved);
    },
    onError: (error) => showFieldErrors(error, form.setError, fieldOf),
  });
  const submit = (): void => void form.handleSubmit((values) => save.mutate(values))();
  const loadTheirs = (): void => {
    if (!theirs) return;
    base.current = theirs;
    form.reset(valuesOf(theirs));
    setTheirs(null);
  };
  const overwrite = (): void => {
    if (!theirs) return;
    base.current = theirs;
    submit();
  };
  return { form, submit, isSaving: save.isPending, error: save.error, theirs, loadTheirs, overwrite };
}
